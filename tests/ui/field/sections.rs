//! Mistakes in sections: all of them in one run, and those of the statements too.

use revode::ode;

ode! {
    pub struct Sections {
        state  { x: 3, y z, u: [2] }
        params { a: f64, b c, v: [2, ], w: [1 2], 4 }
        const  { one 1, two = 2 * , four = 4 }
    }
    dx/dt = x a;
}

ode! {
    state  { x }
    params { a }
    dx/dt = a;
}

fn main() {}
