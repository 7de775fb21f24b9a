//! Auto: the fastest strategy that fits.

use super::{Ask, DEFAULT_MEMORY, Gradient, Guarded, Loss, StoreAll, StoreWithin, Strategy};
use crate::control::{StepControl, Tolerance};
use crate::scheme::{Plain, Scheme};
use crate::solution::Solution;
use crate::stop::Finding;
use crate::{FieldVjp, Leg, MethodVjp, Problem, Real, SolveError};

/// The fastest strategy that fits in the memory, 64 MB by default: [`StoreAll`] of the plain method while its states
/// do, [`Guarded`] beyond. `stats.strategy` says which.
///
/// Storing takes 0.4 to 0.5 of the time of reversing (`cargo bench --bench reversal`), and its gradient is
/// exact to round-off. Where the number of steps is not known beforehand the states are stored until they
/// no longer fit; what was spent until then is less than the time of a gradient that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Auto {
    memory: usize,
}

impl Default for Auto {
    fn default() -> Self {
        Self::memory(DEFAULT_MEMORY)
    }
}

impl Auto {
    /// With states that may take so many bytes, those at save points that no step lands on left out.
    pub fn memory(bytes: usize) -> Self {
        Self { memory: bytes }
    }

    /// The strategy where states do not fit.
    fn beyond(self) -> Guarded {
        Guarded::default().memory(self.memory)
    }
}

impl Strategy for Auto {
    type Scheme<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> =
        <Guarded as Strategy>::Scheme<T, F, M>;
    type Keeper<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> =
        <Guarded as Strategy>::Keeper<T, F, M>;

    fn scheme<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        method: &M,
        problem: &Problem<T, F>,
        tolerance: Option<Tolerance>,
    ) -> Result<Self::Scheme<T, F, M>, SolveError> {
        self.beyond().scheme(method, problem, tolerance)
    }

    fn keeper<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        scheme: &Self::Scheme<T, F, M>,
        leg: Leg<'_, T, F>,
        tolerance: Option<Tolerance>,
    ) -> Result<Self::Keeper<T, F, M>, SolveError> {
        self.beyond().keeper(scheme, leg, tolerance)
    }

    fn revise<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        scheme: &mut Self::Scheme<T, F, M>,
        finding: &Finding,
    ) -> bool {
        self.beyond().revise::<T, F, M>(scheme, finding)
    }

    fn forward<T, F, M, C>(
        &self,
        ask: &Ask<'_, T, F, M, C>,
    ) -> Result<Solution<T, F::State>, SolveError>
    where
        T: Real,
        F: FieldVjp<T>,
        M: MethodVjp<T, F>,
        C: StepControl<T, F, M>,
    {
        StoreAll.forward(ask)
    }

    fn gradient<T, F, M, C>(
        &self,
        ask: &Ask<'_, T, F, M, C>,
        loss: &dyn Loss<T, F::State>,
    ) -> Result<Gradient<F, F::State, T>, SolveError>
    where
        T: Real,
        F: FieldVjp<T>,
        M: MethodVjp<T, F>,
        C: StepControl<T, F, M>,
    {
        let Problem { y0, t0, t1, .. } = ask.problem;
        let state = Scheme::<T, F>::state_bytes(&Plain(ask.method.clone()), y0);
        let steps = ask.control.steps((*t1 - *t0).to_f64().abs());
        if steps.is_none_or(|steps| steps * state as f64 <= self.memory as f64) {
            match StoreWithin::new(self.memory).gradient(ask, loss) {
                Err(SolveError::MemoryLimit { .. }) => {}
                other => return other,
            }
        }
        self.beyond().gradient(ask, loss)
    }
}
