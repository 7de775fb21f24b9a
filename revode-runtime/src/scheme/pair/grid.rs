//! The grid on which a reversible step is undone to the last bit: multiples of a power of two, one for each
//! component.

use crate::{Real, State};

/// Rounds to a multiple of a quantum, a power of two: to one of the two nearest, to each as often over many
/// steps as it is near.
///
/// Rounding to the nearest one would lose what is less than half a quantum a step for ever: the solution would
/// stand still, and so would the gap of a pair at rest, which must be seen to grow where its cotangents do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round<T> {
    /// What is added before rounding to the nearest, in quanta: between −1/2 and 1/2.
    dither: T,
}

impl<T: Real> Round<T> {
    /// For the first half of step number `index`.
    #[inline(always)]
    pub(crate) fn of_step(index: u64) -> Self {
        // Multiples of the golden ratio are the most evenly distributed ones over the unit interval.
        let turns = index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        // Signed, so that 1 is half a turn.
        let dither = (turns.cast_signed() >> 11) as f64 / (1_u64 << 53) as f64;
        Self { dither: T::from_f64(dither) }
    }

    /// For the other half, whose increment is nearly the opposite one: so that it is rounded to the opposite
    /// multiple, and only a true difference of the two shows in the gap.
    #[inline(always)]
    pub(crate) fn opposite(self) -> Self {
        Self { dither: -self.dither }
    }

    /// Rounds `x`, whose size is up to `1/(2ε)` quanta; what is larger may be no multiple of the quantum.
    #[inline(always)]
    pub(crate) fn round(self, x: T, quantum: T) -> T {
        nearest(x + self.dither * quantum, quantum)
    }
}

/// The multiple of the quantum, a power of two, nearest to `x`, ties to even, for `|x|` up to `1/(2ε)`
/// quanta.
#[inline(always)]
pub(crate) fn nearest<T: Real>(x: T, quantum: T) -> T {
    // Numbers between 1/ε and 2/ε quanta have the quantum as their spacing, so that the addition rounds
    // to it. Rust does not reassociate.
    let shift = T::from_f64(1.5) / T::EPSILON * quantum;
    (x + shift) - shift
}

/// Whether the sum that leads from one number of a grid to another, a step apart, is undone to the last bit.
///
/// The rounded increment is a multiple of the quantum if it is up to `1/(2ε)` quanta, which shows in the
/// difference; and the sum of two multiples is exact if it is up to `2/ε` quanta.
#[inline(always)]
pub(crate) fn is_exact<T: Real>(from: T, to: T, quantum: T) -> bool {
    let (range, increment) = (T::ONE / T::EPSILON, T::from_f64(0.45) / T::EPSILON);
    (to.abs() <= range * quantum) & ((to - from).abs() <= increment * quantum)
}

/// The largest power of two up to `x`, for positive normal numbers.
pub(crate) fn power_of_two(x: f64) -> f64 {
    // The mantissa's bits are what is above the power.
    f64::from_bits(x.to_bits() & 0xfff0_0000_0000_0000)
}

/// The multiples of a quantum, for each component one that belongs to its size: sums of them are exact up
/// to 32 times that size in double precision, 4 times in single precision.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Grid<S> {
    quantum: S,
}

/// How far a component may grow beyond its size before it wants a new grid.
const GROWN: f64 = 2.0;

/// A component that has shrunk wants a new grid where the quantum, relative to the component, is above the
/// square root of `ε` over this: half the digits and some more.
const COARSEST: f64 = 256.0;

/// A new grid is finer than the last one at most by this: a component that passes through zero has not become
/// small.
const FINER: f64 = 1.0 / 64.0;

impl<S> Grid<S> {
    /// The grid for a solution that starts with `y`.
    ///
    /// A component that is 0 has no size yet, and gets the finest quantum that there is: its first step
    /// leaves the grid.
    pub(crate) fn new<T: Real>(y: &S) -> Self
    where
        S: State<T>,
    {
        let mut quantum = y.clone();
        quantum.as_mut_slice().iter_mut().for_each(|y| *y = quantum_for(y.abs()));
        Self { quantum }
    }

    /// The grid for a solution that goes on from `y`.
    pub(crate) fn renewed<T: Real>(&self, y: &S) -> Self
    where
        S: State<T>,
    {
        let mut next = self.clone();
        for (quantum, y) in next.quantum.as_mut_slice().iter_mut().zip(y.as_slice()) {
            *quantum = quantum_for(y.abs()).max(T::from_f64(FINER) * *quantum);
        }
        next
    }

    /// Takes another's quanta without allocating.
    #[inline(always)]
    pub(crate) fn assign<T: Real>(&mut self, from: &Self)
    where
        S: State<T>,
    {
        self.quantum.assign(&from.quantum);
    }

    /// The quantum of each component.
    #[inline(always)]
    pub(crate) fn quantum(&self) -> &S {
        &self.quantum
    }

