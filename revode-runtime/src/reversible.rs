//! The reversible pair: one wrapper over any method.
//!
//! McCallum and Foster, *Efficient, Accurate and Stable Gradients for Neural ODEs*,
//! arXiv 2410.11648, section 3; derivation in `docs/reversible.md`.

use crate::scheme::{EmbeddedScheme, Scheme, SchemeVjp, Step, VjpWork, Work};
use crate::{EmbeddedMethod, FieldVjp, Method, MethodVjp, Real, SolveError, State, VectorField};

/// The solution `y` and its companion `z`.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair<S> {
    /// The solution.
    pub y: S,
    /// The companion state.
    pub z: S,
}

/// The coupling of the pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Coupling {
    /// The same `λ` in every step, `0 < λ ≤ 1`: the published form, 0.999 its default.
    Constant(f64),
}

impl Default for Coupling {
    fn default() -> Self {
        Self::Constant(0.999)
    }
}

impl Coupling {
    /// `λ` for a step of size `h`.
    #[inline(always)]
    fn lambda<T: Real>(self, _h: T) -> T {
        match self {
            Self::Constant(lambda) => T::from_f64(lambda),
        }
    }
}

/// The reversible scheme over the method `M`:
///
/// ```text
/// y' = λ y + (1 − λ) z + Psi_h(t, z)
/// z' = z − Psi_{−h}(t + h, y')
/// ```
///
/// It has the order of the method.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReversiblePair<M> {
    /// The method whose increment is used.
    pub method: M,
    /// How `y` is drawn to `z`.
    pub coupling: Coupling,
}

impl<M> ReversiblePair<M> {
    /// The pair over `method`.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] where `λ` is not in (0, 1].
    pub fn new(method: M, coupling: Coupling) -> Result<Self, SolveError> {
        let Coupling::Constant(lambda) = coupling;
        if lambda > 0.0 && lambda <= 1.0 {
            return Ok(Self { method, coupling });
        }
        let problem = format!("λ = {lambda} is not in (0, 1]; the published value is 0.999");
        Err(SolveError::argument("coupling", problem))
    }

    /// Writes `λ y + (1 − λ) z + psi` to `y_next`.
    #[inline(always)]
    fn advance<T: Real, S: State<T>>(&self, h: T, now: &Pair<S>, psi: &S, y_next: &mut S) {
        let lambda = self.coupling.lambda(h);
        let mu = T::ONE - lambda;
        zip(y_next, [&now.y, &now.z, psi], |[y, z, psi]| lambda * y + mu * z + psi);
    }

    /// Takes one step back in place, from the pair after the step to the pair before it, and pulls
    /// the cotangents back with it. The increments that reverse the step are those that its VJP
    /// differentiates, so that no field evaluation is made twice.
    ///
    /// Where the pair before the step is known, it is used instead of the reversed one.
    #[inline(always)]
    fn step_back<T: Real, F: FieldVjp<T>>(
        &self,
        field: &F,
        step: Step<T>,
        known: Option<&Pair<F::State>>,
        pair: &mut Pair<F::State>,
        bar: &mut Pair<F::State>,
        model_bar: &mut F,
        work: &mut VjpWork<M::Taped, F::State>,
    ) where
        M: MethodVjp<T, F>,
    {
        let Step { t, h, .. } = step;
        let end = t + h;
        let VjpWork { taped, psi, psi_bar } = work;
        let lambda = self.coupling.lambda(h);
        let mu = T::ONE - lambda;

        // z' = z − Psi_{−h}(t + h, y')
        self.method.increment_taped(field, end, -h, &pair.y, taped, psi);
        match known {
            Some(known) => pair.z.assign(&known.z),
            None => update(&mut pair.z, psi, |z, psi| z + psi),
        }
        zip(psi_bar, [&bar.z], |[z_bar]| -z_bar);
        self.method.increment_vjp(field, end, -h, taped, psi_bar, &mut bar.y, model_bar);

        // y' = λ y + (1 − λ) z + Psi_h(t, z); bar.y is now what method.md calls w.
        self.method.increment_taped(field, t, h, &pair.z, taped, psi);
        if let Some(known) = known {
            pair.y.assign(&known.y);
        } else {
            // A division by λ undoes the product with it far better than a product with 1/λ.
            update(&mut pair.y, psi, |y, psi| y - psi);
            update(&mut pair.y, &pair.z, |y, z| (y - mu * z) / lambda);
        }
        update(&mut bar.z, &bar.y, |z_bar, w| z_bar + mu * w);
        psi_bar.assign(&bar.y);
        self.method.increment_vjp(field, t, h, taped, psi_bar, &mut bar.z, model_bar);
        update(&mut bar.y, psi_bar, |_, w| lambda * w);
    }

    /// The step's inverse and its VJP in one; `pair` and `bar` are those after the step and become
    /// those before it.
    #[inline]
    pub fn unstep_vjp<T: Real, F: FieldVjp<T>>(
        &self,
        field: &F,
        step: Step<T>,
        pair: &mut Pair<F::State>,
        bar: &mut Pair<F::State>,
        model_bar: &mut F,
        work: &mut VjpWork<M::Taped, F::State>,
    ) where
        M: MethodVjp<T, F>,
    {
        self.step_back(field, step, None, pair, bar, model_bar, work);
    }

