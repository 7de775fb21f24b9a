//! Guarded: the pair without damping, reversed from anchor to anchor to the last bit.

use super::super::passes::{Keeper, Pass};
use super::super::store::revolve::Schedule;
use super::super::{DEFAULT_MEMORY, Strategy};
use crate::control::Tolerance;
use crate::scheme::pair::anchored::{Anchor, Anchored, AnchoredState};
use crate::scheme::pair::growth::fewer_steps;
use crate::scheme::pair::{Pair, PairAdjoint, PairScheme};
use crate::scheme::{Scheme, VjpWork, Work};
use crate::stats::StrategyStats;
use crate::stop::{Finding, Stop};
use crate::{FieldVjp, Leg, MethodVjp, Problem, Real, SolveError, State, Step};

/// Gradients by reversal to the last bit, for dissipative problems and long horizons too.
///
/// The steps of the guarded pair are inverted from one anchor to the one before it, on a grid on which that is exact.
/// A step in which a component outgrows its grid cannot be inverted: the pair at its start is stored. At each anchor
/// the reversed pair must equal the stored one to the last bit, or else the field does not give equal bits for equal
/// inputs ([`SolveError::NotRepeated`]). So the gradient is that of the stored states.
///
/// The memory is that of the anchors, whose number belongs to the horizon and not to the number of
/// steps. Where they pass the limit they are thinned, and those between are computed again.
///
/// Derivation and measurements: `docs/guarded.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guarded {
    memory: usize,
}

impl Default for Guarded {
    fn default() -> Self {
        Self { memory: DEFAULT_MEMORY }
    }
}

impl Guarded {
    /// With anchors that may take so many bytes, 64 MB by default, but for 8 bytes an anchor, the start of each
    /// step that cannot be inverted, and save points that no step lands on.
    #[must_use]
    pub fn memory(self, bytes: usize) -> Self {
        Self { memory: bytes }
    }
}

impl Strategy for Guarded {
    type Scheme<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> = PairScheme<M, Anchored>;
    type Keeper<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> = Anchors<T, F, M>;

    fn scheme<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        method: &M,
        _: &Problem<T, F>,
        _: Option<Tolerance>,
    ) -> Result<PairScheme<M, Anchored>, SolveError> {
        Ok(PairScheme { method: method.clone(), arithmetic: Anchored { max_segment: u64::MAX } })
    }

    fn keeper<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        _: &PairScheme<M, Anchored>,
        leg: Leg<'_, T, F>,
        _: Option<Tolerance>,
    ) -> Result<Anchors<T, F, M>, SolveError> {
        Ok(Anchors::new(leg.y0, self.memory.saturating_sub(leg.kept)))
    }

    /// With more anchors, where cotangents grew too much from one to the next: at least twice as many, so that it ends.
    fn revise<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        scheme: &mut PairScheme<M, Anchored>,
        finding: &Finding,
    ) -> bool {
        let &Finding::CotangentsGrown { factor, steps, .. } = finding else { return false };
        scheme.arithmetic.max_segment = fewer_steps(factor, steps);
        true
    }
}

/// The anchors of a solve.
pub struct Anchors<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> {
    /// The steps before which the anchors lie, the start first; on the way back those that are left.
    indices: Vec<u64>,
    /// Which of them, by their number, are stored.
    schedule: Schedule,
    /// Those, in the schedule's slots; the start, in slot 0, is the problem's.
    stored: Vec<Anchor<F::State>>,
    /// The pairs before the steps that cannot be inverted, with the steps' numbers.
    before: Vec<(u64, Pair<F::State>)>,
    /// Scratch space to come by anchors that were thinned out, where any were.
    work: Option<Work<T, F, PairScheme<M, Anchored>>>,
    /// The anchor at the start of the segment in work, the last one that is left.
    anchor: Option<Anchor<F::State>>,
    /// Anchors and stored steps of the forward pass.
    counts: (u64, u64),
}

impl<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> Anchors<T, F, M> {
    fn new(y0: &F::State, memory: usize) -> Self {
        // The start and one more at the least.
        let mut schedule = Schedule::new((memory / anchor_bytes(y0)).max(2));
        schedule.place_online(0);
        Self {
            indices: vec![0],
            schedule,
            stored: Vec::new(),
            before: Vec::new(),
            work: None,
            anchor: None,
            counts: (0, 0),
        }
    }

    /// The step before which the segment in work starts.
    fn start(&self) -> u64 {
        self.indices.last().copied().unwrap_or(0)
    }

    fn store(&mut self, slot: usize, anchor: &Anchor<F::State>) {
        match self.stored.get_mut(slot - 1) {
            Some(stored) => stored.assign(anchor),
            // Slots are used for the first time in their order.
            None => self.stored.push(anchor.clone()),
        }
    }

