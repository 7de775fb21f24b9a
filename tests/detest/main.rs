//! The gradients of the 25 problems of DETEST along reversible pairs, beside those of the plain method: no pair is more
//! than three times as far off, its own estimate allowed.
//!
//! `cargo test --test detest -- --nocapture` prints the table.

mod problems;

use revode::MethodVjp;
use revode::control::StepControl;
use revode::gradient::Strategy;
use revode::methods::Vern8;
use revode::prelude::*;
use revode_testing::AnyField;
use revode_testing::compare::difference;
use revode_testing::loss::squared_length;

/// A gradient with respect to the initial state and the parameters, and its estimated error relative to its largest
/// component.
fn gradient<M, C, G>(
    solver: &Solver<M, C, G>,
    problem: &Problem<f64, AnyField>,
) -> Result<(Vec<f64>, f64), SolveError>
where
    M: MethodVjp<f64, AnyField> + Clone,
    C: StepControl<f64, AnyField, M>,
    G: Strategy,
{
    let fit = solver.gradient(problem, SaveAt::end(), &squared_length())?;
    let parameters = fit.model.slices().flatten();
    let all = fit.y0.iter().chain(parameters).copied().collect();
    Ok((all, fit.stats.gradient_error.unwrap_or(0.0)))
}

/// How many times as far off a pair may be as the plain method.
const WORSE: f64 = 3.0;

/// Checks both pairs of a method at a tolerance on all problems.
fn check<M>(name: &str, method: M, tolerance: f64)
where
    M: MethodVjp<f64, AnyField> + revode::EmbeddedMethod<f64, AnyField> + Copy,
{
    let accurate = Solver::new(Vern8).tolerance(1e-14, 1e-14).strategy(StoreAll).unchecked();
    let solver = Solver::new(method).tolerance(tolerance, tolerance);
    println!("{name} at {tolerance:e}: off (estimated)");
    let mut faults = Vec::new();
    for (problem_name, problem) in problems::all() {
        let right = gradient(&accurate, &problem).unwrap().0;
        let [plain, guarded, exact] = [
            gradient(&solver.strategy(StoreAll), &problem),
            gradient(&solver.strategy(Guarded::default()), &problem),
            gradient(&solver.strategy(Exact::default()), &problem),
        ]
        .map(|found| found.map(|(found, estimate)| (difference(&found, &right), estimate)));
        let cell = |found: &Result<(f64, f64), SolveError>| match found {
            Ok((off, estimate)) => format!("{off:.1e} ({estimate:.1e})"),
            Err(error) => error.to_string().chars().take(60).collect(),
        };
        println!(
            "  {problem_name}: plain {}, guarded {}, exact {}",
            cell(&plain),
            cell(&guarded),
            cell(&exact)
        );
        let (plain, _) = plain.unwrap();
        for (pair, found) in [("guarded", guarded), ("exact", exact)] {
            match found {
                Ok((off, estimate)) if off <= WORSE * plain + estimate => {}
                Ok((off, estimate)) => faults.push(format!(
                    "{name}, {problem_name}, {pair}: off by {off:.1e}, estimated {estimate:.1e}, plain {plain:.1e}"
                )),
                Err(error) => faults.push(format!("{name}, {problem_name}, {pair}: {error}")),
            }
        }
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn bosh3() {
    check("Bosh3", Bosh3, 1e-5);
}

#[test]
fn tsit5() {
    check("Tsit5", Tsit5, 1e-7);
}

#[test]
fn dopri8() {
    check("Dopri8", Dopri8, 1e-9);
}
