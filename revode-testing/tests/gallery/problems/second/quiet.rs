//! Little happens, or nothing, or late.

use revode::prelude::*;

use crate::entry::Kind::{NoSteps, Pulse, Stability};
use crate::entry::Of::{Component, Square};
use crate::entry::{Entry, entry};

ode! {
    /// A pulse that decay forgets slowly.
    struct Gauss {
        state  { y }
        params { decay, amp, centre, width }
    }
    dy/dt = -decay * y + amp * exp(-((t - centre) / width)^2);
}

ode! {
    /// A stimulus between two times.
    struct Stimulus {
        state  { y }
        params { decay, amp, on, off }
    }
    dy/dt = -decay * y + amp * (sigmoid(50 * (t - on)) - sigmoid(50 * (t - off)));
}

ode! {
    /// A nerve at rest until something happens.
    struct Nerve {
        state  { v, w }
        params { amp, on, eps }
    }
    dv/dt = v - v^3 / 3 - w + amp * (sigmoid(20 * (t - on)) - sigmoid(20 * (t - on - 1)));
    dw/dt = eps * (v + 0.7 - 0.8 * w);
}

ode! {
    /// A dose a day, for five days.
    struct Doses {
        state  { gut, blood }
        params { dose, absorbed, cleared, hour }
    }
    let pulse = exp(400 * (cos(pi * (t - hour) / 12) - 1));
    dgut/dt = dose * pulse - absorbed * gut;
    dblood/dt = absorbed * gut - cleared * blood;
}

ode! {
    /// Rain on the tips of a cosine.
    struct Comb {
        state  { y }
        params { decay, amp, tip }
    }
    dy/dt = -decay * y + amp * relu(cos(t) - tip);
}

ode! {
    /// A triangular pulse.
    struct Tent {
        state  { y }
        params { decay, amp, centre, width }
    }
    dy/dt = -decay * y + amp * relu(1 - abs(t - centre) / width);
}

ode! {
    /// Begins to matter when a decay has passed a level.
    struct Fuse {
        state  { x, y }
        params { k, level, rate }
    }
    dx/dt = -k * x;
    dy/dt = rate * exp(-((x - level) / 0.01)^2);
}

ode! {
    /// A network whose units are all dead until late.
    struct Dead {
        state  { y: [2] }
        params { w1: [4, 3], b1: [4], w2: [2, 4] }
    }
    dy/dt = w2 @ relu(w1 @ concat(y, t) + b1);
}

ode! {
    /// Growth from nothing, exactly.
    struct Logistic {
        state  { y }
        params { r, capacity }
    }
    dy/dt = r * y * (1 - y / capacity);
}

ode! {
    /// Two numbers on a saddle point.
    struct Saddle {
        state  { x, y }
        params { a, b, push }
    }
    dx/dt = a * x + x * y + push;
    dy/dt = -b * y + x * x;
}

ode! {
    /// Towards `aim` at a fast rate.
    struct Relaxation {
        state  { y }
        params { k, aim, slope }
    }
    dy/dt = -k * (y - aim) + slope * cos(t);
}

ode! {
    /// A slow and a fast oscillator, of which the fast one hardly moves.
    struct FastAndSlow {
        state  { x, v, z, w }
        params { fast, slow, coupling }
    }
    dx/dt = v;
    dv/dt = -fast * fast * x;
    dz/dt = w;
    dw/dt = -slow * slow * z + coupling * fast * x;
}

ode! {
    /// What a method of order 4 integrates exactly.
    struct Quartic {
        state  { y, z }
        params { a, b, c }
    }
    dy/dt = a * t^3 - b * t;
    dz/dt = c * y;
}

ode! {
    /// Diffusion that is 0.
    struct Still {
        state  { u: [10] }
        params { d, k }
    }
    du/dt = d * 121 * (concat(0, u[..9]) - 2 * u + concat(u[1..], 0)) - k * u^2;
}

ode! {
    /// A resonator at rest that an amplitude of 0 drives in bursts.
    struct Burst {
        state  { x, v }
        params { k, c, amp }
    }
    dx/dt = v;
    dv/dt = -k * x - c * v + amp * sin(40 * t) * exp(-(t - 7)^2 / 0.02);
}

