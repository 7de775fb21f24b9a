//! The halved arithmetic: an integer grid, on which steps are undone to the last bit, and a gap that is halved at the
//! price of the bits that are kept.
//!
//! Derivation and measurements: `docs/exact.md`.

use super::coupled::Coupling;
use super::gap::{self, GapMonitor, Pace};
use super::grid::{Round, nearest};
use super::growth::PairCotangent;
use super::quanta::Quanta;
use super::{Arithmetic, Pair};
use crate::error::check_finite;
use crate::stop::{Finding, Stop};
use crate::{Real, State, Step};

/// How often the gap is halved when the monitor asks for it, unless the gap grows fast.
const HALVINGS: u32 = 6;

/// More halvings at a time do not fit in a number of the grid.
const MAX_HALVINGS: u32 = 50;

/// The arithmetic of the pair `(y, z)` on a grid of integer multiples of a quantum,
///
/// ```text
/// y' = y + round(Psi_h(t, z))
/// z' = z − round(Psi_{−h}(t + h, y'))
/// ```
///
/// where `round` is to the grid, so that sums are exact and each line is undone by the opposite sign.
/// Now and then the gap is halved, `z' ← y' + (z' − y')/2`, or from both sides for a method of odd order, and the bit
/// that is lost is kept. A component that outgrows its grid goes on on a coarser one, and its numbers before that are
/// kept; one that shrinks goes on on a finer one, which loses nothing. That is all the memory it takes.
///
/// The grid numbers are held in double precision, whatever the scalar `T` of the field; increments are
/// evaluated in `T`.
#[derive(Debug, Clone)]
pub struct Halved {
    /// The quantum that all components start with, where it was chosen.
    pub(crate) quantum: Option<f64>,
    /// The rate `κ` of the damping per unit time, beside what the gap asks for.
    pub(crate) rate: Option<f64>,
    /// The time at which the halvings of that rate are counted from.
    pub(crate) t0: f64,
    /// Whether the growth of the gap is monitored, or all left to the rate.
    pub(crate) monitored: bool,
    /// The number of steps after which the gap is halved at the latest, where it is monitored.
    pub(crate) max_segment: u64,
}

/// The pair on the integer grid.
#[derive(Debug, Clone)]
pub struct HalvedState<S, D> {
    /// The solution and its companion, on the grid.
    pub(crate) grid: Pair<D>,
    /// Their values in the precision of the field.
    value: Pair<S>,
    /// The quanta of the grid.
    pub(crate) quanta: Quanta<D>,
    /// How often the gap was halved at the end of the step that led here.
    pub(crate) halvings: u32,
    /// Those of them that the monitor asked for.
    pub(crate) asked: u32,
    /// Whether both `y` and `z` were moved then, to their mean; otherwise `z` alone.
    pub(crate) to_mean: bool,
    /// Whether the mean is read where the method's order is odd: the last time that the monitor asked for halvings they
    /// were to the mean, or it has not.
    pub(crate) reads_mean: bool,
    /// The bits that were lost thereby, as integers, for each component.
    pub(crate) remainder: D,
    monitor: GapMonitor<D>,
}

/// A proposed solution, on the grid and in the precision of the field; after a step, the pair at its start on the grid.
#[derive(Debug)]
pub struct Proposed<S, D> {
    grid: Pair<D>,
    value: S,
}

/// `to[i] = from[i]`, rounded to `T`.
#[inline(always)]
fn convert<T: Real, S: State<T>, D: State<f64>>(to: &mut S, from: &D) {
    for (to, from) in to.as_mut_slice().iter_mut().zip(from.as_slice()) {
        *to = T::from_f64(*from);
    }
}

impl Halved {
    /// The error of a gap that the rate alone did not keep down.
    #[cold]
    fn rate_too_small<T: Real, D: State<f64>>(&self, step: Step<T>, pair: &Pair<D>) -> Stop {
        let (gap, size) = pair.gap_and_size();
        let coupling = Coupling::Rate(self.rate.unwrap_or(0.0)).to_string();
        Finding::PairDiverged { t: step.end.to_f64(), gap: gap / size, coupling }.into()
    }

