//! Watching the gap `‖y − z‖` of a pair without damping.
//!
//! The two halves of a step do not quite undo each other: each adds its defect to the gap, so that by
//! itself the gap grows in proportion to time. Where the field contracts, the pair has a parasitic
//! mode that grows as fast as the field contracts (`docs/guarded.md`), and the gap grows exponentially. The
//! monitor tells the one from the other without a scale of its own, so that it works alike for any
//! step size, tolerance and method, and the order of the method does not suffer.

use super::Pair;
use crate::slices::scattered_sign;
use crate::{Real, State};

/// What is allowed to a method of an order: by how much more than in proportion to time the gap may grow
/// between two looks, and within how many steps of its closing it may not grow too fast.
///
/// The lower the order, the larger is the defect of a step, which drives the gap, compared to what the step
/// damps.
fn allowance(order: u32) -> (f64, u32) {
    match order {
        1 => (1.1, 8),
        2 => (1.25, 6),
        3 => (1.25, 2),
        _ => (1.5, 2),
    }
}

/// The gap is too large above this part of the solution, however slowly it grew.
const LARGEST: f64 = 1e-2;

/// Steps of size `h` resolve changes at the rate `α` where `|αh|` is below this: there the mean of `y` and `z` is more
/// exact than `y`. `cargo bench --bench accuracy` measures it: at 0.5 and above errors at the tolerance 1e-5 rise up to
/// tenfold, at 0.2 gains at 1e-8 are lost.
const RESOLVED: f64 = 0.3;

/// Where the gap grew too fast within the first few steps, so many steps are taken one by one, the gap
/// closed after each, before it is left to itself again; more each time that this happens.
const FIRST_REST: u16 = 2;
const LONGEST_REST: u16 = 64;

/// What is added to component `i` of `z` where the gap is closed, after so many steps, in quanta of the grid.
///
/// Where the solution is at rest there is no gap that could grow, and yet the cotangents would: so there
/// must always be one. The signs are scattered, so that no direction is missed and that in the long run seeds
/// do not move the solution.
#[inline(always)]
pub(crate) fn seed(i: usize, steps: u64) -> f64 {
    scattered_sign(i, steps) * SEED
}

/// The size of a [`seed`] in quanta.
pub(crate) const SEED: f64 = 8.0;

/// How the gap has behaved so far: what the monitor takes from one closing to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Steps that are still to be taken one by one.
    rest: u16,
    /// How many there will be the next time.
    next_rest: u16,
}

impl Pace {
    /// At the start.
    pub(crate) const START: Self = Self { rest: 0, next_rest: FIRST_REST };

    /// Whether the steps are taken one by one.
    #[inline(always)]
    pub(crate) fn is_resting(self) -> bool {
        self.rest > 0
    }

    /// After the gap was closed, so many steps after the last time.
    #[cold]
    fn after_closing(self, steps: u32, order: u32) -> Self {
        let Self { rest, next_rest } = self;
        if self.is_resting() {
            Self { rest: rest - 1, next_rest }
        } else if steps <= allowance(order).1 {
            Self { rest: next_rest, next_rest: (2 * next_rest).min(LONGEST_REST) }
        } else {
            Self { rest: 0, next_rest: (next_rest / 2).max(FIRST_REST) }
        }
    }
}

/// Watches the gap from one time at which it was closed to the next, each component by itself: what grows
/// may be small beside what does not.
///
/// The numbers in this file were chosen so that the pair damps what the method damps, over the whole
/// interval of real eigenvalues on which the method is stable, for every shipped method:
/// `revode-testing/tests/damping.rs` measures it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GapMonitor<S> {
    /// The largest gap since it was closed.
    peak: S,
    /// What the gap may grow to until the next look.
    allowed: S,
    /// Steps since the gap was closed.
    steps: u32,
    /// The number of steps at which the gap is looked at next.
    next_look: u32,
    pub(crate) pace: Pace,
}

