//! Step-size control: accept a step? how long is the next one?

mod adaptive;
mod fixed;
mod pid;

pub use adaptive::Adaptive;
pub use fixed::FixedStep;
pub use pid::{Pid, PidMemory};

use crate::scheme::{Scheme, Step};
use crate::{Real, SolveError, VectorField};

/// A rule for the next step size, from the errors of the past steps. [`Adaptive`] makes a
/// [`StepControl`] of it.
///
/// Errors are in units of the tolerance (1 is just acceptable) and step sizes relative, so that a
/// rule is a formula over plain numbers.
pub trait StepSizeController {
    /// What is remembered from step to step.
    type Memory: Default;

    /// Checks the settings before the first step.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] names the setting.
    fn check(&self) -> Result<(), SolveError>;

    /// Whether a step with this error is accepted, and the factor from its size to that of the next
    /// attempt. The local error is taken to grow with the power `exponent` of the step size.
    fn decide(&self, memory: &mut Self::Memory, error: f64, exponent: f64) -> Decision;
}

/// What a [`StepSizeController`] says of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Decision {
    /// The step stands; the next one is longer by the factor.
    Accept(f64),
    /// The step is tried again, longer by the factor (below 1).
    Reject(f64),
}

/// The time loop's view of step-size control: tries steps of a scheme.
#[diagnostic::on_unimplemented(
    message = "steps of `{S}` cannot be controlled by `{Self}`",
    note = "adaptive steps need a method with an embedded error estimate, such as `Tsit5`, `Dopri5` \
            or `Bosh3`; every method takes `.fixed_step(h)`"
)]
pub trait StepControl<T: Real, F: VectorField<T>, S: Scheme<T, F>> {
    /// What is remembered from step to step.
    type Memory;

    /// The tolerance that steps are chosen by, where they are.
    fn tolerance(&self) -> Option<Tolerance> {
        None
    }

    /// The number of steps over a span of this length, where it is known beforehand.
    fn steps(&self, span: f64) -> Option<f64> {
        let _ = span;
        None
    }

    /// Checks the settings, and chooses the size of the first step, positive.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] names the setting; [`SolveError::NotFinite`] where the field
    /// is not finite at the start.
    fn begin(
        &self,
        scheme: &S,
        field: &F,
        start: &Start<'_, T, F>,
    ) -> Result<Begin<T, Self::Memory>, SolveError>;

    /// Proposes the step into `next` and decides about it.
    fn attempt(
        &self,
        memory: &mut Self::Memory,
        scheme: &S,
        field: &F,
        step: Step<T>,
        now: &S::State,
        next: &mut S::State,
        work: &mut S::Work,
    ) -> Attempt<T>;
}

/// The tolerance of step-size control: an error of `atol + rtol · |y|` a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// Relative tolerance a step.
    pub rtol: f64,
    /// Absolute tolerance a step, in the units of the state.
    pub atol: f64,
}

impl Tolerance {
    /// The relative tolerance, or the absolute one where that is 0.
    pub(crate) fn relative(self) -> f64 {
        if self.rtol > 0.0 { self.rtol } else { self.atol }
    }
}

/// Where a solve starts.
#[derive(Debug)]
pub struct Start<'a, T: Real, F: VectorField<T>> {
    /// The first time.
    pub t0: T,
    /// The last time.
    pub t1: T,
    /// The first state.
    pub y0: &'a F::State,
}

/// How a solve begins.
#[derive(Debug)]
pub struct Begin<T, Memory> {
    /// The size of the first step, positive.
    pub h: T,
    /// The field evaluations that choosing it took.
    pub evaluations: u64,
    /// What is remembered from step to step.
    pub memory: Memory,
}

/// A step that was tried.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<T> {
    /// Whether it stands.
    pub accepted: bool,
    /// The size asked for the next attempt, with the sign of this one. The time loop rounds it to a rung
    /// of its ladder of sizes: at most 4.6 % up or 10 % down, after a rejection never up and at most
    /// 14 % down. A size kept from a first step on is taken as it is. See `docs/record.md`.
    pub next_h: T,
    /// The error in units of the tolerance; 0 where none is estimated.
    pub error: f64,
}