    /// Whether the solution `y` is still well placed on the grid.
    #[inline(always)]
    pub(crate) fn holds<T: Real>(&self, y: &S) -> bool
    where
        S: State<T>,
    {
        let n = y.len();
        let (y, quantum) = (&y.as_slice()[..n], &self.quantum.as_slice()[..n]);
        let larger = T::from_f64(GROWN) / units::<T>();
        let smaller = T::from_f64(COARSEST) / T::EPSILON.sqrt();
        let mut all = true;
        for i in 0..n {
            let size = y[i].abs();
            all &= size <= larger * quantum[i];
            // (Unless there is no finer quantum.)
            all &= size >= smaller * (quantum[i] - finest());
        }
        all
    }
}

/// A quantum relative to the size that it belongs to, a power of two: 16 or, where there are fewer digits to
/// spare, 2 units in the last place.
#[inline(always)]
fn units<T: Real>() -> T {
    let single = T::EPSILON > T::from_f64(1e-10);
    T::from_f64(if single { 2.0 } else { 16.0 }) * T::EPSILON
}

/// The finest quantum: the smallest normal number.
#[inline(always)]
fn finest<T: Real>() -> T {
    T::MIN_POSITIVE
}

/// The quantum for a component of this size, which is rounded up to a power of two.
fn quantum_for<T: Real>(size: T) -> T {
    // Up to where `nearest` and sums of 32 sizes stay in the range of the scalar.
    let largest = T::from_f64(1.0 / 64.0) / T::MIN_POSITIVE;
    let size = size.min(largest).max(finest::<T>() / units()).to_f64();
    let below = power_of_two(size);
    T::from_f64(if below == size { size } else { 2.0 * below }) * units()
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;
    use proptest::prelude::*;

    use super::{Grid, Round, nearest};

    const QUANTUM: f64 = 16.0 * f64::EPSILON;

    #[test]
    fn each_component_has_its_quantum() {
        let grid = Grid::new(&Vector3::new(1.5e11, 0.0, -3.0));
        let sizes = grid.quantum() / QUANTUM;
        assert_eq!((sizes[0], sizes[2]), (2_f64.powi(38), 4.0));
        assert_eq!(grid.quantum()[1], f64::MIN_POSITIVE);
        assert_eq!(*grid.quantum(), Vector3::new(sizes[0], sizes[1], sizes[2]) * QUANTUM);
        assert!(grid.holds(&Vector3::new(-2.0 * sizes[0], 0.0, 8.0)));
        assert!(
            !grid.holds(&Vector3::new(1.0, 1e-280, 1.0))
                && !grid.holds(&Vector3::new(0.0, 0.0, 8.1))
        );
    }

    #[test]
    fn a_new_grid_follows_growth_and_remembers_size() {
        let grid = Grid::new(&Vector3::new(1.0, 1.0, 1.0));
        let next = grid.renewed(&Vector3::new(3.0, 0.3, 1e-9));
        assert_eq!(*next.quantum(), Vector3::new(4.0, 0.5, 1.0 / 64.0) * QUANTUM);
    }

    #[test]
    fn the_ends_of_the_range_have_finite_grids() {
        for size in [0.0_f32, 1e-45, f32::MIN_POSITIVE, 1e38] {
            let grid = Grid::new(&nalgebra::Vector1::new(size));
            let quantum = grid.quantum()[0];
            assert!(quantum.is_normal(), "{size}: {quantum}");
            // (Near the largest number the quantum is no longer as fine.)
            let off = (nearest(size, quantum) - size).abs();
            assert!(off <= quantum.max(size * f32::EPSILON), "{size}: {off}");
        }
    }

    /// A hundredth of a quantum a step becomes one quantum in a hundred steps.
    #[test]
    fn nothing_is_lost_over_many_steps() {
        for x in [0.01, -0.01, 0.3, 0.499, -0.7] {
            let sum = |half: fn(Round<f64>) -> Round<f64>| -> f64 {
                (0..10_000).map(|index| half(Round::of_step(index)).round(x, 1.0)).sum()
            };
            let (first, second) = (sum(|round| round), sum(Round::opposite));
            // The discrepancy of the golden ratio's multiples is below 3 at this length.
            assert!((first - 1e4 * x).abs() <= 3.0, "{x}: {first}");
            assert!((second - 1e4 * x).abs() <= 3.0, "{x}: {second}");
        }
        assert!((0..1000).all(|index| {
            let round = Round::<f64>::of_step(index);
            round.round(0.3, 1.0) == -round.opposite().round(-0.3, 1.0)
        }));
    }

    proptest! {
        /// Sums of rounded numbers up to four sizes are undone without error.
        #[test]
        fn sums_are_exact(size in -1e3_f32..1e3, parts in prop::array::uniform4(-1.0_f32..1.0)) {
            let grid = Grid::new(&nalgebra::Vector1::new(size));
            let quantum = grid.quantum().as_slice()[0];
            let [x, parts @ ..] = parts.map(|part| nearest(part * size, quantum));
            prop_assert_eq!(x % quantum, 0.0);
            let sum = parts.iter().fold(x, |sum, part| sum + part);
            prop_assert_eq!(parts.iter().rev().fold(sum, |sum, part| sum - part), x);
        }
    }
}
