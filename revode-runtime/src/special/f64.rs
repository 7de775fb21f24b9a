//! Elementary functions of `f64`, at most 2 ulp from the correctly rounded value.

pub use super::exponential::{exp, expm1};
pub use super::logarithm::{ln, log1p};
pub use super::logistic::{sigmoid, silu, softplus, tanh};
pub use super::trigonometric::{cos, cos_slice, sin, sin_slice};

/// The error function `2/√π ∫₀ˣ exp(−s²) ds`, from `libm` (below 1 ulp; has branches).
#[inline]
pub fn erf(x: f64) -> f64 {
    libm::erf(x)
}

/// The logarithm to base 2, from `libm` (below 1 ulp; has branches).
#[inline]
pub fn log2(x: f64) -> f64 {
    libm::log2(x)
}

/// The logarithm to base 10, from `libm` (below 1 ulp; has branches).
#[inline]
pub fn log10(x: f64) -> f64 {
    libm::log10(x)
}

/// The cube root, from `libm` (correctly rounded; has branches).
#[inline]
pub fn cbrt(x: f64) -> f64 {
    libm::cbrt(x)
}

/// `√(x² + y²)` without overflow or underflow on the way, from `libm` (below 1 ulp; has branches);
/// ∞ where one of the two is infinite.
#[inline]
pub fn hypot(x: f64, y: f64) -> f64 {
    libm::hypot(x, y)
}

/// The angle of the point (x, y), of which y comes first, from `libm` (below 1.4 ulp; has branches).
#[inline]
pub fn atan2(y: f64, x: f64) -> f64 {
    libm::atan2(y, x)
}
