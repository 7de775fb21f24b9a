//! Guarded: the pair without damping, reversed from anchor to anchor, each segment certified.

use super::backward::differentiate;
use super::certificate::distance;
use super::checkpointed::Checkpoints;
use super::schedule::Schedule;
use super::{
    Backward, DEFAULT_MEMORY, Gradient, GradientStrategy, Keeper, Loss, Pairing, Solve, Way,
};
use crate::controller::{StepControl, Tolerance};
use crate::guarded::{GuardedPair, GuardedState, Lost, close_vjp};
use crate::halves::largest;
use crate::parasitic::{PairBar, fewer_steps};
use crate::record::StepRecord;
use crate::reversible::Pair;
use crate::scheme::{Scheme, SchemeVjp, Step, VjpWork, Work};
use crate::solution::Solution;
use crate::{FieldVjp, MethodVjp, Problem, Real, SolveError, State, Stats};

/// Certified gradients by reversal, for dissipative problems and long horizons too.
///
/// The steps of the [guarded pair](GuardedPair) are inverted from one anchor to the one before it.
/// There the reversed pair is compared with the stored one: that difference is the *certificate*
/// of the segment. It is 0, because the steps are undone to the last bit, unless a component grew beyond
/// its grid in a single step or the field does not give equal bits for equal inputs. Where it is not, the segment
/// is solved again from its anchor, with its states stored or checkpointed. So the gradient is that of
/// the stored states, whatever [accuracy](crate::Solver::gradient_accuracy) was asked for.
///
/// The memory is that of the anchors, whose number belongs to the horizon and not to the number of
/// steps. Where they pass the [limit](crate::Solver::memory_limit) they are thinned, and those
/// between are computed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Guarded;

impl<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F> + Clone> Pairing<T, F, M> for Guarded {
    type Scheme = GuardedPair<M>;

    fn scheme(
        &self,
        method: &M,
        _: &Problem<T, F>,
        _: Option<Tolerance>,
    ) -> Result<GuardedPair<M>, SolveError> {
        Ok(GuardedPair::new(method.clone()))
    }

    /// With more anchors, where cotangents grew too much from one to the next.
    fn run<R>(
        &self,
        mut scheme: GuardedPair<M>,
        run: impl Fn(&GuardedPair<M>) -> Result<R, SolveError>,
    ) -> Result<R, SolveError> {
        loop {
            match run(&scheme) {
                Err(SolveError::CotangentsGrown { factor, steps, .. }) => {
                    scheme.longest = fewer_steps(factor, steps);
                }
                result => return result,
            }
        }
    }
}

impl<T, F, M, C> GradientStrategy<T, F, M, C> for Guarded
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F> + Clone,
    C: StepControl<T, F, GuardedPair<M>>,
{
    fn forward(&self, solve: &Solve<'_, T, F, M, C>) -> Result<Solution<T, F::State>, SolveError> {
        solve.with_pair(self, |scheme| solve.along(scheme))
    }

    fn gradient(
        &self,
        solve: &Solve<'_, T, F, M, C>,
        loss: &impl Loss<T, F::State>,
    ) -> Result<Gradient<F, F::State, T>, SolveError> {
        let memory = solve.memory.unwrap_or(DEFAULT_MEMORY);
        solve.with_pair(self, |scheme| {
            let keeper = Anchors::new(scheme, solve.problem, memory);
            differentiate(solve, scheme, keeper, loss)
        })
    }
}

/// The anchors of a solve, and the segment between two of them that is being reversed.
struct Anchors<T: Real, F: FieldVjp<T>, W> {
    /// The steps before which the anchors lie, the start first; on the way back those that are left.
    indices: Vec<u64>,
    /// Which of them, by their number, are stored.
    schedule: Schedule,
    /// What was lost at those.
    states: Vec<Lost<F::State>>,
    /// The bytes that stored states may take.
    memory: usize,
    /// Scratch space to come by anchors that were thinned out.
    work: W,

    /// The anchor at the start of the segment in work, the last one that is left.
    anchor: Option<Lost<F::State>>,
    /// The end of the segment in work, to go back to.
    end: End<F, F::State>,
    /// The segment in work, where it is solved again.
    again: Option<Checkpoints<GuardedState<F::State>, W>>,
    /// For the statistics.
    report: Report,
}

#[derive(Default)]
struct Report {
    anchors: u64,
    recomputed: u64,
    evaluations: u64,
    /// The worst one, of a segment that was solved again.
    certificate: f64,
}

