//! The error of a gradient with fixed steps of a method that has no embedded one: from a second gradient with steps of
//! half the size.

use super::accuracy::{estimate, exceeds};
use super::{Ask, Gradient, Loss, Strategy};
use crate::control::StepControl;
use crate::scheme::Cotangent;
use crate::{FieldVjp, MethodVjp, Problem, Real, SolveError, State};

/// The gradient with steps of half the size, and from its difference to that with whole ones its error: for a method of
/// order `p` the former has `1/(2^p − 1)` of the difference left (Richardson; Hairer, Nørsett and Wanner, *Solving
/// Ordinary Differential Equations I*, section II.4).
///
/// # Errors
/// [`SolveError::GradientInaccurate`] where that is more than what is `allowed`, relative to the largest component.
pub(crate) fn by_halving<T, F, M, C, G>(
    strategy: &G,
    ask: &mut Ask<'_, T, F, M, C>,
    loss: &dyn Loss<T, F::State>,
    (steps, allowed): (f64, f64),
) -> Result<Gradient<F, F::State, T>, SolveError>
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F>,
    C: StepControl<T, F, M>,
    G: Strategy,
{
    let Gradient { y0, model, .. } = strategy.gradient(ask, loss)?;
    let Problem { t0, t1, .. } = ask.problem;
    let t0 = t0.to_f64();
    ask.halve((t1.to_f64() - t0).abs() / steps);
    let mut fit = strategy.gradient(ask, loss)?;
    let whole = Cotangent { state: y0, model };
    let (mut error, difference) = estimate((&fit.y0, &fit.model), whole);
    let part = 1.0 / (Real::powi(2.0, ask.method.order() as i32) - 1.0);
    let parts = error.model.slices_mut().flatten().chain(error.y0.as_mut_slice());
    parts.for_each(|error| *error *= T::from_f64(part));
    let relative = part * difference;
    if exceeds(relative, allowed) {
        return Err(SolveError::GradientInaccurate {
            t: t0,
            missed: false,
            estimate: relative,
            allowed,
            solves: 2,
        });
    }
    fit.error = Some(error);
    (fit.stats.gradient_error, fit.stats.refinements) = (Some(relative), 1);
    Ok(fit)
}
