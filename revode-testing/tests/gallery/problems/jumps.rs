//! Fields that jump. Where the time of the jump depends on the state or on a parameter, the gradient has a term for it.

use revode::prelude::*;

use crate::entry::Kind::Jump;
use crate::entry::Of::Component;
use crate::entry::{Entry, entry};

ode! {
    /// Falls at `a + b`, and at `a − b` below `c`.
    struct Slower {
        state  { y }
        params { a, b, c }
    }
    dy/dt = -a - b * signum(y - c);
}

ode! {
    /// A spring with dry friction, over a span in which it does not stick.
    struct Friction {
        state  { x, v }
        params { k, mu }
    }
    dx/dt = v;
    dv/dt = -k * x - mu * signum(v);
}

ode! {
    /// Driven by a square wave: its jumps are at times that nothing moves, and the gradient lacks nothing.
    struct SquareWave {
        state  { y }
        params { decay, amp }
    }
    dy/dt = -decay * y + amp * signum(sin(t));
}

pub(super) fn problems() -> Vec<Entry> {
    let slower = Slower { a: 1.0, b: 0.5, c: 1.0 };
    let friction = Friction { k: 1.0, mu: 0.1 };
    let wave = SquareWave { decay: 0.3, amp: 1.0 };
    vec![
        entry("slower below", Jump, slower, [2.0], 0.0..3.0, Component(0)),
        entry("dry friction", Jump, friction, [1.0, 0.5], 0.0..5.0, Component(0)),
        entry("square wave", Jump, wave, [0.5], 0.0..10.0, Component(0)),
    ]
}
