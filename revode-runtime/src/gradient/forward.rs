//! The forward pass of a gradient: leg by leg, with the loss on the way and what the strategy keeps.

use super::between::Read;
use super::passes::Keeper;
use super::{Ask, Loss, Purpose};
use crate::control::StepControl;
use crate::scheme::{Scheme, SchemeVjp, Work};
use crate::slices::dot;
use crate::stop::Stop;
use crate::time::{Observer, Place, StepRecord};
use crate::{
    Action, FieldVjp, Leg, MethodVjp, Occurrence, Problem, Real, Sides, SolveError, State, Stats,
    Step, VectorField,
};

/// A leg that has been solved, for the way back.
pub(super) struct Traversed<T: Real, F: VectorField<T>, S: Scheme<T, F>, K> {
    /// Where it starts; the state is the problem's where there is none.
    pub(super) y0: Option<F::State>,
    pub(super) t0: T,
    /// Where it has ended.
    pub(super) t1: T,
    pub(super) state: S::State,
    /// The events that happened there.
    pub(super) events: Vec<Occurrence<T, F::State>>,
    pub(super) record: StepRecord<T>,
    pub(super) points: Points,
    pub(super) read: Read<T, F::State>,
    pub(super) keeper: K,
}

/// The legs of a solve, the loss, and what it cost.
pub(super) struct Way<T: Real, F: VectorField<T>, S: Scheme<T, F>, K> {
    pub(super) legs: Vec<Traversed<T, F, S, K>>,
    pub(super) loss: T,
    /// The derivatives by the save times, where they are asked for.
    pub(super) save_times: Vec<T>,
    pub(super) stats: Stats,
}

/// Solves along `scheme`; `keeper` makes what is kept of a leg.
pub(super) fn solve<T: Real, F, M, C, S, K>(
    ask: &Ask<'_, T, F, M, C>,
    scheme: &S,
    keeper: impl Fn(Leg<'_, T, F>) -> Result<K, SolveError>,
    loss: &dyn Loss<T, F::State>,
) -> Result<Way<T, F, S, K>, Stop>
where
    F: FieldVjp<T>,
    M: MethodVjp<T, F>,
    S: SchemeVjp<T, F, Method = M>,
    C: StepControl<T, F, M>,
    K: Keeper<T, F, S>,
{
    let time_loop = ask.time_loop(scheme, Purpose::Gradient);
    let mut journey = ask.journey()?;
    let (legs, save_times) = (Vec::with_capacity(1), Vec::new());
    let mut way = Way { legs, loss: T::ZERO, save_times, stats: Stats::default() };
    let mut slopes = ask.plan.differentiated.then(|| Box::new(Slopes::new(ask.problem)));
    let (mut points, mut kept) = (0, 0);
    loop {
        let (leg, course) = journey.leg(kept);
        let Leg { y0, t0, .. } = leg;
        let start = (!way.legs.is_empty()).then(|| y0.clone());
        let mut forward = Forward {
            scheme,
            loss,
            keeper: keeper(leg)?,
            value: way.loss,
            points: Points::new(points, course.saves_each_step()),
            read: Read::new(),
            mean: y0.zeros_like(),
            slopes: slopes.map(|mut slopes| {
                slopes.sides = leg.sides;
                slopes
            }),
        };
        let end = time_loop.run(leg, &course, &mut forward)?;
        let Forward { keeper, value, points: passed, read, mut mean, .. } = forward;
        slopes = forward.slopes;
        way.stats.add(&end.stats);
        way.stats.record_bytes += end.record.bytes();
        way.stats.bytes_kept += end.record.bytes()
            + passed.bytes()
            + keeper.bytes()
            + scheme.state_bytes(&end.state)
            + read.bytes();
        way.loss = value;
        (points, kept) = (passed.end(), kept + keeper.bytes());
        let t1 = end.arrival.t;
        let y = Scheme::<T, F>::read_out(scheme, &end.state, &mut mean);
        let events = journey.arrive(end.arrival, y)?;
        for occurrence in &events {
            way.stats.bytes_kept += occurrence.before.bytes() + occurrence.after.bytes();
            way.loss += loss.event(occurrence);
        }
        if let Some(slopes) = &mut slopes
            && events.last().is_some_and(|last| last.event.action == Action::End)
            && passed.at(end.record.len()).is_some()
        {
            slopes.end();
        }
        way.legs.push(Traversed {
            y0: start,
            t0,
            t1,
            state: end.state,
            events,
            record: end.record,
            points: passed,
            read,
            keeper,
        });
        if journey.is_over() {
            if let Some(slopes) = slopes {
                way.save_times = slopes.list;
                way.stats.evaluations += way.save_times.len() as u64;
            }
            loss.finish(points)?;
            loss.finish_events(&mut way.legs.iter().flat_map(|leg| &leg.events))?;
            return Ok(way);
        }
    }
}

/// Evaluates the loss along a leg, lets the keeper keep.
struct Forward<'a, T: Real, F: VectorField<T>, S, K> {
    scheme: &'a S,
    loss: &'a dyn Loss<T, F::State>,
    keeper: K,
    value: T,
    points: Points,
    read: Read<T, F::State>,
    /// Scratch space for a read-out.
    mean: F::State,
    /// The derivatives by the save times, where they are asked for. (On the heap, as a solve has counted what it takes of the
    /// stack.)
    slopes: Option<Box<Slopes<'a, T, F>>>,
}

