//! The events of fields that `ode!` generates: which they are, when they happen, what they change, and the products
//! with the derivatives of both.

extern crate revode_runtime as revode; // the paths that `ode!` emits

use nalgebra::{DMatrix, DVector, SMatrix, SVector, matrix, vector};
use revode::check::check_vjp;
use revode::{Action, Event, FieldVjp, Parameters, Real, State, Trigger, VectorField, ode};

mod models {
    #![allow(missing_docs)]
    use super::ode;

    ode! {
        pub struct Ball {
            state { x, v }
            params { g, e, edge }
        }
        dx/dt = v;
        dv/dt = -g;
        event bounce = x, falling { v = -e * v; }
        event out = hypot(x, v) - edge ^ 2 * t, rising, terminal;
        event top = v;
        event ground = x + v / 4, either;
        at (2 * sqrt(edge)) { let old = v; v += x * t; x -= old; x /= g; }
        at (5) { v = x; x = v; }
    }

    ode! {
        pub struct Doses {
            state { depot, central }
            params { ka, time: [3], amount: [3], lag }
            const { share = 0.5 }
        }
        let delay = lag ^ 2;
        ddepot/dt = -ka * depot;
        dcentral/dt = ka * depot;
        at (time[i] + delay) for i in 0..3 {
            let dose = share * amount[i];
            depot += dose;
            central *= dose + depot;
        }
        at (time[k + 1] - time[k]) for k in 0..2 { depot = amount[k] * amount[k + 1]; }
    }

    ode! {
        pub struct Spikes<const N: usize> {
            state { v: [N] }
            params { w: [N, N], threshold: [N], level }
        }
        let drive = w @ v;
        dv/dt = drive - v;
        event spike = v[i] - threshold[i], rising for i in 0..N { v[i] = level * v[i] ^ 2; }
        event ordered = v[j] * v[j - 1] - drive[0] for j in 1..N;
        event first = v[0] - threshold[N - 1] {
            v = 2 * v - threshold;
            v[0] = sum(v);
            let both = v[0] * v[1];
            v[N - 1] += both;
            v -= drive;
        }
        event overlap = t - v[i] for i in 0..N {
            v[0] = level;
            v[i] = v[0] * drive[i];
            v[0] = v[i] + v[N - 1];
        }
    }

    ode! {
        pub struct Heap {
            state { m: [n, 3], u: [n], count }
            params { a: [n, n], jump: [n], start }
            dims { n }
        }
        let drive = tanh(a @ u);
        dm/dt = -m;
        du/dt = drive;
        dcount/dt = 0;
        event column = dot(u[1..], drive[1..]) - m[i, 2] ^ 3 for i in 0..n - 1 {
            m[i, 0] = m[i + 1, 1] * drive[i];
            m[i + 1, 1] /= jump[i];
            u[i] = sum(m) + start;
            u *= sin(u);
            count += 1;
        }
        at (start * jump[n - 1]) { u = a @ u; m = 0; count = dot(u, jump); }
        event done = count - 3, terminal;
    }

    ode! {
        pub struct Blocks {
            state { m: [2, 2], y: [3], index }
            params { after: [3], bar }
        }
        dm/dt = m;
        dy/dt = y;
        dindex/dt = 0;
        event window = sum(y[i..i + 2]) - bar * index for i in 0..2 {
            m[i, i] = y[i] * after[i];
            m = transpose(m);
            m[1, i] -= bar;
            let total = sum(m @ y[i..i + 2]);
            y[2] = total;
            y = concat(y[1..3], index);
        }
    }

    ode! {
        pub struct Quiet { state { x } params { a } }
        dx/dt = -a * x;
    }
}

use models::{Ball, Blocks, Doses, Heap, Quiet, Spikes};

/// What event `number` does to a state, or when it happens, as a field: so that its product with the derivative is
/// checked as that of a field is.
#[derive(Debug, Clone)]
struct Part<F> {
    field: F,
    number: usize,
    is_reset: bool,
}

impl<T: Real, F: FieldVjp<T>> VectorField<T> for Part<F> {
    type State = F::State;
    fn eval(&self, t: T, y: &F::State, dy: &mut F::State) {
        if self.is_reset {
            dy.assign(y);
            self.field.reset(self.number, t, dy);
        } else {
            dy.fill(T::ZERO);
            dy.as_mut_slice()[0] = self.field.trigger(self.number, t, y);
        }
    }
}

