//! Reversible: the published method. The states come back by inverting the steps.

use super::super::Strategy;
use super::super::passes::{Keeper, Pass};
use super::certificate::{Certificate, allowed, default_accuracy};
use super::samples::Samples;
use crate::control::Tolerance;
use crate::error::Readable;
use crate::scheme::VjpWork;
use crate::scheme::pair::coupled::{Coupled, CoupledState, Coupling, DEFAULT_MAX_GAP};
use crate::scheme::pair::{PairAdjoint, PairScheme};
use crate::stats::StrategyStats;
use crate::stop::Stop;
use crate::{FieldVjp, Leg, MethodVjp, Problem, Real, SolveError, Step};

/// Gradients of the reversible pair as published, in constant memory: each step is inverted, and the
/// increments that invert it are differentiated. McCallum and Foster, arXiv 2410.11648.
///
/// The forward pass keeps at most 64 pairs, and the reversal goes on from each of them. Pairs of states above
/// 4 KB may take 512 KB together, but there are always one or two: a gradient keeps at most 8 vectors like the state
/// where that is large, and one for each save point that no step lands on ([`SaveAt::interpolated`](crate::SaveAt::interpolated)).
///
/// It suits conservative problems and short horizons. On others the pair comes apart, or the reversal
/// loses its way: both are errors ([`SolveError::PairDiverged`], [`SolveError::NotReversed`]), never a
/// wrong gradient. [`Guarded`](super::Guarded) has neither limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reversible {
    coupling: Coupling,
    largest_gap: f64,
    accuracy: Option<f64>,
}

impl Default for Reversible {
    fn default() -> Self {
        Self { coupling: Coupling::default(), largest_gap: DEFAULT_MAX_GAP, accuracy: None }
    }
}

impl Reversible {
    /// The published scheme with a constant `λ` in (0, 1], whose default is 0.999.
    pub fn coupling(lambda: f64) -> Self {
        Self { coupling: Coupling::Constant(lambda), ..Self::default() }
    }

    /// The same scheme with `λ = exp(−κ |h|)` for each step: the rate `κ ≥ 0` per unit time should
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

    /// The accuracy that the gradient must have, relative to its largest component: it is certified, or an error. By
    /// default half the digits of the scalar (7.5e-9 in `f64`) or the tolerance of the step-size control where that
    /// is finer, but never finer than 1,600 times the scalar's `EPSILON`: 3.6e-13 in `f64`, 1.9e-4 in `f32`. What is
    /// finer than that cannot be certified by a reversal that rounds, nor, over `n` steps, what is finer than `n`
    /// times `EPSILON`: in `f32` more than 1,600 steps need a coarser accuracy to be asked for.
    ///
    /// It is the accuracy as the gradient of the discrete solution: how far that is from the equation's is a matter of
    /// the step sizes.
    #[must_use]
    pub fn accuracy(self, accuracy: f64) -> Self {
        Self { accuracy: Some(accuracy), ..self }
    }
}

impl Strategy for Reversible {
    type Scheme<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> = PairScheme<M, Coupled>;
    type Keeper<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> = Reversal<T, F>;

    fn scheme<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        method: &M,
        _: &Problem<T, F>,
        _: Option<Tolerance>,
    ) -> Result<PairScheme<M, Coupled>, SolveError> {
        let arithmetic = Coupled::new(self.coupling, self.largest_gap)?;
        Ok(PairScheme { method: method.clone(), arithmetic })
    }

    fn keeper<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        _: &PairScheme<M, Coupled>,
        leg: Leg<'_, T, F>,
        tolerance: Option<Tolerance>,
    ) -> Result<Reversal<T, F>, SolveError> {
        if let Some(accuracy) = self.accuracy
            && !(accuracy > 0.0 && accuracy < 1.0)
        {
            let problem =
                format!("{} is not between 0 and 1; it is relative, 1e-8 say", Readable(accuracy));
            return Err(SolveError::argument("accuracy", problem));
        }
        let default = || default_accuracy::<T>(tolerance.map(Tolerance::relative));
        let allowed = allowed(self.accuracy.unwrap_or_else(default));
        Ok(Reversal { samples: Samples::new(leg.y0), allowed, certificate: None })
    }
}

/// The pairs that a reversal goes on from, and what it is worth.
#[derive(Debug)]
pub struct Reversal<T: Real, F: FieldVjp<T>> {
    samples: Samples<F::State>,
    /// The largest certificate that the gradient may have.
    allowed: f64,
    /// `None` before the way back.
    certificate: Option<Certificate<F::State, F>>,
}

impl<T, F, M> Keeper<T, F, PairScheme<M, Coupled>> for Reversal<T, F>
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F>,
{
    #[inline(always)]
    fn after(
        &mut self,
        _: &PairScheme<M, Coupled>,
        step: Step<T>,
        state: &CoupledState<T, F::State>,
    ) {
        self.samples.offer(step.index + 1, &state.pair);
    }

    #[inline]
    fn step_back(
        &mut self,
        pass: &Pass<'_, T, F, PairScheme<M, Coupled>>,
        step: Step<T>,
        state: &mut CoupledState<T, F::State>,
        adjoint: &mut PairAdjoint<F::State, F>,
        work: &mut VjpWork<T, F, M>,
    ) -> Result<(), Stop> {
        let Pass { scheme, leg, record, .. } = *pass;
        let Leg { y0, .. } = leg;
        let Self { samples, allowed, certificate } = self;
        let certificate = certificate.get_or_insert_with(|| {
            Certificate::new(*allowed, record.len(), leg, state.relative_gap())
        });
        if certificate.is_due(step.index + 1) {
            certificate.measure(scheme, leg, step, samples, state, &adjoint.main.state, work)?;
        }
        pass.step_back(step, None, state, adjoint, work)?;
        if step.index == 0 {
            certificate.add(samples.error(Samples::<F::State>::START, &state.pair, y0), step.t)?;
            certificate.finish(&adjoint.main.state.pair, &adjoint.main.model)?;
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.samples.bytes()
    }

    fn report(&self) -> StrategyStats {
        let certificate = self.certificate.as_ref().map_or(0.0, |certificate| certificate.value);
        StrategyStats::Reversible { certificate }
    }
}