    /// The step's inverse: `pair` is the one after the step and becomes the one before it.
    #[inline]
    pub fn unstep<T: Real, F: VectorField<T>>(
        &self,
        field: &F,
        step: Step<T>,
        pair: &mut Pair<F::State>,
        work: &mut Work<M::Stages, F::State>,
    ) where
        M: Method<T, F>,
    {
        let Step { t, h, .. } = step;
        let Work { stages, psi, .. } = work;
        let lambda = self.coupling.lambda(h);
        let mu = T::ONE - lambda;
        self.method.increment(field, t + h, -h, &pair.y, stages, psi);
        update(&mut pair.z, psi, |z, psi| z + psi);
        self.method.increment(field, t, h, &pair.z, stages, psi);
        update(&mut pair.y, psi, |y, psi| y - psi);
        update(&mut pair.y, &pair.z, |y, z| (y - mu * z) / lambda);
    }
}

impl<T: Real, F: VectorField<T>, M: Method<T, F>> Scheme<T, F> for ReversiblePair<M> {
    type State = Pair<F::State>;
    type Work = Work<M::Stages, F::State>;

    fn order(&self) -> u32 {
        self.method.order()
    }
    fn start(&self, y0: &F::State) -> Self::State {
        Pair { y: y0.clone(), z: y0.clone() }
    }
    #[inline]
    fn solution<'a>(&self, pair: &'a Self::State) -> &'a F::State {
        &pair.y
    }
    #[inline]
    fn assign(&self, pair: &mut Self::State, from: &Self::State) {
        pair.y.assign(&from.y);
        pair.z.assign(&from.z);
    }
    fn state_bytes(&self, pair: &Self::State) -> usize {
        2 * size_of_val(pair.y.as_slice())
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
        self.method.increment(field, step.t, step.h, &now.z, stages, psi);
        self.advance(step.h, now, psi, &mut next.y);
    }
    #[inline]
    fn complete(
        &self,
        field: &F,
        step: Step<T>,
        now: &Self::State,
        next: &mut Self::State,
        work: &mut Self::Work,
    ) {
        let Work { stages, psi, .. } = work;
        self.method.increment(field, step.t + step.h, -step.h, &next.y, stages, psi);
        zip(&mut next.z, [&now.z, psi], |[z, psi]| z - psi);
    }
    #[inline]
    fn rejected(&self, work: &mut Self::Work) {
        self.method.restart(&mut work.stages);
    }
}

impl<T: Real, F: VectorField<T>, M: EmbeddedMethod<T, F>> EmbeddedScheme<T, F>
    for ReversiblePair<M>
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
        self.method.increment_with_error(field, step.t, step.h, &now.z, stages, psi, error);
        self.advance(step.h, now, psi, &mut next.y);
    }
    // The next step starts from z', where no stage of this one ends.
    #[inline]
    fn accepted(&self, _: &mut Self::Work) {}
}

impl<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> SchemeVjp<T, F> for ReversiblePair<M> {
    type VjpWork = VjpWork<M::Taped, F::State>;

    fn vjp_work(&self, field: &F, y0: &F::State) -> Self::VjpWork {
        VjpWork {
            taped: self.method.taped(field, y0),
            psi: y0.zeros_like(),
            psi_bar: y0.zeros_like(),
        }
    }
    fn vjp_counts(&self, work: &Self::VjpWork) -> (u64, u64) {
        (self.method.taped_evaluations(&work.taped), self.method.vjps(&work.taped))
    }
    fn zero_bar(&self, y0: &F::State) -> Self::State {
        Pair { y: y0.zeros_like(), z: y0.zeros_like() }
    }
    #[inline]
    fn solution_bar<'a>(&self, bar: &'a mut Self::State) -> &'a mut F::State {
        &mut bar.y
    }
    fn start_vjp(&self, mut bar: Self::State) -> F::State {
        update(&mut bar.y, &bar.z, |y_bar, z_bar| y_bar + z_bar);
        bar.y
    }
    #[inline]
    fn step_vjp(
        &self,
        field: &F,
        step: Step<T>,
        before: &Self::State,
        pair: &mut Self::State,
        bar: &mut Self::State,
        model_bar: &mut F,
        work: &mut Self::VjpWork,
    ) {
        self.step_back(field, step, Some(before), pair, bar, model_bar, work);
    }
}

/// `out[i] = f([x[i] for x in inputs])`.
#[inline(always)]
fn zip<T: Real, S: State<T>, const M: usize>(
    out: &mut S,
    inputs: [&S; M],
    f: impl Fn([T; M]) -> T,
) {
    let n = out.len();
    let out = &mut out.as_mut_slice()[..n];
    let inputs = inputs.map(|x| &x.as_slice()[..n]);
    for i in 0..n {
        out[i] = f(inputs.map(|x| x[i]));
    }
}

/// `x[i] = f(x[i], y[i])`.
#[inline(always)]
fn update<T: Real, S: State<T>>(x: &mut S, y: &S, f: impl Fn(T, T) -> T) {
    for (x, y) in x.as_mut_slice().iter_mut().zip(y.as_slice()) {
        *x = f(*x, *y);
    }
}
