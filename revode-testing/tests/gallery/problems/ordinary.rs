//! Smooth and not stiff: the answer must be right.

use revode::prelude::*;
use revode_testing::dynamics::{DoublePendulum, FitzHughNagumo, Kepler, Lorenz};

use crate::entry::Kind::Ordinary;
use crate::entry::Of::{Component, Square, Sum};
use crate::entry::{Entry, entry};

pub(super) use revode_testing::dynamics::{Growth, LotkaVolterra};

ode! {
    /// An epidemic: the susceptible and the infected.
    pub(super) struct Sir {
        state  { s, i }
        params { beta, gamma }
    }
    ds/dt = -beta * s * i;
    di/dt = beta * s * i - gamma * i;
}

ode! {
    struct Pendulum {
        state  { q, p }
        params { gravity }
    }
    dq/dt = p;
    dp/dt = -gravity * sin(q);
}

ode! {
    /// Two springs, and one between them.
    struct Coupled {
        state  { x, z, u, v }
        params { a, b, c }
    }
    dx/dt = u;
    dz/dt = v;
    du/dt = -a * x - c * (x - z);
    dv/dt = -b * z - c * (z - x);
}

pub(super) fn problems() -> Vec<Entry> {
    let lotka_volterra = LotkaVolterra { alpha: 1.5, beta: 1.0, delta: 1.0, gamma: 3.0 };
    let fitzhugh_nagumo = FitzHughNagumo { a: 0.2, b: 0.2, c: 3.0 };
    let lorenz = Lorenz { sigma: 10.0, rho: 28.0, beta: 2.5 };
    let (kepler, orbit) = (Kepler { mass: 1.0 }, [0.7, 0.0, 0.0, 1.36]);
    let pendulum = Pendulum { gravity: 9.81 };
    let coupled = Coupled { a: 1.0, b: 2.0, c: 0.5 };
    let (double, up) = (DoublePendulum { g: 9.81, m: 1.0 }, [1.0, 0.5, 0.0, 0.0]);
    let sir = Sir { beta: 0.5, gamma: 0.1 };
    vec![
        entry("lotka-volterra", Ordinary, lotka_volterra, [1.0, 1.0], 0.0..10.0, Component(0)),
        entry("fitzhugh-nagumo", Ordinary, fitzhugh_nagumo, [-1.0, 1.0], 0.0..20.0, Component(0)),
        entry("lorenz", Ordinary, lorenz, [1.0, 1.0, 1.0], 0.0..2.0, Component(0)),
        entry("kepler", Ordinary, kepler, orbit, 0.0..6.25, Sum(&[1.0, 0.5, 0.0, 0.25])),
        entry("pendulum", Ordinary, pendulum, [1.0, 0.0], 0.0..10.0, Component(0)),
        entry("coupled oscillators", Ordinary, coupled, [1.0, 0.0, 0.0, 0.5], 0.0..10.0, Square),
        entry("double pendulum", Ordinary, double, up, 0.0..2.0, Sum(&[1.0, 0.5, 0.0, 0.0])),
        entry("decay", Ordinary, Growth { rate: -0.7 }, [2.0], 0.0..5.0, Component(0)),
        entry("sir", Ordinary, sir, [0.99, 0.01], 0.0..30.0, Component(1)),
    ]
}
