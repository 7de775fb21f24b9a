//! Fields that `ode!` generates on given sides of their jumps, and which jumps those are.

extern crate revode_runtime as revode; // the paths that `ode!` emits

use nalgebra::{DVector, Matrix3, SVector, vector};
use revode::check::check_vjp;
use revode::{
    Action, Event, FieldVjp, Parameters, Real, Sides, State, SwitchKind, Trigger, VectorField, ode,
};

mod models {
    #![allow(missing_docs)]
    use super::ode;

    ode! {
        pub struct Friction {
            state { x, v }
            params { k, mu, level, rate }
        }
        let push = heaviside(t - level);
        dx/dt = v;
        dv/dt = -k * x - mu * signum(v) + rate * push * x + heaviside(level) - heaviside(-v) * v ^ 2;
        event top = v, falling { x = x + 1; }
    }

    ode! {
        pub struct Gates {
            state { u: [3], m: [2, 2], x }
            params { w: [3, 3], level: [3] }
        }
        let drive = w @ u;
        let gate = heaviside(drive - level);
        du/dt = gate * drive * u + w @ signum(-u) - gate[1] * u ^ 3;
        dm/dt = m * heaviside(m);
        dx/dt = dot(gate, u) * x + sum(signum(u));
    }

    ode! {
        pub struct Nested {
            state { x, y }
            params { a }
        }
        let inner = signum(y);
        dx/dt = a * heaviside(x - a * y * inner) * y + inner * x;
        dy/dt = signum(heaviside(x) - a) * x * y;
    }

    ode! {
        pub struct Times {
            state { x }
            params { a, period }
        }
        dx/dt = a * signum(sin(t * period)) * x;
    }

    ode! {
        pub struct Heap {
            state { v: [n], u: [2] }
            params { w: [2, n], level }
            dims { n }
        }
        dv/dt = v * heaviside(sum(v) - level) - v[0] * transpose(w) @ signum(u);
        du/dt = signum(w @ v) * u + w @ v;
    }

    ode! {
        pub struct Many<const N: usize> {
            state { u: [N] }
            params { a }
        }
        du/dt = heaviside(u - a) + signum(a - u) * heaviside(a);
    }
}

use models::{Friction, Gates, Heap, Many, Nested, Times};

/// The field on these sides of its jumps.
#[derive(Debug, Clone)]
struct On<F>(F, Sides);

impl<T: Real, F: VectorField<T>> VectorField<T> for On<F> {
    type State = F::State;
    fn eval(&self, t: T, y: &F::State, dy: &mut F::State) {
        self.0.eval_on(self.1, t, y, dy);
    }
}

impl<T: Real, F: Parameters<T>> Parameters<T> for On<F> {
    fn names() -> &'static [&'static str] {
        F::names()
    }
    fn slices(&self) -> impl Iterator<Item = &[T]> {
        self.0.slices()
    }
    fn slices_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        self.0.slices_mut()
    }
}

impl<T: Real, F: FieldVjp<T>> FieldVjp<T> for On<F> {
    type Tape = F::Tape;
    fn tape(&self) -> F::Tape {
        self.0.tape()
    }
    fn eval_taped(&self, t: T, y: &F::State, dy: &mut F::State, tape: &mut F::Tape) {
        self.0.eval_taped_on(self.1, t, y, dy, tape);
    }
    fn vjp(
        &self,
        t: T,
        y: &F::State,
        tape: &mut F::Tape,
        dy_bar: &F::State,
        y_bar: &mut F::State,
        model_bar: &mut Self,
    ) -> T {
        self.0.vjp_on(self.1, t, y, tape, dy_bar, y_bar, &mut model_bar.0)
    }
}

/// The trigger of a jump as a field, so that its product with the derivative is checked as that of a field is.
#[derive(Debug, Clone)]
struct TriggerOf<F>(F, usize);

impl<T: Real, F: FieldVjp<T>> VectorField<T> for TriggerOf<F> {
    type State = F::State;
    fn eval(&self, t: T, y: &F::State, dy: &mut F::State) {
        dy.fill(T::ZERO);
        dy.as_mut_slice()[0] = self.0.trigger(self.1, t, y);
    }
}

impl<T: Real, F: Parameters<T>> Parameters<T> for TriggerOf<F> {
    fn names() -> &'static [&'static str] {
        F::names()
    }
    fn slices(&self) -> impl Iterator<Item = &[T]> {
        self.0.slices()
    }
    fn slices_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        self.0.slices_mut()
    }
}

