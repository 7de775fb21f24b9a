//! The anchored arithmetic: no damping, a gap that is closed before it grows, and a grid on which steps are undone
//! to the last bit.
//!
//! Derivation and measurements: `docs/guarded.md`.

use super::gap::{self, GapMonitor, Pace};
use super::grid::{Grid, Round, is_exact, nearest};
use super::growth::PairCotangent;
use super::{Arithmetic, Pair, mean_of};
use crate::error::check_finite;
use crate::slices::{update, zip};
use crate::stop::Stop;
use crate::{Real, State, Step};

/// The arithmetic of the pair with `λ = 1`,
///
/// ```text
/// y' = y + round(Psi_h(t, z))
/// z' = z − round(Psi_{−h}(t + h, y'))
/// ```
///
/// and with `z' ← y'`, or for a method of odd order `y', z' ← (y' + z')/2` where steps resolve the solution, after a
/// step in which the gap `‖y' − z'‖` was found to grow faster than in proportion to time: the step ends in an *anchor*.
/// The number of anchors belongs to the horizon and to how fast the field contracts, not to the number of steps.
///
/// From one anchor to the next the pair lies on a grid, to which `round` rounds, so that each line is
/// undone exactly by the opposite sign.
///
/// Step sizes and the places of the anchors are constants to the gradient.
#[derive(Debug, Clone, Copy)]
pub struct Anchored {
    /// The number of steps after which the gap is closed at the latest.
    pub(crate) max_segment: u64,
}

/// The pair on its grid.
#[derive(Debug, Clone, PartialEq)]
pub struct AnchoredState<S> {
    /// The solution and its companion.
    pub(crate) pair: Pair<S>,
    /// Their grid.
    pub(crate) grid: Grid<S>,
    /// The anchor, if the step that led here ended in one.
    pub(crate) anchor: Option<Anchor<S>>,
    /// The pair before that step, if the step cannot be undone to the last bit: a component left its grid.
    pub(crate) before: Option<Pair<S>>,
    /// Whether the mean is read where the method's order is odd: the last gap was closed to it, or none was.
    reads_mean: bool,
    monitor: GapMonitor<S>,
}

/// The pair before its gap was closed, its grid, after how many steps, and at what pace it goes
/// on from there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Anchor<S> {
    pub(crate) pair: Pair<S>,
    pub(crate) grid: Grid<S>,
    steps: u64,
    pace: Pace,
    /// Whether the gap is closed to the mean of `y` and `z`; otherwise to `y`.
    to_mean: bool,
    /// Whether the last one before it was.
    last_to_mean: bool,
}

impl<S> Anchor<S> {
    /// The start of a solve, where the gap is closed already.
    pub(crate) fn start<T: Real>(y0: &S) -> Self
    where
        S: State<T>,
    {
        let pair = Pair { y: y0.clone(), z: y0.clone() };
        Self {
            pair,
            grid: Grid::new(y0),
            steps: 0,
            pace: Pace::START,
            to_mean: true,
            last_to_mean: true,
        }
    }

    /// Takes another's numbers without allocating.
    pub(crate) fn assign<T: Real>(&mut self, from: &Self)
    where
        S: State<T>,
    {
        self.pair.assign(&from.pair);
        self.grid.assign(&from.grid);
        (self.steps, self.pace) = (from.steps, from.pace);
        (self.to_mean, self.last_to_mean) = (from.to_mean, from.last_to_mean);
    }

    /// What both states of component `i` are closed to.
    #[inline(always)]
    fn closed<T: Real>(&self, i: usize) -> T
    where
        S: State<T>,
    {
        let (y, z) = (self.pair.y.as_slice()[i], self.pair.z.as_slice()[i]);
        if self.to_mean { mean_of(y, z) } else { y }
    }

    /// Component `i` of the pair that goes on from there on a grid.
    #[inline(always)]
    fn component<T: Real>(&self, i: usize, quantum: T) -> (T, T)
    where
        S: State<T>,
    {
        let y = nearest(self.closed(i), quantum);
        (y, y + T::from_f64(gap::seed(i, self.steps)) * quantum)
    }

