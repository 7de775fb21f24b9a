//! The guarded and the exact pair damp what the method damps.
//!
//! By itself the pair with λ = 1 has a parasitic mode that grows as fast as the field contracts; closing the gap in
//! time is what keeps it down, also where the solution is at rest and the gap nothing but rounding. If it
//! were not, gradients would grow without bound where the equation's vanish.

use revode::gradient::GradientStrategy;
use revode::nalgebra::Vector2;
use revode::prelude::*;
use revode::{MethodVjp, Tableau, for_each_method};

ode! {
    /// A contraction towards 1, at the rate 1 and as fast as the step size allows.
    struct Contraction {
        state  { x, y }
        params { fast }
    }
    dx/dt = 1 - x;
    dy/dt = fast * (1 - y);
}

/// `|R(−x)|`, from a step of the method itself.
fn growth<M: MethodVjp<f64, Contraction>>(method: &M, x: f64) -> f64 {
    let field = Contraction { fast: x };
    let u = Vector2::new(1.0, 0.0);
    let (mut stages, mut psi) = (method.stages(&field, &u), Vector2::zeros());
    method.increment(&field, 0.0, 1.0, &u, &mut stages, &mut psi);
    (1.0 - psi[1]).abs()
}

/// The derivative of the fast component after 2,000 steps of size 1 with respect to its start.
fn memory<M, G>(method: M, x: f64, strategy: G, start: f64) -> f64
where
    M: MethodVjp<f64, Contraction> + Copy,
    G: GradientStrategy<f64, Contraction, M, FixedStep>,
{
    let h = 1e-3;
    let problem = Problem::new(Contraction { fast: x / h }, [0.5, start], 0.0..2000.0 * h);
    let loss = Terminal::new(|y: &Vector2<f64>| y[1], |_: &Vector2<f64>| Vector2::new(0.0, 1.0));
    let solver = Solver::new(method).fixed_step(h).strategy(strategy);
    solver.gradient(&problem, SaveAt::end(), &loss).unwrap().y0[1].abs()
}

fn check<M: MethodVjp<f64, Contraction> + Tableau + Copy>(method: M) {
    let step = 0.02;
    let stable = |x: &f64| growth(&method, *x) < 1.0;
    let limit = (1..400).map(|k| step * f64::from(k)).take_while(stable).last().unwrap();
    let mut table = Vec::new();
    // Up to 95 % of the interval of stability; beyond, the method itself hardly damps.
    for part in [0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.95] {
        let x = part * limit;
        // Far from rest and at rest.
        let found = [
            memory(method, x, Guarded, 3.0),
            memory(method, x, Guarded, 1.0),
            memory(method, x, Exact::default(), 3.0),
            memory(method, x, Exact::default(), 1.0),
        ];
        table.push(format!("{x:.2}: {:.0e}", found.iter().copied().fold(0.0, f64::max)));
        assert!(found.iter().all(|memory| *memory < 1e-6), "{} at {x}: {found:?}", M::NAME);
    }
    println!("{:14} stable to {limit:.2}; {}", M::NAME, table.join(", "));
}

macro_rules! tests {
    ($($name:ident $Method:ident $kind:ident;)*) => {
        $(#[test]
        fn $name() {
            check(revode::methods::$Method);
        })*
    };
}

for_each_method!(tests);
