//! The exact pair: the reversible pair on an integer grid, whose steps are undone to the last bit.
//!
//! Derivation and measurements: `docs/exact.md`.

use crate::gap::{self, GapMonitor, Pace};
use crate::grid::{Round, nearest};
use crate::halves::{Halves, Known, step_back};
use crate::parasitic::PairBar;
use crate::quanta::Quanta;
use crate::reversible::{Coupling, Pair};
use crate::scheme::{EmbeddedScheme, Scheme, SchemeVjp, Step, VjpWork, Work};
use crate::{EmbeddedMethod, FieldVjp, Method, MethodVjp, Real, SolveError, State, VectorField};

/// How often the gap is halved when the monitor asks for it, unless the gap grows fast.
const HALVINGS: u32 = 6;

/// More halvings at a time do not fit in a number of the grid.
const MOST_HALVINGS: u32 = 50;

/// The pair `(y, z)` on a grid of integer multiples of a quantum,
///
/// ```text
/// y' = y + round(Psi_h(t, z))
/// z' = z − round(Psi_{−h}(t + h, y'))
/// ```
///
/// where `round` is to the grid, so that sums are exact and each line is undone by the opposite sign.
/// Now and then the gap is halved, `z' ← y' + (z' − y')/2`, and the bit that is lost is kept: that is all
/// the memory it takes.
///
/// The grid numbers are held in double precision, whatever the scalar `T` of the field; increments are
/// evaluated in `T`.
#[derive(Debug, Clone)]
pub struct ExactPair<M, D> {
    /// The method whose increment is used.
    pub(crate) method: M,
    /// The quanta of the grid.
    pub(crate) quanta: Quanta<D>,
    /// The rate `κ` of the damping in 1 over time, beside what the gap asks for.
    pub(crate) rate: Option<f64>,
    /// The time at which the halvings of that rate are counted from.
    pub(crate) t0: f64,
    /// Whether the growth of the gap is watched, or all left to the rate.
    pub(crate) watched: bool,
    /// After so many steps the gap is halved at the latest, where it is watched.
    pub(crate) longest: u64,
}

/// What the exact pair advances.
#[derive(Debug, Clone, PartialEq)]
pub struct GridState<S, D> {
    /// The solution and its companion, on the grid.
    pub(crate) grid: Pair<D>,
    /// Their values in the precision of the field.
    pub(crate) value: Pair<S>,
    /// How often the gap was halved at the end of the step that led here.
    pub(crate) halvings: u32,
    /// Those of them that the monitor asked for.
    pub(crate) asked: u32,
    /// The bits that were lost thereby, as integers, for each component.
    pub(crate) lost: D,
    monitor: GapMonitor<D>,
}

impl<S, D: State<f64>> GridState<S, D> {
    /// Takes the values of `y` from the grid.
    #[inline(always)]
    fn value_y<T: Real>(&mut self)
    where
        S: State<T>,
    {
        convert(&mut self.value.y, &self.grid.y);
    }

    /// Takes the values of `z` from the grid.
    #[inline(always)]
    fn value_z<T: Real>(&mut self)
    where
        S: State<T>,
    {
        convert(&mut self.value.z, &self.grid.z);
    }
}

/// `to[i] = from[i]`, rounded to `T`.
#[inline(always)]
fn convert<T: Real, S: State<T>, D: State<f64>>(to: &mut S, from: &D) {
    for (to, from) in to.as_mut_slice().iter_mut().zip(from.as_slice()) {
        *to = T::from_f64(*from);
    }
}

impl<M, D: State<f64>> ExactPair<M, D> {
    /// The error of a gap that the rate alone did not keep down.
    #[cold]
    fn rate_too_small<T: Real>(&self, step: Step<T>, pair: &Pair<D>) -> SolveError {
        let t = (step.t + step.h).to_f64();
        let (gap, size) = pair.gap_and_size();
        let coupling = Coupling::Rate(self.rate.unwrap_or(0.0));
        SolveError::PairDiverged { t, gap: gap / size, coupling }
    }

