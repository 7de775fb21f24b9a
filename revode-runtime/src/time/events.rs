//! Finds the events of the solution: where a trigger reaches 0 in a step, and the step that ends there.
//!
//! Whether a trigger crosses 0 in a step is looked for on the cubic that has the step's ends and derivatives (Hermite's),
//! whatever the scheme. The step is then taken again so that it ends there, to the rounding of time: the state at the event
//! is that of the scheme and not of an interpolant.

use crate::dense::CubicHermite;
use crate::slices::{sign_of, update};
use crate::{DenseOutput, Leg, Real, SolveError, State, Step, Trigger, VectorField};

/// Where a step is looked at, between its ends: the outer ones tell which way a trigger leaves the ends.
const LOOKS: [f64; 9] = [1.0 / 64.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0 - 1.0 / 64.0];

/// The part of a step over which the tangent tells which way a trigger leaves 0: long beside rounding, short beside what the
/// trigger bends in.
const TANGENT: f64 = 1e-3;

/// A trigger that is at most so many times further from 0 after an event than it was before has not been moved away: the
/// change may have rounded.
const MISSED: f64 = 64.0;

/// How often a step is taken again for one event: each time the miss falls to about its square.
const MOST_TRIES: u32 = 40;

/// How often an interval is made smaller, by a half or more in two times.
const MOST_ROUNDS: u32 = 60;

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

/// The events of the solution along a leg.
pub(super) struct Events<T, S> {
    watched: Vec<Watched>,
    cubic: CubicHermite<S>,
    /// Scratch space for a state between the ends.
    y: S,
    search: Option<Search>,
    /// Where the step that is tried ends, at most.
    target: Option<T>,
    /// Whether the step that is tried ends at an event.
    found: bool,
    /// The numbers of the events that have happened.
    happened: Vec<usize>,
}

/// An event that is looked for.
#[derive(Debug, Clone, Copy)]
struct Watched {
    number: usize,
    trigger: Trigger,
    /// The value of the trigger at the start of the step.
    start: f64,
    /// Whether the step leaves 0 there, in a direction that is to be seen.
    leaves: bool,
}

impl Watched {
    /// Whether it is looked for where the trigger comes from values of this sign.
    fn happens_from(self, sign: f64) -> bool {
        match self.trigger {
            Trigger::Rising => sign < 0.0,
            Trigger::Falling => sign > 0.0,
            Trigger::Either => sign != 0.0,
            Trigger::Time => false,
        }
    }

    /// Where the trigger `g` first crosses 0 as it is looked for in a step: the part of the step and the derivative by
    /// that part. A step that leaves 0 does so with this `sign`, where that is known.
    fn first_crossing(self, sign: f64, mut g: impl FnMut(f64) -> f64) -> Option<(f64, f64)> {
        let mut points = Vec::with_capacity(LOOKS.len() + 4);
        points.push((0.0, self.start));
        points.extend(LOOKS.map(|theta| (theta, g(theta))));
        points.push((1.0, g(1.0)));
        if self.leaves {
            leave(&mut points, sign, &mut g);
        }
        let dips: Vec<_> = points.windows(3).filter_map(|looks| dip(looks, &mut g)).collect();
        points.extend(dips);
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let crosses = |pair: &&[(f64, f64)]| {
            let (before, after) = (sign_of(pair[0].1), sign_of(pair[1].1));
            before * after <= 0.0 && self.happens_from(before)
        };
        points.windows(2).find(crosses).map(|pair| root(pair[0], pair[1], g))
    }
}

/// The sign with which a trigger leaves 0 at the start `y` of a step: that of its change along the tangent. (Along the
/// solution itself it may have turned within as little as rounding lets it be seen.)
fn leaving<T: Real, F: VectorField<T>>(
    field: &F,
    watched: &Watched,
    step: Step<T>,
    (y, cubic): (&F::State, &mut dyn DenseOutput<T, F, ()>),
    between: &mut F::State,
) -> f64 {
    cubic.slope(field, step, T::ZERO, [y, y], &(), between);
    let part = T::from_f64(TANGENT) * (step.end - step.t);
    update(between.as_mut_slice(), [y.as_slice()], |f, [y]| y + part * f);
    let start = field.trigger(watched.number, step.t, y);
    sign_of((field.trigger(watched.number, step.t + part, between) - start).to_f64())
}

