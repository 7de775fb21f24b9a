//! What a solver is told about its steps, beside how they are controlled.

use super::Norm;
use crate::SolveError;
use crate::error::Readable;

/// What a [`Solver`](crate::Solver) is told about its steps, whatever controls them: its methods of these names.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct StepSettings {
    /// How many steps may be tried.
    pub max_steps: u64,
    /// How long a step may be, positive; infinite without a limit.
    pub max_step: f64,
    /// What error control makes no step shorter than; 0 without a limit.
    pub min_step: f64,
    /// The size of the first step, positive; `None` to estimate it.
    pub first_step: Option<f64>,
    /// How the errors of the components make one number.
    pub norm: Norm,
}

impl Default for StepSettings {
    fn default() -> Self {
        Self {
            max_steps: 10_000_000,
            max_step: f64::INFINITY,
            min_step: 0.0,
            first_step: None,
            norm: Norm::Rms,
        }
    }
}

impl StepSettings {
    /// Checks the settings of steps that adapt, or have one size.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] names the setting.
    pub(crate) fn check(&self, adapt: bool) -> Result<(), SolveError> {
        let Self { max_step, min_step, first_step, norm, .. } = *self;
        let wrong = |argument, problem: String| Err(SolveError::argument(argument, problem));
        if max_step <= 0.0 || max_step.is_nan() {
            let problem = format!("the largest step size {} is not positive", Readable(max_step));
            return wrong("max_step", problem);
        }
        if !(min_step >= 0.0 && min_step.is_finite()) {
            let min_step = Readable(min_step);
            let problem =
                format!("the least step size {min_step} is not a finite number from 0 on");
            return wrong("min_step", problem);
        }
        if let Some(h) = first_step
            && !(h > 0.0 && h.is_finite())
        {
            let problem =
                format!("the first step size {} is not a positive, finite number", Readable(h));
            return wrong("first_step", problem);
        }
        if !adapt {
            let given = [
                ("max_step", max_step.is_finite()),
                ("min_step", min_step > 0.0),
                ("first_step", first_step.is_some()),
            ];
            if let Some((name, _)) = given.iter().find(|(_, given)| *given) {
                let problem =
                    "the steps have one size, which is to be chosen by `.fixed_step(h)` alone";
                return wrong(name, problem.into());
            }
            if norm != Norm::Rms {
                let problem = "the steps have one size, whatever their error: take adaptive ones by \
                               `.tolerance(rtol, atol)`, or leave the norm out";
                return wrong("norm", problem.into());
            }
        }
        let (least, most) = (Readable(min_step), Readable(max_step));
        if min_step >= max_step {
            let problem = format!("the least step size {least} is not below the largest, {most}");
            return wrong("min_step", problem);
        }
        match first_step {
            Some(h) if h > max_step => {
                let h = Readable(h);
                wrong("first_step", format!("{h} is longer than the largest step size, {most}"))
            }
            Some(h) if h < min_step => {
                let h = Readable(h);
                wrong("first_step", format!("{h} is shorter than the least step size, {least}"))
            }
            _ => Ok(()),
        }
    }
}
