//! The quanta of the exact pair's grid: how fine they are, how far their multiples reach, and the others that a
//! component gets when it grows or shrinks.

use super::Pair;
use super::gap::SEED;
use super::grid::{Round, nearest, power_of_two};
use crate::stop::Stop;
use crate::{Real, SolveError, State, Step};

/// Numbers of the grid are at most this multiple of the quantum after a step. An increment that leads
/// from one such number to another, a [seed](super::gap::seed) further in, is below 2⁵¹ quanta: what
/// [rounding](super::grid::Round::round) is exact for.
const LARGEST: f64 = (1_u64 << 50) as f64 - SEED;

/// A quantum is this part of its component's size, so that the grid reaches to 64 times the size.
const OF_SIZE: f64 = 1.0 / (1_u64 << 44) as f64;

/// A component that has shrunk to less than this multiple of its quantum gets a finer one.
const SHRUNK: f64 = (1_u64 << 34) as f64;

/// A finer quantum is at least this part of the last one, whose grid still reaches to the former size: a component that
/// passes through zero has not become small.
const FINER: f64 = 1.0 / 32.0;

/// The smallest quantum: what is 2⁻⁵⁰ of it is still a normal number.
pub(crate) const LEAST: f64 = 1e-290;

/// The largest quantum that may be chosen: the numbers of its grid are finite in the precision of the field, and in
/// double precision no sum in rounding overflows.
pub(crate) fn most<T: Real>() -> f64 {
    1.0 / (T::MIN_POSITIVE.to_f64() * (1_u64 << 53) as f64)
}

/// The quantum of each component, a power of two.
#[derive(Debug, Clone)]
pub(crate) struct Quanta<D> {
    pub(crate) each: D,
    /// The smallest one that a component may get.
    finest: f64,
    /// The components whose quantum changed at the end of the last step.
    pub(crate) regrids: Vec<Regrid>,
}

/// The change of a component's quantum at the end of a step, with the numbers that it lost.
///
/// The step may have led the component beyond its grid, where sums are not exact, so that its start is kept too.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Regrid {
    component: usize,
    /// The quantum that it had.
    quantum: f64,
    /// The pair at the start of the step.
    start: Pair<f64>,
    /// The solution at its end, before it was rounded to the new quantum.
    y: f64,
}

impl<D: State<f64>> Quanta<D> {
    /// For a solve that starts at `y0`. A component that starts at 0 gets the finest one, which it outgrows in its first
    /// step.
    pub(crate) fn at_start(y0: &D, finest: f64) -> Self {
        let finest = power_of_two(finest);
        let mut each = y0.clone();
        each.as_mut_slice().iter_mut().for_each(|y0| *y0 = of_size(y0.abs()).max(finest));
        Self { each, finest, regrids: Vec::new() }
    }

    /// Takes another's numbers without allocating, but for components that got new quanta.
    #[inline(always)]
    pub(crate) fn assign(&mut self, from: &Self) {
        self.each.assign(&from.each);
        self.regrids.clone_from(&from.regrids);
    }

