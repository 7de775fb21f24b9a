//! Small errors of the solution grow, and carry the gradient away: chaos, separatrices, thresholds, ignition.

use revode::prelude::*;
use revode_testing::dynamics::{DoublePendulum, Kepler, Lorenz, LotkaVolterra};

use crate::entry::Kind::Sensitive;
use crate::entry::Of::{Component, Sum};
use crate::entry::{Entry, entry};

ode! {
    /// Duffing's double well, driven into chaos.
    struct Duffing {
        state  { x, v }
        params { damping, amp, omega }
    }
    dx/dt = v;
    dv/dt = x - x^3 - damping * v + amp * cos(omega * t);
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
    /// A satellite between earth and moon, in the frame that turns with them (Hairer, Nørsett and Wanner, II.0).
    struct Arenstorf {
        state  { x, y, u, v }
        params { mu }
    }
    let rest = 1 - mu;
    let d1 = ((x + mu)^2 + y^2)^(3/2);
    let d2 = ((x - rest)^2 + y^2)^(3/2);
    dx/dt = u;
    dy/dt = v;
    du/dt = x + 2 * v - rest * (x + mu) / d1 - mu * (x - rest) / d2;
    dv/dt = y - 2 * u - rest * y / d1 - mu * y / d2;
}

ode! {
    /// An explosion that heats itself.
    struct Runaway {
        state  { y }
        params { k }
    }
    dy/dt = k * exp(y);
}

ode! {
    /// Fewer than `least` die out.
    struct Allee {
        state  { n }
        params { r, least, capacity }
    }
    dn/dt = r * n * (n / least - 1) * (1 - n / capacity);
}

ode! {
    /// A nerve that fires if pushed beyond its threshold.
    struct Excitable {
        state  { v, w }
        params { eps, a, b }
    }
    dv/dt = v - v^3 / 3 - w;
    dw/dt = eps * (v + a - b * w);
}

ode! {
    /// An epidemic with births: outbreaks, and years between them in which hardly anyone is infected.
    struct Recurrent {
        state  { s, i }
        params { birth, beta, gamma }
    }
    ds/dt = birth * (1 - s) - beta * s * i;
    di/dt = beta * s * i - (gamma + birth) * i;
}

ode! {
    /// Two genes that repress each other.
    struct Toggle {
        state  { u, v }
        params { a, b }
    }
    du/dt = a / (1 + v^4) - u;
    dv/dt = b / (1 + u^4) - v;
}

ode! {
    /// Three stars of equal mass in a plane.
    struct ThreeBodies {
        state  { x: [3], y: [3], u: [3], v: [3] }
        params { g }
    }
    let xa = concat(x[1] - x[0], x[2] - x[1], x[0] - x[2]);
    let ya = concat(y[1] - y[0], y[2] - y[1], y[0] - y[2]);
    let d = (xa * xa + ya * ya)^(3/2);
    let fx = xa / d;
    let fy = ya / d;
    dx/dt = u;
    dy/dt = v;
    du/dt = g * (fx - concat(fx[2], fx[..2]));
    dv/dt = g * (fy - concat(fy[2], fy[..2]));
}

pub(super) fn problems() -> Vec<Entry> {
    let lorenz = || Lorenz { sigma: 10.0, rho: 28.0, beta: 8.0 / 3.0 };
    let duffing = Duffing { damping: 0.3, amp: 0.5, omega: 1.2 };
    let pendulum = || Pendulum { gravity: 1.0 };
    let orbit = [0.994, 0.0, 0.0, -2.001_585_106_379_082_5];
    let satellite = Arenstorf { mu: 0.012_277_471 };
    let allee = Allee { r: 1.0, least: 0.2, capacity: 1.0 };
    let excitable = Excitable { eps: 0.08, a: 0.7, b: 0.8 };
    let recurrent = Recurrent { birth: 0.05, beta: 100.0, gamma: 20.0 };
    let prey = LotkaVolterra { alpha: 1.5, beta: 1.0, delta: 1.0, gamma: 3.0 };
    let toggle = Toggle { a: 3.0, b: 3.0 };
    let double = DoublePendulum { g: 9.81, m: 1.0 };
    let stars = [1.0, -1.0, 0.1, 0.0, 0.2, 1.3, 0.0, 0.1, -0.1, 0.3, -0.4, 0.1];
    let comet = [0.1, 0.0, 0.0, 4.358_898_943_540_674];
    let weights = &[1.0, 0.5, 0.0, 0.25];
    vec![
        entry("lorenz to 12", Sensitive, lorenz(), [1.0; 3], 0.0..12.0, Component(0)),
        entry("lorenz to 20", Sensitive, lorenz(), [1.0; 3], 0.0..20.0, Component(0)),
        entry("duffing's chaos", Sensitive, duffing, [1.0, 0.0], 0.0..60.0, Component(0)),
        entry(
            "near the separatrix",
            Sensitive,
            pendulum(),
            [0.0, 1.999_99],
            0.0..12.0,
            Component(0),
        ),
        entry("on the separatrix", Sensitive, pendulum(), [0.0, 2.0], 0.0..8.0, Component(0)),
        entry(
            "arenstorf orbit",
            Sensitive,
            satellite,
            orbit,
            0.0..17.0,
            Sum(&[1.0, 1.0, 0.0, 0.0]),
        ),
        entry("thermal runaway", Sensitive, Runaway { k: 1.0 }, [0.0], 0.0..0.9999, Component(0)),
        entry("allee threshold", Sensitive, allee, [0.200_002], 0.0..14.0, Component(0)),
        entry(
            "excitable threshold",
            Sensitive,
            excitable,
            [-0.63, -0.6243],
            0.0..10.0,
            Component(0),
        ),
        entry("recurrent epidemic", Sensitive, recurrent, [0.99, 1e-4], 0.0..7.0, Component(0)),
        entry("predators with deep troughs", Sensitive, prey, [12.0, 8.0], 0.0..12.0, Component(0)),
        entry("toggle switch", Sensitive, toggle, [0.5, 0.500_01], 0.0..14.0, Component(0)),
        entry(
            "double pendulum to 8",
            Sensitive,
            double,
            [2.0, 2.5, 0.0, 0.0],
            0.0..8.0,
            Component(0),
        ),
        entry("three bodies", Sensitive, ThreeBodies { g: 1.0 }, stars, 0.0..4.0, Component(0)),
        entry("kepler 0.9", Sensitive, Kepler { mass: 1.0 }, comet, 0.0..20.0, Sum(weights)),
    ]
}