    /// Whether `state`, on the grid of the segment after the anchor, has the pair that the segment starts with.
    pub(crate) fn is_start_of<T: Real>(&self, state: &AnchoredState<S>) -> bool
    where
        S: State<T>,
    {
        let (y, z) = (state.pair.y.as_slice(), state.pair.z.as_slice());
        let mut quanta = state.grid.quantum().as_slice().iter().enumerate();
        quanta.all(|(i, quantum)| (y[i], z[i]) == self.component(i, *quantum))
    }

    /// The state that goes on from there, whose gap is a [seed](gap::seed).
    pub(crate) fn next<T: Real>(&self) -> AnchoredState<S>
    where
        S: State<T>,
    {
        let mut pair = self.pair.clone();
        for (i, y) in pair.y.as_mut_slice().iter_mut().enumerate() {
            *y = self.closed(i);
        }
        let grid = self.grid.renewed(&pair.y);
        let (y, z) = (pair.y.as_mut_slice(), pair.z.as_mut_slice());
        for (i, quantum) in grid.quantum().as_slice().iter().enumerate() {
            (y[i], z[i]) = self.component(i, *quantum);
        }
        let monitor = GapMonitor::new(grid.quantum(), self.pace);
        AnchoredState { pair, grid, anchor: None, before: None, reads_mean: self.to_mean, monitor }
    }
}

impl<S> AnchoredState<S> {
    /// Closes the gap after `step`, on a grid of its own.
    #[cold]
    fn end_in_anchor<T: Real>(&mut self, step: Step<T>, to_mean: bool) -> Result<(), Stop>
    where
        S: State<T>,
    {
        // Without it the step could not be reversed.
        check_finite(&self.pair.z, step.end, step.t)?;
        let (pair, grid, before) = (self.pair.clone(), self.grid.clone(), self.before.take());
        let (steps, pace) = (step.index + 1, self.monitor.pace);
        let anchor = Anchor { pair, grid, steps, pace, to_mean, last_to_mean: self.reads_mean };
        *self = AnchoredState { before, ..anchor.next() };
        self.anchor = Some(anchor);
        Ok(())
    }
}

impl<T: Real, S: State<T>> Arithmetic<T, S> for Anchored {
    const WATCHES: bool = true;
    type State = AnchoredState<S>;
    type Next = Pair<S>;

