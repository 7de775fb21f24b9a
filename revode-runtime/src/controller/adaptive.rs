//! Adaptive steps: error norm, automatic first step, and a rule for the next one.

use super::{Attempt, Begin, Decision, Pid, Start, StepControl, StepSizeController, Tolerance};
use crate::scheme::{EmbeddedScheme, Step};
use crate::{Real, SolveError, State, VectorField};

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
    error: S,
    memory: M,
}

impl<T, F, S, C> StepControl<T, F, S> for Adaptive<C>
where
    T: Real,
    F: VectorField<T>,
    S: EmbeddedScheme<T, F>,
    C: StepSizeController,
{
    type Memory = AdaptiveMemory<F::State, C::Memory>;

    fn tolerance(&self) -> Option<Tolerance> {
        Some(Tolerance { rtol: self.rtol, atol: self.atol })
    }

    fn begin(
        &self,
        scheme: &S,
        field: &F,
        start: &Start<'_, T, F>,
    ) -> Result<Begin<T, Self::Memory>, SolveError> {
        for (name, value) in [("relative", self.rtol), ("absolute", self.atol)] {
            if !(value >= 0.0 && value.is_finite()) {
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
        let (h, evaluations) = self.first_step(field, start, scheme.order())?;
        let memory = AdaptiveMemory { error: start.y0.zeros_like(), memory: C::Memory::default() };
        Ok(Begin { h, evaluations, memory })
    }

    #[inline]
    fn attempt(
        &self,
        memory: &mut Self::Memory,
        scheme: &S,
        field: &F,
        step: Step<T>,
        now: &S::State,
        next: &mut S::State,
        work: &mut S::Work,
    ) -> Attempt<T> {
        scheme.propose_with_error(field, step, now, next, &mut memory.error, work);
        let (y, y_next) = (scheme.solution(now), scheme.solution(next));
        let error = self.norm(&memory.error, y, y_next).to_f64();
        let exponent = f64::from(scheme.error_order() + 1);
        let (accepted, factor) = match self.controller.decide(&mut memory.memory, error, exponent) {
            Decision::Accept(factor) => (true, factor),
            Decision::Reject(factor) => (false, factor),
        };
        if accepted {
            scheme.accepted(work);
        }
        Attempt { accepted, next_h: step.h * T::from_f64(factor), error }
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
        field: &F,
        start: &Start<'_, T, F>,
        order: u32,
    ) -> Result<(T, u64), SolveError> {
        let &Start { t0, t1, y0 } = start;
        let span = (t1 - t0).abs();
        let direction = (t1 - t0).signum();
        let mut f0 = y0.zeros_like();
        field.eval(t0, y0, &mut f0);
        crate::solve::check_finite(&f0, t0, t0)?;
        let (d0, d1) = (self.norm(y0, y0, y0), self.norm(&f0, y0, y0));
        let tiny = T::from_f64(1e-5);
        let h0 = if d0 < tiny || d1 < tiny {
            span * T::from_f64(1e-6)
        } else {
            (T::from_f64(0.01) * d0 / d1).min(span)
        };
        let mut y1 = y0.zeros_like();
        crate::support::stage(&mut y1, y0, [(direction * h0, &f0)]);
        let mut f1 = y0.zeros_like();
        field.eval(t0 + direction * h0, &y1, &mut f1);
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
