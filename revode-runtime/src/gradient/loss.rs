//! Losses: functions of the solution at the save points.

use std::fmt;

use crate::{Real, SolveError, State};

/// A loss that is a sum over the save points.
///
/// Its value is evaluated on the way forward, its cotangent on the way back: nothing has to be kept
/// for it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a loss of the states `{S}`",
    label = "expected a loss of these states",
    note = "data for `Mse` are states, such as the `y` of a solution: turn an array into one by \
            `SVector::from(row)`"
)]
pub trait Loss<T: Real, S: State<T>> {
    /// Checks the loss before the first step, for solutions like `y0` at `points` save points
    /// (`None` where their number is not known beforehand).
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] says what does not fit.
    fn check(&self, y0: &S, points: Option<usize>) -> Result<(), SolveError> {
        let _ = (y0, points);
        Ok(())
    }

    /// The term of save point `index`, counted from 0, where the solution at `t` is `y`.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] where there is no such point.
    fn value(&self, index: usize, t: T, y: &S) -> Result<T, SolveError>;

    /// *Adds* the derivative of that term with respect to `y` to `y_bar`.
    fn cotangent(&self, index: usize, t: T, y: &S, y_bar: &mut S);

    /// Checks the number of save points after the last step.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] where it is not that of the data.
    fn finish(&self, points: usize) -> Result<(), SolveError> {
        let _ = points;
        Ok(())
    }
}

/// The mean squared error against data: the mean over all save points and components of
/// `(y − data)²`.
#[derive(Debug, Clone, Copy)]
pub struct Mse<'a, S> {
    data: &'a [S],
}

impl<'a, S> Mse<'a, S> {
    /// One state of data for each save point.
    pub fn new(data: &'a [S]) -> Self {
        Self { data }
    }

    /// 1 over the number of values.
    fn weight<T: Real>(&self, y: &S) -> T
    where
        S: State<T>,
    {
        T::ONE / T::from_f64((self.data.len() * y.len()) as f64)
    }

    fn wrong_length(&self, points: impl fmt::Display) -> SolveError {
        let problem = format!(
            "there are {} rows of data for {points} save points; `SaveAt::every` and `SaveAt::steps` \
             save the start too, unless told `.without_start()`",
            self.data.len()
        );
        SolveError::argument("data", problem)
    }
}

impl<T: Real, S: State<T>> Loss<T, S> for Mse<'_, S> {
    fn check(&self, y0: &S, points: Option<usize>) -> Result<(), SolveError> {
        if points.is_some_and(|points| points != self.data.len()) {
            return Err(self.wrong_length(points.unwrap_or_default()));
        }
        for (row, data) in self.data.iter().enumerate() {
            if data.len() != y0.len() {
                let problem = format!(
                    "row {row} of the data has {} components, the state {}",
                    data.len(),
                    y0.len()
                );
                return Err(SolveError::argument("data", problem));
            }
            if let Some(i) = data.as_slice().iter().position(|value| !value.is_finite()) {
                let problem = format!(
                    "component {i} of row {row} is {}: leave out times without data, with \
                     `SaveAt::times`",
                    data.as_slice()[i]
                );
                return Err(SolveError::argument("data", problem));
            }
        }
        Ok(())
    }

    #[inline]
    fn value(&self, index: usize, _: T, y: &S) -> Result<T, SolveError> {
        let data = self.data.get(index).ok_or_else(|| self.wrong_length("more"))?;
        let square = |(y, data): (&T, &T)| (*y - *data) * (*y - *data);
        let sum: T = y.as_slice().iter().zip(data.as_slice()).map(square).sum();
        Ok(sum * self.weight(y))
    }

    #[inline]
    fn cotangent(&self, index: usize, _: T, y: &S, y_bar: &mut S) {
        let weight = T::from_f64(2.0) * self.weight(y);
        let pairs = y.as_slice().iter().zip(self.data[index].as_slice());
        for (y_bar, (y, data)) in y_bar.as_mut_slice().iter_mut().zip(pairs) {
            *y_bar += weight * (*y - *data);
        }
    }

    fn finish(&self, points: usize) -> Result<(), SolveError> {
        if points == self.data.len() { Ok(()) } else { Err(self.wrong_length(points)) }
    }
}

/// A function of the solution at the save points, the same at each: with
/// [`SaveAt::end`](crate::SaveAt::end) a terminal loss.
#[derive(Clone, Copy)]
pub struct Terminal<V, D> {
    value: V,
    gradient: D,
}

impl<V, D> Terminal<V, D> {
    /// The function and its gradient.
    ///
    /// ```
    /// # use revode_runtime::{nalgebra::Vector2, Terminal};
    /// let loss = Terminal::new(|y: &Vector2<f64>| y.norm_squared(), |y: &Vector2<f64>| 2.0 * y);
    /// ```
    pub fn new<T, S>(value: V, gradient: D) -> Self
    where
        V: Fn(&S) -> T,
        D: Fn(&S) -> S,
    {
        Self { value, gradient }
    }
}

impl<V, D> fmt::Debug for Terminal<V, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal").finish_non_exhaustive()
    }
}

impl<T, S, V, D> Loss<T, S> for Terminal<V, D>
where
    T: Real,
    S: State<T>,
    V: Fn(&S) -> T,
    D: Fn(&S) -> S,
{
    fn value(&self, _: usize, _: T, y: &S) -> Result<T, SolveError> {
        Ok((self.value)(y))
    }

    fn cotangent(&self, _: usize, _: T, y: &S, y_bar: &mut S) {
        crate::support::add(y_bar, [&(self.gradient)(y)]);
    }
}
