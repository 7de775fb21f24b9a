//! A solve, leg by leg: from its start over the events and stops to its end.
//!
//! A leg ends at a stop, at an event of a known time, or where the time loop finds an event of the solution. There the
//! state changes as the events say, and the method starts anew: a leg is a solve of its own, forward and on the way back,
//! whatever the scheme and the strategy.

use std::borrow::Cow;

use super::events::Found;
use crate::error::Readable;
use crate::save::{SaveKind, SavePlan};
use crate::{
    Action, Event, Leg, Occurrence, Problem, Real, Sides, SolveError, State, Trigger, VectorField,
    sides,
};

/// What a leg passes on its way, and what the legs before have left it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Course<'a, T> {
    /// Whether its start is saved.
    pub(crate) start: bool,
    /// The times that are landed on and saved.
    pub(crate) stops: &'a [T],
    /// The times that are read from the interpolants of the steps.
    pub(crate) between: &'a [T],
    /// What else is saved.
    pub(crate) kind: SaveKind,
    /// The number of its first save point.
    pub(crate) first: usize,
    /// The steps that the legs before have tried.
    pub(crate) tried: u64,
    /// The size that its first step is to have, where nothing has changed since the last one.
    pub(crate) h: Option<T>,
    /// The events that have just happened.
    pub(crate) happened: &'a [Found],
    /// Whether the solve ends where the leg does, by an event.
    pub(crate) ends: bool,
}

impl<T> Course<'_, T> {
    /// Whether the end of each step is saved, and no other point but the start.
    pub(crate) fn saves_each_step(&self) -> bool {
        self.kind == SaveKind::Steps
    }

    /// Whether the interpolants are kept.
    pub(crate) fn is_dense(&self) -> bool {
        self.kind == SaveKind::Dense
    }

    /// Whether the state at an event that ends the solve is saved.
    pub(crate) fn saves_end(&self) -> bool {
        matches!(self.kind, SaveKind::End | SaveKind::Dense)
    }

    /// Whether the interpolants of the steps are needed.
    pub(crate) fn reads(&self) -> bool {
        self.is_dense() || !self.between.is_empty()
    }
}

/// Where a leg has ended.
#[derive(Debug)]
pub(crate) struct Arrival<T> {
    /// The time.
    pub(crate) t: T,
    /// The size that the next step was to have, signed.
    pub(crate) h: T,
    /// The steps that it has tried.
    pub(crate) tried: u64,
    /// The number of the next save point.
    pub(crate) points: usize,
    /// The events that were found there.
    pub(crate) events: Vec<Found>,
}

/// A time at which a leg ends whatever the solution does, and the events that happen there.
#[derive(Debug)]
struct Halt<T> {
    t: T,
    events: Vec<usize>,
    /// Whether one of them ends the solve.
    ends: bool,
}

/// An event that happens so many times in a row, each time next to the one before, does so without end.
const MOST_AT_ONCE: u32 = 100;

/// A solve on its way.
#[derive(Debug)]
pub(crate) struct Journey<'a, T: Real, F: VectorField<T>> {
    problem: &'a Problem<T, F>,
    plan: Cow<'a, SavePlan<T>>,
    /// The halts that are ahead, the next one last.
    halts: Vec<Halt<T>>,
    /// Where the next leg starts; the state is that of the problem as long as there is none. (On the heap, as a solve
    /// has counted what it takes of the stack.)
    t: T,
    y: Option<Box<F::State>>,
    /// The sides of the field's jumps on which the solution is.
    sides: Sides,
    /// Whether the next leg is the first one.
    first: bool,
    /// Whether the state has just changed.
    changed: bool,
    /// Whether the last one has come to the end.
    over: bool,
    /// The save points passed and the steps tried.
    points: usize,
    tried: u64,
    h: Option<T>,
    happened: Vec<Found>,
    /// How often each event has happened.
    counts: Vec<usize>,
    /// When each event has happened last, and how often in a row it was next to the time before.
    rows: Vec<(T, u32)>,
}

impl<'a, T: Real, F: VectorField<T>> Journey<'a, T, F> {
    /// Before its start.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] where the time of an event is not a number.
    pub(crate) fn new(
        problem: &'a Problem<T, F>,
        plan: Cow<'a, SavePlan<T>>,
    ) -> Result<Self, SolveError> {
        Ok(Self {
            problem,
            halts: halts(problem, &plan)?,
            plan,
            t: problem.t0,
            y: None,
            sides: sides::start(&problem.field, problem.t0, &problem.y0, problem.t1 - problem.t0)?,
            first: true,
            changed: false,
            over: false,
            points: 0,
            tried: 0,
            h: None,
            happened: Vec::new(),
            counts: vec![0; problem.field.event_count()],
            rows: vec![(T::from_f64(f64::NAN), 0); problem.field.event_count()],
        })
    }

