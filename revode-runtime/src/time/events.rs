//! Finds the events of the solution: whether a trigger reaches 0 in a step, and the step that ends there.
//!
//! Whether a trigger crosses 0 in a step is looked for on the cubic that has the step's ends and derivatives (Hermite's),
//! whatever the scheme. The step is then taken again so that it ends there, to the rounding of time: the state at the event
//! is that of the scheme and not of an interpolant. A crossing that the cubic shows and no step confirms is none.

use super::crossing::{Crossing, Search, Verdict, Watched};
use crate::dense::CubicHermite;
use crate::slices::{all_finite, sign_of, update};
use crate::{
    Action, DenseOutput, Event, Leg, Real, Sides, SolveError, State, Step, Trigger, VectorField,
};

/// Where a step is looked at, between its ends: the outer ones tell which way a trigger leaves the ends.
const LOOKS: [f64; 9] = [1.0 / 64.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0 - 1.0 / 64.0];

/// A trigger that is at most so many times further from 0 after an event than it was before has not been moved away: the
/// change may have rounded.
const MISSED: f64 = 64.0;

/// The part of a step over which the tangent tells which way a trigger leaves 0: long beside rounding, short beside what the
/// trigger bends in.
const TANGENT: f64 = 1e-3;

/// Times so many units of rounding apart are one.
const ROUNDING: f64 = 2.0;

/// What is to be done with a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// It stands.
    Stands,
    /// It is to be taken again, to [`Events::stop`].
    Again,
    /// It is not taken: an event happens where it starts.
    AtStart,
}

/// An event of the solution that has just happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Found {
    /// Its number.
    pub(crate) number: usize,
    /// The sign that the trigger came from.
    pub(crate) from: f64,
    /// The size of the trigger there: what it missed 0 by.
    pub(crate) missed: f64,
}

impl Found {
    /// Whether the event has not moved its trigger, now `g`, away from 0.
    pub(crate) fn stays(&self, g: f64) -> bool {
        g.abs() <= MISSED * self.missed
    }
}

/// The events of the solution along a leg.
pub(super) struct Events<T, S> {
    watched: Vec<Watched>,
    cubic: CubicHermite<T, S>,
    /// Scratch space for a state between the ends.
    y: S,
    /// The search, and which of the watched ones it is for.
    search: Option<(usize, Search)>,
    /// Where the step that is tried ends, at most.
    target: Option<T>,
    /// The length of the shortest step that has been found to end at an event.
    least: f64,
    /// Which of the watched ones the step that is tried ends at, and the sign that it comes from.
    found: Option<(usize, f64)>,
    /// The events that have happened.
    happened: Vec<Found>,
}

impl<T: Real, S: State<T>> Events<T, S> {
    /// At the start of a leg, where some events have `happened`; `None` where there are none to look for.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] where a trigger is not a number.
    #[inline]
    pub(super) fn new<F: VectorField<T, State = S>>(
        leg: Leg<'_, T, F>,
        happened: &[Found],
    ) -> Result<Option<Box<Self>>, SolveError> {
        if leg.field.event_count() == 0 {
            return Ok(None);
        }
        Self::watching(leg, happened)
    }

    #[inline(never)]
    fn watching<F: VectorField<T, State = S>>(
        Leg { field, y0, t0, sides, .. }: Leg<'_, T, F>,
        happened: &[Found],
    ) -> Result<Option<Box<Self>>, SolveError> {
        let (mut watched, mut jump) = (Vec::new(), 0);
        for number in 0..field.event_count() {
            let Event { trigger, action, .. } = field.event(number);
            let switches = F::JUMPS && action == Action::Switch;
            jump += usize::from(switches);
            if trigger == Trigger::Time {
                continue;
            }
            let start = value(field, number, sides, (t0, y0))?;
            let found = happened.iter().find(|found| found.number == number && found.stays(start));
            let from = found.map(|found| found.from);
            let one = Watched::new(number, trigger, start, from);
            watched.push(if switches {
                one.that_switches(sides.sign::<T>(jump - 1).to_f64())
            } else {
                one
            });
        }
        let cubic = CubicHermite::new(y0);
        let (y, happened) = (y0.zeros_like(), Vec::new());
        let (search, target, least, found) = (None, None, f64::INFINITY, None);
        let events = Self { watched, cubic, y, search, target, least, found, happened };
        Ok((!events.watched.is_empty()).then(|| Box::new(events)))
    }

    /// Where the next step ends, at most, on the way to `stop`.
    pub(super) fn stop(&self, stop: T, backward: bool) -> T {
        match self.target {
            Some(target) if backward => target.max(stop),
            Some(target) => target.min(stop),
            None => stop,
        }
    }

