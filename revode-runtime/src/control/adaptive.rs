//! Adaptive steps: error norm, automatic first step, and a rule for the next one.

use super::{Begin, Decision, Pid, StepControl, StepSizeController, Tolerance, Verdict};
use crate::error::{Readable, check_finite};
use crate::{
    EmbeddedMethod, Problem, Real, SolveError, State, Step, StepFailure, VectorField, support,
};

/// Steps as long as the error estimate allows.
///
/// The error of a step is measured in the norm of Hairer, Nørsett and Wanner, *Solving Ordinary
/// Differential Equations I*, equation (II.4.11): the root mean square over the components of
/// `error_i / (atol + rtol · max(|y_i|, |y'_i|))`. A step stands where it is at most 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adaptive<C = Pid> {
    /// Relative tolerance a step.
    pub rtol: f64,
    /// Absolute tolerance a step, in the units of the state.
    pub atol: f64,
    /// The rule for the next step size.
    pub controller: C,
}

/// What adaptive steps remember.
#[derive(Debug)]
pub struct AdaptiveMemory<S, M> {
    /// The error of the last increment.
    error: S,
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
        Some(Tolerance { rtol: self.rtol, atol: self.atol })
    }

    fn begin(
        &self,
        method: &M,
        problem: &Problem<T, F>,
    ) -> Result<Begin<T, Self::Memory>, SolveError> {
        for (name, value) in [("relative", self.rtol), ("absolute", self.atol)] {
            if !(value >= 0.0 && value.is_finite()) {
                let value = Readable(value);
                let problem =
                    format!("the {name} tolerance {value} is not a finite number from 0 on");
                return Err(SolveError::argument("tolerance", problem));
            }
        }
        if self.rtol == 0.0 && self.atol == 0.0 {
            let problem =
                "the relative and the absolute tolerance are both 0: one must be positive";
            return Err(SolveError::argument("tolerance", problem));
        }
        self.controller.check()?;
        let (h, evaluations) = self.first_step(problem, method.order())?;
        let memory = AdaptiveMemory {
            error: problem.y0.zeros_like(),
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

    #[inline]
    fn decide(
        &self,
        memory: &mut Self::Memory,
        step: Step<T>,
        y: &F::State,
        y_next: &F::State,
    ) -> Verdict<T> {
        let AdaptiveMemory { error, exponent, controller } = memory;
        let error = self.norm(error, y, y_next).to_f64();
        let (accepted, factor) = match self.controller.decide(controller, error, *exponent) {
            Decision::Accept(factor) => (true, factor),
            Decision::Reject(factor) => (false, factor),
        };
        Verdict { accepted, next_h: step.h * T::from_f64(factor), error }
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

impl<C> Adaptive<C> {
    /// The norm of `x` in units of the tolerance at `y` and `y_next`.
    #[inline(always)]
    fn norm<T: Real, S: State<T>>(&self, x: &S, y: &S, y_next: &S) -> T {
        let (rtol, atol) = (T::from_f64(self.rtol), T::from_f64(self.atol));
        let n = x.len();
        let (x, y, y_next) = (x.as_slice(), &y.as_slice()[..n], &y_next.as_slice()[..n]);
        // A component that stays 0 has no error in units of a purely relative tolerance, not 0/0.
        let least = T::EPSILON.powi(5);
        let mut sum = T::ZERO;
        for i in 0..n {
            let ratio = x[i] / (atol + rtol * y[i].abs().max(y_next[i].abs())).max(least);
            sum += ratio * ratio;
        }
        (sum / T::from_f64(n as f64)).sqrt()
    }

    /// The size of the first step: Hairer, Nørsett and Wanner, section II.4, "Starting Step Size".
    fn first_step<T: Real, F: VectorField<T>>(
        &self,
        problem: &Problem<T, F>,
        order: u32,
    ) -> Result<(T, u64), SolveError> {
        let Problem { field, y0, t0, t1 } = problem;
        let (t0, t1) = (*t0, *t1);
        let span = (t1 - t0).abs();
        let direction = (t1 - t0).signum();
        let mut f0 = y0.zeros_like();
        field.eval(t0, y0, &mut f0);
        check_finite(&f0, t0, t0)?;
        let (d0, d1) = (self.norm(y0, y0, y0), self.norm(&f0, y0, y0));
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
        let d2 = self.norm(&f1, y0, y0) / h0;
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
}
