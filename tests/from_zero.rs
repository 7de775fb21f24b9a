//! States that start at 0, stay there or end there: every strategy differentiates them, and no text speaks of
//! infinity or NaN.

use revode::gradient::Strategy;
use revode::nalgebra::Vector4;
use revode::prelude::*;

ode! {
    /// From 0: `u = a t`, `v` stays there, `w` is `b sin t` with the derivative `c`.
    struct FromZero {
        state  { u, v, w, c }
        params { a, k }
    }
    du/dt = a;
    dv/dt = -k * v;
    dw/dt = k * c;
    dc/dt = -k * w;
}

/// The sum of `u` and `w`.
struct Sum;

impl Loss<f64, Vector4<f64>> for Sum {
    fn value(&self, _: usize, _: f64, y: &Vector4<f64>) -> Result<f64, SolveError> {
        Ok(y[0] + y[2])
    }
    fn cotangent(&self, _: usize, _: f64, _: &Vector4<f64>, bar: &mut Vector4<f64>) {
        bar[0] += 1.0;
        bar[2] += 1.0;
    }
}

fn readable(text: &str) {
    for word in ["inf", "NaN", "segments", "000000"] {
        assert!(!text.contains(word), "{text}");
    }
}

/// `u = a t`, `w = c0 sin(k t) + w0 cos(k t)`.
fn check<G: Strategy + Copy>(strategy: G) {
    for (start, span) in [
        ([0.0, 0.0, 0.0, 1.0], 0.0..2.0),
        ([0.0; 4], 0.0..2.0),
        // `u` ends at 0.
        ([1.4, 0.0, 0.0, 1.0], 2.0..0.0),
    ] {
        let problem = Problem::new(FromZero { a: 0.7, k: 1.0 }, start, span);
        let t = problem.t1 - problem.t0;
        let solver = Solver::new(Tsit5).strategy(strategy);
        let adaptive = solver.tolerance(1e-8, 1e-8).gradient(&problem, SaveAt::end(), &Sum);
        let fixed = solver.fixed_step(0.01).gradient(&problem, SaveAt::end(), &Sum);
        // A solution that is a straight line says nothing of how long steps its cotangents allow.
        let bound = if start[3] == 0.0 { 1e-2 } else { 1e-5 };
        for (fit, bound) in [(adaptive.unwrap(), bound), (fixed.unwrap(), 1e-5)] {
            readable(&fit.stats.to_string());
            let errors = [
                fit.loss - (start[0] + 0.7 * t + start[3] * t.sin()),
                fit.model.a - t,
                fit.model.k - start[3] * t * t.cos(),
                (fit.y0 - Vector4::new(1.0, 0.0, t.cos(), t.sin())).abs().max(),
            ];
            assert!(errors.iter().all(|error| error.abs() < bound), "{errors:?} {}", fit.stats);
        }
    }
}

#[test]
fn every_strategy_starts_from_zero() {
    check(Auto::default());
    check(Auto::memory(0));
    check(StoreAll);
    check(Checkpointed::slots(4));
    check(Guarded::default());
    check(Guarded::default().memory(0));
    check(Exact::default());
    check(Reversible::default());
    check(Reversible::coupling(1.0).accuracy(1e-6));
}

ode! {
    /// `y = sin t`, which ends at 0, with a contraction to it that tears the published pair apart.
    struct Contracting {
        state  { y }
        params { rate }
    }
    dy/dt = cos(t) - rate * (y - sin(t));
}

/// What the published pair says where it ends at 0 or has never left it.
#[test]
fn errors_of_the_published_pair_are_numbers() {
    let loss = revode_testing::loss::component(0);
    for (end, rate) in [(std::f64::consts::PI, 30.0), (1e-300, 0.0), (1.0, 8.0)] {
        let problem = Problem::new(Contracting { rate }, [0.0], 0.0..end);
        let strategy = Reversible::default().largest_gap(f64::INFINITY).accuracy(1e-12);
        let solver = Solver::new(Rk4).fixed_step(0.01 * end).strategy(strategy);
        match solver.gradient(&problem, SaveAt::end(), &loss) {
            Ok(fit) => readable(&fit.stats.to_string()),
            Err(error) => readable(&error.to_string()),
        }
    }
}