    /// Looks at a step from one of its `ends` to the other, whose error is small enough.
    ///
    /// # Errors
    /// [`SolveError::Chattering`].
    pub(super) fn look<F: VectorField<T, State = S>>(
        &mut self,
        field: &F,
        step: Step<T>,
        ends: [&S; 2],
    ) -> Result<Look, SolveError> {
        // What is not finite is for others to tell.
        if !all_finite(ends[1].as_slice()) {
            return Ok(Look::Stands);
        }
        let length = (step.end - step.t).abs().to_f64();
        let rounding = rounding(step);
        if let Some((index, search)) = &mut self.search {
            let (index, sign) = (*index, search.sign());
            let g = trigger(field, self.watched[index].number, step, step.end, ends[1]);
            return Ok(match search.next(length, g, rounding) {
                Verdict::Found => {
                    // Where a trigger jumps, an earlier one may turn out to be no earlier.
                    let is_earlier = length < self.least - rounding;
                    self.least = self.least.min(length);
                    let earlier =
                        is_earlier.then(|| self.earlier(field, step, ends[1], index)).flatten();
                    if let Some((earlier, crossing)) = earlier {
                        let begins = self.watched[earlier].begins();
                        self.search = Some((earlier, Search::new(&crossing, length, begins)));
                        self.aim(step, crossing.theta * length)
                    } else {
                        self.found = Some((index, sign));
                        Look::Stands
                    }
                }
                Verdict::Try(next) => self.aim(step, next),
                Verdict::Nothing => {
                    // The cubic shows what no step confirms: the step is taken whole.
                    self.watched[index].ignored = true;
                    (self.search, self.target) = (None, None);
                    Look::Again
                }
            });
        }
        self.sample(field, step, ends)?;
        let Self { watched, cubic, y: between, .. } = self;
        let cubic: &mut dyn DenseOutput<T, F, ()> = cubic;
        let mut first = None;
        for (index, watched) in watched.iter().enumerate() {
            let g = |theta: f64| {
                let theta = T::from_f64(theta);
                cubic.value(field, step, theta, ends, &(), between);
                trigger(field, watched.number, step, time(step, theta), between)
            };
            let Some(crossing) = watched.first_crossing(g) else { continue };
            if crossing.theta * length <= rounding {
                if !crossing.shown {
                    continue;
                }
                if watched.has_happened() {
                    // The solution does not get away from it.
                    return Err(chattering(field, watched.number, step.t));
                }
                let missed = watched.start().abs();
                let number = watched.number;
                self.happened.push(Found { number, from: crossing.sign, missed });
            } else if first.is_none_or(|(_, theta, _)| crossing.theta < theta) {
                let search = Search::new(&crossing, length, watched.begins());
                first = Some((index, crossing.theta, search));
            }
        }
        if !self.happened.is_empty() {
            return Ok(Look::AtStart);
        }
        let Some((index, theta, search)) = first else { return Ok(Look::Stands) };
        self.search = Some((index, search));
        Ok(self.aim(step, theta * length))
    }

    /// Takes the values of all triggers where a step is looked at.
    fn sample<F: VectorField<T, State = S>>(
        &mut self,
        field: &F,
        step: Step<T>,
        ends: [&S; 2],
    ) -> Result<(), SolveError> {
        let Self { watched, cubic, y: between, .. } = self;
        let cubic: &mut dyn DenseOutput<T, F, ()> = cubic;
        cubic.extend(field, step, ends, &mut ());
        for watched in watched.iter_mut() {
            let mut tangent = 0.0;
            if watched.leaves() {
                cubic.slope(field, step, T::ZERO, ends, &(), between);
                let part = T::from_f64(TANGENT) * (step.end - step.t);
                update(between.as_mut_slice(), [ends[0].as_slice()], |f, [y]| y + part * f);
                let after = trigger(field, watched.number, step, step.t + part, between);
                tangent = sign_of(after - watched.start());
            }
            watched.begin(tangent);
        }
        for theta in LOOKS {
            let part = T::from_f64(theta);
            cubic.value(field, step, part, ends, &(), between);
            for watched in watched.iter_mut() {
                watched
                    .look(theta, trigger(field, watched.number, step, time(step, part), between));
            }
        }
        for watched in watched.iter_mut() {
            watched.look(1.0, trigger(field, watched.number, step, step.end, ends[1]));
            if watched.breaks_through() {
                return Err(chattering(field, watched.number, step.t));
            }
        }
        Ok(())
    }

