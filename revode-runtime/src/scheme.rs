//! Schemes: what one step of the time loop advances.
//!
//! The plain scheme advances `y` by an increment; the reversible pair of [`crate::reversible`]
//! advances `(y, z)` by two, and so do its guarded and its exact form ([`crate::guarded`],
//! [`crate::exact`]). Everything else, the time loop and the gradient strategies, is written against
//! these traits and so once for all of them.

use crate::solve::check_finite;
use crate::{
    EmbeddedMethod, FieldVjp, Method, MethodVjp, Real, SolveError, State, VectorField, support,
};

/// A step of the record: the `index`-th accepted one, from `t` to `t + h`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step<T> {
    /// How many steps were accepted before it.
    pub index: u64,
    /// Where it starts.
    pub t: T,
    /// Its signed size.
    pub h: T,
}

/// A way to advance the solution by one step, made from a [`Method`].
pub trait Scheme<T: Real, F: VectorField<T>> {
    /// What is advanced: `y`, or the pair `(y, z)`.
    type State: Clone;
    /// Scratch space of the forward pass.
    type Work;

    /// The order of accuracy.
    fn order(&self) -> u32;
    /// The state that a solve starts from.
    fn start(&self, y0: &F::State) -> Self::State;
    /// The solution `y` in a state.
    fn solution<'a>(&self, state: &'a Self::State) -> &'a F::State;
    /// Takes another state's components without allocating.
    fn assign(&self, state: &mut Self::State, from: &Self::State);
    /// The memory that a stored state takes.
    fn state_bytes(&self, state: &Self::State) -> usize;
    /// Scratch space.
    fn work(&self, field: &F, y0: &F::State) -> Self::Work;
    /// The field evaluations made so far.
    fn evaluations(&self, work: &Self::Work) -> u64;

    /// Writes the solution at `t + h` into `next`: as much of the step as a decision about it needs.
    fn propose(
        &self,
        field: &F,
        step: Step<T>,
        now: &Self::State,
        next: &mut Self::State,
        work: &mut Self::Work,
    );
    /// Completes a step that was accepted.
    ///
    /// # Errors
    /// [`SolveError::NotFinite`], or what else keeps `next` from being a state to go on from.
    fn complete(
        &self,
        field: &F,
        step: Step<T>,
        now: &Self::State,
        next: &mut Self::State,
        work: &mut Self::Work,
    ) -> Result<(), SolveError>;
    /// Checks the state that a solve has come to with a step. `largest` is the solve's memory: the largest
    /// component that the solution has had, at first that of the start.
    ///
    /// Steps that are taken again, between checkpoints, have been checked the first time.
    ///
    /// # Errors
    /// [`SolveError`] where the solution has become wrong.
    #[inline(always)]
    fn check(
        &self,
        _step: Step<T>,
        _state: &Self::State,
        _largest: &mut T,
    ) -> Result<(), SolveError> {
        Ok(())
    }
    /// The proposed step was rejected: the next proposal starts from the same state and time.
    fn rejected(&self, work: &mut Self::Work);
}

/// A scheme with an error estimate.
pub trait EmbeddedScheme<T: Real, F: VectorField<T>>: Scheme<T, F> {
    /// The order that step-size control counts with: the lower one of the method's two.
    fn error_order(&self) -> u32;
    /// [`Scheme::propose`] that also writes an estimate of the step's error.
    fn propose_with_error(
        &self,
        field: &F,
        step: Step<T>,
        now: &Self::State,
        next: &mut Self::State,
        error: &mut F::State,
        work: &mut Self::Work,
    );
    /// The step proposed with an error was accepted: the next one starts where it ended.
    fn accepted(&self, work: &mut Self::Work);
}

/// A scheme whose step can be differentiated in reverse.
pub trait SchemeVjp<T: Real, F: FieldVjp<T>>: Scheme<T, F> {
    /// The cotangent of a state.
    type Bar: Clone;
    /// Scratch space of the backward pass.
    type VjpWork;

    /// Scratch space.
    fn vjp_work(&self, field: &F, y0: &F::State) -> Self::VjpWork;
    /// The field evaluations and field VJPs made so far.
    fn vjp_counts(&self, work: &Self::VjpWork) -> (u64, u64);
    /// The cotangent of a state, zero.
    fn zero_bar(&self, y0: &F::State) -> Self::Bar;
    /// Lets a loss `add`, at `state`, to the cotangent of the solution.
    fn add_to_bar(
        &self,
        state: &Self::State,
        bar: &mut Self::Bar,
        add: impl FnOnce(&F::State, &mut F::State),
    );
    /// The cotangent of `y0` from that of the [`start`](Scheme::start).
    fn start_vjp(&self, bar: Self::Bar) -> F::State;

    /// The VJP of a step whose states are known: takes `state` from after the step to `before` it,
    /// turns the cotangent of the one into that of the other and adds to that of the parameters.
    fn step_vjp(
        &self,
        field: &F,
        step: Step<T>,
        before: &Self::State,
        state: &mut Self::State,
        bar: &mut Self::Bar,
        model_bar: &mut F,
        work: &mut Self::VjpWork,
    );

    /// Checks the cotangent that a way back has come to with a step, whose start is `state`.
    ///
    /// # Errors
    /// [`SolveError`] where the gradient would be wrong.
    #[inline(always)]
    fn check_vjp(
        &self,
        _step: Step<T>,
        _state: &Self::State,
        _bar: &mut Self::Bar,
    ) -> Result<(), SolveError> {
        Ok(())
    }
}

