//! The ladder of step sizes, and the clock that counts them.
//!
//! The time loop rounds the sizes that a step-size control asks for to the rungs of a ladder, so
//! that a step is recorded by how many rungs it is above the one before; see `docs/record.md`.

use crate::Real;

/// From a rung to the next. No power of it is a simple fraction: a size that is no rung is then not
/// taken for one by chance (a fixed step after one of half its size, say).
const RATIO: f64 = 1.16;
/// `1 / ln RATIO`: a factor of e, in rungs.
const RUNGS_PER_E: f64 = 6.737_636_204_790_036;
/// How far the rungs go up and down from the base: by a factor of 380.
const RUNGS: i32 = 40;
/// A rung is a whole number of ticks of this part of the base, so that times are counted, not added.
const TICK: f64 = 1.0 / (1 << 20) as f64;
/// A run ends with the first change of its step size after so many steps: readers that start in the
/// middle of a run walk it from its start.
const LONG_RUN: u64 = 2048;

/// The part of a rung that a size is rounded up at most. `RATIO^0.3` is 1.046, below the 1.11 that a
/// safety factor of 0.9 leaves: more rejections would cost what the longer steps gain.
const ROUNDED_UP: f64 = 0.3;
/// The sizes that are rounded to 1, `RATIO^−0.3` to `RATIO^0.7`: most steps keep their rung.
const KEPT: std::ops::Range<f64> = 0.9565..1.1095;

/// Step sizes `base · RATIO^level` and times counted in ticks from `t`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ladder<T> {
    t: T,
    base: T,
}

impl<T: Real> Ladder<T> {
    /// The time `ticks` after the start. Every time of a record comes from this one expression;
    /// after `n` steps of level 0 it is `t + n · base`.
    #[inline(always)]
    fn time(&self, ticks: u64) -> T {
        // A signed number converts in one instruction.
        self.t + T::from_f64(ticks as i64 as f64 * TICK) * self.base
    }

    /// The step of a level that starts at `ticks`: its start and its size.
    #[inline(always)]
    pub(crate) fn step(&self, level: i32, ticks: u64) -> (T, T) {
        let start = self.time(ticks);
        (start, self.size(level, ticks, start))
    }

    #[inline(always)]
    fn size(&self, level: i32, ticks: u64, start: T) -> T {
        // Fixed steps have exactly the size that was asked for.
        if level == 0 {
            return self.base;
        }
        // The step ends at `start + h` exactly, for methods that are first-same-as-last: it has the
        // size that rounded times leave it, unless they leave too little of it.
        let rung = T::from_f64(step_ticks(level) as i64 as f64 * TICK) * self.base;
        let h = self.time(ticks + step_ticks(level)) - start;
        let kept = (h - rung).abs() <= T::from_f64(1.0 / 256.0) * rung.abs();
        if kept { h } else { rung }
    }

    /// How many rungs `h` is above the base, not rounded; NaN or infinite where it is none.
    #[inline]
    fn height(&self, h: T) -> f64 {
        Real::ln((h / self.base).to_f64()) * RUNGS_PER_E
    }
}

/// The level, if the ladder goes so far.
fn on_ladder(level: f64) -> Option<i32> {
    (level.abs() <= f64::from(RUNGS)).then_some(level as i32)
}

/// The ticks of a step of a level.
#[inline(always)]
pub(crate) fn step_ticks(level: i32) -> u64 {
    u64::from(TICKS[(level + RUNGS) as usize])
}

static TICKS: [u32; 2 * RUNGS as usize + 1] = {
    let mut ticks = [0; 2 * RUNGS as usize + 1];
    let (mut level, mut power) = (0, 1.0);
    while level <= RUNGS {
        ticks[(RUNGS + level) as usize] = (power / TICK + 0.5) as u32;
        ticks[(RUNGS - level) as usize] = (1.0 / (power * TICK) + 0.5) as u32;
        power *= RATIO;
        level += 1;
    }
    ticks
};

/// How a step continues a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Advance {
    /// At the level of the last step.
    Same,
    /// So many levels above it.
    Change(i32),
    /// Not at all: it is the first of a run, at level 0.
    Start,
}

