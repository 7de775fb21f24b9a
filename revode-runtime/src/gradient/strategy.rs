//! Strategies: what is advanced, and how its states come back.

use super::passes::{Keeper, differentiate};
use super::{Gradient, Loss};
use crate::control::{StepControl, Tolerance};
use crate::save::SavePlan;
use crate::scheme::SchemeVjp;
use crate::solution::{Solution, save_solution};
use crate::stop::{Finding, Stop};
use crate::time::TimeLoop;
use crate::{FieldVjp, Method, MethodVjp, Problem, Real, SolveError, VectorField};

/// How often a strategy may revise its scheme and solve again.
const MAX_REVISIONS: u32 = 199;

/// How a gradient comes by the states of the forward pass when it goes back: the bound of generic code over the
/// strategies `Auto`, `Guarded`, `Exact`, `Reversible`, `Checkpointed` and `StoreAll`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a gradient strategy",
    note = "strategies are `Auto`, `Guarded`, `Exact`, `Reversible`, `Checkpointed` and `StoreAll`"
)]
pub trait Strategy {
    /// What is advanced.
    type Scheme<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>: SchemeVjp<T, F, Method = M>;
    /// What is kept of the forward pass.
    type Keeper<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>: Keeper<T, F, Self::Scheme<T, F, M>>;

    /// The scheme over `method` for a solve of `problem`, under step-size control with this tolerance.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] names a setting that is out of range.
    fn scheme<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        method: &M,
        problem: &Problem<T, F>,
        tolerance: Option<Tolerance>,
    ) -> Result<Self::Scheme<T, F, M>, SolveError>;

    /// An empty keeper for a solve of `problem`.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] names a setting that is out of range.
    fn keeper<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        scheme: &Self::Scheme<T, F, M>,
        problem: &Problem<T, F>,
        tolerance: Option<Tolerance>,
    ) -> Result<Self::Keeper<T, F, M>, SolveError>;

    /// Makes the scheme stricter where a pass found it too loose; returns whether it did.
    fn revise<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        scheme: &mut Self::Scheme<T, F, M>,
        finding: &Finding,
    ) -> bool {
        let _ = (scheme, finding);
        false
    }

    /// The loss and its gradient.
    ///
    /// # Errors
    /// [`SolveError`].
    fn gradient<T, F, M, C>(
        &self,
        ask: &Ask<'_, T, F, M, C>,
        loss: &impl Loss<T, F::State>,
    ) -> Result<Gradient<F, F::State, T>, SolveError>
    where
        T: Real,
        F: FieldVjp<T>,
        M: MethodVjp<T, F>,
        C: StepControl<T, F, M>,
    {
        let tolerance = ask.control.tolerance();
        self.with_scheme(ask, |scheme| {
            let keeper = self.keeper(scheme, ask.problem, tolerance)?;
            differentiate(ask, scheme, keeper, loss)
        })
    }

    /// The solution along the scheme that [`gradient`](Self::gradient) differentiates, unless its reverse pass finds
    /// that too loose.
    ///
    /// # Errors
    /// [`SolveError`].
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
        self.with_scheme(ask, |scheme| save_solution(&ask.time_loop(scheme), ask.problem, &ask.plan))
    }

    /// Runs a pass with the scheme: the one place that solves again, with a stricter scheme.
    ///
    /// # Errors
    /// Those of the last pass.
    fn with_scheme<T, F, M, C, R>(
        &self,
        ask: &Ask<'_, T, F, M, C>,
        pass: impl Fn(&Self::Scheme<T, F, M>) -> Result<R, Stop>,
    ) -> Result<R, SolveError>
    where
        T: Real,
        F: FieldVjp<T>,
        M: MethodVjp<T, F>,
        C: StepControl<T, F, M>,
    {
        let mut scheme = self.scheme(ask.method, ask.problem, ask.control.tolerance())?;
        for _ in 0..MAX_REVISIONS {
            match pass(&scheme) {
                Err(Stop::Finding(finding)) if self.revise(&mut scheme, &finding) => {}
                result => return result.map_err(Stop::into_error),
            }
        }
        pass(&scheme).map_err(Stop::into_error)
    }
}

/// A solve that a strategy is asked to differentiate.
#[derive(Debug)]
pub struct Ask<'a, T: Real, F: VectorField<T>, M, C> {
    /// The method.
    pub(crate) method: &'a M,
    /// The control of the step size.
    pub(crate) control: &'a C,
    /// The problem.
    pub(crate) problem: &'a Problem<T, F>,
    /// The save points.
    pub(crate) plan: SavePlan<T>,
    /// How many steps may be tried.
    pub(crate) max_steps: u64,
}

impl<T: Real, F: VectorField<T>, M: Method<T, F>, C> Ask<'_, T, F, M, C> {
    pub(crate) fn time_loop<'b, S>(&'b self, scheme: &'b S) -> TimeLoop<'b, S, C> {
        TimeLoop { scheme, control: self.control, max_steps: self.max_steps }
    }
}
