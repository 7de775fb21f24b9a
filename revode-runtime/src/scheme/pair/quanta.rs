//! The quanta of the exact pair's grid: how numbers are rounded to their multiples, how far these reach, and
//! how fine they are.

use super::gap::SEED;
use super::grid::{Round, power_of_two};
use crate::control::Tolerance;
use crate::slices::largest;
use crate::stop::{Finding, Stop};
use crate::{Real, SolveError, State, Step};

/// Numbers of the grid are at most this multiple of the quantum after a step. An increment that leads
/// from one such number to another, a [seed](crate::gap::seed) further in, is below 2⁵¹ quanta: what
/// [rounding](Round::round) is exact for.
pub(crate) const LARGEST: f64 = (1_u64 << 50) as f64 - SEED;

/// A default quantum is this part of the tolerance of its component, but not below the second part of its size
/// at the start, so that the grid reaches to 64 times the size, nor above the third: a loss may look at what is
/// below the absolute tolerance.
const OF_TOLERANCE: f64 = 1.0 / 65_536.0;
const OF_SIZE: f64 = 1.0 / (1_u64 << 44) as f64;
const RESOLVED: f64 = 1.0 / (1_u64 << 24) as f64;

/// How much coarser, at the least, a default quantum that proved too fine is made.
const COARSER: f64 = 1024.0;

/// Above this part of its grid a component is taken to leave it soon.
const NEAR: f64 = 1.0 / 16.0;

/// A component that is smaller at the start than this multiple of the scalar's `EPSILON` of the largest
/// one may be 0 but for rounding: it has no size yet, and shows it on the way.
const NO_SIZE: f64 = 4.0;

/// The smallest quantum: what is 2⁻⁵⁰ of it is still a normal number.
pub(crate) const LEAST: f64 = 1e-290;

/// The largest quantum: on its grid no number and no sum in rounding overflows, and the numbers are
/// finite in the precision of the field.
pub(crate) fn most<T: Real>() -> f64 {
    1.0 / (T::MIN_POSITIVE.to_f64() * (1_u64 << 53) as f64)
}

/// The quantum of each component, a power of two.
#[derive(Debug, Clone)]
pub(crate) struct Quanta<D> {
    /// What they are.
    pub(crate) each: D,
    /// How coarse they may be made where they prove too fine.
    coarsest: D,
}

impl<D: State<f64>> Quanta<D> {
    /// The chosen quantum for all components, or a default for each one of the initial state, for a field
    /// over `T`.
    pub(crate) fn new<T: Real>(y0: &D, chosen: Option<f64>, tolerance: Option<Tolerance>) -> Self {
        let clamp = |quantum: f64| power_of_two(quantum.clamp(LEAST, most::<T>()));
        let (mut each, mut coarsest) = (y0.clone(), y0.clone());
        if let Some(quantum) = chosen {
            each.fill(clamp(quantum));
            coarsest.fill(clamp(quantum));
            return Self { each, coarsest };
        }
        let largest = largest(y0.as_slice());
        let no_size = NO_SIZE * T::EPSILON.to_f64() * largest;
        for (quantum, coarsest) in each.as_mut_slice().iter_mut().zip(coarsest.as_mut_slice()) {
            let size = quantum.abs();
            let wanted = tolerance
                .map_or(0.0, |Tolerance { rtol, atol }| OF_TOLERANCE * (atol + rtol * size));
            (*quantum, *coarsest) = if size <= no_size {
                (clamp(wanted.max(OF_SIZE * size)), clamp(f64::INFINITY))
            } else {
                let finest = OF_SIZE * size;
                // So that the start is not rounded away; what is small beside another one, or below its
                // tolerance, may lose what that has lost at first.
                let coarsest = (wanted.max(finest) * COARSER * COARSER).max(OF_SIZE * largest);
                (clamp(wanted.min(RESOLVED * size).max(finest)), clamp(coarsest))
            };
        }
        Self { each, coarsest }
    }

    /// Makes the grid of a component that came to `value` coarser, so that it reaches further. Returns
    /// whether that is allowed and enough.
    #[cold]
    pub(crate) fn coarsen(&mut self, component: usize, value: f64) -> bool {
        let quantum = &mut self.each.as_mut_slice()[component];
        let wanted = (*quantum * COARSER).max(power_of_two(OF_SIZE * value.abs()));
        *quantum = wanted.min(self.coarsest.as_slice()[component]);
        value.abs() <= LARGEST * *quantum
    }

    /// `to[i] = from[i] + sign · round(psi[i])`
    #[inline(always)]
    pub(crate) fn add_rounded<T: Real, S: State<T>>(
        &self,
        to: &mut D,
        from: &D,
        sign: f64,
        psi: &S,
        rounding: Round<f64>,
    ) {
        let n = to.len();
        let (to, from) = (&mut to.as_mut_slice()[..n], &from.as_slice()[..n]);
        let (psi, quanta) = (&psi.as_slice()[..n], &self.each.as_slice()[..n]);
        for i in 0..n {
            to[i] = from[i] + sign * rounding.round(psi[i].to_f64(), quanta[i]);
        }
    }

