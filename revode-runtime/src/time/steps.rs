//! The clock of a solve: counts the steps, rounds their sizes to rungs, lands on stops, and records.

use super::ladder::{Ladder, on_ladder, step_ticks};
use super::record::{Advance, StepRecord};
use crate::{Real, Sides, Step};

/// A run ends with the first change of its step size after so many steps: readers that start in the
/// middle of a run walk it from its start.
const LONG_RUN: u64 = 2048;

/// The part of a rung that a size is rounded up at most. `RATIO^0.3` is 1.046, below the 1.11 that a
/// safety factor of 0.9 leaves: more rejections would cost what the longer steps gain.
const ROUNDED_UP: f64 = 0.3;
/// The factor by which a size is rounded up at most: no less than `RATIO^0.3`.
pub(crate) const MOST_ROUNDED_UP: f64 = 1.047;

/// The size `h` with its sign, or as much of it as the limit `most`, which is positive: a size that is rounded to a rung
/// of the ladder keeps to it.
#[inline]
pub(super) fn at_most<T: Real>(h: T, most: f64) -> T {
    let most = T::from_f64(most / MOST_ROUNDED_UP);
    if h.abs() <= most { h } else { most * h.signum() }
}

/// The size `h` with its sign, made as long as `least`, which is positive or 0, where it is shorter.
#[inline(always)]
pub(super) fn at_least<T: Real>(h: T, least: T) -> T {
    if h.abs() < least { least * h.signum() } else { h }
}

/// The sizes that are rounded to 1, `RATIO^−0.3` to `RATIO^0.7`: most steps keep their rung.
const KEPT: std::ops::Range<f64> = 0.9565..1.1095;

/// Where the solve is, and the size of its next step.
///
/// A run of steps continues for as long as each starts where the last one ended and has the size of a rung; any
/// other step starts a run of its own.
#[derive(Debug, Clone)]
pub(super) struct Steps<T> {
    t: T,
    next: Size<T>,
    /// The step that was proposed last, and how it relates to the stop it goes to.
    proposed: Proposed<T>,
    rejected: u64,
    /// Those of them that were to be taken again, to another stop.
    retried: u64,
    /// What error control makes no step shorter than; 0 without a limit.
    pub(super) least: T,

    ladder: Ladder<T>,
    /// The ticks since the start of the run.
    ticks: u64,
    /// The end of the last step by the ladder; NaN before the first.
    end: T,
    /// The level of the last step, and the size of a step from its end at this level.
    level: i32,
    same: T,
    /// The number of the run's first step.
    first: u64,
    /// The number of the next step.
    index: u64,
    record: Option<StepRecord<T>>,
    /// The sides of the field's jumps on which it is evaluated.
    pub(super) sides: Sides,
}

/// The size of a step.
#[derive(Debug, Clone, Copy)]
struct Size<T> {
    h: T,
    /// The level of the ladder it is the size of; none where it starts a run of its own.
    level: Option<i32>,
}

#[derive(Debug, Clone, Copy)]
struct Proposed<T> {
    t: T,
    size: Size<T>,
    /// The end by the ladder.
    ladder_end: T,
    /// The end: that by the ladder, or the stop where the step lands on it.
    end: T,
    /// Whether its size is what remains to the stop, not what was asked for.
    fitted: bool,
    accepted: bool,
}

/// Times closer than this are the same but for rounding.
#[inline(always)]
fn rounding<T: Real>(t: T) -> T {
    T::from_f64(16.0) * T::EPSILON * t.abs()
}

/// How far a step of size `h` from `t` may end from `stop` and still be one that ends there, by rounding: never much of
/// a step.
#[inline(always)]
pub(super) fn slack<T: Real>(t: T, h: T, stop: T) -> T {
    rounding(t).max(rounding(stop)).min(T::from_f64(1e-3) * h.abs())
}