    /// `x[i] += sign · round(psi[i])`
    #[inline(always)]
    pub(crate) fn add_rounded<T: Real, S: State<T>>(
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

    /// `x[i] += sign · round(psi[i])`, or the `start` that was kept.
    #[inline(always)]
    pub(crate) fn undo_rounded<T: Real, S: State<T>>(
        &self,
        x: &mut D,
        sign: f64,
        psi: &S,
        rounding: Round<f64>,
        start: impl Fn(Pair<f64>) -> f64,
    ) {
        self.add_rounded(x, sign, psi, rounding);
        for regrid in &self.regrids {
            x.as_mut_slice()[regrid.component] = start(regrid.start);
        }
    }

    /// Gives each component that the step from `last` has led beyond its grid a coarser one, and each that has shrunk a
    /// finer one; returns whether there was any.
    ///
    /// What is within the grid before and after a step was led there by exact sums: an increment that is not rounded
    /// to a multiple of the quantum is above 2⁵¹ quanta, and leads from any number of the grid beyond it.
    ///
    /// # Errors
    /// [`SolveError::NotFinite`] where there is no grid for a component.
    #[inline(always)]
    pub(crate) fn regrid<T: Real>(
        &mut self,
        step: Step<T>,
        last: &Pair<D>,
        pair: &mut Pair<D>,
    ) -> Result<bool, Stop> {
        let n = self.each.len();
        let (y, z) = (&pair.y.as_slice()[..n], &pair.z.as_slice()[..n]);
        let mut held = true;
        for (i, quantum) in self.each.as_slice().iter().enumerate() {
            held &= self.fits(*quantum, y[i], z[i]);
        }
        self.regrids.clear();
        if !held {
            self.renew(step, last, pair)?;
        }
        Ok(!held)
    }

    #[cold]
    fn renew<T: Real>(
        &mut self,
        step: Step<T>,
        last: &Pair<D>,
        pair: &mut Pair<D>,
    ) -> Result<(), Stop> {
        let (y, z) = (pair.y.as_mut_slice(), pair.z.as_mut_slice());
        for component in 0..y.len() {
            let quantum = self.each.as_slice()[component];
            let (y, z) = (&mut y[component], &mut z[component]);
            if self.fits(quantum, *y, *z) {
                continue;
            }
            let start = Pair { y: last.y.as_slice()[component], z: last.z.as_slice()[component] };
            self.regrids.push(Regrid { component, quantum, start, y: *y });
            let quantum = of_size(y.abs().max(z.abs())).max(FINER * quantum).max(self.finest);
            self.each.as_mut_slice()[component] = quantum;
            if let Some(value) = [*y, *z].into_iter().find(|x| !holds(quantum, *x)) {
                // Not finite, or near the end of double precision.
                let (t, last_good) = (step.end.to_f64(), step.t.to_f64());
                return Err(SolveError::NotFinite { t, component, value, last_good }.into());
            }
            (*y, *z) = (nearest(*y, quantum), nearest(*z, quantum));
        }
        Ok(())
    }

    /// Whether the grid of a quantum is right for a component of the pair: it reaches that far, and there is no reason or
    /// no way to make it finer.
    #[inline(always)]
    fn fits(&self, quantum: f64, y: f64, z: f64) -> bool {
        let reaches = holds(quantum, y) & holds(quantum, z);
        reaches & (y.abs().max(z.abs()) >= SHRUNK * (quantum - self.finest))
    }

    /// Takes [`regrid`](Self::regrid) back, but for `z`, which the start of the step replaces; returns whether there
    /// was anything to take back.
    pub(crate) fn restore(&mut self, y: &mut D) -> bool {
        for regrid in &self.regrids {
            self.each.as_mut_slice()[regrid.component] = regrid.quantum;
            y.as_mut_slice()[regrid.component] = regrid.y;
        }
        !self.regrids.is_empty()
    }
}

/// Whether the grid of a quantum reaches to `x`.
#[inline(always)]
fn holds(quantum: f64, x: f64) -> bool {
    x.abs() <= LARGEST * quantum
}

/// The quantum for a component of this size.
fn of_size(size: f64) -> f64 {
    power_of_two((OF_SIZE * size).clamp(LEAST, most::<f64>()))
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector4;
    use proptest::prelude::*;

    use super::super::Pair;
    use super::super::grid::{nearest, power_of_two};
    use super::{LARGEST, LEAST, Quanta, holds, most, of_size};
    use crate::Step;

    #[test]
    fn each_component_has_its_own() {
        let q = 2_f64.powi(-44);
        let y0 = Vector4::new(1.0, -6.0e6, 0.0, 1e-12);
        let expected = [q, 2_f64.powi(22) * q, 2_f64.powi(-964), 2_f64.powi(-40) * q];
        assert_eq!(Quanta::at_start(&y0, LEAST).each.as_slice(), expected);
        assert!(expected.iter().zip(&y0).all(|(quantum, y0)| holds(*quantum, 63.0 * y0)));
        assert_eq!(Quanta::at_start(&y0, 0.3).each.as_slice(), [0.25; 4]);
        assert_eq!(of_size(1.5), q);
    }

    /// Coarser ones, finer ones, and none that is finer than allowed.
    #[test]
    fn they_follow_their_component_there_and_back() {
        let step = Step::new(0, 0.0, 0.1);
        let start = Pair { y: Vector4::repeat(1.0), z: Vector4::repeat(1.0) };
        let mut quanta = Quanta::at_start(&start.y, 2_f64.powi(-46));
        let before = quanta.each;
        let q = before[0];
        let y = Vector4::new(60.0, 1e9 + 1e-6, 1e-4, 1e-9);
        let mut pair = Pair { y, z: Vector4::repeat(0.0) };
        assert!(quanta.regrid(step, &start, &mut pair).unwrap());
        assert_eq!(quanta.each.as_slice(), [q, 2_f64.powi(29) * q, 0.25 * q, 0.25 * q]);
        assert_eq!((pair.y[0], pair.y[1]), (60.0, 1e9));
        assert!(!quanta.regrid(step, &start, &mut pair.clone()).unwrap());
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
