//! What a solver is told about its steps: the first one, the least one, tolerances of each component, the norm.

use revode::control::StepControl;
use revode::gradient::Strategy;
use revode::nalgebra::DVector;
use revode::prelude::*;
use revode::{Method, Real};
use revode_testing::compare::{difference, loss_and_flat};
use revode_testing::dynamics::{Lorenz, LotkaVolterra};
use revode_testing::loss::component;

ode! {
    /// Oscillates with the amplitude 1, alone.
    struct Alone {
        state  { x }
        params { omega }
    }
    dx/dt = omega * cos(omega * t) * x;
}

ode! {
    /// The same beside a component that oscillates faster, and small.
    struct TwoScales {
        state  { x, y }
        params { omega, a }
    }
    dx/dt = omega * cos(omega * t) * x;
    dy/dt = a * cos(100.0 * t);
}

ode! {
    /// `y = 1 / (1/y0 − t)`.
    struct BlowUp {
        state  { y }
        params { a }
    }
    dy/dt = a * y^2;
}

ode! {
    /// The first component decays, the others are at rest.
    struct OneOf16 {
        state  { u: [16] }
        params { rate: [16] }
    }
    du/dt = -rate * u;
}

ode! {
    struct Heap {
        dims   { n }
        state  { u: [n] }
        params { rate: [n] }
    }
    du/dt = -rate * u;
}

ode! {
    /// Becomes NaN at `t = end`.
    struct Ends {
        state  { y }
        params { end }
    }
    dy/dt = sqrt(end - t);
}

fn lotka_volterra() -> Problem<f64, LotkaVolterra> {
    lotka_volterra_in()
}

fn lotka_volterra_in<T: Real>() -> Problem<T, LotkaVolterra<T>> {
    let [alpha, beta, delta, gamma] = [1.5, 1.0, 1.0, 3.0].map(T::from_f64);
    let span = T::ZERO..T::from_f64(10.0);
    Problem::new(LotkaVolterra { alpha, beta, delta, gamma }, [T::ONE, T::ONE], span)
}

fn tsit5() -> Solver<Tsit5> {
    Solver::new(Tsit5).tolerance(1e-6, 1e-6)
}

fn path<T, F, M, C>(solver: &Solver<M, C>, problem: &Problem<T, F>) -> Solution<T, F::State>
where
    T: Real,
    F: VectorField<T>,
    M: Method<T, F> + Clone,
    C: StepControl<T, F, M>,
{
    solver.solve(problem, SaveAt::steps()).unwrap()
}

/// The sizes of steps between these times.
fn sizes(t: &[f64]) -> Vec<f64> {
    t.windows(2).map(|t| (t[1] - t[0]).abs()).collect()
}

fn least(sizes: &[f64]) -> f64 {
    sizes.iter().copied().fold(f64::INFINITY, f64::min)
}

#[test]
fn the_first_step_is_the_one_asked_for() {
    for h in [1e-9, 1e-3, 0.01] {
        assert_eq!(path(&tsit5().first_step(h), &lotka_volterra()).t[1], h);
        let single = path(&tsit5().first_step(h), &lotka_volterra_in::<f32>());
        assert_eq!(single.t[1], h as f32);
    }
    // It may be the largest one.
    let found = path(&tsit5().first_step(0.01).max_step(0.01), &lotka_volterra());
    assert!(found.t[1] == 0.01 && sizes(&found.t).iter().all(|h| *h < 0.01 + 1e-14));
    let backward = lotka_volterra().restart([1.0, 1.0], 2.0..0.0);
    assert_eq!(path(&tsit5().first_step(0.125), &backward).t[1], 1.875);
}

/// The estimate is two evaluations, and nothing else depends on it.
#[test]
fn a_first_step_saves_the_estimate() {
    let estimated = path(&tsit5(), &lotka_volterra());
    let given = path(&tsit5().first_step(estimated.t[1]), &lotka_volterra());
    assert_eq!((&given.t, &given.y), (&estimated.t, &estimated.y));
    assert_eq!(given.stats.evaluations + 2, estimated.stats.evaluations);
}