    /// The number of save points, where it is known beforehand.
    pub(crate) fn points(&self) -> Option<usize> {
        self.plan.len()
    }

    /// The state at the start.
    pub(crate) fn start(&self) -> &F::State {
        &self.problem.y0
    }

    /// The next leg; `kept` bytes are kept of those before. It has no length where events happen at the start.
    pub(crate) fn leg(&self, kept: usize) -> (Leg<'_, T, F>, Course<'_, T>) {
        let Self { problem: Problem { field, y0, t0, t1, .. }, plan, t, .. } = self;
        let y0 = self.y.as_deref().unwrap_or(y0);
        let t1 = self.halts.last().map_or(*t1, |halt| halt.t);
        let leg = Leg { field, y0, t0: *t, t1, sides: self.sides, kept };
        let backward = self.problem.t1 < *t0;
        let course = Course {
            start: if self.first {
                plan.start
            } else {
                plan.kind == SaveKind::Steps && self.changed
            },
            stops: ahead(&plan.stops, (*t, t1), backward),
            between: ahead(&plan.between, (*t, t1), backward),
            kind: plan.kind,
            first: self.points,
            tried: self.tried,
            h: self.h,
            happened: &self.happened,
            ends: self.halts.last().is_some_and(|halt| halt.ends),
        };
        (leg, course)
    }

    /// Whether the last leg has come to the end of the solve.
    pub(crate) fn is_over(&self) -> bool {
        self.over
    }

    /// A leg has ended in the state `y`. Returns the events that have happened there.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] where an event makes the state infinite or NaN, [`SolveError::Chattering`] where one
    /// happens again and again without end.
    pub(crate) fn arrive(
        &mut self,
        arrival: Arrival<T>,
        y: &F::State,
    ) -> Result<Vec<Occurrence<T, F::State>>, SolveError> {
        let Arrival { t, h, tried, points, events: mut found } = arrival;
        let field = &self.problem.field;
        // Of a pair of odd order the event was found in `y`, and the next leg starts from the mean of `y` and `z`.
        for found in &mut found {
            let g = field.trigger_on(self.sides, found.number, t, y).to_f64();
            if found.from != 0.0 {
                found.missed = found.missed.max(g.abs());
            }
        }
        let mut events: Vec<usize> = found.iter().map(|found| found.number).collect();
        if let Some(halt) = self.halts.pop_if(|halt| halt.t == t) {
            events.extend(halt.events);
            events.sort_unstable();
        }
        let ends = events.iter().position(|i| field.event(*i).action == Action::End);
        // What is declared after an event that ends the solve does not happen.
        events.truncate(ends.map_or(usize::MAX, |last| last + 1));
        self.watch_for_chattering(t, &events)?;
        let moved = t != self.t;
        self.happened = found;
        self.t = t;
        self.first = false;
        self.tried = self.tried.saturating_add(tried);
        self.points = points;
        self.over = ends.is_some() || t == self.problem.t1;
        if self.over && events.is_empty() {
            return Ok(Vec::new());
        }
        let occurred = self.change(&events, y.clone())?;
        let switches = occurred.iter().any(|x| x.event.action == Action::Switch);
        self.h = (moved && !self.changed && !switches).then_some(h);
        Ok(occurred)
    }

    /// The leg has come so far, and its state was changed by hand to `y`.
    ///
    /// # Errors
    /// [`SolveError::Chattering`] where that is a place from which the fields of both sides lead back.
    pub(crate) fn go_on_from(
        &mut self,
        arrival: &Arrival<T>,
        y: &F::State,
    ) -> Result<(), SolveError> {
        let &Arrival { t, tried, .. } = arrival;
        self.tried = self.tried.saturating_add(tried);
        // What has just happened at this time, and stays at 0, does not happen once more.
        if t != self.t {
            self.happened.clear();
        }
        (self.t, self.first, self.changed, self.h) = (t, false, true, None);
        let found = (&self.happened[..], true);
        let Problem { field, t0, t1, .. } = self.problem;
        self.sides = sides::settled(field, [self.sides; 2], (t, y), found, *t1 - *t0)?;
        self.y = Some(Box::new(y.clone()));
        Ok(())
    }

