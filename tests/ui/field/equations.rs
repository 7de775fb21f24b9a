use revode::ode;

ode! {
    pub struct Equations {
        state { x, y, z }
        params { alpha }
    }
    dx/dt = alpha * x;
    dx/dt = y;
    dalpha/dt = x;
    dy/dt = x;
    dw/dt = 1;
}

fn main() {}
