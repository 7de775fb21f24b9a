//! Smooth on paper, and steeper than any step; and jumps that are made of other functions than `signum`.

use revode::prelude::*;

use crate::entry::Kind::{Kink, Steep};
use crate::entry::Of::Component;
use crate::entry::{Entry, entry};

ode! {
    /// A spring with dry friction.
    struct Friction {
        state  { x, v }
        params { k, mu, sharp }
    }
    dx/dt = v;
    dv/dt = -k * x - mu * tanh(sharp * v);
}

ode! {
    /// A valve that opens above a level.
    struct Valve {
        state  { y }
        params { a, b, level, sharp }
    }
    dy/dt = -a - b * tanh(sharp * (y - level));
}

ode! {
    /// An infusion from `on` to `off`.
    struct Infusion {
        state  { c }
        params { rate, cleared, on, off, sharp }
    }
    dc/dt = rate * (sigmoid(sharp * (t - on)) - sigmoid(sharp * (t - off))) - cleared * c;
}

ode! {
    /// Full thrust to one side or the other.
    struct FullThrust {
        state  { x, v }
        params { thrust, aim, sharp }
    }
    dx/dt = v;
    dv/dt = -thrust * tanh(sharp * (x - aim));
}

ode! {
    /// A gene that a protein made by it switches off, with a large Hill exponent.
    struct Hill {
        state  { x, y }
        params { a, k }
    }
    dx/dt = a / (1 + (y / k)^60) - x;
    dy/dt = x - y;
}

ode! {
    /// A network of two genes that are on or off.
    struct Genes {
        state  { x, y }
        params { a, b, sharp }
    }
    dx/dt = a * sigmoid(sharp * (0.5 - y)) - x;
    dy/dt = b * sigmoid(sharp * (x - 0.5)) - y;
}

ode! {
    /// A heater with hysteresis.
    struct Thermostat {
        state  { heat, on }
        params { loss, power, aim, band }
    }
    dheat/dt = -loss * (heat - 10) + power * on;
    don/dt = 50 * (0.5 * (1 + tanh(100 * (aim - heat + band * (2 * on - 1)))) - on);
}

ode! {
    /// A rectifier with a capacitor, at 50 Hz; kΩ, units of 10 µF, volts, seconds.
    struct Rectifier {
        state  { v }
        params { log_is, r, c }
    }
    let u = 5 * sin(100 * pi * t) - v;
    dv/dt = (exp(log_is + u / 0.05) - exp(log_is) - 1e-3 * v / r) / (1e-5 * c);
}

ode! {
    /// Dry friction as it is often written.
    struct Divided {
        state  { x, v }
        params { k, mu }
    }
    dx/dt = v;
    dv/dt = -k * x - mu * v / abs(v);
}

ode! {
    /// The same with a root.
    struct Rooted {
        state  { x, v }
        params { k, mu }
    }
    dx/dt = v;
    dv/dt = -k * x - mu * v / sqrt(v^2);
}

ode! {
    /// A tap that is open above a level: Heaviside's function of what a programmer has at hand.
    struct Tap {
        state  { y }
        params { a, b, level }
    }
    dy/dt = -a - b * relu(y - level) / abs(y - level);
}

ode! {
    /// A phase-locked loop that loses its lock: the error of the phase is taken between −π and π.
    struct Loop {
        state  { phase }
        params { omega, gain }
    }
    dphase/dt = omega - gain * atan2(sin(phase), cos(phase));
}

ode! {
    /// Driven by a triangle wave.
    struct Triangle {
        state  { y }
        params { decay, amp, omega }
    }
    dy/dt = -decay * y + amp * acos(0.999999999999 * cos(omega * t));
}

ode! {
    /// A spring that is stiffer on one side, with a hidden kink.
    struct Bilinear {
        state  { x, v }
        params { k, asymmetry }
    }
    dx/dt = v;
    dv/dt = -k * x - asymmetry * sqrt(x^2 + 1e-14);
}

ode! {
    /// An amplifier between its supplies.
    struct Amplifier {
        state  { x, v }
        params { k, gain }
    }
    dx/dt = v;
    dv/dt = -k * min(max(gain * x, -1), 1);
}

ode! {
    /// A gear with backlash.
    struct Backlash {
        state  { x, v }
        params { k, gap, c }
    }
    dx/dt = v;
    dv/dt = -k * (relu(x - gap) - relu(-x - gap)) - c * v;
}

