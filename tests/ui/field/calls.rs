use revode::ode;

ode! {
    pub struct Calls {
        state { x }
        params { a }
    }
    dx/dt = pow(x) + sin(x, a) + concat() + norm2(x, x) + sum();
}

fn main() {}
