//! What a reversal is worth: how far the reversed pair is from the one that is known.

use crate::reversible::Pair;
use crate::{Real, State};

/// By how much more than the certificate, at the most, the gradient may be off: the factor between
/// accuracy asked for and certificate allowed.
///
/// It matters where certificates are not 0, for the published pair. `cargo test --release --test torture --
/// --nocapture` prints the largest factor seen; `docs/guarded.md` says what is left open.
pub(crate) const SAFETY: f64 = 1000.0;

/// No certificate is better than rounding: this multiple of the scalar's `EPSILON`.
const ROUNDING: f64 = 16.0;

/// Where a solution passes through zero its size says nothing: at least this part of the size that it
/// has where the reversal began.
const SMALLEST: f64 = 1e-3;

/// The accuracy that a gradient must have where none is asked for, relative to its largest
/// component: half the digits of `T`, or the tolerance of the step-size control where that is finer, but
/// never finer than what the smallest certificate is good for.
pub(crate) fn default_accuracy<T: Real>(tolerance: Option<f64>) -> f64 {
    let epsilon = T::EPSILON.to_f64();
    let half = 0.5 * Real::sqrt(epsilon);
    tolerance.map_or(half, |tolerance| tolerance.min(half)).max(SAFETY * ROUNDING * epsilon)
}

/// The certificate that a gradient of this accuracy needs.
pub(crate) fn allowed(accuracy: f64) -> f64 {
    accuracy / SAFETY
}

/// The certificate of a segment: the largest difference of the reversed `pair` from the `known` one,
/// relative to the largest component of `y`. `end` is the largest component where the reversal began.
/// 0 where they are equal to the last bit.
///
/// The error of a reversal is largest where it ends, so that this one number speaks for the segment.
pub(crate) fn certificate<T: Real, S: State<T>>(pair: &Pair<S>, known: &Pair<S>, end: f64) -> f64 {
    let error = difference(&pair.y, &known.y).max(difference(&pair.z, &known.z));
    let size = largest(&known.y).max(SMALLEST * end);
    if error == 0.0 { 0.0 } else { (error / size).max(ROUNDING * T::EPSILON.to_f64()) }
}

/// The largest component.
pub(crate) fn largest<T: Real, S: State<T>>(y: &S) -> f64 {
    y.as_slice().iter().map(|y| y.abs().to_f64()).fold(0.0, f64::max)
}

/// The largest component of `x − y`; infinite where one is not finite.
fn difference<T: Real, S: State<T>>(x: &S, y: &S) -> f64 {
    let difference = |(x, y): (&T, &T)| {
        let difference = (*x - *y).abs();
        if difference.is_finite() { difference.to_f64() } else { f64::INFINITY }
    };
    x.as_slice().iter().zip(y.as_slice()).map(difference).fold(0.0, f64::max)
}
