//! Store-all: every state is kept.

use super::{Backward, Keeper, StateStore, Way};
use crate::scheme::{SchemeVjp, Step};
use crate::{FieldVjp, Problem, Real, SolveError, Stats};

/// Gradients from stored states: the fastest where memory suffices, at one state a step.
///
/// Over the plain method, unless [`along`](StateStore::along) another scheme. A
/// [memory limit](crate::Solver::memory_limit) is kept: more is an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreAll;

impl StateStore for StoreAll {
    type Keeper<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>> = Stored<S::State>;

    fn keeper<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>>(
        &self,
        scheme: &S,
        problem: &Problem<T, F>,
        memory: Option<usize>,
    ) -> Result<Stored<S::State>, SolveError> {
        let state_bytes = scheme.state_bytes(&scheme.start(&problem.y0));
        let memory = memory.unwrap_or(usize::MAX);
        Ok(Stored { states: Vec::new(), state_bytes, memory })
    }
}

/// The state before each step.
#[derive(Debug)]
pub struct Stored<X> {
    states: Vec<X>,
    state_bytes: usize,
    memory: usize,
}

impl<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>> Keeper<T, F, S> for Stored<S::State> {
    #[inline]
    fn keep(
        &mut self,
        _: &S,
        step: Step<T>,
        before: &S::State,
        _: &S::State,
    ) -> Result<(), SolveError> {
        if (self.states.len() + 1).saturating_mul(self.state_bytes) > self.memory {
            let (limit, steps) = (self.memory, step.index);
            return Err(SolveError::MemoryLimit { limit, steps, t: step.t.to_f64() });
        }
        self.states.push(before.clone());
        Ok(())
    }

    #[inline]
    fn step_back(
        &mut self,
        pass: &Backward<'_, T, F, S>,
        step: Step<T>,
        state: &mut S::State,
        bar: &mut S::Bar,
        model_bar: &mut F,
        work: &mut S::VjpWork,
    ) -> Result<Way, SolveError> {
        if let Some(before) = self.states.pop() {
            pass.scheme.step_vjp(&pass.problem.field, step, &before, state, bar, model_bar, work);
        }
        Ok(Way::On)
    }

    fn bytes(&self) -> usize {
        self.states.len() * self.state_bytes
    }

    fn report(&self, _: &S, stats: &mut Stats) {
        stats.strategy = "store-all";
    }
}
