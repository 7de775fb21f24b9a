//! The switching functions of fields that `ode!` generates, and of fields by hand.

extern crate revode_runtime as revode; // the paths that `ode!` emits

use nalgebra::{DMatrix, DVector, SVector, matrix, vector};
use revode::{Real, Switch, SwitchKind, VectorField, ode};

mod models {
    #![allow(missing_docs)]
    use super::ode;

    ode! {
        pub struct Stack<const H: usize> {
            state { x, u: [2] }
            params { a, w: [H, 2], v: [2, H] }
            const { limit = 2 }
        }
        let rate = min(a * x, x ^ 2 + 1);
        dx/dt = rate + abs(x - a) - relu(a - x) * signum(t - 5) + abs(limit - 3);
        du/dt = v @ relu(w @ u) - rate * u;
    }

    ode! {
        pub struct Heap {
            state { values: [n], m: [n, k] }
            params { w: [n, n] }
            dims { n, k }
        }
        dvalues/dt = relu(w @ values) - max(values, 0.5);
        dm/dt = abs(m) + signum(values[0]);
    }

    ode! {
        pub struct ShapesOnTheStack {
            state { x, u: [2], v: [3], p: [2], q: [2], m: [2, 2], k: [2, 2], s }
            params { a }
        }
        let wave = m @ u;
        dx/dt = abs(x ^ 3 - a);
        du/dt = abs(sin(u));
        dv/dt = abs(concat(x, sin(u)));
        dp/dt = abs(v[1..] - p);
        dq/dt = abs(wave);
        dm/dt = abs(m @ transpose(k));
        dk/dt = abs(transpose(m));
        ds/dt = abs(dot(wave, u) + norm2(q));
    }

    ode! {
        pub struct ShapesOnTheHeap {
            state { x, u: [n], v: [n + 1], p: [n], q: [n], m: [n, n], k: [n, n], s }
            params { a }
            dims { n }
        }
        let wave = m @ u;
        dx/dt = abs(x ^ 3 - a);
        du/dt = abs(sin(u));
        dv/dt = abs(concat(x, sin(u)));
        dp/dt = abs(v[1..] - p);
        dq/dt = abs(wave);
        dm/dt = abs(m @ transpose(k));
        dk/dt = abs(transpose(m));
        ds/dt = abs(dot(wave, u) + norm2(q));
    }

    ode! {
        pub struct Smooth { state { x } params { a } }
        dx/dt = -a * x;
    }
}

/// The values of the switching functions, each with how it is told.
fn switches<T: Real, F: VectorField<T>>(field: &F, t: T, y: &F::State) -> Vec<(String, T)> {
    let mut values = vec![T::from_f64(f64::NAN); field.switch_count()];
    field.switches(t, y, &mut values);
    let told = |i| {
        let Switch { function, argument, kind } = field.switch(i);
        format!("{function} {argument} {kind:?}")
    };
    values.into_iter().enumerate().map(|(i, value)| (told(i), value)).collect()
}

fn expected<T: Real>(all: &[(&str, f64)]) -> Vec<(String, T)> {
    all.iter().map(|(told, value)| ((*told).to_owned(), T::from_f64(*value))).collect()
}

fn on_the_stack<T: Real>() {
    let of = T::from_f64;
    let field = models::Stack::<3, T> {
        a: of(0.5),
        w: matrix![1.0, 0.0; 0.0, 2.0; 1.0, -1.0].map(of),
        ..models::Stack::zeros()
    };
    let y = vector![2.0, 1.0, -0.5].map(of);
    assert_eq!(
        switches(&field, of(4.0), &y),
        expected(&[
            ("min a * x - (x^2 + 1) Kink", -4.0),
            ("abs x - a Kink", 1.5),
            ("signum t - 5 Jump { moves: false }", -1.0),
            ("relu (w @ u)[0] Kink", 1.0),
            ("relu (w @ u)[1] Kink", -1.0),
            ("relu (w @ u)[2] Kink", 1.5),
        ])
    );
}