impl<T: Real, F: Parameters<T>> Parameters<T> for Part<F> {
    fn names() -> &'static [&'static str] {
        F::names()
    }
    fn slices(&self) -> impl Iterator<Item = &[T]> {
        self.field.slices()
    }
    fn slices_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        self.field.slices_mut()
    }
}

impl<T: Real, F: FieldVjp<T>> FieldVjp<T> for Part<F> {
    type Tape = ();
    fn tape(&self) {}
    fn vjp(
        &self,
        t: T,
        y: &F::State,
        (): &mut (),
        dy_bar: &F::State,
        y_bar: &mut F::State,
        model_bar: &mut Self,
    ) -> T {
        let (field, model_bar) = (&self.field, &mut model_bar.field);
        let t_bar = if self.is_reset {
            field.reset_vjp(self.number, t, y, dy_bar, y_bar, model_bar)
        } else {
            field.trigger_vjp(self.number, t, y, dy_bar.as_slice()[0], y_bar, model_bar)
        };
        t_bar.expect("`ode!` implements it")
    }
}

/// Checks all products with derivatives of all events.
fn check<F: FieldVjp<f64>>(field: &F, t: f64, y: &F::State) {
    for number in 0..field.event_count() {
        for is_reset in [false, true] {
            let part = Part { field: field.clone(), number, is_reset };
            if let Err(failure) = check_vjp(&part, t, y) {
                panic!("{}, reset {is_reset}: {failure}", field.event(number));
            }
        }
    }
}

/// The state after event `i`.
fn after<T: Real, F: VectorField<T>>(field: &F, i: usize, t: T, y: &F::State) -> F::State {
    let mut y = y.clone();
    field.reset(i, t, &mut y);
    y
}

/// Name and index of all events.
fn names<F: VectorField<f64>>(field: &F) -> Vec<(&'static str, Option<usize>)> {
    let events = (0..field.event_count()).map(|i| field.event(i));
    events.map(|event| (event.name, event.index)).collect()
}

const BALL: Ball = Ball { g: 9.81, e: 0.5, edge: 4.0 };

#[test]
fn every_kind_of_event() {
    let found: Vec<Event> =
        (0..BALL.event_count()).map(|i| VectorField::<f64>::event(&BALL, i)).collect();
    let event = |name, trigger, action| Event { name, index: None, trigger, action };
    let expected = [
        event("bounce", Trigger::Falling, Action::Reset),
        event("out", Trigger::Rising, Action::End),
        event("top", Trigger::Either, Action::Note),
        event("ground", Trigger::Either, Action::Note),
        event("at (2 * sqrt(edge))", Trigger::Time, Action::Reset),
        event("at (5)", Trigger::Time, Action::Reset),
    ];
    assert_eq!(found, expected);
}

#[test]
fn triggers_and_resets_of_scalars() {
    let (t, y) = (1.5, vector![3.0, -4.0]);
    let triggers: Vec<f64> = (0..6).map(|i| BALL.trigger(i, t, &y)).collect();
    assert_eq!(triggers, [3.0, 5.0 - 16.0 * 1.5, -4.0, 2.0, -2.5, -3.5]);
    assert_eq!(after(&BALL, 0, t, &y), vector![3.0, 2.0]);
    assert_eq!([1, 2, 3].map(|i| after(&BALL, i, t, &y)), [y; 3]);
    // One after the other: `v += x t`, then `x -= v` as it was, then `x /= g`.
    assert_eq!(after(&BALL, 4, t, &y), vector![7.0 / 9.81, 0.5]);
    assert_eq!(after(&BALL, 5, t, &y), vector![3.0, 3.0]);
    check(&BALL, t, &y);
    check(&BALL, 0.3, &vector![-0.7, 1.1]);
}

