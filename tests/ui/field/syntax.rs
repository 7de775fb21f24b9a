use revode::ode;

ode! {
    pub struct Syntax {
        state { x, y }
        params { a }
    }
    let b = 2 a;
    x = a;
    dx/dt = (a + ) * x;
    dx/dy = 1;
    dy/dt = a * * x;
    let c = 1.0f64 + "text" + u[..=2];
    let d = 1e999
}

fn main() {}
