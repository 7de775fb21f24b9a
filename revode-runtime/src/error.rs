//! What can go wrong in a solve.

use std::fmt;

use crate::{Real, ShapeError, State, Step, StepFailure};

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
    /// The solution is finite, but the loss or its gradient is not.
    #[error("{of} is {value}, though the solution is finite: {}", gradient_not_finite_because(*grown, *t))]
    GradientNotFinite {
        /// The loss, or the component of its gradient.
        of: String,
        /// Its value.
        value: f64,
        /// The time on the way back at which the cotangent of the state was found not to be finite, within a 64th of
        /// the steps; none where that was finite all the way.
        t: Option<f64>,
        /// Whether it had grown far before.
        grown: bool,
    },
    /// The gradient is exact for the discrete solution, but estimated to be too far from that of the equation.
    #[error(
        "the gradient is estimated to be off by {estimate:.1e} of its largest component, where {allowed:.1e} is \
         allowed (solves: {solves}); {}, lower the tolerance, allow more by `.gradient_tolerance(…)`, or take the \
         gradient of the discrete solution as it is by `.unchecked()`",
        why_inaccurate(*t, *missed)
    )]
    GradientInaccurate {
        /// The time to which the way back had come when the estimate passed what is allowed, or the start of the step in
        /// which most was missed.
        t: f64,
        /// Whether most of it was missed by the derivatives: the field jumps, or has a layer that no stage falls into.
        missed: bool,
        /// The estimate, relative to the gradient's largest component.
        estimate: f64,
        /// What is allowed, relative to the same.
        allowed: f64,
        /// How many solves there were, each with shorter steps than the one before.
        solves: u32,
    },
    /// The field jumps where a switching function that depends on the state or on parameters changes sign, and it cannot be
    /// evaluated on given sides of that place ([`VectorField::JUMPS`](crate::VectorField::JUMPS)).
    #[error(
        "`{function}` jumps where `{argument}` changes sign, at t = {t}: the gradient would lack what a move of that \
         place adds to it; let `ode!` locate the jump (up to 64 of them, and of vectors those whose length is a \
         literal), smooth it (`tanh(x / width)` for `signum(x)`), or take the gradient without it by `.unchecked()`",
        t = Readable(*t)
    )]
    Jump {
        /// The function that jumps, as the equations name it.
        function: &'static str,
        /// What changes sign, as the equations have it.
        argument: String,
        /// The end of the step in which it does.
        t: f64,
    },
    /// No step is small enough for the tolerance.
    #[error(
        "the step size fell to {h:.3e} at t = {t}, with an error of {error_norm:.3} tolerances: loosen \
         the tolerance, or look for a discontinuity or a blow-up of the field there",
        t = Readable(*t)
    )]
    StepSizeUnderflow {
        /// The time at which the solve stopped.
        t: f64,
        /// The step size that was still rejected.
        h: f64,
        /// Its error in units of the tolerance.
        error_norm: f64,
    },
    /// A step of the least size, or a shorter one to a stop, was not accurate enough.
    #[error(
        "the step of size {h:.3e} from t = {t} has an error of {error_norm:.3} tolerances, and `.min_step({})` \
         forbids a shorter one: lower it, loosen the tolerance, or look for a discontinuity or a blow-up of the \
         field there",
        Readable(*min_step),
        t = Readable(*t)
    )]
    MinStep {
        /// The time at which the step starts.
        t: f64,
        /// Its size.
        h: f64,
        /// The least size, shorter than the one asked for in a gradient that is solved again with shorter steps.
        min_step: f64,
        /// Its error in units of the tolerance; infinite where it could not be taken.
        error_norm: f64,
    },
    /// The method could not compute the increment of a fixed step.
    #[error(
        "the step of size {h:.3e} from t = {t} could not be taken: {reason}; take shorter steps, or adaptive \
         ones, which are tried again with a smaller size",
        t = Readable(*t)
    )]
    StepFailed {
        /// The time at which the step starts.
        t: f64,
        /// Its size.
        h: f64,
        /// What failed, in the method's words.
        reason: &'static str,
    },
    /// Events follow one another without end.
    #[error(
        "at t = {t} event `{event}` happens again and again, each time within the rounding of time: let it end the \
         solve (`terminal`), or change the state so that the solution gets away from the place (a bounce that loses \
         energy comes to rest; a switch needs hysteresis)",
        t = Readable(*t)
    )]
    Chattering {
        /// The event.
        event: String,
        /// The time.
        t: f64,
    },
    /// The time of an event has no derivative, and the gradient neither.
    #[error(
        "the trigger of event `{event}` {} at t = {t}, so that the time of the event has no derivative: let it cross 0 \
         smoothly, or leave the event out of the gradient's way",
        if rate.is_infinite() {
            "jumps over 0".to_owned()
        } else {
            format!("only touches 0 (it changes at the rate {rate:e})")
        },
        t = Readable(*t)
    )]
    EventNotSmooth {
        /// The event.
        event: String,
        /// The time.
        t: f64,
        /// The derivative of the trigger along the solution; infinite where it jumps.
        rate: f64,
    },
    /// More steps than allowed.
    #[error(
        "{steps} steps reached only t = {t} (step size {h:.3e}, error {error_norm:.3} tolerances): \
         raise `.max_steps(…)`, loosen the tolerance, or lengthen the fixed step; a stiff problem \
         needs an implicit method",
        t = Readable(*t)
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
    /// The two states of a reversible pair came apart, so that the solution itself is wrong.
    #[error(
        "the pair's gap |y - z| reached {:.1} % of the solution at t = {t}: the coupling ({coupling}) does \
         not hold the pair together, because the field contracts faster than it damps; use the \
         default strategy or `.strategy(Guarded::default())`, which close the gap, a larger \
         `Reversible::rate(…)`, or a shorter step",
        100.0 * gap,
        t = Readable(*t)
    )]
    PairDiverged {
        /// The time at which the gap became too large.
        t: f64,
        /// The gap, relative to the largest size that the solution has had.
        gap: f64,
        /// The coupling, as it is written: `λ = 0.999`, or `κ = 5` for a rate.
        coupling: String,
    },
    /// The reversal did not come back along the way of the solve, so that the gradient would have been
    /// wrong.
    #[error(
        "the reversal came back to t = {t} with a relative error of {error:.1e}, which the gradient amplifies \
         {amplification:.1e} times ({:.1e}, allowed {allowed:.1e}), after the pair's gap |y - z| had been \
         {gap:.1e} of the solution at the end: {}; use the default strategy or \
         `.strategy(Guarded::default())`, or ask for less by `Reversible::accuracy(…)`",
        error * amplification,
        not_reversed_because(*error, *allowed),
        t = Readable(*t)
    )]
    NotReversed {
        /// The time at which the reversed pair was furthest from the known one.
        t: f64,
        /// Their largest difference, each component relative to its size around that time.
        error: f64,
        /// By how much the gradient amplifies it; 1 where the error was too large by itself, before that
        /// was known.
        amplification: f64,
        /// The largest product of both that is allowed.
        allowed: f64,
        /// The gap `|y - z|` at the end of the forward pass, relative to the solution there.
        gap: f64,
    },
    /// The cotangents of a reversible pair have grown too much in its parasitic mode, so that the gradient would
    /// have been wrong.
    #[error(
        "on the way back to t = {t} the difference of the cotangents of the pair's y and z grew to {factor:.1e} \
         times what they had come to {steps} steps before: the field contracts faster than the gap between y \
         and z is closed; use `Auto`, `Checkpointed` or `StoreAll`, or a shorter step",
        t = Readable(*t)
    )]
    CotangentsGrown {
        /// The time to which the way back had come.
        t: f64,
        /// The difference of the cotangents of `y` and `z`, relative to their sum where the gap was closed.
        factor: f64,
        /// In how many steps it grew so far.
        steps: u64,
    },
    /// An exact reversal did not come back to the pair of states that it had started from, to the last bit: the
    /// field does not give equal bits for equal inputs.
    #[error(
        "the exact reversal did not come back to the start to the last bit (component {component} of the \
         pair is off by {difference:e}, {bits} bits are left in the buffer): the field must give equal \
         results for equal inputs, without random numbers, state of its own or a changing order of sums"
    )]
    NotExact {
        /// The component that is off most.
        component: usize,
        /// By how much: the larger one of the differences of the solution and of its companion.
        difference: f64,
        /// The bits that are left in the buffer, 0 as it should be whatever the field; negative where more
        /// were taken than there had been.
        bits: i64,
    },
    /// Steps that were taken again did not come out as before: the field does not give equal bits for equal inputs.
    #[error(
        "step {step}, at t = {t}, did not come out as it had before: the field must give equal results for equal \
         inputs, without random numbers, state of its own or a changing order of sums",
        t = Readable(*t)
    )]
    NotRepeated {
        /// The number of the last step that was taken again.
        step: u64,
        /// Where it starts.
        t: f64,
    },
    /// The states did not fit in the memory allowed for them.
    #[error(
        "storing the states passed the limit of {limit} bytes after {steps} steps, at t = {t}: raise \
         `StoreAll::within(…)`, or use `Auto` or `Guarded`, which keep to it, or `Checkpointed::slots(n)`, which \
         stores at most n states",
        t = Readable(*t)
    )]
    MemoryLimit {
        /// The limit in bytes.
        limit: usize,
        /// The steps stored.
        steps: u64,
        /// The time reached.
        t: f64,
    },
}