    /// How often the gap is halved in this step for the sake of the rate: `κ h / ln 2` on average, as a
    /// function of the step, so that it need not be recorded.
    #[inline(always)]
    pub(crate) fn rate_halvings<T: Real>(&self, step: Step<T>) -> u32 {
        let Some(rate) = self.rate else { return 0 };
        let (start, end) = (step.t.to_f64(), (step.t + step.h).to_f64());
        let until = |t: f64| ((t - self.t0).abs() * rate * std::f64::consts::LOG2_E) as u64;
        until(end).saturating_sub(until(start)).min(u64::from(MOST_HALVINGS)) as u32
    }

    /// Halves the gap of `state`, after step number `index`, as often as it says, rounding down, and adds a
    /// [seed](gap::SEED); the bits lost go to `lost`.
    #[inline]
    fn halve<S>(&self, index: u64, state: &mut GridState<S, D>) {
        let (double, half) = factors(state.halvings);
        let n = self.quanta.each.len();
        let (y, z) = (&state.grid.y.as_slice()[..n], &mut state.grid.z.as_mut_slice()[..n]);
        let (lost, quantum) = (&mut state.lost.as_mut_slice()[..n], self.quanta.each.as_slice());
        for i in 0..n {
            let gap = z[i] - y[i];
            let near = nearest(gap * half, quantum[i]);
            let down = if near > gap * half { near - quantum[i] } else { near };
            lost[i] = (gap - down * double) / quantum[i];
            // Away from 0, so that the two do not cancel.
            let sign = if down == 0.0 { gap::seed(i, index + 1) } else { down };
            z[i] = y[i] + down + gap::SEED.copysign(sign) * quantum[i];
        }
    }

    /// Undoes [`halve`](Self::halve), with the bits in `lost`.
    #[inline]
    pub(crate) fn unhalve<T: Real, S: State<T>>(&self, state: &mut GridState<S, D>) {
        let (double, _) = factors(state.halvings);
        let n = self.quanta.each.len();
        let (y, z) = (&state.grid.y.as_slice()[..n], &mut state.grid.z.as_mut_slice()[..n]);
        let (lost, quantum) = (&state.lost.as_slice()[..n], self.quanta.each.as_slice());
        for i in 0..n {
            let gap = z[i] - y[i];
            let down = gap - gap::SEED.copysign(gap) * quantum[i];
            z[i] = y[i] + (down * double + lost[i] * quantum[i]);
        }
    }

    /// The VJP of the halvings of `state`, on the cotangents: `z' ← y' + (z' − y')/2^k`.
    #[inline(always)]
    fn halve_vjp<T: Real, S: State<T>>(&self, state: &GridState<S, D>, bar: &mut PairBar<S>) {
        if state.halvings > 0 {
            if state.asked > 0 {
                let quanta = self.quanta.each.as_slice();
                bar.closed(quanta, quanta);
            }
            let half = T::from_f64(factors(state.halvings).1);
            let Pair { y, z } = &mut bar.pair;
            let (y_bar, z_bar) = (y.as_mut_slice(), z.as_mut_slice());
            for (y_bar, z_bar) in y_bar.iter_mut().zip(z_bar) {
                *y_bar += *z_bar - half * *z_bar;
                *z_bar = half * *z_bar;
            }
        }
    }

    /// `y' = y + round(psi)`
    #[inline(always)]
    fn advance<T: Real, S: State<T>>(
        &self,
        step: Step<T>,
        now: &GridState<S, D>,
        next: &mut GridState<S, D>,
        psi: &S,
    ) {
        let rounding = Round::of_step(step.index);
        self.quanta.add_rounded(&mut next.grid.y, &now.grid.y, 1.0, psi, rounding);
        next.value_y();
    }