impl<T: Real> Steps<T> {
    /// At `t`, before a first step of the signed size `h`.
    pub(super) fn new(t: T, h: T, recorded: bool) -> Self {
        let none = T::from_f64(f64::NAN);
        let next = Size { h, level: None };
        Self {
            t,
            next,
            proposed: Proposed {
                t,
                size: next,
                ladder_end: none,
                end: none,
                fitted: false,
                accepted: false,
            },
            rejected: 0,
            retried: 0,
            least: T::ZERO,
            ladder: Ladder { t, base: none },
            ticks: 0,
            end: none,
            level: 0,
            same: none,
            first: 0,
            index: 0,
            record: recorded.then(StepRecord::new),
            sides: Sides::default(),
        }
    }

    /// The time reached.
    #[inline(always)]
    pub(super) fn t(&self) -> T {
        self.t
    }

    /// The size that the next step is to have, unless it lands on a stop.
    pub(super) fn h(&self) -> T {
        self.next.h
    }

    /// The number of accepted steps.
    #[inline(always)]
    pub(super) fn len(&self) -> u64 {
        self.index
    }

    /// The number of steps accepted or rejected.
    #[inline(always)]
    pub(super) fn tried(&self) -> u64 {
        self.index + self.rejected
    }

    /// The record of the accepted steps; empty where none was asked for.
    pub(super) fn into_record(self) -> StepRecord<T> {
        let mut record = self.record.unwrap_or_default();
        record.finish(self.t, self.sides);
        record
    }

    /// The next step on the way to `stop`, which lies ahead.
    #[inline(always)]
    pub(super) fn next(&mut self, stop: T) -> Step<T> {
        let Self { t, next: size, .. } = *self;
        let h = size.h;
        let end = match size.level {
            Some(level) => self.ladder.time(self.ticks + step_ticks(level)),
            None => t + h,
        };
        // The clock rounds as the start of its run does, which may be far from here.
        let beyond = if h < T::ZERO { end < stop } else { end > stop };
        let (length, remaining) = (h.abs(), (stop - t).abs());
        // The slack is at most 1e-3 of the step: most steps need not know it.
        let near = length >= T::from_f64(0.5) * remaining;
        if beyond || (near && length >= remaining - slack(t, h, stop)) {
            return self.land(stop, end);
        }
        self.proposed = Proposed { t, size, ladder_end: end, end, fitted: false, accepted: false };
        Step { index: self.index, t, h, end, sides: self.sides }
    }

    /// The next step, which lands on `stop`; the ladder has its end at `ladder_end`.
    // Out of line, so that the time of the common step depends on no choice.
    #[cold]
    #[inline(never)]
    fn land(&mut self, stop: T, ladder_end: T) -> Step<T> {
        let Self { t, next: size, .. } = *self;
        let remaining = stop - t;
        // A step that misses the stop by rounding only keeps its size.
        let fitted = (size.h - remaining).abs() > slack(t, size.h, stop);
        let (size, ladder_end) = if fitted {
            (Size { h: remaining, level: None }, t + remaining)
        } else {
            (size, ladder_end)
        };
        self.proposed = Proposed { t, size, ladder_end, end: stop, fitted, accepted: false };
        Step { index: self.index, t, h: size.h, end: stop, sides: self.sides }
    }

    /// The proposed step was accepted, and `wanted` is asked for as the size of the next one, which may be as long as
    /// `most`, positive.
    #[inline(always)]
    pub(super) fn accept(&mut self, wanted: T, most: f64) {
        let Proposed { t, size, ladder_end, end, fitted, .. } = self.proposed;
        self.proposed.accepted = true;
        self.advance(t, size, ladder_end);
        self.t = end;
        self.next = if fitted {
            // A step cut short by a stop says little about how long the next can be.
            let longer = if self.next.h.abs() > wanted.abs() { self.next.h } else { wanted };
            Size { h: at_most(at_least(longer, self.least), most), level: None }
        } else {
            self.next_size(at_most(at_least(wanted, self.least), most))
        };
    }

    /// The proposed step was rejected, and `wanted` is asked for as the size of the next attempt.
    #[inline]
    pub(super) fn reject(&mut self, wanted: T) {
        self.rejected += 1;
        self.next = self.smaller_size(at_least(wanted, self.least));
    }

    /// The proposed step is taken again, to another stop.
    pub(super) fn retry(&mut self) {
        self.rejected += 1;
        self.retried += 1;
    }

    /// The number of steps that were taken again.
    pub(super) fn retried(&self) -> u64 {
        self.retried
    }

