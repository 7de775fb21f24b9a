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
