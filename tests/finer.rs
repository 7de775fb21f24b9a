//! Exact reversal of components that decay: their grid follows them, so that a relative tolerance is kept, however
//! small they become.

use revode::prelude::*;
use revode_testing::compare::{difference, flat};
use revode_testing::loss::{component, squared_length};

ode! {
    struct Decay {
        state  { y }
        params { rate }
    }
    dy/dt = -rate * y;
}

ode! {
    /// Robertson's reaction, slowed down.
    struct Slow {
        state  { a, b, c }
        params { k }
    }
    da/dt = -0.04 * k * a + 10 * b * c;
    db/dt = 0.04 * a - 10 * b * c - 30 * b^2;
    dc/dt = 30 * b^2;
}

ode! {
    struct Damped {
        state  { x, v }
        params { damping }
    }
    dx/dt = v;
    dv/dt = -x - damping * v;
}

#[test]
fn measure() {
    let problem = Problem::new(Decay { rate: 1.0 }, [1.0], 0.0..30.0);
    let loss = component(0);
    let solver = Solver::new(Tsit5).tolerance(1e-10, 1e-30);
    let right = (-30.0_f64).exp();
    let exact = solver.strategy(Exact::default()).gradient(&problem, SaveAt::end(), &loss).unwrap();
    println!(
        "{:e} {:e} {:e} {:e}",
        exact.loss,
        exact.loss / right - 1.0,
        exact.y0[0] / right - 1.0,
        exact.model.rate / (-30.0 * right) - 1.0
    );
    println!("{}", exact.stats);
    let plain = solver.strategy(StoreAll).gradient(&problem, SaveAt::end(), &loss).unwrap();
    println!(
        "{:e} {:e} {:e} {:e}",
        plain.loss,
        plain.loss / right - 1.0,
        plain.y0[0] / right - 1.0,
        plain.model.rate / (-30.0 * right) - 1.0
    );

    let problem = Problem::new(Slow { k: 1.0 }, [1.0, 0.0, 0.0], 0.0..40.0);
    for tol in [1e-5] {
        let right = Solver::new(Dopri8)
            .tolerance(1e-13, 1e-15)
            .strategy(StoreAll)
            .gradient(&problem, SaveAt::end(), &squared_length())
            .unwrap();
        let solver = Solver::new(Bosh3).tolerance(tol, tol).unchecked();
        let off = |found: Vec<f64>| difference(&found, &flat(&right));
        let plain =
            solver.strategy(StoreAll).gradient(&problem, SaveAt::end(), &squared_length()).unwrap();
        let exact = solver
            .strategy(Exact::default())
            .gradient(&problem, SaveAt::end(), &squared_length())
            .unwrap();
        let guarded = solver
            .strategy(Guarded::default())
            .gradient(&problem, SaveAt::end(), &squared_length())
            .unwrap();
        println!(
            "plain {:.2e} exact {:.2e} guarded {:.2e}",
            off(flat(&plain)),
            off(flat(&exact)),
            off(flat(&guarded))
        );
        println!(
            "loss: plain {:.2e} exact {:.2e} guarded {:.2e}",
            plain.loss - right.loss,
            exact.loss - right.loss,
            guarded.loss - right.loss
        );
        println!(
            "{:?}\n{:?}\n{:?}\n{:?}",
            flat(&right),
            flat(&plain),
            flat(&exact),
            flat(&guarded)
        );
        println!("{}\n{}", exact.stats, guarded.stats);
    }

    let loss = component(0);
    let problem = Problem::new(Damped { damping: 0.2 }, [1.0, 0.0], 0.0..200.0);
    let solver = Solver::new(Tsit5).tolerance(1e-8, 1e-30);
    let exact = solver.strategy(Exact::default()).gradient(&problem, SaveAt::end(), &loss).unwrap();
    let plain = solver.strategy(StoreAll).gradient(&problem, SaveAt::end(), &loss).unwrap();
    let right = Solver::new(Dopri8)
        .tolerance(1e-13, 1e-30)
        .strategy(StoreAll)
        .gradient(&problem, SaveAt::end(), &loss)
        .unwrap();
    println!(
        "damped: {:e} {:e}; {:e}",
        difference(&flat(&exact), &flat(&right)),
        difference(&flat(&plain), &flat(&right)),
        exact.loss / right.loss - 1.0
    );
    println!("{} {} bytes", exact.stats, exact.stats.bytes_kept);
}
