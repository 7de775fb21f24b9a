//! A test for losses written by hand.

use std::fmt;

use super::difference::{Estimate, derivative};
use super::{Listed, largest};
use crate::error::Readable;
use crate::{Loss, Real, SolveError, State};

/// Compares [`Loss::cotangent`] with finite differences of [`Loss::value`]: at every save point,
/// with respect to every component of the state there. `t` and `y` are the save points, as a
/// solution has them.
///
/// Call it in a test, at states where the loss is smooth and nothing is zero by accident.
///
/// ```
/// # use revode_runtime as revode;
/// use revode::{Loss, SolveError, check::check_loss, nalgebra::Vector2};
///
/// /// The sum of `x⁴` over the save points.
/// struct Quartic;
///
/// impl Loss<f64, Vector2<f64>> for Quartic {
///     fn value(&self, _: usize, _: f64, y: &Vector2<f64>) -> Result<f64, SolveError> {
///         Ok(y[0].powi(4))
///     }
///     fn cotangent(&self, _: usize, _: f64, y: &Vector2<f64>, y_bar: &mut Vector2<f64>) {
///         y_bar[0] += 4.0 * y[0].powi(3);
///     }
/// }
///
/// check_loss(&Quartic, &[0.0, 1.0], &[Vector2::new(1.0, 0.3), Vector2::new(-2.0, 0.7)])?;
/// # Ok::<(), revode::check::LossFailure>(())
/// ```
///
/// The differences and their tolerance are those of [`check_vjp`](super::check_vjp): in `f64` this
/// finds what is wrong in the eighth digit. It also checks that `check` and `finish` accept that
/// number of save points, and that `cotangent` *adds* to `y_bar`.
///
/// The cost, for `m` save points of `n` components, is some `50 m n` values and `2 m` cotangents.
///
/// # Errors
/// [`LossFailure`] says what is wrong, and where: the save point, the component, the value expected
/// and the value found.
pub fn check_loss<T: Real, S: State<T>>(
    loss: &impl Loss<T, S>,
    t: &[T],
    y: &[S],
) -> Result<(), LossFailure> {
    let points = y.len();
    let start = y.first().filter(|_| t.len() == points);
    let Some(start) = start else {
        return Err(LossFailure::Points { times: t.len(), states: points });
    };
    loss.check(start, Some(points))?;
    let mut wrong = vec![];
    for (index, (&t, y)) in t.iter().zip(y).enumerate() {
        let value = loss.value(index, t, y)?.to_f64();
        if !value.is_finite() {
            return Err(LossFailure::NotFinite { index, t: t.to_f64(), value });
        }
        let found = gradient(loss, index, t, y)?;
        for (component, &found) in found.iter().enumerate() {
            let expected = difference(loss, index, t, y, component)?;
            let tolerance = expected.tolerance(T::EPSILON.to_f64());
            // Said this way round, NaN is wrong.
            let is_met = (found - expected.value).abs() <= tolerance;
            if !is_met {
                let (t, expected) = (t.to_f64(), expected.value);
                wrong.push(LossDisagreement { index, t, component, expected, found, tolerance });
            }
        }
    }
    loss.finish(points)?;
    if wrong.is_empty() { Ok(()) } else { Err(LossFailure::Wrong(wrong)) }
}

