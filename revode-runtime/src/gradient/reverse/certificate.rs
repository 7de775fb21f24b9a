//! What a reversal is worth: how far the gradient can be off, from how far the reversed pair is from the
//! one that is known and from how much the way back amplifies that. Derivation: `docs/reversible.md`.

use crate::field::largest_parameter;
use crate::scheme::VjpWork;
use crate::scheme::pair::coupled::{Coupled, CoupledState};
use crate::scheme::pair::growth::PairCotangent;
use crate::scheme::pair::{Pair, PairScheme};
use crate::slices::{distance, largest};
use crate::stop::Stop;
use crate::{FieldVjp, MethodVjp, Real, SolveError, State, Step};

/// By how much more than the certificate, at the most, the gradient of the published pair may be off: the
/// factor between accuracy asked for and certificate allowed. Twice the largest factor measured (26) beyond
/// rounding, see `docs/reversible.md`.
const SAFETY: f64 = 64.0;

/// No gradient by a reversal in floating point is taken to be better than this multiple of the scalar's
/// `EPSILON`: the way back itself rounds too, not only the states.
const LEAST: f64 = 16.0;

/// The certificate for which the default accuracy leaves room, in the same unit.
const USUAL: f64 = 25.0;

/// At how many steps the way back is looked at, at most; at half as many at least, unless there are fewer
/// steps.
const SAMPLES: usize = 64;

/// The size of a component is its largest value within so many samples, before and after.
const NEAR: usize = 3;

/// At every so many samples the step is differentiated a second time.
const TWICE: u64 = 8;

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

/// How far the gradient can be off, and what is known of it on the way back.
#[derive(Debug)]
pub(super) struct Certificate {
    /// The largest that the gradient may have.
    allowed: f64,
    /// The largest error of the reversed pair so far, and its time.
    pub(super) error: f64,
    t: f64,
    /// The certificate: the error, amplified once that is known.
    pub(super) value: f64,
    /// The gap `‖y − z‖` at the end, relative to the solution there, for the error message.
    gap: f64,
}

impl Certificate {
    pub(super) fn new(allowed: f64) -> Self {
        Self { allowed, error: 0.0, t: 0.0, value: 0.0, gap: 0.0 }
    }

    /// At the end of that many steps, from the `start`, with the least error that is counted with: a sum
    /// over `n` steps can be off by `n` times the scalar's `EPSILON`.
    pub(super) fn turn<T: Real>(&mut self, steps: u64, start: T, gap: f64) {
        let least = LEAST.max(steps as f64 / SAFETY);
        (self.error, self.t, self.gap) = (least * T::EPSILON.to_f64(), start.to_f64(), gap);
    }

    /// Takes an error of the reversed pair at time `t`. By how much it is amplified is not known before the
    /// start, but it does not become less.
    pub(super) fn add<T: Real>(&mut self, error: f64, t: T) -> Result<(), SolveError> {
        if error > self.error {
            (self.error, self.t) = (error, t.to_f64());
        }
        self.amplify(1.0)
    }

    /// Takes the amplification.
    pub(super) fn amplify(&mut self, amplification: f64) -> Result<(), SolveError> {
        let Self { allowed, error, t, gap, .. } = *self;
        self.value = error * amplification;
        if self.value > allowed {
            return Err(SolveError::NotReversed { t, error, amplification, allowed, gap });
        }
        Ok(())
    }
}

/// Pairs of the forward pass, evenly over its steps: what the reversed pair is compared with.
///
/// An error may be largest in the middle of the way: where the field contracts it grows backward, and
/// where it expands it is lost again.
#[derive(Debug)]
pub(super) struct Samples<S> {
    /// The start, the pairs after every `stride`-th step from the first one on, and on the way back the
    /// end.
    pairs: Vec<Pair<S>>,
    /// How many of them are in use.
    len: usize,
    /// A power of two.
    stride: u64,
}

impl<S> Samples<S> {
    pub(super) fn new<T: Real>(y0: &S) -> Self
    where
        S: State<T>,
    {
        let mut pairs = Vec::with_capacity(SAMPLES + 2);
        pairs.push(Pair { y: y0.clone(), z: y0.clone() });
        Self { pairs, len: 1, stride: 1 }
    }

    /// Whether the pair after step number `index` is one of them.
    #[inline(always)]
    pub(super) fn is_due(&self, index: u64) -> bool {
        index & (self.stride - 1) == 0
    }

    /// Takes the pair after a step that [is due](Self::is_due). Where there are too many, every second one
    /// is dropped.
    #[inline]
    pub(super) fn keep<T: Real>(&mut self, pair: &Pair<S>)
    where
        S: State<T>,
    {
        if self.len == 1 + SAMPLES {
            // The step is due at twice the stride too.
            (1..SAMPLES / 2).for_each(|i| self.pairs.swap(1 + i, 1 + 2 * i));
            self.len = 1 + SAMPLES / 2;
            self.stride *= 2;
        }
        self.push(pair);
    }

    /// Takes the pair at the end.
    pub(super) fn end<T: Real>(&mut self, pair: &Pair<S>)
    where
        S: State<T>,
    {
        self.push(pair);
    }

    /// The start.
    pub(super) const START: usize = 0;

    /// Which of them is the pair after step number `index`, which [is due](Self::is_due).
    pub(super) fn after(&self, index: u64) -> usize {
        1 + (index / self.stride) as usize
    }

    /// That one.
    pub(super) fn pair(&self, at: usize) -> &Pair<S> {
        &self.pairs[at]
    }

