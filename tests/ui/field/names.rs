use revode::ode;

ode! {
    pub struct Names {
        state { x, y }
        params { alpha, beta }
    }
    let early = late + alpha;
    let late = x;
    let own = 2 * own;
    dx/dt = alhpa * x - sinn(y) + beta(x);
    dy/dt = early + late + own + gamma + sin;
}

fn main() {}
