//! Partial differential equations by the method of lines, and networks.

use revode::prelude::*;

use crate::entry::Kind::{Kink, NoSteps, Stability};
use crate::entry::Of::{Component, Square};
use crate::entry::{Entry, entry};

ode! {
    /// A step that is carried along by differences upwind.
    struct Upwind {
        state  { u: [30] }
        params { speed, inflow }
    }
    du/dt = speed * 30 * (concat(inflow, u[..29]) - u);
}

ode! {
    /// The same by central differences.
    struct Central {
        state  { u: [30] }
        params { speed, inflow }
    }
    du/dt = speed * 15 * (concat(inflow, u[..29]) - concat(u[1..], u[29]));
}

ode! {
    /// Burgers' equation on a ring, upwind (Engquist and Osher).
    struct Burgers {
        state  { u: [16] }
        params { scale, nu }
    }
    let right = relu(u) * relu(u) / 2;
    let left = min(u, 0) * min(u, 0) / 2;
    let flux = right + concat(left[1..], left[0]);
    let last = concat(u[15], u[..15]);
    let next = concat(u[1..], u[0]);
    du/dt = scale * 16 * (concat(flux[15], flux[..15]) - flux) + nu * 256 * (last - 2 * u + next);
}

ode! {
    /// Gas in a porous medium, a part of which is empty.
    struct Porous {
        state  { u: [21] }
        params { d, decay }
    }
    let f = u * u;
    du/dt = d * 200 * (concat(0, f[..20]) - 2 * f + concat(f[1..], 0)) - decay * u;
}

ode! {
    /// Gray and Scott's reaction on a ring.
    struct GrayScott {
        state  { u: [16], v: [16] }
        params { feed, kill, d }
    }
    let r = u * v * v;
    du/dt = 2 * d * (concat(u[15], u[..15]) - 2 * u + concat(u[1..], u[0])) - r + feed * (1 - u);
    dv/dt = d * (concat(v[15], v[..15]) - 2 * v + concat(v[1..], v[0])) + r - (feed + kill) * v;
}

ode! {
    /// Ice that melts: heat with a capacity that is high near 0 degrees.
    struct Stefan {
        state  { u: [16] }
        params { d, heater, latent }
    }
    let flow = d * 256 * (concat(heater, u[..15]) - 2 * u + concat(u[1..], u[15]));
    du/dt = flow / (1 + latent * exp(-(u / 0.05)^2));
}

ode! {
    /// A wave on a string.
    struct Wave {
        state  { u: [20], v: [20] }
        params { c, damping }
    }
    du/dt = v;
    dv/dt = c * 441 * (concat(0, u[..19]) - 2 * u + concat(u[1..], 0)) - damping * v;
}

ode! {
    /// A chain of hard springs that meets a kick (Fermi, Pasta, Ulam, Tsingou).
    struct Lattice {
        state  { x: [8], v: [8] }
        params { k, alpha }
    }
    let s = concat(x, 0) - concat(0, x);
    let f = k * s + alpha * s * s;
    dx/dt = v;
    dv/dt = f[1..] - f[..8];
}

ode! {
    /// A network of rectified units, more than are located.
    struct Relu {
        state  { y: [2] }
        params { w1: [40, 2], b1: [40], w2: [2, 40] }
    }
    dy/dt = w2 @ relu(w1 @ y + b1) - 0.3 * y;
}

ode! {
    /// A network with large weights.
    struct Large {
        state  { y: [2] }
        params { w1: [6, 2], b1: [6], w2: [2, 6] }
    }
    dy/dt = w2 @ tanh(w1 @ y + b1);
}

ode! {
    /// A network of saturated units whose last layer is 0.
    struct Driven {
        state  { y: [2] }
        params { w1: [4, 3], w2: [2, 4] }
    }
    dy/dt = w2 @ sigmoid(w1 @ concat(y, 5 * cos(20 * t)));
}

/// Numbers that look random, between −`size` and `size`.
fn scattered<const N: usize>(size: f64, seed: f64) -> [f64; N] {
    std::array::from_fn(|i| {
        let x = (i as f64 + 1.0) * 0.618_033_988_749_895 + seed;
        size * (2.0 * (x - x.floor()) - 1.0)
    })
}

pub(super) fn problems() -> Vec<Entry> {
    let step = || std::array::from_fn(|i| if i < 10 { 1.0 } else { 0.0 });
    let bump = std::array::from_fn(|i| if (8..13).contains(&i) { 1.0 } else { 0.0 });
    let around = std::array::from_fn(|i| 0.3 + (i as f64 * std::f64::consts::TAU / 16.0).sin());
    let spot = std::array::from_fn(|i| match i {
        6..9 => 0.5,
        22..25 => 0.25,
        0..16 => 1.0,
        _ => 0.0,
    });
    let pluck =
        std::array::from_fn(
            |i| if i < 20 { if i < 5 { 0.2 * i as f64 } else { 0.0 } } else { 0.0 },
        );
    let kick = std::array::from_fn(|i| if i == 8 { 3.0 } else { 0.0 });
    let relu = Relu {
        w1: SMatrix::from_column_slice(&scattered::<80>(1.0, 0.1)),
        b1: scattered::<40>(1.0, 0.37).into(),
        w2: SMatrix::from_column_slice(&scattered::<80>(0.5, 0.77)),
    };
    let large = Large {
        w1: SMatrix::from_column_slice(&scattered::<12>(100.0, 0.2)),
        b1: scattered::<6>(30.0, 0.5).into(),
        w2: SMatrix::from_column_slice(&scattered::<12>(1.0, 0.9)),
    };
    let driven =
        Driven { w1: SMatrix::from_column_slice(&scattered::<12>(3.0, 0.3)), w2: SMatrix::zeros() };
    let burgers = Burgers { scale: 1.0, nu: 0.0 };
    let gray = GrayScott { feed: 0.04, kill: 0.06, d: 0.1 };
    let ice = Stefan { d: 0.1, heater: 1.0, latent: 20.0 };
    let cold = [-1.0; 16];
    let lattice = Lattice { k: 1.0, alpha: 0.25 };
    vec![
        entry(
            "upwind",
            Stability,
            Upwind { speed: 1.0, inflow: 0.0 },
            step(),
            0.0..0.5,
            Component(24),
        ),
        entry(
            "central",
            Stability,
            Central { speed: 1.0, inflow: 1.0 },
            step(),
            0.0..0.5,
            Component(20),
        ),
        entry("burgers", Kink, burgers, around, 0.0..0.5, Component(9)),
        entry(
            "porous medium",
            Stability,
            Porous { d: 0.1, decay: 0.0 },
            bump,
            0.0..1.0,
            Component(4),
        ),
        entry("gray-scott", Stability, gray, spot, 0.0..40.0, Square),
        entry("melting", Stability, ice, cold, 0.0..1.0, Component(5)),
        entry("string", Stability, Wave { c: 1.0, damping: 0.0 }, pluck, 0.0..4.0, Component(12)),
        entry("lattice", Stability, lattice, kick, 0.0..20.0, Component(5)),
        entry("relu network of 40", Kink, relu, [1.0, -0.5], 0.0..10.0, Square),
        entry("large weights", Stability, large, [1.0, -0.5], 0.0..5.0, Component(0)),
        entry("driven by a last layer 0", NoSteps, driven, [1.0, 0.5], 0.0..10.0, Square),
    ]
}
