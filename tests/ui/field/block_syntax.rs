use revode::ode;

ode! {
    pub struct BlockSyntax {
        state { x }
    }
    dx/dt = 1;
    event c = x {
        dx/dt = 1;
        x == 1;
        x;
        x + 1;
        (x) = 1;
        if x { x = 1; }
        x = 2 x;
        sin(x) = 1;
        x ^= 2;
        at (1) { x = 1; }
        let y = 1
    }
}

fn main() {}
