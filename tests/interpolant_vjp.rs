//! The VJP of values between the ends of a step, for every method: against central differences, alone and with that of
//! the embedded increment.

use revode::nalgebra::Vector2;
use revode::{EmbeddedMethod, InterpolantVjp, Step, Tableau, for_each_method, ode};

ode! {
    /// Depends on time, nonlinearly.
    struct Driven {
        state  { x, y }
        params { a, omega }
    }
    dx/dt = a * x * cos(omega * t) + sin(t * y);
    dy/dt = x^2 * t - y;
}

const FIELD: Driven<f64> = Driven { a: 0.7, omega: 1.3 };
const ZERO: Driven<f64> = Driven { a: 0.0, omega: 0.0 };
const U: Vector2<f64> = Vector2::new(0.8, -0.4);
const PSI_BAR: Vector2<f64> = Vector2::new(1.1, -0.3);
const PSI_HAT: Vector2<f64> = Vector2::new(0.2, 0.9);
/// Two values and their cotangents.
const VALUES: [(f64, Vector2<f64>); 2] =
    [(0.3, Vector2::new(-0.6, 1.4)), (0.85, Vector2::new(2.3, 0.5))];

/// `psi_bar · Psi + Σ y_bar · y(t + θh)`.
fn loss<M: InterpolantVjp<f64, Driven>>(
    method: &M,
    field: &Driven,
    step: Step<f64>,
    u: Vector2<f64>,
) -> f64 {
    let (mut stages, mut extra) = (method.stages(field, &u), method.extra(field, &u));
    let mut psi = u;
    method.increment(field, step, &u, &mut stages, &mut psi).unwrap();
    method.extend(field, step, &u, &mut stages, &mut extra);
    PSI_BAR.dot(&psi) + between(method, (field, step, u), &stages, &extra)
}

fn between<M: InterpolantVjp<f64, Driven>>(
    method: &M,
    (field, step, u): (&Driven, Step<f64>, Vector2<f64>),
    stages: &M::Stages,
    extra: &M::Extra,
) -> f64 {
    let value = |(theta, y_bar): &(f64, Vector2<f64>)| {
        let mut y = u;
        method.interpolate(field, step, *theta, &u, stages, extra, &mut y);
        y_bar.dot(&y)
    };
    VALUES.iter().map(value).sum()
}

/// The same with the embedded increment.
fn embedded_loss<M>(method: &M, field: &Driven, step: Step<f64>, u: Vector2<f64>) -> f64
where
    M: InterpolantVjp<f64, Driven> + EmbeddedMethod<f64, Driven>,
{
    let (mut stages, mut extra) = (method.stages(field, &u), method.extra(field, &u));
    let (mut psi, mut error) = (u, u);
    method.increment_with_error(field, step, &u, &mut stages, &mut psi, &mut error).unwrap();
    method.extend(field, step, &u, &mut stages, &mut extra);
    PSI_HAT.dot(&(psi - error)) + between(method, (field, step, u), &stages, &extra)
}

/// A gradient: with respect to `u`, the parameters and, but for the embedded one, time.
type Bars = (Vector2<f64>, Driven<f64>, Option<f64>);

/// Central differences with steps of 1e-5: an error of 1e-10 times third derivatives, and rounding of 1e-11 times the
/// weights, which in Verner's 6(5) are 400.
fn compare(
    name: &str,
    (u, model, time): &Bars,
    loss: impl Fn(&Driven, Step<f64>, Vector2<f64>) -> f64,
) {
    let (d, step) = (1e-5, Step::new(0, 0.6, 0.15));
    let close = |what: &str, found: f64, at: &dyn Fn(f64) -> f64| {
        let expected = (at(d) - at(-d)) / (2.0 * d);
        assert!((found - expected).abs() <= 5e-8, "{name} {what}: {found} {expected}");
        assert!(expected.abs() > 1e-3, "{name} {what}: nothing is tested");
    };
    let field = |a: f64, omega: f64| Driven { a: FIELD.a + a, omega: FIELD.omega + omega };
    close("x", u.x, &|d| loss(&FIELD, step, U + Vector2::new(d, 0.0)));
    close("y", u.y, &|d| loss(&FIELD, step, U + Vector2::new(0.0, d)));
    close("a", model.a, &|d| loss(&field(d, 0.0), step, U));
    close("omega", model.omega, &|d| loss(&field(0.0, d), step, U));
    if let Some(time) = time {
        close("t", *time, &|d| loss(&FIELD, Step::new(0, step.t + d, step.h), U));
    }
}

