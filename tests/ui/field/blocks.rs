use revode::ode;

ode! {
    pub struct Blocks {
        state { x, u: [3], m: [2, 2] }
        params { k }
        const { limit = 2 }
    }
    let rate = k * x;
    dx/dt = rate;
    du/dt = -u;
    dm/dt = m;
    event a = x {
        k = 1;
        limit = 1;
        rate = 1;
        t = 1;
        y = 1;
        mm = 1;
        let old = x;
        old = 1;
    }
    event b = x {
        u[0..2] = 1;
        u[3] = 1;
        u[0] = u;
        x = u;
        u = m;
        m[0] = 1;
        x[0] = 1;
        u[k] = 1;
    }
    event d = x {
        let x = 1;
        let n = n;
        x = later;
        let later = 1;
    }
}

fn main() {}