    #[inline]
    fn push<T: Real>(&mut self, pair: &Pair<S>)
    where
        S: State<T>,
    {
        match self.pairs.get_mut(self.len) {
            Some(stored) => stored.assign(pair),
            None => self.pairs.push(pair.clone()),
        }
        self.len += 1;
    }

    /// The largest difference of the reversed pair from the one that was there, each component relative to
    /// its size thereabouts; infinite where one is not finite.
    pub(super) fn error<T: Real>(&self, at: usize, reversed: &Pair<S>) -> f64
    where
        S: State<T>,
    {
        let known = &self.pairs[at];
        let near = &self.pairs[at.saturating_sub(NEAR)..self.len.min(at + NEAR + 1)];
        let n = known.y.len();
        let (y, z) = (&reversed.y.as_slice()[..n], &reversed.z.as_slice()[..n]);
        let (known_y, known_z) = (&known.y.as_slice()[..n], &known.z.as_slice()[..n]);
        let larger = |x: T, y: T| if x > y { x } else { y };
        let mut largest = T::ZERO;
        // 0 unless a difference is infinite or NaN.
        let mut zero = T::ZERO;
        for i in 0..n {
            let size =
                near.iter().fold(T::ZERO, |size, pair| larger(pair.y.as_slice()[i].abs(), size));
            let (y, z) = ((y[i] - known_y[i]).abs(), (z[i] - known_z[i]).abs());
            let difference = larger(y, z);
            if difference > largest * size {
                largest = difference / size;
            }
            zero += T::ZERO * (y + z);
        }
        if zero == T::ZERO { largest.to_f64() } else { f64::INFINITY }
    }

    /// The memory that they take, in bytes.
    pub(super) fn bytes<T: Real>(&self) -> usize
    where
        S: State<T>,
    {
        self.pairs.iter().map(|pair| 2 * size_of_val(pair.y.as_slice())).sum()
    }
}

/// By how much an error of the reversed states is amplified in the gradient: what the cotangents and the
/// contributions to the parameters' gradient amount to, relative to what is left of them after they have
/// cancelled; or what the contributions were seen to be off by, if that is more.
#[derive(Debug)]
pub(super) struct Amplification<T: Real, F: FieldVjp<T>> {
    /// It is measured at every so many steps.
    stride: u64,
    /// The largest component of the pair's cotangents.
    bar: f64,
    /// The sum over the steps of the largest component of what one half of a step contributes to the
    /// gradient with respect to the parameters.
    contributions: f64,
    /// The sum over the steps of the largest component by which such a contribution is off, from both
    /// halves.
    off: f64,
    /// What the step that is measured contributes to it.
    part: F,
    /// The same from the known pair.
    known: F,
    /// That pair, and its cotangent.
    pair: CoupledState<T, F::State>,
    pair_bar: PairCotangent<F::State>,
}

impl<T: Real, F: FieldVjp<T>> Amplification<T, F> {
    /// To be measured where `samples` are due.
    pub(super) fn new(
        samples: &Samples<F::State>,
        field: &F,
        state: &CoupledState<T, F::State>,
        bar: &PairCotangent<F::State>,
    ) -> Self {
        Self {
            stride: samples.stride,
            bar: 0.0,
            contributions: 0.0,
            off: 0.0,
            part: field.zeros_like(),
            known: field.zeros_like(),
            pair: state.clone(),
            pair_bar: bar.clone(),
        }
    }

    /// Takes a step back that is due, as [`PairScheme::step_back`] does, and its measure. `known` is the
    /// pair that `state` should be.
    // Out of line, because few steps are due.
    #[inline(never)]
    pub(super) fn step_back<M: MethodVjp<T, F>>(
        &mut self,
        scheme: &PairScheme<M, Coupled>,
        field: &F,
        step: Step<T>,
        known: &Pair<F::State>,
        state: &mut CoupledState<T, F::State>,
        bar: &mut PairCotangent<F::State>,
        model_bar: &mut F,
        work: &mut VjpWork<T, F, M>,
    ) -> Result<(), Stop> {
        let twice = step.index & (TWICE * self.stride - 1) == 0;
        if twice {
            self.pair.pair.assign(known);
            self.pair_bar.pair.assign(&bar.pair);
            let (pair, bar) = (&mut self.pair, &mut self.pair_bar);
            scheme.step_back(field, step, None, pair, bar, &mut self.known, work)?;
        }
        scheme.second_back(field, step, false, state, bar, &mut self.part, work)?;
        self.contributions += largest_parameter(&self.part) * self.stride as f64;
        scheme.first_back(field, step, None, state, bar, &mut self.part, work)?;
        let Pair { y, z } = &bar.pair;
        self.bar = self.bar.max(largest(y.as_slice())).max(largest(z.as_slice()));
        if twice {
            let pairs = self.part.slices().flatten().zip(self.known.slices().flatten());
            let off = pairs.map(|(x, y)| distance(*x, *y).to_f64()).fold(0.0, f64::max);
            self.off += off * (TWICE * self.stride) as f64;
            self.known.slices_mut().for_each(|slice| slice.fill(T::ZERO));
        }
        for (sum, part) in model_bar.slices_mut().flatten().zip(self.part.slices_mut().flatten()) {
            *sum += std::mem::replace(part, T::ZERO);
        }
        Ok(())
    }

    /// The amplification of an error of that size, with the cotangents at the start.
    pub(super) fn get(&self, error: f64, mut bar: Pair<F::State>, model_bar: &F) -> f64 {
        bar.join_vjp();
        let gradient = largest(bar.y.as_slice()).max(largest_parameter(model_bar));
        let before = self.bar.max(self.contributions).max(self.off / error);
        if before <= gradient { 1.0 } else { before / gradient }
    }
}
