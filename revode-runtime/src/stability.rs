//! How far a step of a method is stable.

/// The limits of stability of a method, along rays into the left half plane.
///
/// A step of size `h` multiplies the solution of `y' = λ y` by `R(h λ)`, where `R` is the method's
/// stability function. Where `|R(z)| ≤ 1` a solution that decays or oscillates does not grow. The limit along a
/// ray is the largest `X` such that `|R(x w)| ≤ 1` for all `0 ≤ x ≤ X`, where `w` is the ray's
/// [direction](Self::DIRECTIONS): steps are stable for `h ≤ X / |λ|`. It has no unit, is 0 where `|R| > 1`
/// from 0 on, and infinite where `|R| ≤ 1` everywhere.
///
/// `#[tableau]` proves the limits in integers; they are lower bounds, too small by less than `2^-40` of
/// themselves. ([`Tableau::STABILITY`](crate::Tableau::STABILITY).)
///
/// Source: Hairer and Wanner, *Solving Ordinary Differential Equations II*, section IV.2.
///
/// ```
/// # use revode_runtime as revode;
/// use revode::{Stability, Tableau, methods::Rk4};
///
/// assert!((Rk4::STABILITY.real() - 2.785).abs() < 1e-3);
/// assert!((Rk4::STABILITY.imaginary() - 8.0_f64.sqrt()).abs() < 1e-9);
/// // A decay at 45° from the negative real axis: the less stable one of the rays beside it.
/// let limit = Stability::limit_at(&Rk4::STABILITY.method, 0.5_f64.sqrt());
/// assert_eq!(limit, Rk4::STABILITY.method[1].min(Rk4::STABILITY.method[2]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stability {
    /// Of a step of the method.
    pub method: [f64; Stability::RAYS],
    /// Of a step with the embedded weights, where there are any.
    pub embedded: Option<[f64; Stability::RAYS]>,
    /// Of a step of the reversible pair without damping (λ = 1) whose gap is closed after each step. Of
    /// even order that is a step of the method; of odd order `y` and `z` may also become their mean, `(R(z)
    /// (2 − R(−z)) + 1) / 2` times what they were, and the limit is the smaller of the two.
    pub pair: [f64; Stability::RAYS],
}

impl Stability {
    /// The number of rays.
    pub const RAYS: usize = 5;

    /// The directions of the rays, real and imaginary part: at 0°, 36.87°, 53.13°, 73.74° and 90° from
    /// the negative real axis. `R` is real, so the conjugate directions have the same limits.
    pub const DIRECTIONS: [(f64, f64); Self::RAYS] =
        [(-1.0, 0.0), (-0.8, 0.6), (-0.6, 0.8), (-0.28, 0.96), (0.0, 1.0)];

    /// The method's limit on the negative real axis.
    pub const fn real(&self) -> f64 {
        self.method[0]
    }

    /// The method's limit on the imaginary axis.
    pub const fn imaginary(&self) -> f64 {
        self.method[Self::RAYS - 1]
    }

    /// The limit of `h |λ|` for an eigenvalue `λ` whose angle from the *negative* real axis has this
    /// cosine, `−Re λ / |λ|`: the smaller one of the limits of the two rays beside it.
    ///
    /// Beyond 73.74° it is the limit of that ray. The imaginary axis does not count: there many methods
    /// grow by a multiple of `x^{p+1}` or `x^{p+2}` in a step, so that their limit is 0, but this growth
    /// is of the size of their error and not an instability. An eigenvalue in the right half plane has no
    /// limit, since its solution grows, and neither has the eigenvalue 0, whose cosine is not a number.
    pub fn limit_at(limits: &[f64; Self::RAYS], cosine: f64) -> f64 {
        if cosine.is_nan() || cosine < 0.0 {
            return f64::INFINITY;
        }
        let last = Self::RAYS - 2;
        let of_ray = |i: usize| -Self::DIRECTIONS[i].0;
        // Rounding may take a cosine above 1.
        let before = (0..=last).rev().find(|&i| of_ray(i) >= cosine).unwrap_or(0);
        let after = (0..=last).find(|&i| of_ray(i) <= cosine).unwrap_or(last);
        limits[before].min(limits[after])
    }
}
