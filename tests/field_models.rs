//! Scratch.
#![allow(missing_docs)]
use revode::{FieldVjp, VectorField, ode};

ode! {
    pub struct Lorenz {
        state { x, y, z }
        params { sigma, rho, beta }
    }
    dx/dt = sigma * (y - x);
    dy/dt = x * (rho - z) - y;
    dz/dt = x * y - beta * z;
}
ode! {
    /// Lotka–Volterra.
    pub struct LotkaVolterra {
        state { x, y }
        params { alpha, beta, delta, gamma }
    }
    dx/dt = alpha * x - beta * x * y;
    dy/dt = delta * x * y - gamma * y;
}
ode! {
    /// Network.
    pub struct Net<const H: usize> {
        state { u: [4] }
        params { w1: [H, 4], b1: [H], w2: [4, H], b2: [4] }
    }
    let hidden = tanh(w1 @ u + b1);
    du/dt = w2 @ hidden + b2;
}
ode! {
    pub struct Heap {
        state { u: [n] }
        params { w1: [h, n], b1: [h], w2: [n, h], b2: [n] }
        dims { n, h }
    }
    let hidden = tanh(w1 @ u + b1);
    du/dt = w2 @ hidden + b2;
}

#[test]
fn lorenz() {
    let m = Lorenz { sigma: 10.0, rho: 28.0, beta: 8.0 / 3.0 };
    let y = [1.0, 2.0, 3.0].into();
    let mut dy = y;
    m.eval(0.0, &y, &mut dy);
    println!("{dy:?}");
    let mut bar = m.clone();
    let mut y_bar = y;
    m.eval_vjp(0.0, &y, &[1.0, 0.5, 0.25].into(), &mut dy, &mut y_bar, &mut bar);
}
