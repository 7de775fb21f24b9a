//! Gradients of one loss by every strategy, against each other, against finite differences of the
//! loss, and against an analytic solution.

use revode::control::StepControl;
use revode::gradient::Strategy;
use revode::nalgebra::{SMatrix, SVector};
use revode::prelude::*;
use revode::{MethodVjp, Real};
use revode_testing::compare::{difference, loss_and_flat};
use revode_testing::dynamics::{Growth, LotkaVolterra};
use revode_testing::loss::component;

ode! {
    /// Forced, with a vector state and a matrix parameter.
    struct Forced {
        state  { u: [3] }
        params { w: [3, 3], b: [3], omega }
    }
    du/dt = tanh(w @ u + b) * cos(omega * t) - 0.1 * u;
}

fn lotka_volterra<T: Real>() -> Problem<T, LotkaVolterra<T>> {
    let [alpha, beta, delta, gamma] = [1.5, 1.0, 1.0, 3.0].map(T::from_f64);
    let span = T::ZERO..T::from_f64(2.0);
    Problem::new(LotkaVolterra { alpha, beta, delta, gamma }, [T::ONE, T::ONE], span)
}

fn forced<T: Real>() -> Problem<T, Forced<T>> {
    let number = |i: usize| T::from_f64(((i * 7 + 3) % 11) as f64 / 5.5 - 1.0);
    let field = Forced {
        w: SMatrix::from_fn(|i, j| number(3 * i + j)),
        b: SVector::from_fn(|i, _| number(i + 5)),
        omega: T::from_f64(1.3),
    };
    let y0 = [0.3, -0.2, 0.8].map(T::from_f64);
    Problem::new(field, y0, T::from_f64(0.5)..T::from_f64(2.5))
}

/// Loss, gradient for `y0` and gradient for the parameters, in one list.
fn flat<T: Real, F, M, C, G>(solver: &Solver<M, C, G>, problem: &Problem<T, F>) -> Vec<f64>
where
    F: FieldVjp<T>,
    M: MethodVjp<T, F>,
    C: StepControl<T, F, M>,
    G: Strategy,
{
    let data: Vec<_> = (0..5).map(|_| problem.y0.zeros_like()).collect();
    loss_and_flat(&solver.gradient(problem, SaveAt::every(0.5), &Mse::new(&data)).unwrap())
}

revode::any_method! {
    fixed { Euler, Rk4, Ees25 }
    adaptive { Bosh3, Dopri5, Tsit5, Vern8 }
}

/// On one pair and one sequence of steps the three strategies are three ways to the same numbers.
/// They differ by the rounding of the reversal, `ε` a step amplified by `1/λ` a step and by the flow:
/// for at most 400 steps of these problems well below 1e-11 in f64; in f32 2⁻²⁹ times that.
fn agree<T: Real, F: FieldVjp<T>, C>(
    solver: Solver<AnyMethod, C>,
    problem: &Problem<T, F>,
    method: AnyMethod,
) where
    C: StepControl<T, F, AnyMethod> + Copy,
{
    let allowed = 1e-11 / f64::EPSILON * T::EPSILON.to_f64();
    // In f32 Euler's gap passes 5 % of the solution, and what λ = 0.999 loses on the way back is
    // 2e-6 to 6e-4, too much for a certificate; it is the gradients that are compared here.
    let single = T::EPSILON.to_f64() > 1e-10;
    let accuracy = if single { 0.9 } else { 1e-8 };
    let published = Reversible::coupling(0.999).largest_gap(0.5).accuracy(accuracy);
    let reversible = flat(&solver.strategy(published), problem);
    let stored = flat(&solver.strategy(StoreAll.along(published)), problem);
    let checkpointed = Checkpointed::slots(7).along(published);
    let checkpointed = flat(&solver.strategy(checkpointed), problem);
    assert_eq!(stored, checkpointed, "{method:?}: the same operations on the same numbers");
    let difference = difference(&reversible, &stored);
    assert!(difference <= allowed, "{method:?} {difference:e}: {reversible:?} {stored:?}");
}

#[test]
fn strategies_agree_with_fixed_steps() {
    for method in AnyMethod::ALL {
        let solver = Solver::new(*method);
        agree(solver.fixed_step(0.01), &lotka_volterra::<f64>(), *method);
        agree(solver.fixed_step(0.01), &forced::<f64>(), *method);
        agree(solver.fixed_step(0.05), &lotka_volterra::<f32>(), *method);
    }
}

