//! A step of a solve, and why one can fail.

use std::fmt;

use crate::Real;

/// The step number `index`, from `t` to `t + h`.
///
/// It is passed whole to whatever takes a step: a driving path adds its increment over the step here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step<T> {
    /// The number of steps accepted before it.
    pub index: u64,
    /// The time at which it starts.
    pub t: T,
    /// Its signed size, in the units of time.
    pub h: T,
}

impl<T: Real> Step<T> {
    /// The time at which it ends.
    #[inline(always)]
    pub fn end(self) -> T {
        self.t + self.h
    }

    /// The same step backwards: from `t + h` to `t`.
    #[inline(always)]
    #[must_use]
    pub fn reversed(self) -> Self {
        Self { index: self.index, t: self.t + self.h, h: -self.h }
    }
}

/// Why a method could not compute the increment of a step. Under adaptive steps the step is rejected and tried
/// again with a smaller size; with fixed steps it is [`SolveError::StepFailed`](crate::SolveError::StepFailed).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepFailure {
    /// What failed, as a clause: "Newton's iteration did not converge".
    pub reason: &'static str,
}

impl fmt::Display for StepFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason)
    }
}

impl std::error::Error for StepFailure {}