#[test]
fn a_first_step_that_is_too_long_is_tried_again() {
    let right = path(&tsit5(), &lotka_volterra());
    // Beyond the end, too.
    for h in [2.0, 1e300] {
        let found = path(&tsit5().first_step(h), &lotka_volterra());
        assert!(found.stats.rejected > 0 && found.t[1] < 0.5, "{}", found.stats);
        assert!((found.y.last().unwrap() - right.y.last().unwrap()).amax() < 1e-4);
    }
}

#[test]
fn a_least_step_below_all_steps_changes_nothing() {
    let free = path(&tsit5(), &lotka_volterra());
    let least = least(&sizes(&free.t[..free.t.len() - 1]));
    let bound = path(&tsit5().min_step(0.99 * least), &lotka_volterra());
    assert_eq!((free.t, free.y, free.stats), (bound.t, bound.y, bound.stats));
}

/// Steps are chosen with a margin (an error of 0.9⁵ tolerances), which lets them be a little longer than they would be.
#[test]
fn error_control_makes_no_step_shorter_than_the_least() {
    let mut changed = 0;
    for tolerance in [1e-4, 1e-5, 1e-6, 1e-7, 1e-8] {
        for span in [0.0..10.0, 10.0..0.0] {
            let problem = lotka_volterra().restart([1.0, 1.0], span);
            let solver = Solver::new(Tsit5).tolerance(tolerance, tolerance);
            let free = path(&solver, &problem);
            // (The first step is chosen by other means, the last one by the end.)
            let shortest = least(&sizes(&free.t[1..free.t.len() - 1]));
            let min_step = 1.03 * shortest;
            let bound = solver.min_step(min_step);
            match bound.solve(&problem, SaveAt::steps()) {
                Ok(bound) => {
                    let sizes = sizes(&bound.t[..bound.t.len() - 1]);
                    // Times of up to 10 round.
                    assert!(least(&sizes) > min_step - 1e-14, "{} {min_step}", least(&sizes));
                    changed += u32::from(sizes.iter().any(|h| (h - min_step).abs() < 1e-14));
                }
                Err(error) => assert!(matches!(error, SolveError::MinStep { .. }), "{error}"),
            }
        }
    }
    assert!(changed >= 5, "{changed}");
}

#[test]
fn stops_cut_steps_shorter_than_the_least() {
    let solver = tsit5().min_step(5e-3);
    let found =
        solver.solve(&lotka_volterra(), SaveAt::times([0.5, 0.5001, 10.0]).landed()).unwrap();
    let right =
        tsit5().solve(&lotka_volterra(), SaveAt::times([0.5, 0.5001, 10.0]).landed()).unwrap();
    for (found, right) in found.y.iter().zip(&right.y) {
        assert!((found - right).amax() < 1e-4);
    }
    // The span is shorter than a step.
    let short = lotka_volterra().restart([1.0, 1.0], 0.0..1e-3);
    assert_eq!(path(&solver, &short).t, [0.0, 1e-3]);
}

/// What is at rest has no error to limit a step, but beyond the limit of stability it grows.
#[test]
fn stability_makes_steps_shorter_than_the_least() {
    ode! {
        struct Fast { state { y } params { rate } }
        dy/dt = -rate * (y - 1.0);
    }
    let problem = Problem::new(Fast { rate: 1000.0 }, [1.0 + 1e-10], 0.0..1.0);
    let found = path(&tsit5().min_step(0.01), &problem);
    assert!(found.stats.is_limited_by_stability(), "{}", found.stats);
    assert!(least(&sizes(&found.t)) < 0.005);
}

