//! The reversible pair: one wrapper over any method.
//!
//! ```text
//! y' = y ⊕ Psi_h(t, z)                 (1)
//! z' = z ⊖ Psi_{−h}(t + h, y')         (2)
//! ```
//!
//! McCallum and Foster, *Efficient, Accurate and Stable Gradients for Neural ODEs*, arXiv 2410.11648, section 3;
//! derivation in `docs/reversible.md`. An [`Arithmetic`] says what `⊕` and `⊖` are, how they are undone, and what is
//! done to the gap `y − z` after a step. The rest is here, once.

pub(crate) mod anchored;
mod arithmetic;
pub(crate) mod coupled;
pub(crate) mod finer;
pub(crate) mod gap;
pub(crate) mod grid;
pub(crate) mod growth;
pub(crate) mod halved;
pub(crate) mod quanta;
#[cfg(test)]
mod roundtrip;

pub(crate) use arithmetic::Arithmetic;

use super::{Adjoint, Cotangent, Scheme, SchemeVjp, VjpWork, Work};
use crate::slices::{update, zip};
use crate::stop::{Stop, Unfinished};
use crate::{FieldVjp, Method, MethodVjp, Real, Stability, State, Step, VectorField, support};
use growth::PairCotangent;

/// The solution `y` and its companion `z`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair<S> {
    /// The solution.
    pub(crate) y: S,
    /// The companion state.
    pub(crate) z: S,
}

impl<S> Pair<S> {
    /// A pair of zeros for states like `y0`.
    pub(crate) fn zeros_like<T: Real>(y0: &S) -> Self
    where
        S: State<T>,
    {
        Self { y: y0.zeros_like(), z: y0.zeros_like() }
    }

    /// Takes another pair's components without allocating.
    #[inline(always)]
    pub(crate) fn assign<T: Real>(&mut self, from: &Self)
    where
        S: State<T>,
    {
        self.y.assign(&from.y);
        self.z.assign(&from.z);
    }

    /// The VJP of `z ← y`, on cotangents: that of `z` goes to `y`.
    #[inline]
    pub(crate) fn join_vjp<T: Real>(&mut self)
    where
        S: State<T>,
    {
        support::add(&mut self.y, [&self.z]);
        self.z.fill(T::ZERO);
    }

    /// The VJP of closing the gap, `y, z ← (y + z)/2` or `z ← y`, on cotangents.
    #[inline]
    pub(crate) fn close_vjp<T: Real>(&mut self, to_mean: bool)
    where
        S: State<T>,
    {
        self.join_vjp();
        if to_mean {
            self.y.as_mut_slice().iter_mut().for_each(|bar| *bar *= T::from_f64(0.5));
            self.z.assign(&self.y);
        }
    }

    /// The gap `|y − z|` and the size of `y`, the largest component of each. The gap is infinite where one of both
    /// is not a number.
    #[inline(always)]
    pub(crate) fn gap_and_size<T: Real>(&self) -> (T, T)
    where
        S: State<T>,
    {
        let n = self.y.len();
        let (y, z) = (&self.y.as_slice()[..n], &self.z.as_slice()[..n]);
        let (mut gap, mut size) = (T::ZERO, T::ZERO);
        // Stays 0 unless a gap is infinite or NaN, which `max` would pass over.
        let mut zero = T::ZERO;
        for i in 0..n {
            gap = gap.max((y[i] - z[i]).abs());
            zero += T::ZERO * (y[i] - z[i]);
            size = size.max(y[i].abs());
        }
        (if zero == T::ZERO { gap } else { T::from_f64(f64::INFINITY) }, size)
    }
}

/// The pair over the method `M`. It has the method's order.
#[derive(Debug, Clone)]
pub struct PairScheme<M, A> {
    /// The method whose increments are used.
    pub(crate) method: M,
    /// How they are added and taken back.
    pub(crate) arithmetic: A,
}

