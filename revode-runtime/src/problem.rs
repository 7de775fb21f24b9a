//! An initial-value problem.

use std::ops::Range;

use nalgebra::{DMatrix, DVector, SMatrix, SVector, Scalar};

use crate::error::Readable;
use crate::{Action, Real, Sides, SolveError, State, VectorField};

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
    /// The times at which a step ends and the method starts anew, as at the switches of an input; those outside the span
    /// are passed over.
    pub stops: Vec<T>,
}

impl<T: Real, F: VectorField<T>> Problem<T, F> {
    /// `dy/dt = f(t, y)` from `y0`, over `span`. Backward time, `10.0..0.0`, is fine.
    pub fn new(field: F, y0: impl InitialState<F::State>, span: Range<T>) -> Self {
        let (t0, t1) = (span.start, span.end);
        Self { field, y0: y0.into_state(), t0, t1, stops: Vec::new() }
    }

    /// With times, in any order, at which a step ends and the method starts anew: where the field is not smooth and does not
    /// say so itself, as at the switches of an input. Gradients go along, and do not depend on the times.
    ///
    /// ```
    /// # extern crate revode_runtime as revode;
    /// # use revode::{Problem, SaveAt, SolveError, Solver, methods::Tsit5, ode};
    /// # ode! { struct Decay { state { y } params { k } } dy/dt = -k * y; }
    /// # fn main() -> Result<(), SolveError> {
    /// let problem = Problem::new(Decay { k: 1.0 }, [1.0], 0.0..1.0).stops([0.25, 0.5]);
    /// let solution = Solver::new(Tsit5).solve(&problem, SaveAt::steps())?;
    /// assert!(solution.t.contains(&0.25) && solution.t.contains(&0.5));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn stops(self, times: impl Into<Vec<T>>) -> Self {
        Self { stops: times.into(), ..self }
    }

    /// The same field from another state over another span: to go on where a solve has ended, or to
    /// solve the pieces of a long horizon.
    ///
    /// ```
    /// # extern crate revode_runtime as revode;
    /// # use revode::{Problem, SaveAt, SolveError, Solver, methods::Tsit5, ode};
    /// # ode! { struct Decay { state { y } params { k } } dy/dt = -k * y; }
    /// # fn main() -> Result<(), SolveError> {
    /// let problem = Problem::new(Decay { k: 1.0 }, [1.0], 0.0..1.0);
    /// let first = Solver::new(Tsit5).solve(&problem, SaveAt::end())?;
    /// let problem = problem.restart(&first.y[0], 1.0..2.0);
    /// let second = Solver::new(Tsit5).solve(&problem, SaveAt::end())?;
    /// # assert!((second.y[0][0] - (-2.0_f64).exp()).abs() < 1e-5);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// The problem is left as it is, its field and its stops are cloned. To clone nothing, set `y0`, `t0` and `t1`.
    #[must_use]
    pub fn restart(&self, y0: impl InitialState<F::State>, span: Range<T>) -> Self
    where
        F: Clone,
    {
        Self::new(self.field.clone(), y0, span).stops(self.stops.clone())
    }

    /// What must hold before the first step.
    pub(crate) fn check(&self) -> Result<(), SolveError> {
        let Self { field, y0, t0, t1, stops } = self;
        let span = format_args!("the time span {} to {}", Readable(*t0), Readable(*t1));
        if !(t0.is_finite() && t1.is_finite()) {
            return Err(SolveError::argument("span", format!("{span} is not finite")));
        }
        if t0 == t1 {
            return Err(SolveError::argument("span", format!("{span} is empty")));
        }
        if y0.is_empty() {
            return Err(SolveError::argument("y0", "the state has no components"));
        }
        if let Some(i) = stops.iter().position(|t| !t.is_finite()) {
            let problem = format!("stop {i}, {}, is not finite", stops[i]);
            return Err(SolveError::argument("stops", problem));
        }
        if t1 < t0 {
            self.check_backward()?;
        }
        field.check(y0)?;
        crate::error::check_finite(y0, *t0, *t0)
    }
}

impl<T: Real, F: VectorField<T>> Problem<T, F> {
    /// What changes the state acts forward in time only.
    fn check_backward(&self) -> Result<(), SolveError> {
        let events = (0..self.field.event_count()).map(|i| self.field.event(i));
        let Some(event) = events.into_iter().find(|event| event.action == Action::Reset) else {
            return Ok(());
        };
        let problem = format!(
            "the time span {} to {} runs backward, and event `{event}` changes the state: what it was before cannot be \
             told",
            Readable(self.t0),
            Readable(self.t1)
        );
        Err(SolveError::argument("span", problem))
    }
}