ode! {
    /// A ball on a floor that gives way by Hertz' law.
    struct Hertz {
        state  { x, v }
        params { gravity, stiffness }
    }
    dx/dt = v;
    dv/dt = -gravity + stiffness * relu(-x)^1.5;
}

ode! {
    /// A ball on a hard floor that eats a part of its energy.
    struct HardFloor {
        state  { x, v }
        params { gravity, stiffness, damping }
    }
    dx/dt = v;
    dv/dt = -gravity + relu(-stiffness * x - damping * v * sigmoid(-1e5 * x));
}

pub(super) fn problems() -> Vec<Entry> {
    let friction = |name, sharp| {
        let field = Friction { k: 1.0, mu: 0.1, sharp };
        entry(name, Steep, field, [1.0, 0.5], 0.0..5.0, Component(0))
    };
    let valve = |name, sharp| {
        let field = Valve { a: 1.0, b: 0.5, level: 1.0, sharp };
        entry(name, Steep, field, [2.0], 0.0..3.0, Component(0))
    };
    let infusion = |name, sharp| {
        let field = Infusion { rate: 1.0, cleared: 0.3, on: 2.3, off: 4.7, sharp };
        entry(name, Steep, field, [0.2], 0.0..8.0, Component(0))
    };
    let thrust = |name, sharp| {
        let field = FullThrust { thrust: 1.0, aim: 0.5, sharp };
        entry(name, Steep, field, [1.0, 0.0], 0.0..5.0, Component(0))
    };
    let genes = Genes { a: 1.2, b: 0.9, sharp: 1e4 };
    let thermostat = Thermostat { loss: 0.1, power: 3.0, aim: 20.0, band: 1.0 };
    let rectifier = Rectifier { log_is: -20.0, r: 10.0, c: 1.0 };
    let divided = Divided { k: 1.0, mu: 0.1 };
    let rooted = Rooted { k: 1.0, mu: 0.1 };
    let tap = Tap { a: 0.5, b: 1.0, level: 1.0 };
    let triangle = Triangle { decay: 0.3, amp: 1.0, omega: 2.0 };
    let bilinear = Bilinear { k: 4.0, asymmetry: 2.0 };
    let amplifier = Amplifier { k: 1.0, gain: 1e4 };
    let backlash = Backlash { k: 4.0, gap: 0.3, c: 0.05 };
    let hertz = Hertz { gravity: 1.0, stiffness: 1e4 };
    let hard = HardFloor { gravity: 1.0, stiffness: 1e5, damping: 20.0 };
    let pll = Loop { omega: 4.0, gain: 1.0 };
    vec![
        friction("steep friction 1e3", 1e3),
        friction("steep friction 1e6", 1e6),
        valve("steep valve 1e3", 1e3),
        valve("steep valve 1e5", 1e5),
        infusion("steep infusion 1e3", 1e3),
        infusion("steep infusion 1e5", 1e5),
        thrust("thrust 1e3", 1e3),
        thrust("thrust 1e6", 1e6),
        entry("hill 60", Steep, Hill { a: 2.0, k: 0.5 }, [0.0, 0.0], 0.0..10.0, Component(1)),
        entry("genes on or off", Steep, genes, [0.1, 0.2], 0.0..6.0, Component(0)),
        entry("thermostat", Steep, thermostat, [12.0, 1.0], 0.0..30.0, Component(0)),
        entry("rectifier", Steep, rectifier, [0.0], 0.0..0.045, Component(0)),
        entry("friction by division", Steep, divided, [1.0, 0.5], 0.0..5.0, Component(0)),
        entry("friction by a root", Steep, rooted, [1.0, 0.5], 0.0..5.0, Component(0)),
        entry("tap by division", Steep, tap, [2.0], 0.0..2.5, Component(0)),
        entry("phase-locked loop", Steep, pll, [0.0], 0.0..4.0, Component(0)),
        entry("triangle wave", Steep, triangle, [0.5], 0.0..10.0, Component(0)),
        entry("hidden bilinear", Steep, bilinear, [1.0, 0.0], 0.0..10.0, Component(0)),
        entry("amplifier", Kink, amplifier, [1.0, 0.0], 0.0..10.0, Component(0)),
        entry("backlash", Kink, backlash, [1.0, 0.0], 0.0..20.0, Component(0)),
        entry("hertz contact", Kink, hertz, [1.0, 0.0], 0.0..6.0, Component(0)),
        entry("hard floor", Kink, hard, [1.0, 0.0], 0.0..4.0, Component(0)),
    ]
}