/// With closed forms, and added to what is there.
#[test]
fn products_of_a_bounce() {
    let y = vector![3.0, -4.0];
    let (mut y_bar, mut model_bar) = (vector![7.0, 7.0], Ball { g: 1.0, e: 2.0, edge: 3.0 });
    let t_bar = BALL.reset_vjp(0, 1.5, &y, &vector![10.0, 100.0], &mut y_bar, &mut model_bar);
    assert_eq!((t_bar, y_bar), (Some(0.0), vector![10.0, -50.0]));
    assert_eq!(model_bar, Ball { g: 1.0, e: 2.0 + 400.0, edge: 3.0 });
    let t_bar = BALL.trigger_vjp(1, 1.5, &y, 10.0, &mut y_bar, &mut model_bar);
    assert_eq!((t_bar, y_bar), (Some(-160.0), vector![6.0, -8.0]));
    assert_eq!(model_bar, Ball { g: 1.0, e: 402.0, edge: 3.0 - 2.0 * 4.0 * 1.5 * 10.0 });
    let t_bar = BALL.trigger_vjp(4, 1.5, &y, 10.0, &mut y_bar, &mut model_bar);
    assert_eq!((t_bar, y_bar), (Some(10.0), vector![0.0, 0.0]));
    assert_eq!(model_bar.edge, -117.0 - 5.0);
}

#[test]
fn products_of_an_event_that_is_only_noted() {
    let (mut y_bar, mut model_bar) = (vector![7.0, 7.0], BALL.zeros_like());
    let bar = vector![1.0, 2.0];
    let t_bar = BALL.reset_vjp(2, 1.5, &vector![3.0, -4.0], &bar, &mut y_bar, &mut model_bar);
    assert_eq!((t_bar, y_bar), (Some(0.0), bar));
    assert_eq!(model_bar, BALL.zeros_like());
}

#[test]
fn doses() {
    let field = Doses {
        ka: 1.0,
        time: vector![1.0, 4.0, 9.0],
        amount: vector![10.0, 20.0, 30.0],
        lag: 0.5,
    };
    let (first, second) = ("at (time[i] + delay)", "at (time[k + 1] - time[k])");
    let expected = [(first, 0), (first, 1), (first, 2), (second, 0), (second, 1)];
    assert_eq!(names(&field), expected.map(|(name, index)| (name, Some(index))));
    let (t, y) = (6.0, vector![2.0, 3.0]);
    let triggers: Vec<f64> = (0..5).map(|i| field.trigger(i, t, &y)).collect();
    assert_eq!(triggers, [4.75, 1.75, -3.25, 3.0, 1.0]);
    assert_eq!(after(&field, 1, t, &y), vector![12.0, 3.0 * 22.0]);
    assert_eq!(after(&field, 4, t, &y), vector![600.0, 3.0]);
    check(&field, t, &y);
}

fn spikes<T: Real>() -> Spikes<3, T> {
    let [w, threshold] = [0.1, 0.7].map(|shift| {
        SMatrix::<T, 3, 3>::from_fn(|i, j| T::from_f64(((5 * i + 3 * j) % 7) as f64 / 4.0 + shift))
    });
    Spikes { w, threshold: threshold.column(1).into(), level: T::from_f64(0.25) }
}

#[test]
fn const_parameters() {
    let field = spikes::<f64>();
    let expected = [
        ("spike", Some(0)),
        ("spike", Some(1)),
        ("spike", Some(2)),
        ("ordered", Some(1)),
        ("ordered", Some(2)),
        ("first", None),
        ("overlap", Some(0)),
        ("overlap", Some(1)),
        ("overlap", Some(2)),
    ];
    assert_eq!(names(&field), expected);
    let y = vector![2.0, 3.0, 5.0];
    let drive = field.w * y;
    for i in 0..3 {
        assert_eq!(field.trigger(i, 0.0, &y), y[i] - field.threshold[i]);
        let mut expected = y;
        expected[i] = 0.25 * (y[i] * y[i]);
        assert_eq!(after(&field, i, 0.0, &y), expected);
        let mut overlap = y;
        overlap[0] = 0.25;
        overlap[i] = overlap[0] * drive[i];
        overlap[0] = overlap[i] + overlap[2];
        assert_eq!(after(&field, 6 + i, 0.0, &y), overlap);
    }
    assert_eq!(field.trigger(4, 0.0, &y), 15.0 - drive[0]);
    let mut first = 2.0 * y - field.threshold;
    first[0] = first.sum();
    first[2] += first[0] * first[1];
    let error: SVector<f64, 3> = after(&field, 5, 0.0, &y) - (first - drive);
    assert!(error.amax() <= 1e-12, "{error}");
    check(&field, 0.3, &y);
}