impl<S> GapMonitor<S> {
    /// For states on a grid of these quanta, where the gap has just been closed but for a [`seed`].
    pub(crate) fn new<T: Real>(quantum: &S, pace: Pace) -> Self
    where
        S: State<T>,
    {
        let (mut peak, mut allowed) = (quantum.clone(), quantum.clone());
        peak.as_mut_slice().iter_mut().for_each(|peak| *peak = T::from_f64(SEED) * *peak);
        // Nothing is known of a first gap but that it must be small.
        allowed.fill(T::from_f64(f64::INFINITY));
        Self { peak, allowed, steps: 0, next_look: 1, pace }
    }

    /// Takes another's numbers without allocating.
    #[inline(always)]
    pub(crate) fn assign<T: Real>(&mut self, from: &Self)
    where
        S: State<T>,
    {
        self.peak.assign(&from.peak);
        self.allowed.assign(&from.allowed);
        (self.steps, self.next_look, self.pace) = (from.steps, from.next_look, from.pace);
    }

    /// Steps since the gap was closed.
    pub(crate) fn steps(&self) -> u64 {
        self.steps.into()
    }

    /// Looks at the pair after a step from the solution `last`, on a grid of these quanta; returns whether the gap
    /// must be closed. `order` is that of the method.
    #[inline(always)]
    pub(crate) fn watch<T: Real>(
        &mut self,
        pair: &Pair<S>,
        last: &S,
        quantum: &S,
        order: u32,
    ) -> bool
    where
        S: State<T>,
    {
        let mut grown = self.steps == 0 && self.is_large_beside_step(pair, last, order);
        let n = pair.y.len();
        let (y, z) = (&pair.y.as_slice()[..n], &pair.z.as_slice()[..n]);
        let (peak, allowed) = (&mut self.peak.as_mut_slice()[..n], &self.allowed.as_slice()[..n]);
        let quantum = &quantum.as_slice()[..n];
        let mut extent = Extent::default();
        for i in 0..n {
            let gap = (y[i] - z[i]).abs();
            // What is allowed is above a seed, so that rounding is let pass.
            grown |= gap > allowed[i];
            peak[i] = peak[i].max(gap);
            extent.add(y[i], gap, quantum[i]);
        }
        self.steps = self.steps.saturating_add(1);
        if grown || extent.gap_is_too_large() || self.pace.is_resting() {
            self.pace = self.pace.after_closing(self.steps, order);
            return true;
        }
        if self.steps == self.next_look {
            self.look(order);
        }
        false
    }

    /// Whether the gap is to be closed to the mean of `y` and `z` after a step from the solution `last`, on a grid of
    /// these quanta, by a method of the order `p`.
    ///
    /// For odd `p` the mean has one order more, where steps resolve the solution: for `|αh|` below [`RESOLVED`]. There a
    /// step adds to the gap about twice its error, `(αh)^{p+1}/(p+1)!` times the deviation from rest, and changes the
    /// solution by `αh` times that. So the gap must be below `|αh|^p/(p+1)!` of the change, for each step since it was
    /// closed and in every component, or the seed that it was: at rest a gap of a few quanta shows nothing of the mean,
    /// which would not damp the cotangents of a fast component. A gap that took more steps to grow is one that they
    /// resolve.
    #[cold]
    pub(crate) fn closes_to_mean<T: Real>(
        &self,
        pair: &Pair<S>,
        last: &S,
        quantum: &S,
        order: u32,
    ) -> bool
    where
        S: State<T>,
    {
        if order.is_multiple_of(2) || self.steps > allowance(order).1 {
            return order % 2 == 1;
        }
        let a_step: f64 = (1..=order).map(|k| RESOLVED / f64::from(k + 1)).product();
        let part = T::from_f64(f64::from(self.steps) * a_step);
        let seed = T::from_f64(SEED);
        let (y, z) = (pair.y.as_slice().iter(), pair.z.as_slice().iter());
        let mut components = y.zip(z).zip(last.as_slice()).zip(quantum.as_slice());
        components.all(|(((y, z), last), quantum)| {
            let gap = (*y - *z).abs();
            gap <= seed * *quantum || gap <= part * (*y - *last).abs()
        })
    }

