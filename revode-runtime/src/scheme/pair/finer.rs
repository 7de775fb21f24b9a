//! Finer quanta for components that shrink, so that the exact pair's grid keeps a relative tolerance.

use super::Pair;
use super::grid::power_of_two;
use super::quanta::{LEAST, OF_SIZE, Quanta};
use crate::{Real, State, Step};

/// A component that is smaller than this part of what its quantum is for is small.
const SMALL: f64 = 1.0 / 256.0;

/// It gets a finer quantum when it has been small in one of so many steps since it last got a coarser one. A step counts
/// as often as the component is smaller than small, so that a fast decay after a long rest does not take long.
///
/// In an oscillation of `P` steps a period what is counted in half a period is `2x (1 + ln x)` with `x = P/1600`, and
/// would have to be `50x`: it is not, however slow the oscillation is, up to 1e8 steps a period.
pub(super) const STAYED: f64 = 16.0;

/// As often as this at most.
const MOST: f64 = 1e9;

/// Where one gets a finer quantum, so do those that are up to so many times what is small: they would follow soon, and
/// each time closes the gap.
const EARLY: f64 = 8.0;

/// A quantum up to so many times the finest one is fine enough.
const FINE: f64 = 8.0;

/// A finer grid reaches to this, times 2⁵⁰, of the size that the quantum before says, a power of two up to half of the size
/// that it was chosen for. So a component that only passed through 0 finds its old size on it.
const REACH: f64 = 2.0 / (1_u64 << 50) as f64;

/// How fine quanta get.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// None is finer than this, a power of two.
    least: f64,
    /// One that is at most this is fine enough for components of any size.
    fine: f64,
}

/// A finer quantum at the end of a step. Nothing is lost: the numbers of the coarse grid are numbers of the fine one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finer {
    pub(super) component: usize,
    /// The quantum that it had.
    pub(super) quantum: f64,
}

impl<D: State<f64>> Quanta<D> {
    /// Counts the components that are small at both ends of the step from `last`; returns whether one has been for long
    /// enough.
    ///
    /// At both ends: where a component passes through 0, one of them is half a step away from it at least.
    #[cold]
    pub(super) fn stay_small<T: Real>(
        &mut self,
        step: Step<T>,
        last: &Pair<D>,
        pair: &Pair<D>,
    ) -> bool {
        let index = step.index as f64;
        let quanta = self.each.as_slice().iter().zip(self.stayed.as_mut_slice());
        let mut any = false;
        for (component, (quantum, stayed)) in quanta.enumerate() {
            let (size, small) = (size_of(component, last, pair), self.wanted.small(*quantum));
            if size < small {
                *stayed += STAYED * (small / size).min(MOST);
                any |= *stayed >= index;
            }
        }
        any
    }

    /// Gives components that have shrunk in the step from `last` a finer quantum.
    #[cold]
    pub(crate) fn refine(&mut self, last: &Pair<D>, pair: &Pair<D>) {
        let Self { each, wanted, finer, .. } = self;
        for (component, quantum) in each.as_mut_slice().iter_mut().enumerate() {
            let size = size_of(component, last, pair);
            if size < EARLY * wanted.small(*quantum) {
                finer.push(Finer { component, quantum: *quantum });
                *quantum = wanted.finer(*quantum, size);
            }
        }
    }
}

impl Wanted {
    pub(super) fn new(chosen: Option<f64>) -> Self {
        let least = power_of_two(chosen.unwrap_or(0.0).max(LEAST));
        Self { least, fine: FINE * least }
    }

    /// Below which size a component with this quantum is small: 0 or less where the quantum is fine enough for any.
    #[inline(always)]
    pub(super) fn small(self, quantum: f64) -> f64 {
        SMALL / OF_SIZE * (quantum - self.fine)
    }

    /// A finer quantum for a component that has shrunk to this size.
    fn finer(self, quantum: f64, size: f64) -> f64 {
        power_of_two(OF_SIZE * size).max(self.least).max(REACH / OF_SIZE * quantum)
    }
}

/// The size of a component over a step: the largest of its numbers at both ends.
fn size_of<D: State<f64>>(component: usize, last: &Pair<D>, pair: &Pair<D>) -> f64 {
    let ends = [&pair.y, &pair.z, &last.y, &last.z].map(|x| x.as_slice()[component].abs());
    ends.into_iter().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector1;

    use super::super::Pair;
    use super::Quanta;
    use crate::Step;

    /// The quantum of a component whose size is that of `y` in each step, and how often it changed.
    fn follow(steps: u64, y: impl Fn(f64) -> f64) -> (f64, u32) {
        let at = |index: u64| {
            let y = Vector1::new(y(index as f64));
            Pair { y, z: y }
        };
        let mut quanta = Quanta::at_start(&at(0).y, None);
        let mut changes = 0;
        for index in 0..steps {
            let (last, mut pair) = (at(index), at(index + 1));
            let sizes = quanta.coarsen(Step::new(index, 0.0, 1.0), &last, &mut pair).unwrap();
            if sizes.shrunk {
                quanta.refine(&last, &pair);
            }
            changes += u32::from(sizes.shrunk) + u32::from(sizes.grown);
        }
        (quanta.each[0], changes)
    }

    #[test]
    fn an_oscillation_keeps_its_quantum() {
        for period in [10.0, 100.0, 1e3, 1e4, 1e5] {
            for phase in [0.1, 1.5, 3.0] {
                let y = |n: f64| (phase + std::f64::consts::TAU * n / period).cos();
                let changes = follow((20.0 * period).min(2e5) as u64, y).1;
                assert!(changes <= 3, "{period}, {phase}: {changes}");
            }
        }
    }

    #[test]
    fn a_decay_has_a_quantum_for_its_size() {
        for rate in [1e-3, 1e-2, 0.1, 0.5, 2.0] {
            for rest in [0.0, 20_000.0] {
                let steps = rest + 50.0 / rate;
                let y = |n: f64| (-rate * (n - rest).max(0.0)).exp();
                let (quantum, changes) = follow(steps as u64, y);
                let left = y(steps) / quantum;
                // 44 bits, 8 to become small, and what is lost until that has been so for long enough, and in a step.
                let wait = 1.0 + rate * (rest + 5.5 / rate) / 16.0;
                let least = 2_f64.powi(36) * (-2.0 * rate).exp() / wait;
                assert!(left >= least, "{rate}, {rest}: {left:e}, {least:e}");
                // 72 bits, by three to eight at a time.
                assert!((8..=24).contains(&changes), "{rate}, {rest}: {changes}");
            }
        }
    }
}
