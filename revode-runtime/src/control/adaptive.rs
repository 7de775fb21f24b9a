//! Adaptive steps: error norm, first step, and a rule for the next one.

use super::first_step::first_step;
use super::norm::{ErrorNorm, is_rounding};
use super::tolerances::Allowed;
use super::{
    Begin, Decision, Pid, StepControl, StepSettings, StepSizeController, Tolerance, Tolerances,
    Verdict,
};
use crate::error::Readable;
use crate::{EmbeddedMethod, Leg, Real, SolveError, State, Step, StepFailure, VectorField};

/// The growth of steps whose error is rounding alone: such an error says nothing of how long they can be. (A solution
/// at rest, or one that the method integrates exactly.)
const BLIND_GROWTH: f64 = 2.0;

/// Steps as long as the error estimate allows.
///
/// The error of a step is measured in the norm of Hairer, Nørsett and Wanner, *Solving Ordinary
/// Differential Equations I*, equation (II.4.11): the root mean square over the components of
/// `error_i / (atol_i + rtol_i · max(|y_i|, |y'_i|))`, or the largest of these by [`Norm::Max`](super::Norm::Max). A
/// step stands where it is at most 1.
///
/// Without an absolute tolerance each component has its own, which follows the sizes of the solution: it is
/// `error_i / (rtol_i · max(|y_i|, |y'_i|, 0.01 Y_i, 1e-9 max Y))`, where `Y_i` is the largest size that the component
/// has had so far; never less than the rounding of `max Y`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adaptive<C = Pid, R = f64, A = f64> {
    /// Relative tolerance a step, of all components or of each: [`Tolerances`].
    pub rtol: R,
    /// Absolute tolerance a step, in the units of the state, of all components or of each; `None` to follow the sizes
    /// of the components.
    pub atol: Option<A>,
    /// The rule for the next step size.
    pub controller: C,
}

impl<C, R, A> Adaptive<C, R, A> {
    #[inline(always)]
    fn allowed(&self) -> Allowed<'_, R, A> {
        Allowed { rtol: &self.rtol, atol: self.atol.as_ref() }
    }
}

/// What adaptive steps remember.
#[derive(Debug)]
pub struct AdaptiveMemory<S, M> {
    /// The error of the last increment.
    error: S,
    norm: ErrorNorm<S>,
    /// The power of the step size that the error grows with.
    exponent: f64,
    controller: M,
}

impl<T: Real, F, M, C, R, A> StepControl<T, F, M> for Adaptive<C, R, A>
where
    F: VectorField<T>,
    M: EmbeddedMethod<T, F>,
    C: StepSizeController,
    R: Tolerances,
    A: Tolerances,
{
    type Memory = AdaptiveMemory<F::State, C::Memory>;

    fn tolerance(&self) -> Option<Tolerance> {
        Some(self.allowed().loosest())
    }

    fn begin(
        &self,
        method: &M,
        leg: Leg<'_, T, F>,
        settings: &StepSettings,
    ) -> Result<Begin<T, Self::Memory>, SolveError> {
        let allowed = self.allowed();
        allowed.check(leg.y0.len())?;
        self.controller.check()?;
        let norm = ErrorNorm::new(settings.norm, allowed, leg.y0);
        let (h, evaluations) = match settings.first_step {
            Some(h) => (given(h, leg)?, 0),
            None => first_step(&norm, allowed, leg, method.order())?,
        };
        let memory = AdaptiveMemory {
            error: leg.y0.zeros_like(),
            norm,
            exponent: f64::from(method.order().min(method.embedded_order()) + 1),
            controller: C::Memory::default(),
        };
        Ok(Begin { h, evaluations, memory })
    }

    #[inline(always)]
    fn increment(
        &self,
        memory: &mut Self::Memory,
        method: &M,
        field: &F,
        step: Step<T>,
        u: &F::State,
        stages: &mut M::Stages,
        psi: &mut F::State,
    ) -> Result<(), StepFailure> {
        method.increment_with_error(field, step, u, stages, psi, &mut memory.error)
    }

    #[inline(always)]
    fn decide(
        &self,
        memory: &mut Self::Memory,
        step: Step<T>,
        y: &F::State,
        y_next: &F::State,
    ) -> Verdict<T> {
        let AdaptiveMemory { error: difference, norm, exponent, controller } = memory;
        let error = norm.of(self.allowed(), difference, y, y_next).to_f64();
        let (accepted, factor) = match self.controller.decide(controller, error, *exponent) {
            Decision::Accept(factor) => {
                norm.see(self.allowed(), y_next);
                let blind = factor > BLIND_GROWTH && is_rounding(difference, y_next);
                (true, if blind { BLIND_GROWTH } else { factor })
            }
            Decision::Reject(factor) => (false, factor),
        };
        Verdict { accepted, next_h: step.h * T::from_f64(factor), error }
    }

    fn below_tolerance(&self, memory: &Self::Memory) -> Option<(usize, usize)> {
        memory.norm.below(self.allowed())
    }

    #[inline(always)]
    fn proceed(&self, method: &M, stages: &mut M::Stages) {
        method.proceed(stages);
    }

    /// A step that could not be taken has an error without bound.
    #[cold]
    fn retry(&self, memory: &mut Self::Memory, step: Step<T>) -> Option<T> {
        let decision =
            self.controller.decide(&mut memory.controller, f64::INFINITY, memory.exponent);
        let (Decision::Accept(factor) | Decision::Reject(factor)) = decision;
        Some(step.h * T::from_f64(factor))
    }
}

/// The first step that was asked for: positive, and within the span.
fn given<T: Real, F: VectorField<T>>(h: f64, leg: Leg<'_, T, F>) -> Result<T, SolveError> {
    let size = T::from_f64(h).min((leg.t1 - leg.t0).abs());
    if size > T::ZERO || leg.t1 == leg.t0 {
        return Ok(size);
    }
    let problem = format!("{} is 0 in the precision of the state: take a longer step", Readable(h));
    Err(SolveError::argument("first_step", problem))
}