    /// The last anchor. One that was thinned out is computed again from the one before it that is stored.
    fn recall(
        &mut self,
        pass: &Pass<'_, T, F, PairScheme<M, Anchored>>,
    ) -> Result<Anchor<F::State>, Stop> {
        let Pass { scheme, leg: Leg { field, y0, .. }, record, .. } = *pass;
        let number = self.indices.len() as u64 - 1;
        // The start is always in the schedule, so that there is a last anchor.
        let last = self.schedule.last_before(number);
        let (mut at, slot) = last.map_or((0, 0), |last| (last.index, last.slot));
        let mut anchor = match at {
            0 => Anchor::start(y0),
            _ => self.stored[slot - 1].clone(),
        };
        if at == number {
            return Ok(anchor);
        }
        let work = self.work.take();
        let mut work = work.unwrap_or_else(|| Work::new(scheme, field, y0));
        let mut state = anchor.next();
        while at < number {
            let placed = self.schedule.place_binomial(number);
            let stop = placed.map_or(number, |(index, _)| index);
            let (first, end) = (self.indices[at as usize], self.indices[stop as usize]);
            for step in record.from(first).take((end - first) as usize) {
                let taken = scheme.take_again(field, step, &mut state, &mut work);
                // The steps are the same to the last bit, and so they end in the same anchors.
                if taken.is_err() || (step.index + 1 == end && state.anchor.is_none()) {
                    return Err(SolveError::not_repeated(step).into());
                }
            }
            at = stop;
            if let Some(found) = &state.anchor {
                anchor.assign(found);
            }
            if let Some((_, slot)) = placed {
                self.store(slot, &anchor);
            }
        }
        self.work = Some(work);
        Ok(anchor)
    }
}

impl<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> std::fmt::Debug for Anchors<T, F, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Anchors").field("indices", &self.indices).finish_non_exhaustive()
    }
}

/// The memory that an anchor takes: its pair and grid, its place, and its entry in the schedule.
fn anchor_bytes<T: Real, S: State<T>>(y0: &S) -> usize {
    let anchor = size_of::<Anchor<S>>() + 3 * (y0.bytes() - size_of::<S>());
    anchor + size_of::<u64>() + Schedule::ENTRY_BYTES
}

/// Takes a step back whose start, `pair`, is stored. Out of line, because few steps are such, and so that the step
/// that is inverted is compiled for itself.
#[cold]
#[inline(never)]
fn from_stored<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
    pass: &Pass<'_, T, F, PairScheme<M, Anchored>>,
    step: Step<T>,
    pair: Pair<F::State>,
    state: &mut AnchoredState<F::State>,
    adjoint: &mut PairAdjoint<F::State, F>,
    work: &mut VjpWork<T, F, M>,
) -> Result<(), Stop> {
    pass.step_back(step, Some(&pair.z), state, adjoint, work)?;
    state.pair = pair;
    Ok(())
}

impl<T, F, M> Keeper<T, F, PairScheme<M, Anchored>> for Anchors<T, F, M>
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F>,
{
    #[inline]
    fn after(
        &mut self,
        _: &PairScheme<M, Anchored>,
        step: Step<T>,
        state: &AnchoredState<F::State>,
    ) {
        if let Some(before) = &state.before {
            self.before.push((step.index, before.clone()));
            self.counts.1 += 1;
        }
        if let Some(anchor) = &state.anchor {
            let number = self.indices.len() as u64;
            self.indices.push(step.index + 1);
            self.counts.0 += 1;
            if let Some(slot) = self.schedule.place_online(number) {
                self.store(slot, anchor);
            }
        }
    }

    #[inline]
    fn step_back(
        &mut self,
        pass: &Pass<'_, T, F, PairScheme<M, Anchored>>,
        step: Step<T>,
        state: &mut AnchoredState<F::State>,
        adjoint: &mut PairAdjoint<F::State, F>,
        work: &mut VjpWork<T, F, M>,
    ) -> Result<(), Stop> {
        if self.anchor.is_none() {
            self.anchor = Some(self.recall(pass)?);
        }
        if self.start() > step.index {
            // From the anchor to the end of the segment before it.
            self.indices.pop();
            state.anchor = self.anchor.take();
            self.anchor = Some(self.recall(pass)?);
        }
        if let Some((_, pair)) = self.before.pop_if(|(index, _)| *index == step.index) {
            from_stored(pass, step, pair, state, adjoint, work)?;
        } else {
            pass.step_back(step, None, state, adjoint, work)?;
        }
        if step.index == self.start()
            && self.anchor.as_ref().is_some_and(|anchor| !anchor.is_start_of(state))
        {
            return Err(SolveError::not_repeated(step).into());
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        let anchors = self.stored.first().map_or(0, |anchor| anchor_bytes(&anchor.pair.y));
        let before = self.before.first().map_or(0, |(_, pair)| 2 * pair.y.bytes());
        // The start takes a place and an entry in the schedule, a stored step its number.
        self.stored.len() * anchors
            + Schedule::ENTRY_BYTES
            + (self.indices.len() - self.stored.len()) * size_of::<u64>()
            + self.before.len() * (size_of::<u64>() + before)
    }

    fn evaluations(&self, scheme: &PairScheme<M, Anchored>) -> u64 {
        self.work.as_ref().map_or(0, |work| scheme.method.evaluations(&work.stages))
    }

    fn report(&self) -> StrategyStats {
        let (anchors, stored_steps) = self.counts;
        StrategyStats::Guarded { anchors, stored_steps }
    }
}