/// Counts steps. A run of them continues for as long as each starts where the last one ended and
/// has the size of a rung; the next step starts a run of its own.
#[derive(Debug, Clone)]
pub(crate) struct Clock<T> {
    ladder: Ladder<T>,
    ticks: u64,
    /// The end of the last step.
    end: T,
    /// The level of the last step, and the size of a step from its end at this level.
    same: (i32, T),
    /// Another level and its size, the last one that was asked for.
    change: (i32, T),
    first: u64,
    index: u64,
}

impl<T: Real> Clock<T> {
    /// No step yet; the first one will start a run.
    pub(crate) fn new() -> Self {
        let none = T::from_f64(f64::NAN);
        let ladder = Ladder { t: none, base: none };
        Self { ladder, ticks: 0, end: none, same: (0, none), change: (0, none), first: 0, index: 0 }
    }

    /// The number of steps so far.
    #[inline(always)]
    pub(crate) fn index(&self) -> u64 {
        self.index
    }

    /// The end of the last step; NaN before the first.
    #[inline(always)]
    pub(crate) fn end(&self) -> T {
        self.end
    }

    /// The ladder of the present run.
    pub(crate) fn ladder(&self) -> Ladder<T> {
        self.ladder
    }

    /// Counts a step of size `h` from `t`.
    #[inline(always)]
    pub(crate) fn advance(&mut self, t: T, h: T) -> Advance {
        let advance = if t == self.end && h == self.same.1 {
            Advance::Same
        } else if t == self.end && self.rises_to(h) {
            Advance::Change(self.change.0 - self.same.0)
        } else {
            self.ladder = Ladder { t, base: h };
            (self.ticks, self.first, self.change.0) = (0, self.index, 0);
            Advance::Start
        };
        let level = if advance == Advance::Same { self.same.0 } else { self.change.0 };
        self.ticks += step_ticks(level);
        self.end = self.ladder.time(self.ticks);
        self.same = (level, self.ladder.size(level, self.ticks, self.end));
        self.change.1 = T::from_f64(f64::NAN);
        self.index += 1;
        advance
    }

    /// Whether a step of size `h` from the end of the last one has the size of another level, which
    /// is then in `change`.
    #[inline]
    fn rises_to(&mut self, h: T) -> bool {
        if h != self.change.1 {
            let level = on_ladder((self.ladder.height(h) + 0.5).floor());
            let Some(level) = level else { return false };
            self.change = (level, self.ladder.size(level, self.ticks, self.end));
        }
        h == self.change.1
    }

    /// The size of the step after an accepted one, from `t`, where `wanted` is asked for: that of a
    /// rung near it, or `wanted` itself where a run is to start.
    #[inline(always)]
    pub(crate) fn next_size(&mut self, t: T, wanted: T) -> T {
        let (same, size) = (self.same.1.abs(), wanted.abs());
        if t != self.end {
            wanted
        } else if size > T::from_f64(KEPT.start) * same && size < T::from_f64(KEPT.end) * same {
            self.same.1
        } else {
            self.rung(wanted, ROUNDED_UP)
        }
    }

    /// The size of the step after a rejected one, from `t`, where `wanted` is asked for: that of the
    /// rung below it, or `wanted` itself where a run is to start.
    #[inline]
    pub(crate) fn smaller_size(&mut self, t: T, wanted: T) -> T {
        if t == self.end { self.rung(wanted, 0.0) } else { wanted }
    }