    /// Of the other triggers that have crossed 0 in the step, and not just at its end `y`, the one that did so first, as if
    /// they were straight: the cubic can have two close ones in the wrong order.
    fn earlier<F: VectorField<T, State = S>>(
        &self,
        field: &F,
        step: Step<T>,
        y: &S,
        found: usize,
    ) -> Option<(usize, Crossing)> {
        let near = rounding(step) / (step.end - step.t).abs().to_f64();
        let crossings = self.watched.iter().enumerate().filter_map(|(index, watched)| {
            let g = trigger(field, watched.number, step, step.end, y);
            let sign = watched.has_crossed(g, 0.0).filter(|_| index != found)?;
            let crossing = Crossing::straight(watched.start(), g, sign);
            (crossing.theta < 1.0 - near).then_some((index, crossing))
        });
        crossings.min_by(|(_, a), (_, b)| a.theta.total_cmp(&b.theta))
    }

    /// Sets the target to the end of a step of this length, unless that is the step at hand.
    fn aim(&mut self, step: Step<T>, length: f64) -> Look {
        let length = T::from_f64(if step.h < T::ZERO { -length } else { length });
        let target = step.t + length;
        if target == step.end || target == step.t {
            self.found = self.search.map(|(index, search)| (index, search.sign()));
            return Look::Stands;
        }
        self.target = Some(target);
        Look::Again
    }

    /// The step that was looked at last has been taken to `y`. Returns whether events have happened at its end.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] where a trigger is not a number.
    pub(super) fn accept<F: VectorField<T, State = S>>(
        &mut self,
        field: &F,
        step: Step<T>,
        y: &S,
    ) -> Result<bool, SolveError> {
        let happened = self.happens(field, step, y);
        self.reject();
        happened?;
        Ok(!self.happened.is_empty())
    }

    /// Takes the events that happen at the end of a step.
    fn happens<F: VectorField<T, State = S>>(
        &mut self,
        field: &F,
        step: Step<T>,
        y: &S,
    ) -> Result<(), SolveError> {
        let found = self.found;
        let near = rounding(step) / (step.end - step.t).abs().to_f64();
        for (index, watched) in self.watched.iter_mut().enumerate() {
            let g = value(field, watched.number, step.sides, (step.end, y))?;
            // Others that have come to 0 by then happen there too; and so do those that a pair's closing gap has moved
            // across since they were looked at.
            let sought = found.filter(|(found, _)| *found == index).map(|(_, from)| from);
            let near = if found.is_some() { near } else { 0.0 };
            let number = watched.number;
            if let Some(from) = sought.or_else(|| watched.has_crossed(g, near)) {
                self.happened.push(Found { number, from, missed: g.abs() });
            } else if watched.is_left(g) {
                self.happened.push(Found { number, from: 0.0, missed: 0.0 });
            }
            watched.restart(g);
        }
        Ok(())
    }

    /// The step that was tried last has not been taken, for another reason than events.
    pub(super) fn reject(&mut self) {
        (self.search, self.target, self.least, self.found) = (None, None, f64::INFINITY, None);
        self.watched.iter_mut().for_each(|watched| watched.ignored = false);
    }

    /// The events that have happened.
    pub(super) fn happened(&self) -> &[Found] {
        &self.happened
    }

    /// The events that have happened, which are not known here any more.
    pub(super) fn take_happened(&mut self) -> Vec<Found> {
        std::mem::take(&mut self.happened)
    }

    /// The field evaluations that looking for them took.
    pub(super) fn evaluations<F: VectorField<T, State = S>>(&self) -> u64 {
        DenseOutput::<T, F, ()>::evaluations(&self.cubic)
    }
}

/// The time at a part of a step.
fn time<T: Real>(step: Step<T>, theta: T) -> T {
    step.t + theta * (step.end - step.t)
}

/// What times of a step are rounded by.
fn rounding<T: Real>(step: Step<T>) -> f64 {
    ROUNDING * T::EPSILON.to_f64() * step.t.abs().max(step.end.abs()).to_f64()
}

/// The trigger of an event at a state of a step.
fn trigger<T: Real, F: VectorField<T>>(
    field: &F,
    number: usize,
    Step { sides, .. }: Step<T>,
    t: T,
    y: &F::State,
) -> f64 {
    field.trigger_on(sides, number, t, y).to_f64()
}

/// The trigger of an event at an accepted state.
fn value<T: Real, F: VectorField<T>>(
    field: &F,
    number: usize,
    sides: Sides,
    (t, y): (T, &F::State),
) -> Result<f64, SolveError> {
    let g = field.trigger_on(sides, number, t, y).to_f64();
    if !g.is_nan() {
        return Ok(g);
    }
    let problem = format!(
        "the function of event `{}` is NaN at t = {t}: it must be defined wherever the solution goes",
        field.event(number)
    );
    Err(SolveError::argument("event", problem))
}

#[cold]
fn chattering<T: Real, F: VectorField<T>>(field: &F, number: usize, t: T) -> SolveError {
    SolveError::Chattering { event: field.event(number).to_string(), t: t.to_f64() }
}