/// What [`check_loss`] found wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LossFailure {
    /// There is no save point, or not one time for each state.
    #[error("there are {times} times and {states} states: give one of each for every save point")]
    Points {
        /// The number of times.
        times: usize,
        /// The number of states.
        states: usize,
    },
    /// The loss refuses the save points.
    #[error("the loss refuses the save points: {0}")]
    Refused(#[from] SolveError),
    /// The loss has no finite value there.
    #[error(
        "`value` gives {value} at save point {index} (t = {t}): check the loss at a point of its \
         domain",
        t = Readable(*t)
    )]
    NotFinite {
        /// The save point, counted from 0.
        index: usize,
        /// Its time.
        t: f64,
        /// The loss there.
        value: f64,
    },
    /// The cotangent replaces what was there before.
    #[error(
        "`cotangent` does not add to y_bar[{component}] at save point {index}: {before:e} and \
         {gradient:e} became {after:e}"
    )]
    NotAdded {
        /// The save point, counted from 0.
        index: usize,
        /// The component.
        component: usize,
        /// What was there before.
        before: f64,
        /// What was to be added.
        gradient: f64,
        /// What is there now.
        after: f64,
    },
    /// Finite differences do not settle: the loss is not smooth there, or all digits cancel.
    #[error(
        "the finite differences of `value` with respect to y[{component}] at save point {index} do \
         not converge ({value:e} ± {error:e}): check the loss where it is smooth"
    )]
    Inconclusive {
        /// The save point, counted from 0.
        index: usize,
        /// The component.
        component: usize,
        /// The best estimate.
        value: f64,
        /// Its error.
        error: f64,
    },
    /// Derivatives that are wrong, all of them.
    #[error("the cotangent disagrees with finite differences of `value`:{}", Listed(.0))]
    Wrong(Vec<LossDisagreement>),
}

/// A derivative of a loss that finite differences do not confirm.
#[derive(Debug, Clone, PartialEq)]
pub struct LossDisagreement {
    /// The save point, counted from 0.
    pub index: usize,
    /// Its time.
    pub t: f64,
    /// The component of the state.
    pub component: usize,
    /// The derivative by finite differences.
    pub expected: f64,
    /// The derivative from the cotangent.
    pub found: f64,
    /// The difference that would have passed.
    pub tolerance: f64,
}

impl fmt::Display for LossDisagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { index, t, component, expected, found, tolerance } = self;
        let t = Readable(*t);
        write!(
            f,
            "d loss / d y[{component}] at save point {index} (t = {t}): expected {expected:e}, \
             found {found:e} (tolerance {tolerance:.1e})"
        )
    }
}

/// What `cotangent` adds to zeros, if it adds the same to other numbers.
fn gradient<T: Real, S: State<T>>(
    loss: &impl Loss<T, S>,
    index: usize,
    t: T,
    y: &S,
) -> Result<Vec<f64>, LossFailure> {
    let mut y_bar = y.zeros_like();
    loss.cotangent(index, t, y, &mut y_bar);
    let mut sum = y_bar.clone();
    // Larger than what is added, so that it cannot be overlooked.
    let before = |bar: T| T::ONE + bar.abs();
    sum.as_mut_slice().iter_mut().for_each(|bar| *bar = before(*bar));
    loss.cotangent(index, t, y, &mut sum);
    for (component, (&bar, after)) in y_bar.as_slice().iter().zip(sum.as_slice()).enumerate() {
        let [before, gradient, after] = [before(bar), bar, *after].map(Real::to_f64);
        // An overwritten value is wrong by more than half; rounding is far below √ε. What is NaN
        // already is the comparison's to report.
        if (after - (before + gradient)).abs() > before * T::EPSILON.to_f64().sqrt() {
            return Err(LossFailure::NotAdded { index, component, before, gradient, after });
        }
    }
    Ok(y_bar.as_slice().iter().map(|bar| bar.to_f64()).collect())
}

/// The derivative of the value with respect to one component.
fn difference<T: Real, S: State<T>>(
    loss: &impl Loss<T, S>,
    index: usize,
    t: T,
    y: &S,
    component: usize,
) -> Result<Estimate, LossFailure> {
    let mut moved = y.clone();
    let estimates = derivative(y.as_slice()[component], largest(y.as_slice()), 1, |x| {
        moved.as_mut_slice()[component] = x;
        vec![loss.value(index, t, &moved).map_or(f64::NAN, Real::to_f64)]
    });
    let estimate = estimates[0];
    if estimate.is_conclusive() {
        return Ok(estimate);
    }
    let Estimate { value, error, .. } = estimate;
    Err(LossFailure::Inconclusive { index, component, value, error })
}
