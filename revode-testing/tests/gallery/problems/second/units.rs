//! Very small and very large units, and both in one state.

use revode::prelude::*;
use revode_testing::dynamics::LotkaVolterra;

use crate::entry::Kind::{Ordinary, Small, Stability};
use crate::entry::Of::{Component, Log, Square, Sum};
use crate::entry::{Entry, entry};

ode! {
    struct Logistic {
        state  { y }
        params { r, capacity }
    }
    dy/dt = r * y * (1 - y / capacity);
}

ode! {
    /// An enzyme in mol/l.
    struct Michaelis {
        state  { s, c, p }
        params { on, off, turnover, enzyme }
    }
    let binding = on * (enzyme - c) * s - off * c;
    ds/dt = -binding;
    dc/dt = binding - turnover * c;
    dp/dt = turnover * c;
}

ode! {
    /// A drug that its target binds and degrades: mg/l, and a target of a millionth of that.
    struct Target {
        state  { drug, free, bound }
        params { cleared, on, off, made, internal }
    }
    let binding = on * drug * free - off * bound;
    ddrug/dt = -cleared * drug - binding;
    dfree/dt = made - 0.5 * free - binding;
    dbound/dt = binding - internal * bound;
}

ode! {
    /// A virus, the cells that it infects, and itself: 1e6, 1 and 1e-3 to begin with.
    struct Virus {
        state  { healthy, infected, virus }
        params { beta, delta, made, cleared }
    }
    dhealthy/dt = -beta * healthy * virus;
    dinfected/dt = beta * healthy * virus - delta * infected;
    dvirus/dt = made * infected - cleared * virus;
}

ode! {
    struct Decay {
        state  { y }
        params { k }
    }
    dy/dt = -k * y;
}

ode! {
    /// Two compartments, of which the second is read on a logarithmic scale.
    struct Compartments {
        state  { a, b }
        params { k, out, back }
    }
    da/dt = -k * a + back * b;
    db/dt = k * a - out * b;
}

ode! {
    /// A population of a billion, an epidemic from one.
    struct Billion {
        state  { s, e, i }
        params { beta, sigma, gamma }
    }
    ds/dt = -beta * s * i / 1e9;
    de/dt = beta * s * i / 1e9 - sigma * e;
    di/dt = sigma * e - gamma * i;
}

ode! {
    /// A chain of states, each a thousandth of the last.
    struct Chain {
        state  { a, b, c, d }
        params { k1, k2, k3, k4 }
    }
    da/dt = -k1 * a;
    db/dt = 1e-3 * k1 * a - k2 * b;
    dc/dt = 1e-3 * k2 * b - k3 * c + 1e3 * c * b;
    dd/dt = 1e-3 * k3 * c - k4 * d;
}

ode! {
    /// A planet around a sun, in metres, kilograms and seconds.
    struct Planet {
        state  { x, y, u, v }
        params { mass }
    }
    let pull = -6.674e-11 * mass / (x^2 + y^2)^(3/2);
    dx/dt = u;
    dy/dt = v;
    du/dt = pull * x;
    dv/dt = pull * y;
}

pub(super) fn problems() -> Vec<Entry> {
    let tiny = || Logistic { r: 1.0, capacity: 1e-9 };
    let enzyme = || Michaelis { on: 1e8, off: 1.0, turnover: 10.0, enzyme: 1e-8 };
    let target = || Target { cleared: 0.1, on: 0.5, off: 0.01, made: 1e-6, internal: 0.2 };
    let virus = || Virus { beta: 1e-6, delta: 1.0, made: 50.0, cleared: 5.0 };
    let decay = |k| Decay { k };
    let compartments = || Compartments { k: 1.0, out: 0.8, back: 0.1 };
    let billion = || Billion { beta: 0.5, sigma: 0.3, gamma: 0.1 };
    let chain = || Chain { k1: 0.5, k2: 0.7, k3: 0.9, k4: 0.3 };
    let earth = [1.496e11, 0.0, 0.0, 29_780.0];
    let year = 3.0e7;
    let pond = [1e-6, 0.0, 0.0];
    let last = Component(3);
    let prey = LotkaVolterra { alpha: 1.5, beta: 1e9, delta: 1e9, gamma: 3.0 };
    vec![
        entry("logistic in 1e-9", Stability, tiny(), [1e-11], 0.0..6.0, Component(0)),
        entry("logistic in 1e-9, by size", Small, tiny(), [1e-11], 0.0..6.0, Component(0)),
        entry(
            "growth from 1e-12",
            Stability,
            Logistic { r: 1.0, capacity: 1.0 },
            [1e-12],
            0.0..28.0,
            Component(0),
        ),
        entry("predators in 1e-9", Small, prey, [1e-9, 1e-9], 0.0..10.0, Component(0)),
        entry("enzyme in mol/l", Stability, enzyme(), pond, 0.0..20.0, Component(2)),
        entry("enzyme in mol/l, by size", Small, enzyme(), pond, 0.0..20.0, Component(2)),
        entry("target-mediated", Stability, target(), [10.0, 2e-6, 0.0], 0.0..40.0, Component(2)),
        entry(
            "target-mediated, by size",
            Small,
            target(),
            [10.0, 2e-6, 0.0],
            0.0..40.0,
            Component(2),
        ),
        entry("virus", Stability, virus(), [1e6, 0.0, 1e-3], 0.0..3.0, Component(2)),
        entry("virus, by size", Small, virus(), [1e6, 0.0, 1e-3], 0.0..3.0, Component(2)),
        entry("decay to 1e-12", Small, decay(1.0), [1.0], 0.0..28.0, Component(0)),
        entry("decay to 1e-40", Small, decay(1.0), [1.0], 0.0..92.0, Component(0)),
        entry("decay to 1e-12, absolute", Stability, decay(1.0), [1.0], 0.0..28.0, Component(0)),
        entry("logarithm of 1e-12", Small, decay(1.0), [1.0], 0.0..28.0, Log(0)),
        entry("logarithm of 1e-25", Small, decay(1.0), [1.0], 0.0..58.0, Log(0)),
        entry(
            "logarithm of a compartment",
            Stability,
            compartments(),
            [1.0, 0.0],
            0.0..30.0,
            Log(1),
        ),
        entry(
            "epidemic in a billion",
            Stability,
            billion(),
            [999_999_999.0, 0.0, 1.0],
            0.0..60.0,
            Component(2),
        ),
        entry(
            "epidemic in a billion, by size",
            Small,
            billion(),
            [999_999_999.0, 0.0, 1.0],
            0.0..60.0,
            Component(2),
        ),
        entry("chain of thousandths", Small, chain(), [1.0, 0.0, 1e-9, 0.0], 0.0..10.0, last),
        entry(
            "planet in metres",
            Ordinary,
            Planet { mass: 1.989e30 },
            earth,
            0.0..year,
            Sum(&[1.0, 1.0, 0.0, 0.0]),
        ),
        entry("decay from 1e9", Ordinary, decay(0.5), [1e9], 0.0..6.0, Square),
    ]
}
