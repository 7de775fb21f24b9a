//! One mistake is one message: what uses the model has no errors of its own.

use revode::prelude::*;

ode! {
    /// Lotka–Volterra predator–prey model, with a name misspelt.
    pub struct LotkaVolterra {
        state  { x, y }
        params { alpha, beta, delta, gamma }
    }
    dx/dt = alpha * x - betta * x * y;
    dy/dt = delta * x * y - gamma * y;
}

ode! {
    /// A network whose matrix has the wrong shape.
    pub struct Network<const H: usize> {
        state  { u: [4] }
        params { w1: [H, 3], b1: [H], w2: [4, H] }
    }
    let hidden = tanh(w1 @ u + b1);
    du/dt = w2 @ hidden;
}

ode! {
    /// Sizes known at run time, and a constant that is none.
    pub struct Sized {
        dims   { n }
        state  { u: [n] }
        params { w: [n, n] }
        const  { scale = }
    }
    du/dt = scale * w @ u;
}

fn main() -> Result<(), SolveError> {
    let truth = LotkaVolterra { alpha: 1.5, beta: 1.0, delta: 1.0, gamma: 3.0 };
    let guess = LotkaVolterra { alpha: 1.4, ..truth.clone() };
    let solver = Solver::new(Tsit5).tolerance(1e-8, 1e-8);
    let path = solver.solve(&Problem::new(truth, [1.0, 1.0], 0.0..10.0), SaveAt::every(0.1))?;
    let problem = Problem::new(guess, [1.0, 1.0], 0.0..10.0);
    let fit = solver.gradient(&problem, SaveAt::every(0.1), &Mse::new(&path.y))?;
    println!("{} {} {:?}", fit.loss, fit.model.alpha, fit.y0);

    let network = Network::<10>::zeros();
    let path = solver.solve(&Problem::new(network, [0.0; 4], 0.0..1.0), SaveAt::end())?;
    println!("{:?}", path.y);

    let sized = Sized::new(revode::nalgebra::DMatrix::from_element(3, 3, 1.0));
    println!("{:?}", sized.map(|sized| sized.w));
    Ok(())
}
