//! Watching the gap `‖y − z‖` of a pair without damping.
//!
//! The two halves of a step do not quite undo each other: each adds its defect to the gap, so that by
//! itself the gap grows in proportion to time. Where the field contracts, the pair has a parasitic
//! mode that grows as fast as the field contracts (`docs/guarded.md`), and the gap grows exponentially. The
//! monitor tells the one from the other without a scale of its own, so that it works alike for any
//! step size, tolerance and method, and the order of the method does not suffer.

use crate::Real;

/// What is allowed to a method of an order: by how much more than in proportion to time the gap may grow
/// between two looks, and within how many steps of its closing it may not grow too fast.
///
/// The lower the order, the larger is the defect of a step, which drives the gap, compared to what the step
/// damps.
fn allowance(order: u32) -> (f64, u32) {
    match order {
        1 => (1.15, 6),
        2 => (1.25, 6),
        _ => (1.25, 4),
    }
}

/// The gap is too large above this part of the solution, however slowly it grew.
const LARGEST: f64 = 1e-2;

/// Where the gap grew too fast within the first few steps, so many steps are taken one by one, the gap
/// closed after each, before it is left to itself again; more each time that this happens.
const FIRST_REST: u16 = 2;
const LONGEST_REST: u16 = 64;

/// Watches the gap from one time at which it was closed to the next.
///
/// The numbers in this file were chosen so that the pair damps what the method damps, over the whole
/// interval of real eigenvalues on which the method is stable, for every shipped method:
/// `tests/damping.rs` measures it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct GapMonitor<T> {
    /// Steps since the gap was closed.
    steps: u32,
    /// The number of steps at which the gap is looked at next.
    next_look: u32,
    /// The square of what the gap may grow to until then.
    allowed: T,
    /// Steps that are still to be taken one by one.
    rest: u16,
    /// How many there will be the next time.
    next_rest: u16,
}

impl<T: Real> GapMonitor<T> {
    /// At the start, where the gap is 0.
    pub(crate) fn new() -> Self {
        Self::closed(0, FIRST_REST)
    }

    /// The gap has just been closed.
    fn closed(rest: u16, next_rest: u16) -> Self {
        // Nothing is known of a first gap but that it must be small.
        let allowed = T::from_f64(f64::INFINITY);
        Self { steps: 0, next_look: 1, allowed, rest, next_rest }
    }

    /// Whether the gap must be closed after this step. It and `floor`, below which it is at the level of
    /// rounding, are given by their squares; `size` is the solution's largest component, `order` the
    /// method's. If so, the monitor starts anew.
    #[inline(always)]
    pub(crate) fn watch(&mut self, gap: T, floor: T, size: T, order: u32) -> bool {
        self.steps += 1;
        let largest = T::from_f64(LARGEST) * size;
        // Written so that a gap that is not a number is too large.
        let small = gap <= largest * largest;
        if self.rest > 0 || gap > floor && (gap > self.allowed || !small) || !(gap >= T::ZERO) {
            *self = self.after_closing(order);
            return true;
        }
        if self.steps == self.next_look {
            self.look(gap, order);
        }
        false
    }

    /// The monitor after the gap was closed at this step.
    #[cold]
    fn after_closing(self, order: u32) -> Self {
        if self.rest > 0 {
            return Self::closed(self.rest - 1, self.next_rest);
        }
        if self.steps <= allowance(order).1 {
            Self::closed(self.next_rest, (2 * self.next_rest).min(LONGEST_REST))
        } else {
            Self::closed(0, (self.next_rest / 2).max(FIRST_REST))
        }
    }

    /// Looks at the gap after 1, 2, 3, 4, 6, 8, 12, 16, … steps.
    fn look(&mut self, gap: T, order: u32) {
        let steps = self.steps;
        let next = match steps {
            1..=3 => steps + 1,
            // There is nothing new to see after 2³⁰ steps.
            0x4000_0000.. => u32::MAX,
            _ if steps.is_power_of_two() => steps + steps / 2,
            _ => steps / 3 * 4,
        };
        let growth = T::from_f64(allowance(order).0 * f64::from(next) / f64::from(steps));
        self.allowed = growth * growth * gap;
        self.next_look = next;
    }
}

#[cfg(test)]
mod tests {
    use super::{FIRST_REST, GapMonitor};

    /// The floor in these tests.
    const FLOOR: f64 = 1e-15;

    fn watch(monitor: &mut GapMonitor<f64>, gap: f64) -> bool {
        monitor.watch(gap * gap, FLOOR * FLOOR, 1.0, 4)
    }

    /// After how many steps the gap `gap(n)` of a solution of size 1 is closed.
    fn found(gap: impl Fn(f64) -> f64) -> Option<u32> {
        let mut monitor = GapMonitor::new();
        (1..1_000_000).find(|&n| watch(&mut monitor, gap(f64::from(n))))
    }

    #[test]
    fn growth_in_proportion_to_time_is_let_pass() {
        assert_eq!(found(|n| 1e-9 * n), None);
        assert_eq!(found(|n| 1e-9 * n.sqrt()), None);
        assert_eq!(found(|n| 1e-10 * n * (10.0 + n.sin())), None);
    }

    #[test]
    fn exponential_growth_is_found_before_it_is_large() {
        for rate in [1e-3_f64, 1e-2, 0.1, 0.5, 1.7] {
            let gap = |n: f64| 1e-10 * (rate * n).exp_m1() / rate;
            let steps = found(gap).unwrap();
            let excess = gap(f64::from(steps)) / (1e-10 * f64::from(steps));
            assert!(excess < 12.0, "rate {rate}: {steps} steps, {excess} times proportional");
        }
    }

    #[test]
    fn rounding_is_let_pass_and_what_is_large_is_not() {
        assert_eq!(found(|n| 1e-18 * (0.1 * n.min(50.0)).exp()), None);
        assert_eq!(found(|_| 0.0), None);
        assert_eq!(found(|_| 0.02), Some(1));
        assert_eq!(found(|_| f64::NAN), Some(1));
    }

    #[test]
    fn fast_growth_is_followed_by_single_steps_more_each_time() {
        let mut monitor = GapMonitor::new();
        let mut single = Vec::new();
        for _ in 0..3 {
            let grown = (1..100).find(|&n| watch(&mut monitor, 1e-9 * 5_f64.powi(n))).unwrap();
            assert_eq!(grown, 2);
            let left: u16 = monitor.rest;
            single.push(left);
            assert!((0..left).all(|_| watch(&mut monitor, 1e-9)));
        }
        assert_eq!(single, [FIRST_REST, 2 * FIRST_REST, 4 * FIRST_REST]);
        assert!(!watch(&mut monitor, 1e-9));
    }

    #[test]
    fn counting_steps_does_not_overflow() {
        let mut monitor =
            GapMonitor { steps: 0x5fff_ffff, next_look: 0x6000_0000, ..GapMonitor::new() };
        assert!(!watch(&mut monitor, 1e-20));
        assert_eq!(monitor.next_look, u32::MAX);
    }
}
