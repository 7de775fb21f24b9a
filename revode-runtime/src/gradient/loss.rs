//! Losses: functions of the solution at the save points.

use std::fmt;

use crate::{InitialState, Occurrence, Real, SolveError, State};

/// A loss that is a sum over the save points, and over the events.
///
/// Its value is evaluated on the way forward, its cotangent on the way back (forward too where derivatives by save times
/// are asked for): nothing has to be kept for it but the points that lie inside steps, and the events.
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

    /// The derivative of that term with respect to `t`, which moves where a point is the end of a solve that an event ends,
    /// or the end of the time span, and where the derivatives by save times are asked for
    /// ([`SaveAt::differentiated`](crate::SaveAt::differentiated)).
    fn time_cotangent(&self, index: usize, t: T, y: &S) -> T {
        let _ = (index, t, y);
        T::ZERO
    }

    /// The term of an event, where it happens.
    fn event(&self, occurrence: &Occurrence<T, S>) -> T {
        let _ = occurrence;
        T::ZERO
    }

    /// *Adds* the derivative of that term with respect to the state before the event to `y_bar`, and returns the one with
    /// respect to its time.
    fn event_cotangent(&self, occurrence: &Occurrence<T, S>, y_bar: &mut S) -> T {
        let _ = (occurrence, y_bar);
        T::ZERO
    }

    /// Checks the events after the last step.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] where they are not those of the data.
    fn finish_events(
        &self,
        events: &mut dyn Iterator<Item = &Occurrence<T, S>>,
    ) -> Result<(), SolveError> {
        let _ = events;
        Ok(())
    }

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
/// `(y − data)²`, or of `w (y − data)²` with a weight `w` for each component.
///
/// ```
/// # extern crate revode_runtime as revode;
/// # use revode::{Mse, Problem, SaveAt, SolveError, Solver, methods::Tsit5, nalgebra::Vector2, ode};
/// # ode! { struct Spring { state { x, v } params { k } } dx/dt = v; dv/dt = -k * x; }
/// # fn main() -> Result<(), SolveError> {
/// # let problem = Problem::new(Spring { k: 1.0 }, [1.0, 0.0], 0.0..2.0);
/// // Positions to 0.1, velocities to 0.5, one of them not measured.
/// let data = [Vector2::new(0.5, -0.8), Vector2::new(-0.4, f64::NAN)];
/// let loss = Mse::new(&data).weights([0.1_f64.powi(-2), 0.5_f64.powi(-2)]).skip_nan();
/// let fit = Solver::new(Tsit5).gradient(&problem, SaveAt::times([1.0, 2.0]), &loss)?;
/// # assert!(fit.loss.is_finite());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Mse<'a, S> {
    data: &'a [S],
    weights: Option<S>,
    /// The number of values that are not NaN, where those that are are left out.
    present: Option<usize>,
}

impl<'a, S> Mse<'a, S> {
    /// One state of data for each save point.
    pub fn new(data: &'a [S]) -> Self {
        Self { data, weights: None, present: None }
    }

    /// Multiplies the square of each component by its weight, finite and not negative. The sum is
    /// divided by the number of values as before, not by the sum of the weights: with weights
    /// `1/σ²` the loss is `χ²` by the number of values.
    #[must_use]
    pub fn weights(self, weights: impl InitialState<S>) -> Self {
        Self { weights: Some(weights.into_state()), ..self }
    }

    /// Leaves out the values that are NaN: the mean is that over the others, of which there must be
    /// one. Unless asked for, NaN among the data is an error.
    #[must_use]
    pub fn skip_nan<T: Real>(self) -> Self
    where
        S: State<T>,
    {
        let values = self.data.iter().flat_map(State::as_slice);
        let present = values.filter(|value| !is_nan(**value)).count();
        Self { present: Some(present), ..self }
    }

    /// 1 over the number of values.
    fn weight<T: Real>(&self, y: &S) -> T
    where
        S: State<T>,
    {
        let values = self.present.unwrap_or(self.data.len() * y.len());
        T::ONE / T::from_f64(values as f64)
    }