    /// How often the gap is halved in this step for the sake of the rate: `κ h / ln 2` on average, as a
    /// function of the step, so that it need not be recorded.
    #[inline(always)]
    pub(crate) fn rate_halvings<T: Real>(&self, step: Step<T>) -> u32 {
        let Some(rate) = self.rate else { return 0 };
        let (start, end) = (step.t.to_f64(), step.end.to_f64());
        let until = |t: f64| ((t - self.t0).abs() * rate * std::f64::consts::LOG2_E) as u64;
        until(end).saturating_sub(until(start)).min(u64::from(MAX_HALVINGS)) as u32
    }
}

/// Halves the gap of `state`, after step number `index`, as often and from where it says, rounding down, and adds
/// a [seed](gap::SEED); the bits lost go to `remainder`.
#[inline]
fn halve<S, D: State<f64>>(index: u64, state: &mut HalvedState<S, D>) {
    let (double, half) = factors(state.halvings);
    let n = state.quanta.each.len();
    let Pair { y, z } = &mut state.grid;
    let (y, z) = (&mut y.as_mut_slice()[..n], &mut z.as_mut_slice()[..n]);
    let (lost, quantum) = (&mut state.remainder.as_mut_slice()[..n], state.quanta.each.as_slice());
    for i in 0..n {
        let gap = z[i] - y[i];
        let down = round_down(gap * half, quantum[i]);
        lost[i] = (gap - down * double) / quantum[i];
        if state.to_mean {
            y[i] += round_down(0.5 * (gap - down), quantum[i]);
        }
        // Away from 0, so that the two do not cancel.
        let sign = if down == 0.0 { gap::seed(i, index + 1) } else { down };
        z[i] = y[i] + down + gap::SEED.copysign(sign) * quantum[i];
    }
}

/// Undoes [`halve`], with the bits in `remainder`.
#[inline]
fn unhalve<S, D: State<f64>>(state: &mut HalvedState<S, D>) {
    let (double, _) = factors(state.halvings);
    let n = state.quanta.each.len();
    let Pair { y, z } = &mut state.grid;
    let (y, z) = (&mut y.as_mut_slice()[..n], &mut z.as_mut_slice()[..n]);
    let (lost, quantum) = (&state.remainder.as_slice()[..n], state.quanta.each.as_slice());
    for i in 0..n {
        let halved = z[i] - y[i];
        let down = halved - gap::SEED.copysign(halved) * quantum[i];
        let gap = down * double + lost[i] * quantum[i];
        if state.to_mean {
            y[i] -= round_down(0.5 * (gap - down), quantum[i]);
        }
        z[i] = y[i] + gap;
    }
}

/// The VJP of the halvings of the gap, on the cotangents.
#[inline]
fn halve_vjp<T: Real, S: State<T>>(halvings: u32, to_mean: bool, bar: &mut Pair<S>) {
    let half = T::from_f64(factors(halvings).1);
    let Pair { y, z } = bar;
    let (y_bar, z_bar) = (y.as_mut_slice(), z.as_mut_slice());
    let part = T::from_f64(0.5) * (T::ONE - half);
    for (y_bar, z_bar) in y_bar.iter_mut().zip(z_bar) {
        if to_mean {
            let moved = part * (*z_bar - *y_bar);
            (*y_bar, *z_bar) = (*y_bar + moved, *z_bar - moved);
        } else {
            *y_bar += *z_bar - half * *z_bar;
            *z_bar = half * *z_bar;
        }
    }
}

/// The multiple of the quantum next below `x`.
#[inline(always)]
fn round_down(x: f64, quantum: f64) -> f64 {
    let near = nearest(x, quantum);
    if near > x { near - quantum } else { near }
}

/// Halvings of the rate and those that the monitor asked for, together.
#[inline(always)]
pub(crate) fn halvings(rate: u32, asked: u32) -> u32 {
    (rate + asked).min(MAX_HALVINGS)
}

