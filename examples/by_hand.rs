//! How do I use a field that is not written with `ode!`? Implements the traits by hand and checks
//! the derivatives against finite differences.
//!
//! `cargo run --release --example by_hand`

use revode::check::check_vjp;
use revode::nalgebra::Vector2;
use revode::prelude::*;

/// `x'' = −stiffness · x`, as a system of first order.
#[derive(Debug, Clone)]
struct Spring {
    stiffness: f64,
}

impl VectorField<f64> for Spring {
    type State = Vector2<f64>;

    fn eval(&self, _t: f64, y: &Vector2<f64>, dy: &mut Vector2<f64>) {
        *dy = Vector2::new(y[1], -self.stiffness * y[0]);
    }
}

impl Parameters<f64> for Spring {
    fn names() -> &'static [&'static str] {
        &["stiffness"]
    }
    fn slices(&self) -> impl Iterator<Item = &[f64]> {
        [std::slice::from_ref(&self.stiffness)].into_iter()
    }
    fn slices_mut(&mut self) -> impl Iterator<Item = &mut [f64]> {
        [std::slice::from_mut(&mut self.stiffness)].into_iter()
    }
}

impl FieldVjp<f64> for Spring {
    type Tape = ();
    fn tape(&self) {}

    fn vjp(
        &self,
        _t: f64,
        y: &Vector2<f64>,
        (): &mut (),
        dy_bar: &Vector2<f64>,
        y_bar: &mut Vector2<f64>,
        model_bar: &mut Self,
    ) -> f64 {
        *y_bar = Vector2::new(-self.stiffness * dy_bar[1], dy_bar[0]);
        model_bar.stiffness += -y[0] * dy_bar[1];
        0.0
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let spring = Spring { stiffness: 4.0 };
    check_vjp(&spring, 0.0, &Vector2::new(0.7, -0.3))?;

    // x(t) = cos(√k t): dx(1)/dk = −sin(√k) / (2 √k).
    let problem = Problem::new(spring, [1.0, 0.0], 0.0..1.0);
    let loss = Terminal::new(|y: &Vector2<f64>| y[0], |_: &Vector2<f64>| Vector2::new(1.0, 0.0));
    let solver = Solver::new(Tsit5).tolerance(1e-10, 1e-10);
    let fit = solver.gradient(&problem, SaveAt::end(), &loss)?;
    println!("x(1)      {:.10}, exactly {:.10}", fit.loss, 2f64.cos());
    println!("dx(1)/dk {:.10}, exactly {:.10}", fit.model.stiffness, -2f64.sin() / 4.0);
    Ok(())
}
