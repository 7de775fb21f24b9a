//! What ends a pass over a solve before its end: seen inside the library only.

use crate::{SolveError, StepFailure};

/// Why a pass over a solve ends early.
#[derive(Debug)]
pub enum Stop {
    /// The discretisation is too loose, which a strategy may revise.
    Finding(Finding),
    /// What the user is told.
    Error(SolveError),
}

/// What a pass found too loose in the discretisation.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// The difference of the cotangents of a pair grew `factor`-fold, relative to their sum where the gap was
    /// closed, over `steps` steps back to `t`.
    CotangentsGrown {
        /// The time to which the reverse pass had come.
        t: f64,
        /// The growth.
        factor: f64,
        /// The number of steps.
        steps: u64,
    },
    /// The two states of a pair came apart.
    PairDiverged {
        /// The end of the step in which they did.
        t: f64,
        /// The gap relative to the solution.
        gap: f64,
        /// The coupling, as it is written.
        coupling: String,
    },
    /// The gradient is estimated to be further from the equation's than it may be.
    GradientInaccurate {
        /// The time to which the way back had come when the estimate passed what is allowed, or the start of the step in
        /// which most was missed.
        t: f64,
        /// Whether most of it was missed by the derivatives.
        missed: bool,
        /// The estimate, relative to the gradient's largest component.
        estimate: f64,
        /// What is allowed.
        allowed: f64,
        /// How many solves there have been.
        solves: u32,
    },
}

impl From<SolveError> for Stop {
    fn from(error: SolveError) -> Self {
        Self::Error(error)
    }
}

/// Why an accepted step could not be finished.
#[derive(Debug)]
pub enum Unfinished {
    /// An increment failed: a rejection under adaptive steps, an error with fixed ones.
    Failed(StepFailure),
    /// The pass ends.
    Stop(Stop),
}

impl From<StepFailure> for Unfinished {
    fn from(failure: StepFailure) -> Self {
        Self::Failed(failure)
    }
}

impl<E: Into<Stop>> From<E> for Unfinished {
    fn from(stop: E) -> Self {
        Self::Stop(stop.into())
    }
}

impl From<Finding> for Stop {
    fn from(finding: Finding) -> Self {
        Self::Finding(finding)
    }
}

impl Stop {
    /// The error of a pass that nothing revises.
    #[cold]
    pub(crate) fn into_error(self) -> SolveError {
        match self {
            Self::Error(error) => error,
            Self::Finding(finding) => finding.into_error(),
        }
    }
}

impl Finding {
    fn into_error(self) -> SolveError {
        match self {
            Self::CotangentsGrown { t, factor, steps } => {
                SolveError::CotangentsGrown { t, factor, steps }
            }
            Self::PairDiverged { t, gap, coupling } => {
                SolveError::PairDiverged { t, gap, coupling }
            }
            Self::GradientInaccurate { t, missed, estimate, allowed, solves } => {
                SolveError::GradientInaccurate { t, missed, estimate, allowed, solves }
            }
        }
    }
}
