//! The scalar of a computation.

use std::fmt::{Debug, Display, LowerExp};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::special;

mod sealed {
    #[cfg(not(feature = "faer"))]
    pub trait Sealed {}
    /// With `faer`, also the way from a scalar to its kernels.
    #[cfg(feature = "faer")]
    pub trait Sealed: crate::linear::Products {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// The scalar a solve runs in: `f32` or `f64`.
///
/// Sealed. The elementary functions are those of [`special`]: the ones that occur
/// in inner loops are branch-free and at most 2 ulp from the correctly rounded value.
pub trait Real:
    sealed::Sealed
    + nalgebra::Scalar
    + Copy
    + Default
    + PartialOrd
    + Display
    + LowerExp
    + Debug
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Sum
{
    // Lanewise: what generated code uses, and what a pack of lanes can have, too.

    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;

    /// The nearest value to `x`.
    fn from_f64(x: f64) -> Self;
    /// `then` where `a >= b`, `otherwise` elsewhere: also where `a` or `b` is NaN.
    fn select_ge(a: Self, b: Self, then: Self, otherwise: Self) -> Self;
    /// The smaller of two numbers; the other one where one is NaN.
    fn min(self, other: Self) -> Self;
    /// The larger of two numbers; the other one where one is NaN.
    fn max(self, other: Self) -> Self;
    /// The sign of the number as ±1; NaN for NaN.
    fn signum(self) -> Self;
    /// 0 below 0, 1/2 at 0, 1 above it; NaN for NaN.
    fn heaviside(self) -> Self;
    /// `self` to the integer power `n`, by repeated multiplication.
    fn powi(self, n: i32) -> Self;
    /// `self` to the power `p`.
    fn pow(self, p: Self) -> Self;
    /// The function `abs`, see [`special`].
    fn abs(self) -> Self;
    /// The function `sqrt`, see [`special`].
    fn sqrt(self) -> Self;
    /// The function `cbrt`, see [`special`].
    fn cbrt(self) -> Self;
    /// The distance of the point (`self`, `other`) from the origin, see [`special`].
    fn hypot(self, other: Self) -> Self;
    /// The angle of the point (`x`, `self`), between −π and π, see [`special`].
    fn atan2(self, x: Self) -> Self;
    /// The function `exp`, see [`special`].
    fn exp(self) -> Self;
    /// The function `expm1`, see [`special`].
    fn expm1(self) -> Self;
    /// The function `ln`, see [`special`].
    fn ln(self) -> Self;
    /// The function `log2`, see [`special`].
    fn log2(self) -> Self;
    /// The function `log10`, see [`special`].
    fn log10(self) -> Self;
    /// The function `log1p`, see [`special`].
    fn log1p(self) -> Self;
    /// The function `tanh`, see [`special`].
    fn tanh(self) -> Self;
    /// The function `sigmoid`, see [`special`].
    fn sigmoid(self) -> Self;
    /// The function `softplus`, see [`special`].
    fn softplus(self) -> Self;
    /// The function `silu`, see [`special`].
    fn silu(self) -> Self;
    /// The function `sin`, see [`special`].
    fn sin(self) -> Self;
    /// The function `cos`, see [`special`].
    fn cos(self) -> Self;
    /// The function `tan`, see [`special`].
    fn tan(self) -> Self;
    /// The function `asin`, see [`special`].
    fn asin(self) -> Self;
    /// The function `acos`, see [`special`].
    fn acos(self) -> Self;
    /// The function `atan`, see [`special`].
    fn atan(self) -> Self;
    /// The function `sinh`, see [`special`].
    fn sinh(self) -> Self;
    /// The function `cosh`, see [`special`].
    fn cosh(self) -> Self;
    /// The function `erf`, see [`special`].
    fn erf(self) -> Self;
    /// Writes `sin` of each element of `x` to `y`, to the same bits, in a form that vectorises.
    fn sin_slice(x: &[Self], y: &mut [Self]);
    /// Writes `cos` of each element of `x` to `y`, to the same bits, in a form that vectorises.
    fn cos_slice(x: &[Self], y: &mut [Self]);

    // Of one number: order (`PartialOrd`) and conversion, for step sizes, tolerances and errors.

    /// The distance from 1 to the next larger number.
    const EPSILON: Self;
    /// The smallest positive normal number.
    const MIN_POSITIVE: Self;

    /// The value as `f64`, exactly.
    fn to_f64(self) -> f64;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
}

/// Implements [`Real`] for a primitive: constants and conversions by hand, functions by name.
macro_rules! real {
    ($t:ident; core: $($core:ident)*; special: $($special:ident)*; slices: $($slices:ident)*) => {
        impl Real for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const EPSILON: Self = $t::EPSILON;
            const MIN_POSITIVE: Self = $t::MIN_POSITIVE;

            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $t::is_finite(self)
            }
            #[inline(always)]
            fn select_ge(a: Self, b: Self, then: Self, otherwise: Self) -> Self {
                if a >= b { then } else { otherwise }
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                $t::min(self, other)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                $t::max(self, other)
            }
            #[inline(always)]
            fn heaviside(self) -> Self {
                if self > 0.0 {
                    1.0
                } else if self < 0.0 {
                    0.0
                } else {
                    // Of 0, and NaN stays.
                    0.5 + self
                }
            }
            #[inline(always)]
            fn powi(self, n: i32) -> Self {
                $t::powi(self, n)
            }
            #[inline(always)]
            fn pow(self, p: Self) -> Self {
                $t::powf(self, p)
            }
            #[inline]
            fn hypot(self, other: Self) -> Self {
                special::$t::hypot(self, other)
            }
            #[inline]
            fn atan2(self, x: Self) -> Self {
                special::$t::atan2(self, x)
            }
            $(#[inline(always)]
            fn $core(self) -> Self {
                $t::$core(self)
            })*
            $(#[inline(always)]
            fn $special(self) -> Self {
                special::$t::$special(self)
            })*
            $(#[inline]
            fn $slices(x: &[Self], y: &mut [Self]) {
                special::$t::$slices(x, y);
            })*
        }
    };
}