    /// The values of a row that count: their components, `y − data` and the weight, 1 without.
    #[inline(always)]
    fn residuals<'b, T: Real>(&'b self, row: &'b S, y: &'b S) -> impl Iterator<Item = (usize, T, T)>
    where
        S: State<T>,
    {
        let weights = self.weights.as_ref().map(State::as_slice);
        let weight = move |i: usize| weights.map_or(T::ONE, |weights| weights[i]);
        let skips = self.present.is_some();
        let pairs = y.as_slice().iter().zip(row.as_slice()).enumerate();
        pairs
            .filter(move |(_, (_, data))| !(skips && is_nan(**data)))
            .map(move |(i, (y, data))| (i, *y - *data, weight(i)))
    }

    fn wrong_length(&self, points: impl fmt::Display) -> SolveError {
        let problem = format!(
            "there are {} rows of data for {points} save points; `SaveAt::every` and `SaveAt::steps` \
             save the start too, unless told `.without_start()`",
            self.data.len()
        );
        SolveError::argument("data", problem)
    }

    fn check_weights<T: Real>(&self, y0: &S) -> Result<(), SolveError>
    where
        S: State<T>,
    {
        let Some(weights) = &self.weights else { return Ok(()) };
        if weights.len() != y0.len() {
            let (given, needed) = (weights.len(), y0.len());
            let problem = format!("there are {given} weights for {needed} components");
            return Err(SolveError::argument("weights", problem));
        }
        let is_wrong = |weight: &T| !(weight.is_finite() && *weight >= T::ZERO);
        if let Some(i) = weights.as_slice().iter().position(is_wrong) {
            let weight = weights.as_slice()[i];
            let problem =
                format!("that of component {i} is {weight}: it must be finite and not negative");
            return Err(SolveError::argument("weights", problem));
        }
        if weights.as_slice().iter().all(|weight| *weight == T::ZERO) {
            return Err(SolveError::argument("weights", "all are 0, so that no component counts"));
        }
        Ok(())
    }
}

fn is_nan<T: Real>(x: T) -> bool {
    x.to_f64().is_nan()
}