    /// The step's inverse and its VJP in one. The halvings have been undone, by
    /// [`unhalve`](Self::unhalve).
    #[inline]
    pub(crate) fn unstep_vjp<T: Real, F: FieldVjp<T>>(
        &self,
        field: &F,
        step: Step<T>,
        state: &mut GridState<F::State, D>,
        bar: &mut PairBar<F::State>,
        model_bar: &mut F,
        work: &mut VjpWork<M::Taped, F::State>,
    ) where
        M: MethodVjp<T, F>,
    {
        self.halve_vjp(state, bar);
        let mut halves = OnGrid { pair: self, state, rounding: Round::of_step(step.index) };
        step_back(&self.method, field, step, None, &mut halves, &mut bar.pair, model_bar, work);
    }
}

/// A state that is reversed on the grid.
struct OnGrid<'a, M, S, D> {
    pair: &'a ExactPair<M, D>,
    state: &'a mut GridState<S, D>,
    /// That of the step's first half.
    rounding: Round<f64>,
}

impl<T: Real, M, S: State<T>, D: State<f64>> Halves<T, S> for OnGrid<'_, M, S, D> {
    #[inline(always)]
    fn y(&self) -> &S {
        &self.state.value.y
    }
    #[inline(always)]
    fn z(&self) -> &S {
        &self.state.value.z
    }
    #[inline(always)]
    fn undo_z(&mut self, psi: &S) {
        let rounding = self.rounding.opposite();
        self.pair.quanta.add_rounded_to(&mut self.state.grid.z, 1.0, psi, rounding);
        self.state.value_z();
    }
    #[inline(always)]
    fn undo_y(&mut self, psi: &S) {
        self.pair.quanta.add_rounded_to(&mut self.state.grid.y, -1.0, psi, self.rounding);
        self.state.value_y();
    }
}

/// Halvings of the rate and those that the monitor asked for, together.
#[inline(always)]
pub(crate) fn halvings(rate: u32, asked: u32) -> u32 {
    (rate + asked).min(MOST_HALVINGS)
}

impl<D: State<f64>> Pair<D> {
    /// How often the gap must be halved to come down to a few quanta in every component.
    #[cold]
    fn halvings_to(&self, quanta: &D) -> u32 {
        let pairs = self.y.as_slice().iter().zip(self.z.as_slice());
        let ratios =
            pairs.zip(quanta.as_slice()).map(|((y, z), q)| (y - z).abs() / (gap::SEED * q));
        let halvings = ratios.fold(0.0, f64::max).log2();
        (halvings.ceil() as u32).clamp(HALVINGS, MOST_HALVINGS)
    }
}

/// `2^k` and `2^−k`.
#[inline(always)]
fn factors(halvings: u32) -> (f64, f64) {
    let double = (1_u64 << halvings) as f64;
    (double, 1.0 / double)
}

