use revode::ode;

ode! {
    pub struct Shapes<const H: usize> {
        state { u: [3], x }
        params { w: [H, 4], b: [H], c: [2, 3] }
    }
    let hidden = tanh(w @ u + b);
    let sum = u + c @ u;
    let product = 2 @ u;
    let size = H * x;
    du/dt = c @ u;
    dx/dt = dot(u, b) + dot(x, u) + concat(c, x)[0] + u[0] * c[1] + x[0] + c[0..1];
}

fn main() {}
