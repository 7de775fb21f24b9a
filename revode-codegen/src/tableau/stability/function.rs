//! The stability function of an explicit method, `R(z) = 1 + Σ_{k≥1} z^k bᵀ A^{k−1} 1`.
//!
//! Source: Hairer and Wanner II, section IV.2, (2.9).

use dashu_base::{BitTest, Gcd, Signed, UnsignedAbs};
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

use super::Ray;
use super::polynomial::Polynomial;
use crate::number::{FRACTION_BITS, Number};

/// The longest denominator, in bits, with which a coefficient is kept as it is. The tableaus in which
/// `|R| = 1` is touched by design have shorter ones.
const EXACT_BITS: usize = 128;

/// The significant bits of all other coefficients. A step has them in `f64`, with 53.
const ROUNDED_BITS: usize = 96;

/// Numbers in fixed point below `2^-ZERO_BITS` are rounding of a 0; as in [`Number::same`].
const ZERO_BITS: usize = 200;

/// `Σ_k n_k z^k / d`, with integers `n_k` and `d > 0`.
#[derive(Debug, Clone)]
pub(super) struct StabilityFunction {
    numerators: Polynomial,
    denominator: IBig,
}

impl StabilityFunction {
    /// Of the method with the strictly lower matrix `a` and the weights `b`, which is of order
    /// `order`: so the coefficients up to it are `1/k!`, exactly, whatever digits the tableau has.
    pub(super) fn of_method(a: &[Vec<Number>], b: &[Number], order: u32) -> Self {
        let dot = |row: &[Number], stages: &[Number]| {
            row.iter().zip(stages).fold(Number::ZERO, |sum, (x, y)| &sum + &(x * y))
        };
        let mut coefficients = vec![RBig::ONE];
        let mut stages = vec![Number::ONE; b.len()];
        for k in 1..=b.len() {
            coefficients.push(if k <= order as usize {
                &coefficients[k - 1] / RBig::from(k)
            } else {
                short(&dot(b, &stages))
            });
            stages = a.iter().map(|row| bounded(dot(row, &stages))).collect();
        }
        let denominator = coefficients.iter().fold(UBig::ONE, |common, x| {
            &common / (&common).gcd(x.denominator()) * x.denominator()
        });
        let numerator = |x: &RBig| x.numerator() * IBig::from(&denominator / x.denominator());
        Self {
            numerators: Polynomial::new(coefficients.iter().map(numerator).collect()),
            denominator: IBig::from(denominator),
        }
    }

    /// `(R(z) (2 − R(−z)) + 1) / 2`: the mean of the two halves of a step of the reversible pair from
    /// `y = z` without damping, `y' = R(z) y` and `z' = y + (1 − R(−z)) y'`.
    pub(super) fn of_pair_mean(&self) -> Self {
        let d = &self.denominator;
        let reflected = self.numerators.coefficients().iter().enumerate().map(|(k, n)| {
            let constant = if k == 0 { d << 1 } else { IBig::ZERO };
            if k % 2 == 0 { constant - n } else { n.clone() }
        });
        let product = &self.numerators * &Polynomial::new(reflected.collect());
        let mut numerators = product.coefficients().to_vec();
        numerators[0] += d * d;
        Self { numerators: Polynomial::new(numerators), denominator: (d * d) << 1 }
    }

    /// A positive multiple of `|R(x w)|² − 1` as a polynomial in `x`, where `w` is the ray's
    /// direction.
    pub(super) fn growth(&self, ray: Ray) -> Polynomial {
        let Ray { re, im, norm } = ray;
        let (re, im, norm) = (IBig::from(re), IBig::from(im), IBig::from(norm));
        let degree = self.numerators.coefficients().len() - 1;
        // R(x (re + i im) / norm) = (real + i imaginary) / (d · norm^degree)
        let (mut real, mut imaginary) = (Vec::new(), Vec::new());
        let mut power = (IBig::ONE, IBig::ZERO);
        for (k, n) in self.numerators.coefficients().iter().enumerate() {
            let n = n * norm.pow(degree - k);
            real.push(&n * &power.0);
            imaginary.push(&n * &power.1);
            power = (&power.0 * &re - &power.1 * &im, &power.0 * &im + &power.1 * &re);
        }
        let (real, imaginary) = (Polynomial::new(real), Polynomial::new(imaginary));
        let (x, y) = (&real * &real, &imaginary * &imaginary);
        let mut sum = x.coefficients().to_vec();
        sum.resize(sum.len().max(y.coefficients().len()), IBig::ZERO);
        for (sum, y) in sum.iter_mut().zip(y.coefficients()) {
            *sum += y;
        }
        let one = &self.denominator * norm.pow(degree);
        sum[0] -= &one * &one;
        Polynomial::new(sum)
    }
}

/// In fixed point from where on the exact value is too long to be of use.
pub(super) fn bounded(x: Number) -> Number {
    match x.as_rational() {
        Some(exact) if exact.denominator().bit_len() > EXACT_BITS => {
            Number::from_fixed(x.to_fixed())
        }
        _ => x,
    }
}

/// The number with a denominator of few bits, or as few as it takes.
pub(super) fn short(x: &Number) -> RBig {
    if let Some(exact) = x.as_rational()
        && exact.denominator().bit_len() <= EXACT_BITS
    {
        return exact.clone();
    }
    let fixed = x.to_fixed();
    let (bits, negative) = (fixed.bit_len(), fixed.is_negative());
    if bits <= FRACTION_BITS - ZERO_BITS {
        return RBig::ZERO;
    }
    let surplus = bits.saturating_sub(ROUNDED_BITS).min(FRACTION_BITS);
    let magnitude = IBig::from(fixed.unsigned_abs() >> surplus);
    let numerator = if negative { -magnitude } else { magnitude };
    RBig::from_parts(numerator, UBig::ONE << (FRACTION_BITS - surplus))
}