    /// Changes the state `y` by events in their order.
    fn change(
        &mut self,
        events: &[usize],
        mut y: F::State,
    ) -> Result<Vec<Occurrence<T, F::State>>, SolveError> {
        let (field, t) = (&self.problem.field, self.t);
        let mut occurred = Vec::with_capacity(events.len());
        self.changed = false;
        let span = self.problem.t1 - self.problem.t0;
        for (i, number) in events.iter().enumerate() {
            let (event, before, sides) = (field.event(*number), y.clone(), self.sides);
            match event.action {
                // (After a change it is on the side to which it goes from there.)
                Action::Switch if !self.changed => {
                    self.sides = sides::beyond(field, self.sides, *number);
                }
                Action::Reset => {
                    field.reset(*number, t, &mut y);
                    check_reset(event, t, &y)?;
                    self.changed = true;
                }
                _ => {}
            }
            if matches!(event.action, Action::Switch | Action::Reset) {
                let found = (&self.happened[..], self.changed);
                match sides::settled(field, [sides, self.sides], (t, &y), found, span) {
                    Ok(sides) => self.sides = sides,
                    Err(error) if i + 1 == events.len() && !self.over => return Err(error),
                    // What comes next can lead away.
                    Err(_) => {}
                }
            }
            let (after, sides) = (y.clone(), self.sides);
            let (number, nth) = (*number, self.counts[*number]);
            self.counts[number] += 1;
            occurred.push(Occurrence { number, event, nth, t, before, after, sides });
        }
        self.y = Some(Box::new(y));
        Ok(occurred)
    }

    /// Counts how often events happen next to the time before: within some units of the rounding of time.
    fn watch_for_chattering(&mut self, t: T, events: &[usize]) -> Result<(), SolveError> {
        for &number in events {
            let (last, times) = &mut self.rows[number];
            let next = T::from_f64(1024.0) * T::EPSILON * t.abs().max(last.abs());
            *times = if (t - *last).abs() <= next { *times + 1 } else { 0 };
            *last = t;
            if *times >= MOST_AT_ONCE {
                let event = self.problem.field.event(number).to_string();
                return Err(SolveError::Chattering { event, t: t.to_f64() });
            }
        }
        Ok(())
    }
}

/// The times behind a start and not behind an end.
fn ahead<T: Real>(times: &[T], (start, end): (T, T), backward: bool) -> &[T] {
    let after = |t: &T, than: T| if backward { *t < than } else { *t > than };
    let first = times.partition_point(|t| !after(t, start));
    let last = times.partition_point(|t| !after(t, end));
    &times[first..last]
}

/// The stops and the events of known times from the start of the span to before its end, the first one last.
fn halts<T: Real, F: VectorField<T>>(
    problem: &Problem<T, F>,
    plan: &SavePlan<T>,
) -> Result<Vec<Halt<T>>, SolveError> {
    let Problem { field, y0, t0, t1, stops } = problem;
    // Save points and ends of the span that differ from a halt by rounding are at the same time.
    let points = || std::iter::once(t0).chain(&plan.stops).chain(&plan.between);
    let same = T::from_f64(4.0) * T::EPSILON * t0.abs().max(t1.abs());
    let met = |t: T| points().copied().find(|point| (*point - t).abs() <= same).unwrap_or(t);
    let halt = |t: T, events| Halt { t: met(t), events, ends: false };
    let mut halts: Vec<Halt<T>> = stops.iter().map(|t| halt(*t, Vec::new())).collect();
    halts.retain(|halt| halt.t != *t0);
    for i in 0..field.event_count() {
        let event = field.event(i);
        if event.trigger == Trigger::Time {
            let t = time_of(field, i, event, y0)?;
            halts.push(Halt { ends: event.action == Action::End, ..halt(t, vec![i]) });
        }
    }
    let backward = t1 < t0;
    halts.retain(|halt| {
        let Halt { t, .. } = halt;
        if backward { t <= t0 && t > t1 } else { t >= t0 && t < t1 }
    });
    // (Stable: events of one time keep their order.)
    halts.sort_by(|a, b| {
        let order = a.t.to_f64().total_cmp(&b.t.to_f64());
        if backward { order.reverse() } else { order }
    });
    let mut joined: Vec<Halt<T>> = Vec::with_capacity(halts.len());
    for halt in halts {
        match joined.last_mut() {
            Some(last) if last.t == halt.t => {
                last.events.extend(halt.events);
                last.ends |= halt.ends;
            }
            _ => joined.push(halt),
        }
    }
    joined.reverse();
    Ok(joined)
}

/// An error where an event has changed the state to what is none.
fn check_reset<T: Real, S: State<T>>(event: Event, t: T, y: &S) -> Result<(), SolveError> {
    let Some(i) = y.as_slice().iter().position(|y| !y.is_finite()) else { return Ok(()) };
    let (t, value) = (Readable(t), y.as_slice()[i]);
    let problem = format!("`{event}` has changed component {i} of the state to {value} at t = {t}");
    Err(SolveError::argument("event", problem))
}

/// The time of an event that depends on parameters only: its trigger is the time less that, which at 0 is its negative
/// to the last bit.
fn time_of<T: Real, F: VectorField<T>>(
    field: &F,
    i: usize,
    event: Event,
    y0: &F::State,
) -> Result<T, SolveError> {
    let t = -field.trigger(i, T::ZERO, y0);
    // (One that is infinite never comes.)
    if !t.to_f64().is_nan() {
        return Ok(t);
    }
    let problem = format!("the time of `{event}` is {}", Readable(t));
    Err(SolveError::argument("parameters", problem))
}
