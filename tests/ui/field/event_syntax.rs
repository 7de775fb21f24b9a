use revode::ode;

ode! {
    pub struct EventSyntax {
        state { x, v }
        params { k }
    }
    dx/dt = v;
    dv/dt = -k;
    event low = x, downwards;
    event both = x, rising, falling;
    event ends = x, terminal, terminal;
    event condition = x < 0.1;
    event missing = x falling;
    event comma = x,;
    event = x;
    event noted x;
    event braces = x { v = 1 }
    event open = x { v = 1; };
    when (x) { v = 0; }
    if x { v = 0; }
    dose (3) { v = 0; }
    terminate x;
    event l = u[i] for i in 0..=2;
    event o = u[i] for i;
    event p = u[i] for i in 0..3, falling;
    event q = u[i], falling, for i in 0..3;
    for i in 0..3 { x = 1; }
    at (k);
    at k { x += 1; }
    at (k), terminal;
    at (k), falling { x += 1; }
    at (k) { x += 1; } for i in 0..3;
    at (k) while x;
    at () { x += 1; }
    event last = x
}

ode! {
    pub struct Section {
        state { x }
        event { hit = x }
    }
    dx/dt = x;
}

fn main() {}