impl<T, F, M, A> Scheme<T, F> for PairScheme<M, A>
where
    T: Real,
    F: VectorField<T>,
    M: Method<T, F>,
    A: Arithmetic<T, F::State>,
{
    type Method = M;
    type State = A::State;
    type Next = A::Next;
    /// The next step starts from `z'`, where no stage of this one ends.
    const CONTINUES: bool = false;

    #[inline(always)]
    fn method(&self) -> &M {
        &self.method
    }
    fn stability(&self) -> Option<[f64; Stability::RAYS]> {
        Some(self.method.stability()?.pair)
    }
    fn start(&self, y0: &F::State) -> A::State {
        self.arithmetic.start(y0)
    }
    fn next(&self, y0: &F::State) -> A::Next {
        self.arithmetic.next(y0)
    }
    #[inline(always)]
    fn solution<'a>(&self, state: &'a A::State) -> &'a F::State {
        self.arithmetic.y(state)
    }
    #[inline]
    fn read_out<'a>(&self, state: &'a A::State, mean: &'a mut F::State) -> &'a F::State {
        let (y, z) = (self.arithmetic.y(state), self.arithmetic.z(state));
        if !self.reads_mean(state) {
            return y;
        }
        zip(mean.as_mut_slice(), [y.as_slice(), z.as_slice()], |[y, z]| mean_of(y, z));
        mean
    }
    #[inline(always)]
    fn origin<'a>(&self, state: &'a A::State) -> &'a F::State {
        self.arithmetic.z(state)
    }
    #[inline(always)]
    fn proposed<'a>(&self, next: &'a A::Next) -> &'a F::State {
        self.arithmetic.proposed(next)
    }
    #[inline]
    fn assign(&self, state: &mut A::State, from: &A::State) {
        self.arithmetic.assign(state, from);
    }
    fn state_bytes(&self, state: &A::State) -> usize {
        self.arithmetic.bytes(state)
    }
    #[inline(always)]
    fn propose(&self, step: Step<T>, state: &A::State, psi: &F::State, next: &mut A::Next) {
        self.arithmetic.add_y(step, state, psi, next);
    }
    #[inline(always)]
    fn finish(
        &self,
        field: &F,
        step: Step<T>,
        work: &mut Work<T, F, Self>,
    ) -> Result<(), Unfinished> {
        let Work { stages, psi, next } = work;
        self.arithmetic.check_y(step, next)?;
        let y = self.arithmetic.proposed(next);
        self.method.increment(field, step.reversed(), y, stages, psi)?;
        Ok(())
    }
    #[inline(always)]
    fn commit(&self, step: Step<T>, state: &mut A::State, work: &mut Work<T, F, Self>) {
        self.arithmetic.sub_z(step, state, &work.psi, &mut work.next);
    }
    #[inline(always)]
    fn close(
        &self,
        step: Step<T>,
        state: &mut A::State,
        work: &mut Work<T, F, Self>,
    ) -> Result<(), Stop> {
        self.arithmetic.close(step, self.method.order(), state, &work.next)
    }
}

/// `(y + z)/2`, which does not overflow for numbers that are near each other.
#[inline(always)]
pub(crate) fn mean_of<T: Real>(y: T, z: T) -> T {
    y + T::from_f64(0.5) * (z - y)
}

impl<M, A> PairScheme<M, A> {
    /// Whether the read-out is the mean of `y` and `z`.
    #[inline(always)]
    fn reads_mean<T, F>(&self, state: &A::State) -> bool
    where
        T: Real,
        F: VectorField<T>,
        M: Method<T, F>,
        A: Arithmetic<T, F::State>,
    {
        self.method.order() % 2 == 1 && self.arithmetic.reads_mean(state)
    }

    /// The step's inverse and its VJP in one: `state` and `adjoint` are those after the step and become those before
    /// it.
    ///
    /// The increments that undo the step are those that its VJP differentiates, so that no field evaluation is made
    /// twice. `z` is the companion before the step where it is known; then the state is left as it is.
    #[inline(always)]
    pub(crate) fn step_back<T, F>(
        &self,
        field: &F,
        step: Step<T>,
        z: Option<&F::State>,
        state: &mut A::State,
        adjoint: &mut PairAdjoint<F::State, F>,
        work: &mut VjpWork<T, F, M>,
    ) -> Result<(), Stop>
    where
        T: Real,
        F: FieldVjp<T>,
        M: MethodVjp<T, F>,
        A: Arithmetic<T, F::State>,
    {
        let Self { method, arithmetic } = self;
        let Adjoint { main, embedded } = adjoint;
        let estimated = embedded.is_some();
        arithmetic.reopen(state, &mut main.state, embedded.as_mut().map(|x| &mut x.state.pair));
        // Line (2): `z' = z ⊖ Psi_{−h}(t + h, y')`. The cotangent of `y'` becomes what `docs/reversible.md` calls `w`.
        let back = step.reversed();
        work.tape(method, field, (back, step), arithmetic.y(state), estimated)?;
        if z.is_none() {
            arithmetic.undo_z(step, state, &work.psi);
        }
        let VjpWork { taped, psi_bar: [psi_bar, psi_hat], .. } = &mut *work;
        let Cotangent { state: PairCotangent { pair: Pair { y: w, z: z_bar }, .. }, model } = main;
        zip(psi_bar.as_mut_slice(), [z_bar.as_slice()], |[z_bar]| -z_bar);
        let t_bar_of_z = if let Some(embedded) = embedded {
            let (Pair { y: w_hat, z: z_hat }, model_hat) = embedded.parts();
            zip(psi_hat.as_mut_slice(), [z_hat.as_slice()], |[z_hat]| -z_hat);
            let (psi_bars, models) = ([&*psi_bar, &*psi_hat], [&mut *model, model_hat]);
            method.vjp_with_embedded(field, back, taped, psi_bars, [w, w_hat], models)
        } else {
            method.increment_vjp(field, back, taped, psi_bar, w, model)
        };
        // Line (1): `y' = λ y + (1 − λ) z ⊕ Psi_h(t, z)`.
        let before = z.unwrap_or_else(|| arithmetic.z(state));
        work.tape(method, field, (step, step), before, estimated)?;
        if z.is_none() {
            arithmetic.undo_y(step, state, &work.psi);
        }
        let taped = &mut work.taped;
        let lambda = arithmetic.lambda(step.h);
        mix_vjp(lambda, w, z_bar);
        let t_bar_of_y = if let Some(embedded) = embedded {
            let (Pair { y: w_hat, z: z_hat }, model_hat) = embedded.parts();
            mix_vjp(lambda, w_hat, z_hat);
            let (psi_bars, models) = ([&*w, &*w_hat], [model, model_hat]);
            let z_bars = [z_bar, z_hat];
            let t_bar = method.vjp_with_embedded(field, step, taped, psi_bars, z_bars, models);
            scale(lambda, w_hat);
            t_bar
        } else {
            method.increment_vjp(field, step, taped, w, z_bar, model)
        };
        work.t_bar = t_bar_of_y + t_bar_of_z;
        scale(lambda, w);
        Ok(())
    }
}

