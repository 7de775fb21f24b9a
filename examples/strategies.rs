//! Which gradient strategy should I use? The same gradient by all of them, with what each costs.
//!
//! `cargo run --release --example strategies`

use revode::nalgebra::{SMatrix, SVector};
use revode::prelude::*;

ode! {
    /// A tanh network with one hidden layer.
    struct Network<const H: usize> {
        state  { y: [2] }
        params { w1: [H, 2], b1: [H], w2: [2, H] }
    }
    dy/dt = w2 @ tanh(w1 @ y + b1);
}

fn main() -> Result<(), SolveError> {
    let weight = |i: usize| ((i * 37 + 11) % 101) as f64 / 50.5 - 1.0;
    let network = Network::<16> {
        w1: SMatrix::from_fn(|i, j| weight(i + 16 * j)),
        b1: SVector::from_fn(|i, _| weight(40 + i)),
        w2: SMatrix::from_fn(|i, j| 0.2 * weight(60 + i + 2 * j)),
    };
    let problem = Problem::new(network, [1.0, -0.5], 0.0..2.0);
    let loss = Terminal::new(|y: &SVector<f64, 2>| y.norm_squared(), |y| 2.0 * y);
    let solver = Solver::new(Rk4).fixed_step(1e-3);

    macro_rules! show {
        ($($name:literal: $strategy:expr;)*) => {$(
            let fit = solver.strategy($strategy).gradient(&problem, SaveAt::end(), &loss)?;
            println!("{:<28} dL/dw1[0] {:.12}  {}", $name, fit.model.w1[0], fit.stats);
        )*};
    }
    show! {
        "Reversible": Reversible::coupling(0.999);
        "Checkpointed, of the pair": Checkpointed::slots(32).along(Reversible::coupling(0.999));
        "StoreAll, of the pair": StoreAll.along(Reversible::coupling(0.999));
        "Checkpointed": Checkpointed::slots(32);
        "StoreAll": StoreAll;
    }
    Ok(())
}
