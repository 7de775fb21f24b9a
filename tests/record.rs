//! The record of adaptive steps takes at most 2 bits a step, and the ladder of step sizes that makes
//! it so short costs few steps.
//!
//! `cargo test --test record -- --nocapture` prints the table of `docs/record.md`.

use revode::prelude::*;
use revode::{EmbeddedMethod, MethodVjp};
use revode_testing::dynamics::{DoublePendulum, Kepler, Lorenz, LotkaVolterra, VanDerPol};

/// The first and the last run, which every record of adaptive steps has.
const ENDS: usize = 64;

/// Solves over one and over ten times the span, prints a row of the table, and compares with the
/// `(accepted, rejected)` steps that exactly the sizes asked for take.
fn row<M, F>(name: &str, method: M, tolerance: f64, problem: &Problem<f64, F>, before: (u64, u64))
where
    M: MethodVjp<f64, F> + EmbeddedMethod<f64, F> + Clone,
    F: FieldVjp<f64>,
{
    let solver = Solver::new(method).tolerance(tolerance, tolerance);
    let loss =
        Terminal::new(|y: &F::State| y.as_slice().iter().sum(), |y: &F::State| y.zeros_like());
    let kept = |span: f64| {
        let t1 = problem.t0 + span * (problem.t1 - problem.t0);
        let problem = Problem { t1, ..problem.clone() };
        let stats =
            solver.clone().strategy(StoreAll).unchecked().gradient(&problem, SaveAt::end(), &loss);
        let stats = stats.unwrap().stats;
        let save_point = 8;
        let states = 8 * problem.y0.len() * (stats.accepted as usize + 1);
        (stats.accepted as f64, stats.bytes_kept - states - save_point)
    };
    let stats = solver.solve(problem, SaveAt::end()).unwrap().stats;
    let (tries, tries_before) = (stats.accepted + stats.rejected, before.0 + before.1);
    let growth = 100.0 * (tries as f64 / tries_before as f64 - 1.0);
    let bits = |bytes: usize, steps: f64| 8.0 * (bytes - ENDS) as f64 / steps;
    let (steps, bytes) = kept(1.0);
    let (long_steps, long_bytes) = kept(10.0);
    println!(
        "| {name} | {} + {} | {} + {} | {growth:+.1} % | {bytes} | {:.2} | {long_steps} | {long_bytes} | {:.2} |",
        before.0,
        before.1,
        stats.accepted,
        stats.rejected,
        bits(bytes, steps),
        bits(long_bytes, long_steps)
    );
    assert!(growth < 5.0, "{name}: {growth} % more steps");
    for bits in [bits(bytes, steps), bits(long_bytes, long_steps)] {
        assert!(bits <= 2.0, "{name}: {bits} bits a step, but for the {ENDS} bytes");
    }
    // First-same-as-last is not lost to the rounding of times: six evaluations a step, not seven, but
    // for some steps of the size that a run started with. The fastest modes are looked at by two evaluations every
    // 16 steps, every 4 where stability is near.
    let stages = if tolerance < 1e-7 { 6 } else { 3 };
    let more = stats.evaluations - stages * tries;
    let looks = 2 * (tries / 4 + 20);
    assert!(more < tries / 20 + looks, "{name}: {more} evaluations more than {stages} a step");
}

#[test]
fn the_record_takes_two_bits_a_step() {
    println!(
        "steps, then the record in bytes and in bits a step but for {ENDS} bytes; the same for a span ten times as long"
    );
    println!("| problem | exact sizes | ladder | | bytes | bits | steps | bytes | bits |");
    let lorenz = Lorenz { sigma: 10.0, rho: 28.0, beta: 8.0 / 3.0 };
    let problem = Problem::new(lorenz, [1.0, 1.0, 1.0], 0.0..10.0);
    row("Lorenz, Tsit5 1e-8", Tsit5, 1e-8, &problem, (715, 11));
    let field = LotkaVolterra { alpha: 1.5, beta: 1.0, delta: 1.0, gamma: 3.0 };
    let problem = Problem::new(field, [1.0, 1.0], 0.0..10.0);
    row("Lotka–Volterra, Tsit5 1e-8", Tsit5, 1e-8, &problem, (197, 7));
    let problem = Problem::new(VanDerPol { mu: 10.0 }, [2.0, 0.0], 0.0..50.0);
    row("van der Pol, Bosh3 1e-6", Bosh3, 1e-6, &problem, (1996, 85));
    // Of eccentricity 0.6 from its pericentre: `r` from 0.4 to 1.6, period 2 π.
    let problem = Problem::new(Kepler { mass: 1.0 }, [0.4, 0.0, 0.0, 2.0], 0.0..20.0);
    row("Kepler, Tsit5 1e-8", Tsit5, 1e-8, &problem, (263, 21));
    let field = DoublePendulum { g: 9.81, m: 1.0 };
    let problem = Problem::new(field, [1.5, 1.0, 0.0, 0.0], 0.0..10.0);
    row("double pendulum, Bosh3 1e-6", Bosh3, 1e-6, &problem, (1479, 47));
}
