use revode::ode;

ode! {
    pub struct NoState {
        params { a: [] }
    }
}

ode! {
    pub struct Empty {
        params { a: [1, 2, 3] }
    }
}

fn main() {}
