//! How do I use a Runge–Kutta method of my own? Declares one with free parameters, reads what was
//! proved of it, and measures its order.
//!
//! `cargo run --release --example custom_method`; then change a coefficient and read the error.

use revode::Tableau;
use revode::prelude::*;

/// The third-order family of Kutta with the nodes 2/5 and 4/5.
#[tableau(
    order = 3,
    c = [0, 2/5, 4/5],
    a = [[], [2/5], [-1/5, 1]],
    b = [1/6, 5/12, 5/12],
)]
pub struct Mine;

ode! {
    /// A pendulum with friction.
    struct Pendulum {
        state  { angle, rate }
        params { friction, gravity }
    }
    dangle/dt = rate;
    drate/dt  = -gravity * sin(angle) - friction * rate;
}

fn main() -> Result<(), SolveError> {
    println!(
        "{}: order {}, {} stages, reversed by a negative step to order {}, proof {}",
        Mine::NAME,
        Mine::ORDER,
        Mine::STAGES,
        Mine::SYMMETRY_ORDER,
        Mine::PROOF,
    );
    let problem = Problem::new(Pendulum { friction: 0.1, gravity: 9.81 }, [1.0, 0.0], 0.0..2.0);
    let exact = Solver::new(Vern8).tolerance(1e-13, 1e-13).solve(&problem, SaveAt::end())?.y[0];
    let mut last: Option<f64> = None;
    for steps in [50, 100, 200, 400] {
        let solver = Solver::new(Mine).fixed_step(2.0 / f64::from(steps));
        let error: f64 = (solver.solve(&problem, SaveAt::end())?.y[0] - exact).norm();
        let order = last.map_or(f64::NAN, |last| (last / error).log2());
        println!("{steps:4} steps: error {error:.2e}, observed order {order:.2}");
        last = Some(error);
    }
    Ok(())
}
