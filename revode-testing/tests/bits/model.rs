//! One field type for all problems of the test, so that each strategy is compiled once and not once a
//! problem: a state has four components, those that a problem does not need are at rest.

use revode::Real;
use revode::nalgebra::{Matrix3, SVector, Vector3};
use revode::prelude::*;
use revode_testing::dynamics::*;

ode! {
    /// An oscillator, damped and driven: the field depends on time.
    pub(crate) struct Driven {
        state  { x, v, w }
        params { stiffness, damping, force, frequency }
    }
    dx/dt = v;
    dv/dt = force * cos(frequency * t) - stiffness * sin(x) - damping * v;
    dw/dt = x * exp(-0.1 * t) - damping * w;
}

ode! {
    /// An oscillation behind which a contraction hides: cotangents grow in the pair's parasitic mode.
    pub(crate) struct Turned {
        state  { u: [3] }
        params { a: [3, 3] }
    }
    du/dt = a @ u;
}

ode! {
    /// Relaxation to 1.
    pub(crate) struct Rest {
        state  { x }
        params { rate }
    }
    dx/dt = rate * (1 - x);
}

/// The state of every problem.
pub(crate) type State4<T> = SVector<T, 4>;

/// The first components.
fn head<T: Real, const N: usize>(y: &State4<T>) -> SVector<T, N> {
    SVector::from_fn(|i, _| y[i])
}

/// The components, and 0 for the others.
fn padded<T: Real, const N: usize>(y: &SVector<T, N>) -> State4<T> {
    SVector::from_fn(|i, _| if i < N { y[i] } else { T::ZERO })
}

/// Declares the field and hands each call on to the problem's own.
macro_rules! models {
    ($($Field:ident),*) => {
        /// The field of one of the problems.
        #[derive(Debug, Clone)]
        pub(crate) enum Model<T: Real> {
            $($Field($Field<T>)),*
        }

        $(impl<T: Real> From<$Field<T>> for Model<T> {
            fn from(field: $Field<T>) -> Self {
                Self::$Field(field)
            }
        })*

        impl<T: Real> VectorField<T> for Model<T> {
            type State = State4<T>;

            #[inline(never)]
            fn eval(&self, t: T, y: &State4<T>, dy: &mut State4<T>) {
                match self {
                    $(Self::$Field(field) => {
                        let y = head(y);
                        let mut inner = y;
                        field.eval(t, &y, &mut inner);
                        *dy = padded(&inner);
                    })*
                }
            }
        }

        impl<T: Real> Parameters<T> for Model<T> {
            /// None: the problems differ in them.
            fn names() -> &'static [&'static str] {
                &[]
            }
            fn slices(&self) -> impl Iterator<Item = &[T]> {
                let slices: Vec<_> = match self {
                    $(Self::$Field(field) => field.slices().collect(),)*
                };
                slices.into_iter()
            }
            fn slices_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
                let slices: Vec<_> = match self {
                    $(Self::$Field(field) => field.slices_mut().collect(),)*
                };
                slices.into_iter()
            }
        }

        impl<T: Real> FieldVjp<T> for Model<T> {
            type Tape = ();

            fn tape(&self) {}

            #[inline(never)]
            fn vjp(
                &self,
                t: T,
                y: &State4<T>,
                (): &mut (),
                dy_bar: &State4<T>,
                y_bar: &mut State4<T>,
                model_bar: &mut Self,
            ) -> T {
                match (self, model_bar) {
                    $((Self::$Field(field), Self::$Field(model_bar)) => {
                        let (y, dy_bar) = (head(y), head(dy_bar));
                        let (mut dy, mut inner, mut tape) = (y, y, field.tape());
                        field.eval_taped(t, &y, &mut dy, &mut tape);
                        let t_bar = field.vjp(t, &y, &mut tape, &dy_bar, &mut inner, model_bar);
                        *y_bar = padded(&inner);
                        t_bar
                    })*
                    _ => unreachable!("a gradient has the model's type"),
                }
            }
        }
    };
}

