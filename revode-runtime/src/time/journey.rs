//! A solve, leg by leg: from its start over the events and stops to its end.
//!
//! A leg ends at a stop, at an event of a known time, or where the time loop finds an event of the solution. There the
//! state changes as the events say, and the method starts anew: a leg is a solve of its own, forward and on the way back,
//! whatever the scheme and the strategy.

use crate::error::{Readable, check_finite};
use crate::save::{SaveKind, SavePlan};
use crate::{Action, Event, Leg, Occurrence, Problem, Real, SolveError, Trigger, VectorField};

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
    /// The events that have just happened, each with the size of its trigger before: what it missed 0 by.
    pub(crate) happened: &'a [(usize, f64)],
}

impl<T> Course<'_, T> {
    /// Whether the end of each step is saved, and no other point but the start.
    pub(crate) fn is_each_step_saved(&self) -> bool {
        self.kind == SaveKind::Steps && self.stops.is_empty()
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

impl<T: Real> SavePlan<T> {
    /// The course of a solve of one leg.
    pub(crate) fn whole(&self) -> Course<'_, T> {
        let Self { start, stops, between, kind } = self;
        Course {
            start: *start,
            stops,
            between,
            kind: *kind,
            first: 0,
            tried: 0,
            h: None,
            happened: &[],
        }
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
    pub(crate) events: Vec<usize>,
}

/// A time at which a leg ends whatever the solution does, and the events that happen there.
#[derive(Debug)]
struct Halt<T> {
    t: T,
    events: Vec<usize>,
}

/// So many events in a row, each next to the one before, are without end.
const MOST_AT_ONCE: u32 = 100;

/// A solve on its way.
#[derive(Debug)]
pub(crate) struct Journey<'a, T: Real, F: VectorField<T>> {
    problem: &'a Problem<T, F>,
    plan: &'a SavePlan<T>,
    /// The halts that are ahead, the next one last.
    halts: Vec<Halt<T>>,
    /// Where the next leg starts; the state is that of the problem as long as there is none. (On the heap, as a solve
    /// has counted what it takes of the stack.)
    t: T,
    y: Option<Box<F::State>>,
    /// Whether the next leg is the first one, and whether the state has just changed.
    first: bool,
    changed: bool,
    /// Whether the last one has come to the end.
    over: bool,
    /// The save points passed and the steps tried.
    points: usize,
    tried: u64,
    h: Option<T>,
    happened: Vec<(usize, f64)>,
    /// How often each event has happened.
    counts: Vec<usize>,
    /// The events in a row that each were next to the one before.
    at_once: u32,
}

impl<'a, T: Real, F: VectorField<T>> Journey<'a, T, F> {
    /// Before its start.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] where the time of an event is not a number.
    pub(crate) fn new(
        problem: &'a Problem<T, F>,
        plan: &'a SavePlan<T>,
    ) -> Result<Self, SolveError> {
        Ok(Self {
            problem,
            plan,
            halts: halts(problem)?,
            t: problem.t0,
            y: None,
            first: true,
            changed: false,
            over: false,
            points: 0,
            tried: 0,
            h: None,
            happened: Vec::new(),
            counts: vec![0; problem.field.event_count()],
            at_once: 0,
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
        let leg = Leg { field, y0, t0: *t, t1, kept };
        let backward = self.problem.t1 < *t0;
        let ahead = |times: &'a [T]| {
            let after = |t: &T, than: T| if backward { *t < than } else { *t > than };
            let first = times.partition_point(|time| !after(time, *t));
            let last = times.partition_point(|time| !after(time, t1));
            &times[first..last]
        };
        let course = Course {
            start: if self.first {
                plan.start
            } else {
                plan.kind == SaveKind::Steps && self.changed
            },
            stops: ahead(&plan.stops),
            between: ahead(&plan.between),
            first: self.points,
            tried: self.tried,
            h: self.h,
            happened: &self.happened,
            ..plan.whole()
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
    /// [`SolveError::NotFinite`] where the state after an event is not, [`SolveError::Chattering`] where events follow one
    /// another without end.
    pub(crate) fn arrive(
        &mut self,
        arrival: Arrival<T>,
        y: &F::State,
    ) -> Result<Vec<Occurrence<T, F::State>>, SolveError> {
        let Arrival { t, h, tried, points, mut events } = arrival;
        let field = &self.problem.field;
        if let Some(halt) = self.halts.pop_if(|halt| halt.t == t) {
            events.extend(halt.events);
            events.sort_unstable();
        }
        let ends = events.iter().position(|i| field.event(*i).action == Action::End);
        // What is declared after an event that ends the solve does not happen.
        events.truncate(ends.map_or(usize::MAX, |last| last + 1));
        self.watch_for_chattering(t, &events)?;
        self.t = t;
        self.first = false;
        self.tried = self.tried.saturating_add(tried);
        self.points = points;
        self.over = ends.is_some() || t == self.problem.t1;
        let occurred = self.change(&events, y.clone())?;
        self.h = (!self.changed).then_some(h);
        Ok(occurred)
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
        let miss = |i: &usize| (*i, field.trigger(*i, t, &y).abs().to_f64());
        self.happened = events.iter().map(miss).collect();
        for number in events {
            let (event, before) = (field.event(*number), y.clone());
            if event.action == Action::Reset {
                field.reset(*number, t, &mut y);
                check_finite(&y, t, t)?;
                self.changed = true;
            }
            let after = y.clone();
            let (number, nth) = (*number, self.counts[*number]);
            self.counts[number] += 1;
            occurred.push(Occurrence { number, event, nth, t, before, after });
        }
        self.y = Some(Box::new(y));
        Ok(occurred)
    }

    /// Counts events that are next to one another: within some units of the rounding of time.
    fn watch_for_chattering(&mut self, t: T, events: &[usize]) -> Result<(), SolveError> {
        let next = T::from_f64(1024.0) * T::EPSILON * t.abs().max(self.t.abs());
        let located = |i: &&usize| self.problem.field.event(**i).trigger != Trigger::Time;
        let Some(event) = events.iter().find(located) else { return Ok(()) };
        self.at_once = if (t - self.t).abs() <= next { self.at_once + 1 } else { 0 };
        if self.at_once < MOST_AT_ONCE {
            return Ok(());
        }
        let event = self.problem.field.event(*event).to_string();
        Err(SolveError::Chattering { event, t: t.to_f64() })
    }
}

/// The stops and the events of known times from the start of the span to before its end, the first one last.
fn halts<T: Real, F: VectorField<T>>(problem: &Problem<T, F>) -> Result<Vec<Halt<T>>, SolveError> {
    let Problem { field, y0, t0, t1, stops } = problem;
    let mut halts: Vec<Halt<T>> = Vec::new();
    let stops = stops.iter().map(|t| Halt { t: *t, events: Vec::new() });
    halts.extend(stops.filter(|halt| halt.t != *t0));
    for i in 0..field.event_count() {
        let event = field.event(i);
        if event.trigger == Trigger::Time {
            halts.push(Halt { t: time_of(field, i, event, y0)?, events: vec![i] });
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
            Some(last) if last.t == halt.t => last.events.extend(halt.events),
            _ => joined.push(halt),
        }
    }
    joined.reverse();
    Ok(joined)
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
    if t.is_finite() {
        return Ok(t);
    }
    let problem = format!("the time of `{event}` is {}", Readable(t));
    Err(SolveError::argument("parameters", problem))
}
