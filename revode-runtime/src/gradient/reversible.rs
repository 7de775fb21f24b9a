//! Reversible: the published method. The states come back by inverting the steps.

use super::backward::differentiate;
use super::certificate::{allowed, certificate, largest};
use super::{Backward, Gradient, GradientStrategy, Keeper, Loss, Pairing, Solve, Way};
use crate::controller::{StepControl, Tolerance};
use crate::reversible::{Coupling, Pair, ReversiblePair};
use crate::scheme::{Scheme, SchemeVjp, Step};
use crate::solution::Solution;
use crate::{FieldVjp, MethodVjp, Problem, Real, SolveError, Stats};

/// Gradients of the reversible pair as published, in constant memory: each step is inverted, and the
/// increments that invert it are differentiated. McCallum and Foster, arXiv 2410.11648.
///
/// It suits conservative problems and short horizons. On others the pair comes apart, or the reversal
/// loses its way: both are errors ([`SolveError::PairDiverged`], [`SolveError::NotReversed`]), never a
/// wrong gradient. [`Guarded`](super::Guarded) has neither limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reversible {
    coupling: Coupling,
    largest_gap: f64,
}

impl Default for Reversible {
    fn default() -> Self {
        Self { coupling: Coupling::default(), largest_gap: 0.05 }
    }
}

impl Reversible {
    /// The published scheme with a constant `λ` in (0, 1], whose default is 0.999.
    pub fn coupling(lambda: f64) -> Self {
        Self { coupling: Coupling::Constant(lambda), ..Self::default() }
    }

    /// The same scheme with `λ = exp(−κ |h|)` for each step: the rate `κ ≥ 0`, in 1 over time, should
    /// be as fast as the field contracts, and rounding grows by `exp(κ T)` backward.
    pub fn rate(kappa: f64) -> Self {
        Self { coupling: Coupling::Rate(kappa), ..Self::default() }
    }

    /// Above which part of the largest size that the solution has had the gap `‖y − z‖` is an error: 0.05
    /// unless told, where the solution itself is off by half of that. `f64::INFINITY` lets all pass, as
    /// the published implementation does.
    #[must_use]
    pub fn largest_gap(self, largest_gap: f64) -> Self {
        Self { largest_gap, ..self }
    }
}

impl<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F> + Clone> Pairing<T, F, M> for Reversible {
    type Scheme = ReversiblePair<M>;

    fn scheme(
        &self,
        method: &M,
        _: &Problem<T, F>,
        _: Option<Tolerance>,
    ) -> Result<Self::Scheme, SolveError> {
        if self.largest_gap <= 0.0 || self.largest_gap.is_nan() {
            let problem = format!("{} is not a positive part of the solution", self.largest_gap);
            return Err(SolveError::argument("largest_gap", problem));
        }
        ReversiblePair::new(method.clone(), self.coupling)
    }
}

impl<T, F, M, C> GradientStrategy<T, F, M, C> for Reversible
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F> + Clone,
    C: StepControl<T, F, ReversiblePair<M>>,
{
    fn forward(&self, solve: &Solve<'_, T, F, M, C>) -> Result<Solution<T, F::State>, SolveError> {
        solve.with_pair(self, |scheme| solve.along(scheme))
    }

    fn gradient(
        &self,
        solve: &Solve<'_, T, F, M, C>,
        loss: &impl Loss<T, F::State>,
    ) -> Result<Gradient<F, F::State, T>, SolveError> {
        let allowed = allowed(solve.accuracy::<ReversiblePair<M>>());
        solve.with_pair(self, |scheme| {
            let largest_gap = T::from_f64(self.largest_gap);
            let size = T::ZERO;
            let keeper =
                Reversal { allowed, largest_gap, size, end: 0.0, gap: 0.0, certificate: 0.0 };
            differentiate(solve, scheme, keeper, loss)
        })
    }
}

/// A reversal keeps nothing of the forward pass.
#[derive(Debug)]
struct Reversal<T> {
    /// The certificate that the gradient needs.
    allowed: f64,
    /// The largest gap allowed, relative to `size`.
    largest_gap: T,
    /// The largest component that the solution has had so far.
    size: T,
    /// The largest component of the solution at the end.
    end: f64,
    /// The gap `‖y − z‖` at the end, relative to the solution's largest size, for the error message.
    gap: f64,
    certificate: f64,
}

impl<T, F, M> Keeper<T, F, ReversiblePair<M>> for Reversal<T>
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F>,
{
    #[inline(always)]
    fn keep(
        &mut self,
        scheme: &ReversiblePair<M>,
        step: Step<T>,
        _: &Pair<F::State>,
        after: &Pair<F::State>,
    ) -> Result<(), SolveError> {
        let (gap, size) = after.squared_gap_and_size();
        self.size = self.size.max(size);
        // Written so that a gap that is not a number is too large.
        let largest = self.largest_gap * self.size;
        if gap <= largest * largest {
            return Ok(());
        }
        let gap = relative(gap, self.size);
        let coupling = scheme.coupling;
        Err(SolveError::PairDiverged { t: (step.t + step.h).to_f64(), gap, coupling })
    }

    #[inline]
    fn step_back(
        &mut self,
        pass: &Backward<'_, T, F, ReversiblePair<M>>,
        step: Step<T>,
        state: &mut Pair<F::State>,
        bar: &mut Pair<F::State>,
        model_bar: &mut F,
        work: &mut <ReversiblePair<M> as SchemeVjp<T, F>>::VjpWork,
    ) -> Result<Way, SolveError> {
        if step.index + 1 == pass.record.len() {
            let (gap, _) = state.squared_gap_and_size();
            self.gap = relative(gap, self.size);
            self.end = largest(&state.y);
        }
        pass.scheme.unstep_vjp(&pass.problem.field, step, state, bar, model_bar, work);
        if step.index == 0 {
            self.certificate =
                certificate(state, &Scheme::<T, F>::start(pass.scheme, &pass.problem.y0), self.end);
            if self.certificate > self.allowed {
                return Err(SolveError::NotReversed {
                    t: pass.problem.t0.to_f64(),
                    error: self.certificate,
                    allowed: self.allowed,
                    gap: self.gap,
                });
            }
        }
        Ok(Way::On)
    }

    fn bytes(&self) -> usize {
        0
    }

    fn report(&self, _: &ReversiblePair<M>, stats: &mut Stats) {
        stats.strategy = "reversible";
        stats.certificate = Some(self.certificate);
    }
}

/// A gap relative to a size, from its square.
fn relative<T: Real>(gap: T, size: T) -> f64 {
    Real::sqrt(gap.to_f64()) / size.to_f64()
}
