//! Step-size control: accept a step? how long is the next one?

mod adaptive;
mod first_step;
mod fixed;
mod norm;
mod pid;
mod settings;
mod tolerances;

pub use adaptive::Adaptive;
pub use fixed::FixedStep;
pub use norm::Norm;
pub use pid::{Pid, PidMemory};
pub use settings::StepSettings;
pub use tolerances::{Tolerance, Tolerances};

use crate::{Leg, Method, Real, SolveError, Step, StepFailure, VectorField};

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

/// The time loop's view of step-size control: takes increments of the method, and decides about steps.
#[diagnostic::on_unimplemented(
    message = "steps of `{M}` cannot be controlled by `{Self}`",
    note = "adaptive steps need a method with an embedded error estimate, such as `Tsit5`, `Dopri5` \
            or `Bosh3`; every method takes `.fixed_step(h)`"
)]
pub trait StepControl<T: Real, F: VectorField<T>, M: Method<T, F>> {
    /// What is remembered from step to step.
    type Memory;

    /// The tolerance that steps are chosen by, where they are; the loosest one where each component has its own.
    fn tolerance(&self) -> Option<Tolerance> {
        None
    }

    /// The number of steps over a span of this length, where it is known beforehand.
    fn steps(&self, span: f64) -> Option<f64> {
        let _ = span;
        None
    }

    /// Checks the settings, and chooses the size of the first step of a leg, positive: the one that was asked for, if one
    /// was.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] names the setting; [`SolveError::NotFinite`] where the field
    /// is not finite at the start.
    fn begin(
        &self,
        method: &M,
        leg: Leg<'_, T, F>,
        settings: &StepSettings,
    ) -> Result<Begin<T, Self::Memory>, SolveError>;

    /// [`Method::increment`], with an estimate of its error where the decision needs one.
    ///
    /// # Errors
    /// [`StepFailure`] of the method.
    fn increment(
        &self,
        memory: &mut Self::Memory,
        method: &M,
        field: &F,
        step: Step<T>,
        u: &F::State,
        stages: &mut M::Stages,
        psi: &mut F::State,
    ) -> Result<(), StepFailure>;

    /// Decides about the step from the solution `y` to `y_next`, whose increment was the last one.
    fn decide(
        &self,
        memory: &mut Self::Memory,
        step: Step<T>,
        y: &F::State,
        y_next: &F::State,
    ) -> Verdict<T>;

    /// The components that have stayed below the absolute tolerance, and so were not followed: the number of the
    /// first, and how many there are.
    fn below_tolerance(&self, memory: &Self::Memory) -> Option<(usize, usize)> {
        let _ = memory;
        None
    }

    /// The next increment starts from the `t` and `u` at which the last one ended.
    fn proceed(&self, method: &M, stages: &mut M::Stages) {
        let _ = (method, stages);
    }

    /// The size with which a step that could not be taken is tried again; `None` where steps have one size.
    fn retry(&self, memory: &mut Self::Memory, step: Step<T>) -> Option<T> {
        let _ = (memory, step);
        None
    }
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

/// The decision about a step.
#[derive(Debug, Clone, Copy)]
pub struct Verdict<T> {
    /// Whether the step stands.
    pub accepted: bool,
    /// The size asked for the next attempt, with the sign of this one. The time loop rounds it to a rung
    /// of its ladder of sizes: at most 4.6 % up or 10 % down, after a rejection never up and at most
    /// 14 % down. A size kept from a first step on is taken as it is. See `docs/record.md`.
    pub next_h: T,
    /// The error in units of the tolerance; 0 where none is estimated.
    pub error: f64,
}