/// The end of a segment.
struct End<F, S> {
    /// The last step of the segment.
    last: u64,
    pair: Pair<S>,
    bar: PairBar<S>,
    model_bar: F,
}

impl<T: Real, F: FieldVjp<T>, W> Anchors<T, F, W> {
    fn new<M>(scheme: &GuardedPair<M>, problem: &Problem<T, F>, memory: usize) -> Self
    where
        M: MethodVjp<T, F>,
        GuardedPair<M>: Scheme<T, F, State = GuardedState<F::State>, Work = W>,
    {
        let Problem { field, y0, .. } = problem;
        let lost = Lost::nothing(y0);
        // The start and one more at the least.
        let mut schedule = Schedule::new((memory / anchor_bytes(y0)).max(2));
        schedule.place_online(0);
        let end = End {
            last: 0,
            pair: lost.pair.clone(),
            bar: scheme.zero_bar(y0),
            model_bar: field.zeros_like(),
        };
        Self {
            indices: vec![0],
            schedule,
            states: vec![lost],
            memory,
            work: scheme.work(field, y0),
            anchor: None,
            end,
            again: None,
            report: Report::default(),
        }
    }

    /// The step before which the segment in work starts.
    fn start(&self) -> u64 {
        self.indices.last().copied().unwrap_or(0)
    }

    fn store(&mut self, slot: usize, lost: &Lost<F::State>) {
        match self.states.get_mut(slot) {
            Some(stored) => stored.assign(lost),
            // Slots are used for the first time in their order.
            None => self.states.push(lost.clone()),
        }
    }

    /// What was lost at the last anchor. One that was thinned out is computed again from the one
    /// before it that is stored.
    fn recall<M>(
        &mut self,
        pass: &Backward<'_, T, F, GuardedPair<M>>,
    ) -> Result<Lost<F::State>, SolveError>
    where
        M: MethodVjp<T, F>,
        GuardedPair<M>: Scheme<T, F, State = GuardedState<F::State>, Work = W>,
    {
        let Backward { scheme, problem, record } = *pass;
        let number = self.indices.len() as u64 - 1;
        while self.schedule.last().is_some_and(|last| last.index > number) {
            self.schedule.pop();
        }
        // The start is always stored, so that there is a last anchor.
        let (mut at, slot) = self.schedule.last().map_or((0, 0), |last| (last.index, last.slot));
        let mut lost = self.states[slot].clone();
        if at == number {
            return Ok(lost);
        }
        let mut now = lost.next();
        let mut next = now.clone();
        while at < number {
            let placed = self.schedule.place_binomial(number);
            let stop = placed.map_or(number, |(index, _)| index);
            let (first, end) = (self.indices[at as usize], self.indices[stop as usize]);
            for step in record.from(first).take((end - first) as usize) {
                scheme.propose(&problem.field, step, &now, &mut next, &mut self.work);
                scheme.complete(&problem.field, step, &now, &mut next, &mut self.work)?;
                std::mem::swap(&mut now, &mut next);
            }
            at = stop;
            // The steps are the same to the last bit, and so they end in the same anchors, or else the field
            // does not give equal bits for equal inputs.
            let Some(found) = &now.lost else { return Err(not_repeated(record, end)) };
            lost.assign(found);
            if let Some((_, slot)) = placed {
                self.store(slot, &lost);
            }
        }
        Ok(lost)
    }
}

/// The memory that an anchor takes: what was lost there, its place, and its entry in the schedule.
fn anchor_bytes<T: Real, S: State<T>>(y0: &S) -> usize {
    // The pair, its grid and its pace.
    let lost = size_of::<Lost<S>>() + 3 * (y0.bytes() - size_of::<S>());
    lost + size_of::<u64>() + Schedule::ENTRY_BYTES
}

/// The largest difference of a reversed pair from the known one, relative to the largest component.
#[cold]
fn relative_difference<T: Real, S: State<T>>(reversed: &Pair<S>, known: &Pair<S>) -> f64 {
    let off = |x: &S, y: &S| {
        let distances = x.as_slice().iter().zip(y.as_slice()).map(|(x, y)| distance(*x, *y));
        distances.map(Real::to_f64).fold(0.0, f64::max)
    };
    off(&reversed.y, &known.y).max(off(&reversed.z, &known.z)) / largest(known.y.as_slice())
}

/// The error of steps before step number `end` that did not come out as before.
#[cold]
fn not_repeated<T: Real>(record: &StepRecord<T>, end: u64) -> SolveError {
    let last = end.saturating_sub(1);
    let t = record.from(last).next().map_or(f64::NAN, |step| step.t.to_f64());
    SolveError::NotRepeated { step: last, t }
}

