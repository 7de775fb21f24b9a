//! Fields by hand that lack what a Rosenbrock method takes.

use revode::prelude::*;
use revode::{FieldJacobian, Sides, Square};

/// Without a Jacobian.
#[derive(Clone)]
struct Field;

impl VectorField<f64> for Field {
    type State = SVector<f64, 1>;
    fn eval(&self, _: f64, y: &Self::State, dy: &mut Self::State) {
        *dy = -y;
    }
}

/// With one, but without what gradients take.
#[derive(Debug, Clone, PartialEq)]
struct Decay {
    k: f64,
}

impl VectorField<f64> for Decay {
    type State = SVector<f64, 1>;
    fn eval(&self, _: f64, y: &Self::State, dy: &mut Self::State) {
        *dy = -self.k * y;
    }
}

impl FieldJacobian<f64> for Decay {
    const AUTONOMOUS: bool = true;
    fn time_derivative(&self, _: Sides, _: f64, _: &Self::State, f_t: &mut Self::State) {
        f_t.x = 0.0;
    }
    fn jacobian(&self, _: Sides, _: f64, _: &Self::State, jacobian: &mut SMatrix<f64, 1, 1>) {
        Square::as_mut_slice(jacobian)[0] = -self.k;
    }
}

impl Parameters<f64> for Decay {
    fn zeros_like(&self) -> Self {
        Self { k: 0.0 }
    }
    fn slices(&self) -> impl Iterator<Item = &[f64]> {
        std::iter::once(std::slice::from_ref(&self.k))
    }
    fn slices_mut(&mut self) -> impl Iterator<Item = &mut [f64]> {
        std::iter::once(std::slice::from_mut(&mut self.k))
    }
    fn names() -> &'static [&'static str] {
        &["k"]
    }
}

impl FieldVjp<f64> for Decay {
    type Tape = ();
    fn tape(&self) {}
    fn vjp(
        &self,
        _: f64,
        y: &Self::State,
        (): &mut (),
        dy_bar: &Self::State,
        y_bar: &mut Self::State,
        model_bar: &mut Self,
    ) -> f64 {
        *y_bar = -self.k * dy_bar;
        model_bar.k -= y.x * dy_bar.x;
        0.0
    }
}

fn main() {
    let problem = Problem::new(Field, [1.0], 0.0..1.0);
    let _ = Solver::new(Rodas4).solve(&problem, SaveAt::end());
    let problem = Problem::new(Decay { k: 1.0 }, [1.0], 0.0..1.0);
    let _ = Solver::new(Rodas4).solve(&problem, SaveAt::end());
    let loss = Mse::new(&[]);
    let _ = Solver::new(Rodas4).gradient(&problem, SaveAt::end(), &loss);
}