    /// Notes what was left of the gap when it was made smaller, where that is more than a [`seed`].
    pub(crate) fn left<T: Real>(&mut self, pair: &Pair<S>)
    where
        S: State<T>,
    {
        let gaps = pair.y.as_slice().iter().zip(pair.z.as_slice()).map(|(y, z)| (*y - *z).abs());
        for (peak, gap) in self.peak.as_mut_slice().iter_mut().zip(gaps) {
            *peak = peak.max(gap);
        }
    }

    /// Whether the first gap of a component is large beside what the step from `last` has changed in it.
    ///
    /// The gap that a step leaves is `R(αh) R(−αh) − 1` times the deviation from rest, with the method's
    /// stability function `R`, and its change `R(αh) − 1` times that. Where they are alike the step does not
    /// resolve the contraction, and a companion that is so far off would carry it into the next step.
    #[inline(never)]
    fn is_large_beside_step<T: Real>(&self, pair: &Pair<S>, last: &S, order: u32) -> bool
    where
        S: State<T>,
    {
        let part = T::from_f64(if order == 1 { 0.5 } else { 0.2 });
        // The step may enlarge a gap that was there before it so many times.
        let before = T::from_f64(8.0);
        let y = pair.y.as_slice().iter().zip(last.as_slice());
        y.zip(pair.z.as_slice()).zip(self.peak.as_slice()).any(|(((y, last), z), peak)| {
            (*y - *z).abs() - before * *peak > part * (*y - *last).abs()
        })
    }

    /// Looks at the gap after 1, 2, 3, 4, 6, 8, 12, 16, … steps.
    fn look<T: Real>(&mut self, order: u32)
    where
        S: State<T>,
    {
        let steps = self.steps;
        let next = match steps {
            1..=3 => steps + 1,
            // There is nothing new to see after 2³⁰ steps.
            0x4000_0000.. => u32::MAX,
            _ if steps.is_power_of_two() => steps + steps / 2,
            _ => steps / 3 * 4,
        };
        let growth = T::from_f64(allowance(order).0 * f64::from(next) / f64::from(steps));
        let peak = self.peak.as_slice();
        for (allowed, peak) in self.allowed.as_mut_slice().iter_mut().zip(peak) {
            *allowed = growth * *peak;
        }
        self.next_look = next;
    }
}

/// Whether the gap of a pair on a grid of these quanta is too large, however slowly it grew.
#[inline(always)]
pub(crate) fn too_large<T: Real, S: State<T>>(pair: &Pair<S>, quantum: &S) -> bool {
    let n = pair.y.len();
    let (y, z, quantum) =
        (&pair.y.as_slice()[..n], &pair.z.as_slice()[..n], &quantum.as_slice()[..n]);
    let mut extent = Extent::default();
    for i in 0..n {
        extent.add(y[i], (y[i] - z[i]).abs(), quantum[i]);
    }
    extent.gap_is_too_large()
}

/// The size of a solution and of its gap, over the components that were added.
struct Extent<T> {
    size: T,
    /// The largest gap beyond what seeds come to.
    largest: T,
    /// 0 unless a gap is infinite or NaN.
    zero: T,
}

impl<T: Real> Default for Extent<T> {
    fn default() -> Self {
        Self { size: T::ZERO, largest: T::ZERO, zero: T::ZERO }
    }
}

impl<T: Real> Extent<T> {
    #[inline(always)]
    fn add(&mut self, y: T, gap: T, quantum: T) {
        self.largest = self.largest.max(gap - T::from_f64(2.0 * SEED) * quantum);
        self.zero += T::ZERO * gap;
        self.size = self.size.max(y.abs());
    }