impl<T, F, M> Scheme<T, F> for ExactPair<M, <F::State as State<T>>::Double>
where
    T: Real,
    F: VectorField<T>,
    M: Method<T, F>,
{
    type State = GridState<F::State, <F::State as State<T>>::Double>;
    type Work = Work<M::Stages, F::State>;

    fn order(&self) -> u32 {
        self.method.order()
    }
    fn start(&self, y0: &F::State) -> Self::State {
        let mut y = y0.to_double();
        for (y, quantum) in y.as_mut_slice().iter_mut().zip(self.quanta.each.as_slice()) {
            *y = nearest(*y, *quantum);
        }
        let mut z = y.clone();
        let quanta = self.quanta.each.as_slice().iter().enumerate();
        for (z, (i, quantum)) in z.as_mut_slice().iter_mut().zip(quanta) {
            *z += gap::seed(i, 0) * quantum;
        }
        let mut start = GridState {
            grid: Pair { y, z },
            value: Pair { y: y0.clone(), z: y0.clone() },
            halvings: 0,
            asked: 0,
            lost: self.quanta.each.zeros_like(),
            monitor: GapMonitor::new(&self.quanta.each, Pace::START),
        };
        start.value_y();
        start.value_z();
        start
    }
    #[inline]
    fn solution<'a>(&self, state: &'a Self::State) -> &'a F::State {
        &state.value.y
    }
    #[inline]
    fn assign(&self, state: &mut Self::State, from: &Self::State) {
        state.grid.y.assign(&from.grid.y);
        state.grid.z.assign(&from.grid.z);
        state.value.y.assign(&from.value.y);
        state.value.z.assign(&from.value.z);
        state.lost.assign(&from.lost);
        state.halvings = from.halvings;
        state.asked = from.asked;
        state.monitor.assign(&from.monitor);
    }
    fn state_bytes(&self, state: &Self::State) -> usize {
        5 * size_of_val(state.lost.as_slice())
            + 2 * size_of_val(state.value.y.as_slice())
            + size_of::<Pace>()
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
        self.method.increment(field, step.t, step.h, &now.value.z, stages, psi);
        self.advance(step, now, next, psi);
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
        self.quanta.check(&next.grid.y, step)?;
        let Work { stages, psi, .. } = work;
        self.method.increment(field, step.t + step.h, -step.h, &next.value.y, stages, psi);
        let rounding = Round::of_step(step.index).opposite();
        self.quanta.add_rounded(&mut next.grid.z, &now.grid.z, -1.0, psi, rounding);
        self.quanta.check(&next.grid.z, step)?;

        next.monitor.assign(&now.monitor);
        let quanta = &self.quanta.each;
        let grown = if self.watched {
            next.monitor.watch(&next.grid, &now.grid.y, quanta, self.method.order())
        } else if gap::too_large(&next.grid, quanta) {
            return Err(self.rate_too_small(step, &next.grid));
        } else {
            false
        };
        next.asked = 0;
        if grown || next.monitor.steps() >= self.longest {
            // Where it grows fast all of it, down to a seed.
            let resting = now.monitor.pace.is_resting() || next.monitor.pace.is_resting();
            let fast = resting || self.longest == 1;
            next.asked = if fast { next.grid.halvings_to(quanta) } else { HALVINGS };
            next.monitor = GapMonitor::new(quanta, next.monitor.pace);
        }
        next.halvings = halvings(self.rate_halvings(step), next.asked);
        if next.halvings > 0 {
            self.halve(step.index, next);
            next.monitor.left(&next.grid);
        }
        next.value_z();
        Ok(())
    }
    #[inline]
    fn rejected(&self, work: &mut Self::Work) {
        self.method.restart(&mut work.stages);
    }
}

impl<T, F, M> EmbeddedScheme<T, F> for ExactPair<M, <F::State as State<T>>::Double>
where
    T: Real,
    F: VectorField<T>,
    M: EmbeddedMethod<T, F>,
{
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
        let z = &now.value.z;
        self.method.increment_with_error(field, step.t, step.h, z, stages, psi, error);
        self.advance(step, now, next, psi);
    }
    // The next step starts from z', where no stage of this one ends.
    #[inline]
    fn accepted(&self, _: &mut Self::Work) {}
}

impl<T, F, M> SchemeVjp<T, F> for ExactPair<M, <F::State as State<T>>::Double>
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F>,
{
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
        bar.add(self.quanta.each.as_slice(), |bar| add(&state.value.y, bar));
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
        self.halve_vjp(state, bar);
        let mut halves = Known { pair: &mut state.value, before: &before.value };
        step_back(&self.method, field, step, None, &mut halves, &mut bar.pair, model_bar, work);
        state.halvings = before.halvings;
        state.asked = before.asked;
    }
    #[inline(always)]
    fn check_vjp(
        &self,
        step: Step<T>,
        _: &Self::State,
        bar: &mut Self::Bar,
    ) -> Result<(), SolveError> {
        bar.watch(step, self.quanta.each.as_slice(), !self.watched)
    }
}
