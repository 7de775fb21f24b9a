//! `ln` and `log1p`.
//!
//! x = 2^k (1 + f) with √½ ≤ 1 + f < √2; with s = f/(2 + f),
//! ln(1 + f) = 2 artanh s = f − f²/2 + s (f²/2 + R(s²)). Reduction, polynomial and the order of the
//! final sum are those of fdlibm (`e_log.c`, `s_log1p.c`; Ng 1993), without its branches.

use super::exponential::{LN_2_HI, LN_2_LO, TINY};
use super::two_sum;

/// The natural logarithm, at most 2 ulp from the correctly rounded value; −∞ at ±0, NaN below.
#[inline(always)]
pub fn ln(x: f64) -> f64 {
    // Subnormals are brought into the normal range by 2⁵⁴.
    let is_small = x < f64::MIN_POSITIVE;
    let scaled = if is_small { x * 18_014_398_509_481_984.0 } else { x };
    let scale = if is_small { -54.0 } else { 0.0 };
    let Binary { k, f } = Binary::of(scaled);
    domain(x, 0.0, sum(k + scale, f, 0.0))
}

/// ln(1 + x), at most 2 ulp from the correctly rounded value, also near 0; −∞ at −1, NaN below;
/// keeps the sign of zero.
#[inline(always)]
pub fn log1p(x: f64) -> f64 {
    let y = domain(x, -1.0, log1p_of_sum(x, 0.0));
    if x.abs() < TINY { x } else { y }
}

/// ln(1 + x + lo) for finite x > −1 and |lo| ≤ ulp(x)/2.
#[inline(always)]
pub(super) fn log1p_of_sum(x: f64, lo: f64) -> f64 {
    let u = two_sum(1.0, x);
    let Binary { k, f } = Binary::of(u.hi);
    // Near 0, x itself is f: what 1 + x loses would be all there is.
    let is_near = k == 0.0;
    let f = if is_near { x } else { f };
    let lost = if is_near { lo } else { u.lo + lo };
    sum(k, f, lost / u.hi)
}

/// `y`, the logarithm of x − pole, for positive finite arguments; the logarithm of any other.
#[inline(always)]
fn domain(x: f64, pole: f64, y: f64) -> f64 {
    let y = if x == pole { f64::NEG_INFINITY } else { y };
    let y = if x < f64::INFINITY { y } else { x };
    if x < pole { f64::NAN } else { y }
}

/// A number as 2^k (1 + f), √½ ≤ 1 + f < √2.
struct Binary {
    k: f64,
    f: f64,
}

impl Binary {
    /// The decomposition of a positive normal number.
    #[inline(always)]
    fn of(x: f64) -> Self {
        const SQRT_HALF: u64 = 0x3fe6_a09e_667f_3bcd;
        const ONE: u64 = 1.0f64.to_bits();
        const MANTISSA: u64 = (1 << 52) - 1;
        // An integer in the low bits of 2⁵² is that integer as a float, after 2⁵² is subtracted.
        const SHIFT: f64 = 4_503_599_627_370_496.0;
        let bits = x.to_bits().wrapping_add(ONE - SQRT_HALF);
        let k = f64::from_bits((bits >> 52) | SHIFT.to_bits()) - (SHIFT + 1023.0);
        let f = f64::from_bits((bits & MANTISSA) + SQRT_HALF) - 1.0;
        Self { k, f }
    }
}

/// k ln 2 + ln(1 + f) + c for |c| ≪ 1, small terms first.
#[inline(always)]
fn sum(k: f64, f: f64, c: f64) -> f64 {
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let even = w * (L[1] + w * (L[3] + w * L[5]));
    let odd = z * (L[0] + w * (L[2] + w * (L[4] + w * L[6])));
    let half_square = 0.5 * f * f;
    k * LN_2_HI - ((half_square - (s * (half_square + (even + odd)) + (k * LN_2_LO + c))) - f)
}

/// R(z) = Σ `L[i]` z^{i+1}, minimax on |s| ≤ 0.1716 with error below 2^−58.45: fdlibm's `Lg1`…`Lg7`.
const L: [f64; 7] = [
    f64::from_bits(0x3fe5_5555_5555_5593),
    f64::from_bits(0x3fd9_9999_9997_fa04),
    f64::from_bits(0x3fd2_4924_9422_9359),
    f64::from_bits(0x3fcc_71c5_1d8e_78af),
    f64::from_bits(0x3fc7_4664_96cb_03de),
    f64::from_bits(0x3fc3_9a09_d078_c69f),
    f64::from_bits(0x3fc2_f112_df3e_5244),
];