pub(super) fn problems() -> Vec<Entry> {
    let gauss = |name, decay, amp, centre, width, end| {
        let field = Gauss { decay, amp, centre, width };
        entry(name, Pulse, field, [0.0], 0.0..end, Component(0))
    };
    let stimulus = |name, amp, on, off, end| {
        let field = Stimulus { decay: 0.1, amp, on, off };
        entry(name, Pulse, field, [0.0], 0.0..end, Component(0))
    };
    let nerve = Nerve { amp: 1.0, on: 80.0, eps: 0.08 };
    let at_rest = [-1.199_408_035_244_035, -0.624_260_044_055_044];
    let doses = Doses { dose: 1.0, absorbed: 1.5, cleared: 0.3, hour: 8.0 };
    let comb = Comb { decay: 0.5, amp: 200.0, tip: 0.99 };
    let tent = Tent { decay: 0.1, amp: 5.0, centre: 31.4, width: 0.2 };
    let fuse = Fuse { k: 0.1, level: 0.2, rate: 1.0 };
    #[rustfmt::skip]
    let dead = Dead {
        w1: SMatrix::from_column_slice(
            &[-0.5, -0.3, -0.8, -0.2, 0.1, -0.4, 0.1, -0.9, 1.0, 1.1, 0.9, 1.2],
        ),
        b1: [-18.0, -19.0, -17.0, -20.0].into(),
        w2: SMatrix::from_column_slice(&[0.5, -0.4, 0.3, 0.2, -0.6, 0.7, 0.1, 0.4]),
    };
    let saddle = Saddle { a: 1.5, b: 1.0, push: 0.0 };
    let relaxation = Relaxation { k: 1000.0, aim: 2.0, slope: 0.0 };
    let fast = FastAndSlow { fast: 200.0, slow: 1.0, coupling: 0.5 };
    let quartic = Quartic { a: 0.1, b: 0.3, c: 0.5 };
    let still = Still { d: 0.0, k: 0.0 };
    let cells = std::array::from_fn(|i| {
        let x = (i + 1) as f64 / 11.0;
        x * (1.0 - x) * (1.0 + x)
    });
    let burst = Burst { k: 4.0, c: 0.1, amp: 0.0 };
    let logistic = Logistic { r: 1.0, capacity: 1.0 };
    vec![
        gauss("pulse at 90", 0.05, 1.0, 90.0, 0.5, 100.0),
        gauss("sharp pulse at 90", 0.05, 20.0, 90.0, 0.02, 100.0),
        gauss("pulse of amplitude 0", 0.5, 0.0, 7.0, 0.1, 10.0),
        stimulus("late stimulus", 1.0, 90.0, 90.5, 100.0),
        stimulus("stimulus of amplitude 0", 0.0, 31.0, 31.5, 40.0),
        entry("nerve at rest until 80", Pulse, nerve, at_rest, 0.0..85.0, Component(0)),
        entry("five doses", Pulse, doses, [0.0, 0.0], 0.0..110.0, Component(1)),
        entry("rain on tips", Pulse, comb, [0.3], 0.0..40.0, Component(0)),
        entry("tent", Pulse, tent, [0.0], 0.0..40.0, Component(0)),
        entry("fuse", Pulse, fuse, [1.0, 0.0], 0.0..30.0, Component(1)),
        entry("dead until late", NoSteps, dead, [0.5, 0.3], 0.0..20.0, Square),
        entry("nothing grows", NoSteps, logistic, [0.0], 0.0..20.0, Component(0)),
        entry("on a saddle", NoSteps, saddle, [0.0, 0.0], 0.0..8.0, Component(0)),
        entry("stiff at rest", Stability, relaxation, [2.0], 0.0..3.0, Component(0)),
        entry("fast beside slow", NoSteps, fast, [0.0, 0.0, 1.0, 0.0], 0.0..10.0, Component(2)),
        entry("quartic", NoSteps, quartic, [1.0, 0.0], 0.0..10.0, Component(1)),
        entry("no diffusion", NoSteps, still, cells, 0.0..2.0, Square),
        entry("burst of amplitude 0", NoSteps, burst, [0.0, 0.0], 0.0..12.0, Component(0)),
    ]
}
