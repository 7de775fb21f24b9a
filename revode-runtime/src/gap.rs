//! Watching the gap `‖y − z‖` of a pair without damping.
//!
//! The two halves of a step do not quite undo each other: each adds its defect to the gap, so that by
//! itself the gap grows in proportion to time. Where the field contracts, the pair has a parasitic
//! mode that grows as fast as the field contracts (`docs/guarded.md`), and the gap grows exponentially. The
//! monitor tells the one from the other without a scale of its own, so that it works alike for any
//! step size, tolerance and method, and the order of the method does not suffer.

use crate::Real;

/// By how much more than in proportion to time the gap may grow between two looks.
///
/// (Measured, `cargo run --release -p revode-models --example guard`: 2 keeps the solution closer to that of
/// the plain method than 4, whose anchors are a third fewer.)
const GROWTH: f64 = 2.0;

/// The gap is at the level of rounding below this multiple of `EPSILON`, relative to the solution: the
/// grid of the [guarded pair](crate::guarded) rounds to 16 of them.
const ROUNDING: f64 = 4096.0;

/// The gap is too large above this part of the solution, however slowly it grew.
const LARGEST: f64 = 1e-2;

/// Watches the gap from one time at which `z` was set to `y` to the next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GapMonitor<T> {
    /// Steps since the gap was closed.
    steps: u32,
    /// The number of steps at which the gap is looked at next.
    next_look: u32,
    /// The square of what the gap may grow to until then.
    allowed: T,
}

impl<T: Real> GapMonitor<T> {
    /// The gap has just been closed.
    pub(crate) fn new() -> Self {
        // Nothing is known of a first gap but that it must be small.
        Self { steps: 0, next_look: 1, allowed: T::from_f64(f64::INFINITY) }
    }

    /// The square of a gap at the level of rounding, for a solution of this size.
    #[inline(always)]
    pub(crate) fn rounding(size: T) -> T {
        let gap = T::from_f64(ROUNDING) * T::EPSILON * size;
        gap * gap
    }

    /// Whether the square of a gap is too large for a solution of this size, however slowly it grew.
    #[inline(always)]
    pub(crate) fn too_large(gap: T, size: T) -> bool {
        let largest = T::from_f64(LARGEST) * size;
        // Written so that a gap that is not a number is too large.
        let small = gap <= largest * largest;
        !small
    }

    /// Whether the gap, whose square this is, has grown too fast. A gap below `floor`, a square too, is
    /// let pass.
    #[inline(always)]
    pub(crate) fn watch(&mut self, gap: T, floor: T) -> bool {
        self.steps += 1;
        if gap > self.allowed && gap > floor {
            return true;
        }
        if self.steps == self.next_look {
            self.look(gap);
        }
        false
    }

    /// Looks at the gap after 1, 2, 3, 4, 6, 8, 12, 16, … steps.
    fn look(&mut self, gap: T) {
        let steps = self.steps;
        let next = match steps {
            1..=3 => steps + 1,
            // There is nothing new to see after 2³⁰ steps.
            0x4000_0000.. => u32::MAX,
            _ if steps.is_power_of_two() => steps + steps / 2,
            _ => steps / 3 * 4,
        };
        let growth = T::from_f64(GROWTH * f64::from(next) / f64::from(steps));
        self.allowed = growth * growth * gap;
        self.next_look = next;
    }
}

#[cfg(test)]
mod tests {
    use super::GapMonitor;

    /// After how many steps the gap `gap(n)` of a solution of size 1 is found to grow too fast.
    fn found(gap: impl Fn(f64) -> f64) -> Option<u32> {
        let mut monitor = GapMonitor::<f64>::new();
        let floor = GapMonitor::rounding(1.0);
        (1..1_000_000).find(|&n| monitor.watch(gap(f64::from(n)).powi(2), floor))
    }

    #[test]
    fn growth_in_proportion_to_time_is_let_pass() {
        assert_eq!(found(|n| 1e-9 * n), None);
        assert_eq!(found(|n| 1e-9 * n.sqrt()), None);
        assert_eq!(found(|n| 1e-9 * n * (2.0 + n.sin())), None);
    }

    #[test]
    fn exponential_growth_is_found_before_it_is_large() {
        for rate in [1e-3_f64, 1e-2, 0.1, 0.5, 1.7] {
            let gap = |n: f64| 1e-10 * (rate * n).exp_m1() / rate;
            let steps = found(gap).unwrap();
            let excess = gap(f64::from(steps)) / (1e-10 * f64::from(steps));
            assert!(excess < 60.0, "rate {rate}: {steps} steps, {excess} times proportional");
        }
    }

    #[test]
    fn rounding_is_let_pass() {
        assert_eq!(found(|n| 1e-15 * (0.1 * n.min(50.0)).exp()), None);
        assert_eq!(found(|_| 0.0), None);
    }

    #[test]
    fn what_is_large_is_too_large() {
        assert!(GapMonitor::too_large(4e-4, 1.0) && GapMonitor::too_large(f64::NAN, 1.0));
        assert!(!GapMonitor::too_large(1e-5, 1.0) && !GapMonitor::too_large(0.0, 0.0));
    }

    #[test]
    fn counting_steps_does_not_overflow() {
        let mut monitor =
            GapMonitor::<f64> { steps: 0x5fff_ffff, next_look: 0x6000_0000, allowed: 1.0 };
        assert!(!monitor.watch(1e-20, 0.0));
        assert_eq!(monitor.next_look, u32::MAX);
    }
}