    /// `x[i] += sign · round(psi[i])`
    #[inline(always)]
    pub(crate) fn add_rounded_to<T: Real, S: State<T>>(
        &self,
        x: &mut D,
        sign: f64,
        psi: &S,
        rounding: Round<f64>,
    ) {
        let n = x.len();
        let x = &mut x.as_mut_slice()[..n];
        let (psi, quanta) = (&psi.as_slice()[..n], &self.each.as_slice()[..n]);
        for i in 0..n {
            x[i] += sign * rounding.round(psi[i].to_f64(), quanta[i]);
        }
    }

    /// An error where the numbers at the end of a step are beyond the grid.
    ///
    /// Then none of the increments was too large to be rounded either: one above 2⁵¹ quanta leads from any
    /// number of the grid beyond it.
    #[inline(always)]
    pub(crate) fn check<T: Real>(&self, x: &D, step: Step<T>) -> Result<(), Stop> {
        let n = x.len();
        let (x, quanta) = (&x.as_slice()[..n], &self.each.as_slice()[..n]);
        let mut inside = true;
        for i in 0..n {
            inside &= x[i].abs() <= LARGEST * quanta[i];
        }
        if inside { Ok(()) } else { Err(beyond(x, quanta, step)) }
    }

    /// An error where the initial state is beyond the grid.
    pub(crate) fn check_start<T: Real>(&self, t0: T, y0: &D) -> Result<(), SolveError> {
        self.check(y0, Step::new(0, t0, T::ZERO)).map_err(Stop::into_error)
    }
}

/// The error of numbers of which one at least is beyond the grid.
#[cold]
fn beyond<T: Real>(x: &[f64], quanta: &[f64], step: Step<T>) -> Stop {
    let t = step.end.to_f64();
    if let Some(component) = x.iter().position(|x| !x.is_finite()) {
        let value = x[component];
        return SolveError::NotFinite { t, component, value, last_good: step.t.to_f64() }.into();
    }
    let filled = |i: usize| x[i].abs() / (LARGEST * quanta[i]);
    let component = (0..x.len()).find(|i| filled(*i) > 1.0).unwrap_or(0);
    let near = |i: &usize| *i != component && filled(*i) > NEAR;
    let others = (0..x.len()).filter(near).map(|i| (i, x[i])).collect();
    let (value, quantum) = (x[component], quanta[component]);
    Finding::OutOfRange { t, component, value, quantum, largest: quantum * LARGEST, others }.into()
}

#[cfg(test)]
mod tests {
    use nalgebra::{Vector2, Vector4};
    use proptest::prelude::*;

    use super::super::grid::{nearest, power_of_two};
    use super::{LARGEST, LEAST, Quanta, most};
    use crate::control::Tolerance;

    #[test]
    fn each_component_has_its_own() {
        let (q, p) = (2_f64.powi(-44), 2_f64.powi(-16));
        let y0 = Vector4::new(1.0, -6.0e6, 0.0, 1e-12);
        let Quanta { each, coarsest } = Quanta::new::<f64>(&y0, None, None);
        let least = 2_f64.powi(-964);
        assert_eq!(each.as_slice(), [q, 2_f64.powi(22) * q, least, 2_f64.powi(-40) * q]);
        let far = 2_f64.powi(20);
        assert_eq!(
            coarsest.as_slice(),
            [
                // What the largest one has lost at first is more than 2²⁰ of its own.
                2_f64.powi(22) * q,
                far * 2_f64.powi(22) * q,
                most::<f64>(),
                most::<f64>(),
            ]
        );
        let tolerance = Some(Tolerance { rtol: 0.0, atol: 1.0 });
        let Quanta { each, .. } = Quanta::new::<f64>(&y0, None, tolerance);
        // The first is below the tolerance.
        assert_eq!(each.as_slice(), [2_f64.powi(-24), p, p, p]);
        let Quanta { each, coarsest } = Quanta::new::<f64>(&y0, Some(0.3), tolerance);
        assert_eq!((each.as_slice(), coarsest.as_slice()), (&[0.25; 4][..], &[0.25; 4][..]));
    }

    #[test]
    fn they_are_made_coarser_within_their_limits() {
        let mut quanta = Quanta::new::<f64>(&Vector2::new(1.0, 0.0), None, None);
        let start = quanta.clone();
        assert!(quanta.coarsen(0, 65.0) && quanta.coarsen(0, 1e5));
        assert_eq!(quanta.each[0], 2_f64.powi(20) * start.each[0]);
        assert!(!quanta.coarsen(0, 1e9));
        assert!(quanta.coarsen(1, 1e9) && quanta.each[1] < 1e-4);
        assert!(quanta.coarsen(1, 1e20));
        assert_eq!(quanta.each[0], 2_f64.powi(20) * start.each[0]);
    }

    proptest! {
        /// Increments between numbers of the grid become multiples of the quantum, at most half of one away.
        #[test]
        fn rounding_is_exact(x in -2.0..2.0, scale in prop::sample::select(vec![LEAST, 1e-20, 1.0, most::<f64>()])) {
            let quantum = power_of_two(scale);
            let rounded = nearest(x * LARGEST * quantum, quantum);
            prop_assert_eq!((rounded / quantum).fract(), 0.0);
            prop_assert!(f64::abs(rounded / quantum - x * LARGEST) <= 0.5);
        }
    }
}
