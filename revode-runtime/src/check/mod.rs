//! Tests for derivatives written by hand: [`check_vjp`] for fields, [`check_loss`] for losses.

use std::fmt;

use crate::{FieldVjp, Parameters, Real, ShapeError, State};

mod difference;
mod loss;

pub use loss::{LossDisagreement, LossFailure, check_loss};

use difference::{Estimate, derivative};

/// Compares [`FieldVjp::vjp`] with finite differences of [`eval`](crate::VectorField::eval) at one
/// point: every component of the field against every component of the state, every parameter and
/// time.
///
/// Call it in a test, at a few points where the field is smooth and nothing is zero by accident.
///
/// Derivatives are estimated by Richardson extrapolation of central differences over some twenty
/// step sizes (Ridders 1982), each with an estimate `e` of its own error, round-off included. An
/// entry `D` of the Jacobian passes when it is met within `10 e + √ε (|D| + s)`, where ε is
/// [`Real::EPSILON`] and `s` the size of the field divided by the size of the variable. In `f64`
/// this finds what is wrong in the eighth digit.
///
/// It also checks what the traits promise: `eval` and `vjp` write all of `dy` and `y_bar`,
/// `eval_taped` gives the bits of `eval`, a tape can be used again, `vjp` *adds* to `model_bar`, is
/// linear in `dy_bar`, and `eval_vjp` agrees with it.
///
/// The cost, for `n` components and `p` parameters, is `n + 3` VJPs, some `50 (n + p)` evaluations
/// and memory for `n (n + p)` numbers.
///
/// # Errors
/// [`CheckFailure`] says what is wrong, and where: the component, the parameter by its name, the
/// value expected and the value found.
pub fn check_vjp<T: Real, F: FieldVjp<T>>(
    field: &F,
    t: T,
    y: &F::State,
) -> Result<(), CheckFailure> {
    field.check(y)?;
    let (names, slices) = (F::names().len(), field.slices().count());
    if names != slices {
        return Err(CheckFailure::Names { names, slices });
    }
    check_eval(field, t, y)?;
    check_accumulation(field, t, y)?;

    let variables = differentiate(field, t, y)?;
    let mut wrong = vec![];
    // One component at a time tells which is wrong, all at once whether the VJP is linear.
    for output in (0..y.len()).map(Some).chain([None]) {
        let dy_bar = cotangent(y, output);
        let found = Gradient::of(field, t, y, &dy_bar, Start::default()).flatten();
        compare(&variables, &dy_bar, output, &found, &mut wrong);
    }
    let dy_bar = cotangent(y, None);
    let found = Gradient::fused(field, t, y, &dy_bar).flatten();
    compare(&variables, &dy_bar, None, &found, &mut wrong);
    if wrong.is_empty() { Ok(()) } else { Err(CheckFailure::Wrong(wrong)) }
}