models!(
    Lorenz,
    LotkaVolterra,
    VanDerPol,
    FitzHughNagumo,
    Decay,
    DoublePendulum,
    Brusselator,
    Kepler,
    Driven,
    Turned,
    Rest,
    Growth
);

/// A problem, and the size of its fixed steps.
pub(crate) struct Case<T: Real> {
    pub(crate) name: &'static str,
    pub(crate) problem: Problem<T, Model<T>>,
    pub(crate) h: f64,
}

/// The problems in the precision `T`, with their names and with the sizes of fixed steps.
pub(crate) fn cases<T: Real>() -> Vec<Case<T>> {
    let n = T::from_f64;
    let case = |name, field: Model<T>, y0: [f64; 4], span: std::ops::Range<f64>, h| {
        let problem = Problem::new(field, y0.map(n), n(span.start)..n(span.end));
        Case { name, problem, h }
    };
    let lorenz = Lorenz { sigma: n(10.0), rho: n(28.0), beta: n(8.0 / 3.0) };
    let lotka_volterra =
        LotkaVolterra { alpha: n(1.5), beta: n(1.0), delta: n(1.0), gamma: n(3.0) };
    let fitzhugh_nagumo = FitzHughNagumo { a: n(0.2), b: n(0.2), c: n(3.0) };
    let decay = Decay { rate: [1.0, 5.0, 20.0, 50.0].map(n).into() };
    let driven = Driven { stiffness: n(2.0), damping: n(0.3), force: n(1.1), frequency: n(1.7) };
    vec![
        case("lorenz", lorenz.into(), [1.0, 1.0, 1.0, 0.5], 0.0..4.0, 0.01),
        case("lotka_volterra", lotka_volterra.into(), [1.0, 1.0, 0.5, 0.0], 0.0..5.0, 0.02),
        case("van_der_pol", VanDerPol { mu: n(10.0) }.into(), [2.0, 0.0, 0.5, 0.0], 0.0..4.0, 0.01),
        case("fitzhugh_nagumo", fitzhugh_nagumo.into(), [-1.0, 1.0, 0.5, 0.5], -2.0..4.0, 0.02),
        case("decay", decay.into(), [1.0; 4], 0.0..4.0, 0.02),
        case(
            "double_pendulum",
            DoublePendulum { g: n(9.81), m: n(1.0) }.into(),
            [1.0, 0.5, 0.0, 0.0],
            0.0..3.0,
            0.01,
        ),
        case(
            "brusselator",
            Brusselator { a: n(1.0), b: n(3.0) }.into(),
            [1.0, 1.0, 0.5, 0.5],
            0.0..5.0,
            0.02,
        ),
        // Backward in time.
        case("kepler", Kepler { mass: n(1.0) }.into(), [0.4, 0.0, 0.0, 2.0], 3.0..0.0, 0.01),
        case("driven", driven.into(), [0.3, 0.0, -0.2, 0.5], 0.5..6.5, 0.02),
        case("turned", turned(5.0).into(), [0.0, 0.6, 0.8, 0.5], 0.0..40.0, 0.1),
        case("rest", Rest { rate: n(0.06) }.into(), [1.0, 0.5, 0.5, 0.5], 0.0..600.0, 1.0),
        // By so much in a step that no grid holds it.
        case("growth", Growth { rate: n(1e6) }.into(), [1.0, 0.0, 0.0, 0.0], 0.0..5.0, 1.0),
    ]
}

/// An oscillation of frequency 1 in the plane across `(1, 2, -1.5)`, and a contraction at `rate` along it.
fn turned<T: Real>(rate: f64) -> Turned<T> {
    let contracting = Vector3::new(1.0, 2.0, -1.5).normalize();
    let first = contracting.cross(&Vector3::x()).normalize();
    let axes = Matrix3::from_columns(&[first, contracting.cross(&first), contracting]);
    let own = Matrix3::new(0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, -rate);
    Turned { a: (axes * own * axes.transpose()).map(T::from_f64) }
}
