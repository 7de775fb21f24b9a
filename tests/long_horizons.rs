#[path = "common/dynamics.rs"]
mod dynamics;

use dynamics::*;
use revode::gradient::GradientStrategy;
use revode::prelude::*;

fn flat<F: FieldVjp<f64>>(fit: &Gradient<F, F::State, f64>) -> Vec<f64> {
    fit.y0.as_slice().iter().chain(fit.model.slices().flatten()).copied().collect()
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    let largest = b.iter().fold(0.0_f64, |max, x| max.max(x.abs()));
    let difference = a
        .iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, |m: f64, d| if d <= m { m } else { d });
    difference / largest
}

fn run<F, C>(name: &str, steps: &str, solver: Solver<Tsit5, C>, problem: &Problem<f64, F>)
where
    F: FieldVjp<f64>,
    C: Copy,
    Guarded: GradientStrategy<f64, F, Tsit5, C>,
    Exact: GradientStrategy<f64, F, Tsit5, C>,
    StoreAll: GradientStrategy<f64, F, Tsit5, C>,
    revode::gradient::Along<StoreAll, Guarded>: GradientStrategy<f64, F, Tsit5, C>,
    revode::gradient::Along<StoreAll, Exact>: GradientStrategy<f64, F, Tsit5, C>,
    Reversible: GradientStrategy<f64, F, Tsit5, C>,
{
    let norm = |y: &F::State| y.as_slice().iter().map(|y| y * y).sum::<f64>();
    let gradient = |y: &F::State| {
        let mut g = y.clone();
        g.as_mut_slice().iter_mut().for_each(|y| *y *= 2.0);
        g
    };
    let loss = Terminal::new(norm, gradient);
    let save = || SaveAt::end();
    let guarded = solver.strategy(Guarded).gradient(problem, save(), &loss).unwrap();
    let stored = solver.strategy(StoreAll.along(Guarded)).gradient(problem, save(), &loss).unwrap();
    let exact = solver.strategy(Exact::default()).gradient(problem, save(), &loss).unwrap();
    let exact_stored =
        solver.strategy(StoreAll.along(Exact::default())).gradient(problem, save(), &loss).unwrap();
    let plain = solver.strategy(StoreAll).gradient(problem, save(), &loss).unwrap();
    let published = solver.strategy(Reversible::coupling(0.999)).gradient(problem, save(), &loss);
    println!(
        "{name:15} T={:5} {steps:8} n={:6} anchors={:5} cert={:.1e} again={:3} diff={:.1e} | bits={:.0} diff={:.1e} | guarded-plain={:.1e} exact-plain={:.1e} bytes={} {}",
        problem.t1,
        guarded.stats.accepted,
        guarded.stats.anchors,
        guarded.stats.certificate.unwrap(),
        guarded.stats.recomputed,
        difference(&flat(&guarded), &flat(&stored)),
        exact.stats.buffer_bits,
        difference(&flat(&exact), &flat(&exact_stored)),
        difference(&flat(&guarded), &flat(&plain)),
        difference(&flat(&exact), &flat(&plain)),
        guarded.stats.bytes_kept,
        match published {
            Ok(p) => format!("{:.1e}", difference(&flat(&p), &flat(&plain))),
            Err(e) => e.to_string()[..60].to_owned(),
        }
    );
}

macro_rules! tests {
    ($($name:ident: $field:expr, $y0:expr, $h:expr;)*) => {
        $(#[test]
        fn $name() {
            for t in [1.0, 10.0, 100.0] {
                let problem = Problem::new($field, $y0, 0.0..t);
                for d in [1.0, 4.0, 16.0] {
                run(stringify!($name), "fixed", Solver::new(Tsit5).fixed_step($h / d), &problem);
                }
                run(stringify!($name), "1e-6", Solver::new(Tsit5).tolerance(1e-6, 1e-6), &problem);
                run(stringify!($name), "1e-9", Solver::new(Tsit5).tolerance(1e-9, 1e-9), &problem);
            }
        })*
    };
}

for_each_dynamics!(tests);