/// What [`check_vjp`] found wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckFailure {
    /// The state does not fit the field.
    #[error(transparent)]
    Shape(#[from] ShapeError),
    /// There is not one name for each slice of parameters.
    #[error("`Parameters::names` has {names} names for {slices} slices: give one for each slice")]
    Names {
        /// The number of names.
        names: usize,
        /// The number of slices.
        slices: usize,
    },
    /// The field has no finite value there.
    #[error("`eval` gives dy[{component}] = {value}: check the VJP at a point of the domain")]
    NotFinite {
        /// The component.
        component: usize,
        /// Its value.
        value: f64,
    },
    /// A component of the result depends on what was there before.
    #[error("`{function}` does not overwrite {output}[{component}]: write it, do not add to it")]
    NotWritten {
        /// The function, `eval`, `eval_taped` or `vjp`.
        function: &'static str,
        /// The argument, `dy` or `y_bar`.
        output: &'static str,
        /// The component.
        component: usize,
    },
    /// `eval_taped` and `eval` differ.
    #[error(
        "dy[{component}] is {eval:e} from `eval` but {taped:e} from `eval_taped`: not the same bits"
    )]
    TapedDiffers {
        /// The component.
        component: usize,
        /// Its value from `eval`.
        eval: f64,
        /// Its value from `eval_taped`.
        taped: f64,
    },
    /// The gradient of a parameter replaces what was there before.
    #[error(
        "`vjp` does not add to model_bar.{parameter}: {before:e} and {gradient:e} became {after:e}"
    )]
    NotAdded {
        /// The parameter.
        parameter: String,
        /// What was there before.
        before: f64,
        /// What was to be added.
        gradient: f64,
        /// What is there now.
        after: f64,
    },
    /// Finite differences do not settle: the field is not smooth there, or all digits cancel.
    #[error(
        "the finite differences of dy[{component}] with respect to {variable} do not converge \
         ({value:e} ± {error:e}): check the VJP at a point where the field is smooth"
    )]
    Inconclusive {
        /// The component of the field.
        component: usize,
        /// The variable.
        variable: String,
        /// The best estimate.
        value: f64,
        /// Its error.
        error: f64,
    },
    /// Derivatives that are wrong, all of them.
    #[error("the VJP disagrees with finite differences of `eval`:{}", Listed(.0))]
    Wrong(Vec<Disagreement>),
}

/// A derivative that finite differences do not confirm.
#[derive(Debug, Clone, PartialEq)]
pub struct Disagreement {
    /// The component of the field; none for a cotangent with all components, which disagrees alone
    /// where the VJP is not linear, or where `eval_vjp` is wrong.
    pub component: Option<usize>,
    /// The variable: `y[1]`, `t`, `alpha` or, for one of several, `weights[3]`.
    pub variable: String,
    /// The derivative by finite differences.
    pub expected: f64,
    /// The derivative from the VJP.
    pub found: f64,
    /// The difference that would have passed.
    pub tolerance: f64,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, expected, found, tolerance, .. } = self;
        match self.component {
            Some(component) => write!(f, "d dy[{component}] / d {variable}")?,
            None => write!(f, "derivative of all components together by {variable}")?,
        }
        write!(f, ": expected {expected:e}, found {found:e} (tolerance {tolerance:.1e})")
    }
}

/// The first few lines of a list.
struct Listed<'a, D>(&'a [D]);

impl<D: fmt::Display> fmt::Display for Listed<'_, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        for disagreement in self.0.iter().take(SHOWN) {
            write!(f, "\n  {disagreement}")?;
        }
        match self.0.len().checked_sub(SHOWN + 1) {
            Some(more) => write!(f, "\n  and {} more", more + 1),
            None => Ok(()),
        }
    }
}

/// `eval` and `eval_taped` are finite, write everything and agree to the bit.
fn check_eval<T: Real, F: FieldVjp<T>>(field: &F, t: T, y: &F::State) -> Result<(), CheckFailure> {
    let nan = T::from_f64(f64::NAN);
    let (mut dy, mut again, mut taped) = (y.zeros_like(), y.zeros_like(), y.zeros_like());
    field.eval(t, y, &mut dy);
    again.fill(nan);
    field.eval(t, y, &mut again);
    // A tape that was filled elsewhere is one that is used again.
    let mut tape = field.tape();
    field.eval_taped(t, &dy, &mut taped, &mut tape);
    taped.fill(nan);
    field.eval_taped(t, y, &mut taped, &mut tape);

    let values = dy.as_slice().iter().zip(again.as_slice()).zip(taped.as_slice());
    for (component, ((dy, again), taped)) in values.enumerate() {
        let [eval, again, taped] = [dy, again, taped].map(|value| value.to_f64());
        if !eval.is_finite() {
            return Err(CheckFailure::NotFinite { component, value: eval });
        }
        for (function, value) in [("eval", again), ("eval_taped", taped)] {
            if value.is_nan() {
                return Err(CheckFailure::NotWritten { function, output: "dy", component });
            }
        }
        if taped.to_bits() != eval.to_bits() {
            return Err(CheckFailure::TapedDiffers { component, eval, taped });
        }
    }
    Ok(())
}

