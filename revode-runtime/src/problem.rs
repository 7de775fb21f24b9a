//! An initial-value problem.

use std::ops::Range;

use crate::{Real, SolveError, State, VectorField};

/// An initial-value problem: a field, where its solution starts, and over which time.
#[derive(Debug, Clone)]
pub struct Problem<T: Real, F: VectorField<T>> {
    /// The field, with its parameters.
    pub field: F,
    /// The state at the start.
    pub y0: F::State,
    /// The first time.
    pub t0: T,
    /// The last time; before the first one for a solve backward in time.
    pub t1: T,
}

impl<T: Real, F: VectorField<T>> Problem<T, F> {
    /// `dy/dt = f(t, y)` from `y0`, over `span`. Backward time, `10.0..0.0`, is fine.
    pub fn new(field: F, y0: impl InitialState<F::State>, span: Range<T>) -> Self {
        Self { field, y0: y0.into_state(), t0: span.start, t1: span.end }
    }

    /// What must hold before the first step.
    pub(crate) fn check(&self) -> Result<(), SolveError> {
        let Self { field, y0, t0, t1 } = self;
        if !(t0.is_finite() && t1.is_finite()) {
            let problem = format!("the time span {t0} to {t1} is not finite");
            return Err(SolveError::argument("span", problem));
        }
        if t0 == t1 {
            let problem = format!("the time span {t0} to {t1} is empty");
            return Err(SolveError::argument("span", problem));
        }
        if y0.is_empty() {
            return Err(SolveError::argument("y0", "the state has no components"));
        }
        field.check(y0)?;
        crate::error::check_finite(y0, *t0, *t0)
    }
}

/// What a solve can start from: a state `S`, or whatever turns into one, such as an array with a number
/// for each component.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an initial state of this field",
    label = "expected a state, `{S}`",
    note = "a state has one number for each component: an array of that length such as `[1.0, 1.0]`, \
            or a `DVector` where sizes are known at run time only"
)]
pub trait InitialState<S> {
    /// The state.
    fn into_state(self) -> S;
}

// Else the compiler would list everything that turns into a matrix.
#[diagnostic::do_not_recommend]
impl<S, V: Into<S>> InitialState<S> for V {
    fn into_state(self) -> S {
        self.into()
    }
}
