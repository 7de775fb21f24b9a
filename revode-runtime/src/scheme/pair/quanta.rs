//! The quanta of the exact pair's grid: how fine they are, how far their multiples reach, and the others that a
//! component gets when it grows or shrinks.

use super::Pair;
use super::finer::{Finer, Wanted};
use super::gap::SEED;
use super::grid::{Round, nearest, power_of_two};
use crate::stop::Stop;
use crate::{Real, SolveError, State, Step};

/// Numbers of the grid are at most this multiple of the quantum after a step. An increment that leads
/// from one such number to another, a [seed](super::gap::seed) further in, is below 2⁵¹ quanta: what
/// [rounding](super::grid::Round::round) is exact for.
const LARGEST: f64 = (1_u64 << 50) as f64 - SEED;

/// A default quantum is this part of the component's size, so that the grid reaches to 64 times that. As fine as it can
/// be, also where the tolerance is loose: rounding to a coarser one is an error that no estimate knows of, and keeps no
/// less memory (`docs/exact.md`).
pub(super) const OF_SIZE: f64 = 1.0 / (1_u64 << 44) as f64;

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
    pub(super) wanted: Wanted,
    /// For each component the index of the step in which it last got a coarser quantum, plus
    /// [`STAYED`](super::finer::STAYED) for each step since in which it was small: it has stayed small where that has
    /// overtaken the index of the step.
    pub(super) stayed: D,
    /// The components that got a coarser quantum at the end of the last step.
    pub(crate) regrids: Vec<Regrid>,
    /// Those that got a finer one.
    pub(crate) finer: Vec<Finer>,
}

/// What became of the components in a step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    /// Whether one has left its grid.
    pub(crate) grown: bool,
    /// Whether one has shrunk and wants a finer grid.
    pub(crate) shrunk: bool,
}

/// A coarser quantum at the end of a step, with the numbers that it lost.
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
    /// The chosen quantum for each component of the initial state whose grid reaches that far, otherwise a default.
    pub(crate) fn at_start(y0: &D, chosen: Option<f64>) -> Self {
        let mut each = y0.clone();
        for y0 in each.as_mut_slice() {
            *y0 = at_start(y0.abs(), chosen);
        }
        let wanted = Wanted::new(chosen);
        let stayed = each.zeros_like();
        Self { each, wanted, stayed, regrids: Vec::new(), finer: Vec::new() }
    }

    /// Takes another's numbers without allocating, but for components that got new quanta.
    #[inline(always)]
    pub(crate) fn assign(&mut self, from: &Self) {
        self.each.assign(&from.each);
        self.wanted = from.wanted;
        self.stayed.assign(&from.stayed);
        self.regrids.clone_from(&from.regrids);
        self.finer.clone_from(&from.finer);
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

    /// Gives each component that the step from `last` has led beyond its grid a coarser one; returns whether any was,
    /// and whether any wants a [finer](Self::refine) one.
    ///
    /// What is within the grid before and after a step was led there by exact sums: an increment that is not rounded
    /// to a multiple of the quantum is above 2⁵¹ quanta, and leads from any number of the grid beyond it.
    ///
    /// # Errors
    /// [`SolveError::NotFinite`] where there is no grid for a component.
    #[inline(always)]
    pub(crate) fn coarsen<T: Real>(
        &mut self,
        step: Step<T>,
        last: &Pair<D>,
        pair: &mut Pair<D>,
    ) -> Result<Sizes, Stop> {
        let n = self.each.len();
        let (y, z) = (&pair.y.as_slice()[..n], &pair.z.as_slice()[..n]);
        let (mut inside, mut small) = (true, false);
        for (i, quantum) in self.each.as_slice().iter().enumerate() {
            inside &= holds(*quantum, y[i]) & holds(*quantum, z[i]);
            // (One of four numbers is enough to look at the others.)
            small |= y[i].abs() < self.wanted.small(*quantum);
        }
        self.regrids.clear();
        self.finer.clear();
        if !inside {
            self.coarsen_grown(step, last, pair)?;
        }
        let shrunk = small && self.stay_small(step, last, pair);
        Ok(Sizes { grown: !inside, shrunk })
    }

    #[cold]
    fn coarsen_grown<T: Real>(
        &mut self,
        step: Step<T>,
        last: &Pair<D>,
        pair: &mut Pair<D>,
    ) -> Result<(), Stop> {
        let Self { each, stayed, regrids, .. } = self;
        let (y, z) = (pair.y.as_mut_slice(), pair.z.as_mut_slice());
        for (component, quantum) in each.as_mut_slice().iter_mut().enumerate() {
            let (y, z) = (&mut y[component], &mut z[component]);
            if holds(*quantum, *y) && holds(*quantum, *z) {
                continue;
            }
            let start = Pair { y: last.y.as_slice()[component], z: last.z.as_slice()[component] };
            regrids.push(Regrid { component, quantum: *quantum, start, y: *y });
            *quantum = of_size(y.abs().max(z.abs()));
            stayed.as_mut_slice()[component] = step.index as f64;
            if let Some(value) = [*y, *z].into_iter().find(|x| !holds(*quantum, *x)) {
                // Not finite, or near the end of double precision.
                let (t, last_good) = (step.end.to_f64(), step.t.to_f64());
                return Err(SolveError::NotFinite { t, component, value, last_good }.into());
            }
            (*y, *z) = (nearest(*y, *quantum), nearest(*z, *quantum));
        }
        Ok(())
    }

    /// Takes [`coarsen`](Self::coarsen) and [`refine`](Self::refine) back, but for a `z` that was rounded, which the start
    /// of the step replaces; returns whether there was anything to take back.
    pub(crate) fn restore(&mut self, y: &mut D) -> bool {
        let each = self.each.as_mut_slice();
        for Finer { component, quantum } in &self.finer {
            each[*component] = *quantum;
        }
        for regrid in &self.regrids {
            each[regrid.component] = regrid.quantum;
            y.as_mut_slice()[regrid.component] = regrid.y;
        }
        !(self.regrids.is_empty() && self.finer.is_empty())
    }
}

