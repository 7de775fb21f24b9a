//! Neural fields: networks with one hidden layer.

use revode::nalgebra::{SMatrix, SVector};

use crate::initialise;

revode::ode! {
    /// An autonomous neural field of `N` components: one hidden layer of `H` units with `tanh`, and a
    /// linear layer. Chen, Rubanova, Bettencourt and Duvenaud, *Neural Ordinary Differential
    /// Equations*, arXiv 1806.07366.
    pub struct Mlp<const N: usize, const H: usize> {
        state  { y: [N] }
        params { w1: [H, N], b1: [H], w2: [N, H], b2: [N] }
    }
    dy/dt = w2 @ tanh(w1 @ y + b1) + b2;
}

revode::ode! {
    /// [`Mlp`] with time as one more input, of weight `w0`.
    pub struct TimeMlp<const N: usize, const H: usize> {
        state  { y: [N] }
        params { w0: [H], w1: [H, N], b1: [H], w2: [N, H], b2: [N] }
    }
    dy/dt = w2 @ tanh(w0 * t + w1 @ y + b1) + b2;
}

impl<const N: usize, const H: usize> Mlp<N, H> {
    /// A network with weights and biases drawn uniformly from ±1/√`fan_in` of their layer.
    pub fn random(seed: u64) -> Self {
        let mut random = initialise::random_numbers(seed);
        let mut draw = |values: &mut [f64], fan_in| initialise::uniform(&mut random, values, fan_in);
        let mut model = Self {
            w1: SMatrix::zeros(),
            b1: SVector::zeros(),
            w2: SMatrix::zeros(),
            b2: SVector::zeros(),
        };
        draw(model.w1.as_mut_slice(), N);
        draw(model.b1.as_mut_slice(), N);
        draw(model.w2.as_mut_slice(), H);
        draw(model.b2.as_mut_slice(), H);
        model
    }
}
