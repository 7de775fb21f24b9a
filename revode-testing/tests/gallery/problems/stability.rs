//! Steps at the limit of stability: reactions and relaxations, fast beside the span.

use revode::prelude::*;

use crate::entry::Kind::Stability;
use crate::entry::Of::Component;
use crate::entry::{Entry, entry};

ode! {
    /// A batch of bacteria that eats all of its substrate, after which that is consumed at once.
    struct Monod {
        state  { s, b }
        params { mu, ks, gain }
    }
    let growth = mu * s / (ks + s) * b;
    ds/dt = -growth / gain;
    db/dt = growth;
}

ode! {
    /// Towards `cos t` at the rate `k`.
    struct Relaxation {
        state  { y }
        params { k }
    }
    dy/dt = -k * (y - cos(t));
}

ode! {
    /// Growth to a capacity; at it, `r` is a rate of decay.
    pub(super) struct Logistic {
        state  { y }
        params { r, capacity }
    }
    dy/dt = r * y * (1 - y / capacity);
}

ode! {
    /// Robertson's reaction.
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
    /// High irradiance responses of photomorphogenesis (Schäfer 1975).
    struct Hires {
        state  { a, b, c, d, e, f, g, h }
        params { k1, k2, k3, plus, k5 }
    }
    let binding = plus * f * h - 1.81 * g;
    da/dt = -k1 * a + k2 * b + k3 * c + 0.0007;
    db/dt = k1 * a - 8.75 * b;
    dc/dt = -10.03 * c + k2 * d + k5 * e;
    dd/dt = k3 * b + k1 * c - 1.12 * d;
    de/dt = -1.745 * e + k2 * f + k2 * g;
    df/dt = -plus * f * h + 0.69 * d + k1 * e - k2 * f + 0.69 * g;
    dg/dt = binding;
    dh/dt = -binding;
}

ode! {
    /// A model of the Belousov–Zhabotinsky reaction.
    struct Oregonator {
        state  { a, b, c }
        params { s, w, q }
    }
    da/dt = s * (b + a * (1 - q * a - b));
    db/dt = (c - (1 + a) * b) / s;
    dc/dt = w * (a - c);
}

ode! {
    /// A ball of flame that grows until the oxygen limits it.
    struct Flame {
        state  { y }
        params { surface, volume }
    }
    dy/dt = surface * y^2 - volume * y^3;
}

ode! {
    /// Enzyme kinetics with the complex `c`.
    struct MichaelisMenten {
        state  { s, c }
        params { on, off, turnover, enzyme }
    }
    let binding = on * (enzyme - c) * s;
    ds/dt = -binding + off * c;
    dc/dt = binding - (off + turnover) * c;
}

ode! {
    /// The squid's axon: membrane potential in mV, gates, time in ms.
    struct HodgkinHuxley {
        state  { v, m, h, n }
        params { gna, gk, gl, current }
    }
    let am = 0.1 * (v + 40) / (1 - exp(-(v + 40) / 10));
    let bm = 4 * exp(-(v + 65) / 18);
    let ah = 0.07 * exp(-(v + 65) / 20);
    let bh = 1 / (1 + exp(-(v + 35) / 10));
    let an = 0.01 * (v + 55) / (1 - exp(-(v + 55) / 10));
    let bn = 0.125 * exp(-(v + 65) / 80);
    dv/dt = current - gna * m^3 * h * (v - 50) - gk * n^4 * (v + 77) - gl * (v + 54.4);
    dm/dt = am * (1 - m) - bm * m;
    dh/dt = ah * (1 - h) - bh * h;
    dn/dt = an * (1 - n) - bn * n;
}

ode! {
    /// Relaxation to `sin ωt`, which is the solution after a moment.
    struct ProtheroRobinson {
        state  { y }
        params { rate, omega }
    }
    dy/dt = -rate * (y - sin(omega * t)) + omega * cos(omega * t);
}

pub(super) fn problems() -> Vec<Entry> {
    let relaxation =
        |name, k| entry(name, Stability, Relaxation { k }, [0.0], 0.0..2.0, Component(0));
    let logistic = |name, r, end| {
        let field = Logistic { r, capacity: 2.0 };
        entry(name, Stability, field, [0.1], 0.0..end, Component(0))
    };
    let flame = |name, start, end| {
        let field = Flame { surface: 1.0, volume: 1.0 };
        entry(name, Stability, field, [start], 0.0..end, Component(0))
    };
    let monod = Monod { mu: 0.5, ks: 0.01, gain: 0.4 };
    let robertson = Robertson { k1: 0.04, k2: 3e7, k3: 1e4 };
    let hires = Hires { k1: 1.71, k2: 0.43, k3: 8.32, plus: 280.0, k5: 0.035 };
    let at_rest = [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0057];
    let oregonator = Oregonator { s: 77.27, w: 0.161, q: 8.375e-6 };
    let enzyme = MichaelisMenten { on: 1e4, off: 1.0, turnover: 10.0, enzyme: 0.1 };
    let axon = HodgkinHuxley { gna: 120.0, gk: 36.0, gl: 0.3, current: 10.0 };
    let prothero = ProtheroRobinson { rate: 1000.0, omega: 1.0 };
    vec![
        entry("monod batch", Stability, monod, [10.0, 0.1], 0.0..48.0, Component(1)),
        relaxation("relaxation 1e2", 1e2),
        relaxation("relaxation 1e3", 1e3),
        relaxation("relaxation 1e4", 1e4),
        logistic("logistic 10", 10.0, 10.0),
        logistic("logistic 100", 100.0, 10.0),
        logistic("logistic 1000", 1000.0, 5.0),
        entry("robertson", Stability, robertson, [1.0, 0.0, 0.0], 0.0..0.4, Component(0)),
        entry("hires", Stability, hires, at_rest, 0.0..20.0, Component(5)),
        entry("oregonator", Stability, oregonator, [1.0, 2.0, 3.0], 0.0..4.0, Component(1)),
        flame("flame", 1e-3, 2000.0),
        flame("flame front", 0.01, 104.0),
        entry("michaelis-menten", Stability, enzyme, [1.0, 0.0], 0.0..0.8, Component(0)),
        entry("hodgkin-huxley", Stability, axon, [-65.0, 0.05, 0.6, 0.32], 0.0..8.0, Component(0)),
        entry("prothero-robinson", Stability, prothero, [0.5], 0.0..2.0, Component(0)),
    ]
}