/// The cotangents of a pair and of the parameters.
pub(crate) type PairAdjoint<S, F> = Adjoint<PairCotangent<S>, F>;

impl<S, F> Cotangent<PairCotangent<S>, F> {
    /// The cotangents of the pair, and those of the parameters.
    #[inline(always)]
    fn parts(&mut self) -> (&mut Pair<S>, &mut F) {
        (&mut self.state.pair, &mut self.model)
    }
}

/// The VJP of `λ y + (1 − λ) z` with respect to `z`, where `w` is the cotangent of the sum.
#[inline(always)]
fn mix_vjp<T: Real, S: State<T>>(lambda: Option<T>, w: &S, z_bar: &mut S) {
    if let Some(lambda) = lambda {
        let mu = T::ONE - lambda;
        update(z_bar.as_mut_slice(), [w.as_slice()], |z_bar, [w]| z_bar + mu * w);
    }
}

/// The VJP of `λ y + (1 − λ) z` with respect to `y`.
#[inline(always)]
fn scale<T: Real, S: State<T>>(lambda: Option<T>, w: &mut S) {
    if let Some(lambda) = lambda {
        w.as_mut_slice().iter_mut().for_each(|w| *w = lambda * *w);
    }
}

impl<T, F, M, A> SchemeVjp<T, F> for PairScheme<M, A>
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F>,
    A: Arithmetic<T, F::State>,
{
    type Bar = PairCotangent<F::State>;

    fn zero_bar(&self, y0: &F::State) -> Self::Bar {
        PairCotangent::zeros_like(y0)
    }
    fn add_to_bar(
        &self,
        state: &A::State,
        bar: &mut Self::Bar,
        add: impl FnOnce(&F::State, &mut F::State),
    ) {
        if self.reads_mean(state) {
            // Half to each.
            let (Pair { y, z }, [added, mean]) = bar.with_scratch();
            added.fill(T::ZERO);
            add(self.read_out(state, mean), added);
            let half = |bar, [added]: [T; 1]| bar + T::from_f64(0.5) * added;
            update(y.as_mut_slice(), [added.as_slice()], half);
            update(z.as_mut_slice(), [added.as_slice()], half);
        } else if A::WATCHES {
            let (Pair { y, .. }, [added, _]) = bar.with_scratch();
            added.assign(y);
            add(self.arithmetic.y(state), y);
            update(added.as_mut_slice(), [y.as_slice()], |before, [y]| y - before);
        } else {
            add(self.arithmetic.y(state), &mut bar.pair.y);
        }
        self.arithmetic.count_cotangent(state, bar);
    }
    fn solution_bar<'a>(&self, bar: &'a Self::Bar) -> impl Iterator<Item = T> + 'a {
        let Pair { y, z } = &bar.pair;
        y.as_slice().iter().zip(z.as_slice()).map(|(y, z)| *y + *z)
    }
    fn companion_bar<'a>(&self, bar: &'a Self::Bar) -> Option<&'a [T]> {
        Some(bar.pair.z.as_slice())
    }
    fn start_vjp(&self, mut bar: Self::Bar) -> F::State {
        bar.pair.join_vjp();
        bar.pair.y
    }
    #[inline]
    fn step_vjp(
        &self,
        field: &F,
        step: Step<T>,
        before: &A::State,
        state: &mut A::State,
        adjoint: &mut PairAdjoint<F::State, F>,
        work: &mut VjpWork<T, F, M>,
    ) -> Result<(), Stop> {
        let z = self.arithmetic.z(before);
        self.step_back(field, step, Some(z), state, adjoint, work)
    }
    #[inline(always)]
    fn check_vjp(&self, step: Step<T>, state: &A::State, bar: &mut Self::Bar) -> Result<(), Stop> {
        self.arithmetic.watch(step, state, bar)
    }
}
