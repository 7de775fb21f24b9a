//! Steps of one size.

use super::{Attempt, Begin, Start, StepControl};
use crate::scheme::{Scheme, Step};
use crate::{Real, SolveError, VectorField};

/// Steps of size `h`, positive, in the units of time. Only a step that lands on a save point or on
/// the end is shorter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedStep {
    /// The step size.
    pub h: f64,
}

impl<T: Real, F: VectorField<T>, S: Scheme<T, F>> StepControl<T, F, S> for FixedStep {
    type Memory = ();

    fn steps(&self, span: f64) -> Option<f64> {
        Some(span / self.h)
    }

    fn begin(&self, _: &S, _: &F, _: &Start<'_, T, F>) -> Result<Begin<T, ()>, SolveError> {
        if !(self.h > 0.0 && self.h.is_finite()) {
            let problem = format!("the step size {} is not a positive, finite number", self.h);
            return Err(SolveError::argument("fixed_step", problem));
        }
        Ok(Begin { h: T::from_f64(self.h), evaluations: 0, memory: () })
    }

    #[inline(always)]
    fn attempt(
        &self,
        (): &mut (),
        scheme: &S,
        field: &F,
        step: Step<T>,
        now: &S::State,
        next: &mut S::State,
        work: &mut S::Work,
    ) -> Attempt<T> {
        scheme.propose(field, step, now, next, work);
        let h = T::from_f64(self.h);
        Attempt { accepted: true, next_h: if step.h < T::ZERO { -h } else { h }, error: 0.0 }
    }
}