#[test]
fn a_least_step_that_is_not_accurate_is_an_error() {
    let problem = Problem::new(BlowUp { a: 1.0 }, [1.0], 0.0..2.0);
    let loss = component(0);
    for min_step in [1e-2, 1e-3, 1e-5] {
        let solver = tsit5().min_step(min_step);
        let error = solver.solve(&problem, SaveAt::end()).unwrap_err();
        let SolveError::MinStep { t, h, min_step: least, error_norm } = error else {
            panic!("{error}")
        };
        assert_eq!((h, least), (min_step, min_step));
        // The error of order 5 of `1/(1 − t)` is about `(h/(1 − t))⁶` of it, with a small constant.
        let left = 1.0 - t;
        assert!(error_norm > 1.0 && left > min_step && left < 30.0 * min_step, "{t} {error_norm}");
        let found = solver.gradient(&problem, SaveAt::end(), &loss).unwrap_err();
        assert_eq!(found, SolveError::MinStep { t, h, min_step: least, error_norm });
        let guarded = solver.strategy(Guarded::default());
        let found = guarded.gradient(&problem, SaveAt::end(), &loss).unwrap_err();
        assert!(matches!(found, SolveError::MinStep { h, .. } if h == min_step), "{found}");
    }
}

/// Its steps have the least size of the first solve, divided by how many times shorter they are.
#[test]
fn a_gradient_solved_again_takes_shorter_steps() {
    let solver = Solver::new(Tsit5).tolerance(1e-3, 1e-3);
    let problem = lotka_volterra();
    let (loss, save) = (component(0), SaveAt::end);
    let free = path(&solver, &problem);
    let least = least(&sizes(&free.t[1..free.t.len() - 1]));
    let right = tsit5().tolerance(1e-11, 1e-11).gradient(&problem, save(), &loss).unwrap();
    let right = loss_and_flat(&right);
    let bound = solver.min_step(0.99 * least).gradient(&problem, save(), &loss).unwrap();
    assert!(bound.stats.refinements > 0, "{}", bound.stats);
    let accepted = (bound.stats.accepted, free.stats.accepted);
    assert!(10 * accepted.0 > 14 * accepted.1, "{accepted:?}");
    let off = difference(&loss_and_flat(&bound), &right);
    assert!(off < 0.1, "{off}");
}

/// A tolerance for each component that is the same for all is one tolerance for all.
#[test]
fn equal_tolerances_are_one() {
    fn same<C: StepControl<f64, LotkaVolterra, Tsit5>>(
        one: Solver<Tsit5>,
        each: &Solver<Tsit5, C>,
    ) {
        let problem = lotka_volterra();
        let (one_path, each_path) = (path(&one, &problem), path(each, &problem));
        assert_eq!((one_path.t, one_path.y), (each_path.t, each_path.y));
        assert_eq!(one_path.stats, each_path.stats);
        let data = [SVector::from([1.0, 2.0])];
        let fit = one.gradient(&problem, SaveAt::end(), &Mse::new(&data)).unwrap();
        let each = each.gradient(&problem, SaveAt::end(), &Mse::new(&data)).unwrap();
        assert_eq!(loss_and_flat(&fit), loss_and_flat(&each));
        assert_eq!(fit.stats, each.stats);
    }
    let one = Solver::new(Tsit5).tolerance(1e-6, 1e-8);
    same(one, &one.tolerance([1e-6; 2], [1e-8; 2]));
    same(one, &one.tolerance(1e-6, vec![1e-8; 2]));
    same(one, &one.tolerance([1e-6, 1e-6].as_slice(), 1e-8));
    same(one.norm(Norm::Max), &one.norm(Norm::Max).tolerance(&vec![1e-6; 2], &[1e-8; 2]));
    let one = one.relative_tolerance(1e-5);
    same(one, &one.relative_tolerance([1e-5; 2]));
    let sized = Problem::new(OneOf16::zeros(), [1.0; 16], 0.0..1.0);
    path(&one.tolerance(1e-6, [1e-8; 16]), &sized);
}