    /// Whether no step leads on: a rejected one leaves a size below the rounding of time or had the least size, or an
    /// accepted one did not move time and the next one is shorter. (Equal steps below the rounding of time do move it, as they are counted.)
    #[inline(always)]
    pub(super) fn is_stuck(&self) -> bool {
        let Proposed { t, size, accepted, .. } = self.proposed;
        if accepted {
            self.t == t && self.next.h.abs() < size.h.abs()
        } else {
            self.next.h.abs() <= rounding(self.t) || self.is_least()
        }
    }

    /// Whether the step that was proposed last is no longer than the least size.
    pub(super) fn is_least(&self) -> bool {
        let Proposed { size, accepted, .. } = self.proposed;
        !accepted && size.h.abs() <= self.least
    }

    /// Counts a step of this size from `t` to `ladder_end`.
    #[inline(always)]
    fn advance(&mut self, t: T, size: Size<T>, ladder_end: T) {
        let advance = if let Some(level) = size.level {
            let change = level - self.level;
            self.level = level;
            if change == 0 { Advance::Same } else { Advance::Change(change) }
        } else {
            self.ladder = Ladder { t, base: size.h };
            (self.ticks, self.first, self.level) = (0, self.index, 0);
            Advance::Start(self.ladder)
        };
        self.ticks += step_ticks(self.level);
        self.end = ladder_end;
        self.same = self.ladder.size(self.level, self.ticks, self.end);
        self.index += 1;
        if let Some(record) = &mut self.record {
            record.push(advance);
        }
    }

    /// The size of the step after an accepted one: that of a rung near `wanted`, or `wanted` itself where a run is
    /// to start.
    #[inline(always)]
    fn next_size(&self, wanted: T) -> Size<T> {
        let (same, size) = (self.same.abs(), wanted.abs());
        if self.t != self.end {
            Size { h: wanted, level: None }
        } else if size > T::from_f64(KEPT.start) * same && size < T::from_f64(KEPT.end) * same {
            Size { h: self.same, level: Some(self.level) }
        } else {
            self.rung(wanted, ROUNDED_UP)
        }
    }

    /// The size of the step after a rejected one: that of the rung below `wanted`, or `wanted` itself where a run is
    /// to start.
    #[inline]
    fn smaller_size(&self, wanted: T) -> Size<T> {
        if self.t == self.end { self.rung(wanted, 0.0) } else { Size { h: wanted, level: None } }
    }

