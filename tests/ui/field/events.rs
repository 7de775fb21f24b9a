use revode::ode;

ode! {
    pub struct Events {
        state { x, u: [3] }
        params { k, b: [3] }
        const { limit = 2 }
    }
    dx/dt = k * x;
    du/dt = -u;
    let rate = k + limit;
    event vector = u - b;
    event constant = limit - 1;
    event parameter = k - rate;
    event x = x - 1;
    event sin = x;
    event twice = x;
    event twice = x - 1;
    event unknown = y - 1;
    event ends = x, terminal { x = 0; }
    event nothing = x { let y = x; }
    event late = x - after;
    let after = k;
}

fn main() {}
