//! The guarded pair: the reversible pair without damping, whose gap is closed before it grows, on a
//! grid on which its steps are undone to the last bit.
//!
//! Derivation and measurements: `docs/guarded.md`.

use crate::gap::{self, GapMonitor, Pace};
use crate::grid::{Grid, Round, nearest};
use crate::halves::{Halves, Known, step_back, update, zip};
use crate::parasitic::PairBar;
use crate::reversible::Pair;
use crate::scheme::{EmbeddedScheme, Scheme, SchemeVjp, Step, VjpWork, Work};
use crate::solve::check_finite;
use crate::{EmbeddedMethod, FieldVjp, Method, MethodVjp, Real, SolveError, State, VectorField};

/// The pair `(y, z)` with `λ = 1`,
///
/// ```text
/// y' = y + round(Psi_h(t, z))
/// z' = z − round(Psi_{−h}(t + h, y'))
/// ```
///
/// and with `z' ← y'` after a step in which the gap `‖y' − z'‖` was found to grow faster than in
/// proportion to time: the step ends in an *anchor*. The number of anchors belongs to the horizon and
/// to how fast the field contracts, not to the number of steps.
///
/// From one anchor to the next the pair lies on a grid, to which `round` rounds, so that each line is
/// undone exactly by the opposite sign.
///
/// Step sizes and the places of the anchors are constants to the gradient.
#[derive(Debug, Clone, Copy)]
pub struct GuardedPair<M> {
    pub(crate) method: M,
    /// After so many steps the gap is closed at the latest.
    pub(crate) longest: u64,
}

/// What the guarded pair advances.
#[derive(Debug, Clone, PartialEq)]
pub struct GuardedState<S> {
    /// The solution and its companion.
    pub(crate) pair: Pair<S>,
    /// Their grid.
    pub(crate) grid: Grid<S>,
    /// What the step that led here took away, if it ended in an anchor.
    pub(crate) lost: Option<Lost<S>>,
    monitor: GapMonitor<S>,
}

/// The pair at an anchor before `z` was set to `y`, its grid, after how many steps, and at what pace it goes
/// on from there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lost<S> {
    pub(crate) pair: Pair<S>,
    pub(crate) grid: Grid<S>,
    steps: u64,
    pace: Pace,
}

impl<S> Lost<S> {
    /// At the start, where nothing is lost.
    pub(crate) fn nothing<T: Real>(y0: &S) -> Self
    where
        S: State<T>,
    {
        let pair = Pair { y: y0.clone(), z: y0.clone() };
        Self { pair, grid: Grid::new(y0), steps: 0, pace: Pace::START }
    }

    /// Takes another's numbers without allocating.
    pub(crate) fn assign<T: Real>(&mut self, from: &Self)
    where
        S: State<T>,
    {
        self.pair.assign(&from.pair);
        self.grid.assign(&from.grid);
        (self.steps, self.pace) = (from.steps, from.pace);
    }

    /// The state that goes on from there, whose gap is a [seed](gap::seed).
    pub(crate) fn next<T: Real>(&self) -> GuardedState<S>
    where
        S: State<T>,
    {
        let grid = self.grid.renewed(&self.pair.y);
        let mut pair = Pair { y: self.pair.y.clone(), z: self.pair.y.clone() };
        let (y, z) = (pair.y.as_mut_slice(), pair.z.as_mut_slice());
        for (i, quantum) in grid.quantum().as_slice().iter().enumerate() {
            y[i] = nearest(y[i], *quantum);
            z[i] = y[i] + T::from_f64(gap::seed(i, self.steps)) * *quantum;
        }
        let monitor = GapMonitor::new(grid.quantum(), self.pace);
        GuardedState { pair, grid, lost: None, monitor }
    }
}

impl<M> GuardedPair<M> {
    /// The guarded pair over `method`.
    pub fn new(method: M) -> Self {
        Self { method, longest: u64::MAX }
    }

    /// The step's inverse and its VJP in one; `state` and `bar` are those after the step, no anchor,
    /// and become those before it.
    #[inline]
    pub(crate) fn unstep_vjp<T: Real, F: FieldVjp<T>>(
        &self,
        field: &F,
        step: Step<T>,
        state: &mut GuardedState<F::State>,
        bar: &mut PairBar<F::State>,
        model_bar: &mut F,
        work: &mut VjpWork<M::Taped, F::State>,
    ) where
        M: MethodVjp<T, F>,
    {
        let bar = &mut bar.pair;
        let mut halves = OnGrid {
            pair: &mut state.pair,
            quantum: state.grid.quantum(),
            rounding: Round::of_step(step.index),
        };
        step_back(&self.method, field, step, None, &mut halves, bar, model_bar, work);
    }
}