/// The derivatives by save times.
struct Slopes<'a, T: Real, F: VectorField<T>> {
    list: Vec<T>,
    field: &'a F,
    /// The sides of the field's jumps on the leg.
    sides: Sides,
    /// Scratch space for a cotangent and a derivative.
    bar: F::State,
    f: F::State,
}

impl<'a, T: Real, F: VectorField<T>> Slopes<'a, T, F> {
    fn new(Problem { field, y0, .. }: &'a Problem<T, F>) -> Self {
        let (bar, f) = (y0.zeros_like(), y0.zeros_like());
        Self { list: Vec::new(), field, sides: Sides::default(), bar, f }
    }

    /// Of what the loss sees at a save point.
    fn push(&mut self, loss: &dyn Loss<T, F::State>, (index, t): (usize, T), y: &F::State) {
        let Self { list, field, sides, bar, f } = self;
        bar.fill(T::ZERO);
        loss.cotangent(index, t, y, bar);
        field.eval_on(*sides, t, y, f);
        list.push(dot(bar, f) + loss.time_cotangent(index, t, y));
    }

    /// An event ends the solve at the last save point, which is where the event is, whatever its time was.
    fn end(&mut self) {
        if let Some(slope) = self.list.last_mut() {
            *slope = T::ZERO;
        }
    }
}

impl<T, F, S, K> Observer<T, F, S> for Forward<'_, T, F, S, K>
where
    T: Real,
    F: FieldVjp<T>,
    S: SchemeVjp<T, F>,
    K: Keeper<T, F, S>,
{
    #[inline(always)]
    fn records(&self) -> bool {
        true
    }

    fn saved(
        &mut self,
        index: usize,
        steps: u64,
        t: T,
        state: &S::State,
    ) -> Result<(), SolveError> {
        self.points.push(steps);
        let y = Scheme::<T, F>::read_out(self.scheme, state, &mut self.mean);
        self.value += self.loss.value(index, t, y)?;
        if let Some(slopes) = &mut self.slopes {
            slopes.push(self.loss, (index, t), y);
        }
        Ok(())
    }

    fn passed(
        &mut self,
        index: usize,
        step: Step<T>,
        (t, place): (T, Place<T>),
        y: &F::State,
    ) -> Result<(), SolveError> {
        match place {
            Place::Start => self.points.push(step.index),
            Place::End => self.points.push(step.index + 1),
            Place::Between(theta) => {
                self.points.push(INSIDE);
                self.read.push(index, step, (t, theta), y);
            }
        }
        self.value += self.loss.value(index, t, y)?;
        if let Some(slopes) = &mut self.slopes {
            slopes.push(self.loss, (index, t), y);
        }
        Ok(())
    }

    #[inline(always)]
    fn before(
        &mut self,
        step: Step<T>,
        state: &S::State,
        _: &Work<T, F, S>,
    ) -> Result<(), SolveError> {
        self.keeper.before(self.scheme, step, state)
    }

    #[inline(always)]
    fn after(&mut self, step: Step<T>, state: &S::State) -> Result<(), SolveError> {
        self.keeper.after(self.scheme, step, state);
        Ok(())
    }
}

/// In the place of a number of steps: the point lies between the ends of one.
const INSIDE: u64 = u64::MAX;

/// After how many steps of a leg each of its save points was passed: a list, or nothing where its start and every step
/// has one.
#[derive(Debug)]
pub(super) struct Points {
    list: Option<Vec<u64>>,
    /// The number of the leg's first point.
    first: usize,
    /// The number of its points that were passed forward and not yet backward.
    len: usize,
}

impl Points {
    /// From the point number `first` on.
    fn new(first: usize, each_step: bool) -> Self {
        Self { list: (!each_step).then(Vec::new), first, len: 0 }
    }

    fn push(&mut self, steps: u64) {
        if let Some(list) = &mut self.list {
            list.push(steps);
        }
        self.len += 1;
    }

    /// The number of the point after the last one.
    fn end(&self) -> usize {
        self.first + self.len
    }

    /// The last save point that lies `steps` steps after the start of the leg, if there is one more; asked for from the
    /// end to the start. (Of two that are at the same place one has missed it by rounding.)
    #[inline]
    pub(super) fn next_at(&mut self, steps: u64) -> Option<usize> {
        let point = self.at(steps)?;
        self.len -= 1;
        Some(point)
    }

    /// Whether each step has a point, and one only.
    pub(super) fn are_at_each_step(&self) -> bool {
        self.list.is_none()
    }

    /// The last save point, if it lies `steps` steps after the start of the leg.
    pub(super) fn at(&self, steps: u64) -> Option<usize> {
        let last = self.len.checked_sub(1)?;
        let is_there = self.list.as_ref().is_none_or(|list| list[last] == steps);
        is_there.then_some(self.first + last)
    }

    /// So many points inside a step have been passed backward.
    pub(super) fn skip(&mut self, count: usize) {
        self.len -= count;
    }

    fn bytes(&self) -> usize {
        self.list.as_ref().map_or(0, |list| size_of_val(list.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::Points;

    #[test]
    fn save_points_come_back_in_reverse() {
        let lists: [(bool, &[u64]); 3] =
            [(true, &[0, 1, 2, 3, 4]), (false, &[1, 2, 3, 4]), (false, &[0, 2, 4])];
        for (each_step, steps) in lists {
            let mut points = Points::new(7, each_step);
            for steps in steps {
                points.push(*steps);
            }
            assert_eq!(points.end(), 7 + steps.len());
            let back: Vec<_> = (0..=4).rev().filter_map(|steps| points.next_at(steps)).collect();
            assert_eq!(back, (7..7 + steps.len()).rev().collect::<Vec<_>>());
        }
    }
}
