//! The way back of a pair: the inverse of its step and its VJP in one.

use super::growth::PairCotangent;
use super::{Arithmetic, Pair, PairScheme};
use crate::scheme::{Adjoint, Cotangent, ReadVjp, Scheme, SchemeVjp, VjpWork};
use crate::slices::{update, zip};
use crate::stop::Stop;
use crate::{FieldVjp, MethodVjp, Real, SolveError, State, Step};

impl<M, A> PairScheme<M, A> {
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
        let Adjoint { main, embedded } = &mut *adjoint;
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
        let t_bar_of_y = self.line_1_back(field, step, z, state, adjoint, work)?;
        work.t_bar = t_bar_of_y + t_bar_of_z;
        Ok(())
    }

    /// [`step_back`](Self::step_back) of a step of which values between its ends were `read`, from the increment of line
    /// (2). Out of line, so that all other steps are compiled for themselves.
    #[inline(never)]
    pub(crate) fn read_step_back<T, F>(
        &self,
        field: &F,
        step: Step<T>,
        z: Option<&F::State>,
        state: &mut A::State,
        adjoint: &mut PairAdjoint<F::State, F>,
        work: &mut VjpWork<T, F, M>,
        ReadVjp { output, chord }: ReadVjp<'_, T, F>,
    ) -> Result<(), Stop>
    where
        T: Real,
        F: FieldVjp<T>,
        M: MethodVjp<T, F>,
        A: Arithmetic<T, F::State>,
    {
        let arithmetic = &self.arithmetic;
        let Adjoint { main, embedded } = &mut *adjoint;
        let estimated = embedded.is_some();
        arithmetic.reopen(state, &mut main.state, embedded.as_mut().map(|x| &mut x.state.pair));
        let back = step.reversed();
        let psi = output.tape(field, back, arithmetic.y(state), estimated);
        let psi = psi.map_err(|_| SolveError::not_repeated(step))?;
        if z.is_none() {
            arithmetic.undo_z(step, state, psi);
        }
        let [psi_bar, psi_hat] = &mut work.psi_bar;
        let rest = |[z_bar, chord]: [T; 2]| -z_bar - chord;
        let (Pair { y: w, z: z_bar }, model) = main.parts();
        zip(psi_bar.as_mut_slice(), [z_bar.as_slice(), chord.as_slice()], rest);
        let embedded = embedded.as_deref_mut().map(|embedded| {
            let (Pair { y: w_hat, z: z_hat }, model_hat) = embedded.parts();
            zip(psi_hat.as_mut_slice(), [z_hat.as_slice(), chord.as_slice()], rest);
            (w_hat, model_hat)
        });
        let y = arithmetic.y(state);
        let psi_bars = [psi_bar, psi_hat];
        let t_bar_of_z = output.increment_vjp(field, back, y, psi_bars, (w, model), embedded);
        let t_bar_of_y = self.line_1_back(field, step, z, state, adjoint, work)?;
        work.t_bar = t_bar_of_y + t_bar_of_z;
        Ok(())
    }

    /// The inverse and the VJP of line (1), `y' = λ y + (1 − λ) z ⊕ Psi_h(t, z)`. Returns its cotangent of time.
    #[inline(always)]
    fn line_1_back<T, F>(
        &self,
        field: &F,
        step: Step<T>,
        z: Option<&F::State>,
        state: &mut A::State,
        adjoint: &mut PairAdjoint<F::State, F>,
        work: &mut VjpWork<T, F, M>,
    ) -> Result<T, Stop>
    where
        T: Real,
        F: FieldVjp<T>,
        M: MethodVjp<T, F>,
        A: Arithmetic<T, F::State>,
    {
        let Self { method, arithmetic } = self;
        let Adjoint { main: Cotangent { state: bar, model }, embedded } = adjoint;
        let PairCotangent { pair: Pair { y: w, z: z_bar }, .. } = bar;
        let before = z.unwrap_or_else(|| arithmetic.z(state));
        work.tape(method, field, (step, step), before, embedded.is_some())?;
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
        scale(lambda, w);
        Ok(t_bar_of_y)
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
    fn read_step_vjp(
        &self,
        field: &F,
        step: Step<T>,
        before: &A::State,
        state: &mut A::State,
        adjoint: &mut PairAdjoint<F::State, F>,
        work: &mut VjpWork<T, F, M>,
        read: ReadVjp<'_, T, F>,
    ) -> Result<(), Stop> {
        let z = self.arithmetic.z(before);
        self.read_step_back(field, step, Some(z), state, adjoint, work, read)
    }
    #[inline(always)]
    fn check_vjp(&self, step: Step<T>, state: &A::State, bar: &mut Self::Bar) -> Result<(), Stop> {
        self.arithmetic.watch(step, state, bar)
    }
}
