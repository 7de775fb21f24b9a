//! Solutions that touch 0, grow to e²⁰, run backward in time, or have losses at several times.

use revode::prelude::*;
use revode_testing::dynamics::{LotkaVolterra, VanDerPol};

use crate::entry::Kind::{Kink, NoSteps, Ordinary, Small, Stability};
use crate::entry::Of::{Component, Square, Sum};
use crate::entry::{Entry, entry};

ode! {
    /// A tank that runs empty by Torricelli's law, into another one.
    struct Tanks {
        state  { h, g }
        params { a, b }
    }
    let outflow = a * sqrt(relu(h));
    dh/dt = -outflow;
    dg/dt = outflow - b * g;
}

ode! {
    /// The same with a small number under the root.
    struct SmoothTanks {
        state  { h, g }
        params { a, b }
    }
    let outflow = a * h / sqrt(abs(h) + 1e-6);
    dh/dt = -outflow;
    dg/dt = outflow - b * g;
}

ode! {
    /// A drop that evaporates: its area falls at a constant rate until it is gone.
    struct Drop {
        state  { radius, vapour }
        params { k, wind }
    }
    let loss = k * relu(radius) / (radius^2 + 1e-4);
    dradius/dt = -loss;
    dvapour/dt = loss * radius^2 - wind * vapour;
}

ode! {
    /// Bacteria on a substrate that inhibits them, in a chemostat that washes them out or not.
    struct Haldane {
        state  { s, b }
        params { mu, ks, ki, dilution, feed }
    }
    let growth = mu * s / (ks + s + s^2 / ki) * b;
    ds/dt = dilution * (feed - s) - 2 * growth;
    db/dt = growth - dilution * b;
}

ode! {
    /// Consumption at a constant rate until there is nothing more.
    struct Consumed {
        state  { s, p }
        params { rate, decay }
    }
    let used = min(rate, 1e4 * max(s, 0));
    ds/dt = -used;
    dp/dt = used - decay * p;
}

ode! {
    /// The star of Lane and Emden to its surface and beyond, from close to its centre.
    struct Star {
        state  { theta, phi }
        params { n, k }
    }
    dtheta/dt = -phi / t^2;
    dphi/dt = k * t^2 * relu(theta + 1e-12)^n;
}

ode! {
    struct Growth {
        state  { x, y }
        params { r, q }
    }
    dx/dt = r * x;
    dy/dt = q * x - y;
}

ode! {
    /// An epidemic.
    struct Seir {
        state  { s, e, i }
        params { beta, sigma, gamma, season }
    }
    let force = beta * (1 + season * abs(sin(0.1 * t))) * s * i;
    ds/dt = -force;
    de/dt = force - sigma * e;
    di/dt = sigma * e - gamma * i;
}

ode! {
    struct Relaxation {
        state  { y }
        params { k, aim }
    }
    dy/dt = k * (y - aim * cos(t));
}

ode! {
    /// A body falls through air, and is caught by its parachute at a height.
    struct Fall {
        state  { height, speed }
        params { drag, open }
    }
    dheight/dt = -speed;
    dspeed/dt = 9.81 - drag * speed^2 * (1 + 50 * sigmoid((open - height) / 0.5));
}

ode! {
    /// A linear oscillator for a long time.
    struct Oscillator {
        state  { x, v }
        params { k, c }
    }
    dx/dt = v;
    dv/dt = -k * x - c * v;
}

pub(super) fn problems() -> Vec<Entry> {
    let tanks = Tanks { a: 1.0, b: 0.5 };
    let smooth = SmoothTanks { a: 1.0, b: 0.5 };
    let drop = Drop { k: 0.5, wind: 0.3 };
    let haldane = Haldane { mu: 1.0, ks: 0.2, ki: 0.5, dilution: 0.3, feed: 2.0 };
    let consumed = Consumed { rate: 1.0, decay: 0.4 };
    let star = Star { n: 1.5, k: 1.0 };
    let seir = || Seir { beta: 0.8, sigma: 0.5, gamma: 0.25, season: 0.3 };
    let prey = || LotkaVolterra { alpha: 1.5, beta: 1.0, delta: 1.0, gamma: 3.0 };
    let back = Relaxation { k: 300.0, aim: 1.0 };
    let fall = Fall { drag: 0.01, open: 40.0 };
    let oscillator = Oscillator { k: 1.0, c: 0.0 };
    let mut days =
        entry("epidemic by days", Ordinary, seir(), [0.999, 0.0, 0.001], 0.0..60.0, Component(2));
    days.points = &[10.0, 20.0, 30.0, 40.0, 50.0, 60.0];
    let start = [1.0 - 1e-10, 0.0, 1e-10];
    let mut early = entry(
        "decay seen early",
        Stability,
        Growth { r: -1.0, q: 1.0 },
        [1.0, 0.0],
        0.0..50.0,
        Square,
    );
    early.points = &[0.1, 0.2, 50.0];
    let mut orbits =
        entry("predators at times", Ordinary, prey(), [1.0, 1.0], 0.0..10.0, Sum(&[1.0, -1.0]));
    orbits.points = &[1.0, 2.5, 2.6, 7.0, 10.0];
    vec![
        entry("two tanks", Kink, tanks, [1.0, 0.0], 0.0..4.0, Component(1)),
        entry("two smooth tanks", Stability, smooth, [1.0, 0.0], 0.0..4.0, Component(1)),
        entry("evaporating drop", Stability, drop, [1.0, 0.0], 0.0..1.5, Component(1)),
        entry("haldane's chemostat", Stability, haldane, [2.0, 0.02], 0.0..30.0, Component(1)),
        entry("consumed", Kink, consumed, [1.0, 0.0], 0.0..3.0, Component(1)),
        entry("star", Kink, star, [1.0, 0.0], 0.001..5.0, Component(1)),
        entry(
            "growth to e^20",
            Ordinary,
            Growth { r: 1.0, q: 0.5 },
            [1.0, 0.0],
            0.0..20.0,
            Component(1),
        ),
        entry(
            "growth to e^60",
            Small,
            Growth { r: 2.0, q: 0.5 },
            [1e-20, 0.0],
            0.0..30.0,
            Component(1),
        ),
        entry("seasonal epidemic", Small, seir(), start, 0.0..80.0, Component(2)),
        days,
        early,
        orbits,
        entry("predators backward", Ordinary, prey(), [1.0, 1.0], 10.0..0.0, Component(0)),
        entry("stiff backward", Stability, back, [0.3], 2.0..0.0, Component(0)),
        entry(
            "van der pol backward",
            NoSteps,
            VanDerPol { mu: 5.0 },
            [1.0, 0.0],
            0.0..-8.0,
            Component(0),
        ),
        entry("parachute", Ordinary, fall, [100.0, 0.0], 0.0..8.0, Component(0)),
        entry("oscillator to 1000", Stability, oscillator, [1.0, 0.0], 0.0..1000.0, Component(0)),
    ]
}
