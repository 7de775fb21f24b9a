//! Chemistry, physiology, neurons, circuits.

use revode::prelude::*;
use revode_testing::dynamics::VanDerPol;

use crate::entry::Kind::{Ordinary, Small, Stability};
use crate::entry::Of::{Component, Square};
use crate::entry::{Entry, entry};

ode! {
    struct Robertson {
        state  { a, b, c }
        params { k1, k2, k3 }
    }
    let first = k1 * a - k3 * b * c;
    da/dt = -first;
    db/dt = first - k2 * b^2;
    dc/dt = k2 * b^2;
}

ode! {
    /// An acid that is neutralised, with a fast equilibrium.
    struct Acid {
        state  { h, a, ha }
        params { on, off, eaten }
    }
    let binding = on * h * a - off * ha;
    dh/dt = -binding - eaten * h;
    da/dt = -binding;
    dha/dt = binding;
}

ode! {
    /// An ultrasensitive cascade of two cycles (Goldbeter and Koshland).
    struct Cascade {
        state  { x, y }
        params { v1, v2, k, w }
    }
    dx/dt = v1 * (1 - x) / (k + 1 - x) - v2 * x / (k + x);
    dy/dt = w * x * (1 - y) / (k + 1 - y) - 0.4 * y / (k + y);
}

ode! {
    /// Absorption through four compartments, from a dose.
    struct Transit {
        state  { a: [4], blood }
        params { k, cleared, most }
    }
    da/dt = k * (concat(0, a[..3]) - a);
    dblood/dt = k * a[3] - most * blood / (0.1 + blood) - cleared * blood;
}

ode! {
    /// Morris and Lecar's muscle fibre: mV and ms.
    struct MorrisLecar {
        state  { v, n }
        params { current, gca, gk, gl, phi }
    }
    let m = 0.5 * (1 + tanh((v + 1.2) / 18));
    let ninf = 0.5 * (1 + tanh((v - 2) / 30));
    dv/dt = (current - gca * m * (v - 120) - gk * n * (v + 84) - gl * (v + 60)) / 20;
    dn/dt = phi * (ninf - n) * cosh((v - 2) / 60);
}

ode! {
    /// A bursting neuron (Hindmarsh and Rose).
    struct Bursting {
        state  { x, y, z }
        params { current, r, s }
    }
    dx/dt = y - x^3 + 3 * x^2 - z + current;
    dy/dt = 1 - 5 * x^2 - y;
    dz/dt = r * (s * (x + 1.6) - z);
}

ode! {
    /// Membrane that fires near its saddle-node: an angle.
    struct Theta {
        state  { theta }
        params { current }
    }
    dtheta/dt = 1 - cos(theta) + (1 + cos(theta)) * current;
}

ode! {
    /// Glycolysis (Sel'kov).
    struct Selkov {
        state  { x, y }
        params { a, b }
    }
    dx/dt = -x + a * y + x^2 * y;
    dy/dt = b - a * y - x^2 * y;
}

ode! {
    /// Three genes in a ring.
    struct Repressilator {
        state  { m: [3], p: [3] }
        params { alpha, beta, leak }
    }
    dm/dt = alpha / (1 + concat(p[2], p[..2])^4) + leak - m;
    dp/dt = beta * (m - p);
}

ode! {
    /// A tunnel diode.
    struct Nagumo {
        state  { v, i }
        params { e, r, l }
    }
    dv/dt = 1e3 * (i - (17.76 * v - 103.79 * v^2 + 229.62 * v^3 - 226.31 * v^4 + 83.72 * v^5));
    di/dt = (e - r * i - v) / l;
}

ode! {
    /// Arrhenius' law in a stirred tank.
    struct Reactor {
        state  { c, temperature }
        params { feed, cooling, energy }
    }
    let rate = 7.2e10 * exp(-energy / temperature) * c;
    dc/dt = feed * (1 - c) - rate;
    dtemperature/dt = feed * (350 - temperature) + 209.2 * rate + cooling * (300 - temperature);
}

pub(super) fn problems() -> Vec<Entry> {
    let robertson = || Robertson { k1: 0.04, k2: 3e7, k3: 1e4 };
    let acid = Acid { on: 1e5, off: 10.0, eaten: 0.5 };
    let cascade = Cascade { v1: 1.0, v2: 0.99, k: 0.01, w: 1.0 };
    let transit = Transit { k: 2.0, cleared: 0.1, most: 0.3 };
    let fibre = MorrisLecar { current: 90.0, gca: 4.4, gk: 8.0, gl: 2.0, phi: 0.04 };
    let bursting = Bursting { current: 2.0, r: 0.005, s: 4.0 };
    let selkov = Selkov { a: 0.08, b: 0.6 };
    let ring = Repressilator { alpha: 50.0, beta: 5.0, leak: 0.05 };
    let diode = Nagumo { e: 0.3, r: 0.2, l: 0.5 };
    let reactor = Reactor { feed: 1.0, cooling: 2.09, energy: 8750.0 };
    let vdp = |name, mu, end| {
        entry(name, Stability, VanDerPol { mu }, [2.0, 0.0], 0.0..end, Component(0))
    };
    let start = [1.0, 0.0, 0.0];
    let genes = [1.0, 2.0, 3.0, 1.0, 1.5, 0.5];
    vec![
        entry("robertson to 1e-4", Stability, robertson(), start, 0.0..1e-4, Component(2)),
        entry("robertson to 1e-4, by size", Small, robertson(), start, 0.0..1e-4, Component(2)),
        entry("acid", Stability, acid, [1e-3, 1e-2, 0.0], 0.0..5.0, Component(0)),
        entry("cascade", Stability, cascade, [0.0, 0.0], 0.0..20.0, Component(1)),
        entry(
            "transit compartments",
            Ordinary,
            transit,
            [1.0, 0.0, 0.0, 0.0, 0.0],
            0.0..10.0,
            Component(4),
        ),
        entry("morris-lecar", Stability, fibre, [-40.0, 0.1], 0.0..60.0, Component(0)),
        entry("bursting", Stability, bursting, [-1.0, 0.0, 2.0], 0.0..50.0, Component(0)),
        entry("theta neuron", Stability, Theta { current: 1e-3 }, [-1.0], 0.0..90.0, Component(0)),
        entry("selkov", Ordinary, selkov, [1.0, 1.0], 0.0..15.0, Component(0)),
        entry("repressilator", Ordinary, ring, genes, 0.0..8.0, Square),
        entry("tunnel diode", Stability, diode, [0.0, 0.0], 0.0..3.0, Component(0)),
        entry("stirred tank", Stability, reactor, [0.9, 340.0], 0.0..4.0, Component(1)),
        vdp("van der pol 10", 10.0, 30.0),
        vdp("van der pol 100", 100.0, 100.0),
    ]
}
