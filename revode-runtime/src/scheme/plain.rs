//! The method by itself: `y' = y + Psi_h(t, y)`.

use super::{Adjoint, Cotangent, ReadVjp, Scheme, SchemeVjp, VjpWork, Work};
use crate::error::check_finite;
use crate::slices::zip;
use crate::stop::{Stop, Unfinished};
use crate::{
    FieldVjp, Method, MethodVjp, Real, SolveError, Stability, State, Step, VectorField, support,
};

/// The method by itself: `y' = y + Psi_h(t, y)`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plain<M>(pub M);

impl<T: Real, F: VectorField<T>, M: Method<T, F>> Scheme<T, F> for Plain<M> {
    type Method = M;
    type State = F::State;
    type Next = F::State;
    const READS_BACK: bool = false;

    #[inline(always)]
    fn method(&self) -> &M {
        &self.0
    }
    fn stability(&self) -> Option<[f64; Stability::RAYS]> {
        Some(self.0.stability()?.method)
    }
    fn start(&self, y0: &F::State) -> F::State {
        y0.clone()
    }
    fn next(&self, y0: &F::State) -> F::State {
        y0.zeros_like()
    }
    #[inline(always)]
    fn solution<'a>(&self, y: &'a F::State) -> &'a F::State {
        y
    }
    #[inline(always)]
    fn origin<'a>(&self, y: &'a F::State) -> &'a F::State {
        y
    }
    #[inline(always)]
    fn proposed<'a>(&self, next: &'a F::State) -> &'a F::State {
        next
    }
    #[inline]
    fn assign(&self, y: &mut F::State, from: &F::State) {
        y.assign(from);
    }
    fn state_bytes(&self, y: &F::State) -> usize {
        size_of_val(y.as_slice())
    }
    #[inline(always)]
    fn propose(&self, _: Step<T>, y: &F::State, psi: &F::State, next: &mut F::State) {
        support::stage(next, y, [(T::ONE, psi)]);
    }
    #[inline(always)]
    fn finish(&self, _: &F, step: Step<T>, work: &mut Work<T, F, Self>) -> Result<(), Unfinished> {
        Ok(check_finite(&work.next, step.end, step.t)?)
    }
    #[inline(always)]
    fn commit(&self, _: Step<T>, y: &mut F::State, work: &mut Work<T, F, Self>) {
        std::mem::swap(y, &mut work.next);
    }
}

impl<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> SchemeVjp<T, F> for Plain<M> {
    type Bar = F::State;

    fn zero_bar(&self, y0: &F::State) -> F::State {
        y0.zeros_like()
    }
    #[inline]
    fn add_to_bar(
        &self,
        y: &F::State,
        bar: &mut F::State,
        add: impl FnOnce(&F::State, &mut F::State),
    ) {
        add(y, bar);
    }
    fn solution_bar<'a>(&self, bar: &'a F::State) -> impl Iterator<Item = T> + 'a {
        bar.as_slice().iter().copied()
    }
    fn companion_bar<'a>(&self, _: &'a F::State) -> Option<&'a [T]> {
        None
    }
    fn start_vjp(&self, bar: F::State) -> F::State {
        bar
    }
    #[inline]
    fn step_vjp(
        &self,
        field: &F,
        step: Step<T>,
        before: &F::State,
        _: &mut F::State,
        adjoint: &mut Adjoint<F::State, F>,
        work: &mut VjpWork<T, F, M>,
    ) -> Result<(), Stop> {
        let Adjoint { main: Cotangent { state, model }, embedded } = adjoint;
        if work.last == Some(step.index + 1) && embedded.is_some() {
            self.0.precede(&mut work.taped);
        }
        work.tape(&self.0, field, (step, step), before, embedded.is_some())?;
        work.last = Some(step.index);
        let VjpWork { taped, psi_bar: [psi_bar, psi_hat], t_bar, .. } = work;
        psi_bar.assign(state);
        *t_bar = if let Some(embedded) = embedded {
            let Cotangent { state: hat, model: model_hat } = &mut **embedded;
            psi_hat.assign(hat);
            let (psi_bars, models) = ([&*psi_bar, &*psi_hat], [model, model_hat]);
            self.0.vjp_with_embedded(field, step, taped, psi_bars, [state, hat], models)
        } else {
            self.0.increment_vjp(field, step, taped, psi_bar, state, model)
        };
        Ok(())
    }

    fn read_step_vjp(
        &self,
        field: &F,
        step: Step<T>,
        before: &F::State,
        _: &mut F::State,
        adjoint: &mut Adjoint<F::State, F>,
        work: &mut VjpWork<T, F, M>,
        ReadVjp { output, chord }: ReadVjp<'_, T, F>,
    ) -> Result<(), Stop> {
        let Adjoint { main: Cotangent { state, model }, embedded } = adjoint;
        let taken = output.tape(field, step, before, embedded.is_some());
        taken.map_err(|_| SolveError::not_repeated(step))?;
        let [psi_bar, psi_hat] = &mut work.psi_bar;
        let rest = |[bar, chord]: [T; 2]| bar - chord;
        zip(psi_bar.as_mut_slice(), [state.as_slice(), chord.as_slice()], rest);
        let embedded = embedded.as_deref_mut().map(|Cotangent { state, model }| {
            zip(psi_hat.as_mut_slice(), [state.as_slice(), chord.as_slice()], rest);
            (state, model)
        });
        let psi_bars = [psi_bar, psi_hat];
        work.t_bar = output.increment_vjp(field, step, before, psi_bars, (state, model), embedded);
        work.f = None;
        Ok(())
    }
}
