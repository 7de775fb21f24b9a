//! Van der Pol's oscillator, stiff and driven.

use revode::prelude::*;

use crate::entry::Kind::{NoSteps, Ordinary, Stability};
use crate::entry::Of::Component;
use crate::entry::{Entry, entry};

ode! {
    /// Van der Pol's relaxation oscillator in slow time: the velocity follows at the rate `(x² − 1)/ε`.
    struct VanDerPol {
        state  { x, v }
        params { epsilon }
    }
    dx/dt = v;
    dv/dt = ((1 - x^2) * v - x) / epsilon;
}

ode! {
    /// The same, neither stiff nor alone.
    struct Driven {
        state  { x, v }
        params { mu, amp, omega }
    }
    dx/dt = v;
    dv/dt = mu * (1 - x^2) * v - x + amp * cos(omega * t);
}

pub(super) fn problems() -> Vec<Entry> {
    let stiff = |name, epsilon, end| {
        entry(name, Stability, VanDerPol { epsilon }, [2.0, 0.0], 0.0..end, Component(0))
    };
    let rest = Driven { mu: 1.0, amp: 0.0, omega: 1.2 };
    let driven = Driven { amp: 0.5, ..rest.clone() };
    vec![
        // These two jump once, at 0.81.
        stiff("van der pol 1e-3", 1e-3, 1.0),
        stiff("van der pol 1e-4", 1e-4, 1.0),
        stiff("van der pol 1e-5", 1e-5, 0.25),
        stiff("van der pol 1e-6", 1e-6, 0.005),
        entry("van der pol at rest", NoSteps, rest, [0.0, 0.0], 0.0..5.0, Component(0)),
        entry("driven van der pol", Ordinary, driven, [2.0, 0.0], 0.0..10.0, Component(0)),
    ]
}
