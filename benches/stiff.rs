//! Stiff problems by Rosenbrock methods: steps, error and time, and what a gradient costs beside the solve.
//!
//! `cargo bench --bench stiff`. Each time is the least of several rounds, and the ratio is of both within one run.

#![allow(missing_docs)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use revode::nalgebra::SVector;
use revode::prelude::*;
use revode::{JacobianVjp, MethodVjp, Rosenbrock};
use revode_testing::dynamics::{Robertson, VanDerPol};

ode! {
    /// High irradiance responses of photomorphogenesis.
    struct Hires {
        state  { a, b, c, d, e, f, g, h }
        params { k: [8] }
    }
    let bound = 280 * f * h;
    da/dt = -k[0] * a + k[1] * b + k[2] * c + 0.0007;
    db/dt = k[0] * a - 8.75 * b;
    dc/dt = -10.03 * c + k[1] * d + k[3] * e;
    dd/dt = k[2] * b + k[0] * c - k[4] * d;
    de/dt = -1.745 * e + k[1] * f + k[1] * g;
    df/dt = -bound + k[5] * d + k[0] * e - k[1] * f + k[5] * g;
    dg/dt = bound - k[6] * g;
    dh/dt = -bound + k[7] * g;
}

/// The least time of 9 rounds.
fn least<R>(mut run: impl FnMut() -> R) -> Duration {
    let round = |_| {
        let start = Instant::now();
        black_box(run());
        start.elapsed()
    };
    (0..9).map(round).min().unwrap_or_default()
}

fn row<M, F, const N: usize>(
    name: &str,
    method: M,
    problem: &Problem<f64, F>,
    right: [f64; N],
    tolerance: f64,
) where
    M: Rosenbrock + MethodVjp<f64, F> + revode::EmbeddedMethod<f64, F> + Copy,
    F: JacobianVjp<f64> + VectorField<f64, State = SVector<f64, N>>,
{
    let absolute = 1e-4 * tolerance;
    let solver = Solver::new(method).tolerance(tolerance, absolute);
    let end = solver.solve(problem, SaveAt::end()).expect("it is solved");
    let units = end.y[0]
        .iter()
        .zip(right)
        .map(|(y, right)| (y - right).abs() / (tolerance * right.abs() + absolute));
    let units = units.fold(0.0, f64::max);
    let sum =
        Terminal::new(|y: &SVector<f64, N>| y.sum(), |_: &SVector<f64, N>| SVector::repeat(1.0));
    let forward = least(|| solver.solve(problem, SaveAt::end()));
    let unchecked = solver.unchecked();
    let gradient = least(|| unchecked.gradient(problem, SaveAt::end(), &sum));
    let checked = least(|| solver.gradient(problem, SaveAt::end(), &sum));
    println!(
        "| {name} | {tolerance:.0e} | {} | {} + {} | {units:.1} | {:.0} µs | {:.1} | {:.1} |",
        M::NAME,
        end.stats.accepted,
        end.stats.rejected,
        forward.as_secs_f64() * 1e6,
        gradient.as_secs_f64() / forward.as_secs_f64(),
        checked.as_secs_f64() / forward.as_secs_f64(),
    );
}

/// The gradient along van der Pol's equation, of the sum of the end's components: that of the discrete solution, and the one
/// that is near enough to the equation's by its estimate, or the error.
fn gradients(problem: &Problem<f64, VanDerPol>) {
    let sum =
        Terminal::new(|y: &SVector<f64, 2>| y.sum(), |_: &SVector<f64, 2>| SVector::repeat(1.0));
    println!(
        "\n| tolerance | ∂/∂x0, unchecked | steps | with its estimate | steps |\n|---|---|---|---|---|"
    );
    for tolerance in [1e-4, 1e-6, 1e-8, 1e-10, 1e-12] {
        let solver = Solver::new(Rodas5P).tolerance(tolerance, 1e-4 * tolerance);
        let found =
            solver.unchecked().gradient(problem, SaveAt::end(), &sum).expect("it is finite");
        let row = format!("| {tolerance:.0e} | {:.6} | {}", found.y0.x, found.stats.accepted);
        match solver.gradient(problem, SaveAt::end(), &sum) {
            Ok(fit) => println!("{row} | {:.6} | {} |", fit.y0.x, fit.stats.accepted),
            Err(error) => {
                let text = error.to_string();
                println!("{row} | {} | |", text.split(';').next().unwrap_or_default());
            }
        }
    }
}

fn main() {
    let robertson = Robertson { k1: 0.04, k2: 3e7, k3: 1e4 };
    let robertson = Problem::new(robertson, [1.0, 0.0, 0.0], 0.0..1e11);
    let robertson_end =
        [2.083_340_149_701_255e-8, 8.333_360_770_334_713e-14, 0.999_999_979_166_507];
    let van_der_pol = Problem::new(VanDerPol { mu: 1000.0 }, [2.0, 0.0], 0.0..2000.0);
    let van_der_pol_end = [1.706_167_732_170_483, -8.928_097_010_247_975e-4];
    let k = SVector::from([1.71, 0.43, 8.32, 0.035, 1.12, 0.69, 1.81, 1.81]);
    let hires =
        Problem::new(Hires { k }, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0057], 0.0..321.8122);
    let hires_end = [
        0.737_131_257_332_566_8e-3,
        0.144_248_572_631_618_5e-3,
        0.588_872_974_096_757_5e-4,
        0.117_565_134_328_314_9e-2,
        0.238_635_619_883_133_1e-2,
        0.623_896_825_274_279_6e-2,
        0.284_999_839_518_576_9e-2,
        0.285_000_160_481_423_1e-2,
    ];
    println!(
        "| problem | tolerance | method | steps + rejected | off, in tolerances | solve | gradient / solve | with its estimate |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for tolerance in [1e-4, 1e-6, 1e-8] {
        macro_rules! each {
            ($($M:ident)*) => {$(
                row("van der Pol, μ = 1000", $M, &van_der_pol, van_der_pol_end, tolerance);
                row("Robertson to 1e11", $M, &robertson, robertson_end, tolerance);
                row("HIRES", $M, &hires, hires_end, tolerance);
            )*};
        }
        each!(Rodas3 Rodas4 Rodas5P);
    }
    gradients(&van_der_pol);
}
