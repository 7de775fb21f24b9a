//! How do I fit parameters to the times at which something happens? Recovers gravity and restitution of a ball from
//! the times of its first five bounces.
//!
//! `cargo run --release --example bouncing_ball`

use revode::prelude::*;

ode! {
    /// A ball that loses a part of its speed whenever it hits the ground.
    struct Ball {
        state  { height, speed }
        params { gravity, restitution }
    }
    dheight/dt = speed;
    dspeed/dt = -gravity;
    event bounce = height, falling { speed = -restitution * speed; }
}

/// The times of the first five bounces from rest at 10 m: each flight is `restitution` times as long as the one before.
fn closed_form(gravity: f64, restitution: f64) -> [f64; 5] {
    let fall = (20.0 / gravity).sqrt();
    let flight = |k: i32| 2.0 * restitution.powi(k) * fall;
    std::array::from_fn(|n| fall + (1..=n as i32).map(flight).sum::<f64>())
}

fn main() -> Result<(), SolveError> {
    let measured = closed_form(9.81, 0.8);
    println!("measured {measured:.3?}");
    let loss = EventTimes::new("bounce", &measured);
    let solver = Solver::new(Tsit5).tolerance(1e-10, 1e-10);

    // A tenth of gravity, and restitution: numbers of one size.
    let mut x = SVector::from([0.9, 0.75]);
    let mut last: Option<(SVector<f64, 2>, SVector<f64, 2>)> = None;
    for iteration in 0.. {
        let ball = Ball { gravity: 10.0 * x[0], restitution: x[1] };
        let (g, e) = (ball.gravity, ball.restitution);
        let problem = Problem::new(ball, [10.0, 0.0], 0.0..9.0);
        let fit = solver.gradient(&problem, SaveAt::end(), &loss)?;
        println!("{iteration:2}: loss {:.1e}, gravity {g:.9}, restitution {e:.9}", fit.loss);
        if fit.loss < 1e-20 {
            break;
        }
        assert!(iteration < 100, "it has not converged");
        // Gradient descent with the rate of Barzilai and Borwein, IMA J. Numer. Anal. 8 (1988).
        let slope = SVector::from([10.0 * fit.model.gravity, fit.model.restitution]);
        let rate = last.map_or(1e-3, |(x0, slope0)| {
            (x - x0).dot(&(slope - slope0)) / (slope - slope0).norm_squared()
        });
        last = Some((x, slope));
        x -= rate * slope;
    }
    assert!((x - SVector::from([0.981, 0.8])).norm() < 1e-9);
    Ok(())
}
