//! `exp` and `expm1`, and the reduction that `tanh`, `sigmoid`, `softplus` and `silu` share.
//!
//! x = k ln 2 + r with |r| ≤ ln 2/2, ln 2 in two parts (Cody and Waite 1980), and
//! e^r = 1 + r + r² P(r) by a polynomial of degree 12 (`docs/special.md`, "exp"). What the leading
//! terms lose to rounding is carried along, as in Tang 1989 and 1992.

use super::{Sum, fast_two_sum, two_sum};

/// eˣ, at most 2 ulp from the correctly rounded value; 0 below the subnormals, ∞ above the range.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let x = if x < -746.0 { -746.0 } else { x };
    let x = if x > 710.0 { 710.0 } else { x };
    let e = Exponential::of(x);
    e.scale(e.mantissa().hi)
}

/// eˣ − 1, at most 2 ulp from the correctly rounded value, also near 0; keeps the sign of zero.
#[inline(always)]
pub fn expm1(x: f64) -> f64 {
    // From −40 downwards the result is −1 to all digits.
    let reduced = if x < -40.0 { -40.0 } else { x };
    let reduced = if reduced > 710.0 { 710.0 } else { reduced };
    let half = Exponential::of(reduced).half_minus_one();
    let y = 2.0 * (half.hi + half.lo);
    // The half of a subnormal would not be exact, and −0 would become +0.
    if x.abs() < TINY { x } else { y }
}

/// Below this |x|, f(x) = x + O(x²) is x to all digits.
pub(super) const TINY: f64 = f64::from_bits(0x3c90_0000_0000_0000); // 2⁻⁵⁴

/// e^x = 2^k (1 + r + tail), the last term of the size of r²/2.
#[derive(Debug, Clone, Copy)]
pub(super) struct Exponential {
    /// The integer k, in two's complement.
    k: u64,
    r: f64,
    tail: f64,
}

impl Exponential {
    /// The exponential of |x| ≤ 800.
    #[inline(always)]
    pub(super) fn of(x: f64) -> Self {
        let shifted = x * std::f64::consts::LOG2_E + ROUND;
        let k = shifted - ROUND;
        let hi = x - k * LN_2_HI;
        let lo = k * LN_2_LO;
        let r = hi - lo;
        let r_lo = (hi - r) - lo;
        Self {
            k: shifted.to_bits().wrapping_sub(ROUND.to_bits()),
            r,
            tail: r_lo + r * r * second_order(r),
        }
    }

    /// e^x / 2^k, between √½ and √2.
    #[inline(always)]
    pub(super) fn mantissa(self) -> Sum {
        let one_plus_r = fast_two_sum(1.0, self.r);
        fast_two_sum(one_plus_r.hi, one_plus_r.lo + self.tail)
    }

    /// 2^k y, rounded once, also where it is subnormal.
    #[inline(always)]
    pub(super) fn scale(self, y: f64) -> f64 {
        let (first, second) = self.scales();
        y * first * second
    }

    /// Two factors of 2^k, since 2^k alone may leave the range; the product with the first is exact.
    #[inline(always)]
    pub(super) fn scales(self) -> (f64, f64) {
        let half = (self.k.wrapping_add(2048) >> 1).wrapping_sub(1024);
        (power_of_two(half), power_of_two(self.k.wrapping_sub(half)))
    }

    /// (e^x − 1)/2 for −50 ≤ x: half, because 2^k may lie above the range.
    #[inline(always)]
    pub(super) fn half_minus_one(self) -> Sum {
        let scale = power_of_two(self.k.wrapping_sub(1));
        let mantissa = fast_two_sum(self.r, self.tail);
        let shift = two_sum(scale, -0.5);
        let sum = two_sum(shift.hi, scale * mantissa.hi);
        Sum { hi: sum.hi, lo: sum.lo + (shift.lo + scale * mantissa.lo) }
    }
}

/// 2^k for −1022 ≤ k ≤ 1023, k in two's complement.
#[inline(always)]
fn power_of_two(k: u64) -> f64 {
    f64::from_bits(k.wrapping_add(1023) << 52)
}

/// P(r) of e^r = 1 + r + r² P(r), in Estrin's order: short chains of dependent operations.
#[inline(always)]
fn second_order(r: f64) -> f64 {
    let r2 = r * r;
    let r4 = r2 * r2;
    let low = (P[0] + P[1] * r) + r2 * (P[2] + P[3] * r);
    let middle = (P[4] + P[5] * r) + r2 * (P[6] + P[7] * r);
    let high = (P[8] + P[9] * r) + r2 * P[10];
    low + r4 * (middle + r4 * high)
}

/// Added and subtracted, rounds to an integer, which is then in the low bits of the sum: 1.5·2⁵².
pub(super) const ROUND: f64 = 6_755_399_441_055_744.0;

/// ln 2 to 42 bits: its product with an integer |k| < 2¹¹ is exact.
pub(super) const LN_2_HI: f64 = f64::from_bits(0x3fe6_2e42_fee0_0000);
/// ln 2 − [`LN_2_HI`].
pub(super) const LN_2_LO: f64 = f64::from_bits(0x3dea_39ef_3579_3c76);

/// Coefficients of P: ½ exactly, the others near-minimax on |r| ≤ ln 2/2. The polynomial's error
/// is 7.0e-19 in e^r and 2.5e-18 relative to e^r − 1.
const P: [f64; 11] = [
    0.5,
    0.166_666_666_666_666_69,
    0.041_666_666_666_666_664,
    0.008_333_333_333_330_065,
    0.001_388_888_888_888_655_4,
    0.000_198_412_698_630_405_45,
    2.480_158_731_713_516_4e-5,
    2.755_726_848_031_002_4e-6,
    2.755_728_298_405_588e-7,
    2.510_037_583_256_132e-8,
    2.091_122_972_975_863e-9,
];