fn not_finite(t: f64, component: usize, value: f64, last_good: f64) -> String {
    let (t, last_good) = (Readable(t), Readable(last_good));
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

/// The cause of [`SolveError::GradientNotFinite`].
fn gradient_not_finite_because(grown: bool, t: Option<f64>) -> String {
    let undefined = "(`sqrt` or `norm2` at 0, `pow` of a base of 0, a quotient by 0)";
    match t.map(Readable) {
        None => format!(
            "the loss is not defined there, or the field's derivative with respect to the parameter is not {undefined}"
        ),
        Some(t) if grown => format!(
            "on the way back to t = {t} the cotangent of the state grew beyond the numbers of this precision (an \
             unstable or chaotic field over a long horizon); shorten the horizon, or scale the loss"
        ),
        Some(t) => format!(
            "on the way back the derivative of the field or of the loss was not finite near t = {t} {undefined}; keep \
             the solution away from that point, or write a function that is smooth there, such as `sqrt(x + 1e-12)`"
        ),
    }
}

/// The cause of [`SolveError::NotReversed`], by the error of the reversed states.
fn not_reversed_because(error: f64, allowed: f64) -> &'static str {
    if error > allowed {
        "the states came back wrong, because the reversal amplifies rounding, which this coupling does not bound (a \
         dissipative field or a long horizon)"
    } else {
        "the states came back as they were but for rounding, to which this gradient is too sensitive for the accuracy \
         that was asked for"
    }
}