/// A pair that is reversed on its grid.
struct OnGrid<'a, S, T> {
    pair: &'a mut Pair<S>,
    quantum: &'a S,
    /// That of the step's first half.
    rounding: Round<T>,
}

impl<T: Real, S: State<T>> Halves<T, S> for OnGrid<'_, S, T> {
    #[inline(always)]
    fn y(&self) -> &S {
        &self.pair.y
    }
    #[inline(always)]
    fn z(&self) -> &S {
        &self.pair.z
    }
    #[inline(always)]
    fn undo_z(&mut self, psi: &S) {
        let rounding = self.rounding.opposite();
        update(&mut self.pair.z, [psi, self.quantum], |z, [psi, q]| z + rounding.round(psi, q));
    }
    #[inline(always)]
    fn undo_y(&mut self, psi: &S) {
        let rounding = self.rounding;
        update(&mut self.pair.y, [psi, self.quantum], |y, [psi, q]| y - rounding.round(psi, q));
    }
}

/// The VJP of `z' ← y'`, where `lost` was what it took away and `grid` the one that it led to.
pub(crate) fn close_vjp<T: Real, S: State<T>>(
    lost: &Lost<S>,
    grid: &Grid<S>,
    bar: &mut PairBar<S>,
) {
    bar.closed(grid.quantum().as_slice(), lost.grid.quantum().as_slice());
    bar.pair.join_vjp();
}

/// `y' = y + round(psi)`
#[inline(always)]
fn advance<T: Real, S: State<T>>(y_next: &mut S, now: &GuardedState<S>, index: u64, psi: &S) {
    let rounding = Round::of_step(index);
    zip(y_next, [&now.pair.y, psi, now.grid.quantum()], |[y, psi, q]| y + rounding.round(psi, q));
}

/// Closes the gap after `step`: `z' ← y'`, on a grid of their own.
#[cold]
fn end_in_anchor<T: Real, S: State<T>>(
    grid: &Grid<S>,
    step: Step<T>,
    next: &mut GuardedState<S>,
) -> Result<(), SolveError> {
    // Without it the step could not be reversed.
    check_finite(&next.pair.z, step.t + step.h, step.t)?;
    let pair = next.pair.clone();
    let lost = Lost { pair, grid: grid.clone(), steps: step.index + 1, pace: next.monitor.pace };
    *next = lost.next();
    next.lost = Some(lost);
    Ok(())
}

impl<T: Real, F: VectorField<T>, M: Method<T, F>> Scheme<T, F> for GuardedPair<M> {
    type State = GuardedState<F::State>;
    type Work = Work<M::Stages, F::State>;