/// `vjp` writes `y_bar` and adds to `model_bar`.
fn check_accumulation<T: Real, F: FieldVjp<T>>(
    field: &F,
    t: T,
    y: &F::State,
) -> Result<(), CheckFailure> {
    let dy_bar = cotangent(y, None);
    let from_zero = Gradient::of(field, t, y, &dy_bar, Start::default());
    // Larger than what is added, so that it cannot be overlooked.
    let mut before = from_zero.model.clone();
    for slice in before.slices_mut() {
        for bar in slice {
            *bar = T::ONE + bar.abs();
        }
    }
    let start = Start { y_bar: f64::NAN, model_bar: Some(before.clone()) };
    let from_before = Gradient::of(field, t, y, &dy_bar, start);

    let y_bars = from_zero.y.as_slice().iter().zip(from_before.y.as_slice());
    for (component, (zero, nan)) in y_bars.enumerate() {
        if nan.to_f64().is_nan() && !zero.to_f64().is_nan() {
            let (function, output) = ("vjp", "y_bar");
            return Err(CheckFailure::NotWritten { function, output, component });
        }
    }
    let values = flat(&before).zip(flat(&from_zero.model)).zip(flat(&from_before.model));
    for (name, ((before, gradient), after)) in parameter_names(field).zip(values) {
        // An overwritten value is wrong by more than half; rounding is far below √ε. What is NaN
        // already is the comparison's to report.
        if (after - (before + gradient)).abs() > before * T::EPSILON.to_f64().sqrt() {
            return Err(CheckFailure::NotAdded { parameter: name, before, gradient, after });
        }
    }
    Ok(())
}

/// The cotangent that selects a component, or one with all of them, of different sizes.
fn cotangent<T: Real, S: State<T>>(y: &S, component: Option<usize>) -> S {
    let mut dy_bar = y.zeros_like();
    for (i, bar) in dy_bar.as_mut_slice().iter_mut().enumerate() {
        let weight = 0.5 + (0.618 * (i + 1) as f64).fract();
        let all = if i % 2 == 0 { weight } else { -weight };
        *bar = T::from_f64(component.map_or(all, |component| f64::from(u8::from(component == i))));
    }
    dy_bar
}

/// A gradient of a component or of several.
struct Gradient<S, F, T> {
    y: S,
    model: F,
    t: T,
}

/// What the results of a VJP hold before.
struct Start<F> {
    y_bar: f64,
    model_bar: Option<F>,
}

impl<F> Default for Start<F> {
    fn default() -> Self {
        Self { y_bar: 0.0, model_bar: None }
    }
}

impl<T: Real, F: FieldVjp<T>> Gradient<F::State, F, T> {
    fn of(field: &F, t: T, y: &F::State, dy_bar: &F::State, start: Start<F>) -> Self {
        let mut dy = y.zeros_like();
        let mut y_bar = y.zeros_like();
        y_bar.fill(T::from_f64(start.y_bar));
        let mut model_bar = start.model_bar.unwrap_or_else(|| field.zeros_like());
        let mut tape = field.tape();
        field.eval_taped(t, y, &mut dy, &mut tape);
        let t_bar = field.vjp(t, y, &mut tape, dy_bar, &mut y_bar, &mut model_bar);
        Self { y: y_bar, model: model_bar, t: t_bar }
    }

    fn fused(field: &F, t: T, y: &F::State, dy_bar: &F::State) -> Self {
        let (mut dy, mut y_bar) = (y.zeros_like(), y.zeros_like());
        let mut model_bar = field.zeros_like();
        let t_bar = field.eval_vjp(t, y, dy_bar, &mut dy, &mut y_bar, &mut model_bar);
        Self { y: y_bar, model: model_bar, t: t_bar }
    }

    /// In the order of [`differentiate`].
    fn flatten(&self) -> Vec<f64> {
        let y = self.y.as_slice().iter().map(|bar| bar.to_f64());
        y.chain(flat(&self.model)).chain([self.t.to_f64()]).collect()
    }
}

