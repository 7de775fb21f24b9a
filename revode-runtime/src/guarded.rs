//! The guarded pair: the reversible pair without damping, whose gap is closed before it grows, on a
//! grid on which its steps are undone to the last bit.
//!
//! Derivation and measurements: `docs/guarded.md`.

use crate::gap::{self, GapMonitor, Pace};
use crate::halves::{Halves, Known, step_back, update, zip};
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
/// From one anchor to the next the pair lies on a [`Grid`], to which `round` rounds, so that each line is
/// undone exactly by the opposite sign.
///
/// Step sizes and the places of the anchors are constants to the gradient.
#[derive(Debug, Clone, Copy)]
pub struct GuardedPair<M> {
    pub(crate) method: M,
}

/// The multiples of a quantum, a power of two, between anchors: fine enough to round to 16 units in the
/// last place of the solution's largest component at the first anchor, coarse enough that numbers
/// eight times as large are still exact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid<T> {
    /// A power of two that no component was above at the first anchor.
    size: T,
}

/// What the guarded pair advances.
#[derive(Debug, Clone, PartialEq)]
pub struct GuardedState<S, T> {
    /// The solution and its companion.
    pub(crate) pair: Pair<S>,
    /// Their grid.
    pub(crate) grid: Grid<T>,
    /// The grid's quantum, for each component.
    quanta: S,
    /// What the step that led here took away, if it ended in an anchor.
    pub(crate) lost: Option<Lost<S, T>>,
    monitor: GapMonitor<S>,
}

/// The pair at an anchor before `z` was set to `y`, its grid, and at what pace it goes on from there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Lost<S, T> {
    pub(crate) pair: Pair<S>,
    pub(crate) grid: Grid<T>,
    pace: Pace,
}

impl<S: State<T>, T: Real> Lost<S, T> {
    /// The memory that it takes beside its pair, in bytes.
    pub(crate) const EXTRA_BYTES: usize = size_of::<Grid<T>>() + size_of::<Pace>();

    /// At the start, where nothing is lost.
    pub(crate) fn nothing(y0: &S) -> Self {
        let start = GuardedState::at(y0);
        Self { pair: Pair { y: y0.clone(), z: y0.clone() }, grid: start.grid, pace: Pace::START }
    }

    /// Takes another's numbers without allocating.
    pub(crate) fn assign(&mut self, from: &Self) {
        self.pair.assign(&from.pair);
        self.grid = from.grid;
        self.pace = from.pace;
    }

    /// The state that goes on from there.
    pub(crate) fn next(&self) -> GuardedState<S, T> {
        let mut next = GuardedState::at(&self.pair.y);
        next.monitor.pace = self.pace;
        next
    }
}

/// How far the solution may grow on a grid, and shrink, before it wants another one.
const GROWN: f64 = 8.0;
const SHRUNK: f64 = 1.0 / 64.0;

/// The square of a gap at the level of rounding vanishes below this size of the solution (7e-139 in
/// `f64`, 9e-13 in `f32`): nothing is looked at more closely.
fn least<T: Real>() -> T {
    T::MIN_POSITIVE.sqrt() / T::EPSILON
}

impl<T: Real> Grid<T> {
    /// The grid for a solution of this size.
    fn new(size: T) -> Self {
        // From 0 the first step is exact on any grid.
        Self { size: T::from_f64(power_of_two_from(size.max(least()).to_f64())) }
    }

    /// The multiple of the quantum nearest to `x`, ties to even, for `|x|` up to 8 sizes.
    #[inline(always)]
    fn round(self, x: T) -> T {
        // Numbers between 16 and 32 sizes have the quantum, 16 ε sizes, as their spacing, so that the
        // addition rounds to it. Rust does not reassociate.
        let shift = T::from_f64(24.0) * self.size;
        (x + shift) - shift
    }

    /// The distance of neighbouring numbers.
    #[inline(always)]
    fn quantum(self) -> T {
        T::from_f64(16.0) * T::EPSILON * self.size
    }

    /// Whether a solution of this size is still well placed on the grid.
    #[inline(always)]
    fn fits(self, size: T) -> bool {
        let shrunk =
            size < T::from_f64(SHRUNK) * self.size && self.size > T::from_f64(2.0) * least();
        size <= T::from_f64(GROWN) * self.size && !shrunk
    }
}

/// The smallest power of two from `x` on, for positive normal numbers.
fn power_of_two_from(x: f64) -> f64 {
    let below = f64::from_bits(x.to_bits() & 0xfff0_0000_0000_0000);
    if below == x { x } else { 2.0 * below }
}

impl<M> GuardedPair<M> {
    /// The guarded pair over `method`.
    pub fn new(method: M) -> Self {
        Self { method }
    }

    /// The step's inverse and its VJP in one; `state` and `bar` are those after the step, no anchor,
    /// and become those before it.
    #[inline]
    pub(crate) fn unstep_vjp<T: Real, F: FieldVjp<T>>(
        &self,
        field: &F,
        step: Step<T>,
        state: &mut GuardedState<F::State, T>,
        bar: &mut Pair<F::State>,
        model_bar: &mut F,
        work: &mut VjpWork<M::Taped, F::State>,
    ) where
        M: MethodVjp<T, F>,
    {
        let mut halves = OnGrid { pair: &mut state.pair, grid: state.grid };
        step_back(&self.method, field, step, None, &mut halves, bar, model_bar, work);
    }
}

