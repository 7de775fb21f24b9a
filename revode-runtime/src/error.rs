//! What can go wrong in a solve.

use crate::ShapeError;

/// The error of a solve or of a gradient. Nothing is returned half-done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SolveError {
    /// An argument that no solve can start from; found before the first step.
    #[error("`{argument}`: {problem}")]
    InvalidArgument {
        /// The argument's name.
        argument: &'static str,
        /// What is wrong with it and what it should be.
        problem: String,
    },
    /// The parameters or the state have the wrong size; found before the first step.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// The solution left the finite numbers.
    #[error("{}", not_finite(*t, *component, *value, *last_good))]
    NotFinite {
        /// The time at which the value is not finite.
        t: f64,
        /// The first component that is not finite.
        component: usize,
        /// Its value.
        value: f64,
        /// The last time at which all components were finite; `t` where the solve could not start.
        last_good: f64,
    },
    /// No step is small enough for the tolerance.
    #[error(
        "the step size fell to {h:.3e} at t = {t}, with an error of {error_norm:.3} tolerances: loosen \
         the tolerance, or look for a discontinuity or a blow-up of the field there"
    )]
    StepSizeUnderflow {
        /// The time at which the solve stopped.
        t: f64,
        /// The step size that was still rejected.
        h: f64,
        /// Its error in units of the tolerance.
        error_norm: f64,
    },
    /// More steps than allowed.
    #[error(
        "{steps} steps reached only t = {t} (step size {h:.3e}, error {error_norm:.3} tolerances): \
         raise `.max_steps(…)`, loosen the tolerance, or lengthen the fixed step; a stiff problem \
         needs an implicit method"
    )]
    StepLimit {
        /// The limit.
        steps: u64,
        /// The time reached.
        t: f64,
        /// The step size in use.
        h: f64,
        /// The error of the last step in units of the tolerance; 0 with fixed steps.
        error_norm: f64,
    },
    /// The reversal did not come back to where the solve had started, so that the gradient would
    /// have been wrong.
    #[error(
        "the reversal came back to t = {t} with an error of {error:.1e} (relative to 1 + |y|, allowed \
         {allowed:.1e}) after the pair's gap |y - z| had been {gap:.1e} at the end: this coupling does \
         not suit the problem (a dissipative field or a long horizon); shorten the horizon or the \
         step, or use `.strategy(Checkpointed::slots(32))` or `.strategy(StoreAll)`"
    )]
    NotReversed {
        /// The time at which the pair was compared.
        t: f64,
        /// The largest difference between the reversed pair and the known one, relative to `1 + |y|`.
        error: f64,
        /// The largest difference allowed.
        allowed: f64,
        /// The gap `|y - z|` at the end of the forward pass, relative to `1 + |y|`.
        gap: f64,
    },
}

fn not_finite(t: f64, component: usize, value: f64, last_good: f64) -> String {
    if t == last_good {
        return format!(
            "component {component} of the state or of the field is {value} at t = {t}, where the solve \
             starts: check the initial state, the parameters and the field there"
        );
    }
    format!(
        "component {component} of the solution became {value} in the step from t = {last_good} to \
         t = {t}: the solution blows up, the step is too long for stability, or the field is not \
         defined there"
    )
}

impl SolveError {
    pub(crate) fn argument(argument: &'static str, problem: impl Into<String>) -> Self {
        Self::InvalidArgument { argument, problem: problem.into() }
    }
}