/// A variable and the derivatives of all components with respect to it.
struct Variable {
    name: String,
    derivatives: Vec<Estimate>,
}

/// Finite differences with respect to the state, the parameters and time.
fn differentiate<T: Real, F: FieldVjp<T>>(
    field: &F,
    t: T,
    y: &F::State,
) -> Result<Vec<Variable>, CheckFailure> {
    let mut variables = vec![];
    let mut dy = y.zeros_like();

    let mut moved = y.clone();
    for (i, &x) in y.as_slice().iter().enumerate() {
        let derivatives = derivative(x, largest(y.as_slice()), y.len(), |x| {
            moved.as_mut_slice()[i] = x;
            field.eval(t, &moved, &mut dy);
            to_f64(&dy)
        });
        moved.as_mut_slice()[i] = x;
        variables.push(Variable { name: format!("y[{i}]"), derivatives });
    }
    let mut names = parameter_names(field);
    let mut moved = field.clone();
    for (i, slice) in field.slices().enumerate() {
        for (j, &x) in slice.iter().enumerate() {
            let set = |moved: &mut F, x| {
                if let Some(slice) = moved.slices_mut().nth(i) {
                    slice[j] = x;
                }
            };
            let derivatives = derivative(x, largest(slice), y.len(), |x| {
                set(&mut moved, x);
                moved.eval(t, y, &mut dy);
                to_f64(&dy)
            });
            set(&mut moved, x);
            variables.push(Variable { name: names.next().unwrap_or_default(), derivatives });
        }
    }
    let derivatives = derivative(t, t.to_f64().abs(), y.len(), |t| {
        field.eval(t, y, &mut dy);
        to_f64(&dy)
    });
    variables.push(Variable { name: "t".into(), derivatives });

    for Variable { name, derivatives } in &variables {
        for (component, estimate) in derivatives.iter().enumerate() {
            if !estimate.is_conclusive() {
                let Estimate { value, error, .. } = *estimate;
                let variable = name.clone();
                return Err(CheckFailure::Inconclusive { component, variable, value, error });
            }
        }
    }
    Ok(variables)
}

/// Adds to `wrong` where the gradient `found` is not that of finite differences.
fn compare<T: Real, S: State<T>>(
    variables: &[Variable],
    dy_bar: &S,
    component: Option<usize>,
    found: &[f64],
    wrong: &mut Vec<Disagreement>,
) {
    let weights = to_f64(dy_bar);
    for (Variable { name, derivatives }, &found) in variables.iter().zip(found) {
        let (mut expected, mut tolerance) = (0.0, 0.0);
        for (weight, derivative) in weights.iter().zip(derivatives) {
            expected += weight * derivative.value;
            tolerance += weight.abs() * derivative.tolerance(T::EPSILON.to_f64());
        }
        // Said this way round, NaN is wrong.
        let is_met = (found - expected).abs() <= tolerance;
        if !is_met {
            let variable = name.clone();
            wrong.push(Disagreement { component, variable, expected, found, tolerance });
        }
    }
}

/// The name of each single parameter: `alpha`, or `weights[0]`, `weights[1]`, …
fn parameter_names<T: Real, F: Parameters<T>>(field: &F) -> impl Iterator<Item = String> {
    F::names().iter().zip(field.slices()).flat_map(|(name, slice)| {
        let is_scalar = slice.len() == 1;
        (0..slice.len())
            .map(move |i| if is_scalar { (*name).into() } else { format!("{name}[{i}]") })
    })
}

fn flat<T: Real, F: Parameters<T>>(model: &F) -> impl Iterator<Item = f64> {
    model.slices().flatten().map(|x| x.to_f64())
}

fn to_f64<T: Real, S: State<T>>(y: &S) -> Vec<f64> {
    y.as_slice().iter().map(|y| y.to_f64()).collect()
}

fn largest<T: Real>(values: &[T]) -> f64 {
    values.iter().fold(0.0, |largest, x| x.to_f64().abs().max(largest))
}