/// At the start of a step that leaves 0 there is the sign with which it does so: the 0 itself is no crossing. Adds a point
/// with this sign, where there is one before the first look, if the first look has another.
fn leave(points: &mut Vec<(f64, f64)>, sign: f64, g: &mut impl FnMut(f64) -> f64) {
    let sign = if sign == 0.0 { sign_of(points[1].1) } else { sign };
    points[0].1 = sign * f64::MIN_POSITIVE;
    let mut theta = points[1].0;
    while sign * points[1].1 < 0.0 && theta > 1e-12 {
        theta *= 0.5;
        let between = g(theta);
        if sign * between > 0.0 {
            points.insert(1, (theta, between));
        }
    }
}

/// Of three looks with the same sign, the middle one nearest to 0, a point between where `g` has crossed 0, if it has.
fn dip(looks: &[(f64, f64)], g: &mut impl FnMut(f64) -> f64) -> Option<(f64, f64)> {
    let [before, middle, after] = [looks[0], looks[1], looks[2]];
    let sign = sign_of(middle.1);
    let same = sign_of(before.1) * sign > 0.0 && sign_of(after.1) * sign > 0.0;
    let least = middle.1.abs() < before.1.abs() && middle.1.abs() <= after.1.abs();
    if same && least { lowest([before.0, after.0], sign, g) } else { None }
}

/// Where `sign g` is below 0 in an interval in which it has one minimum: the golden section, until such a point is found.
fn lowest(
    [mut a, mut b]: [f64; 2],
    sign: f64,
    g: &mut impl FnMut(f64) -> f64,
) -> Option<(f64, f64)> {
    let golden = 0.5 * (Real::sqrt(5.0_f64) - 1.0);
    let mut at = |theta: f64| (theta, g(theta));
    let (mut c, mut d) = (at(b - golden * (b - a)), at(a + golden * (b - a)));
    // (0.618^40 of an eighth is 5e-10: the minimum is then known to the square of that.)
    for _ in 0..40 {
        for point in [c, d] {
            if sign * point.1 < 0.0 {
                return Some(point);
            }
        }
        if sign * c.1 < sign * d.1 {
            (b, d) = (d.0, c);
            c = at(b - golden * (b - a));
        } else {
            (a, c) = (c.0, d);
            d = at(a + golden * (b - a));
        }
    }
    None
}

/// The root of `g` between two points with different signs, and the derivative there: regula falsi in the Illinois form
/// (Dahlquist and Björck, *Numerical Methods in Scientific Computing I*, section 6.2.2).
fn root(
    (mut a, mut g_a): (f64, f64),
    (mut b, mut g_b): (f64, f64),
    mut g: impl FnMut(f64) -> f64,
) -> (f64, f64) {
    let mut theta = b;
    for _ in 0..MOST_ROUNDS {
        if b - a <= 1e-12 || g_b == 0.0 {
            theta = b;
            break;
        }
        theta = (b - g_b * (b - a) / (g_b - g_a)).clamp(a, b);
        let value = g(theta);
        if value == 0.0 {
            break;
        }
        if value * g_b < 0.0 {
            (a, g_a) = (b, g_b);
        } else {
            g_a *= 0.5;
        }
        (b, g_b) = (theta, value);
        if b < a {
            std::mem::swap(&mut a, &mut b);
            std::mem::swap(&mut g_a, &mut g_b);
        }
    }
    let width = 1e-5;
    let slope = (g(theta + width) - g(theta - width)) / (2.0 * width);
    (theta, slope)
}

