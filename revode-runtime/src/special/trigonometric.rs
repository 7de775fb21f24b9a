//! `sin` and `cos`.
//!
//! |x| = n π/2 + r with π/2 in three parts (Cody and Waite 1980), |x| ≤ 10⁵; then the polynomials
//! of fdlibm (`k_sin.c`, `k_cos.c`; Ng 1993) for r = hi + lo, |r| ≤ π/4.

use super::exponential::ROUND;
use super::{Sum, fast_two_sum, two_sum};

/// The sine, at most 2 ulp from the correctly rounded value; the standard library's for |x| > 10⁵;
/// keeps the sign of zero. A loop over it does not vectorise: see [`sin_slice`].
#[inline(always)]
pub fn sin(x: f64) -> f64 {
    if x.abs() > LIMIT { x.sin() } else { sin_moderate(x) }
}

/// The cosine, at most 2 ulp from the correctly rounded value; the standard library's for
/// |x| > 10⁵. A loop over it does not vectorise: see [`cos_slice`].
#[inline(always)]
pub fn cos(x: f64) -> f64 {
    if x.abs() > LIMIT { x.cos() } else { cos_moderate(x) }
}

/// Writes the sine of each element of `x` to `y`, to the bits of [`sin`]; the longer slice's rest
/// is left alone.
#[inline]
pub fn sin_slice(x: &[f64], y: &mut [f64]) {
    map(x, y, sin_moderate);
    mend(x, y, f64::sin);
}

/// Writes the cosine of each element of `x` to `y`, to the bits of [`cos`]; the longer slice's
/// rest is left alone.
#[inline]
pub fn cos_slice(x: &[f64], y: &mut [f64]) {
    map(x, y, cos_moderate);
    mend(x, y, f64::cos);
}

/// Up to this |x| the reduction is accurate.
pub(super) const LIMIT: f64 = 1e5;

/// The sine for |x| ≤ [`LIMIT`]; some number for larger ones.
#[inline(always)]
pub(super) fn sin_moderate(x: f64) -> f64 {
    const SIGN: u64 = 1 << 63;
    f64::from_bits(sine(x.abs(), 0).to_bits() ^ (x.to_bits() & SIGN))
}

/// The cosine for |x| ≤ [`LIMIT`]; some number for larger ones.
#[inline(always)]
pub(super) fn cos_moderate(x: f64) -> f64 {
    sine(x.abs(), 1)
}

#[inline(always)]
fn map(x: &[f64], y: &mut [f64], f: impl Fn(f64) -> f64) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = f(x);
    }
}

/// Does the elements again that are too large for the branch-free form.
#[inline(always)]
fn mend(x: &[f64], y: &mut [f64], f: fn(f64) -> f64) {
    // A count, unlike a search, vectorises.
    if x.iter().map(|x| u64::from(x.abs() > LIMIT)).sum::<u64>() > 0 {
        for (y, &x) in y.iter_mut().zip(x).filter(|(_, x)| x.abs() > LIMIT) {
            *y = f(x);
        }
    }
}

/// sin(a + quarters π/2) for 0 ≤ a ≤ [`LIMIT`].
#[inline(always)]
fn sine(a: f64, quarters: u64) -> f64 {
    let shifted = a * std::f64::consts::FRAC_2_PI + ROUND;
    let r = remainder(a, shifted - ROUND);
    let quadrant = shifted.to_bits().wrapping_add(quarters);
    // Odd quadrants take the cosine, the third and fourth a minus: by masks, as comparisons of
    // integers are slow in SSE2.
    let odd = (quadrant & 1).wrapping_neg();
    let value = (kernel_sin(r).to_bits() & !odd) | (kernel_cos(r).to_bits() & odd);
    f64::from_bits(value ^ ((quadrant & 2) << 62))
}

/// a − n π/2 for an integer n < 2¹⁶. No double up to [`LIMIT`] is nearer than 2^−60.5 to a multiple
/// of π/2 other than 0; the error is below n 2^−129.
#[inline(always)]
fn remainder(a: f64, n: f64) -> Sum {
    /// The first 37 bits of π/2, the next 37, and what remains: n times the first two is exact.
    const HALF_PI: [f64; 3] = [
        f64::from_bits(0x3ff9_21fb_5444_0000),
        f64::from_bits(0x3d86_8c23_4c4c_0000),
        f64::from_bits(0x3b29_8a2e_0370_7345),
    ];
    let r = two_sum(a - n * HALF_PI[0], -(n * HALF_PI[1]));
    fast_two_sum(r.hi, r.lo - n * HALF_PI[2])
}

/// sin(hi + lo) for |hi| ≤ π/4.
#[inline(always)]
fn kernel_sin(Sum { hi, lo }: Sum) -> f64 {
    let z = hi * hi;
    let cube = z * hi;
    let p = (S[1] + z * (S[2] + z * S[3])) + z * (z * z) * (S[4] + z * S[5]);
    hi - ((z * (0.5 * lo - cube * p) - lo) - cube * S[0])
}

/// cos(hi + lo) for |hi| ≤ π/4.
#[inline(always)]
fn kernel_cos(Sum { hi, lo }: Sum) -> f64 {
    let z = hi * hi;
    let z2 = z * z;
    let p = z * (C[0] + z * (C[1] + z * C[2])) + z2 * z2 * (C[3] + z * (C[4] + z * C[5]));
    let half = fast_two_sum(1.0, -(0.5 * z));
    half.hi + (half.lo + (z * p - hi * lo))
}

/// sin r = r + Σ `S[i]` r^{3+2i}, error below 2^−58 relative to r: fdlibm's `S1`…`S6`.
const S: [f64; 6] = [
    f64::from_bits(0xbfc5_5555_5555_5549),
    f64::from_bits(0x3f81_1111_1110_f8a6),
    f64::from_bits(0xbf2a_01a0_19c1_61d5),
    f64::from_bits(0x3ec7_1de3_57b1_fe7d),
    f64::from_bits(0xbe5a_e5e6_8a2b_9ceb),
    f64::from_bits(0x3de5_d93a_5acf_d57c),
];

/// cos r = 1 − r²/2 + Σ `C[i]` r^{4+2i}, error below 2^−58: fdlibm's `C1`…`C6`.
const C: [f64; 6] = [
    f64::from_bits(0x3fa5_5555_5555_554c),
    f64::from_bits(0xbf56_c16c_16c1_5177),
    f64::from_bits(0x3efa_01a0_19cb_1590),
    f64::from_bits(0xbe92_7e4f_809c_52ad),
    f64::from_bits(0x3e21_ee9e_bdb4_b1c4),
    f64::from_bits(0xbda8_fae9_be88_38d4),
];