/// A pair that is reversed on its grid.
struct OnGrid<'a, S, T> {
    pair: &'a mut Pair<S>,
    grid: Grid<T>,
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
        update(&mut self.pair.z, psi, |z, psi| z + self.grid.round(psi));
    }
    #[inline(always)]
    fn undo_y(&mut self, psi: &S) {
        update(&mut self.pair.y, psi, |y, psi| y - self.grid.round(psi));
    }
}

impl<S: State<T>, T: Real> GuardedState<S, T> {
    /// The state at the start, whose gap is a [seed](gap::seed).
    pub(crate) fn at(y: &S) -> Self {
        let size = y.as_slice().iter().fold(T::ZERO, |size, y| size.max(y.abs()));
        let grid = Grid::new(size);
        let mut pair = Pair { y: y.clone(), z: y.clone() };
        pair.y.as_mut_slice().iter_mut().for_each(|y| *y = grid.round(*y));
        for (i, (z, y)) in pair.z.as_mut_slice().iter_mut().zip(pair.y.as_slice()).enumerate() {
            *z = *y + T::from_f64(gap::seed(i)) * grid.quantum();
        }
        let mut quanta = y.zeros_like();
        quanta.fill(grid.quantum());
        let monitor = GapMonitor::new(&quanta, Pace::START);
        Self { pair, grid, quanta, lost: None, monitor }
    }
}

impl<T: Real, F: VectorField<T>, M: Method<T, F>> Scheme<T, F> for GuardedPair<M> {
    type State = GuardedState<F::State, T>;
    type Work = Work<M::Stages, F::State>;

    fn order(&self) -> u32 {
        self.method.order()
    }
    fn start(&self, y0: &F::State) -> Self::State {
        GuardedState::at(y0)
    }
    #[inline]
    fn solution<'a>(&self, state: &'a Self::State) -> &'a F::State {
        &state.pair.y
    }
    #[inline]
    fn assign(&self, state: &mut Self::State, from: &Self::State) {
        state.pair.assign(&from.pair);
        state.grid = from.grid;
        state.quanta.assign(&from.quanta);
        state.lost.clone_from(&from.lost);
        state.monitor.assign(&from.monitor);
    }
    fn state_bytes(&self, state: &Self::State) -> usize {
        // What is lost at anchors is as rare as they are.
        5 * size_of_val(state.pair.y.as_slice()) + size_of::<Grid<T>>() + size_of::<Pace>()
    }
    fn work(&self, field: &F, y0: &F::State) -> Self::Work {
        Work::new(self.method.stages(field, y0), y0.zeros_like())
    }
    #[inline]
    fn evaluations(&self, work: &Self::Work) -> u64 {
        self.method.evaluations(&work.stages)
    }
    #[inline]
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
        zip(&mut next.pair.y, [&now.pair.y, psi], |[y, psi]| y + now.grid.round(psi));
    }
    #[inline]
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
        zip(&mut next.pair.z, [&now.pair.z, psi], |[z, psi]| z - now.grid.round(psi));

        next.monitor.assign(&now.monitor);
        let order = self.method.order();
        let (grown, size) = next.monitor.watch(&next.pair, &now.quanta, order);
        if grown || !now.grid.fits(size) {
            let pace = next.monitor.pace;
            let lost = Lost { pair: next.pair.clone(), grid: now.grid, pace };
            *next = lost.next();
            next.lost = Some(lost);
        } else {
            next.grid = now.grid;
            next.quanta.assign(&now.quanta);
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
        zip(&mut next.pair.y, [&now.pair.y, psi], |[y, psi]| y + now.grid.round(psi));
    }
    // The next step starts from z', where no stage of this one ends.
    #[inline]
    fn accepted(&self, _: &mut Self::Work) {}
}

impl<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> SchemeVjp<T, F> for GuardedPair<M> {
    type Bar = Pair<F::State>;
    type VjpWork = VjpWork<M::Taped, F::State>;

    fn vjp_work(&self, field: &F, y0: &F::State) -> Self::VjpWork {
        VjpWork::new(self.method.taped(field, y0), y0)
    }
    fn vjp_counts(&self, work: &Self::VjpWork) -> (u64, u64) {
        (self.method.taped_evaluations(&work.taped), self.method.vjps(&work.taped))
    }
    fn zero_bar(&self, y0: &F::State) -> Pair<F::State> {
        Pair::zeros_like(y0)
    }
    #[inline]
    fn solution_bar<'a>(&self, bar: &'a mut Pair<F::State>) -> &'a mut F::State {
        &mut bar.y
    }
    fn start_vjp(&self, mut bar: Pair<F::State>) -> F::State {
        bar.join_vjp();
        bar.y
    }
    #[inline]
    fn step_vjp(
        &self,
        field: &F,
        step: Step<T>,
        before: &Self::State,
        state: &mut Self::State,
        bar: &mut Pair<F::State>,
        model_bar: &mut F,
        work: &mut Self::VjpWork,
    ) {
        if let Some(lost) = state.lost.take() {
            // z' ← y'
            bar.join_vjp();
            state.pair = lost.pair;
        }
        let mut halves = Known { pair: &mut state.pair, before: &before.pair };
        step_back(&self.method, field, step, None, &mut halves, bar, model_bar, work);
        state.lost.clone_from(&before.lost);
    }
}
