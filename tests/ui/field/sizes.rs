use revode::ode;

ode! {
    pub struct Sizes<const H: usize> {
        state { u: [H], v: [3] }
        params { w: [H, K], b: [H + 1] }
    }
    let long = concat(u, 1);
    let part = u[1..H];
    du/dt = u;
    dv/dt = v;
}

fn main() {}
