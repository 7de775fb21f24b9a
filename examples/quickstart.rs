//! How do I fit a parameter of an ODE? Recovers two Lotka–Volterra rates from a simulated path.
//!
//! `cargo run --release --example quickstart`

use revode::prelude::*;

ode! {
    /// Lotka–Volterra predator–prey model.
    pub struct LotkaVolterra {
        state  { x, y }
        params { alpha, beta, delta, gamma }
    }
    dx/dt = alpha * x - beta * x * y;
    dy/dt = delta * x * y - gamma * y;
}

fn main() -> Result<(), SolveError> {
    let truth = LotkaVolterra { alpha: 1.5, beta: 1.0, delta: 1.0, gamma: 3.0 };
    let solver = Solver::new(Tsit5).tolerance(1e-8, 1e-8);
    let save = SaveAt::every(0.1);
    let data = solver.solve(&Problem::new(truth.clone(), [1.0, 1.0], 0.0..3.0), save.clone())?.y;

    let mut model = LotkaVolterra { alpha: 1.2, gamma: 3.3, ..truth };
    for iteration in 0..=200 {
        let problem = Problem::new(model.clone(), [1.0, 1.0], 0.0..3.0);
        let fit = solver.gradient(&problem, save.clone(), &Mse::new(&data))?;
        if iteration % 40 == 0 {
            let LotkaVolterra { alpha, gamma, .. } = model;
            println!("{iteration:4}: loss {:.3e}, alpha {alpha:.6}, gamma {gamma:.6}", fit.loss);
        }
        // Gradient descent on two of the four rates.
        model.alpha -= 0.02 * fit.model.alpha;
        model.gamma -= 0.02 * fit.model.gamma;
    }
    Ok(())
}
