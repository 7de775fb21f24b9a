//! The parasitic mode of the pairs without damping stays down where the solution does not show it: behind an
//! oscillation, and at rest.
//!
//! `cargo test --release -p revode-testing --test parasitic -- --nocapture --test-threads 1` prints the table of
//! `docs/guarded.md`.

use revode::gradient::Strategy;
use revode::nalgebra::{Matrix3, Vector3};
use revode::prelude::*;
use revode::{any_method, for_each_method};
use revode_testing::compare::{difference, flat};
use revode_testing::loss::{component, squared_length};

ode! {
    struct Linear {
        state  { u: [3] }
        params { a: [3, 3] }
    }
    du/dt = a @ u;
}

/// An oscillation of frequency 1, from which the solution starts, and a contraction at `rate`, neither of them
/// along an axis; and the contracting direction.
fn turned(rate: f64) -> (Problem<f64, Linear>, Vector3<f64>) {
    let contracting = Vector3::new(1.0, 2.0, -1.5).normalize();
    let first = contracting.cross(&Vector3::x()).normalize();
    let second = contracting.cross(&first);
    let axes = Matrix3::from_columns(&[first, second, contracting]);
    let own = Matrix3::new(0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, -rate);
    let field = Linear { a: axes * own * axes.transpose() };
    (Problem::new(field, first, 0.0..60.0), contracting)
}

for_each_method!(any_method);

fn gradient<G: Strategy>(
    method: AnyMethod,
    h: f64,
    strategy: G,
    problem: &Problem<f64, Linear>,
    loss: &impl Loss<f64, Vector3<f64>>,
) -> Vec<f64> {
    let solver = Solver::new(method).fixed_step(h).strategy(strategy);
    let found = solver.gradient(problem, SaveAt::end(), loss).unwrap();
    flat(&found)
}

/// How far the gradient of the plain method is from that of half the step, and the guarded and the exact one
/// from it.
fn compare(
    method: AnyMethod,
    h: f64,
    problem: &Problem<f64, Linear>,
    loss: &impl Loss<f64, Vector3<f64>>,
) -> [f64; 3] {
    let plain = gradient(method, h, StoreAll, problem, loss);
    [
        difference(&gradient(method, 0.5 * h, StoreAll, problem, loss), &plain),
        difference(&gradient(method, h, Guarded::default(), problem, loss), &plain),
        difference(&gradient(method, h, Exact::default(), problem, loss), &plain),
    ]
}

fn behind_an_oscillation(method: AnyMethod) {
    for (h, rate) in [(0.01, 10.0), (0.05, 1.0), (0.05, 5.0), (0.1, 5.0), (0.2, 1.0), (0.2, 3.0)] {
        let (problem, contracting) = turned(rate);
        let along = Terminal::new(
            move |y: &Vector3<f64>| contracting.dot(y),
            move |_: &Vector3<f64>| contracting,
        );
        let losses = [
            ("contracting", compare(method, h, &problem, &along)),
            ("length", compare(method, h, &problem, &squared_length())),
        ];
        for (loss, [own, guarded, exact]) in losses {
            let name = format!("{method:?}");
            println!(
                "{name:10} h = {h:4}, rate {rate:2}, {loss:11} plain off by {own:.0e}, guarded from it by {guarded:.0e}, exact by {exact:.0e}"
            );
            // As accurate as the method, or as the quanta are over 300 to 6,000 steps (2e-11 was measured).
            // Before the cotangents were watched it was 1e8 times the size of the gradient.
            let bound = 5.0 * own + 1e-10;
            assert!(
                guarded <= bound && exact <= bound,
                "{name}, {h}, {rate}, {loss}: {own:e}, {guarded:e}, {exact:e}"
            );
        }
    }
}

#[test]
fn the_parasitic_mode_stays_down_behind_an_oscillation() {
    for method in AnyMethod::ALL {
        behind_an_oscillation(*method);
    }
}

ode! {
    struct Rest {
        state  { x }
        params { rate }
    }
    dx/dt = rate * (1 - x);
}

/// A solution at rest that contracts slowly, by so little in a step that a gap of a few quanta would not move if
/// increments were rounded to nearest.
#[test]
fn slow_contraction_at_rest() {
    for (rate, steps) in
        [(0.06, 3_000), (1e-2, 20_000), (3e-3, 70_000), (1e-4, 200_000), (1e-5, 200_000)]
    {
        let problem = Problem::new(Rest { rate }, [1.0], 0.0..f64::from(steps));
        let loss = component(0);
        let solver = Solver::new(Rk4).fixed_step(1.0);
        let expected = (-rate * f64::from(steps)).exp();
        let guarded =
            solver.strategy(Guarded::default()).gradient(&problem, SaveAt::end(), &loss).unwrap();
        let exact =
            solver.strategy(Exact::default()).gradient(&problem, SaveAt::end(), &loss).unwrap();
        for (name, found) in [("guarded", guarded), ("exact", exact)] {
            let off = (found.y0[0] / expected - 1.0).abs();
            println!(
                "{name}, {rate:e} a step, {steps} steps: {:.3e}, relative error {off:.0e}",
                found.y0[0]
            );
            assert!(off < 1e-3, "{name}, {rate}: {:e} for {expected:e}", found.y0[0]);
        }
    }
}
