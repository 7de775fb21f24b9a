//! `check_vjp` passes what is right and names what is wrong.

use nalgebra::{DVector, SVector};
use proptest::prelude::*;
use revode_runtime::check::{CheckFailure, check_vjp};
use revode_runtime::{FieldVjp, Parameters, Real, ShapeError, State, VectorField};

/// A mistake in a hand-written VJP.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mistake {
    None,
    WrongSign,
    MissingTerm,
    ParameterOverwritten,
    ParameterForgotten,
    StateAdded,
    TimeForgotten,
    NotANumber,
    NotLinear,
    FusedWrong,
    TapedRounds,
    EvalAdds,
    NamesMissing,
}

/// dx/dt = a x − b x y + sin(w t), dy/dt = exp(−c₀ y) + c₁ x², with a VJP by hand.
#[derive(Debug, Clone)]
struct Field<T> {
    a: T,
    b: T,
    w: T,
    c: Vec<T>,
    mistake: Mistake,
}

impl<T: Real> VectorField<T> for Field<T> {
    type State = SVector<T, 2>;

    fn eval(&self, t: T, y: &Self::State, dy: &mut Self::State) {
        let (x, y) = (y[0], y[1]);
        dy[0] = self.a * x - self.b * x * y + (self.w * t).sin();
        let second = (-self.c[0] * y).exp() + self.c[1] * x * x;
        dy[1] = if self.mistake == Mistake::EvalAdds { dy[1] + second } else { second };
    }
}

impl<T: Real> Parameters<T> for Field<T> {
    fn names() -> &'static [&'static str] {
        &["a", "b", "w", "c"]
    }
    fn slices(&self) -> impl Iterator<Item = &[T]> {
        let (a, b, w) = (&self.a, &self.b, &self.w);
        let all = [a, b, w].map(std::slice::from_ref).into_iter().chain([self.c.as_slice()]);
        all.skip(usize::from(self.mistake == Mistake::NamesMissing))
    }
    fn slices_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        let Self { a, b, w, c, .. } = self;
        [a, b, w].map(std::slice::from_mut).into_iter().chain([c.as_mut_slice()])
    }
}

impl<T: Real> FieldVjp<T> for Field<T> {
    type Tape = ();

    fn tape(&self) {}

    fn eval_taped(&self, t: T, y: &Self::State, dy: &mut Self::State, (): &mut ()) {
        self.eval(t, y, dy);
        if self.mistake == Mistake::TapedRounds {
            dy[1] *= T::ONE + T::EPSILON;
        }
    }

    fn vjp(
        &self,
        t: T,
        state: &Self::State,
        (): &mut (),
        dy_bar: &Self::State,
        y_bar: &mut Self::State,
        model_bar: &mut Self,
    ) -> T {
        let Self { a, b, w, mistake, .. } = *self;
        let (x, y) = (state[0], state[1]);
        let (p, mut q) = (dy_bar[0], dy_bar[1]);
        if mistake == Mistake::NotLinear && p != T::ZERO {
            q = q + q;
        }
        let two = T::from_f64(2.0);
        let (c, decay) = (&self.c, (-self.c[0] * y).exp());
        let sign = if mistake == Mistake::WrongSign { T::ONE } else { -T::ONE };

        let x_bar = p * (a - b * y) + q * two * c[1] * x;
        y_bar[0] = if mistake == Mistake::StateAdded { y_bar[0] + x_bar } else { x_bar };
        y_bar[1] = -q * c[0] * decay;
        if mistake != Mistake::MissingTerm {
            y_bar[1] -= p * b * x;
        }
        model_bar.a += p * x;
        model_bar.b += sign * p * x * y;
        model_bar.w += p * t * (w * t).cos();
        if mistake == Mistake::ParameterOverwritten {
            model_bar.c[0] = -q * y * decay;
        } else {
            model_bar.c[0] -= q * y * decay;
        }
        if mistake != Mistake::ParameterForgotten {
            model_bar.c[1] += q * x * x;
        }
        match mistake {
            Mistake::TimeForgotten => T::ZERO,
            Mistake::NotANumber => T::from_f64(f64::NAN),
            _ => p * w * (w * t).cos(),
        }
    }

