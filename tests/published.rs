//! What the certificate of the published pair has to see: errors that are gone at the start, and components
//! that are small beside others.

use revode::nalgebra::SVector;
use revode::prelude::*;

ode! {
    /// Leaves `0` at the rates `k`.
    struct Bistable {
        state  { u: [2] }
        params { k: [2], q: [2] }
    }
    du/dt = k * u - q * u^3;
}

type Vector = SVector<f64, 2>;

fn squared_norm() -> impl Loss<f64, Vector> {
    Terminal::new(|y: &Vector| y.norm_squared(), |y: &Vector| 2.0 * y)
}

fn flat(fit: &Gradient<Bistable, Vector, f64>) -> Vec<f64> {
    fit.y0.as_slice().iter().chain(fit.model.slices().flatten()).copied().collect()
}

/// A component that grows from 1e-10 and then rests at 1, where the reversal loses it, to find back to the start
/// as it shrinks again; the other one is constant.
///
/// Compared with the start alone, relative to the largest component, the reversal looked exact there.
#[test]
fn an_error_in_the_middle_of_the_way_is_seen() {
    let field = Bistable { k: [1.0, 0.0].into(), q: [1.0, 0.0].into() };
    let (mut answers, mut errors) = (0, 0);
    for end in (4..40).step_by(4) {
        for steps in [100, 400, 1600] {
            let end = f64::from(end);
            let problem = Problem::new(field.clone(), [1e-10, 1.0], 0.0..end);
            let pair = Reversible::coupling(1.0);
            let solver = Solver::new(Rk4).fixed_step(end / f64::from(steps));
            let solve = |accuracy: f64| {
                let solver = solver.strategy(pair).gradient_accuracy(accuracy);
                solver.gradient(&problem, SaveAt::end(), &squared_norm())
            };
            let stored = solver.strategy(StoreAll.along(pair));
            // Later on the pair comes apart, which is an error by itself.
            let stored = stored.gradient(&problem, SaveAt::end(), &squared_norm());
            let Ok(stored) = stored.map(|found| flat(&found)) else { continue };
            let largest = stored.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
            for accuracy in [1e-10, 1e-8, 1e-6, 1e-5, 1e-4, 1e-2] {
                match solve(accuracy) {
                    Ok(found) => {
                        let pairs = flat(&found).into_iter().zip(&stored);
                        let off = pairs.map(|(a, b)| (a - b).abs() / largest).fold(0.0, f64::max);
                        assert!(off <= accuracy, "{end} {steps}: {off:e} of {accuracy:e}");
                        answers += 1;
                    }
                    Err(error) => {
                        assert!(matches!(error, SolveError::NotReversed { .. }), "{error}");
                        errors += 1;
                    }
                }
            }
        }
    }
    println!("{answers} answers, {errors} errors");
    assert!(answers > 30 && errors > 30, "{answers} answers, {errors} errors");
}
