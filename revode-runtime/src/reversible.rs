//! The reversible pair: one wrapper over any method.
//!
//! McCallum and Foster, *Efficient, Accurate and Stable Gradients for Neural ODEs*,
//! arXiv 2410.11648, section 3; derivation in `docs/reversible.md`.

use std::fmt;

use crate::halves::{Halves, Known, largest_parameter, step_back, update, zip};
use crate::scheme::{EmbeddedScheme, Scheme, SchemeVjp, Step, VjpWork, Work};
use crate::solve::check_finite;
use crate::{
    EmbeddedMethod, FieldVjp, Method, MethodVjp, Parameters, Real, SolveError, State, VectorField,
};

/// The solution `y` and its companion `z`.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair<S> {
    /// The solution.
    pub y: S,
    /// The companion state.
    pub z: S,
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
        crate::support::add(&mut self.y, [&self.z]);
        self.z.fill(T::ZERO);
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

/// The coupling of the pair: how far a step draws `y` to `z`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Coupling {
    /// The same `λ` in every step, `0 < λ ≤ 1`: the published form, 0.999 its default. With `λ = 1`
    /// nothing is damped, and nothing amplified backward.
    Constant(f64),
    /// `λ = exp(−κ |h|)` with the rate `κ ≥ 0` in 1 over time: the damping belongs to time, not to the
    /// number of steps.
    Rate(f64),
}

impl fmt::Display for Coupling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(lambda) => write!(f, "λ = {lambda}"),
            Self::Rate(rate) => write!(f, "κ = {rate}"),
        }
    }
}

impl Default for Coupling {
    fn default() -> Self {
        Self::Constant(0.999)
    }
}

impl Coupling {
    /// `λ` for a step of size `h`; `None` where it is 1 and the terms with it are left out.
    #[inline(always)]
    fn lambda<T: Real>(self, h: T) -> Option<T> {
        let lambda = T::from_f64(match self {
            Self::Constant(lambda) => lambda,
            Self::Rate(rate) => Real::exp(-rate * h.to_f64().abs()),
        });
        (lambda != T::ONE).then_some(lambda)
    }