impl<T: Real, F: FieldVjp<T>> FieldVjp<T> for TriggerOf<F> {
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
        let bar = dy_bar.as_slice()[0];
        self.0.trigger_vjp(self.1, t, y, bar, y_bar, &mut model_bar.0).expect("`ode!` has it")
    }
}

/// The numbers of the events that are jumps.
fn jumps<T: Real, F: VectorField<T>>(field: &F) -> Vec<usize> {
    (0..field.event_count()).filter(|&i| field.event(i).action == Action::Switch).collect()
}

/// The sides of a field's jumps, from its events.
fn sides<T: Real, F: VectorField<T>>(field: &F, t: T, y: &F::State) -> Sides {
    let jumps = jumps(field).into_iter().enumerate();
    jumps.fold(Sides::default(), |sides, (jump, i)| sides.with(jump, field.trigger(i, t, y)))
}

fn eval<T: Real, F: VectorField<T>>(field: &F, t: T, y: &F::State) -> F::State {
    let mut dy = y.zeros_like();
    field.eval(t, y, &mut dy);
    dy
}

/// Checks the field on its own sides, and on all sides that differ in one jump, and all triggers; returns its value.
fn check<F: FieldVjp<f64>>(field: &F, t: f64, y: &F::State) -> F::State
where
    F::State: PartialEq + std::fmt::Debug,
{
    assert!(F::JUMPS);
    let own = sides(field, t, y);
    let value = eval(field, t, y);
    assert_eq!(value, eval(&On(field.clone(), own), t, y));
    let mut all = vec![own];
    for jump in 0..jumps(field).len() {
        all.extend([-1.0, 0.0, 1.0].map(|side| own.with(jump, side)));
    }
    for sides in all {
        let on = On(field.clone(), sides);
        check_vjp(&on, t, y).unwrap_or_else(|failure| panic!("on {sides:?}: {failure}"));
        let (mut dy, mut tape) = (y.zeros_like(), on.tape());
        on.eval_taped(t, y, &mut dy, &mut tape);
        assert_eq!(dy, eval(&on, t, y));
    }
    // The plain functions are those on the field's own sides.
    let on = On(field.clone(), own);
    let ((plain, bars), (given, on_bars)) = (product(field, t, y), product(&on, t, y));
    assert_eq!(plain, given);
    assert!(bars.slices().eq(on_bars.slices()));
    for i in jumps(field) {
        let trigger = TriggerOf(field.clone(), i);
        check_vjp(&trigger, t, y).unwrap_or_else(|failure| panic!("jump {i}: {failure}"));
    }
    value
}

/// The state's part and the parameters' part of a product with the derivative.
fn product<F: FieldVjp<f64>>(field: &F, t: f64, y: &F::State) -> (F::State, F) {
    let (mut dy, mut y_bar, mut bars) = (y.zeros_like(), y.zeros_like(), field.zeros_like());
    let mut tape = field.tape();
    field.eval_taped(t, y, &mut dy, &mut tape);
    field.vjp(t, y, &mut tape, y, &mut y_bar, &mut bars);
    (y_bar, bars)
}

fn friction<T: Real>() -> Friction<T> {
    let [k, mu, level, rate] = [2.0, 0.5, 1.0, 3.0].map(T::from_f64);
    Friction { k, mu, level, rate }
}

#[test]
fn which_events_they_are() {
    let field = friction::<f64>();
    let found: Vec<Event> = (0..field.event_count()).map(|i| field.event(i)).collect();
    let jump =
        |name, index| Event { name, index, trigger: Trigger::Either, action: Action::Switch };
    let top = Event { name: "top", index: None, trigger: Trigger::Falling, action: Action::Reset };
    assert_eq!(found, [top, jump("heaviside(t - level)", None), jump("signum(v)", None)]);
    let field = Gates::<f64>::zeros();
    let found: Vec<Event> = (0..field.event_count()).map(|i| field.event(i)).collect();
    let expected = [("heaviside(drive - level)", 3), ("signum(-u)", 3), ("heaviside(m)", 4)];
    let expected = expected.map(|(name, n)| (0..n).map(move |i| jump(name, Some(i))));
    assert_eq!(found, expected.into_iter().flatten().collect::<Vec<_>>());
    assert!(VectorField::<f64>::switch(&field, 0).kind == SwitchKind::Jump { moves: true });
}

/// What is not a jump is reset as before, and jumps change nothing.
#[test]
fn resets() {
    let field = friction::<f64>();
    let mut y = vector![2.0, 3.0];
    field.reset(1, 0.0, &mut y);
    field.reset(2, 0.0, &mut y);
    assert_eq!(y, vector![2.0, 3.0]);
    field.reset(0, 0.0, &mut y);
    assert_eq!(y, vector![3.0, 3.0]);
}

