//! Time and memory of gradients against the number of steps and of parameters.
//!
//! `cargo bench --bench scaling`

mod common;

use std::hint::black_box;

use common::models::network;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use revode::prelude::*;
use revode_testing::loss::squared_length;

ode! {
    /// `y' = −rate y`.
    struct Decay {
        state  { y }
        params { rate }
    }
    dy/dt = -rate * y;
}

/// The midpoint method on a 1-10-1 network over [0, 1], as in the paper's complexity figure.
fn steps(c: &mut Criterion) {
    let mut group = c.benchmark_group("steps, network 1-10-1, midpoint");
    let loss = squared_length();
    println!("bytes kept for the backward pass");
    println!("{:>8} {:>12} {:>16} {:>12}", "steps", "reversible", "checkpointed 32", "store-all");
    for steps in [1_000_u64, 10_000, 100_000] {
        let problem = Problem::new(network::<1, 10>(), [1.0], 0.0..1.0);
        let solver = Solver::new(Midpoint).fixed_step(1.0 / steps as f64);
        let reversible = solver.strategy(Reversible::coupling(1.0));
        let checkpointed = solver.strategy(Checkpointed::slots(32));
        let stored = solver.strategy(StoreAll);
        group.throughput(Throughput::Elements(steps));
        let mut bytes = Vec::new();
        macro_rules! strategy {
            ($($name:literal: $solver:ident;)*) => {$(
                let found = $solver.gradient(&problem, SaveAt::end(), &loss).expect("solvable");
                bytes.push(found.stats.bytes_kept);
                group.bench_function(BenchmarkId::new($name, steps), |b| {
                    b.iter(|| $solver.gradient(black_box(&problem), SaveAt::end(), &loss));
                });
            )*};
        }
        strategy! {
            "reversible": reversible;
            "checkpointed, 32 slots": checkpointed;
            "store-all": stored;
        }
        println!("{steps:>8} {:>12} {:>16} {:>12}", bytes[0], bytes[1], bytes[2]);
    }
    group.finish();
}

/// RK4 on networks 4-H-4, 9 H + 4 parameters.
fn parameters(c: &mut Criterion) {
    let mut group = c.benchmark_group("parameters, network 4-H-4, RK4, 100 steps");
    let loss = squared_length();
    macro_rules! width {
        ($($width:literal)*) => {$(
            let problem = Problem::new(network::<4, $width>(), [0.1, -0.2, 0.3, 0.4], 0.0..1.0);
            let solver = Solver::new(Rk4).fixed_step(0.01);
            group.throughput(Throughput::Elements(9 * $width + 4));
            group.bench_function(BenchmarkId::from_parameter(9 * $width + 4), |b| {
                b.iter(|| solver.gradient(black_box(&problem), SaveAt::end(), &loss));
            });
        )*};
    }
    width!(4 8 16 32 64 128);
    group.finish();
}

/// Checkpoints of 200,000 steps of a cheap field: what placing them costs, which the number of slots
/// must not change. (More slots save steps that are taken again: 4 times as many with 100 slots as
/// with 30,000.)
fn slots(c: &mut Criterion) {
    const STEPS: u32 = 200_000;
    let mut group = c.benchmark_group("slots, decay, midpoint, 200,000 steps");
    let loss = squared_length();
    let problem = Problem::new(Decay { rate: 1e-3 }, [1.0], 0.0..f64::from(STEPS));
    group.throughput(Throughput::Elements(u64::from(STEPS)));
    group.sample_size(10);
    for slots in [100, 3_000, 30_000] {
        let solver = Solver::new(Midpoint).fixed_step(1.0).strategy(Checkpointed::slots(slots));
        group.bench_function(BenchmarkId::from_parameter(slots), |b| {
            b.iter(|| solver.gradient(black_box(&problem), SaveAt::end(), &loss));
        });
    }
    group.finish();
}

criterion_group!(benches, steps, parameters, slots);
criterion_main!(benches);
