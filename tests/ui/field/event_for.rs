use revode::ode;

ode! {
    pub struct For {
        state { x, u: [3], m: [2, 3] }
        params { k, b: [3] }
    }
    dx/dt = k * x;
    du/dt = -u;
    dm/dt = m;
    event a = u[i] - b[i + 1] for i in 0..3;
    event b1 = u[i - 1] for i in 0..3;
    event c = u[i] - i for i in 0..3;
    event d = u[i] for i in 2..2;
    event e1 = u[i] for i in 0..k;
    event f = u[i] for x in 0..3;
    event g = u[i];
    event h = u for i in 0..3;
    event j = sum(u[0..i]) for i in 1..3;
    event r = m[i, i] for i in 0..3;
    event s = u[i] for i in 0..3 { u[i + 1] = 0; }
    event v = u[i] for i in -1..3;
    at (b[i]) for i in 0..4 { x += 1; }
    at (b[x]) for i in 0..3 { x += b[i]; }
    at (k) for j in 0..3 { x += j; }
    at (k) for t in 0..3 { x += 1; }
}

ode! {
    pub struct Sizes<const index: usize> {
        state { u: [index] }
    }
    du/dt = -u;
    event a = u[i] for i in 0..index;
}

fn main() {}