    fn order(&self) -> u32 {
        self.method.order()
    }
    fn start(&self, y0: &F::State) -> Self::State {
        Lost::nothing(y0).next()
    }
    #[inline]
    fn solution<'a>(&self, state: &'a Self::State) -> &'a F::State {
        &state.pair.y
    }
    #[inline]
    fn assign(&self, state: &mut Self::State, from: &Self::State) {
        state.pair.assign(&from.pair);
        state.grid.assign(&from.grid);
        state.lost.clone_from(&from.lost);
        state.monitor.assign(&from.monitor);
    }
    fn state_bytes(&self, state: &Self::State) -> usize {
        // Pair, grid and monitor; what is lost at anchors is as rare as they are, but has its place.
        5 * state.pair.y.bytes()
            + size_of::<Option<Lost<F::State>>>()
            + size_of::<u64>()
            + size_of::<Pace>()
    }
    fn work(&self, field: &F, y0: &F::State) -> Self::Work {
        Work::new(self.method.stages(field, y0), y0.zeros_like())
    }
    #[inline]
    fn evaluations(&self, work: &Self::Work) -> u64 {
        self.method.evaluations(&work.stages)
    }
    #[inline(always)]
    fn propose(
        &self,
        field: &F,
        step: Step<T>,
        now: &Self::State,
        next: &mut Self::State,
        work: &mut Self::Work,
    ) {
        let Work { stages, psi, .. } = work;
        self.method.increment(field, step.t, step.h, &now.pair.z, stages, psi);
        advance(&mut next.pair.y, now, step.index, psi);
    }
    #[inline(always)]
    fn complete(
        &self,
        field: &F,
        step: Step<T>,
        now: &Self::State,
        next: &mut Self::State,
        work: &mut Self::Work,
    ) -> Result<(), SolveError> {
        check_finite(&next.pair.y, step.t + step.h, step.t)?;
        let Work { stages, psi, .. } = work;
        self.method.increment(field, step.t + step.h, -step.h, &next.pair.y, stages, psi);
        let quantum = now.grid.quantum();
        let rounding = Round::of_step(step.index).opposite();
        zip(&mut next.pair.z, [&now.pair.z, psi, quantum], |[z, psi, q]| {
            z - rounding.round(psi, q)
        });

        next.monitor.assign(&now.monitor);
        let grown = next.monitor.watch(&next.pair, &now.pair.y, quantum, self.method.order());
        if grown || next.monitor.steps() >= self.longest || !now.grid.holds(&next.pair.y) {
            end_in_anchor(&now.grid, step, next)?;
        } else {
            next.grid.assign(&now.grid);
            next.lost = None;
        }
        Ok(())
    }
    #[inline]
    fn rejected(&self, work: &mut Self::Work) {
        self.method.restart(&mut work.stages);
    }
}

impl<T: Real, F: VectorField<T>, M: EmbeddedMethod<T, F>> EmbeddedScheme<T, F> for GuardedPair<M> {
    fn error_order(&self) -> u32 {
        self.method.order().min(self.method.embedded_order())
    }
    #[inline]
    fn propose_with_error(
        &self,
        field: &F,
        step: Step<T>,
        now: &Self::State,
        next: &mut Self::State,
        error: &mut F::State,
        work: &mut Self::Work,
    ) {
        let Work { stages, psi, .. } = work;
        let z = &now.pair.z;
        self.method.increment_with_error(field, step.t, step.h, z, stages, psi, error);
        advance(&mut next.pair.y, now, step.index, psi);
    }
    // The next step starts from z', where no stage of this one ends.
    #[inline]
    fn accepted(&self, _: &mut Self::Work) {}
}

impl<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> SchemeVjp<T, F> for GuardedPair<M> {
    type Bar = PairBar<F::State>;
    type VjpWork = VjpWork<M::Taped, F::State>;

    fn vjp_work(&self, field: &F, y0: &F::State) -> Self::VjpWork {
        VjpWork::new(self.method.taped(field, y0), y0)
    }
    fn vjp_counts(&self, work: &Self::VjpWork) -> (u64, u64) {
        (self.method.taped_evaluations(&work.taped), self.method.vjps(&work.taped))
    }
    fn zero_bar(&self, y0: &F::State) -> PairBar<F::State> {
        PairBar::zeros_like(y0)
    }
    fn add_to_bar(
        &self,
        state: &Self::State,
        bar: &mut Self::Bar,
        add: impl FnOnce(&F::State, &mut F::State),
    ) {
        bar.add(state.grid.quantum().as_slice(), |bar| add(&state.pair.y, bar));
    }
    fn start_vjp(&self, mut bar: PairBar<F::State>) -> F::State {
        bar.pair.join_vjp();
        bar.pair.y
    }
    #[inline]
    fn step_vjp(
        &self,
        field: &F,
        step: Step<T>,
        before: &Self::State,
        state: &mut Self::State,
        bar: &mut Self::Bar,
        model_bar: &mut F,
        work: &mut Self::VjpWork,
    ) {
        if let Some(lost) = state.lost.take() {
            close_vjp(&lost, &state.grid, bar);
            state.pair = lost.pair;
        }
        let mut halves = Known { pair: &mut state.pair, before: &before.pair };
        let bar = &mut bar.pair;
        step_back(&self.method, field, step, None, &mut halves, bar, model_bar, work);
        state.grid.assign(&before.grid);
        state.lost.clone_from(&before.lost);
    }
    #[inline(always)]
    fn check_vjp(
        &self,
        step: Step<T>,
        state: &Self::State,
        bar: &mut Self::Bar,
    ) -> Result<(), SolveError> {
        bar.watch(step, state.grid.quantum().as_slice(), false)
    }
}