    #[inline(always)]
    fn gap_is_too_large(&self) -> bool {
        !(self.zero == T::ZERO && self.largest <= T::from_f64(LARGEST) * self.size)
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector2;

    use super::super::Pair;
    use super::{FIRST_REST, GapMonitor, Pace, too_large};

    type Monitor = GapMonitor<Vector2<f64>>;

    const QUANTUM: Vector2<f64> = Vector2::new(1e-14, 1e-14);

    fn monitor() -> Monitor {
        Monitor::new(&QUANTUM, Pace::START)
    }

    /// A solution of size 1, with a gap in its second component; the first one's grows slowly.
    fn watch(monitor: &mut Monitor, steps: u32, gap: f64) -> bool {
        let y = Vector2::new(1.0, 0.5);
        let z = Vector2::new(1.0 + 1e-7 * f64::from(steps).sqrt(), 0.5 + gap);
        monitor.watch(&Pair { y, z }, &Vector2::zeros(), &QUANTUM, 4)
    }

    /// After how many steps the gap `gap(n)` is closed.
    fn found(gap: impl Fn(f64) -> f64) -> Option<u32> {
        let mut monitor = monitor();
        (1..1_000_000).find(|&n| watch(&mut monitor, n, gap(f64::from(n))))
    }

    #[test]
    fn growth_in_proportion_to_time_is_let_pass() {
        assert_eq!(found(|n| 1e-9 * n), None);
        assert_eq!(found(|n| 1e-9 * n.sqrt()), None);
        assert_eq!(found(|n| 1e-10 * n * (10.0 + n.sin())), None);
    }

    #[test]
    fn exponential_growth_is_found_beside_what_is_larger() {
        for rate in [1e-3_f64, 1e-2, 0.1, 0.5, 1.7] {
            let gap = |n: f64| 1e-10 * (rate * n).exp_m1() / rate;
            let steps = found(gap).unwrap();
            let excess = gap(f64::from(steps)) / (1e-10 * f64::from(steps));
            assert!(excess < 12.0, "rate {rate}: {steps} steps, {excess} times proportional");
        }
    }

    #[test]
    fn rounding_is_let_pass_and_what_is_large_is_not() {
        assert_eq!(found(|n| 1e-17 * (0.1 * n.min(50.0)).exp()), None);
        assert_eq!(found(|_| 0.0), None);
        assert_eq!(found(|_| 0.02), Some(1));
        assert_eq!(found(|_| f64::NAN), Some(1));
        assert_eq!(found(|_| f64::INFINITY), Some(1));
    }

    #[test]
    fn a_gap_is_too_large_beside_the_solution_and_above_the_seeds() {
        let too_large = |y: [f64; 2], gap: [f64; 2]| {
            let y = Vector2::from(y);
            too_large(&Pair { y, z: y + Vector2::from(gap) }, &Vector2::new(1e-9, 1e-14))
        };
        assert!(!too_large([1.0, 0.0], [1e-10, 0.009]));
        assert!(too_large([1.0, 0.0], [1e-10, 0.011]));
        assert!(!too_large([0.0, 0.0], [1.5e-8, 1.5e-13]));
        assert!(too_large([0.0, 0.0], [1.5e-8, 2e-13]));
        for gap in [f64::NAN, f64::INFINITY] {
            assert!(too_large([1.0, 0.0], [gap, 0.0]));
        }
        assert!(too_large([f64::INFINITY, 0.0], [0.0, 0.0]));
    }

    #[test]
    fn fast_growth_is_followed_by_single_steps_more_each_time() {
        let mut pace = Pace::START;
        for rest in [FIRST_REST, 2 * FIRST_REST, 4 * FIRST_REST] {
            let mut monitor = Monitor::new(&QUANTUM, pace);
            let grown = (1..100).find(|&n| watch(&mut monitor, 1, 1e-9 * 5_f64.powi(n)));
            assert_eq!((grown, monitor.pace.rest), (Some(2), rest));
            pace = monitor.pace;
            while pace.is_resting() {
                let mut monitor = Monitor::new(&QUANTUM, pace);
                assert!(watch(&mut monitor, 1, 1e-9));
                pace = monitor.pace;
            }
        }
    }

    #[test]
    fn counting_steps_does_not_overflow() {
        let mut monitor = Monitor { steps: 0x5fff_ffff, next_look: 0x6000_0000, ..monitor() };
        assert!(!watch(&mut monitor, 1, 1e-20));
        assert_eq!(monitor.next_look, u32::MAX);
        monitor.steps = u32::MAX;
        assert!(!watch(&mut monitor, 1, 1e-20));
    }
}
