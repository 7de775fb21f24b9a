//! `tanh`, `sigmoid`, `softplus` and `silu`: the activations of neural networks.
//!
//! All from e^−|x| ≤ 1, kept to more than working precision, so that nothing overflows and the
//! results are relatively accurate in both tails.

use super::exponential::Exponential;
use super::logarithm::log1p_of_sum;
use super::{Sum, fast_two_sum};

/// The hyperbolic tangent, at most 2 ulp from the correctly rounded value; keeps the sign of zero.
///
/// With h = (e^−2|x| − 1)/2, tanh |x| = −h/(1 + h).
#[inline(always)]
pub fn tanh(x: f64) -> f64 {
    // From 22 upwards the result is ±1 to all digits.
    let a = if x.abs() > 22.0 { 22.0 } else { x.abs() };
    let h = Exponential::of(-2.0 * a).half_minus_one();
    let d = fast_two_sum(1.0, h.hi);
    let q = -h.hi / d.hi;
    // The remainder of the division by the rounded denominator: 1/(1 + h) = 1 + q.
    let correction = (-h.lo - q * (d.lo + h.lo)) * (1.0 + q);
    (q + correction).copysign(x)
}

/// The logistic function 1/(1 + e⁻ˣ), at most 2 ulp from the correctly rounded value, also where it
/// is subnormal.
#[inline(always)]
pub fn sigmoid(x: f64) -> f64 {
    let Logistic { sigma, scales } = Logistic::of(x);
    (sigma.hi + sigma.lo) * scales.0 * scales.1
}

/// ln(1 + eˣ), at most 2 ulp from the correctly rounded value, also where it is subnormal.
#[inline(always)]
pub fn softplus(x: f64) -> f64 {
    let e = Exponential::of(minus_abs(x));
    let mantissa = e.mantissa();
    let positive = if x > 0.0 { x } else { 0.0 };
    positive + log1p_of_sum(e.scale(mantissa.hi), e.scale(mantissa.lo))
}

/// x/(1 + e⁻ˣ), at most 2 ulp from the correctly rounded value, also where it is subnormal; keeps
/// the sign of zero, −0 at −∞.
#[inline(always)]
pub fn silu(x: f64) -> f64 {
    let Logistic { sigma, scales } = Logistic::of(x);
    let clamped = if x < -LARGE { -LARGE } else { x };
    let y = (clamped * sigma.hi + clamped * sigma.lo) * scales.0 * scales.1;
    // The product of ∞ with the rounding error would be NaN.
    if x > 64.0 { x } else { y }
}

/// e^−|x|, and its product with x, is 0 from here on.
const LARGE: f64 = 800.0;

/// −min(|x|, [`LARGE`]).
#[inline(always)]
fn minus_abs(x: f64) -> f64 {
    if x.abs() > LARGE { -LARGE } else { -x.abs() }
}

/// The logistic function as `scales.0 * scales.1 * sigma`: the scales, powers of two, are to be
/// applied last, where they may round to a subnormal.
struct Logistic {
    sigma: Sum,
    scales: (f64, f64),
}

impl Logistic {
    /// With e = e^−|x|: 1/(1 + e), or for negative x e/(1 + e), whose power of two is kept apart.
    #[inline(always)]
    fn of(x: f64) -> Self {
        let exponential = Exponential::of(minus_abs(x));
        let mantissa = exponential.mantissa();
        let (first, second) = exponential.scales();
        let e = mantissa.hi * first * second;
        let e_lo = mantissa.lo * first * second;
        let d = fast_two_sum(1.0, e);

        let is_negative = x < 0.0;
        let n = if is_negative { mantissa.hi } else { 1.0 };
        let n_lo = if is_negative { mantissa.lo } else { 0.0 };
        let scales = if is_negative { (first, second) } else { (1.0, 1.0) };
        let q = n / d.hi;
        // The remainder of the division by the rounded denominator: 1/(1 + e) is the logistic
        // function of |x|, so 1 minus that of x where x is negative.
        let inverse = if is_negative { 1.0 - q * first * second } else { q };
        Self { sigma: Sum { hi: q, lo: (n_lo - q * (d.lo + e_lo)) * inverse }, scales }
    }
}