/// A leg of a solve: from its start, or from an event or stop, to the next one or to the end. The method starts anew with
/// each.
#[derive(Debug)]
pub struct Leg<'a, T: Real, F: VectorField<T>> {
    /// The field, with its parameters.
    pub field: &'a F,
    /// The state at the start of the leg.
    pub y0: &'a F::State,
    /// The time at its start.
    pub t0: T,
    /// The time at its end, unless an event ends it before.
    pub t1: T,
    /// On which sides of its jumps the field is evaluated.
    pub sides: Sides,
    /// The bytes that a gradient has kept of the legs before.
    pub kept: usize,
}

impl<T: Real, F: VectorField<T>> Clone for Leg<'_, T, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Real, F: VectorField<T>> Copy for Leg<'_, T, F> {}

/// What a solve can start from: a state `S` or a reference to one, an array with a number for each
/// component, or a matrix with as many components, which are taken column by column.
///
/// A state on the stack starts from arrays and from an [`SMatrix`] with up to 16 columns, a state on
/// the heap from arrays, slices, vectors and a [`DMatrix`]. A number of components that is not the
/// state's does not compile for a state on the stack, and is an error before the first step for one
/// on the heap.
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

/// Implements [`InitialState`] by an expression.
macro_rules! initial_state {
    ($([$($generics:tt)*] $From:ty => $State:ty: |$from:ident| $state:expr;)*) => {$(
        // Else the compiler would list everything that turns into a state.
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> InitialState<$State> for $From {
            fn into_state(self) -> $State {
                let $from = self;
                $state
            }
        }
    )*};
}

initial_state! {
    [S] S => S: |state| state;
    [S: Clone] &S => S: |state| state.clone();
    [T: Scalar, const N: usize] [T; N] => SVector<T, N>: |array| SVector::from(array);
    [T: Scalar, const N: usize] [T; N] => DVector<T>: |array| DVector::from_vec(array.into());
    [T: Scalar] &[T] => DVector<T>: |slice| DVector::from_column_slice(slice);
    [T: Scalar] Vec<T> => DVector<T>: |vector| DVector::from_vec(vector);
    [T: Scalar] DMatrix<T> => DVector<T>: |matrix| DVector::from_vec(matrix.data.into());
}

/// Implements [`InitialState`] for matrices with some numbers of columns.
///
/// Not for all numbers: a matrix of one column is a vector, and vectors of a wrong length should be
/// found while types are checked, which the product of two const parameters is not.
macro_rules! matrices {
    ($($columns:literal)*) => {
        initial_state! {$(
            [T: Scalar, const N: usize, const ROWS: usize]
            SMatrix<T, ROWS, $columns> => SVector<T, N>: |matrix| {
                const { assert!(N == ROWS * $columns, "the state has another number of components than the matrix") }
                SVector::from_column_slice(matrix.as_slice())
            };
        )*}
    };
}
matrices!(2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);

#[cfg(test)]
mod tests {
    use nalgebra::{DMatrix, DVector, SMatrix, SVector};

    use super::InitialState;

    fn start<S>(from: impl InitialState<S>) -> S {
        from.into_state()
    }

    #[test]
    fn states_start_from_what_has_their_components() {
        let expected = SVector::from([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        let matrix = SMatrix::<f64, 2, 3>::from_columns(
            &[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]].map(SVector::from),
        );
        assert_eq!(start::<SVector<f64, 6>>(matrix), expected);
        assert_eq!(start::<SVector<f64, 6>>([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), expected);
        assert_eq!(start::<SVector<f64, 6>>(expected), expected);
        assert_eq!(start::<SVector<f64, 6>>(&expected), expected);

        let expected = DVector::from_column_slice(expected.as_slice());
        let matrix = DMatrix::from_column_slice(2, 3, expected.as_slice());
        assert_eq!(start::<DVector<f64>>(matrix), expected);
        assert_eq!(start::<DVector<f64>>([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), expected);
        assert_eq!(start::<DVector<f64>>(expected.as_slice()), expected);
        assert_eq!(start::<DVector<f64>>(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), expected);
        assert_eq!(start::<DVector<f64>>(&expected), expected);
        assert_eq!(start::<DVector<f64>>(expected.clone()), expected);
    }
}
