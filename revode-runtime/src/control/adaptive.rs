//! Adaptive steps: error norm, automatic first step, and a rule for the next one.

use super::norm::{ErrorNorm, is_rounding};
use super::{Begin, Decision, Pid, StepControl, StepSizeController, Tolerance, Verdict};
use crate::error::{Readable, check_finite};
use crate::{
    EmbeddedMethod, Leg, Real, SolveError, State, Step, StepFailure, VectorField, support,
};

/// The growth of steps whose error is rounding alone: such an error says nothing of how long they can be. (A solution
/// at rest, or one that the method integrates exactly.)
const BLIND_GROWTH: f64 = 2.0;

/// Steps as long as the error estimate allows.
///
/// The error of a step is measured in the norm of Hairer, Nørsett and Wanner, *Solving Ordinary
/// Differential Equations I*, equation (II.4.11): the root mean square over the components of
/// `error_i / (atol + rtol · max(|y_i|, |y'_i|))`. A step stands where it is at most 1.
///
/// Without an absolute tolerance each component has its own, which follows the sizes of the solution: it is
/// `error_i / (rtol · max(|y_i|, |y'_i|, 0.01 Y_i, 1e-9 max Y))`, where `Y_i` is the largest size that the component
/// has had so far; never less than the rounding of `max Y`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adaptive<C = Pid> {
    /// Relative tolerance a step.
    pub rtol: f64,
    /// Absolute tolerance a step, in the units of the state; `None` to follow the sizes of the components.
    pub atol: Option<f64>,
    /// The rule for the next step size.
    pub controller: C,
}

/// What adaptive steps remember.
#[derive(Debug)]
pub struct AdaptiveMemory<S, M> {
    /// The error of the last increment.
    error: S,
    norm: ErrorNorm<S>,
    /// The power of the step size that the error grows with.
    exponent: f64,
    controller: M,
}

impl<T, F, M, C> StepControl<T, F, M> for Adaptive<C>
where
    T: Real,
    F: VectorField<T>,
    M: EmbeddedMethod<T, F>,
    C: StepSizeController,
{
    type Memory = AdaptiveMemory<F::State, C::Memory>;

    fn tolerance(&self) -> Option<Tolerance> {
        Some(Tolerance { rtol: self.rtol, atol: self.atol.unwrap_or(0.0) })
    }

    fn begin(&self, method: &M, leg: Leg<'_, T, F>) -> Result<Begin<T, Self::Memory>, SolveError> {
        let Self { rtol, atol, .. } = *self;
        for (name, value) in [("relative", rtol), ("absolute", atol.unwrap_or(0.0))] {
            if !(value >= 0.0 && value.is_finite()) {
                let value = Readable(value);
                let problem =
                    format!("the {name} tolerance {value} is not a finite number from 0 on");
                return Err(SolveError::argument("tolerance", problem));
            }
        }
        if rtol == 0.0 && atol.unwrap_or(0.0) == 0.0 {
            let problem = match atol {
                Some(_) => {
                    "the relative and the absolute tolerance are both 0: one must be positive"
                }
                None => {
                    "the relative tolerance is 0, and there is no absolute one: it must be positive"
                }
            };
            return Err(SolveError::argument("tolerance", problem));
        }
        self.controller.check()?;
        let norm = ErrorNorm::new(rtol, atol, leg.y0);
        let (h, evaluations) = first_step(&norm, leg, method.order())?;
        let memory = AdaptiveMemory {
            error: leg.y0.zeros_like(),
            norm,
            exponent: f64::from(method.order().min(method.embedded_order()) + 1),
            controller: C::Memory::default(),
        };
        Ok(Begin { h, evaluations, memory })
    }

    #[inline(always)]
    fn increment(
        &self,
        memory: &mut Self::Memory,
        method: &M,
        field: &F,
        step: Step<T>,
        u: &F::State,
        stages: &mut M::Stages,
        psi: &mut F::State,
    ) -> Result<(), StepFailure> {
        method.increment_with_error(field, step, u, stages, psi, &mut memory.error)
    }

    #[inline(always)]
    fn decide(
        &self,
        memory: &mut Self::Memory,
        step: Step<T>,
        y: &F::State,
        y_next: &F::State,
    ) -> Verdict<T> {
        let AdaptiveMemory { error: difference, norm, exponent, controller } = memory;
        let error = norm.of(difference, y, y_next).to_f64();
        let (accepted, factor) = match self.controller.decide(controller, error, *exponent) {
            Decision::Accept(factor) => {
                norm.see(y_next);
                let blind = factor > BLIND_GROWTH && is_rounding(difference, y_next);
                (true, if blind { BLIND_GROWTH } else { factor })
            }
            Decision::Reject(factor) => (false, factor),
        };
        Verdict { accepted, next_h: step.h * T::from_f64(factor), error }
    }

    fn below_tolerance(&self, memory: &Self::Memory) -> Option<(usize, usize)> {
        memory.norm.below()
    }

    #[inline(always)]
    fn proceed(&self, method: &M, stages: &mut M::Stages) {
        method.proceed(stages);
    }

    /// A step that could not be taken has an error without bound.
    #[cold]
    fn retry(&self, memory: &mut Self::Memory, step: Step<T>) -> Option<T> {
        let decision =
            self.controller.decide(&mut memory.controller, f64::INFINITY, memory.exponent);
        let (Decision::Accept(factor) | Decision::Reject(factor)) = decision;
        Some(step.h * T::from_f64(factor))
    }
}

