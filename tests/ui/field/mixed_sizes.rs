use revode::ode;

ode! {
    pub struct Mixed<const H: usize, U, const F: f64> {
        state { u: [H] }
        dims { n }
    }
    du/dt = u;
}

fn main() {}
