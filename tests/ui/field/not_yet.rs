use revode::ode;

ode! {
    pub struct NotYet {
        state { x }
        input { dose }
        inputs { dose }
    }
    dx/dt = if x > 0 { 1 } else { 2 };
}

fn main() {}
