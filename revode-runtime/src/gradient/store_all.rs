//! Store-all: every state is kept.

use super::{Backward, Keeper, StateStore};
use crate::scheme::{SchemeVjp, Step};
use crate::{FieldVjp, Problem, Real, SolveError};

/// Gradients from stored states: the fastest where memory suffices, at one state a step.
///
/// Over the plain method, unless [`coupled`](StateStore::coupled).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreAll;

impl StateStore for StoreAll {
    type Keeper<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>> = Stored<S::State>;

    fn keeper<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>>(
        &self,
        scheme: &S,
        problem: &Problem<T, F>,
    ) -> Result<Stored<S::State>, SolveError> {
        let state_bytes = scheme.state_bytes(&scheme.start(&problem.y0));
        Ok(Stored { states: Vec::new(), state_bytes })
    }
}

/// The state before each step.
#[derive(Debug)]
pub struct Stored<X> {
    states: Vec<X>,
    state_bytes: usize,
}

impl<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>> Keeper<T, F, S> for Stored<S::State> {
    #[inline]
    fn keep(
        &mut self,
        _: &S,
        _: Step<T>,
        before: &S::State,
        _: &mut S::State,
    ) -> Result<(), SolveError> {
        self.states.push(before.clone());
        Ok(())
    }

    #[inline]
    fn step_back(
        &mut self,
        pass: &Backward<'_, T, F, S>,
        step: Step<T>,
        state: &mut S::State,
        bar: &mut S::State,
        model_bar: &mut F,
        work: &mut S::VjpWork,
    ) -> Result<(), SolveError> {
        if let Some(before) = self.states.pop() {
            pass.scheme.step_vjp(&pass.problem.field, step, &before, state, bar, model_bar, work);
        }
        Ok(())
    }

    fn finish(&self, _: &Backward<'_, T, F, S>, _: &S::State) -> Result<(), SolveError> {
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.states.len() * self.state_bytes
    }

    fn evaluations(&self, _: &S) -> u64 {
        0
    }
}
