//! Store-all: every state is kept.

use super::super::StateStore;
use super::super::passes::{Keeper, Pass};
use crate::scheme::{Adjoint, SchemeVjp, VjpWork};
use crate::stats::StrategyStats;
use crate::stop::Stop;
use crate::{FieldVjp, Leg, Real, SolveError, Step};

/// Gradients from stored states: the fastest where memory suffices, at one state a step.
///
/// Over the plain method, unless [`along`](StateStore::along) another scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoreAll;

impl StoreAll {
    /// Stored states that may take so many bytes; more is [`SolveError::MemoryLimit`].
    pub fn within(bytes: usize) -> StoreWithin {
        StoreWithin::new(bytes)
    }
}

/// [`StoreAll`] within a limit of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreWithin {
    memory: usize,
}

impl StoreWithin {
    pub(crate) fn new(memory: usize) -> Self {
        Self { memory }
    }
}

impl StateStore for StoreAll {
    type Kept<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>> = Stored<S::State>;

    fn kept<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>>(
        &self,
        scheme: &S,
        leg: Leg<'_, T, F>,
    ) -> Result<Stored<S::State>, SolveError> {
        StoreWithin::new(usize::MAX).kept(scheme, leg)
    }
}

impl StateStore for StoreWithin {
    type Kept<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>> = Stored<S::State>;

    fn kept<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>>(
        &self,
        scheme: &S,
        leg: Leg<'_, T, F>,
    ) -> Result<Stored<S::State>, SolveError> {
        let state_bytes = scheme.state_bytes(&scheme.start(leg.y0));
        Ok(Stored { states: Vec::new(), state_bytes, kept: leg.kept, memory: self.memory })
    }
}

/// The state before each step.
#[derive(Debug)]
pub struct Stored<X> {
    states: Vec<X>,
    state_bytes: usize,
    /// The bytes of the legs before, and the most that all of them may take.
    kept: usize,
    memory: usize,
}

impl<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>> Keeper<T, F, S> for Stored<S::State> {
    #[inline]
    fn before(&mut self, _: &S, step: Step<T>, state: &S::State) -> Result<(), SolveError> {
        let bytes = (self.states.len() + 1).saturating_mul(self.state_bytes);
        if bytes.saturating_add(self.kept) > self.memory {
            let (limit, steps) = (self.memory, step.index);
            return Err(SolveError::MemoryLimit { limit, steps, t: step.t.to_f64() });
        }
        self.states.push(state.clone());
        Ok(())
    }

    #[inline]
    fn step_back(
        &mut self,
        pass: &Pass<'_, T, F, S>,
        step: Step<T>,
        state: &mut S::State,
        adjoint: &mut Adjoint<S::Bar, F>,
        work: &mut VjpWork<T, F, S::Method>,
    ) -> Result<(), Stop> {
        if let Some(before) = self.states.pop() {
            pass.step_vjp(step, &before, state, adjoint, work)?;
            *state = before;
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.states.len() * self.state_bytes
    }

    fn report(&self) -> StrategyStats {
        StrategyStats::StoreAll
    }
}