/// By the largest error, a component that is never the one further off does not take part: the steps are those of the
/// other one alone.
#[test]
fn a_component_with_a_loose_tolerance_has_no_say() {
    let both = Problem::new(TwoScales { omega: 3.0, a: 0.01 }, [1.0, 1.0], 0.0..5.0);
    let alone = Problem::new(Alone { omega: 3.0 }, [1.0], 0.0..5.0);
    let solver = tsit5().norm(Norm::Max);
    let right = path(&solver.tolerance(1e-7, 1e-7), &alone);
    for found in [
        path(&solver.tolerance(1e-7, [1e-7, 1e3]), &both),
        path(&solver.tolerance([1e-7, 1e3], 1e-7), &both),
        path(&solver.tolerance([1e-7, 0.0], [1e-7, 1e3]), &both),
    ] {
        assert_eq!(found.t, right.t);
        assert!(found.y.iter().zip(&right.y).all(|(found, right)| found[0] == right[0]));
    }
    let found = path(&solver.tolerance(1e-7, [1e-7, 1e3]), &both);
    assert_eq!(found.stats.below_tolerance, Some((1, 1)));
    let found = path(&solver.tolerance(1e-7, [1e3, 1e-7]), &both);
    assert_eq!(found.stats.below_tolerance, Some((0, 1)));
    // One tolerance for both follows the fast oscillation, over 80 periods.
    let one = path(&solver.tolerance(1e-7, 1e-7), &both);
    assert_eq!(one.stats.below_tolerance, None);
    assert!(one.stats.accepted > 2 * right.stats.accepted, "{}", one.stats);
    // The same where the absolute tolerance follows the state.
    let following = path(&solver.relative_tolerance([1e-7, 1e3]), &both);
    let one = path(&solver.relative_tolerance(1e-7), &both);
    assert!(following.stats.accepted < one.stats.accepted / 2);
}

/// Absolute tolerances have units: in others (a power of two, so that nothing rounds) the steps are the same. (A small
/// one: what limits steps for stability compares components.)
#[test]
fn tolerances_go_with_the_units() {
    let unit = 64.0;
    let problem = lotka_volterra();
    let mut other = problem.restart([1.0, unit], 0.0..10.0);
    other.field.beta /= unit;
    for norm in [Norm::Rms, Norm::Max] {
        let solver = tsit5().norm(norm);
        let right = path(&solver.tolerance(1e-6, [1e-5, 1e-9]), &problem);
        let found = path(&solver.tolerance(1e-6, [1e-5, 1e-9 * unit]), &other);
        assert_eq!(found.t, right.t);
        for (found, right) in found.y.iter().zip(&right.y) {
            assert_eq!([found[0], found[1] / unit], [right[0], right[1]]);
        }
    }
}

#[test]
fn tolerances_of_states_on_the_heap() {
    let field = Heap { n: 3, rate: DVector::from(vec![1.0, 2.0, 3.0]) };
    let problem = Problem::new(field, DVector::from(vec![1.0, 10.0, 100.0]), 0.0..1.0);
    let atol = vec![1e-9, 1e-8, 1e-7];
    // A slice leaves the solver `Copy`.
    let solver = Solver::new(Tsit5).tolerance(1e-9, atol.as_slice());
    let copy = solver;
    let (found, again) = (path(&copy, &problem), path(&solver, &problem));
    assert_eq!(found.y, again.y);
    for i in 0..3 {
        let exact = problem.y0[i] * (-problem.field.rate[i]).exp();
        assert!((found.y.last().unwrap()[i] - exact).abs() < 10.0 * (atol[i] + 1e-9 * exact));
    }
}

/// One of 16 components has an error: its root mean square is a quarter of it.
#[test]
fn norms_differ_by_the_root_of_the_number_of_components() {
    let mut field = OneOf16::zeros();
    field.rate[0] = 1.0;
    let mut y0 = [0.0; 16];
    y0[0] = 1.0;
    let problem = Problem::new(field, y0, 0.0..10.0);
    let solver = |tolerance| Solver::new(Tsit5).tolerance(tolerance, tolerance);
    let mean = path(&solver(1e-8), &problem);
    let most = path(&solver(4e-8).norm(Norm::Max), &problem);
    assert_eq!(mean.t.len(), most.t.len());
    // (A root of a square rounds.)
    assert!(mean.t.iter().zip(&most.t).all(|(a, b)| (a - b).abs() < 1e-9));
    let strict = path(&solver(1e-8).norm(Norm::Max), &problem);
    // 4^(1/5) = 1.32 times as many steps.
    let times = strict.t.len() as f64 / mean.t.len() as f64;
    assert!((1.2..1.45).contains(&times), "{times}");
    // Settings come in any order.
    let other = Solver::new(Tsit5).norm(Norm::Max).tolerance(1e-8, 1e-8);
    assert_eq!(path(&other, &problem).t, strict.t);
    assert_eq!(Norm::default(), Norm::Rms);
    assert_eq!(path(&solver(1e-8).norm(Norm::Rms), &problem).t, mean.t);
}

