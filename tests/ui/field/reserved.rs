use revode::ode;

ode! {
    pub struct Reserved<const T: usize> {
        state { t, sin, x }
        params { x, match, concat }
        const { pi = 3.14159, tau = 2 * pie }
    }
    let x = 1;
    let pi = 3;
    dx/dt = 1;
}

fn main() {}