#[test]
fn single_precision() {
    let (field, y) = (spikes::<f32>(), vector![2.0_f32, 3.0, 5.0]);
    assert_eq!(field.trigger(1, 0.0, &y), y[1] - field.threshold[1]);
    assert_eq!(after(&field, 1, 0.0, &y), vector![2.0, 2.25, 5.0]);
    let (mut y_bar, mut model_bar) = (y, field.zeros_like());
    let after_bar = vector![1.0, 10.0, 100.0];
    field.reset_vjp(1, 0.0, &y, &after_bar, &mut y_bar, &mut model_bar);
    assert_eq!(y_bar, vector![1.0, 15.0, 100.0]);
    assert_eq!(model_bar.level, 90.0);
}

#[test]
fn sizes_known_at_run_time() {
    let n = 4;
    let a = DMatrix::from_fn(n, n, |i, j| ((3 * i + 5 * j) % 7) as f64 / 7.0 - 0.4);
    let jump = DVector::from_fn(n, |i, _| 0.5 + i as f64);
    let field = Heap::new(a.clone(), jump.clone(), 2.0).expect("the shapes fit");
    let column = ("column", 0..3);
    let mut expected: Vec<_> = column.1.map(|i| (column.0, Some(i))).collect();
    expected.extend([("at (start * jump[n - 1])", None), ("done", None)]);
    assert_eq!(names(&field), expected);

    let y = DVector::from_fn(4 * n + 1, |i, _| 0.3 + ((7 * i) % 11) as f64 / 11.0);
    let (m, u) = (&y.as_slice()[..3 * n], y.rows(3 * n, n).into_owned());
    let drive = (&a * &u).map(f64::tanh);
    let i = 1;
    let dot: f64 = (1..n).map(|k| u[k] * drive[k]).sum();
    let expected = dot - m[i + 2 * n].powi(3);
    assert!((field.trigger(i, 0.0, &y) - expected).abs() <= 1e-14);

    let found = after(&field, i, 0.0, &y);
    let (mut m, mut u_after) = (m.to_vec(), u.clone());
    m[i] = m[i + 1 + n] * drive[i];
    m[i + 1 + n] /= jump[i];
    u_after[i] = m.iter().sum::<f64>() + 2.0;
    let u_after = u_after.map(|x| x * x.sin());
    assert_eq!(found.as_slice()[..3 * n], m);
    assert!((found.rows(3 * n, n) - u_after).amax() <= 1e-14);
    assert_eq!(found[4 * n], y[4 * n] + 1.0);

    let found = after(&field, 3, 0.0, &y);
    let u_after = &a * &u;
    assert_eq!(found.as_slice()[..3 * n], vec![0.0; 3 * n]);
    assert!((found.rows(3 * n, n) - &u_after).amax() <= 1e-14);
    assert!((found[4 * n] - u_after.dot(&jump)).abs() <= 1e-14);
    assert_eq!(field.trigger(3, 10.0, &y), 10.0 - 2.0 * 3.5);
    check(&field, 0.3, &y);
}

/// A size too small for an index is an error when the model is made.
#[test]
fn sizes_too_small() {
    let made = |n| Heap::new(DMatrix::zeros(n, n), DVector::zeros(n), 2.0);
    assert!(made(2).is_ok());
    assert_eq!(made(2).expect("fits").event_count(), 3);
    assert!(made(1).is_err());
}

#[test]
fn slices_and_matrices() {
    let field = Blocks { after: vector![2.0, 3.0, 5.0], bar: 0.5 };
    // m by columns, y, index
    let y = vector![1.0, 2.0, 3.0, 4.0, 7.0, 11.0, 13.0, 17.0];
    assert_eq!(field.trigger(1, 0.0, &y), 24.0 - 0.5 * 17.0);
    let mut m = matrix![1.0, 3.0; 2.0, 11.0 * 3.0].transpose();
    m[(1, 1)] -= 0.5;
    let total = (m * vector![11.0, 13.0]).sum();
    let expected = vector![m[0], m[1], m[2], m[3], 11.0, total, 17.0, 17.0];
    assert_eq!(after(&field, 1, 0.0, &y), expected);
    check(&field, 0.3, &y);
}

#[test]
fn without_events() {
    let field = Quiet { a: 1.0 };
    assert_eq!(VectorField::<f64>::event_count(&field), 0);
}

#[test]
#[should_panic = "there is no event 6"]
fn an_event_that_does_not_exist() {
    let _ = VectorField::<f64>::trigger(&BALL, 6, 0.0, &vector![1.0, 1.0]);
}
