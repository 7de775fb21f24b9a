//! How far a method is stable: where `|R(z)| ≤ 1` along rays into the left half plane.
//!
//! A limit is the largest `X` such that `|R(x w)| ≤ 1` for all `0 ≤ x ≤ X`, where `w` is the ray's
//! direction. On a ray `|R|² − 1` is a polynomial with rational coefficients, and its first change of
//! sign is bracketed in integers: the limits are proved lower bounds, `2^-40` wide.
//!
//! Source: Hairer and Wanner II, section IV.2.

mod crossing;
mod function;
mod polynomial;
mod rational;

use super::check::Method;
use super::coefficients::Coefficients;
use crossing::last_not_positive;
use dashu_int::IBig;
use function::StabilityFunction;
use polynomial::Polynomial;
pub(super) use rational::RationalStability;

/// A direction `(re + i im) / norm` of modulus 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ray {
    re: i32,
    im: i32,
    norm: i32,
}

/// The rays, from the negative real axis to the imaginary one: 0°, 36.87°, 53.13°, 73.74°, 90°. The
/// runtime's `Stability::DIRECTIONS` are the same.
const RAYS: [Ray; 5] = [
    Ray { re: -1, im: 0, norm: 1 },
    Ray { re: -4, im: 3, norm: 5 },
    Ray { re: -3, im: 4, norm: 5 },
    Ray { re: -7, im: 24, norm: 25 },
    Ray { re: 0, im: 1, norm: 1 },
];

/// A limit for each ray.
pub(super) type Limits = [f64; RAYS.len()];

/// The limits of a method.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stability {
    /// Of a step.
    pub method: Limits,
    /// Of a step with the embedded weights.
    pub embedded: Option<Limits>,
    /// Of a step of the reversible pair without damping whose gap is closed after each step. Of even
    /// order `z` becomes `y`, which is a step of the method; of odd order both become `y` or their
    /// mean, and the limit is that of the less stable one.
    pub pair: Limits,
}

impl Stability {
    /// Of a method whose orders are proved.
    pub(super) fn of(method: &Method) -> Self {
        let Method { coefficients, order, embedded_order, symmetry_order, .. } = method;
        let Coefficients { a, b, b_embedded, .. } = coefficients;
        let function = StabilityFunction::of_method(a, b, *order);
        let method = limits(&function, *symmetry_order);
        let embedded = b_embedded.as_ref().zip(*embedded_order).map(|(weights, order)| {
            limits(&StabilityFunction::of_method(a, weights, order), at_least_symmetric(order))
        });
        let pair = if order.is_multiple_of(2) {
            method
        } else {
            let mean = limits(&function.of_pair_mean(), at_least_symmetric(order + 1));
            std::array::from_fn(|i| method[i].min(mean[i]))
        };
        Self { method, embedded, pair }
    }
}

/// The least symmetry order that a method of this order has.
fn at_least_symmetric(order: u32) -> u32 {
    order + u32::from(order.is_multiple_of(2))
}

fn limits(function: &StabilityFunction, symmetry_order: u32) -> Limits {
    RAYS.map(|ray| {
        let mut growth = function.growth(ray);
        if ray.re == 0 {
            growth = flattened(&growth, symmetry_order);
        }
        last_not_positive(growth)
    })
}

/// Without the terms up to the symmetry order: on the imaginary axis `|R(z)|² = R(z) R(−z)`, which is
/// `1 + O(z^{s+1})`. What a rounded tableau leaves of them is rounding, and its sign would decide.
fn flattened(growth: &Polynomial, symmetry_order: u32) -> Polynomial {
    let mut coefficients = growth.coefficients().to_vec();
    coefficients.iter_mut().take(symmetry_order as usize + 1).for_each(|c| *c = IBig::ZERO);
    Polynomial::new(coefficients)
}

#[cfg(test)]
mod tests;