/// The error is measured at the 5th power of the step size, whatever the norm and the tolerances.
#[test]
fn the_error_falls_with_the_tolerance() {
    let right = path(&tsit5().tolerance(1e-13, 1e-13), &lotka_volterra());
    let right = right.y.last().unwrap();
    for norm in [Norm::Rms, Norm::Max] {
        let off = |tolerance: f64| {
            let solver = tsit5().norm(norm).tolerance(tolerance, [tolerance, 10.0 * tolerance]);
            (path(&solver, &lotka_volterra()).y.last().unwrap() - right).amax()
        };
        let (loose, tight) = (off(1e-5), off(1e-9));
        assert!((1e3..1e5).contains(&(loose / tight)), "{norm:?}: {loose:e} {tight:e}");
    }
}

/// Along one discrete solution the strategies are ways to the same numbers, to the last bit.
#[test]
fn strategies_agree_whatever_the_settings() {
    fn gradient<C, G: Strategy>(solver: &Solver<Tsit5, C, G>) -> Vec<f64>
    where
        C: StepControl<f64, LotkaVolterra, Tsit5>,
    {
        let data: Vec<_> = (0..5).map(|i| SVector::from([1.0, f64::from(i)])).collect();
        let save = SaveAt::every(2.0).without_start();
        loss_and_flat(&solver.gradient(&lotka_volterra(), save, &Mse::new(&data)).unwrap())
    }
    fn agree<C: StepControl<f64, LotkaVolterra, Tsit5> + Copy>(solver: Solver<Tsit5, C>) {
        let solver = solver.first_step(1e-3).min_step(1e-4).max_step(0.3);
        let plain = gradient(&solver);
        assert_eq!(plain, gradient(&solver.strategy(StoreAll)));
        assert_eq!(plain, gradient(&solver.strategy(Checkpointed::slots(5))));
        let guarded = gradient(&solver.strategy(Guarded::default()));
        let along = StoreAll.along(Guarded::default());
        assert_eq!(guarded, gradient(&solver.strategy(along)));
        let along = Checkpointed::slots(7).along(Guarded::default());
        assert_eq!(guarded, gradient(&solver.strategy(along)));
        let exact = gradient(&solver.strategy(Exact::default()));
        assert_eq!(exact, gradient(&solver.strategy(StoreAll.along(Exact::default()))));
        assert!(difference(&guarded, &plain) < 1e-3 && difference(&exact, &plain) < 1e-3);
    }
    let solver = Solver::new(Tsit5).norm(Norm::Max);
    agree(solver.tolerance([1e-7, 1e-6], [1e-8, 1e-4]));
    agree(solver.tolerance(1e-7, [1e-8, 1e-4]));
    agree(solver.relative_tolerance([1e-7, 1e-6]));
    agree(Solver::new(Tsit5).tolerance(1e-7, [1e-8, 1e-4]));
}

/// What a gradient may be off by is the root of the loosest tolerance.
#[test]
fn the_loosest_tolerance_says_what_a_gradient_may_be_off_by() {
    let field = Lorenz { sigma: 10.0, rho: 28.0, beta: 8.0 / 3.0 };
    let problem = Problem::new(field, [1.0, 1.0, 1.0], 0.0..60.0);
    let solver = Solver::new(Tsit5).max_steps(50_000);
    let allowed = |error: SolveError| match error {
        SolveError::GradientInaccurate { allowed, .. } => allowed,
        other => panic!("{other}"),
    };
    let rtol = [1e-6, 1e-8, 1e-7];
    let (loss, save) = (component(0), SaveAt::end);
    let error = solver.tolerance(rtol, 1e-9).gradient(&problem, save(), &loss).unwrap_err();
    assert!((allowed(error) - 1e-3).abs() < 1e-12);
    let error = solver.tolerance(1e-8, rtol).gradient(&problem, save(), &loss).unwrap_err();
    assert!((allowed(error) - 1e-3).abs() < 1e-12);
}

