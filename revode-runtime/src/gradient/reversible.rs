//! Reversible: the published method. The states come back by inverting the steps.

use super::backward::differentiate;
use super::certificate::{Amplification, Certificate, Samples, allowed};
use super::{Backward, Gradient, GradientStrategy, Keeper, Loss, Pairing, Solve, Way};
use crate::controller::{StepControl, Tolerance};
use crate::reversible::{Coupling, LARGEST_GAP, Pair, ReversiblePair};
use crate::scheme::{SchemeVjp, Step};
use crate::solution::Solution;
use crate::{FieldVjp, MethodVjp, Problem, Real, SolveError, Stats};

/// Gradients of the reversible pair as published, in constant memory: each step is inverted, and the
/// increments that invert it are differentiated. McCallum and Foster, arXiv 2410.11648. At most 66 pairs of
/// the forward pass are kept, to be compared with.
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
        Self { coupling: Coupling::default(), largest_gap: LARGEST_GAP }
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
        ReversiblePair::new(method.clone(), self.coupling)?.largest_gap(self.largest_gap)
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
            let samples = Samples::new(&solve.problem.y0);
            let certificate = Certificate::new(allowed);
            let keeper = Reversal { samples, amplification: None, certificate };
            differentiate(solve, scheme, keeper, loss)
        })
    }
}

/// The pairs that a reversal is compared with, and what has come of it.
struct Reversal<T: Real, F: FieldVjp<T>> {
    samples: Samples<F::State>,
    /// `None` before the way back.
    amplification: Option<Amplification<T, F>>,
    certificate: Certificate,
}

impl<T, F, M> Keeper<T, F, ReversiblePair<M>> for Reversal<T, F>
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F>,
{
    #[inline(always)]
    fn keep(
        &mut self,
        _: &ReversiblePair<M>,
        step: Step<T>,
        _: &Pair<F::State>,
        after: &Pair<F::State>,
    ) -> Result<(), SolveError> {
        if self.samples.is_due(step.index) {
            self.samples.keep(after);
        }
        Ok(())
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
        let Backward { scheme, problem, record } = *pass;
        let field = &problem.field;
        let amplification = self.amplification.get_or_insert_with(|| {
            let (gap, size) = state.gap_and_size();
            self.certificate.turn(record.len(), problem.t0, (gap / size).to_f64());
            self.samples.end(state);
            Amplification::new(&self.samples, field, bar)
        });
        if !self.samples.is_due(step.index) {
            scheme.unstep_vjp(field, step, state, bar, model_bar, work);
            return Ok(Way::On);
        }
        let Self { samples, certificate, .. } = self;
        let at = samples.after(step.index);
        certificate.add(samples.error(at, state), step.t + step.h)?;
        let known = samples.pair(at);
        amplification.unstep_vjp(scheme, field, step, known, state, bar, model_bar, work);
        if step.index == 0 {
            certificate.add(samples.error(Samples::<F::State>::START, state), step.t)?;
            certificate.amplify(amplification.get(certificate.error, bar.clone(), model_bar))?;
        }
        Ok(Way::On)
    }

    fn bytes(&self) -> usize {
        self.samples.bytes()
    }

    fn report(&self, _: &ReversiblePair<M>, stats: &mut Stats) {
        stats.strategy = "reversible";
        stats.certificate = Some(self.certificate.value);
    }
}