    fn check(self) -> Result<(), SolveError> {
        let problem = match self {
            Self::Constant(lambda) if !(lambda > 0.0 && lambda <= 1.0) => {
                format!("λ = {lambda} is not in (0, 1]; the published value is 0.999")
            }
            Self::Rate(rate) if !(rate >= 0.0 && rate.is_finite()) => {
                format!("the rate κ = {rate} is not a finite number from 0 on, in 1 over time")
            }
            _ => return Ok(()),
        };
        Err(SolveError::argument("coupling", problem))
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
#[derive(Debug, Clone, Copy)]
pub struct ReversiblePair<M> {
    /// The method whose increment is used.
    pub method: M,
    /// How `y` is drawn to `z`.
    pub coupling: Coupling,
    /// The largest gap `‖y − z‖` that a solve lets pass, relative to the largest size that the solution
    /// has had.
    pub largest_gap: f64,
}

/// Where the gap is this part of the solution, the solution itself is off by half of that.
pub(crate) const LARGEST_GAP: f64 = 0.05;

impl<M> ReversiblePair<M> {
    /// The pair over `method`, whose gap may be 5 % of the solution.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] where `λ` is not in (0, 1], or `κ` negative.
    pub fn new(method: M, coupling: Coupling) -> Result<Self, SolveError> {
        coupling.check()?;
        Ok(Self { method, coupling, largest_gap: LARGEST_GAP })
    }

    /// The largest gap that a solve lets pass, relative to the largest size that the solution has had;
    /// `f64::INFINITY` lets all pass.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] where it is not positive.
    pub fn largest_gap(self, largest_gap: f64) -> Result<Self, SolveError> {
        if largest_gap <= 0.0 || largest_gap.is_nan() {
            let problem = format!("{largest_gap} is not a positive part of the solution");
            return Err(SolveError::argument("largest_gap", problem));
        }
        Ok(Self { largest_gap, ..self })
    }

    #[cold]
    fn diverged<T: Real>(&self, step: Step<T>, gap: T, size: T) -> SolveError {
        let t = (step.t + step.h).to_f64();
        let gap = (gap / size).to_f64();
        SolveError::PairDiverged { t, gap, coupling: self.coupling }
    }

    /// Writes `λ y + (1 − λ) z + psi` to `y_next`.
    #[inline(always)]
    fn advance<T: Real, S: State<T>>(&self, h: T, now: &Pair<S>, psi: &S, y_next: &mut S) {
        if let Some(lambda) = self.coupling.lambda(h) {
            let mu = T::ONE - lambda;
            zip(y_next, [&now.y, &now.z, psi], |[y, z, psi]| lambda * y + mu * z + psi);
        } else {
            zip(y_next, [&now.y, psi], |[y, psi]| y + psi);
        }
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
        self.unstep_vjp_watched(field, step, pair, bar, model_bar, work, None);
    }

    /// [`unstep_vjp`](Self::unstep_vjp) that writes to `half`, where it is asked for, the largest component of
    /// `model_bar` between the two halves of the step: with a `model_bar` that is zero, of what the half that is
    /// undone first adds to it.
    #[inline]
    pub(crate) fn unstep_vjp_watched<T: Real, F: FieldVjp<T>>(
        &self,
        field: &F,
        step: Step<T>,
        pair: &mut Pair<F::State>,
        bar: &mut Pair<F::State>,
        model_bar: &mut F,
        work: &mut VjpWork<M::Taped, F::State>,
        half: Option<&mut f64>,
    ) where
        M: MethodVjp<T, F>,
    {
        let lambda = self.coupling.lambda(step.h);
        let mut halves = Damped { pair, lambda, half };
        step_back(&self.method, field, step, lambda, &mut halves, bar, model_bar, work);
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
        let mut halves = Damped { pair, lambda: self.coupling.lambda(h), half: None };
        self.method.increment(field, t + h, -h, halves.y(), stages, psi);
        halves.undo_z(psi);
        self.method.increment(field, t, h, halves.z(), stages, psi);
        halves.undo_y(psi);
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
        pair.assign(from);
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
    ) -> Result<(), SolveError> {
        check_finite(&next.y, step.t + step.h, step.t)?;
        let Work { stages, psi, .. } = work;
        self.method.increment(field, step.t + step.h, -step.h, &next.y, stages, psi);
        zip(&mut next.z, [&now.z, psi], |[z, psi]| z - psi);
        Ok(())
    }
    #[inline]
    fn check(&self, step: Step<T>, pair: &Self::State, largest: &mut T) -> Result<(), SolveError> {
        let (gap, size) = pair.gap_and_size();
        *largest = largest.max(size);
        // (Where all are let pass the right side is not a number for a solution that is 0.)
        if gap <= T::from_f64(self.largest_gap) * *largest || self.largest_gap == f64::INFINITY {
            return Ok(());
        }
        Err(self.diverged(step, gap, *largest))
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
    fn add_to_bar(
        &self,
        pair: &Self::State,
        bar: &mut Self::Bar,
        add: impl FnOnce(&F::State, &mut F::State),
    ) {
        add(&pair.y, &mut bar.y);
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
        pair: &mut Self::State,
        bar: &mut Pair<F::State>,
        model_bar: &mut F,
        work: &mut Self::VjpWork,
    ) {
        let lambda = self.coupling.lambda(step.h);
        let mut halves = Known { pair, before };
        step_back(&self.method, field, step, lambda, &mut halves, bar, model_bar, work);
    }
}

/// A pair that is reversed in floating point.
struct Damped<'a, S, T> {
    pair: &'a mut Pair<S>,
    lambda: Option<T>,
    /// Where the largest component of the cotangent of the parameters between the two halves is asked
    /// for.
    half: Option<&'a mut f64>,
}

impl<T: Real, S: State<T>> Halves<T, S> for Damped<'_, S, T> {
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
        update(&mut self.pair.z, [psi], |z, [psi]| z + psi);
    }
    #[inline(always)]
    fn undo_y(&mut self, psi: &S) {
        update(&mut self.pair.y, [psi], |y, [psi]| y - psi);
        if let Some(lambda) = self.lambda {
            // A division by λ undoes the product with it far better than a product with 1/λ.
            let mu = T::ONE - lambda;
            update(&mut self.pair.y, [&self.pair.z], |y, [z]| (y - mu * z) / lambda);
        }
    }
    #[inline(always)]
    fn between(&mut self, model_bar: &impl Parameters<T>) {
        if let Some(half) = &mut self.half {
            **half = largest_parameter(model_bar);
        }
    }
}
