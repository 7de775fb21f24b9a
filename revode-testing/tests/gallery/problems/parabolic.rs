//! Partial differential equations on the cells of the unit interval, by the method of lines.

use revode::prelude::*;

use crate::entry::Kind::Stability;
use crate::entry::Of::Square;
use crate::entry::{Entry, entry};

ode! {
    /// Heat on 10 cells between cold ends.
    struct Heat10 {
        state  { u: [10] }
        params { d }
    }
    du/dt = d * 121 * (concat(0, u[..9]) - 2 * u + concat(u[1..], 0));
}

ode! {
    /// Heat on 50 cells between cold ends.
    struct Heat50 {
        state  { u: [50] }
        params { d }
    }
    du/dt = d * 2601 * (concat(0, u[..49]) - 2 * u + concat(u[1..], 0));
}

ode! {
    /// Fisher's equation, growth that diffuses, on 20 cells.
    struct Fisher {
        state  { u: [20] }
        params { d, r }
    }
    du/dt = d * 441 * (concat(0, u[..19]) - 2 * u + concat(u[1..], 0)) + r * u * (1 - u);
}

ode! {
    /// The Brusselator on 10 cells between given concentrations.
    struct Brusselator {
        state  { u: [10], v: [10] }
        params { a, b, d }
    }
    let square = u * u * v;
    du/dt = a + square - (b + 1) * u + d * 121 * (concat(1, u[..9]) - 2 * u + concat(u[1..], 1));
    dv/dt = b * u - square + d * 121 * (concat(3, v[..9]) - 2 * v + concat(v[1..], 3));
}

/// `x (1 − x) (1 + x)` on the cells.
fn bump<const N: usize>() -> [f64; N] {
    std::array::from_fn(|i| {
        let x = (i + 1) as f64 / (N + 1) as f64;
        x * (1.0 - x) * (1.0 + x)
    })
}

pub(super) fn problems() -> Vec<Entry> {
    let cells: [f64; 10] = bump();
    let concentrations = std::array::from_fn(|i| if i < 10 { 1.0 + cells[i] } else { 3.0 });
    let fisher = Fisher { d: 0.5, r: 5.0 };
    let brusselator = Brusselator { a: 1.0, b: 3.0, d: 0.2 };
    vec![
        entry("heat 10", Stability, Heat10 { d: 1.0 }, cells, 0.0..0.2, Square),
        entry("heat 50", Stability, Heat50 { d: 1.0 }, bump(), 0.0..0.2, Square),
        entry("fisher", Stability, fisher, bump(), 0.0..2.0, Square),
        entry("brusselator 1-d", Stability, brusselator, concentrations, 0.0..5.0, Square),
    ]
}