impl<T: Real, S: State<T>> Loss<T, S> for Mse<'_, S> {
    fn check(&self, y0: &S, points: Option<usize>) -> Result<(), SolveError> {
        if points.is_some_and(|points| points != self.data.len()) {
            return Err(self.wrong_length(points.unwrap_or_default()));
        }
        let skips = self.present.is_some();
        for (row, data) in self.data.iter().enumerate() {
            if data.len() != y0.len() {
                let problem = format!(
                    "row {row} of the data has {} components, the state {}",
                    data.len(),
                    y0.len()
                );
                return Err(SolveError::argument("data", problem));
            }
            let is_wrong = |value: &T| !(value.is_finite() || skips && is_nan(*value));
            if let Some(i) = data.as_slice().iter().position(is_wrong) {
                let value = data.as_slice()[i];
                let advice = if is_nan(value) {
                    "leave out times without data, with `SaveAt::times`, or single values, with \
                     `Mse::skip_nan`"
                } else {
                    "data must be finite"
                };
                let problem = format!("component {i} of row {row} is {value}: {advice}");
                return Err(SolveError::argument("data", problem));
            }
        }
        if self.present == Some(0) {
            return Err(SolveError::argument("data", "all values are NaN: nothing is left to fit"));
        }
        self.check_weights(y0)
    }

    #[inline]
    fn value(&self, index: usize, _: T, y: &S) -> Result<T, SolveError> {
        let data = self.data.get(index).ok_or_else(|| self.wrong_length("more"))?;
        let square = |(_, residual, weight): (usize, T, T)| weight * (residual * residual);
        let sum: T = self.residuals(data, y).map(square).sum();
        Ok(sum * self.weight(y))
    }

    #[inline]
    fn cotangent(&self, index: usize, _: T, y: &S, y_bar: &mut S) {
        let scale = T::from_f64(2.0) * self.weight(y);
        let y_bar = y_bar.as_mut_slice();
        for (i, residual, weight) in self.residuals(&self.data[index], y) {
            y_bar[i] += scale * weight * residual;
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

#[cfg(test)]
mod tests {
    use nalgebra::{DVector, Vector2, Vector3};

    use super::{Loss, Mse};

    const NAN: f64 = f64::NAN;

    /// The value and the cotangent over all rows.
    fn evaluate(loss: &Mse<'_, Vector2<f64>>, y: &[Vector2<f64>]) -> (f64, Vec<Vector2<f64>>) {
        loss.check(&y[0], Some(y.len())).unwrap();
        let value = y.iter().enumerate().map(|(i, y)| loss.value(i, 0.0, y).unwrap()).sum();
        let cotangent = |(i, y)| {
            // It adds.
            let mut y_bar = Vector2::new(100.0, 200.0);
            loss.cotangent(i, 0.0, y, &mut y_bar);
            y_bar - Vector2::new(100.0, 200.0)
        };
        (value, y.iter().enumerate().map(cotangent).collect())
    }

    #[test]
    fn weights_multiply_squares() {
        let data = [Vector2::new(1.0, 2.0), Vector2::new(3.0, 4.0)];
        let y = [Vector2::new(2.0, 4.0), Vector2::new(6.0, 0.0)];
        // Residuals 1, 2 and 3, −4.
        let (value, bars) = evaluate(&Mse::new(&data), &y);
        assert_eq!(value, 0.25 * (1.0 + 4.0 + 9.0 + 16.0));
        assert_eq!(bars, [Vector2::new(0.5, 1.0), Vector2::new(1.5, -2.0)]);
        let (value, bars) = evaluate(&Mse::new(&data).weights([4.0, 0.5]), &y);
        assert_eq!(value, 0.25 * (4.0 + 2.0 + 36.0 + 8.0));
        assert_eq!(bars, [Vector2::new(2.0, 0.5), Vector2::new(6.0, -1.0)]);
        // A weight of 0 leaves the number of values as it is.
        let (value, bars) = evaluate(&Mse::new(&data).weights(Vector2::new(0.0, 1.0)), &y);
        assert_eq!(value, 0.25 * (4.0 + 16.0));
        assert_eq!(bars, [Vector2::new(0.0, 1.0), Vector2::new(0.0, -2.0)]);
    }

    #[test]
    fn unweighted_and_weighted_by_1_are_the_same_bits() {
        let y = [Vector2::new(0.1, 0.7), Vector2::new(1e-3, -3.3)];
        let data = [Vector2::new(0.3, 0.2), Vector2::new(-1.1, 7.7)];
        let plain = evaluate(&Mse::new(&data), &y);
        assert_eq!(evaluate(&Mse::new(&data).weights([1.0, 1.0]).skip_nan(), &y), plain);
        // The definition, in its order.
        let terms = |i: usize| (y[i] - data[i]).iter().map(|r| r * r).sum::<f64>() * 0.25;
        assert_eq!(plain.0.to_bits(), (terms(0) + terms(1)).to_bits());
    }

    #[test]
    fn nan_is_left_out_where_asked_for() {
        let data = [Vector2::new(NAN, 2.0), Vector2::new(3.0, NAN), Vector2::new(NAN, NAN)];
        let y = [Vector2::new(2.0, 4.0), Vector2::new(6.0, 0.0), Vector2::new(1.0, 1.0)];
        let (value, bars) = evaluate(&Mse::new(&data).skip_nan(), &y);
        assert_eq!(value, 0.5 * (4.0 + 9.0));
        assert_eq!(bars, [Vector2::new(0.0, 2.0), Vector2::new(3.0, 0.0), Vector2::zeros()]);
        let (value, bars) = evaluate(&Mse::new(&data).skip_nan().weights([2.0, 3.0]), &y);
        assert_eq!(value, 0.5 * (12.0 + 18.0));
        assert_eq!(bars, [Vector2::new(0.0, 6.0), Vector2::new(6.0, 0.0), Vector2::zeros()]);
    }

    #[test]
    fn what_cannot_be_a_mean_is_named() {
        let error = |loss: Mse<'_, Vector2<f64>>| {
            loss.check(&Vector2::zeros(), None).unwrap_err().to_string()
        };
        let nan = [Vector2::new(1.0, NAN)];
        assert!(error(Mse::new(&nan)).contains("component 1 of row 0 is NaN"));
        assert!(error(Mse::new(&nan)).contains("skip_nan"));
        assert!(error(Mse::new(&[Vector2::repeat(NAN)]).skip_nan()).contains("all values are NaN"));
        let infinite = [Vector2::new(NAN, f64::INFINITY)];
        assert!(error(Mse::new(&infinite).skip_nan()).contains("component 1 of row 0 is inf"));
        let data = [Vector2::new(1.0, 2.0)];
        assert!(error(Mse::new(&data).weights([1.0, -1.0])).contains("component 1 is -1"));
        assert!(error(Mse::new(&data).weights([NAN, 1.0])).contains("component 0 is NaN"));
        assert!(error(Mse::new(&data).weights([0.0, 0.0])).contains("all are 0"));
        let data = [DVector::from_element(2, 1.0)];
        let loss = Mse::new(&data).weights(DVector::from_element(3, 1.0));
        let error = loss.check(&DVector::zeros(2), None).unwrap_err().to_string();
        assert!(error.contains("3 weights for 2 components"), "{error}");
    }

    #[test]
    fn single_precision_has_weights_too() {
        let data = [Vector3::new(1.0_f32, f32::NAN, 2.0)];
        let loss = Mse::new(&data).weights([1.0, 1.0, 0.5]).skip_nan();
        assert_eq!(loss.value(0, 0.0, &Vector3::new(3.0, 1.0, 4.0)), Ok(3.0));
    }
}
