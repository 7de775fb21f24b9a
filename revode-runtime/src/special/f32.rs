//! Elementary functions of `f32`: those of `f64`, rounded once.
//!
//! The `f64` value is good to 2 ulp, 2⁻²⁸ ulp of `f32`, so the rounded one is the correctly rounded
//! one unless the exact value lies that close to the middle of two `f32`; then it may be its
//! neighbour.

use super::{f64 as double, trigonometric};

macro_rules! rounded {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[inline(always)]
        pub fn $name(x: f32) -> f32 {
            double::$name(f64::from(x)) as f32
        }
    )*};
}

rounded! {
    /// eˣ.
    exp,
    /// eˣ − 1, accurate near 0.
    expm1,
    /// The natural logarithm.
    ln,
    /// The logarithm to base 2.
    log2,
    /// The logarithm to base 10.
    log10,
    /// The cube root.
    cbrt,
    /// ln(1 + x), accurate near 0.
    log1p,
    /// The hyperbolic tangent.
    tanh,
    /// The logistic function 1/(1 + e⁻ˣ).
    sigmoid,
    /// ln(1 + eˣ).
    softplus,
    /// x/(1 + e⁻ˣ).
    silu,
    /// The sine; beyond |x| = 10⁵ the standard library's of the `f64`.
    sin,
    /// The cosine; beyond |x| = 10⁵ the standard library's of the `f64`.
    cos,
}

/// Writes the sine of each element of `x` to `y`, to the bits of [`sin`]; the longer slice's rest
/// is left alone.
#[inline]
pub fn sin_slice(x: &[f32], y: &mut [f32]) {
    map(x, y, |x| trigonometric::sin_moderate(x) as f32);
    mend(x, y, sin);
}

/// Writes the cosine of each element of `x` to `y`, to the bits of [`cos`]; the longer slice's
/// rest is left alone.
#[inline]
pub fn cos_slice(x: &[f32], y: &mut [f32]) {
    map(x, y, |x| trigonometric::cos_moderate(x) as f32);
    mend(x, y, cos);
}

/// The error function `2/√π ∫₀ˣ exp(−s²) ds`, from `libm` (below 1 ulp; has branches).
#[inline]
pub fn erf(x: f32) -> f32 {
    libm::erff(x)
}

/// `√(x² + y²)` without overflow or underflow on the way.
#[inline]
pub fn hypot(x: f32, y: f32) -> f32 {
    double::hypot(f64::from(x), f64::from(y)) as f32
}

/// The angle of the point (x, y), of which y comes first.
#[inline]
pub fn atan2(y: f32, x: f32) -> f32 {
    double::atan2(f64::from(y), f64::from(x)) as f32
}

#[inline(always)]
fn map(x: &[f32], y: &mut [f32], f: impl Fn(f64) -> f32) {
    for (y, &x) in y.iter_mut().zip(x) {
        *y = f(f64::from(x));
    }
}

/// Does the elements again that are too large for the branch-free form.
#[inline(always)]
fn mend(x: &[f32], y: &mut [f32], f: fn(f32) -> f32) {
    let is_large = |x: f32| f64::from(x.abs()) > trigonometric::LIMIT;
    // A count, unlike a search, vectorises.
    if x.iter().map(|&x| u32::from(is_large(x))).sum::<u32>() > 0 {
        for (y, &x) in y.iter_mut().zip(x).filter(|(_, x)| is_large(**x)) {
            *y = f(x);
        }
    }
}