fn scalars<T: Real>() {
    let field = friction::<T>();
    let of = |x: [f64; 2]| vector![T::from_f64(x[0]), T::from_f64(x[1])];
    let at = |t: f64, y| eval(&field, T::from_f64(t), &of(y)).map(Real::to_f64);
    assert_eq!(at(0.5, [2.0, 3.0]), vector![3.0, -4.0 - 0.5 + 1.0]);
    assert_eq!(at(1.5, [2.0, 3.0]), vector![3.0, -4.0 - 0.5 + 6.0 + 1.0]);
    assert_eq!(at(1.5, [2.0, -3.0]), vector![-3.0, -4.0 + 0.5 + 6.0 + 1.0 - 9.0]);
    // At the places themselves, of either sign of 0.
    assert_eq!(at(1.0, [2.0, 0.0]), vector![0.0, -4.0 + 3.0 + 1.0]);
    assert_eq!(at(1.0, [2.0, -0.0]), vector![0.0, -4.0 + 3.0 + 1.0]);
    // On sides where the state is not.
    let on = |first: f64, second: f64| {
        let sides = Sides::default().with(0, first).with(1, second);
        let field = On(field.clone(), sides);
        eval(&field, T::from_f64(0.5), &of([2.0, 3.0]))[1].to_f64()
    };
    assert_eq!(on(1.0, -2.0), -4.0 + 0.5 + 6.0 + 1.0 - 9.0);
    assert_eq!(on(-0.1, 0.1), -4.0 - 0.5 + 1.0);
    assert_eq!(on(0.0, 0.0), -4.0 + 3.0 + 1.0 - 4.5);
    let triggers = [0, 1, 2].map(|i| field.trigger(i, T::from_f64(0.5), &of([2.0, 3.0])).to_f64());
    assert_eq!(triggers, [3.0, -0.5, 3.0]);
    let (mut y_bar, mut bars) = (of([7.0, 7.0]), field.zeros_like());
    let bar = T::from_f64(10.0);
    let t_bar = field.trigger_vjp(1, T::ZERO, &of([2.0, 3.0]), bar, &mut y_bar, &mut bars);
    assert_eq!((t_bar, y_bar, bars.level), (Some(bar), of([0.0, 0.0]), -bar));
}

#[test]
fn one_argument_and_one_of_time() {
    scalars::<f32>();
    scalars::<f64>();
    let field = friction();
    for (t, y) in [(0.5, [2.0, 3.0]), (1.5, [2.0, -3.0]), (1.0, [0.3, 0.0])] {
        check(&field, t, &y.into());
    }
}

#[test]
fn components() {
    let w = Matrix3::from_fn(|i, j| ((5 * i + 3 * j) % 7) as f64 / 4.0 - 0.6);
    let field = Gates { w, level: vector![0.3, -0.2, 0.1] };
    let (u, m, x) = (vector![0.4, -1.1, 0.7], [0.5, -0.25, 0.0, 2.0], 1.5);
    let y = SVector::from_iterator(u.iter().chain(&m).chain([&x]).copied());
    let step = |x: f64| if x > 0.0 { 1.0 } else { 0.0 };
    let drive = w * u;
    let gate = (drive - field.level).map(step);
    let du = gate.component_mul(&drive).component_mul(&u)
        - w * u.map(f64::signum)
        - u.map(|u| gate[1] * u * u * u);
    let dy = check(&field, 0.0, &y);
    assert!((dy.fixed_rows::<3>(0) - du).amax() <= 1e-14);
    assert_eq!(dy.as_slice()[3..7], [0.5, 0.0, 0.0, 2.0]);
    assert!((dy[7] - (gate.dot(&u) * x + 1.0)).abs() <= 1e-14);
    let triggers: Vec<f64> = (0..10).map(|i| field.trigger(i, 0.0, &y)).collect();
    let expected: Vec<f64> = (drive - field.level).iter().chain(&(-u)).chain(&m).copied().collect();
    assert_eq!(triggers, expected);
    // On the other side of one component: `m[1, 1]`, and then `u[1]`.
    let own = sides(&field, 0.0, &y);
    let other = eval(&On(field.clone(), own.with(9, -1.0)), 0.0, &y);
    assert_eq!((other[6], other[5]), (0.0, dy[5]));
    let other = eval(&On(field.clone(), own.with(4, -1.0)), 0.0, &y);
    assert!((other[7] - dy[7] - 2.0).abs() <= 1e-14, "{other} {dy}");
}