#[test]
fn strategies_agree_with_adaptive_steps() {
    for method in AnyMethod::ADAPTIVE {
        let solver = Solver::new(*method).tolerance(1e-6, 1e-6);
        agree(solver, &lotka_volterra::<f64>(), *method);
        agree(solver, &forced::<f64>(), *method);
    }
}

/// Central differences of the loss, two step sizes extrapolated: an error of `O(d⁴)` and rounding of
/// `ε/d`, both about 1e-12 relative at `d = 1e-3`; the loss's own derivatives leave 1e-9.
fn assert_finite_differences<F, M, C, G>(solver: &Solver<M, C, G>, problem: &Problem<f64, F>)
where
    F: FieldVjp<f64> + Clone,
    M: MethodVjp<f64, F>,
    C: StepControl<f64, F, M>,
    G: Strategy,
{
    let gradient = flat(solver, problem);
    let inputs = problem.y0.len() + problem.field.slices().flatten().count();
    let loss = |input: usize, by: f64| {
        let mut moved = problem.clone();
        let Problem { y0, field, .. } = &mut moved;
        let all = y0.as_mut_slice().iter_mut().chain(field.slices_mut().flatten());
        for value in all.skip(input).take(1) {
            *value += by;
        }
        flat(solver, &moved)[0]
    };
    let central = |input, d: f64| (loss(input, d) - loss(input, -d)) / (2.0 * d);
    let differences: Vec<f64> = (0..inputs)
        .map(|input| (4.0 * central(input, 5e-4) - central(input, 1e-3)) / 3.0)
        .collect();
    let difference = difference(&gradient[1..], &differences);
    assert!(difference <= 1e-9, "{difference:e}: {gradient:?} {differences:?}");
}

#[test]
fn finite_differences() {
    let solver = Solver::new(Tsit5).fixed_step(0.05);
    assert_finite_differences(&solver, &lotka_volterra());
    assert_finite_differences(&solver, &forced());
    assert_finite_differences(&solver.strategy(StoreAll), &lotka_volterra());
    assert_finite_differences(&solver.strategy(StoreAll), &forced());
    assert_finite_differences(&solver.strategy(Checkpointed::slots(4)), &forced());
    let solver = Solver::new(Rk4).fixed_step(0.03);
    assert_finite_differences(&solver.strategy(Reversible::coupling(0.9)), &forced());
}

/// `y(T) = y0 e^{aT}`: the discrete gradient converges to the equation's with the tolerance, forward
/// and backward in time.
#[test]
fn converges_to_the_analytic_gradient() {
    let loss = component(0);
    for (rate, span) in [(0.7, 0.0..2.0), (-0.4, 2.0..0.0)] {
        let problem = Problem::new(Growth { rate }, [1.5], span.clone());
        let time: f64 = span.end - span.start;
        let growth = (rate * time).exp();
        for tolerance in [1e-6, 1e-8, 1e-10] {
            let solver = Solver::new(Tsit5).tolerance(tolerance, tolerance);
            let found = solver.gradient(&problem, SaveAt::end(), &loss).unwrap();
            // Some ten steps, each with a local error of at most the tolerance.
            let allowed = 100.0 * tolerance;
            assert!((found.loss - 1.5 * growth).abs() <= allowed);
            assert!((found.y0[0] - growth).abs() <= allowed, "{tolerance} {}", found.y0[0]);
            assert!((found.model.rate - 1.5 * time * growth).abs() <= allowed);
        }
    }
}

#[test]
fn statistics_count_what_was_done() {
    let solver = Solver::new(Rk4).fixed_step(0.1);
    let loss = component(0);
    let problem = lotka_volterra::<f64>();
    let reversible = solver.strategy(Reversible::default());
    let stats = reversible.gradient(&problem, SaveAt::end(), &loss).unwrap().stats;
    // Two increments of four stages a step forward, as many backward, and as many VJPs; the second increment of each
    // step is differentiated once more for the certificate, that of two steps twice. Two evaluations are for the
    // derivatives with respect to the ends of the span.
    assert_eq!((stats.accepted, stats.evaluations, stats.vjps), (20, 410, 248));
    let stats = solver.strategy(StoreAll).gradient(&problem, SaveAt::end(), &loss).unwrap().stats;
    assert_eq!((stats.accepted, stats.evaluations, stats.vjps), (20, 162, 80));
    assert!(stats.bytes_kept >= 20 * size_of::<[f64; 2]>());
}