#[test]
fn tolerances_of_components_are_wrong() {
    let field = Heap { n: 3, rate: DVector::repeat(3, 1.0) };
    let problem = Problem::new(field, DVector::repeat(3, 1.0), 0.0..1.0);
    // The whole message, of a solve and of a gradient.
    let says = |solver: Solver<Tsit5, Adaptive<Pid, [f64; 3], Vec<f64>>>, text: &str| {
        let solve = solver.solve(&problem, SaveAt::end()).unwrap_err();
        assert_eq!(solve.to_string(), format!("`tolerance`: {text}"));
        let loss = Terminal::new(|y: &DVector<f64>| y[0], DVector::clone);
        let gradient = solver.gradient(&problem, SaveAt::end(), &loss).unwrap_err();
        assert_eq!(gradient, solve);
    };
    let solver = Solver::new(Tsit5);
    for (n, there) in [(0, "are 0"), (1, "is 1"), (2, "are 2"), (4, "are 4")] {
        let s = if n == 1 { "" } else { "s" };
        let text = format!(
            "there {there} absolute tolerance{s} for a state of 3 components: give as many as it has, in their \
             order, or one number for all"
        );
        says(solver.tolerance([1e-6; 3], vec![1e-6; n]), &text);
    }
    says(
        solver.tolerance([1e-6, f64::NAN, 1e-6], vec![1e-6; 3]),
        "the relative tolerance NaN of component 1 is not a finite number from 0 on",
    );
    says(
        solver.tolerance([1e-6; 3], vec![1e-6, 1e-6, -1e-6]),
        "the absolute tolerance -1e-6 of component 2 is not a finite number from 0 on",
    );
    says(
        solver.tolerance([0.0, 1e-6, 0.0], vec![1e-6, 0.0, 0.0]),
        "the relative and the absolute tolerance of component 2 are both 0: one must be positive",
    );
    let loose = vec![1e-6; 3];
    says(
        solver.tolerance([1e-6, f64::INFINITY, 1e-6], loose),
        "the relative tolerance inf of component 1 is not a finite number from 0 on",
    );
    let error = solver.relative_tolerance([1e-6, 0.0, 1e-6]).solve(&problem, SaveAt::end());
    let text = "`tolerance`: the relative tolerance of component 1 is 0, and there is no absolute one: it must be \
                positive";
    assert_eq!(error.unwrap_err().to_string(), text);
    let error = solver.tolerance(0.0, [0.0, 1e-6, 1e-6]).solve(&problem, SaveAt::end());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("tolerance of component 0 are both 0"), "{error}");
    let error = solver.relative_tolerance(0.0).solve(&problem, SaveAt::end());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("the relative tolerance is 0, and there is no"), "{error}");
}

#[test]
fn the_least_step_is_not_accurate() {
    let problem = Problem::new(BlowUp { a: 1.0 }, [1.0], 0.0..2.0);
    let error = tsit5().min_step(1e-3).solve(&problem, SaveAt::end()).unwrap_err();
    let SolveError::MinStep { t, error_norm, .. } = error else { panic!("{error}") };
    let text = format!(
        "the step of size 1.000e-3 from t = {t} has an error of {error_norm:.3} tolerances, and `.min_step(0.001)` \
         forbids a shorter one: lower it, loosen the tolerance, or look for a discontinuity or a blow-up of the \
         field there"
    );
    assert_eq!(error.to_string(), text);
    // NaN is no error that a shorter step would make smaller: the end of what the field is defined on is named.
    for norm in [Norm::Rms, Norm::Max] {
        let problem = Problem::new(Ends { end: 0.55 }, [0.0], 0.0..1.0);
        let solver = tsit5().min_step(1e-3).norm(norm);
        let error = solver.solve(&problem, SaveAt::end()).unwrap_err();
        let SolveError::NotFinite { last_good, .. } = error else { panic!("{error}") };
        assert!((0.55 - last_good).abs() < 1e-3, "{last_good}");
    }
}
