use revode::ode;

ode! {
    pub struct Ranges {
        state { u: [3] }
        params { w: [2, 4], b: [0], v: [1.5] }
    }
    let i = 1;
    du/dt = u[3] * w[2, 0] + w[0, 4] * u[-1] + u[i] + sum(u[2..2]) + sum(u[1..4]) + u[0.5] + u[sin(1)];
}

fn main() {}