#[test]
fn a_model_on_the_stack() {
    on_the_stack::<f32>();
    on_the_stack::<f64>();
}

#[test]
fn a_model_with_sizes_known_at_run_time() {
    let mut field = models::Heap::zeros(2, 3);
    field.w = DMatrix::from_row_slice(2, 2, &[1.0, 1.0, 1.0, -1.0]);
    let y = DVector::from_vec(vec![0.25, 2.0, 1.0, -2.0, 3.0, -4.0, 5.0, -6.0]);
    assert_eq!(
        switches(&field, 0.0, &y),
        expected(&[
            ("relu (w @ values)[0] Kink", 2.25),
            ("relu (w @ values)[1] Kink", -1.75),
            ("max (values - 0.5)[0] Kink", -0.25),
            ("max (values - 0.5)[1] Kink", 1.5),
            ("abs m[0, 0] Kink", 1.0),
            ("abs m[1, 0] Kink", -2.0),
            ("abs m[0, 1] Kink", 3.0),
            ("abs m[1, 1] Kink", -4.0),
            ("abs m[0, 2] Kink", 5.0),
            ("abs m[1, 2] Kink", -6.0),
            ("signum values[0] Jump { moves: true }", 0.25),
        ])
    );
}

/// Arguments of every kind that code is made for: parts, products, transposes, what is used twice. Each equation is the
/// absolute value of its switching function.
#[test]
fn arguments_of_every_shape() {
    let y: Vec<f64> = (0..20).map(|i| (f64::from(i) * 1.7).sin()).collect();
    let stack = models::ShapesOnTheStack { a: 0.3 };
    let mut heap = models::ShapesOnTheHeap::zeros(2);
    heap.a = 0.3;
    let (on_stack, on_heap) = (SVector::from_column_slice(&y), DVector::from_vec(y));
    let values = switches(&stack, 0.0, &on_stack);
    assert_eq!(values, switches(&heap, 0.0, &on_heap));
    assert!(values.iter().any(|value| value.1 < 0.0));
    let mut dy = SVector::zeros();
    stack.eval(0.0, &on_stack, &mut dy);
    assert_eq!(values.iter().map(|value| value.1.abs()).collect::<Vec<_>>(), dy.as_slice());
}

/// The field is its formula on either side: it changes branches exactly where a value changes sign.
#[test]
fn a_value_changes_sign_where_the_field_changes_branches() {
    let field = models::Stack::<1, f64> { a: 0.5, ..models::Stack::zeros() };
    let rate = |x: f64| {
        let mut dy = SVector::zeros();
        field.eval(0.0, &vector![x, 1.0, 0.0], &mut dy);
        -dy[1]
    };
    let at = |x| switches(&field, 0.0, &vector![x, 1.0, 0.0])[0].1;
    for x in [-3.0, -0.5, 0.1, 0.7, 2.0] {
        let (first, second) = (0.5 * x, x * x + 1.0);
        assert_eq!(rate(x), if at(x) < 0.0 { first } else { second });
    }
}

struct ByHand;

impl VectorField<f64> for ByHand {
    type State = SVector<f64, 1>;
    fn eval(&self, _: f64, y: &Self::State, dy: &mut Self::State) {
        dy[0] = y[0].abs();
    }
}

#[test]
fn a_field_without_switching_functions() {
    assert_eq!(switches(&models::Smooth { a: 1.0 }, 0.0, &vector![1.0]), []);
    assert_eq!(switches(&ByHand, 0.0, &vector![1.0]), []);
}

#[test]
#[should_panic(expected = "there is no switching function 6")]
fn a_switching_function_that_is_not_there() {
    let _ = models::Stack::<3, f64>::zeros().switch(6);
}

/// Kinds are compared, so that a solver can look for jumps that move.
#[test]
fn kinds() {
    let field = models::Heap::<f64>::zeros(1, 1);
    let jumps = (0..field.switch_count())
        .filter(|&i| field.switch(i).kind == SwitchKind::Jump { moves: true });
    assert_eq!(jumps.collect::<Vec<_>>(), [3]);
}
