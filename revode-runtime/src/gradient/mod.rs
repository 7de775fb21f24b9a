//! Gradients of a loss through a solve.
//!
//! A forward pass through the time loop evaluates the loss and keeps what the strategy needs; the
//! one backward pass (`backward.rs`) walks the record of the steps from the end to the start. The
//! strategies differ in how they come by the states on the way.

mod along;
mod auto;
mod backward;
mod certificate;
mod checkpointed;
mod exact;
mod guarded;
mod loss;
#[cfg(test)]
mod precise;
mod reversible;
mod schedule;
mod store_all;

pub use along::{Along, Pairing, StateStore};
pub use auto::Auto;
pub use checkpointed::Checkpointed;
pub use exact::Exact;
pub use guarded::Guarded;
pub use loss::{Loss, Mse, Terminal};
pub use reversible::Reversible;
pub use store_all::StoreAll;

use crate::controller::{StepControl, Tolerance};
use crate::record::StepRecord;
use crate::save::SavePlan;
use crate::scheme::{Scheme, SchemeVjp, Step};
use crate::solution::{Solution, save_solution};
use crate::solve::Loop;
use crate::{FieldVjp, Problem, Real, SolveError, Stats, VectorField};

/// The value of a loss and its gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradient<F, S, T> {
    /// The loss.
    pub loss: T,
    /// Its gradient with respect to the initial state.
    pub y0: S,
    /// Its gradient with respect to the parameters, in a model of the same type.
    pub model: F,
    /// What it cost.
    pub stats: Stats,
}

/// How a gradient comes by the states of the forward pass when it goes back.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot differentiate `{M}` under `{C}` with the field `{F}` over `{T}`",
    note = "strategies are `Auto`, `Guarded`, `Exact`, `Reversible`, `Checkpointed` and `StoreAll`; the \
            method needs `MethodVjp` and the field `FieldVjp`, which `#[tableau]` and `ode!` implement; \
            adaptive steps need a method with an embedded error estimate"
)]
pub trait GradientStrategy<T: Real, F: FieldVjp<T>, M, C> {
    /// Solves with the scheme that [`gradient`](Self::gradient) differentiates, unless its way back asks for
    /// another one.
    ///
    /// # Errors
    /// [`SolveError`].
    fn forward(&self, solve: &Solve<'_, T, F, M, C>) -> Result<Solution<T, F::State>, SolveError>;

    /// The loss and its gradient.
    ///
    /// # Errors
    /// [`SolveError`].
    fn gradient(
        &self,
        solve: &Solve<'_, T, F, M, C>,
        loss: &impl Loss<T, F::State>,
    ) -> Result<Gradient<F, F::State, T>, SolveError>;
}

/// A solve that a strategy is asked to differentiate.
#[derive(Debug)]
pub struct Solve<'a, T: Real, F: VectorField<T>, M, C> {
    /// The method.
    pub method: &'a M,
    /// The control of the step size.
    pub control: &'a C,
    /// The problem.
    pub problem: &'a Problem<T, F>,
    /// The save points.
    pub(crate) plan: SavePlan<T>,
    /// How many steps may be tried.
    pub max_steps: u64,
    /// The accuracy that was asked for, relative to the largest component of the gradient.
    pub accuracy: Option<f64>,
    /// The memory that states may take, in bytes.
    pub memory: Option<usize>,
}

/// The memory that strategies with a limit keep to unless told, in bytes: 64 MB.
pub const DEFAULT_MEMORY: usize = 64_000_000;

impl<T: Real, F: VectorField<T>, M, C> Solve<'_, T, F, M, C> {
    fn time_loop<'b, S>(&'b self, scheme: &'b S) -> Loop<'b, S, C> {
        Loop { scheme, control: self.control, max_steps: self.max_steps }
    }

    /// The tolerance of the step-size control, where it has one.
    fn tolerance<S: Scheme<T, F>>(&self) -> Option<Tolerance>
    where
        C: StepControl<T, F, S>,
    {
        self.control.tolerance()
    }

    /// The accuracy that a gradient of the scheme `S` must have: the one asked for, or a default from
    /// the tolerance and the precision.
    fn accuracy<S: Scheme<T, F>>(&self) -> f64
    where
        C: StepControl<T, F, S>,
    {
        let tolerance = self.tolerance::<S>().map(Tolerance::relative);
        self.accuracy.unwrap_or_else(|| certificate::default_accuracy::<T>(tolerance))
    }

    /// The solution along `scheme`.
    fn along<S: Scheme<T, F>>(&self, scheme: &S) -> Result<Solution<T, F::State>, SolveError>
    where
        C: StepControl<T, F, S>,
    {
        save_solution(&self.time_loop(scheme), self.problem, &self.plan)
    }
}

/// What a strategy keeps of the forward pass, and its way back.
pub trait Keeper<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>> {
    /// A step was accepted in the forward pass.
    ///
    /// # Errors
    /// [`SolveError`] where the way back is lost.
    fn keep(
        &mut self,
        scheme: &S,
        step: Step<T>,
        before: &S::State,
        after: &S::State,
    ) -> Result<(), SolveError>;

    /// Takes `state` and its cotangent `bar` from the end of `step` to its start, and adds to the
    /// cotangent of the parameters. Called for each step of the record, the last one first.
    ///
    /// # Errors
    /// [`SolveError`] where the way back is lost.
    fn step_back(
        &mut self,
        pass: &Backward<'_, T, F, S>,
        step: Step<T>,
        state: &mut S::State,
        bar: &mut S::Bar,
        model_bar: &mut F,
        work: &mut S::VjpWork,
    ) -> Result<Way, SolveError>;

    /// Adds to the statistics: the memory that is kept at the end of the forward pass, in bytes, is
    /// asked for before the way back, all else after it.
    fn report(&self, scheme: &S, stats: &mut Stats);

    /// The memory that is kept at the end of the forward pass, in bytes.
    fn bytes(&self) -> usize;
}

/// Where the backward pass goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Way {
    /// With the step before.
    On,
    /// With step number `last`, again: the keeper has taken back all that was done since then.
    Again {
        /// The step.
        last: u64,
    },
}

/// What a backward pass goes along.
#[derive(Debug)]
pub struct Backward<'a, T: Real, F: FieldVjp<T>, S> {
    /// What was advanced.
    pub scheme: &'a S,
    /// The problem that was solved.
    pub problem: &'a Problem<T, F>,
    /// The accepted steps.
    pub record: &'a StepRecord<T>,
}
