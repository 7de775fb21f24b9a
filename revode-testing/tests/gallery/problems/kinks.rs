//! Continuous fields whose derivatives jump.

use revode::prelude::*;

use crate::entry::Kind::Kink;
use crate::entry::Of::Component;
use crate::entry::{Entry, entry};

ode! {
    /// Follows an oxygen uptake up faster than down.
    struct Tracker {
        state  { y }
        params { up, down }
    }
    let x = 0.4 + 0.02 * sin(t);
    dy/dt = up * relu(x - y) - down * relu(y - x);
}

ode! {
    /// A spring that is stiffer on one side.
    struct Bilinear {
        state  { x, v }
        params { k, asymmetry }
    }
    dx/dt = v;
    dv/dt = -k * x - asymmetry * abs(x);
}

ode! {
    /// Uptake in proportion to what is there, up to a limit.
    struct Uptake {
        state  { y }
        params { limit, rate }
    }
    dy/dt = -min(limit, rate * y);
}

ode! {
    /// Driven by the positive half of a sine: a kink in time.
    struct Rectified {
        state  { y }
        params { decay, amp }
    }
    dy/dt = -decay * y + amp * max(sin(t), 0);
}

ode! {
    /// A ball on an elastic floor.
    struct Floor {
        state  { x, v }
        params { gravity, stiffness }
    }
    dx/dt = v;
    dv/dt = -gravity + stiffness * relu(-x);
}

pub(super) fn problems() -> Vec<Entry> {
    let tracker = Tracker { up: 0.2, down: 0.02 };
    let bilinear = Bilinear { k: 4.0, asymmetry: 2.0 };
    let uptake = Uptake { limit: 0.5, rate: 1.0 };
    let rectified = Rectified { decay: 0.3, amp: 1.0 };
    let floor = Floor { gravity: 1.0, stiffness: 100.0 };
    vec![
        entry("tracker", Kink, tracker, [0.4], 0.0..300.0, Component(0)),
        entry("bilinear oscillator", Kink, bilinear, [1.0, 0.0], 0.0..10.0, Component(0)),
        entry("saturating uptake", Kink, uptake, [2.0], 0.0..6.0, Component(0)),
        entry("rectified drive", Kink, rectified, [0.5], 0.0..20.0, Component(0)),
        entry("elastic floor", Kink, floor, [1.0, 0.0], 0.0..5.0, Component(0)),
    ]
}
