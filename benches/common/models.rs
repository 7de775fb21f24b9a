//! The fields of the benches.

#![allow(missing_docs, dead_code, unreachable_pub)]

use revode::nalgebra::{SMatrix, SVector};
use revode::prelude::*;
pub use revode_testing::dynamics::{Lorenz, LotkaVolterra};

ode! {
    /// A tanh network with one hidden layer.
    pub struct Network<const N: usize, const H: usize> {
        state  { y: [N] }
        params { w1: [H, N], b1: [H], w2: [N, H], b2: [N] }
    }
    dy/dt = w2 @ tanh(w1 @ y + b1) + b2;
}

pub fn lorenz(steps: usize, h: f64) -> Problem<f64, Lorenz> {
    let field = Lorenz { sigma: 10.0, rho: 28.0, beta: 8.0 / 3.0 };
    Problem::new(field, [1.0, 1.0, 1.0], 0.0..steps as f64 * h)
}

/// Weights that look random and are not.
pub fn network<const N: usize, const H: usize>() -> Network<N, H> {
    let weight = |i: usize| ((i * 2_654_435_761) % 1000) as f64 / 1000.0 - 0.5;
    Network {
        w1: SMatrix::from_fn(|i, j| weight(1 + i + H * j)),
        b1: SVector::from_fn(|i, _| weight(400 + i)),
        w2: SMatrix::from_fn(|i, j| weight(500 + i + N * j)),
        b2: SVector::from_fn(|i, _| weight(900 + i)),
    }
}

pub fn lotka_volterra() -> Problem<f64, LotkaVolterra> {
    let field = LotkaVolterra { alpha: 1.5, beta: 1.0, delta: 1.0, gamma: 3.0 };
    Problem::new(field, [1.0, 1.0], 0.0..10.0)
}
