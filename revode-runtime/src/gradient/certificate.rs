//! What a reversal is worth: how far the gradient can be off, from how far the reversed pair is from the
//! one that is known and from how much the way back amplifies that. Derivation: `docs/reversible.md`.

use crate::halves::{largest, largest_parameter};
use crate::reversible::Pair;
use crate::{Parameters, Real, State};

/// By how much more than the certificate, at the most, the gradient of the published pair may be off: the
/// factor between accuracy asked for and certificate allowed. Ten times the largest factor that random fields
/// of `tests/torture.rs` show; others come closer, see `docs/reversible.md`.
const SAFETY: f64 = 100.0;

/// An error that is gone where the reversal ends may have been there on the way: no reversal in floating
/// point is taken to be better than this multiple of the scalar's `EPSILON`.
const LEAST: f64 = 4.0;

/// The certificate for which the default accuracy leaves room, in the same unit.
const USUAL: f64 = 16.0;

/// At how many steps the amplification is measured, at most; at half as many at least.
const SAMPLES: u64 = 64;

/// The accuracy that a gradient must have where none is asked for, relative to its largest
/// component: half the digits of `T`, or the tolerance of the step-size control where that is finer, but
/// never finer than what can be certified.
pub(crate) fn default_accuracy<T: Real>(tolerance: Option<f64>) -> f64 {
    let epsilon = T::EPSILON.to_f64();
    let half = 0.5 * Real::sqrt(epsilon);
    tolerance.map_or(half, |tolerance| tolerance.min(half)).max(SAFETY * USUAL * epsilon)
}

/// The certificate that a gradient of the published pair of this accuracy needs.
pub(crate) fn allowed(accuracy: f64) -> f64 {
    accuracy / SAFETY
}

/// The size that the solution has in the first part of the way, between a 64th and a 32nd of the steps:
/// what an error at the start is relative to.
///
/// The initial state alone may be 0, and a size from later on says nothing about the start of a solution
/// that grows.
#[derive(Debug)]
pub(super) struct EarlySize<T> {
    /// The largest component so far, at steps that are powers of two: as it is now and as it was one,
    /// two, … such steps ago.
    sizes: [T; 6],
}

impl<T: Real> EarlySize<T> {
    pub(super) fn new<S: State<T>>(y0: &S) -> Self {
        Self { sizes: [T::from_f64(largest(y0.as_slice())); 6] }
    }

    /// `y` is the solution after that many steps.
    #[inline(always)]
    pub(super) fn watch<S: State<T>>(&mut self, steps: u64, y: &S) {
        if steps.is_power_of_two() {
            self.sizes.rotate_right(1);
            self.sizes[0] = self.sizes[1].max(T::from_f64(largest(y.as_slice())));
        }
    }

    pub(super) fn get(&self) -> f64 {
        self.sizes[self.sizes.len() - 1].to_f64()
    }
}

/// The largest difference of the reversed pair from the one that the solve started with, relative to
/// `size`, and at least [`LEAST`].
pub(super) fn reversal_error<T: Real, S: State<T>>(
    reversed: &Pair<S>,
    start: &Pair<S>,
    size: f64,
) -> f64 {
    let error = difference(&reversed.y, &start.y).max(difference(&reversed.z, &start.z));
    let least = LEAST * T::EPSILON.to_f64();
    if error == 0.0 { least } else { (error / size).max(least) }
}

/// By how much an error of the reversed states is amplified in the gradient: what the cotangents and the
/// contributions to the parameters' gradient amount to, relative to what is left of them after they have
/// cancelled.
#[derive(Debug)]
pub(super) struct Amplification<F> {
    /// It is measured at every so many steps, a power of two.
    stride: u64,
    /// The largest component of the pair's cotangents.
    bar: f64,
    /// The sum over the steps of the largest component of what one half of a step contributes to the
    /// gradient with respect to the parameters.
    contributions: f64,
    /// What the step that is measured contributes to it.
    pub(super) part: F,
}

impl<F> Amplification<F> {
    /// For a way back of that many steps.
    pub(super) fn new<T: Real>(steps: u64, field: &F) -> Self
    where
        F: Parameters<T>,
    {
        let stride = steps.div_ceil(SAMPLES).next_power_of_two();
        Self { stride, bar: 0.0, contributions: 0.0, part: field.zeros_like() }
    }

    /// Whether it is measured at step number `index`. It is at the first one, where the way back ends and
    /// cotangents are largest where it matters.
    #[inline(always)]
    pub(super) fn is_due(&self, index: u64) -> bool {
        index & (self.stride - 1) == 0
    }

    /// Takes the measure of a step: the largest component that one of its halves has added to
    /// [`part`](Self::part), and the cotangents before it. Empties `part` into `model_bar`.
    pub(super) fn add<T: Real, S: State<T>>(&mut self, half: f64, bar: &Pair<S>, model_bar: &mut F)
    where
        F: Parameters<T>,
    {
        self.contributions += half * self.stride as f64;
        self.bar = self.bar.max(largest(bar.y.as_slice())).max(largest(bar.z.as_slice()));
        for (sum, part) in model_bar.slices_mut().flatten().zip(self.part.slices_mut().flatten()) {
            *sum += std::mem::replace(part, T::ZERO);
        }
    }

    /// The amplification, with the cotangents at the start.
    pub(super) fn get<T: Real, S: State<T>>(&self, mut bar: Pair<S>, model_bar: &F) -> f64
    where
        F: Parameters<T>,
    {
        bar.join_vjp();
        let gradient = largest(bar.y.as_slice()).max(largest_parameter(model_bar));
        let before = self.bar.max(self.contributions);
        if before <= gradient { 1.0 } else { before / gradient }
    }
}

/// The largest component of `x − y`; infinite where one is not finite.
pub(super) fn difference<T: Real, S: State<T>>(x: &S, y: &S) -> f64 {
    let difference = |(x, y): (&T, &T)| {
        let difference = (*x - *y).abs();
        if difference.is_finite() { difference.to_f64() } else { f64::INFINITY }
    };
    x.as_slice().iter().zip(y.as_slice()).map(difference).fold(0.0, f64::max)
}