/// The search for the step that ends at an event: Newton's method with the slope between the last two steps, from the same
/// start, within the interval that has the event.
#[derive(Debug, Clone, Copy)]
struct Search {
    /// Which of the watched ones it is.
    index: usize,
    /// The sign of the trigger before.
    sign: f64,
    /// Its derivative by the length of the step.
    slope: f64,
    /// The lengths between which it lies.
    low: f64,
    high: f64,
    /// Whether the trigger reaches 0 there: the cubic may show what the solution does not do.
    there: bool,
    last: Option<(f64, f64)>,
    tries: u32,
}

impl Search {
    /// A step of this length ended where the trigger is `g`. The length to try next; `None` where it is as good as it
    /// gets, up to `rounding` of the length.
    fn next(&mut self, length: f64, g: f64, rounding: f64) -> Option<f64> {
        self.tries += 1;
        if g * self.sign > 0.0 {
            self.low = self.low.max(length);
        } else {
            self.high = self.high.min(length);
            self.there = true;
        }
        if let Some((last, g_last)) = self.last {
            let slope = (g - g_last) / (length - last);
            if slope.is_finite() && slope * self.sign < 0.0 {
                self.slope = slope;
            }
        }
        self.last = Some((length, g));
        let miss = -g / self.slope;
        self.there |= miss.abs() <= rounding;
        if g == 0.0
            || miss.abs() <= rounding
            || self.high - self.low <= rounding
            || self.tries >= MOST_TRIES
        {
            return None;
        }
        let next = length + miss;
        let inside = next > self.low && next < self.high;
        Some(if inside { next } else { 0.5 * (self.low + self.high) })
    }
}

/// Where a step from the start of `step` ends that has this length.
fn end_after<T: Real>(step: Step<T>, length: f64) -> T {
    step.t + T::from_f64(if step.h < T::ZERO { -length } else { length })
}

impl<T: Real, S: State<T>> Events<T, S> {
    /// At the start of a leg, where the events `happened`; `None` where there are none to look for.
    #[inline]
    pub(super) fn new<F: VectorField<T, State = S>>(
        leg: Leg<'_, T, F>,
        happened: &[(usize, f64)],
    ) -> Option<Box<Self>> {
        if leg.field.event_count() == 0 {
            return None;
        }
        Self::watching(leg, happened)
    }

