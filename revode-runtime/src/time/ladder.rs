//! The ladder of step sizes.
//!
//! The clock rounds the sizes that a step-size control asks for to the rungs of a ladder, so
//! that a step is recorded by how many rungs it is above the one before; see `docs/record.md`.

use crate::Real;

/// From a rung to the next. No power of it is a simple fraction: a size that is no rung is then not
/// taken for one by chance (a fixed step after one of half its size, say).
pub(super) const RATIO: f64 = 1.16;
/// `1 / ln RATIO`: a factor of e, in rungs.
const RUNGS_PER_E: f64 = 6.737_636_204_790_036;
/// How far the rungs go up and down from the base: by a factor of 380.
const RUNGS: i32 = 40;
/// A rung is a whole number of ticks of this part of the base, so that times are counted, not added.
const TICK: f64 = 1.0 / (1 << 20) as f64;

/// Step sizes `base · RATIO^level` and times counted in ticks from `t`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ladder<T> {
    pub(super) t: T,
    pub(super) base: T,
}

impl<T: Real> Ladder<T> {
    /// The time `ticks` after the start. Every time of a record comes from this one expression;
    /// after `n` steps of level 0 it is `t + n · base`.
    #[inline(always)]
    pub(super) fn time(&self, ticks: u64) -> T {
        // A signed number converts in one instruction.
        self.t + T::from_f64(ticks as i64 as f64 * TICK) * self.base
    }

    /// The step of a level that starts at `ticks`: its start and its size.
    #[inline(always)]
    pub(super) fn step(&self, level: i32, ticks: u64) -> (T, T) {
        let start = self.time(ticks);
        (start, self.size(level, ticks, start))
    }

    #[inline(always)]
    pub(super) fn size(&self, level: i32, ticks: u64, start: T) -> T {
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
    pub(super) fn height(&self, h: T) -> f64 {
        Real::ln((h / self.base).to_f64()) * RUNGS_PER_E
    }
}

/// The level, if the ladder goes so far.
pub(super) fn on_ladder(level: f64) -> Option<i32> {
    (level.abs() <= f64::from(RUNGS)).then_some(level as i32)
}

/// The ticks of a step of a level.
#[inline(always)]
pub(super) fn step_ticks(level: i32) -> u64 {
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

#[cfg(test)]
pub(super) mod tests {
    use super::{RATIO, RUNGS, RUNGS_PER_E, TICKS, step_ticks};

    /// How many rungs a size is above another one.
    pub(in super::super) fn rungs_above(base: f64, size: f64) -> f64 {
        let height = (size / base).ln() / RATIO.ln();
        assert!((height - height.round()).abs() < 1e-5, "{height}");
        height.round()
    }

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
}