/// Whether the grid of a quantum reaches to `x`.
#[inline(always)]
fn holds(quantum: f64, x: f64) -> bool {
    x.abs() <= LARGEST * quantum
}

/// The quantum of a component that starts at this size: the chosen one where its grid reaches that far, or a default.
///
/// A component that starts at 0 has the smallest one, which it outgrows in its first step.
fn at_start(size: f64, chosen: Option<f64>) -> f64 {
    let chosen = chosen.map(|chosen| power_of_two(chosen.max(LEAST)));
    chosen.filter(|quantum| holds(*quantum, size)).unwrap_or_else(|| of_size(size))
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
    use super::{LARGEST, LEAST, Quanta, at_start, holds, most, of_size};
    use crate::Step;

    #[test]
    fn each_component_has_its_own() {
        let q = 2_f64.powi(-44);
        for (size, quantum) in [
            (1.0, q),
            (6.0e6, 2_f64.powi(22) * q),
            (0.0, 2_f64.powi(-964)),
            (1e-12, 2_f64.powi(-40) * q),
        ] {
            assert_eq!(at_start(size, None), quantum);
            assert_eq!(of_size(size), quantum);
            assert!(holds(quantum, 32.0 * size));
        }
        assert_eq!(at_start(1.0, Some(0.3)), 0.25);
        assert_eq!(at_start(1.0, Some(1e-20)), q);
    }

    fn both<D: Clone>(x: D) -> Pair<D> {
        Pair { y: x.clone(), z: x }
    }

    /// Coarser ones, finer ones, none that is finer than the chosen one, and back.
    #[test]
    fn they_follow_their_component_there_and_back() {
        let start = Vector4::new(1.0, 1.0, 1.0, 2_f64.powi(-6));
        // Its grid does not reach to 1.
        let mut quanta = Quanta::at_start(&start, Some(2_f64.powi(-50)));
        let before = quanta.each;
        let q = before[0];
        assert_eq!(before, Vector4::new(q, q, q, q / 64.0));
        let small = Vector4::new(60.0, 2_f64.powi(30) + 1e-6, 1e-3, 1e-9);
        let (last, mut pair) = (both(small), both(small));
        let step = Step::new(0, 0.0, 0.1);
        let sizes = quanta.coarsen(step, &last, &mut pair).unwrap();
        assert!(sizes.grown && sizes.shrunk);
        quanta.refine(&last, &pair);
        assert_eq!(quanta.each, Vector4::new(q, 2_f64.powi(30) * q, q / 32.0, q / 64.0));
        assert_eq!((quanta.regrids.len(), quanta.finer.len()), (1, 1));
        let mut y = pair.y;
        assert!(y[1] == 2_f64.powi(30) && quanta.restore(&mut y));
        assert_eq!((quanta.each, y), (before, small));
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
