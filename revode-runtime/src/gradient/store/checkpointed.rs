//! Checkpointed: some states are kept, the others computed again.

use super::super::StateStore;
use super::super::passes::{Keeper, Pass};
use super::revolve::Schedule;
use crate::scheme::{Adjoint, SchemeVjp, VjpWork, Work};
use crate::stats::StrategyStats;
use crate::stop::Stop;
use crate::{FieldVjp, Leg, Method, Real, SolveError, Step};

/// Gradients from a fixed number of stored states, the steps between them taken again.
///
/// The forward pass places checkpoints without knowing how many steps will come, by the algorithm of
/// Wang, Moin and Iaccarino, *Minimal repetition dynamic checkpointing algorithm for unsteady adjoint
/// calculation*, SIAM J. Sci. Comput. 31 (2009): no step is repeated more often than the best
/// schedule made with hindsight must repeat some step. Backwards, where the number of steps to a
/// checkpoint is known, freed slots are placed by the binomial schedule of Griewank and Walther,
/// *Algorithm 799: revolve*, ACM TOMS 26 (2000). See `docs/checkpointing.md`.
///
/// Over the plain method, unless [`along`](StateStore::along) another scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checkpointed {
    slots: usize,
}

impl Checkpointed {
    /// At most `slots` stored states, one of them the start; at least one.
    pub fn slots(slots: usize) -> Self {
        Self { slots }
    }
}

impl StateStore for Checkpointed {
    type Kept<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>> = Checkpoints<T, F, S>;

    fn kept<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>>(
        &self,
        scheme: &S,
        leg: Leg<'_, T, F>,
    ) -> Result<Checkpoints<T, F, S>, SolveError> {
        if self.slots == 0 {
            let problem = "checkpointing needs at least one slot, for the start";
            return Err(SolveError::argument("slots", problem));
        }
        let Leg { field, y0, .. } = leg;
        let start = scheme.start(y0);
        Ok(Checkpoints {
            schedule: Schedule::new(self.slots),
            states: Vec::new(),
            state_bytes: scheme.state_bytes(&start),
            before: start,
            work: Work::new(scheme, field, y0),
        })
    }
}

/// The checkpoints of a solve.
#[derive(Debug)]
pub struct Checkpoints<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>> {
    schedule: Schedule,
    /// The states of the slots, those that have ever been used.
    states: Vec<S::State>,
    state_bytes: usize,
    /// The state before the step that is differentiated, and scratch space of the steps to it.
    before: S::State,
    work: Work<T, F, S>,
}

/// Stores a state in a slot. Slots are used for the first time in their order.
#[inline]
fn store<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>>(
    states: &mut Vec<S::State>,
    scheme: &S,
    slot: usize,
    state: &S::State,
) {
    match states.get_mut(slot) {
        Some(stored) => scheme.assign(stored, state),
        None => states.push(state.clone()),
    }
}

impl<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>> Keeper<T, F, S> for Checkpoints<T, F, S> {
    #[inline]
    fn before(&mut self, scheme: &S, step: Step<T>, state: &S::State) -> Result<(), SolveError> {
        if let Some(slot) = self.schedule.place_online(step.index) {
            store(&mut self.states, scheme, slot, state);
        }
        Ok(())
    }

    fn step_back(
        &mut self,
        pass: &Pass<'_, T, F, S>,
        step: Step<T>,
        state: &mut S::State,
        adjoint: &mut Adjoint<S::Bar, F>,
        work: &mut VjpWork<T, F, S::Method>,
    ) -> Result<(), Stop> {
        let Pass { scheme, leg: Leg { field, .. }, record, .. } = *pass;
        let Self { schedule, states, before, work: forward, .. } = self;
        // The start is always stored, so that there is a last checkpoint.
        let Some(last) = schedule.last_before(step.index) else { return Ok(()) };
        scheme.assign(before, &states[last.slot]);
        let mut at = last.index;
        while at < step.index {
            let placed = schedule.place_binomial(step.index);
            let stop = placed.map_or(step.index, |(index, _)| index);
            for step in record.from(at).take((stop - at) as usize) {
                scheme.take_again(field, step, before, forward)?;
            }
            at = stop;
            if let Some((_, slot)) = placed {
                store(states, scheme, slot, before);
            }
        }
        pass.step_vjp(step, before, state, adjoint, work)?;
        std::mem::swap(state, before);
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.states.len() * self.state_bytes
    }

    fn evaluations(&self, scheme: &S) -> u64 {
        scheme.method().evaluations(&self.work.stages)
    }

    fn report(&self) -> StrategyStats {
        StrategyStats::Checkpointed { slots: self.states.len() }
    }
}
