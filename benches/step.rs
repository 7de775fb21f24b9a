//! Forward: time a step, beside the same method written by hand.
//!
//! `cargo bench --bench step`

mod common;

use std::hint::black_box;
use std::time::{Duration, Instant};

use common::hand::{self, compare};
use common::models::{lorenz, network};
use criterion::{Criterion, criterion_group, criterion_main};
use revode::prelude::*;

const STEPS: usize = 1000;

fn ratios() {
    let (h, y0) = (1e-3, [1.0, 1.0, 1.0]);
    let problem = lorenz(STEPS, h);
    let parameters = [10.0, 28.0, 8.0 / 3.0];
    let solver = Solver::new(Rk4).fixed_step(h);
    compare(
        "Lorenz, RK4, forward",
        STEPS,
        || solver.solve(black_box(&problem), SaveAt::end()),
        || hand::lorenz::forward(black_box(&parameters), y0, h, STEPS),
    );
}

/// What 10,000 save points cost that are read from the interpolant: 10 and 10,000 of them in turns, the fastest of 60
/// rounds of each, and the difference for one value. Aim: 40 ns.
fn values() {
    let problem = lorenz(1, 10.0);
    macro_rules! method {
        ($($method:ident)*) => {$(
            let solver = Solver::new($method).tolerance(1e-6, 1e-6);
            let mut best = [Duration::MAX; 2];
            let mut evaluations = [0; 2];
            for _ in 0..60 {
                for (i, n) in [10.0, 10_000.0].into_iter().enumerate() {
                    let save = SaveAt::every(10.0 / n);
                    let start = Instant::now();
                    let solution = solver.solve(black_box(&problem), save);
                    best[i] = best[i].min(start.elapsed());
                    evaluations[i] = solution.map_or(0, |solution| solution.stats.evaluations);
                }
            }
            let [few, many] = best.map(|best| best.as_secs_f64() * 1e9);
            println!(
                "Lorenz, {:<8} 10,000 values {:5.1} ns/value, evaluations {} for 10, {} for 10,000",
                stringify!($method), (many - few) / 9990.0, evaluations[0], evaluations[1],
            );
        )*};
    }
    method!(Bosh3 Tsit5 Dopri5 Vern6 Vern8 Dopri8);
}

fn step(c: &mut Criterion) {
    ratios();
    values();
    let mut group = c.benchmark_group("forward, 1000 steps");
    let problem = lorenz(STEPS, 1e-3);
    macro_rules! method {
        ($($method:ident)*) => {$(
            let solver = Solver::new($method).fixed_step(1e-3);
            group.bench_function(concat!("Lorenz ", stringify!($method)), |b| {
                b.iter(|| solver.solve(black_box(&problem), SaveAt::end()));
            });
        )*};
    }
    method!(Euler Rk4 Bosh3 Tsit5 Vern8);
    let field = network::<4, 10>();
    let problem = Problem::new(field, [0.1, -0.2, 0.3, 0.4], 0.0..1.0);
    let solver = Solver::new(Rk4).fixed_step(1e-3);
    group.bench_function("network 4-10-4 Rk4", |b| {
        b.iter(|| solver.solve(black_box(&problem), SaveAt::end()));
    });
    group.finish();

    let mut group = c.benchmark_group("forward, adaptive");
    let problem = lorenz(1, 10.0);
    for (name, controller) in [("I", Pid::i()), ("PI", Pid::pi()), ("PID", Pid::pid())] {
        let control = Adaptive { rtol: 1e-8, atol: Some(1e-8), controller };
        let solver = Solver::new(Tsit5).control(control);
        let stats = solver.solve(&problem, SaveAt::end()).map(|solution| solution.stats);
        println!("Lorenz, T = 10, Tsit5 at 1e-8, {name}: {stats:?}");
        group.bench_function(format!("Lorenz, T = 10, Tsit5 at 1e-8, {name}"), |b| {
            b.iter(|| solver.solve(black_box(&problem), SaveAt::end()));
        });
    }
    group.finish();
}

criterion_group!(benches, step);
criterion_main!(benches);