impl<F, S> End<F, S> {
    fn save<T: Real>(&mut self, last: u64, pair: &Pair<S>, bar: &PairBar<S>, model_bar: &F)
    where
        F: FieldVjp<T, State = S>,
        S: State<T>,
    {
        self.last = last;
        self.pair.assign(pair);
        self.bar.assign(bar);
        copy_model(&mut self.model_bar, model_bar);
    }

    fn restore<T: Real>(&self, pair: &mut Pair<S>, bar: &mut PairBar<S>, model_bar: &mut F)
    where
        F: FieldVjp<T, State = S>,
        S: State<T>,
    {
        pair.assign(&self.pair);
        bar.assign(&self.bar);
        copy_model(model_bar, &self.model_bar);
    }
}

fn copy_model<T: Real, F: FieldVjp<T>>(to: &mut F, from: &F) {
    to.slices_mut().zip(from.slices()).for_each(|(to, from)| to.copy_from_slice(from));
}

impl<T, F, M> Keeper<T, F, GuardedPair<M>> for Anchors<T, F, Work<M::Stages, F::State>>
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F>,
{
    #[inline]
    fn keep(
        &mut self,
        _: &GuardedPair<M>,
        step: Step<T>,
        _: &GuardedState<F::State>,
        after: &GuardedState<F::State>,
    ) -> Result<(), SolveError> {
        if let Some(lost) = &after.lost {
            let number = self.indices.len() as u64;
            self.indices.push(step.index + 1);
            self.report.anchors += 1;
            if let Some(slot) = self.schedule.place_online(number) {
                self.store(slot, lost);
            }
        }
        Ok(())
    }

    #[inline]
    fn step_back(
        &mut self,
        pass: &Backward<'_, T, F, GuardedPair<M>>,
        step: Step<T>,
        state: &mut GuardedState<F::State>,
        bar: &mut PairBar<F::State>,
        model_bar: &mut F,
        work: &mut VjpWork<M::Taped, F::State>,
    ) -> Result<Way, SolveError> {
        let Backward { scheme, problem, .. } = *pass;
        let ends = self.anchor.is_none();
        let crosses = self.start() > step.index;
        if ends {
            self.anchor = Some(self.recall(pass)?);
        }
        if crosses && let Some(lost) = self.anchor.take() {
            // From the anchor to the end of the segment before it.
            self.indices.pop();
            close_vjp(&lost, &state.grid, bar);
            state.pair = lost.pair;
            state.grid = lost.grid;
            state.lost = None;
            self.anchor = Some(self.recall(pass)?);
        }
        if ends || crosses {
            self.end.save(step.index, &state.pair, bar, model_bar);
        }
        if let Some(segment) = &mut self.again {
            segment.step_back(pass, step, state, bar, model_bar, work)?;
        } else {
            scheme.unstep_vjp(&problem.field, step, state, bar, model_bar, work);
        }
        if step.index > self.start() {
            return Ok(Way::On);
        }

        if let Some(segment) = self.again.take() {
            self.report.evaluations += segment.evaluations(scheme);
        } else if let Some(anchor) = &self.anchor {
            let start = anchor.next();
            if state.pair != start.pair {
                let certificate = relative_difference(&state.pair, &start.pair);
                self.report.certificate = self.report.certificate.max(certificate);
                self.end.restore(&mut state.pair, bar, model_bar);
                let slots = (self.memory / scheme.state_bytes(state)).max(1);
                let mut segment = Checkpoints::new(scheme, problem, slots);
                segment.restart(scheme, step.index, &start);
                self.again = Some(segment);
                self.report.recomputed += 1;
                return Ok(Way::Again { last: self.end.last });
            }
        }
        Ok(Way::On)
    }

    fn bytes(&self) -> usize {
        self.states.first().map_or(0, |lost| self.states.len() * anchor_bytes(&lost.pair.y))
            + (self.indices.len() - self.states.len()) * size_of::<u64>()
    }

    fn report(&self, scheme: &GuardedPair<M>, stats: &mut Stats) {
        let Report { anchors, recomputed, evaluations, certificate } = self.report;
        stats.strategy = "guarded";
        stats.anchors = anchors;
        stats.certificate = Some(certificate);
        stats.recomputed = recomputed;
        stats.evaluations += evaluations + Scheme::<T, F>::evaluations(scheme, &self.work);
    }
}
