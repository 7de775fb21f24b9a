//! Steps of one size.

use super::{Begin, StepControl, StepSettings, Verdict};
use crate::error::Readable;
use crate::{Leg, Method, Real, SolveError, Step, StepFailure, VectorField};

/// Steps of size `h`, positive, in the units of time. Only a step that lands on a save point or on
/// the end is shorter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedStep {
    /// The step size.
    pub h: f64,
}

impl<T: Real, F: VectorField<T>, M: Method<T, F>> StepControl<T, F, M> for FixedStep {
    type Memory = ();

    fn steps(&self, span: f64) -> Option<f64> {
        Some(span / self.h)
    }

    fn begin(&self, _: &M, _: Leg<'_, T, F>, _: &StepSettings) -> Result<Begin<T, ()>, SolveError> {
        if !(self.h > 0.0 && self.h.is_finite()) {
            let h = Readable(self.h);
            let problem = format!("the step size {h} is not a positive, finite number");
            return Err(SolveError::argument("fixed_step", problem));
        }
        Ok(Begin { h: T::from_f64(self.h), evaluations: 0, memory: () })
    }

    #[inline(always)]
    fn increment(
        &self,
        (): &mut (),
        method: &M,
        field: &F,
        step: Step<T>,
        u: &F::State,
        stages: &mut M::Stages,
        psi: &mut F::State,
    ) -> Result<(), StepFailure> {
        method.increment(field, step, u, stages, psi)
    }

    #[inline(always)]
    fn decide(&self, (): &mut (), step: Step<T>, _: &F::State, _: &F::State) -> Verdict<T> {
        let h = T::from_f64(self.h);
        let next_h = if step.h < T::ZERO { -h } else { h };
        Verdict { accepted: true, next_h, error: 0.0 }
    }
}