    #[inline(never)]
    fn watching<F: VectorField<T, State = S>>(
        Leg { field, y0, t0, .. }: Leg<'_, T, F>,
        happened: &[(usize, f64)],
    ) -> Option<Box<Self>> {
        let watched: Vec<Watched> = (0..field.event_count())
            .map(|number| (number, field.event(number).trigger))
            .filter(|(_, trigger)| *trigger != Trigger::Time)
            .map(|(number, trigger)| {
                let start = field.trigger(number, t0, y0).to_f64();
                // An event that has not moved its trigger away from 0 leaves it.
                let missed = happened.iter().find(|(i, _)| *i == number).map(|(_, missed)| *missed);
                let leaves =
                    start == 0.0 || missed.is_some_and(|missed| start.abs() <= MISSED * missed);
                Watched { number, trigger, start, leaves }
            })
            .collect();
        if watched.is_empty() {
            return None;
        }
        Some(Box::new(Self {
            watched,
            cubic: CubicHermite::new(y0),
            y: y0.zeros_like(),
            search: None,
            target: None,
            found: false,
            happened: Vec::new(),
        }))
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
        let length = (step.end - step.t).abs().to_f64();
        let times = step.t.abs().max(step.end.abs()).to_f64();
        let rounding = 2.0 * T::EPSILON.to_f64() * times;
        let mut missed = None;
        if let Some(mut search) = self.search {
            let g = field.trigger(self.watched[search.index].number, step.end, ends[1]).to_f64();
            let next = search.next(length, g, rounding);
            let next = next.filter(|next| end_after(step, *next) != step.end);
            if next.is_some() || search.there {
                self.search = Some(search);
                return Ok(self.aim(step, next));
            }
            // The cubic has crossed 0, and the solution has not: the step is looked at for the others.
            (self.search, self.target, missed) = (None, None, Some(search.index));
        }
        let Self { watched, cubic, y: between, .. } = self;
        let cubic: &mut dyn DenseOutput<T, F, ()> = cubic;
        cubic.extend(field, step, ends, &mut ());
        let mut first: Option<(f64, f64, usize)> = None;
        for (index, watched) in watched.iter().enumerate().filter(|(i, _)| Some(*i) != missed) {
            let sign = if watched.leaves {
                leaving(field, watched, step, (ends[0], cubic), between)
            } else {
                0.0
            };
            let g = |theta: f64| {
                let theta = T::from_f64(theta);
                cubic.value(field, step, theta, ends, &(), between);
                field
                    .trigger(watched.number, step.t + theta * (step.end - step.t), between)
                    .to_f64()
            };
            if let Some((theta, slope)) = watched.first_crossing(sign, g)
                && first.is_none_or(|(least, ..)| theta < least)
            {
                first = Some((theta, slope, index));
            }
        }
        let Some((theta, slope, index)) = first else { return Ok(Look::Stands) };
        if theta * length <= rounding {
            let Watched { number, leaves, .. } = self.watched[index];
            if leaves {
                // It has just happened, and the solution does not get away from it.
                let event = field.event(number).to_string();
                return Err(SolveError::Chattering { event, t: step.t.to_f64() });
            }
            self.happened.push(number);
            return Ok(Look::AtStart);
        }
        let slope = slope / length;
        // (A root of the cubic that only touches 0 has no sign of its own.)
        let sign = if slope > 0.0 { -1.0 } else { 1.0 };
        let (low, high) = (0.0, length * (1.0 + 1e-3));
        let end = field.trigger(self.watched[index].number, step.end, ends[1]).to_f64();
        let there = sign * end <= 0.0;
        self.search = Some(Search { index, sign, slope, low, high, there, last: None, tries: 0 });
        let next = theta * length;
        let is_whole = (length - next).abs() <= rounding;
        Ok(self.aim(step, (!is_whole).then_some(next)))
    }

    /// Sets the target to the end of a step of this length; `None` where the step at hand is the one.
    fn aim(&mut self, step: Step<T>, length: Option<f64>) -> Look {
        match length.map(|length| end_after(step, length)) {
            Some(target) if target != step.end && target != step.t => {
                self.target = Some(target);
                Look::Again
            }
            _ => {
                self.found = true;
                Look::Stands
            }
        }
    }

    /// The step that was looked at last has been taken to `y`. Returns whether events have happened at its end.
    pub(super) fn accept<F: VectorField<T, State = S>>(
        &mut self,
        field: &F,
        step: Step<T>,
        y: &S,
    ) -> bool {
        let found = self.found.then_some(self.search).flatten().map(|search| search.index);
        for (index, watched) in self.watched.iter_mut().enumerate() {
            let g = field.trigger(watched.number, step.end, y).to_f64();
            let sign = sign_of(watched.start);
            let crossed = !watched.leaves && sign * g <= 0.0 && watched.happens_from(sign);
            // Others that have crossed by then happen there too.
            if found == Some(index) || (found.is_some() && crossed) {
                self.happened.push(watched.number);
            }
            (watched.start, watched.leaves) = (g, g == 0.0);
        }
        (self.search, self.target, self.found) = (None, None, false);
        found.is_some()
    }

    /// The step that was tried last has been rejected.
    pub(super) fn reject(&mut self) {
        (self.search, self.target, self.found) = (None, None, false);
    }

    /// The events that have happened, and the field evaluations that looking for them took.
    pub(super) fn finish<F: VectorField<T, State = S>>(self) -> (Vec<usize>, u64) {
        (self.happened, DenseOutput::<T, F, ()>::evaluations(&self.cubic))
    }
}
