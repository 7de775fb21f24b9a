use revode::ode;

ode! {
    pub struct Timed {
        state { x, u: [3] }
        params { k, time: [3] }
    }
    let shifted = k + t;
    dx/dt = k * x;
    du/dt = -u;
    at (x) { x += 1; }
    at (k + t) { x += 1; }
    at (k * shifted) { x += 1; }
    at (time) { x += 1; }
    at (y) { x += 1; }
    at (k) { }
}

fn main() {}