/// The size of the first step: Hairer, Nørsett and Wanner, section II.4, "Starting Step Size".
fn first_step<T: Real, F: VectorField<T>>(
    norm: &ErrorNorm<F::State>,
    leg: Leg<'_, T, F>,
    order: u32,
) -> Result<(T, u64), SolveError> {
    let Leg { field, y0, t0, t1, .. } = leg;
    let span = (t1 - t0).abs();
    if span == T::ZERO {
        return Ok((span, 0));
    }
    let direction = (t1 - t0).signum();
    let mut f0 = y0.zeros_like();
    field.eval(t0, y0, &mut f0);
    check_finite(&f0, t0, t0)?;
    let (d0, d1) = (norm.of(y0, y0, y0), norm.of(&f0, y0, y0));
    let tiny = T::from_f64(1e-5);
    let h0 = if d0 < tiny || d1 < tiny {
        span * T::from_f64(1e-6)
    } else {
        (T::from_f64(0.01) * d0 / d1).min(span)
    };
    let mut y1 = y0.zeros_like();
    support::stage(&mut y1, y0, [(direction * h0, &f0)]);
    let mut f1 = y0.zeros_like();
    let whole = Step { index: 0, t: t0, h: direction * span, end: t1 };
    field.eval(whole.clamp(t0 + direction * h0), &y1, &mut f1);
    for (f1, f0) in f1.as_mut_slice().iter_mut().zip(f0.as_slice()) {
        *f1 -= *f0;
    }
    // A component that starts from 0 has a size after the trial step only.
    let (y1, d1) = if norm.follows() { (&y1, norm.of(&f0, y0, &y1)) } else { (y0, d1) };
    let d2 = norm.of(&f1, y0, y1) / h0;
    let d = d1.max(d2);
    let h1 = if d <= T::from_f64(1e-15) {
        (h0 * T::from_f64(1e-3)).max(span * T::from_f64(1e-6))
    } else {
        (T::from_f64(0.01) / d).pow(T::ONE / T::from_f64(f64::from(order + 1)))
    };
    let h = (T::from_f64(100.0) * h0).min(h1).min(span);
    // An overflow of the trial step leaves nothing but a careful guess.
    Ok((if h > T::ZERO && h.is_finite() { h } else { span * T::from_f64(1e-6) }, 2))
}
