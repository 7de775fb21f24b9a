//! What a reversal is worth: how far the gradient can be off, from how far reversed pairs are from those
//! that are known and from how much the gradient amplifies that. Derivation: `docs/reversible.md`.

use super::samples::{MOST, Samples};
use crate::field::largest_parameter;
use crate::scheme::VjpWork;
use crate::scheme::pair::coupled::{Coupled, CoupledState};
use crate::scheme::pair::growth::PairCotangent;
use crate::scheme::pair::{Arithmetic, Pair, PairScheme};
use crate::slices::{distance, largest, zip};
use crate::{FieldVjp, Leg, MethodVjp, Real, SolveError, State, Step};

/// By how much more than the certificate the gradient of the published pair may be off: the factor between accuracy
/// asked for and certificate allowed. It is measured, not proved: 2 of 35,862 gradients were off by more, see
/// `docs/reversible.md`.
const SAFETY: f64 = 64.0;

/// No gradient by a reversal in floating point is taken to be better than this multiple of the scalar's
/// `EPSILON`: the way back itself rounds too, not only the states.
const LEAST: f64 = 16.0;

/// The certificate for which the default accuracy leaves room, in the same unit.
const USUAL: f64 = 25.0;

/// From this ratio of the difference of a component's two cotangents to their sum on, the parasitic mode dominates. A
/// loss starts both modes alike.
const DOMINANT: f64 = 2.0;

/// What the cotangents were seen to be off by is an error itself, no unit of one as the certificate is.
const TURNED: f64 = 1.0 / 16.0;

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

/// What is known of the gradient's error, on the way back.
#[derive(Debug)]
pub(super) struct Certificate<S, F> {
    /// The largest value that the gradient may have.
    allowed: f64,
    /// The largest error of a reversed pair so far, and its time.
    error: f64,
    t: f64,
    /// The certificate: the error, amplified once that is known.
    pub(super) value: f64,
    /// The gap `‖y − z‖` at the end, relative to the solution there, for the error message.
    gap: f64,
    /// The steps between two measurements of the following, a power of two.
    stride: u64,
    /// The largest component of the pair's cotangents.
    bar: f64,
    /// The sum over the steps of the largest component of what line (2) of a step contributes to the
    /// gradient with respect to the parameters.
    contributions: f64,
    /// The sum over the steps of the largest component by which such a contribution is off.
    off: f64,
    /// The sum over the steps of the part of a cotangent by which line (2) changes it wrongly.
    turned: f64,
    /// Of each component, by how much the cotangents were larger than their sum, at the most.
    excess: S,
    /// The size of that sum, which lasts for some time.
    sum: S,
    /// Scratch space: such a contribution.
    part: F,
}

