//! The VJP of an increment with respect to the state, the parameters and the time of its step, for every method.

use revode::nalgebra::Vector2;
use revode::{MethodVjp, Step, Tableau, for_each_method, ode};

ode! {
    /// Depends on time, nonlinearly.
    struct Driven {
        state  { x, y }
        params { a, omega }
    }
    dx/dt = a * x * cos(omega * t) + sin(t * y);
    dy/dt = x^2 * t - y;
}

/// The increment of a step from `u`.
fn increment<M: MethodVjp<f64, Driven>>(
    method: &M,
    field: &Driven,
    step: Step<f64>,
    u: Vector2<f64>,
) -> Vector2<f64> {
    let mut psi = Vector2::zeros();
    let mut stages = method.stages(field, &u);
    method.increment(field, step, &u, &mut stages, &mut psi).unwrap();
    psi
}

/// Central differences with steps of 1e-5: an error of `1e-10` times the third derivatives, which are below 100, and
/// rounding of 1e-11.
fn check<M: MethodVjp<f64, Driven> + Tableau>(method: &M) {
    let (field, u) = (Driven { a: 0.7, omega: 1.3 }, Vector2::new(0.8, -0.4));
    let step = Step::new(0, 0.6, 0.15);
    let psi_bar = Vector2::new(1.1, -0.3);
    let mut taped = method.taped(&field, &u);
    let (mut psi, mut u_bar) = (Vector2::zeros(), Vector2::zeros());
    let mut field_bar = Driven { a: 0.0, omega: 0.0 };
    method.increment_taped(&field, step, &u, &mut taped, &mut psi).unwrap();
    assert_eq!(psi, increment(method, &field, step, u), "{}", M::NAME);
    let t_bar =
        method.increment_vjp(&field, step, &mut taped, &psi_bar, &mut u_bar, &mut field_bar);

    let d = 1e-5;
    let close = |what: &str, found: f64, at: &dyn Fn(f64) -> Vector2<f64>| {
        let expected = psi_bar.dot(&(at(d) - at(-d))) / (2.0 * d);
        assert!((found - expected).abs() <= 2e-8, "{} {what}: {found} {expected}", M::NAME);
        assert!(expected.abs() > 1e-3, "{} {what}: nothing is tested", M::NAME);
    };
    let moved = |d| Step::new(0, step.t + d, step.h);
    close("t", t_bar, &|d| increment(method, &field, moved(d), u));
    close("x", u_bar.x, &|d| increment(method, &field, step, u + Vector2::new(d, 0.0)));
    close("y", u_bar.y, &|d| increment(method, &field, step, u + Vector2::new(0.0, d)));
    let moved = |a: f64, omega: f64| Driven { a: field.a + a, omega: field.omega + omega };
    close("a", field_bar.a, &|d| increment(method, &moved(d, 0.0), step, u));
    close("omega", field_bar.omega, &|d| increment(method, &moved(0.0, d), step, u));
}

macro_rules! tests {
    ($($name:ident $Method:ident $kind:ident;)*) => {
        $(#[test]
        fn $name() {
            check(&revode::methods::$Method);
        })*
    };
}

for_each_method!(tests);