real!(f32; core: abs sqrt signum tan asin acos atan sinh cosh;
      special: exp expm1 ln log1p tanh sigmoid softplus silu sin cos erf log2 log10 cbrt;
      slices: sin_slice cos_slice);
real!(f64; core: abs sqrt signum tan asin acos atan sinh cosh;
      special: exp expm1 ln log1p tanh sigmoid softplus silu sin cos erf log2 log10 cbrt;
      slices: sin_slice cos_slice);

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: Real>() {
        let [a, b] = [T::from_f64(3.0), T::from_f64(-2.0)];
        let nan = T::from_f64(f64::NAN);
        let select = |x, y| T::select_ge(x, y, a, b);
        assert_eq!([select(a, b), select(a, a), select(T::ZERO, -T::ZERO)], [a; 3]);
        assert_eq!([select(b, a), select(nan, a), select(a, nan), select(nan, nan)], [b; 4]);
    }

    fn check_heaviside<T: Real>() {
        let at = |x: f64| T::from_f64(x).heaviside().to_f64();
        assert_eq!([-2.0, -0.0, 0.0, 1e-30, 2.0].map(at), [0.0, 0.5, 0.5, 1.0, 1.0]);
        assert_eq!([f64::NEG_INFINITY, -1e-30, f64::INFINITY].map(at), [0.0, 0.0, 1.0]);
        assert!(at(f64::NAN).is_nan());
    }

    #[test]
    fn a_step_is_half_way_at_0() {
        check_heaviside::<f32>();
        check_heaviside::<f64>();
    }

    #[test]
    fn a_comparison_with_nan_selects_the_other_value() {
        check::<f32>();
        check::<f64>();
    }
}
