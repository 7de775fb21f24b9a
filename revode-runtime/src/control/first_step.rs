//! The automatic first step.

use super::Tolerances;
use super::norm::ErrorNorm;
use super::tolerances::Allowed;
use crate::error::check_finite;
use crate::{Leg, Real, SolveError, State, Step, VectorField, support};

/// The size of the first step, positive, and the field evaluations that it took: Hairer, Nørsett and Wanner, section
/// II.4, "Starting Step Size".
pub(super) fn first_step<T: Real, F: VectorField<T>, R: Tolerances, A: Tolerances>(
    norm: &ErrorNorm<F::State>,
    allowed: Allowed<'_, R, A>,
    leg: Leg<'_, T, F>,
    order: u32,
) -> Result<(T, u64), SolveError> {
    let Leg { field, y0, t0, t1, sides, .. } = leg;
    let span = (t1 - t0).abs();
    if span == T::ZERO {
        return Ok((span, 0));
    }
    let direction = (t1 - t0).signum();
    let mut f0 = y0.zeros_like();
    field.eval_on(sides, t0, y0, &mut f0);
    check_finite(&f0, t0, t0)?;
    let size = |x: &F::State, y: &F::State| norm.of(allowed, x, y0, y);
    let (d0, d1) = (size(y0, y0), size(&f0, y0));
    let tiny = T::from_f64(1e-5);
    let h0 = if d0 < tiny || d1 < tiny {
        span * T::from_f64(1e-6)
    } else {
        (T::from_f64(0.01) * d0 / d1).min(span)
    };
    let mut y1 = y0.zeros_like();
    support::stage(&mut y1, y0, [(direction * h0, &f0)]);
    let mut f1 = y0.zeros_like();
    let whole = Step { index: 0, t: t0, h: direction * span, end: t1, sides };
    field.eval_on(sides, whole.clamp(t0 + direction * h0), &y1, &mut f1);
    for (f1, f0) in f1.as_mut_slice().iter_mut().zip(f0.as_slice()) {
        *f1 -= *f0;
    }
    // A component that starts from 0 has a size after the trial step only.
    let (y1, d1) = if allowed.atol.is_none() { (&y1, size(&f0, &y1)) } else { (y0, d1) };
    let d2 = size(&f1, y1) / h0;
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