    fn eval_vjp(
        &self,
        t: T,
        y: &Self::State,
        dy_bar: &Self::State,
        dy: &mut Self::State,
        y_bar: &mut Self::State,
        model_bar: &mut Self,
    ) -> T {
        self.eval(t, y, dy);
        let t_bar = self.vjp(t, y, &mut (), dy_bar, y_bar, model_bar);
        if self.mistake == Mistake::FusedWrong {
            model_bar.w += T::ONE;
        }
        t_bar
    }
}

fn field<T: Real>(mistake: Mistake) -> Field<T> {
    let [a, b, w, c0, c1] = [1.5, 0.8, 2.0, 0.7, -0.3].map(T::from_f64);
    Field { a, b, w, c: vec![c0, c1], mistake }
}

fn check<T: Real>(mistake: Mistake) -> Result<(), CheckFailure> {
    let [t, x, y] = [0.4, 1.2, 0.9].map(T::from_f64);
    check_vjp(&field::<T>(mistake), t, &SVector::from([x, y]))
}

/// Component and variable of each disagreement.
fn disagreements<T: Real>(mistake: Mistake) -> Vec<(Option<usize>, String)> {
    match check::<T>(mistake) {
        Err(CheckFailure::Wrong(wrong)) => {
            wrong.into_iter().map(|one| (one.component, one.variable)).collect()
        }
        other => panic!("{mistake:?}: {other:?}"),
    }
}

#[test]
fn a_correct_vjp_passes() {
    assert_eq!(check::<f64>(Mistake::None), Ok(()));
    assert_eq!(check::<f32>(Mistake::None), Ok(()));
}

/// Found at the component and the name, and, as all components together contain each, there again:
/// once from `vjp` and once from `eval_vjp`.
#[test]
fn a_wrong_derivative_is_named() {
    let cases = [
        (Mistake::WrongSign, 0, "b"),
        (Mistake::MissingTerm, 0, "y[1]"),
        (Mistake::ParameterForgotten, 1, "c[1]"),
        (Mistake::TimeForgotten, 0, "t"),
    ];
    for (mistake, component, variable) in cases {
        let expected = [Some(component), None, None].map(|one| (one, variable.to_string()));
        assert_eq!(disagreements::<f64>(mistake), expected, "{mistake:?}");
        assert_eq!(disagreements::<f32>(mistake), expected, "{mistake:?}");
    }
}

#[test]
fn a_nan_is_wrong() {
    assert!(disagreements::<f64>(Mistake::NotANumber).contains(&(Some(1), "t".into())));
}

#[test]
fn a_vjp_that_is_not_linear_disagrees_for_all_components_only() {
    let found = disagreements::<f64>(Mistake::NotLinear);
    assert!(found.iter().all(|(component, _)| component.is_none()), "{found:?}");
}

#[test]
fn a_wrong_fused_vjp_is_named() {
    assert_eq!(disagreements::<f64>(Mistake::FusedWrong), [(None, "w".to_string())]);
}

#[test]
fn the_message_has_place_and_values() {
    let message = check::<f64>(Mistake::TimeForgotten).unwrap_err().to_string();
    // 2 cos(0.8) = 1.39341…
    assert!(message.contains("d dy[0] / d t: expected 1.39341"), "{message}");
    assert!(message.contains("found 0e0"), "{message}");
}

#[test]
fn overwriting_a_parameter_is_reported() {
    let failure = check::<f64>(Mistake::ParameterOverwritten);
    let is_named =
        matches!(&failure, Err(CheckFailure::NotAdded { parameter, .. }) if parameter == "c[0]");
    assert!(is_named, "{failure:?}");
}

#[test]
fn adding_to_the_state_is_reported() {
    let (function, output, component) = ("vjp", "y_bar", 0);
    let expected = CheckFailure::NotWritten { function, output, component };
    assert_eq!(check::<f64>(Mistake::StateAdded), Err(expected));
    let (function, output, component) = ("eval", "dy", 1);
    let expected = CheckFailure::NotWritten { function, output, component };
    assert_eq!(check::<f64>(Mistake::EvalAdds), Err(expected));
}