impl<D: State<f64>> Pair<D> {
    /// How often the gap must be halved to come down to a few quanta in every component.
    #[cold]
    fn halvings_to(&self, quanta: &D) -> u32 {
        let pairs = self.y.as_slice().iter().zip(self.z.as_slice());
        let ratios =
            pairs.zip(quanta.as_slice()).map(|((y, z), q)| (y - z).abs() / (gap::SEED * q));
        let halvings = ratios.fold(0.0, f64::max).log2();
        (halvings.ceil() as u32).clamp(HALVINGS, MAX_HALVINGS)
    }
}

/// `2^k` and `2^−k`.
#[inline(always)]
fn factors(halvings: u32) -> (f64, f64) {
    let double = (1_u64 << halvings) as f64;
    (double, 1.0 / double)
}

impl<T: Real, S: State<T>> Arithmetic<T, S> for Halved {
    const WATCHES: bool = true;
    type State = HalvedState<S, S::Double>;
    type Next = Proposed<S, S::Double>;

    fn start(&self, y0: &S) -> Self::State {
        let mut y = y0.to_double();
        let quanta = Quanta::at_start(&y, self.quantum);
        let mut z = y.clone();
        let pairs = y.as_mut_slice().iter_mut().zip(z.as_mut_slice());
        for (i, ((y, z), quantum)) in pairs.zip(quanta.each.as_slice()).enumerate() {
            *y = nearest(*y, *quantum);
            *z = *y + gap::seed(i, 0) * quantum;
        }
        let mut value = Pair::zeros_like(y0);
        convert(&mut value.y, &y);
        convert(&mut value.z, &z);
        HalvedState {
            grid: Pair { y, z },
            value,
            halvings: 0,
            asked: 0,
            to_mean: false,
            reads_mean: true,
            remainder: quanta.each.zeros_like(),
            monitor: GapMonitor::new(&quanta.each, Pace::START),
            quanta,
        }
    }
    fn next(&self, y0: &S) -> Self::Next {
        let grid = y0.to_double();
        Proposed { grid: Pair { y: grid.clone(), z: grid }, value: y0.zeros_like() }
    }
    #[inline(always)]
    fn y<'a>(&self, state: &'a Self::State) -> &'a S {
        &state.value.y
    }
    #[inline(always)]
    fn z<'a>(&self, state: &'a Self::State) -> &'a S {
        &state.value.z
    }
    #[inline(always)]
    fn proposed<'a>(&self, next: &'a Self::Next) -> &'a S {
        &next.value
    }
    #[inline]
    fn assign(&self, state: &mut Self::State, from: &Self::State) {
        state.grid.assign(&from.grid);
        state.value.assign(&from.value);
        state.quanta.assign(&from.quanta);
        state.remainder.assign(&from.remainder);
        state.halvings = from.halvings;
        state.asked = from.asked;
        (state.to_mean, state.reads_mean) = (from.to_mean, from.reads_mean);
        state.monitor.assign(&from.monitor);
    }
    fn bytes(&self, state: &Self::State) -> usize {
        7 * size_of_val(state.remainder.as_slice())
            + size_of_val(state.quanta.regrids.as_slice())
            + size_of_val(state.quanta.finer.as_slice())
            + 2 * size_of_val(state.value.y.as_slice())
            + size_of::<Pace>()
    }
    #[inline(always)]
    fn reads_mean(&self, state: &Self::State) -> bool {
        state.reads_mean
    }
    #[inline(always)]
    fn add_y(&self, step: Step<T>, state: &Self::State, psi: &S, next: &mut Self::Next) {
        next.grid.y.assign(&state.grid.y);
        state.quanta.add_rounded(&mut next.grid.y, 1.0, psi, Round::of_step(step.index));
        convert(&mut next.value, &next.grid.y);
    }
    #[inline(always)]
    fn check_y(&self, step: Step<T>, next: &Self::Next) -> Result<(), Stop> {
        Ok(check_finite(&next.value, step.end, step.t)?)
    }
    #[inline(always)]
    fn sub_z(&self, step: Step<T>, state: &mut Self::State, psi: &S, next: &mut Self::Next) {
        let rounding = Round::of_step(step.index).opposite();
        next.grid.z.assign(&state.grid.z);
        state.quanta.add_rounded(&mut next.grid.z, -1.0, psi, rounding);
        std::mem::swap(&mut state.grid, &mut next.grid);
        std::mem::swap(&mut state.value.y, &mut next.value);
    }
    #[inline(always)]
    fn close(
        &self,
        step: Step<T>,
        order: u32,
        state: &mut Self::State,
        last: &Self::Next,
    ) -> Result<(), Stop> {
        let HalvedState { grid, quanta, monitor, asked, to_mean, reads_mean, .. } = &mut *state;
        let sizes = quanta.coarsen(step, &last.grid, grid)?;
        let quantum = &quanta.each;
        let was_resting = monitor.pace.is_resting();
        let grown = if self.monitored {
            monitor.watch(grid, &last.grid.y, quantum, order)
        } else if gap::too_large(grid, quantum) {
            return Err(self.rate_too_small(step, grid));
        } else {
            false
        };
        *asked = 0;
        *to_mean = order % 2 == 1 && *reads_mean;
        if sizes.grown || sizes.shrunk || grown || monitor.steps() >= self.max_segment {
            *to_mean = monitor.closes_to_mean(grid, &last.grid.y, quantum, order);
            *reads_mean = *to_mean;
            if sizes.shrunk {
                quanta.refine(&last.grid, grid);
            }
            let quantum = &quanta.each;
            // Where it grows fast all of it, down to a seed.
            let fast = was_resting || monitor.pace.is_resting() || self.max_segment == 1;
            *asked = if fast { grid.halvings_to(quantum) } else { HALVINGS };
            *monitor = GapMonitor::new(quantum, monitor.pace);
        }
        state.halvings = halvings(self.rate_halvings(step), state.asked);
        if state.halvings > 0 {
            halve(step.index, state);
            state.monitor.left(&state.grid);
            convert(&mut state.value.y, &state.grid.y);
        }
        convert(&mut state.value.z, &state.grid.z);
        Ok(())
    }
    /// `z' ← y' + (z' − y')/2^k`, or `y' ← y' + a (z' − y'), z' ← z' − a (z' − y')` with `a = (1 − 2^−k)/2`, undone and
    /// on the cotangents.
    #[inline(always)]
    fn reopen(
        &self,
        state: &mut Self::State,
        bar: &mut PairCotangent<S>,
        embedded: Option<&mut Pair<S>>,
    ) {
        if state.halvings == 0 {
            return;
        }
        unhalve(state);
        if state.asked > 0 {
            let quanta = state.quanta.each.as_slice();
            bar.closed(quanta, quanta);
        }
        if state.quanta.restore(&mut state.grid.y) {
            // Once more, in the units that the way back goes on with.
            let quanta = state.quanta.each.as_slice();
            bar.closed(quanta, quanta);
        }
        convert(&mut state.value.y, &state.grid.y);
        halve_vjp(state.halvings, state.to_mean, &mut bar.pair);
        if let Some(embedded) = embedded {
            halve_vjp(state.halvings, state.to_mean, embedded);
        }
    }
    #[inline(always)]
    fn undo_z(&self, step: Step<T>, state: &mut Self::State, psi: &S) {
        let rounding = Round::of_step(step.index).opposite();
        state.quanta.undo_rounded(&mut state.grid.z, 1.0, psi, rounding, |start| start.z);
        convert(&mut state.value.z, &state.grid.z);
    }
    #[inline(always)]
    fn undo_y(&self, step: Step<T>, state: &mut Self::State, psi: &S) {
        let rounding = Round::of_step(step.index);
        state.quanta.undo_rounded(&mut state.grid.y, -1.0, psi, rounding, |start| start.y);
        convert(&mut state.value.y, &state.grid.y);
    }
    fn count_cotangent(&self, state: &Self::State, bar: &mut PairCotangent<S>) {
        bar.count(state.quanta.each.as_slice());
    }
    #[inline(always)]
    fn watch(
        &self,
        step: Step<T>,
        state: &Self::State,
        bar: &mut PairCotangent<S>,
    ) -> Result<(), Stop> {
        bar.watch(step, state.quanta.each.as_slice(), !self.monitored)
    }
}
