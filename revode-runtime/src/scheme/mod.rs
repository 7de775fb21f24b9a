//! Schemes: what one step of the time loop advances.
//!
//! The plain scheme advances `y` by one increment, a pair `(y, z)` by two ([`pair`]). The time loop and the gradient
//! strategies are written against these traits, and so once for all schemes.
//!
//! A step has four parts. An increment of the method from the [`origin`](Scheme::origin) and
//! [`propose`](Scheme::propose) are what a decision about the step needs; [`finish`](Scheme::finish) is what only an
//! accepted step needs. These can fail, and have written nothing but scratch space. [`commit`](Scheme::commit)
//! cannot fail and advances the state in place.

mod adjoint;
pub(crate) mod pair;
mod plain;

pub(crate) use adjoint::{Adjoint, Cotangent, VjpWork};
pub(crate) use plain::Plain;

use crate::stop::{Stop, Unfinished};
use crate::{
    DenseOutputVjp, FieldVjp, Method, MethodVjp, Real, SolveError, Stability, State, Step,
    VectorField,
};

/// A way to advance the solution by one step, made from a [`Method`].
pub trait Scheme<T: Real, F: VectorField<T>>: Sized {
    /// The method whose increments are used.
    type Method: Method<T, F>;
    /// What is advanced: `y`, or a pair `(y, z)` and what belongs to it.
    type State: Clone;
    /// Scratch space for a proposed solution.
    type Next;
    /// Whether the last increment of a step leads back from its end: then values between the ends are read from there, from the
    /// interpolant of the [reversed](Step::reversed) step. Otherwise the next step starts where the increment of this one
    /// ended, so that a method whose last stage is its next first one need not compute it again.
    const READS_BACK: bool;

    /// The increment from which values between the ends of a step are read, and where in it the part `theta` of the step
    /// is.
    fn increment_between(step: Step<T>, theta: T) -> (Step<T>, T) {
        if Self::READS_BACK { (step.reversed(), T::ONE - theta) } else { (step, theta) }
    }

    /// The method whose increments are used.
    fn method(&self) -> &Self::Method;
    /// The limits of stability of a step, where they are known.
    fn stability(&self) -> Option<[f64; Stability::RAYS]>;
    /// The state that a solve starts from.
    fn start(&self, y0: &F::State) -> Self::State;
    /// Scratch space for a proposed solution.
    fn next(&self, y0: &F::State) -> Self::Next;
    /// The solution `y` in a state, which the next step goes on from.
    fn solution<'a>(&self, state: &'a Self::State) -> &'a F::State;
    /// The solution that is saved and that a loss sees; `mean` is scratch space for it.
    #[inline(always)]
    fn read_out<'a>(&self, state: &'a Self::State, mean: &'a mut F::State) -> &'a F::State {
        let _ = mean;
        self.solution(state)
    }
    /// What a step's first increment starts from.
    fn origin<'a>(&self, state: &'a Self::State) -> &'a F::State;
    /// The proposed solution.
    fn proposed<'a>(&self, next: &'a Self::Next) -> &'a F::State;
    /// Takes another state's components without allocating.
    fn assign(&self, state: &mut Self::State, from: &Self::State);
    /// The memory that a stored state takes, in bytes.
    fn state_bytes(&self, state: &Self::State) -> usize;

    /// Writes the solution at the end of the step to `next`; `psi` is the increment from the origin.
    fn propose(&self, step: Step<T>, state: &Self::State, psi: &F::State, next: &mut Self::Next);

    /// Checks the proposed solution, and computes what else the step takes.
    ///
    /// # Errors
    /// [`Unfinished::Failed`] where an increment failed, [`Unfinished::Stop`] where the solution is none to go on from.
    fn finish(
        &self,
        field: &F,
        step: Step<T>,
        work: &mut Work<T, F, Self>,
    ) -> Result<(), Unfinished>;

    /// Advances the state to the end of the step. The solution that it had is then in `work.next`.
    fn commit(&self, step: Step<T>, state: &mut Self::State, work: &mut Work<T, F, Self>);

    /// Does to the state after a step what belongs to no increment: closes the gap of a pair where that is due.
    ///
    /// # Errors
    /// [`Stop::Finding`] or [`Stop::Error`] where the state is none to go on from.
    #[inline(always)]
    fn close(
        &self,
        step: Step<T>,
        state: &mut Self::State,
        work: &mut Work<T, F, Self>,
    ) -> Result<(), Stop> {
        let _ = (step, state, work);
        Ok(())
    }

    /// Takes a step that has been accepted before.
    ///
    /// # Errors
    /// [`SolveError::NotRepeated`] where an increment fails, though it had not before: the field does not give equal
    /// bits for equal inputs. Otherwise those of the parts of a step.
    #[inline]
    fn take_again(
        &self,
        field: &F,
        step: Step<T>,
        state: &mut Self::State,
        work: &mut Work<T, F, Self>,
    ) -> Result<(), Stop> {
        let Work { stages, psi, next } = work;
        let taken = self.method().increment(field, step, self.origin(state), stages, psi);
        taken.map_err(|_| SolveError::not_repeated(step))?;
        self.propose(step, state, psi, next);
        match self.finish(field, step, work) {
            Err(Unfinished::Failed(_)) => return Err(SolveError::not_repeated(step).into()),
            Err(Unfinished::Stop(stop)) => return Err(stop),
            Ok(()) => {}
        }
        self.commit(step, state, work);
        self.close(step, state, work)
    }
}

