//! Checkpointed: some states are kept, the others computed again.

use super::schedule::Schedule;
use super::{Backward, Keeper, StateStore, Way};
use crate::scheme::{Scheme, SchemeVjp, Step};
use crate::{FieldVjp, Problem, Real, SolveError, Stats};

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
    type Keeper<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>> = Checkpoints<S::State, S::Work>;

    fn keeper<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>>(
        &self,
        scheme: &S,
        problem: &Problem<T, F>,
        _: Option<usize>,
    ) -> Result<Self::Keeper<T, F, S>, SolveError> {
        if self.slots == 0 {
            let problem = "checkpointing needs at least one slot, for the start";
            return Err(SolveError::argument("slots", problem));
        }
        Ok(Checkpoints::new(scheme, problem, self.slots))
    }
}

/// The checkpoints of a solve.
#[derive(Debug)]
pub struct Checkpoints<X, W> {
    schedule: Schedule,
    /// The states of the slots, those that have ever been used.
    states: Vec<X>,
    state_bytes: usize,
    /// The state before the step that is differentiated, and scratch space of the steps to it.
    before: X,
    next: X,
    work: W,
}

impl<X: Clone, W> Checkpoints<X, W> {
    /// No checkpoints yet, and room for `slots` of them.
    pub(super) fn new<T, F, S>(scheme: &S, problem: &Problem<T, F>, slots: usize) -> Self
    where
        T: Real,
        F: FieldVjp<T>,
        S: Scheme<T, F, State = X, Work = W>,
    {
        let start = scheme.start(&problem.y0);
        Self {
            schedule: Schedule::new(slots),
            states: Vec::new(),
            state_bytes: scheme.state_bytes(&start),
            before: start.clone(),
            next: start,
            work: scheme.work(&problem.field, &problem.y0),
        }
    }

    /// Empties the slots and starts with `state`, which lies before step `index`.
    pub(super) fn restart<T, F, S>(&mut self, scheme: &S, index: u64, state: &X)
    where
        T: Real,
        F: FieldVjp<T>,
        S: Scheme<T, F, State = X, Work = W>,
    {
        self.schedule.clear();
        if let Some(slot) = self.schedule.place_online(index) {
            Self::store(&mut self.states, scheme, slot, state);
        }
    }

    /// The field evaluations made so far.
    pub(super) fn evaluations<T, F, S>(&self, scheme: &S) -> u64
    where
        T: Real,
        F: FieldVjp<T>,
        S: Scheme<T, F, State = X, Work = W>,
    {
        scheme.evaluations(&self.work)
    }

    #[inline]
    fn store<T: Real, F: FieldVjp<T>>(
        states: &mut Vec<X>,
        scheme: &impl Scheme<T, F, State = X>,
        slot: usize,
        state: &X,
    ) {
        match states.get_mut(slot) {
            Some(stored) => scheme.assign(stored, state),
            // Slots are used for the first time in their order.
            None => states.push(state.clone()),
        }
    }
}

impl<T, F, S> Keeper<T, F, S> for Checkpoints<S::State, S::Work>
where
    T: Real,
    F: FieldVjp<T>,
    S: SchemeVjp<T, F>,
{
    #[inline]
    fn keep(
        &mut self,
        scheme: &S,
        step: Step<T>,
        before: &S::State,
        _: &S::State,
    ) -> Result<(), SolveError> {
        if let Some(slot) = self.schedule.place_online(step.index) {
            Self::store(&mut self.states, scheme, slot, before);
        }
        Ok(())
    }

    fn step_back(
        &mut self,
        pass: &Backward<'_, T, F, S>,
        step: Step<T>,
        state: &mut S::State,
        bar: &mut S::Bar,
        model_bar: &mut F,
        work: &mut S::VjpWork,
    ) -> Result<Way, SolveError> {
        let Backward { scheme, problem, record } = *pass;
        let target = step.index;
        while self.schedule.last().is_some_and(|last| last.index > target) {
            self.schedule.pop();
        }
        // The start is always stored, so that there is a last checkpoint.
        let Some(last) = self.schedule.last() else { return Ok(Way::On) };
        scheme.assign(&mut self.before, &self.states[last.slot]);
        let mut at = last.index;
        while at < target {
            let placed = self.schedule.place_binomial(target);
            let stop = placed.map_or(target, |(index, _)| index);
            for step in record.from(at).take((stop - at) as usize) {
                let Self { before, next, work, .. } = self;
                scheme.propose(&problem.field, step, before, next, work);
                scheme.complete(&problem.field, step, before, next, work)?;
                std::mem::swap(before, next);
            }
            at = stop;
            if let Some((_, slot)) = placed {
                Self::store(&mut self.states, scheme, slot, &self.before);
            }
        }
        scheme.step_vjp(&problem.field, step, &self.before, state, bar, model_bar, work);
        Ok(Way::On)
    }

    fn bytes(&self) -> usize {
        self.states.len() * self.state_bytes
    }

    fn report(&self, scheme: &S, stats: &mut Stats) {
        stats.strategy = "checkpointed";
        stats.evaluations += self.evaluations(scheme);
    }
}