/// The inner jump is evaluated where the outer one is looked for, and is given where the field is evaluated.
#[test]
fn a_jump_in_the_argument_of_another() {
    let field = Nested { a: 0.75 };
    let names = (0..field.event_count()).map(|i| VectorField::<f64>::event(&field, i).name);
    let expected =
        ["signum(y)", "heaviside(x - a * y * inner)", "heaviside(x)", "signum(heaviside(x) - a)"];
    assert_eq!(names.collect::<Vec<_>>(), expected);
    let y = vector![1.0, -2.0];
    let triggers: Vec<f64> = (0..4).map(|i| field.trigger(i, 0.0, &y)).collect();
    assert_eq!(triggers, [-2.0, 1.0 - 0.75 * 2.0, 1.0, 0.25]);
    assert_eq!(check(&field, 0.0, &y), vector![-1.0, -2.0]);
    let y = vector![2.0, 1.0];
    assert_eq!(check(&field, 0.0, &y), vector![0.75 + 2.0, 2.0]);
    // At 0 a step is half way up, in the argument of another too.
    let y = vector![0.0, -2.0];
    assert_eq!(field.trigger(3, 0.0, &y), -0.25);
    let on = |inner, outer| {
        let sides = Sides::default().with(0, inner).with(1, outer);
        eval(&On(field.clone(), sides), 0.0, &vector![1.0, -2.0])[0]
    };
    assert_eq!([on(1.0, 1.0), on(-1.0, 1.0), on(1.0, -1.0)], [-0.5, -2.5, 1.0]);
}

#[test]
fn arguments_of_time_alone() {
    let field = Times { a: 2.0, period: 1.5 };
    let event = VectorField::<f64>::event(&field, 0);
    assert_eq!((event.name, event.trigger), ("signum(sin(t * period))", Trigger::Either));
    assert_eq!(check(&field, 1.0, &vector![3.0]), vector![6.0]);
    assert_eq!(check(&field, 3.0, &vector![3.0]), vector![-6.0]);
    assert_eq!(eval(&field, 0.0, &vector![3.0]), vector![0.0]);
    assert_eq!(eval(&On(field, Sides::default().with(0, -1.0)), 1.0, &vector![3.0]), vector![-6.0]);
}

/// Arguments of a size that is known although those of the model are not.
#[test]
fn on_the_heap() {
    let mut field = Heap::zeros(3);
    field.w.copy_from_slice(&[1.0, -0.5, 0.25, 2.0, -1.0, 0.75]);
    field.level = 1.0;
    let y = DVector::from_vec(vec![1.0, 2.0, -0.5, 0.75, -0.25]);
    let drive = [1.0 + 0.5 + 0.5, -0.5 + 4.0 - 0.375];
    let signs = [1.0, -1.0];
    let transposed = |i: usize| field.w[(0, i)] * signs[0] + field.w[(1, i)] * signs[1];
    let dv: Vec<f64> = (0..3).map(|i| y[i] - transposed(i)).collect();
    let dy = check(&field, 0.0, &y);
    assert_eq!(dy.as_slice()[..3], dv);
    assert_eq!(dy.as_slice()[3..], [0.75 + drive[0], -0.25 + drive[1]]);
    let names: Vec<_> = (0..5).map(|i| VectorField::<f64>::event(&field, i).to_string()).collect();
    let expected = [
        "heaviside(sum(v) - level)",
        "signum(u), number 0",
        "signum(u), number 1",
        "signum(w @ v), number 0",
        "signum(w @ v), number 1",
    ];
    assert_eq!((names, field.event_count()), (expected.map(str::to_owned).to_vec(), 5));
}

/// A field that does not know how many jumps it has evaluates them as it meets them.
#[test]
fn sizes_known_at_run_time() {
    const { assert!(!<Many<3> as VectorField<f64>>::JUMPS) };
    let field = Many::<3> { a: 0.5 };
    assert_eq!(VectorField::<f64>::event_count(&field), 0);
    let y = vector![1.0, 0.5, -1.0];
    assert_eq!(eval(&field, 0.0, &y), vector![0.0, 1.5, 1.0]);
    assert_eq!(eval(&On(field, Sides::default()), 0.0, &y), vector![0.0, 1.5, 1.0]);
}

/// What is not a number is on no side.
#[test]
fn not_a_number() {
    let field = Times { a: f64::NAN, period: f64::NAN };
    assert!(eval(&field, 1.0, &vector![3.0])[0].is_nan());
    let field = Times { a: 1.0, period: f64::NAN };
    assert_eq!(eval(&field, 1.0, &vector![3.0])[0], 0.0);
}
