//! Gradients: time a step (one forward and one backward), beside the same written by hand, and the
//! strategies beside each other.
//!
//! `cargo bench --bench gradient`

mod common;

use std::hint::black_box;

use common::hand::{self, compare};
use common::models::{lorenz, network};
use criterion::{Criterion, criterion_group, criterion_main};
use revode::gradient::Strategy;
use revode::prelude::*;
use revode_testing::loss::squared_length;

const STEPS: usize = 1000;
const LAMBDA: f64 = 0.999;

/// The numbers are compared before the times are.
fn agree(ours: f64, by_hand: f64) {
    assert!((ours - by_hand).abs() <= 1e-9 * by_hand.abs(), "{ours} {by_hand}");
}

fn ratios() {
    let (h, y0) = (1e-3, [1.0, 1.0, 1.0]);
    let parameters = [10.0, 28.0, 8.0 / 3.0];
    let problem = lorenz(STEPS / 2, h);
    let solver = Solver::new(Rk4).fixed_step(h).strategy(Reversible::coupling(LAMBDA));
    let loss = squared_length();
    let ours = || solver.gradient(black_box(&problem), SaveAt::end(), &loss).expect("reversible");
    let by_hand = || hand::lorenz::gradient(black_box(&parameters), y0, h, STEPS / 2, LAMBDA);
    agree(ours().loss, by_hand().0);
    agree(ours().model.beta, by_hand().2[2]);
    compare("Lorenz, RK4, reversible gradient", STEPS / 2, ours, by_hand);

    let field = network::<4, 10>();
    let by_hand = hand::network::Network {
        w1: field.w1.data.0,
        b1: field.b1.data.0[0],
        w2: field.w2.data.0,
        b2: field.b2.data.0[0],
    };
    let y0 = [0.1, -0.2, 0.3, 0.4];
    let problem = Problem::new(field, y0, 0.0..STEPS as f64 * h);
    let loss = squared_length();
    let ours = || solver.gradient(black_box(&problem), SaveAt::end(), &loss).expect("reversible");
    let by_hand = || hand::network::gradient(black_box(&by_hand), y0, h, STEPS, LAMBDA);
    agree(ours().loss, by_hand().0);
    agree(ours().model.w1[(3, 2)], by_hand().2.w1[2][3]);
    compare("network 4-10-4, RK4, reversible gradient", STEPS, ours, by_hand);
}

/// A gradient with the estimate of its error beside one without, adaptive steps of Tsit5 at 1e-8.
fn estimates() {
    fn beside<F: FieldVjp<f64>, G: Strategy + Copy>(
        name: &str,
        problem: &Problem<f64, F>,
        solver: &Solver<Tsit5, Adaptive, G>,
    ) {
        let loss = squared_length();
        let gradient = |solver: &Solver<Tsit5, Adaptive, G>| {
            solver.gradient(black_box(problem), SaveAt::end(), &loss).expect("accurate")
        };
        let stats = gradient(solver).stats;
        println!("{name}: {stats}");
        assert_eq!(stats.refinements, 0);
        let unchecked = solver.unchecked();
        compare(
            &format!("{name}, {}, with estimate beside unchecked", stats.strategy.name()),
            stats.accepted as usize,
            || gradient(solver),
            || gradient(&unchecked),
        );
    }
    fn both<F: FieldVjp<f64>>(name: &str, problem: &Problem<f64, F>) {
        let solver = Solver::new(Tsit5).tolerance(1e-8, 1e-8);
        beside(name, problem, &solver);
        beside(name, problem, &solver.strategy(Guarded::default()));
    }
    both("Lorenz to 5", &lorenz(500, 1e-2));
    let y0 = [0.1, -0.2, 0.3, 0.4];
    both("network 4-10-4 to 20", &Problem::new(network::<4, 10>(), y0, 0.0..20.0));
    both("Lotka-Volterra to 10", &common::models::lotka_volterra());
}

fn strategies(c: &mut Criterion) {
    ratios();
    estimates();
    let mut group = c.benchmark_group("gradient, network 4-10-4, RK4, 1000 steps");
    let y0 = [0.1, -0.2, 0.3, 0.4];
    let problem = Problem::new(network::<4, 10>(), y0, 0.0..1.0);
    let solver = Solver::new(Rk4).fixed_step(1e-3);
    let loss = squared_length();
    macro_rules! strategy {
        ($($name:literal: $strategy:expr;)*) => {$(
            let solver = solver.strategy($strategy);
            group.bench_function($name, |b| {
                b.iter(|| solver.gradient(black_box(&problem), SaveAt::end(), &loss));
            });
        )*};
    }
    strategy! {
        "reversible": Reversible::coupling(LAMBDA);
        "store-all of the pair": StoreAll.along(Reversible::coupling(LAMBDA));
        "store-all": StoreAll;
        "checkpointed, 44 slots": Checkpointed::slots(44);
        "checkpointed, 4 slots": Checkpointed::slots(4);
    }
    group.finish();

    let mut group = c.benchmark_group("gradient, Lotka-Volterra, T = 10, adaptive Tsit5 at 1e-8");
    let problem = common::models::lotka_volterra();
    let loss = squared_length();
    let solver = Solver::new(Tsit5).tolerance(1e-8, 1e-8).unchecked();
    let stored = solver.strategy(StoreAll);
    group.bench_function("reversible", |b| {
        b.iter(|| solver.gradient(black_box(&problem), SaveAt::end(), &loss));
    });
    group.bench_function("store-all", |b| {
        b.iter(|| stored.gradient(black_box(&problem), SaveAt::end(), &loss));
    });
    group.finish();
}

criterion_group!(benches, strategies);
criterion_main!(benches);