impl<S, F> Certificate<S, F> {
    /// At the end of that many steps of a leg, where the `gap` of the pair is relative to the solution.
    pub(super) fn new<T: Real>(allowed: f64, steps: u64, leg: Leg<'_, T, F>, gap: f64) -> Self
    where
        S: State<T>,
        F: FieldVjp<T, State = S>,
    {
        let Leg { field, y0, t0, .. } = leg;
        // A sum over `n` steps can be off by `n` times the scalar's `EPSILON`.
        let error = LEAST.max(steps as f64 / SAFETY) * T::EPSILON.to_f64();
        Self {
            allowed,
            error,
            t: t0.to_f64(),
            value: 0.0,
            gap,
            stride: steps.div_ceil(MOST as u64).next_power_of_two(),
            bar: 0.0,
            contributions: 0.0,
            off: 0.0,
            turned: 0.0,
            excess: y0.zeros_like(),
            sum: y0.zeros_like(),
            part: field.zeros_like(),
        }
    }

    /// Takes an error of the reversed pair at time `t`. By how much it is amplified is not known before the
    /// start, but it does not become less.
    pub(super) fn add<T: Real>(&mut self, error: f64, t: T) -> Result<(), SolveError> {
        if error > self.error {
            (self.error, self.t) = (error, t.to_f64());
        }
        self.amplify(1.0)
    }

    /// Takes the gradient that the way back has come to: what the cotangents and the contributions to the
    /// parameters' gradient came to, relative to what is left of them after they have cancelled, amplifies
    /// the error; or what the contributions were seen to be off by, if that is more.
    pub(super) fn finish<T: Real>(&mut self, bar: &Pair<S>, model_bar: &F) -> Result<(), SolveError>
    where
        S: State<T>,
        F: FieldVjp<T, State = S>,
    {
        let sums = bar.y.as_slice().iter().zip(bar.z.as_slice());
        let y0_bar = sums.map(|(y, z)| (*y + *z).abs().to_f64()).fold(0.0, f64::max);
        let gradient = y0_bar.max(largest_parameter(model_bar));
        let sums = bar.y.as_slice().iter().zip(bar.z.as_slice()).map(|(y, z)| (*y + *z).abs());
        let excess = sums.zip(self.excess.as_slice()).map(|(sum, x)| sum.to_f64() * x.to_f64());
        let excess = excess.fold(self.excess_of_largest() * largest_parameter(model_bar), f64::max);
        let before = self.bar.max(self.contributions).max(self.off / self.error).max(excess);
        let amplification = if before <= gradient { 1.0 } else { before / gradient };
        self.amplify(amplification.max(TURNED * self.turned / self.error))
    }

    /// The excess of the components, those counted less whose cotangents are smaller.
    fn excess_of_largest<T: Real>(&self) -> f64
    where
        S: State<T>,
    {
        let (sum, excess) = (self.sum.as_slice(), self.excess.as_slice());
        let parts = sum.iter().zip(excess).map(|(sum, x)| sum.to_f64() * x.to_f64());
        parts.fold(0.0, f64::max) / largest(sum).max(f64::MIN_POSITIVE)
    }

    fn amplify(&mut self, amplification: f64) -> Result<(), SolveError> {
        let Self { allowed, error, t, gap, .. } = *self;
        self.value = error * amplification;
        if self.value > allowed {
            return Err(SolveError::NotReversed { t, error, amplification, allowed, gap });
        }
        Ok(())
    }

    /// Whether the amplification is measured after so many steps.
    #[inline(always)]
    pub(super) fn is_due(&self, steps: u64) -> bool {
        steps & (self.stride - 1) == 0
    }

    /// Measures at the end of `step`, and sets the reversed `state` to the sample there, if there is one.
    // Out of line, because few steps are due.
    #[inline(never)]
    pub(super) fn measure<T: Real, M: MethodVjp<T, F>>(
        &mut self,
        scheme: &PairScheme<M, Coupled>,
        leg: Leg<'_, T, F>,
        step: Step<T>,
        samples: &Samples<S>,
        state: &mut CoupledState<T, S>,
        bar: &PairCotangent<S>,
        work: &mut VjpWork<T, F, M>,
    ) -> Result<(), SolveError>
    where
        S: State<T>,
        F: FieldVjp<T, State = S>,
    {
        let Leg { field, y0, .. } = leg;
        let Pair { y, z } = &bar.pair;
        self.bar = self.bar.max(largest(y.as_slice())).max(largest(z.as_slice()));
        // The parasitic mode is damped by λ a step, so that where the mode of the solution shrinks as fast as the
        // parasitic one grows, times λ, this belongs to the former.
        let lambda = Arithmetic::<T, S>::lambda(&scheme.arithmetic, step.h).map_or(1.0, T::to_f64);
        let damped = T::from_f64(Real::exp(0.5 * self.stride as f64 * Real::ln(lambda)));
        for (i, (y, z)) in y.as_slice().iter().zip(z.as_slice()).enumerate() {
            let (last, excess) =
                (&mut self.sum.as_mut_slice()[i], &mut self.excess.as_mut_slice()[i]);
            let (sum, size) = ((*y + *z).abs(), y.abs().max(z.abs()));
            if (*y - *z).abs() <= T::from_f64(DOMINANT) * sum || *last == T::ZERO {
                *last = size.max(T::from_f64(0.5) * *last);
                if size < T::MIN_POSITIVE && size > T::ZERO {
                    *excess = excess.max(T::MIN_POSITIVE / size);
                }
            } else {
                *last *= damped;
                *excess = excess.max((size / *last) * (size / *last));
            }
        }
        let largest_part = |part: &F| {
            let parts = part.slices().flatten().map(|part| distance(*part, T::ZERO).to_f64());
            parts.fold(0.0, f64::max)
        };
        let CoupledState { pair, .. } = state;
        if let Some(number) = samples.number(step.index + 1) {
            self.add(samples.error(number, pair, y0), step.end)?;
            // What is left of the reversed pair is scratch space from here on.
            pair.z.fill(T::ZERO);
            self.contribute(scheme, field, step, &pair.y, -T::ONE, bar, Some(&mut pair.z), work)?;
            self.contributions += largest_part(&self.part) * self.stride as f64;
            let known = samples.pair(number);
            if let Some(steps) = samples.looks(number) {
                self.contribute(
                    scheme,
                    field,
                    step,
                    &known.y,
                    T::ONE,
                    bar,
                    Some(&mut pair.z),
                    work,
                )?;
                self.off += largest_part(&self.part) * steps as f64;
                let z_bar = largest(z.as_slice());
                if z_bar > 0.0 {
                    self.turned += largest(pair.z.as_slice()) / z_bar * steps as f64;
                }
            }
            pair.assign(known);
        } else {
            self.contribute(scheme, field, step, &pair.y, -T::ONE, bar, None, work)?;
            self.contributions += largest_part(&self.part) * self.stride as f64;
        }
        self.part.slices_mut().for_each(|slice| slice.fill(T::ZERO));
        Ok(())
    }

    /// Adds to `part` what line (2) of the step contributes to the gradient with respect to the parameters, if the
    /// solution at its end is `y`, times `sign`.
    fn contribute<T: Real, M: MethodVjp<T, F>>(
        &mut self,
        scheme: &PairScheme<M, Coupled>,
        field: &F,
        step: Step<T>,
        y: &S,
        sign: T,
        bar: &PairCotangent<S>,
        y_bar: Option<&mut S>,
        work: &mut VjpWork<T, F, M>,
    ) -> Result<(), SolveError>
    where
        S: State<T>,
        F: FieldVjp<T, State = S>,
    {
        let VjpWork { taped, psi, psi_bar: [psi_bar, _], .. } = work;
        let method = &scheme.method;
        let back = step.reversed();
        let taken = method.increment_taped(field, back, y, taped, psi);
        taken.map_err(|_| SolveError::not_repeated(step))?;
        zip(psi_bar.as_mut_slice(), [bar.pair.z.as_slice()], |[z_bar]| sign * z_bar);
        method.increment_vjp(field, back, taped, psi_bar, y_bar.unwrap_or(psi), &mut self.part);
        Ok(())
    }
}
