use revode::ode;

ode! {
    pub struct Mixed<const H: usize> {
        state { u: [H] }
        dims { n }
    }
    du/dt = u;
}

fn main() {}