impl SolveError {
    pub(crate) fn argument(argument: &'static str, problem: impl Into<String>) -> Self {
        Self::InvalidArgument { argument, problem: problem.into() }
    }

    /// The error of a fixed step that could not be taken.
    #[cold]
    pub(crate) fn step_failed<T: Real>(step: Step<T>, failure: StepFailure) -> Self {
        Self::StepFailed { t: step.t.to_f64(), h: step.h.to_f64(), reason: failure.reason }
    }

    /// The error of a step that was taken again and did not come out as before.
    #[cold]
    pub(crate) fn not_repeated<T: Real>(step: Step<T>) -> Self {
        Self::NotRepeated { step: step.index, t: step.t.to_f64() }
    }
}

/// An error if a component is infinite or NaN.
#[inline(always)]
pub(crate) fn check_finite<T: Real, S: State<T>>(
    y: &S,
    t: T,
    last_good: T,
) -> Result<(), SolveError> {
    if crate::slices::all_finite(y.as_slice()) {
        Ok(())
    } else {
        Err(component_not_finite(y.as_slice(), t, last_good))
    }
}

#[cold]
fn component_not_finite<T: Real>(y: &[T], t: T, last_good: T) -> SolveError {
    let component = y.iter().position(|y| !y.is_finite()).unwrap_or(0);
    SolveError::NotFinite {
        t: t.to_f64(),
        component,
        value: y[component].to_f64(),
        last_good: last_good.to_f64(),
    }
}

/// Where a gradient came to be inaccurate, and what to do about it.
fn why_inaccurate(t: f64, missed: bool) -> String {
    let t = Readable(t);
    if missed {
        format!(
            "in the step from t = {t} the field changes by more than its derivatives say, as where it jumps or has a \
             layer narrower than the step (or where a `vjp` by hand returns a wrong cotangent of time); resolve the \
             layer by `.max_step(…)`"
        )
    } else {
        format!(
            "on the way back it came to be so at t = {t}; shorten the horizon if the field is chaotic there, put the \
             switch of a field with kinks or jumps at a stop"
        )
    }
}

/// A number in a text: in digits where its size is 0 or from 1e-5 to 1e16, with an exponent where it
/// is smaller or larger, as `1e-320` has 320 zeros in digits. The same digits either way: as many as
/// tell the number from its neighbours.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Readable<T>(pub(crate) T);

impl<T: Real> fmt::Display for Readable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.to_f64().abs();
        if size == 0.0 || (1e-5..1e16).contains(&size) || !size.is_finite() {
            write!(f, "{}", self.0)
        } else {
            write!(f, "{:e}", self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Readable, SolveError};

    #[test]
    fn numbers_are_readable_whatever_their_size() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (2.0, "2"),
            (-0.1, "-0.1"),
            (1e-5, "0.00001"),
            (9.9e-6, "9.9e-6"),
            (1e-320, "1e-320"),
            (-5e-324, "-5e-324"),
            (1e15, "1000000000000000"),
            (1e16, "1e16"),
            (f64::MAX, "1.7976931348623157e308"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "NaN"),
        ];
        for (number, text) in cases {
            assert_eq!(Readable(number).to_string(), text);
        }
        assert_eq!(Readable(0.1_f32).to_string(), "0.1");
        assert_eq!(Readable(1e-7_f32).to_string(), "1e-7");
    }

    #[test]
    fn no_text_has_a_row_of_zeros() {
        let t = 1e-320;
        let errors = [
            SolveError::NotFinite { t, component: 0, value: f64::NAN, last_good: t },
            SolveError::NotFinite { t, component: 0, value: f64::NAN, last_good: 2.0 * t },
            SolveError::StepSizeUnderflow { t, h: t, error_norm: 2.0 },
            SolveError::MinStep { t, h: t, min_step: t, error_norm: 2.0 },
            SolveError::StepFailed { t, h: t, reason: "no convergence" },
            SolveError::StepLimit { steps: 10, t, h: t, error_norm: 2.0 },
            SolveError::CotangentsGrown { t, factor: 1e300, steps: 10 },
            SolveError::NotRepeated { step: 1, t },
            SolveError::MemoryLimit { limit: 1, steps: 1, t },
        ];
        for error in errors {
            let text = error.to_string();
            assert!(text.contains("t = ") && !text.contains("000000"), "{text}");
            assert!(text.contains("e-320"), "{text}");
        }
    }
}
