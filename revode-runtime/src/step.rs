//! A step of a solve, and why one can fail.

use std::fmt;

use crate::{Real, Sides};

/// The step number `index`, from `t` to `end`.
///
/// It is passed whole to whatever takes a step: a driving path adds its increment over the step here.
///
/// The time loop's clock counts the steps and sets `end`: it is the start of the next step, and of the last step
/// exactly the end of the time span. The sum `t + h` equals `end` up to the rounding of the clock, and can lie beyond
/// the time span. So a method takes the times of its stages from [`stage_time`](Self::stage_time) and `end`: a field
/// such as `sqrt(1 - t)` is then never evaluated where it is not defined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step<T> {
    /// The number of steps accepted before it.
    pub index: u64,
    /// The time at which it starts.
    pub t: T,
    /// Its signed size, in the units of time.
    pub h: T,
    /// The time at which it ends: `t + h` up to rounding.
    pub end: T,
    /// On which sides of its jumps the field is evaluated in it: a method evaluates it by
    /// [`eval_on`](crate::VectorField::eval_on), and has any field.
    pub sides: Sides,
}

impl<T: Real> Step<T> {
    /// The step that ends at `t + h` as that sum rounds.
    #[inline(always)]
    pub fn new(index: u64, t: T, h: T) -> Self {
        Self { index, t, h, end: t + h, sides: Sides::default() }
    }

    /// The time `t + c h` of a stage whose node `c` lies between 0 and 1. A sum that rounds beyond the end is
    /// the end. (The stage of the node 1 is evaluated at `end`.)
    #[inline(always)]
    pub fn stage_time(self, c: T) -> T {
        self.clamp(self.t + self.h * c)
    }

    /// A time after the start; the end where that comes before it. (No sum `t + c h` rounds beyond `t`.)
    #[inline(always)]
    pub(crate) fn clamp(self, time: T) -> T {
        let Self { h, end, .. } = self;
        let beyond = if h < T::ZERO { time < end } else { time > end };
        if beyond { end } else { time }
    }

    /// The same step backwards: from `end` to `t`.
    #[inline(always)]
    #[must_use]
    pub fn reversed(self) -> Self {
        let Self { index, t, h, end, sides } = self;
        Self { index, t: end, h: -h, end: t, sides }
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