/// The method by itself: `y' = y + Psi_h(t, y)`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plain<M>(pub M);

/// Scratch space of an increment: the method's own, and the increment.
#[derive(Debug)]
pub struct Work<Stages, S> {
    pub(crate) stages: Stages,
    pub(crate) psi: S,
    /// Where the last step proposed with an error ends, and whether it was accepted.
    end: f64,
    accepted: bool,
}

impl<Stages, S> Work<Stages, S> {
    pub(crate) fn new(stages: Stages, psi: S) -> Self {
        Self { stages, psi, end: f64::NAN, accepted: false }
    }
}

/// Scratch space of an increment's VJP.
#[derive(Debug)]
pub struct VjpWork<Taped, S> {
    pub(crate) taped: Taped,
    pub(crate) psi: S,
    pub(crate) psi_bar: S,
}

impl<Taped, S> VjpWork<Taped, S> {
    pub(crate) fn new<T: Real>(taped: Taped, y0: &S) -> Self
    where
        S: State<T>,
    {
        Self { taped, psi: y0.zeros_like(), psi_bar: y0.zeros_like() }
    }
}

impl<T: Real, F: VectorField<T>, M: Method<T, F>> Scheme<T, F> for Plain<M> {
    type State = F::State;
    type Work = Work<M::Stages, F::State>;

    fn order(&self) -> u32 {
        self.0.order()
    }
    fn start(&self, y0: &F::State) -> F::State {
        y0.clone()
    }
    #[inline]
    fn solution<'a>(&self, state: &'a F::State) -> &'a F::State {
        state
    }
    #[inline]
    fn assign(&self, state: &mut F::State, from: &F::State) {
        state.assign(from);
    }
    fn state_bytes(&self, state: &F::State) -> usize {
        size_of_val(state.as_slice())
    }
    fn work(&self, field: &F, y0: &F::State) -> Self::Work {
        Work::new(self.0.stages(field, y0), y0.zeros_like())
    }
    #[inline]
    fn evaluations(&self, work: &Self::Work) -> u64 {
        self.0.evaluations(&work.stages)
    }
    #[inline]
    fn propose(
        &self,
        field: &F,
        step: Step<T>,
        now: &F::State,
        next: &mut F::State,
        work: &mut Self::Work,
    ) {
        self.0.increment(field, step.t, step.h, now, &mut work.stages, &mut work.psi);
        support::stage(next, now, [(T::ONE, &work.psi)]);
    }
    #[inline]
    fn complete(
        &self,
        _: &F,
        step: Step<T>,
        _: &F::State,
        next: &mut F::State,
        _: &mut Self::Work,
    ) -> Result<(), SolveError> {
        check_finite(next, step.t + step.h, step.t)
    }
    #[inline]
    fn rejected(&self, work: &mut Self::Work) {
        self.0.restart(&mut work.stages);
    }
}

impl<T: Real, F: VectorField<T>, M: EmbeddedMethod<T, F>> EmbeddedScheme<T, F> for Plain<M> {
    fn error_order(&self) -> u32 {
        self.0.order().min(self.0.embedded_order())
    }
    #[inline]
    fn propose_with_error(
        &self,
        field: &F,
        step: Step<T>,
        now: &F::State,
        next: &mut F::State,
        error: &mut F::State,
        work: &mut Self::Work,
    ) {
        let Work { stages, psi, end, accepted } = work;
        // The time loop may have rounded the end of the last step differently (it counts equal steps,
        // and lands on stops): then the last stage is not quite the first one of this step.
        if std::mem::take(accepted) && *end == step.t.to_f64() {
            self.0.proceed(stages);
        }
        *end = (step.t + step.h).to_f64();
        self.0.increment_with_error(field, step.t, step.h, now, stages, psi, error);
        support::stage(next, now, [(T::ONE, &work.psi)]);
    }
    #[inline]
    fn accepted(&self, work: &mut Self::Work) {
        work.accepted = true;
    }
}

impl<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> SchemeVjp<T, F> for Plain<M> {
    type Bar = F::State;
    type VjpWork = VjpWork<M::Taped, F::State>;

    fn vjp_work(&self, field: &F, y0: &F::State) -> Self::VjpWork {
        VjpWork::new(self.0.taped(field, y0), y0)
    }
    fn vjp_counts(&self, work: &Self::VjpWork) -> (u64, u64) {
        (self.0.taped_evaluations(&work.taped), self.0.vjps(&work.taped))
    }
    fn zero_bar(&self, y0: &F::State) -> F::State {
        y0.zeros_like()
    }
    #[inline]
    fn add_to_bar(
        &self,
        y: &F::State,
        bar: &mut F::State,
        add: impl FnOnce(&F::State, &mut F::State),
    ) {
        add(y, bar);
    }
    fn start_vjp(&self, bar: F::State) -> F::State {
        bar
    }
    #[inline]
    fn step_vjp(
        &self,
        field: &F,
        step: Step<T>,
        before: &F::State,
        state: &mut F::State,
        bar: &mut F::State,
        model_bar: &mut F,
        work: &mut Self::VjpWork,
    ) {
        let VjpWork { taped, psi, psi_bar } = work;
        self.0.increment_taped(field, step.t, step.h, before, taped, psi);
        psi_bar.assign(bar);
        self.0.increment_vjp(field, step.t, step.h, taped, psi_bar, bar, model_bar);
        state.assign(before);
    }
}