    /// The rung below a size that is first made larger by `up` rungs.
    #[inline]
    fn rung(&mut self, wanted: T, up: f64) -> T {
        let level = on_ladder((self.ladder.height(wanted) + up).floor());
        match level.filter(|_| self.index - self.first < LONG_RUN) {
            Some(level) => {
                self.change = (level, self.ladder.size(level, self.ticks, self.end));
                self.change.1
            }
            None => wanted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Advance, Clock, KEPT, RATIO, ROUNDED_UP, RUNGS, RUNGS_PER_E, TICKS, step_ticks};
    use crate::Real;
    use proptest::prelude::*;

    #[test]
    fn rungs_rise_by_the_ratio_and_are_no_simple_fractions() {
        assert_eq!(step_ticks(0), 1 << 20);
        assert!((RUNGS_PER_E * RATIO.ln() - 1.0).abs() < 1e-14);
        for level in -RUNGS..RUNGS {
            let (this, next) = (step_ticks(level), step_ticks(level + 1));
            // The smallest rung is 2,769 ticks, rounded to half of one.
            assert!((next as f64 / this as f64 / RATIO - 1.0).abs() < 1e-3);
        }
        // Ratios of a fixed step to one cut short before it that are not unlikely.
        let simple = TICKS.iter().filter(|ticks| **ticks % (1 << 12) == 0);
        assert_eq!(simple.count(), 1, "only the base is a multiple of 1/256 of itself");
    }

    #[test]
    fn fixed_steps_are_counted() {
        let (h, mut t) = (0.1, 0.3);
        let mut clock = Clock::new();
        for i in 0..1000 {
            let advance = clock.advance(t, h);
            assert_eq!(advance == Advance::Start, i == 0);
            t = clock.end();
            assert_eq!(t, 0.3 + f64::from(i + 1) * h);
            assert_eq!(clock.next_size(t, h), h);
        }
        // A shorter one, to a stop: then the fixed ones are counted from there.
        assert_eq!(clock.advance(t, 0.05), Advance::Start);
        let stop = clock.end();
        for i in 0..100 {
            assert_eq!(clock.advance(clock.end(), h) == Advance::Start, i == 0);
            assert_eq!(clock.end(), stop + f64::from(i + 1) * h);
        }
    }

    #[test]
    fn wishes_are_rounded_to_rungs() {
        let mut clock = Clock::new();
        clock.advance(0.0, 1.0);
        let mut height = |wanted: f64| clock.next_size(1.0, wanted).ln() / RATIO.ln();
        let mut rungs = |wanted: f64| {
            let height = height(wanted);
            assert!((height - height.round()).abs() < 1e-5, "{height}");
            height.round()
        };
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
        assert!((clock.smaller_size(1.0, 0.9) * RATIO - 1.0).abs() < 1e-5);
        for far in [1e4, 1e-4, f64::INFINITY] {
            assert_eq!(clock.next_size(1.0, far), far);
            assert_eq!(clock.smaller_size(1.0, far), far);
        }
        assert_eq!(clock.next_size(1.5, 1.1), 1.1, "not where the last step ended");
    }

    #[test]
    fn steps_of_a_rung_end_where_the_next_one_starts() {
        let mut clock = Clock::new();
        let (mut t, mut h) = (0.3_f64, 0.01);
        let mut changes = 0;
        for i in 0..2000 {
            let advance = clock.advance(t, h);
            assert_eq!(advance == Advance::Start, i == 0);
            changes += u32::from(advance != Advance::Same);
            // But at level 0, which keeps the size.
            if clock.same.0 != 0 {
                assert_eq!(t + h, clock.end());
            }
            t = clock.end();
            h = clock.next_size(t, 0.01 + 0.009 * t.sin());
        }
        assert!((10..500).contains(&changes), "{changes}");
    }

    /// Fixed steps of size `h` from stop to stop, by the clock and by the formula that knows no ladder.
    fn fixed_steps<T: Real>(t0: T, h: T, spans: &[f64]) {
        let mut clock = Clock::new();
        let mut t = t0;
        let check = |clock: &mut Clock<T>, t: T, h: T, start: bool| {
            assert_eq!(clock.advance(t, h) == Advance::Start, start);
        };
        for span in spans {
            let start = t;
            for n in 1..=*span as u64 {
                check(&mut clock, t, h, n == 1);
                t = clock.end();
                assert_eq!(t, start + T::from_f64(n as f64) * h);
                assert_eq!(clock.next_size(t, h), h);
            }
            let cut = T::from_f64(span.fract()) * h;
            check(&mut clock, t, cut, true);
            t = clock.end();
        }
    }

    proptest! {
        #[test]
        fn fixed_steps_know_no_ladder(
            t0 in -10.0..10.0,
            h in prop_oneof![1e-3..2.0, -2.0..-1e-3, Just(0.1), Just(0.125)],
            spans in proptest::collection::vec(
                prop_oneof![0.001..100.0, (1..50_u32, 1..8_u32).prop_map(|(n, k)| f64::from(n) + f64::from(k) / 8.0)],
                1..20,
            ),
        ) {
            // A part of the step that is 0 would be no step.
            prop_assume!(spans.iter().all(|span: &f64| span.fract() > 0.0));
            fixed_steps(t0, h, &spans);
            fixed_steps(t0 as f32, h as f32, &spans);
        }
    }
}
