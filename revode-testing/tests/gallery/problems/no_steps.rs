//! Solutions that ask for no steps: at rest, at an equilibrium, or with fields that the method integrates exactly.

use revode::prelude::*;

use super::ordinary::LotkaVolterra;
use super::stability::Logistic;
use crate::entry::Kind::NoSteps;
use crate::entry::Of::{Component, Square};
use crate::entry::{Entry, entry};

ode! {
    /// Driven decay.
    struct Driven {
        state  { y }
        params { k, amp }
    }
    dy/dt = -k * y + amp * cos(5 * t);
}

ode! {
    /// A driven spring with friction.
    struct Damped {
        state  { x, v }
        params { k, c, amp }
    }
    dx/dt = v;
    dv/dt = -k * x - c * v + amp * cos(3 * t);
}

ode! {
    /// A driven spring without friction.
    struct Undamped {
        state  { x, v }
        params { k, amp }
    }
    dx/dt = v;
    dv/dt = -k * x + amp * cos(t);
}

ode! {
    /// A network driven by `sin 4t`.
    struct Network {
        state  { y: [2] }
        params { w1: [4, 3], b1: [4], w2: [2, 4] }
    }
    dy/dt = w2 @ tanh(w1 @ concat(y, sin(4 * t)) + b1);
}

ode! {
    /// What every method of order 1 integrates exactly.
    struct Constant {
        state  { y }
        params { a }
    }
    dy/dt = a;
}

ode! {
    /// What every method of order 3 integrates exactly.
    struct Polynomial {
        state  { y }
        params { a, b, c }
    }
    dy/dt = a + b * t + c * t^2;
}

pub(super) fn problems() -> Vec<Entry> {
    let driven = Driven { k: 1.0, amp: 0.0 };
    let damped = Damped { k: 4.0, c: 0.2, amp: 0.0 };
    let undamped = Undamped { k: 4.0, amp: 0.0 };
    let logistic = Logistic { r: 1.0, capacity: 1.0 };
    #[rustfmt::skip]
    let network = Network {
        // By columns.
        w1: SMatrix::from_column_slice(
            &[0.5, -0.3, 0.8, 0.2, -0.6, 0.4, 0.1, 0.9, 1.1, -0.7, 0.3, 0.6],
        ),
        b1: [0.1, -0.2, 0.3, 0.0].into(),
        w2: SMatrix::zeros(),
    };
    let polynomial = Polynomial { a: 1.0, b: -0.5, c: 0.1 };
    let prey = LotkaVolterra { alpha: 1.5, beta: 1.0, delta: 1.0, gamma: 3.0 };
    let (still, balance) = ([0.0, 0.0], "lotka-volterra at its equilibrium");
    vec![
        entry("amplitude 0", NoSteps, driven, [0.0], 0.0..10.0, Component(0)),
        entry("damped oscillator at rest", NoSteps, damped, still, 0.0..20.0, Component(0)),
        entry("oscillator at rest", NoSteps, undamped, still, 0.0..20.0, Component(0)),
        entry("logistic at its equilibrium", NoSteps, logistic, [1.0], 0.0..10.0, Component(0)),
        entry("last layer 0", NoSteps, network, [1.0, 0.5], 0.0..10.0, Square),
        entry("constant field", NoSteps, Constant { a: 0.7 }, [1.0], 0.0..10.0, Component(0)),
        entry("polynomial field", NoSteps, polynomial, [1.0], 0.0..10.0, Component(0)),
        entry(balance, NoSteps, prey, [3.0, 1.5], 0.0..10.0, Component(0)),
    ]
}