#[test]
fn a_tape_that_changes_the_value_is_reported() {
    let failure = check::<f64>(Mistake::TapedRounds);
    assert!(matches!(failure, Err(CheckFailure::TapedDiffers { component: 1, .. })), "{failure:?}");
}

#[test]
fn a_missing_name_is_reported() {
    let expected = CheckFailure::Names { names: 4, slices: 3 };
    assert_eq!(check::<f64>(Mistake::NamesMissing), Err(expected));
}

#[test]
fn an_undefined_point_is_reported() {
    let failure = check_vjp(&field(Mistake::None), f64::NAN, &SVector::from([1.0, 1.0]));
    assert!(matches!(failure, Err(CheckFailure::NotFinite { component: 0, .. })), "{failure:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever the sizes of state and parameters: no false alarm, and a wrong sign of a term that
    /// is not lost in rounding is found.
    #[test]
    fn scales_do_not_matter(
        exponents in proptest::array::uniform4(-6..6i32),
        t in -3.0..3.0f64,
        y in -2.0..2.0f64,
    ) {
        let [x, a, b, c] = exponents.map(|exponent| 1.7 * 10f64.powi(exponent));
        let state = SVector::from([x, y]);
        let mut field = Field { a, b, w: 1.0, c: vec![0.5, c], mistake: Mistake::None };
        prop_assert_eq!(check_vjp(&field, t, &state), Ok(()));
        field.mistake = Mistake::WrongSign;
        let is_visible = (b * y).abs() > 1e-4 * a.max(1.0 / x);
        prop_assert!(!is_visible || check_vjp(&field, t, &state).is_err());
    }
}

/// dy/dt = s √y, on the heap: a domain that ends at 0, and a shape that can be wrong.
#[derive(Debug, Clone)]
struct Root {
    s: DVector<f64>,
}

impl VectorField<f64> for Root {
    type State = DVector<f64>;

    fn eval(&self, _: f64, y: &Self::State, dy: &mut Self::State) {
        for i in 0..y.len() {
            dy[i] = self.s[i] * y[i].sqrt();
        }
    }
    fn check(&self, y: &Self::State) -> Result<(), ShapeError> {
        let (expected, found) = (vec![self.s.len()], vec![y.len()]);
        let error = ShapeError { name: "y", declared: "[n]", expected, found };
        if y.len() == self.s.len() { Ok(()) } else { Err(error) }
    }
}

impl Parameters<f64> for Root {
    fn names() -> &'static [&'static str] {
        &["s"]
    }
    fn slices(&self) -> impl Iterator<Item = &[f64]> {
        std::iter::once(State::as_slice(&self.s))
    }
    fn slices_mut(&mut self) -> impl Iterator<Item = &mut [f64]> {
        std::iter::once(State::as_mut_slice(&mut self.s))
    }
}

impl FieldVjp<f64> for Root {
    type Tape = ();

    fn tape(&self) {}

    fn vjp(
        &self,
        _: f64,
        y: &Self::State,
        (): &mut (),
        dy_bar: &Self::State,
        y_bar: &mut Self::State,
        model_bar: &mut Self,
    ) -> f64 {
        for i in 0..y.len() {
            y_bar[i] = dy_bar[i] * self.s[i] / (2.0 * y[i].sqrt());
            model_bar.s[i] += dy_bar[i] * y[i].sqrt();
        }
        0.0
    }
}

#[test]
fn the_edge_of_a_domain_is_no_obstacle_but_a_singularity_is_no_answer() {
    let root = Root { s: DVector::from(vec![2.0, -1.0, 0.0]) };
    assert_eq!(check_vjp(&root, 0.0, &DVector::from(vec![1.0, 1e-9, 30.0])), Ok(()));
    let failure = check_vjp(&root, 0.0, &DVector::from(vec![1.0, 0.0, 1.0]));
    let is_named = matches!(
        &failure,
        Err(CheckFailure::Inconclusive { component: 1, variable, .. }) if variable == "y[1]"
    );
    assert!(is_named, "{failure:?}");
    let failure = check_vjp(&root, 0.0, &DVector::from(vec![1.0, 1.0]));
    assert!(matches!(failure, Err(CheckFailure::Shape(_))), "{failure:?}");
}