    fn start(&self, y0: &S) -> Self::State {
        Anchor::start(y0).next()
    }
    fn next(&self, y0: &S) -> Pair<S> {
        Pair::zeros_like(y0)
    }
    #[inline(always)]
    fn y<'a>(&self, state: &'a Self::State) -> &'a S {
        &state.pair.y
    }
    #[inline(always)]
    fn z<'a>(&self, state: &'a Self::State) -> &'a S {
        &state.pair.z
    }
    #[inline(always)]
    fn proposed<'a>(&self, next: &'a Pair<S>) -> &'a S {
        &next.y
    }
    #[inline]
    fn assign(&self, state: &mut Self::State, from: &Self::State) {
        state.pair.assign(&from.pair);
        state.grid.assign(&from.grid);
        state.anchor.clone_from(&from.anchor);
        state.before.clone_from(&from.before);
        state.reads_mean = from.reads_mean;
        state.monitor.assign(&from.monitor);
    }
    fn bytes(&self, state: &Self::State) -> usize {
        // Pair, grid and monitor; what belongs to anchors is as rare as they are, but has its place.
        5 * state.pair.y.bytes()
            + size_of::<Option<Anchor<S>>>()
            + size_of::<Option<Pair<S>>>()
            + size_of::<u64>()
            + size_of::<Pace>()
    }
    #[inline(always)]
    fn reads_mean(&self, state: &Self::State) -> bool {
        state.reads_mean
    }
    #[inline(always)]
    fn add_y(&self, step: Step<T>, state: &Self::State, psi: &S, next: &mut Pair<S>) {
        let rounding = Round::of_step(step.index);
        let inputs = [state.pair.y.as_slice(), psi.as_slice(), state.grid.quantum().as_slice()];
        zip(next.y.as_mut_slice(), inputs, |[y, psi, q]| y + rounding.round(psi, q));
    }
    #[inline(always)]
    fn check_y(&self, step: Step<T>, next: &Pair<S>) -> Result<(), Stop> {
        Ok(check_finite(&next.y, step.end, step.t)?)
    }
    #[inline(always)]
    fn sub_z(&self, step: Step<T>, state: &mut Self::State, psi: &S, next: &mut Pair<S>) {
        let rounding = Round::of_step(step.index).opposite();
        let AnchoredState { pair: Pair { y, z }, grid, before, .. } = state;
        let n = y.len();
        let quantum = &grid.quantum().as_slice()[..n];
        let psi = &psi.as_slice()[..n];
        let (y, z) = (&mut y.as_mut_slice()[..n], &mut z.as_mut_slice()[..n]);
        let Pair { y: next_y, z: next_z } = &mut *next;
        let (next_y, next_z) = (&mut next_y.as_mut_slice()[..n], &mut next_z.as_mut_slice()[..n]);
        let mut undone = true;
        for i in 0..n {
            let q = quantum[i];
            next_z[i] = z[i] - rounding.round(psi[i], q);
            undone &= is_exact(y[i], next_y[i], q) & is_exact(z[i], next_z[i], q);
            std::mem::swap(&mut y[i], &mut next_y[i]);
            std::mem::swap(&mut z[i], &mut next_z[i]);
        }
        *before = if undone { None } else { Some(next.clone()) };
    }
    #[inline(always)]
    fn close(
        &self,
        step: Step<T>,
        order: u32,
        state: &mut Self::State,
        last: &Pair<S>,
    ) -> Result<(), Stop> {
        let AnchoredState { pair, grid, monitor, .. } = &mut *state;
        let grown = monitor.watch(pair, &last.y, grid.quantum(), order);
        if grown || monitor.steps() >= self.max_segment || !grid.holds(&pair.y) {
            let to_mean = monitor.closes_to_mean(pair, &last.y, grid.quantum(), order);
            return state.end_in_anchor(step, to_mean);
        }
        state.anchor = None;
        Ok(())
    }
    #[inline(always)]
    fn reopen(
        &self,
        state: &mut Self::State,
        bar: &mut PairCotangent<S>,
        embedded: Option<&mut Pair<S>>,
    ) {
        if let Some(Anchor { pair, grid, to_mean, last_to_mean, .. }) = state.anchor.take() {
            bar.closed(state.grid.quantum().as_slice(), grid.quantum().as_slice());
            bar.pair.close_vjp(to_mean);
            if let Some(embedded) = embedded {
                embedded.close_vjp(to_mean);
            }
            (state.pair, state.grid, state.reads_mean) = (pair, grid, last_to_mean);
        }
    }
    #[inline(always)]
    fn undo_z(&self, step: Step<T>, state: &mut Self::State, psi: &S) {
        let rounding = Round::of_step(step.index).opposite();
        let inputs = [psi.as_slice(), state.grid.quantum().as_slice()];
        update(state.pair.z.as_mut_slice(), inputs, |z, [psi, q]| z + rounding.round(psi, q));
    }
    #[inline(always)]
    fn undo_y(&self, step: Step<T>, state: &mut Self::State, psi: &S) {
        let rounding = Round::of_step(step.index);
        let inputs = [psi.as_slice(), state.grid.quantum().as_slice()];
        update(state.pair.y.as_mut_slice(), inputs, |y, [psi, q]| y - rounding.round(psi, q));
    }
    fn count_cotangent(&self, state: &Self::State, bar: &mut PairCotangent<S>) {
        bar.count(state.grid.quantum().as_slice());
    }
    #[inline(always)]
    fn watch(
        &self,
        step: Step<T>,
        state: &Self::State,
        bar: &mut PairCotangent<S>,
    ) -> Result<(), Stop> {
        bar.watch(step, state.grid.quantum().as_slice(), false)
    }
}
