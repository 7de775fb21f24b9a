//! What certainty costs: guarded and exact reversal beside the published one where that works.
//!
//! `cargo bench --bench reversal`

mod common;

use std::hint::black_box;

use common::hand::compare;
use common::models::{lorenz, network};
use revode::gradient::Strategy;
use revode::prelude::*;

const STEPS: usize = 500;
const H: f64 = 1e-3;

/// Prints the time of a strategy's gradient beside that of the published one, a step.
fn beside_published<F, G>(name: &str, problem: &Problem<f64, F>, strategy: G)
where
    F: FieldVjp<f64>,
    G: Strategy,
{
    let solver = Solver::new(Rk4).fixed_step(H);
    // (Its cotangents grow on Lorenz's equations, beyond what the default accuracy lets pass.)
    let published = solver.strategy(Reversible::coupling(0.999).accuracy(1e-6));
    let solver = solver.strategy(strategy);
    let value = |y: &F::State| y.as_slice()[0];
    let loss = Terminal::new(value, |y: &F::State| {
        let mut gradient = y.zeros_like();
        gradient.as_mut_slice()[0] = 1.0;
        gradient
    });
    let ours = || solver.gradient(black_box(problem), SaveAt::end(), &loss).expect("reversed").loss;
    let theirs =
        || published.gradient(black_box(problem), SaveAt::end(), &loss).expect("reversed").loss;
    compare(name, STEPS, ours, theirs);
}

fn main() {
    let problem = lorenz(STEPS, H);
    beside_published("Lorenz, RK4, guarded", &problem, Guarded::default());
    beside_published("Lorenz, RK4, exact", &problem, Exact::default());
    beside_published("Lorenz, RK4, exact, rate 25", &problem, Exact::default().rate(25.0));
    beside_published("Lorenz, RK4, store-all of the plain method", &problem, StoreAll);
    let y0 = [0.1, -0.2, 0.3, 0.4];
    let problem = Problem::new(network::<4, 10>(), y0, 0.0..STEPS as f64 * H);
    beside_published("network 4-10-4, RK4, guarded", &problem, Guarded::default());
    beside_published("network 4-10-4, RK4, exact", &problem, Exact::default());
    beside_published("network 4-10-4, RK4, store-all of the plain method", &problem, StoreAll);
}
