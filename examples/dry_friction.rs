//! How do I model what turns and what sticks? A block on a spring with dry friction: how often it turns, where it rests,
//! and how that depends on the friction.
//!
//! `cargo run --release --example dry_friction`

use revode::prelude::*;

ode! {
    /// A block of mass 1. `side` is the direction in which it slides, a state that only the event changes.
    struct Block {
        state  { x, v, side }
        params { stiffness, friction }
    }
    dx/dt = v;
    dv/dt = -stiffness * x - friction * side;
    dside/dt = 0;
    // It stops where the spring is weaker than friction: then both of these are below 0 if it went on.
    event rests = max(v * side, stiffness * abs(x) - friction), falling, terminal;
    event turns = v * side, falling { side = -side; }
}

fn main() -> Result<(), SolveError> {
    let (start, stiffness, friction) = (1.05, 4.0, 0.5);
    let problem = Problem::new(Block { stiffness, friction }, [start, 0.0, -1.0], 0.0..100.0);
    let solver = Solver::new(Vern7).tolerance(1e-12, 1e-12);
    let solution = solver.solve(&problem, SaveAt::end())?;
    for occurrence in &solution.events {
        println!("{:.6} s: {} at {:.6}", occurrence.t, occurrence.event.name, occurrence.before[0]);
    }

    // Each half period is a half cosine about ±friction / stiffness: the amplitude falls by twice that.
    let falls = 2.0 * friction / stiffness;
    let halves = f64::ceil((start - 0.5 * falls) / falls);
    let sign = if halves % 2.0 == 0.0 { 1.0 } else { -1.0 };
    let place = sign * (start - halves * falls);
    let time = halves * std::f64::consts::PI / stiffness.sqrt();
    println!("{halves} half periods, rests at {place:.6} after {time:.6} s in closed form");
    assert_eq!(solution.events.len() as f64, halves);
    assert!((solution.y[0][0] - place).abs() < 1e-10 && (solution.t[0] - time).abs() < 1e-10);

    let x = Terminal::new(|y: &SVector<f64, 3>| y[0], |_| SVector::from([1.0, 0.0, 0.0]));
    let fit = solver.gradient(&problem, SaveAt::end(), &x)?;
    let by_friction = -sign * 2.0 * halves / stiffness;
    let by_stiffness = sign * halves * falls / stiffness;
    println!("by friction {:.10}, in closed form {by_friction:.10}", fit.model.friction);
    println!("by stiffness {:.10}, in closed form {by_stiffness:.10}", fit.model.stiffness);
    assert!((fit.model.friction - by_friction).abs() < 1e-9);
    assert!((fit.model.stiffness - by_stiffness).abs() < 1e-9);
    Ok(())
}
