//! Gradients of a loss through a solve.
//!
//! A forward pass through the time loop evaluates the loss and keeps what the strategy needs; the
//! one backward pass of this file walks the record of the steps from the end to the start. The
//! strategies differ in how they come by the states on the way.

mod checkpointed;
mod coupled;
mod loss;
mod reversible;
mod schedule;
mod store_all;

pub use checkpointed::Checkpointed;
pub use coupled::{Coupled, StateStore};
pub use loss::{Loss, Mse, Terminal};
pub use reversible::Reversible;
pub use store_all::StoreAll;

use crate::controller::StepControl;
use crate::record::StepRecord;
use crate::save::SavePlan;
use crate::scheme::{SchemeVjp, Step};
use crate::solve::{Loop, Observer};
use crate::{FieldVjp, Problem, Real, SolveError, Stats};

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
    message = "`{Self}` cannot differentiate `{M}` with the field `{F}` over `{T}`",
    note = "strategies are `Reversible`, `Checkpointed` and `StoreAll`; the method needs `MethodVjp` and \
            the field `FieldVjp`, which `#[tableau]` and `ode!` implement"
)]
pub trait GradientStrategy<T: Real, F: FieldVjp<T>, M> {
    /// What the time loop advances.
    type Scheme: SchemeVjp<T, F>;
    /// What is kept.
    type Keeper: Keeper<T, F, Self::Scheme>;

    /// The scheme over `method`.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] names a setting that is out of range.
    fn scheme(&self, method: &M) -> Result<Self::Scheme, SolveError>;

    /// An empty keeper for a solve of `problem`.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] names a setting that is out of range.
    fn keeper(
        &self,
        scheme: &Self::Scheme,
        problem: &Problem<T, F>,
    ) -> Result<Self::Keeper, SolveError>;
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
        after: &mut S::State,
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
        bar: &mut S::State,
        model_bar: &mut F,
        work: &mut S::VjpWork,
    ) -> Result<(), SolveError>;

    /// Called when the backward pass has come to the start, with the state that it found there.
    ///
    /// # Errors
    /// [`SolveError::NotReversed`] where that is not the state that the solve had started from.
    fn finish(&self, pass: &Backward<'_, T, F, S>, state: &S::State) -> Result<(), SolveError>;

    /// The memory that is kept at the end of the forward pass, in bytes.
    fn bytes(&self) -> usize;

    /// The field evaluations that the keeper itself has made.
    fn evaluations(&self, scheme: &S) -> u64;
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

/// A forward and a backward pass.
pub(crate) fn differentiate<T, F, S, C, K>(
    time_loop: &Loop<'_, S, C>,
    problem: &Problem<T, F>,
    plan: &SavePlan<T>,
    loss: &impl Loss<T, F::State>,
    keeper: K,
) -> Result<Gradient<F, F::State, T>, SolveError>
where
    T: Real,
    F: FieldVjp<T>,
    S: SchemeVjp<T, F>,
    C: StepControl<T, F, S>,
    K: Keeper<T, F, S>,
{
    let scheme = time_loop.scheme;
    let mut forward = Forward {
        scheme,
        loss,
        keeper,
        value: T::ZERO,
        record: StepRecord::new(),
        points: Points::new(plan),
        field: std::marker::PhantomData,
    };
    let (mut state, mut stats) = time_loop.run(problem, plan, &mut forward)?;
    let Forward { mut keeper, value, record, mut points, .. } = forward;
    loss.finish(points.len)?;
    stats.bytes_kept =
        record.bytes() + points.bytes() + keeper.bytes() + scheme.state_bytes(&state);

    let Problem { field, y0, t1, .. } = problem;
    let pass = Backward { scheme, problem, record: &record };
    let mut work = scheme.vjp_work(field, y0);
    let mut bar = scheme.zero_bar(y0);
    let mut model_bar = field.zeros_like();
    let add_cotangent = |points: &mut Points, steps, t, state: &S::State, bar: &mut S::State| {
        if let Some(index) = points.pop_at(steps) {
            loss.cotangent(index, t, scheme.solution(state), scheme.solution_bar(bar));
        }
    };
    add_cotangent(&mut points, record.len(), *t1, &state, &mut bar);
    for step in record.rev() {
        keeper.step_back(&pass, step, &mut state, &mut bar, &mut model_bar, &mut work)?;
        add_cotangent(&mut points, step.index, step.t, &state, &mut bar);
    }
    keeper.finish(&pass, &state)?;
    let (evaluations, vjps) = scheme.vjp_counts(&work);
    stats.evaluations += evaluations + keeper.evaluations(scheme);
    stats.vjps = vjps;
    Ok(Gradient { loss: value, y0: scheme.start_vjp(bar), model: model_bar, stats })
}

/// The forward pass: evaluates the loss, records the steps, lets the keeper keep.
struct Forward<'a, T, F, S, L, K> {
    scheme: &'a S,
    loss: &'a L,
    keeper: K,
    value: T,
    record: StepRecord<T>,
    points: Points,
    field: std::marker::PhantomData<F>,
}

impl<T, F, S, L, K> Observer<T, S::State> for Forward<'_, T, F, S, L, K>
where
    T: Real,
    F: FieldVjp<T>,
    S: SchemeVjp<T, F>,
    L: Loss<T, F::State>,
    K: Keeper<T, F, S>,
{
    fn saved(
        &mut self,
        index: usize,
        steps: u64,
        t: T,
        state: &S::State,
    ) -> Result<(), SolveError> {
        self.points.push(steps);
        self.value += self.loss.value(index, t, self.scheme.solution(state))?;
        Ok(())
    }

    #[inline]
    fn accepted(
        &mut self,
        step: Step<T>,
        before: &S::State,
        after: &mut S::State,
    ) -> Result<(), SolveError> {
        self.record.push(step.t, step.h);
        self.keeper.keep(self.scheme, step, before, after)
    }
}

/// After how many steps each save point was passed: a list, or nothing where every step has one.
#[derive(Debug)]
struct Points {
    list: Option<Vec<u64>>,
    len: usize,
}

impl Points {
    fn new<T>(plan: &SavePlan<T>) -> Self {
        Self { list: plan.len().map(Vec::with_capacity), len: 0 }
    }

    fn push(&mut self, steps: u64) {
        if let Some(list) = &mut self.list {
            list.push(steps);
        }
        self.len += 1;
    }

    /// The save point that lies `steps` steps after the start, if there is one; asked for from the
    /// end to the start.
    #[inline]
    fn pop_at(&mut self, steps: u64) -> Option<usize> {
        match &mut self.list {
            Some(list) => {
                list.pop_if(|last| *last == steps)?;
            }
            None if self.len == 0 => return None,
            None => {}
        }
        self.len -= 1;
        Some(self.len)
    }

    fn bytes(&self) -> usize {
        self.list.as_ref().map_or(0, |list| size_of_val(list.as_slice()))
    }
}
