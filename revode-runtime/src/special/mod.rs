//! Elementary functions: one place, the same bits on every machine, loops over them vectorise.
//!
//! [`mod@f64`] and [`mod@f32`] hold the functions of each scalar.
//!
//! * `exp expm1 ln log1p tanh sigmoid softplus silu` are branch-free: additions, multiplications,
//!   divisions, bit operations and selects, so that a plain loop over slices becomes packed
//!   instructions of whatever width the target has. They assume no fused multiply–add, hence give
//!   equal bits with every target feature.
//! * `sin` and `cos` are branch-free up to |x| = 10⁵ and the standard library's beyond. The branch
//!   between the two keeps a loop over the scalar form from vectorising: `sin_slice` and
//!   `cos_slice` do the whole slice without it and mend the large arguments afterwards, to the same
//!   bits.
//! * `erf log2 log10 cbrt hypot atan2` are those of the crate `libm`: the same bits everywhere, with
//!   branches.
//!
//! Accuracy, over the whole range with zeros, subnormals, infinities and NaN: at most 2 ulp from
//! the correctly rounded value in `f64`, at most 1 ulp in `f32`, which is computed in `f64` and
//! rounded once. `docs/special.md` has the measured maxima, the derivations and the crates that
//! were considered.

pub mod f32;
pub mod f64;

mod exponential;
mod logarithm;
mod logistic;
mod trigonometric;

/// `a + b` as the rounded sum and its rounding error, exactly (Knuth's `TwoSum`).
#[inline(always)]
fn two_sum(a: core::primitive::f64, b: core::primitive::f64) -> Sum {
    let hi = a + b;
    let from_b = hi - a;
    Sum { hi, lo: (a - (hi - from_b)) + (b - from_b) }
}

/// [`two_sum`] where |a| ≥ |b| or a = 0, in half the operations (Dekker 1971).
#[inline(always)]
fn fast_two_sum(a: core::primitive::f64, b: core::primitive::f64) -> Sum {
    let hi = a + b;
    Sum { hi, lo: (a - hi) + b }
}

/// A number to about twice the working precision: `hi + lo` with |lo| ≤ ulp(hi)/2.
#[derive(Debug, Clone, Copy)]
struct Sum {
    hi: core::primitive::f64,
    lo: core::primitive::f64,
}
