//! What a reverse pass carries, and the increments whose VJPs carry it.

use crate::{FieldVjp, MethodVjp, Parameters, Real, SolveError, State, Step};

/// A cotangent of the state, and the one of the parameters that its VJPs have added up so far.
#[derive(Debug, Clone)]
pub(crate) struct Cotangent<B, F> {
    /// That of the state.
    pub(crate) state: B,
    /// That of the parameters.
    pub(crate) model: F,
}

/// What a reverse pass carries: the cotangent that becomes the gradient and, where its error is estimated, a second
/// one that is advanced by the embedded increments through the same stages. The difference of both is the estimate
/// (`docs/gradient-error.md`).
#[derive(Debug, Clone)]
pub struct Adjoint<B, F> {
    /// The one that becomes the gradient.
    pub(crate) main: Cotangent<B, F>,
    /// The one of the embedded method.
    pub(crate) embedded: Option<Box<Cotangent<B, F>>>,
}

impl<B: Clone, F> Adjoint<B, F> {
    /// Of the state `zero` and no parameters; with a second cotangent where the error is `estimated`.
    pub(crate) fn zero<T: Real>(zero: B, field: &F, estimated: bool) -> Self
    where
        F: Parameters<T>,
    {
        let main = Cotangent { state: zero, model: field.zeros_like() };
        let embedded = estimated.then(|| Box::new(main.clone()));
        Self { main, embedded }
    }

    /// With other cotangents of the state.
    pub(crate) fn map<C>(self, mut f: impl FnMut(B) -> C) -> Adjoint<C, F> {
        let mut map = |Cotangent { state, model }| Cotangent { state: f(state), model };
        let main = map(self.main);
        Adjoint { main, embedded: self.embedded.map(|embedded| Box::new(map(*embedded))) }
    }

    /// Both cotangents.
    pub(crate) fn each(&mut self) -> impl Iterator<Item = &mut Cotangent<B, F>> {
        std::iter::once(&mut self.main).chain(self.embedded.as_deref_mut())
    }
}

/// Scratch space of an increment's VJP.
pub struct VjpWork<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> {
    /// Stage states and tapes.
    pub(crate) taped: M::Taped,
    /// The increment.
    pub(crate) psi: F::State,
    /// Its cotangent, and that of the embedded increment.
    pub(crate) psi_bar: [F::State; 2],
    /// The derivative where the last increment starts, if the method has it and the error is estimated.
    pub(crate) f: Option<F::State>,
    /// The cotangent of the time of the last step: `(∂/∂t)ᵀ` of its increments at constant size.
    pub(crate) t_bar: T,
    /// The number of the step that was taped last.
    pub(crate) last: Option<u64>,
}

impl<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> VjpWork<T, F, M> {
    pub(crate) fn new(method: &M, field: &F, y0: &F::State) -> Self {
        let taped = method.taped(field, y0);
        Self {
            taped,
            psi: y0.zeros_like(),
            psi_bar: [y0.zeros_like(), y0.zeros_like()],
            f: None,
            t_bar: T::ZERO,
            last: None,
        }
    }

    /// Takes the increment of a step again, and keeps what its VJPs need: that of the embedded increment too, where
    /// the gradient's error is `estimated`.
    ///
    /// # Errors
    /// [`SolveError::NotRepeated`] of the step `taken`, where the increment fails that had not failed before.
    #[inline(always)]
    pub(crate) fn tape(
        &mut self,
        method: &M,
        field: &F,
        (step, taken): (Step<T>, Step<T>),
        u: &F::State,
        estimated: bool,
    ) -> Result<(), SolveError> {
        let result = method.increment_taped(field, step, u, &mut self.taped, &mut self.psi);
        result.map_err(|_| SolveError::not_repeated(taken))?;
        if estimated {
            match method.start_derivative(&self.taped) {
                Some(f) => self.f.get_or_insert_with(|| u.zeros_like()).assign(f),
                None => self.f = None,
            }
            method.tape_embedded(field, step, u, &mut self.taped);
        }
        Ok(())
    }
}

impl<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> std::fmt::Debug for VjpWork<T, F, M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VjpWork").finish_non_exhaustive()
    }
}