/// Takes back a step and its values, whatever the scratch space was used for before.
fn back<M: InterpolantVjp<f64, Driven> + Tableau>(
    method: &M,
    (taped, extra): (&mut M::Taped, &mut M::TapedExtra),
    estimated: bool,
) -> [Bars; 2] {
    let (step, mut psi) = (Step::new(0, 0.6, 0.15), U);
    method.increment_taped(&FIELD, step, &U, taped, &mut psi).unwrap();
    if estimated {
        method.tape_embedded(&FIELD, step, &U, taped);
    }
    method.tape_extra(&FIELD, step, &U, (taped, extra));
    let mut u_bar = Vector2::zeros();
    for (theta, y_bar) in &VALUES {
        method.interpolate_vjp(&FIELD, step, *theta, y_bar, extra);
        u_bar += y_bar;
    }
    let (mut u_hat, mut model_bar, mut model_hat) = (u_bar, ZERO, ZERO);
    let taped = (taped, extra);
    let mut time = None;
    if estimated {
        let (us, models) = ([&mut u_bar, &mut u_hat], [&mut model_bar, &mut model_hat]);
        method.extended_vjp_with_embedded(&FIELD, step, taped, [&PSI_BAR, &PSI_HAT], us, models);
    } else {
        let bar = &mut model_bar;
        time = Some(method.extended_vjp(&FIELD, step, taped, &PSI_BAR, &mut u_bar, bar));
    }
    [(u_bar, model_bar, time), (u_hat, model_hat, None)]
}

fn check<M: InterpolantVjp<f64, Driven> + Tableau>(method: &M) {
    let mut taped = method.taped(&FIELD, &U);
    let mut extra = method.taped_extra(&FIELD, &U);
    let [bars, _] = back(method, (&mut taped, &mut extra), false);
    compare(M::NAME, &bars, |field, step, u| loss(method, field, step, u));
    // Nothing is left of the values before.
    let [again, _] = back(method, (&mut taped, &mut extra), false);
    assert_eq!(bars, again, "{}", M::NAME);
}

fn check_embedded<M>(method: &M)
where
    M: InterpolantVjp<f64, Driven> + EmbeddedMethod<f64, Driven> + Tableau,
{
    let mut taped = method.taped(&FIELD, &U);
    let mut extra = method.taped_extra(&FIELD, &U);
    let [bars, hats] = back(method, (&mut taped, &mut extra), true);
    compare(M::NAME, &bars, |field, step, u| loss(method, field, step, u));
    compare(M::NAME, &hats, |field, step, u| embedded_loss(method, field, step, u));
    // After the step that comes next: what that knows of this one is used, and nothing changes.
    let (step, mut stages, mut psi) = (Step::new(0, 0.6, 0.15), method.stages(&FIELD, &U), U);
    method.increment(&FIELD, step, &U, &mut stages, &mut psi).unwrap();
    let (next, from) = (Step::new(1, step.end, 0.1), U + psi);
    method.increment_taped(&FIELD, next, &from, &mut taped, &mut psi).unwrap();
    method.tape_embedded(&FIELD, next, &from, &mut taped);
    let [mut a, mut b] = [PSI_BAR, PSI_HAT];
    let models = [&mut ZERO.clone(), &mut ZERO.clone()];
    let bars_of_next = [&PSI_BAR, &PSI_HAT];
    method.vjp_with_embedded(&FIELD, next, &mut taped, bars_of_next, [&mut a, &mut b], models);
    method.precede(&mut taped);
    assert_eq!(back(method, (&mut taped, &mut extra), true), [bars, hats], "{}", M::NAME);
}

macro_rules! tests {
    ($($name:ident $Method:ident $kind:ident;)*) => {
        $(#[test]
        fn $name() {
            check(&revode::methods::$Method);
            tests!(@$kind $Method);
        })*
    };
    (@fixed $Method:ident) => {};
    (@adaptive $Method:ident) => {
        check_embedded(&revode::methods::$Method);
    };
}

for_each_method!(tests);
