//! Auto: the fastest strategy that fits.

use super::{
    DEFAULT_MEMORY, Gradient, GradientStrategy, Guarded, Loss, Solve, StateStore, StoreAll,
};
use crate::controller::StepControl;
use crate::guarded::GuardedPair;
use crate::scheme::{Plain, Scheme};
use crate::solution::Solution;
use crate::{FieldVjp, MethodVjp, Real, SolveError};

/// The fastest strategy that fits in the [memory](crate::Solver::memory_limit), 64 MB unless told:
/// [`StoreAll`] of the plain method while its states do, [`Guarded`] beyond. `stats.strategy` says which.
///
/// Storing takes 0.4 to 0.5 of the time of reversing (`cargo bench --bench reversal`), and its gradient is
/// exact to round-off. Where the number of steps is not known beforehand the states are stored until they
/// no longer fit; what was spent until then is less than the time of a gradient that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Auto;

impl<T, F, M, C> GradientStrategy<T, F, M, C> for Auto
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F> + Clone,
    C: StepControl<T, F, Plain<M>> + StepControl<T, F, GuardedPair<M>>,
{
    fn forward(&self, solve: &Solve<'_, T, F, M, C>) -> Result<Solution<T, F::State>, SolveError> {
        StoreAll.forward(solve)
    }

    fn gradient(
        &self,
        solve: &Solve<'_, T, F, M, C>,
        loss: &impl Loss<T, F::State>,
    ) -> Result<Gradient<F, F::State, T>, SolveError> {
        let memory = solve.memory.unwrap_or(DEFAULT_MEMORY);
        let scheme = Plain(solve.method.clone());
        let state = Scheme::<T, F>::state_bytes(&scheme, &solve.problem.y0);
        let span = (solve.problem.t1 - solve.problem.t0).to_f64().abs();
        let steps = StepControl::<T, F, Plain<M>>::steps(solve.control, span);
        if steps.is_none_or(|steps| steps * state as f64 <= memory as f64) {
            let keeper = StateStore::keeper(&StoreAll, &scheme, solve.problem, Some(memory))?;
            match super::backward::differentiate(solve, &scheme, keeper, loss) {
                Err(SolveError::MemoryLimit { .. }) => {}
                other => return other,
            }
        }
        Guarded.gradient(solve, loss)
    }
}