/// Scratch space of a step forward.
pub struct Work<T: Real, F: VectorField<T>, S: Scheme<T, F>> {
    /// That of the method: after a step the stage derivatives of its last increment.
    pub(crate) stages: <S::Method as Method<T, F>>::Stages,
    /// An increment.
    pub(crate) psi: F::State,
    /// The proposed solution.
    pub(crate) next: S::Next,
}

impl<T: Real, F: VectorField<T>, S: Scheme<T, F>> Work<T, F, S> {
    pub(crate) fn new(scheme: &S, field: &F, y0: &F::State) -> Self {
        let stages = scheme.method().stages(field, y0);
        Self { stages, psi: y0.zeros_like(), next: scheme.next(y0) }
    }
}

impl<T: Real, F: VectorField<T>, S: Scheme<T, F>> std::fmt::Debug for Work<T, F, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Work").finish_non_exhaustive()
    }
}

/// What the values between the ends of a step mean for its VJP, apart from what they mean for the
/// [read-outs](Scheme::read_out) at its ends.
///
/// With the read-outs `R` at both ends, the increment `psi` that the values are read from and its interpolant
/// `u + Psi(θ)`, a value is `R_0 + θ (R_1 − R_0) + (Psi(θ) − θ psi)`: it lies on the chord but for what the interpolant bends.
#[expect(
    missing_debug_implementations,
    reason = "it is handed on, and the trait object in it has none"
)]
pub struct ReadVjp<'a, T: Real, F: FieldVjp<T>> {
    /// The increment, which has the cotangents of the values.
    pub(crate) output: &'a mut dyn DenseOutputVjp<T, F>,
    /// What is to be taken from the cotangent of the increment: the sum of `θ` times the cotangents.
    pub(crate) chord: &'a F::State,
}

/// A scheme whose step can be differentiated in reverse.
pub trait SchemeVjp<T: Real, F: FieldVjp<T>>: Scheme<T, F, Method: MethodVjp<T, F>> {
    /// The cotangent of a state.
    type Bar: Clone;

    /// The cotangent of a state, zero.
    fn zero_bar(&self, y0: &F::State) -> Self::Bar;
    /// Lets a loss `add`, at `state`, to the cotangent of the [read-out](Scheme::read_out).
    fn add_to_bar(
        &self,
        state: &Self::State,
        bar: &mut Self::Bar,
        add: impl FnOnce(&F::State, &mut F::State),
    );
    /// The components of the cotangent of the solution in a state's.
    fn solution_bar<'a>(&self, bar: &'a Self::Bar) -> impl Iterator<Item = T> + 'a;
    /// The components of the part of that which belongs to the [origin](Scheme::origin) of the next step, where that is
    /// another state.
    fn companion_bar<'a>(&self, bar: &'a Self::Bar) -> Option<&'a [T]>;
    /// The cotangent of `y0` from that of the [`start`](Scheme::start).
    fn start_vjp(&self, bar: Self::Bar) -> F::State;

    /// The VJP of the step from `before` to `state`, both known: turns the cotangents of `state` into those of `before`
    /// and adds to those of the parameters. What it leaves in `state` is of no use.
    ///
    /// # Errors
    /// [`SolveError::NotRepeated`] where an increment fails that had not failed before.
    fn step_vjp(
        &self,
        field: &F,
        step: Step<T>,
        before: &Self::State,
        state: &mut Self::State,
        adjoint: &mut Adjoint<Self::Bar, F>,
        work: &mut VjpWork<T, F, Self::Method>,
    ) -> Result<(), Stop>;

    /// [`step_vjp`](Self::step_vjp) of a step of which values between its ends were `read`.
    ///
    /// # Errors
    /// [`SolveError::NotRepeated`] where an increment fails that had not failed before.
    fn read_step_vjp(
        &self,
        field: &F,
        step: Step<T>,
        before: &Self::State,
        state: &mut Self::State,
        adjoint: &mut Adjoint<Self::Bar, F>,
        work: &mut VjpWork<T, F, Self::Method>,
        read: ReadVjp<'_, T, F>,
    ) -> Result<(), Stop>;

    /// Checks the cotangent that the reverse pass has come to with a step, whose start is `state`.
    ///
    /// # Errors
    /// [`Stop::Finding`] where the gradient would be wrong.
    #[inline(always)]
    fn check_vjp(
        &self,
        step: Step<T>,
        state: &Self::State,
        bar: &mut Self::Bar,
    ) -> Result<(), Stop> {
        let _ = (step, state, bar);
        Ok(())
    }
}