    /// The rung below a size that is first made larger by `up` rungs.
    #[inline]
    fn rung(&self, wanted: T, up: f64) -> Size<T> {
        let level = on_ladder((self.ladder.height(wanted) + up).floor());
        match level.filter(|_| self.index - self.first < LONG_RUN) {
            Some(level) => {
                let h = self.ladder.size(level, self.ticks, self.end);
                if h.abs() < self.least && wanted.abs() >= self.least {
                    // The rung below would be too short.
                    return Size { h: at_least(h, self.least), level: None };
                }
                Size { h, level: Some(level) }
            }
            None => Size { h: wanted, level: None },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ladder::{RATIO, tests::rungs_above};
    use super::{KEPT, ROUNDED_UP, Steps};
    use crate::Real;
    use proptest::prelude::*;

    const FAR: f64 = 1e6;

    /// Takes a step towards a stop far away; returns its start and size.
    fn step<T: Real>(steps: &mut Steps<T>, wanted: T) -> (T, T) {
        let step = steps.next(T::from_f64(FAR) * steps.h().signum());
        steps.accept(wanted, f64::INFINITY);
        (step.t, step.h)
    }

    /// Whether the last step started a run.
    fn started<T: Real>(steps: &Steps<T>) -> bool {
        steps.first + 1 == steps.index
    }

    #[test]
    fn fixed_steps_are_counted() {
        let h = 0.1;
        let mut steps = Steps::new(0.3, h, false);
        for i in 0..1000 {
            assert_eq!(step(&mut steps, h).1, h);
            assert_eq!(started(&steps), i == 0);
            assert_eq!((steps.t(), steps.h()), (0.3 + f64::from(i + 1) * h, h));
        }
        // A shorter one, to a stop: then the fixed ones are counted from there.
        let stop = steps.t() + 0.05;
        let shorter = steps.next(stop);
        assert_eq!(shorter.h, stop - shorter.t);
        steps.accept(h, f64::INFINITY);
        assert!(started(&steps) && steps.t() == stop);
        for i in 0..100 {
            step(&mut steps, h);
            assert_eq!(started(&steps), i == 0);
            assert_eq!(steps.t(), stop + f64::from(i + 1) * h);
        }
    }

    #[test]
    fn wishes_are_rounded_to_rungs() {
        let first = || {
            let mut steps = Steps::new(0.0, 1.0, false);
            step(&mut steps, 1.0);
            steps
        };
        let rungs = |wanted: f64| rungs_above(1.0, first().next_size(wanted).h);
        for (wanted, expected) in [
            (1.0, 0.0),
            (RATIO.powf(0.69), 0.0),
            (RATIO.powf(0.71), 1.0),
            (RATIO.powf(-0.29), 0.0),
            (RATIO.powf(-0.31), -1.0),
            (RATIO.powf(9.69), 9.0),
            (RATIO.powf(-5.31), -6.0),
        ] {
            assert_eq!(rungs(wanted), expected, "{wanted}");
        }
        for (kept, rung) in [(KEPT.start, -ROUNDED_UP), (KEPT.end, 1.0 - ROUNDED_UP)] {
            assert!((kept - RATIO.powf(rung)).abs() < 1e-4);
        }
        // Never above the wish after a rejection, and never off the ladder but by a new run.
        assert!((first().smaller_size(0.9).h * RATIO - 1.0).abs() < 1e-5);
        for far in [1e4, 1e-4, f64::INFINITY] {
            assert_eq!(first().next_size(far).h, far);
            assert_eq!(first().smaller_size(far).h, far);
        }
        let mut landed = first();
        landed.next(2.0 + 4.0 * f64::EPSILON);
        landed.accept(1.1, f64::INFINITY);
        assert_eq!(landed.h(), 1.1, "not where the last step ended");
    }

    #[test]
    fn steps_of_a_rung_end_where_the_next_one_starts() {
        let mut steps = Steps::new(0.3_f64, 0.01, false);
        let mut changes = 0;
        for i in 0..2000 {
            let level = steps.level;
            let wanted = 0.01 + 0.009 * steps.t().sin();
            let (t, h) = step(&mut steps, wanted);
            assert_eq!(started(&steps), i == 0);
            changes += u32::from(steps.level != level);
            // But at level 0, which keeps the size.
            if steps.level != 0 {
                assert_eq!(t + h, steps.t());
            }
        }
        assert!((10..500).contains(&changes), "{changes}");
    }

    /// Fixed steps of size `h` from stop to stop, by the clock and by the formula that knows no ladder.
    fn fixed_steps<T: Real>(t0: T, h: T, spans: &[f64]) {
        let mut steps = Steps::new(t0, h, false);
        for span in spans {
            let start = steps.t();
            for n in 1..=*span as u64 {
                assert_eq!(step(&mut steps, h).1, h);
                assert_eq!(started(&steps), n == 1);
                assert_eq!(steps.t(), start + T::from_f64(n as f64) * h);
            }
            let stop = steps.t() + T::from_f64(span.fract()) * h;
            if stop != steps.t() {
                steps.next(stop);
                steps.accept(h, f64::INFINITY);
                assert!(steps.t() == stop);
            }
        }
    }

    proptest! {
        #[test]
        fn fixed_steps_know_no_ladder(
            t0 in -10.0..10.0,
            h in prop_oneof![1e-3..2.0, -2.0..-1e-3, Just(0.1), Just(0.125)],
            spans in proptest::collection::vec(
                prop_oneof![0.01..100.0, (1..50_u32, 1..8_u32).prop_map(|(n, k)| f64::from(n) + f64::from(k) / 8.0)],
                1..20,
            ),
        ) {
            // A stop within a hundredth of a step may be met by the step before it.
            prop_assume!(spans.iter().all(|span: &f64| (0.01..0.99).contains(&span.fract())));
            fixed_steps(t0, h, &spans);
            fixed_steps(t0 as f32, h as f32, &spans);
        }
    }
}
