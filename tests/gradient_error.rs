//! The gradient of the equation: estimates, what is done with them, and what limits steps for their sake.

use revode::nalgebra::DVector;
use revode::prelude::*;
use revode_testing::dynamics::{
    Brusselator, Decay, DoublePendulum, FitzHughNagumo, Kepler, Lorenz, LotkaVolterra, VanDerPol,
};
use revode_testing::for_each_dynamics;
use revode_testing::loss::{component, squared_length};

ode! {
    /// A decay that is driven at the amplitude `amp`.
    struct Driven { state { y } params { k, amp } }
    dy/dt = -k * y + amp * cos(5.0 * t);
}

ode! {
    /// Monod's batch: growth on a substrate that runs out.
    struct Monod { state { s, b } params { mu, ks, gain } }
    let g = mu * s / (ks + s) * b;
    ds/dt = -g / gain;
    db/dt = g;
}

ode! {
    struct Tracker { state { y } params { up, down } }
    let x = 0.4 + 0.02 * sin(t);
    dy/dt = up * relu(x - y) - down * relu(y - x);
}

ode! {
    struct Slower { dims { n } state { y: [n] } params { a, c } }
    dy/dt = -1.0 - 0.5 * a * signum(y - c);
}

ode! {
    struct Growth { state { y } params { r } }
    dy/dt = r * y;
}

ode! {
    struct Sir { state { s, i } params { beta, gamma } }
    ds/dt = -beta * s * i;
    di/dt = beta * s * i - gamma * i;
}

ode! {
    struct Root { state { y } params { p } }
    dy/dt = -pow(y, p);
}

fn lorenz(end: f64) -> Problem<f64, Lorenz<f64>> {
    Problem::new(Lorenz { sigma: 10.0, rho: 28.0, beta: 8.0 / 3.0 }, [1.0, 1.0, 1.0], 0.0..end)
}

fn monod() -> Problem<f64, Monod> {
    Problem::new(Monod { mu: 0.5, ks: 0.01, gain: 0.4 }, [10.0, 0.1], 0.0..48.0)
}

/// All of the substrate becomes biomass: `b = 0.1 + 0.4 · 10`.
#[test]
fn steps_at_the_limit_of_stability_do_not_spoil_the_gradient() {
    for tolerance in [1e-3, 1e-4, 1e-6, 1e-8] {
        let solver = Solver::new(Tsit5).tolerance(tolerance, tolerance);
        let fit = solver.gradient(&monod(), SaveAt::end(), &component(1)).unwrap();
        let off = (fit.y0 - SVector::from([0.4, 1.0])).amax();
        // Steps well below the limit, which confirm a loose tolerance, forget the start less quickly: 8e-10 at 1e-3.
        assert!((fit.loss - 4.1).abs() < 1e-10 && off < 1e-8, "{tolerance:e}: {fit:?}");
        assert!(fit.stats.is_limited_by_stability());
        assert!(fit.stats.to_string().contains("an implicit method would take fewer steps"));
        assert!(fit.stats.rejected < fit.stats.accepted / 50, "{}", fit.stats);
    }
}

/// A problem backward in time has the steps of its mirror image.
#[test]
fn stability_is_kept_backward_in_time() {
    ode! {
        struct Forward { state { y } params { k } }
        dy/dt = -k * (y - cos(t));
    }
    ode! {
        struct Backward { state { y } params { k } }
        dy/dt = k * (y - cos(t));
    }
    let solver = Solver::new(Tsit5).tolerance(1e-6, 1e-6);
    let forward = Problem::new(Forward { k: 1e3 }, [0.0], 0.0..1.0);
    let forward = solver.gradient(&forward, SaveAt::end(), &component(0)).unwrap();
    let backward = Problem::new(Backward { k: 1e3 }, [0.0], -0.0..-1.0);
    let backward = solver.gradient(&backward, SaveAt::end(), &component(0)).unwrap();
    assert!(forward.stats.is_limited_by_stability() && forward.stats.rejected < 5);
    assert_eq!(forward.stats, backward.stats);
    assert_eq!((forward.loss, forward.y0), (backward.loss, backward.y0));
    // What decays forward grows backward, and nothing limits it but its error.
    let growing = Problem::new(Forward { k: 50.0 }, [1.0], 1.0..0.0);
    let stats = solver.solve(&growing, SaveAt::end()).unwrap().stats;
    assert_eq!(stats.stability_limited, 0, "{stats}");
}

/// Of a solution at rest the steps say nothing of its derivatives.
#[test]
fn a_solution_at_rest_has_a_gradient() {
    let problem = Problem::new(Driven { k: 1.0, amp: 0.0 }, [0.0], 0.0..10.0);
    let right = (50_f64.cos() + 5.0 * 50_f64.sin() - (-10_f64).exp()) / 26.0;
    for tolerance in [1e-3, 1e-6, 1e-10] {
        let solver = Solver::new(Tsit5).tolerance(tolerance, tolerance);
        let fit = solver.gradient(&problem, SaveAt::end(), &component(0)).unwrap();
        let estimate = fit.stats.gradient_error.unwrap();
        assert!(fit.stats.refinements > 0 && estimate <= tolerance.sqrt().max(100.0 * tolerance));
        assert!((fit.model.amp / right - 1.0).abs() < 10.0 * estimate, "{tolerance:e}: {fit:?}");
        let discrete = solver.unchecked().gradient(&problem, SaveAt::end(), &component(0)).unwrap();
        assert!((discrete.model.amp / right - 1.0).abs() > 10.0, "the problem asks for no steps");
        assert_eq!((discrete.error, discrete.stats.gradient_error), (None, None));
    }
}

#[test]
fn steps_end_at_kinks() {
    let problem = Problem::new(Tracker { up: 0.2, down: 0.02 }, [0.4], 0.0..300.0);
    // `revode-testing/tests/gallery/references.json`, to 9 digits.
    let right = 0.019_400_4;
    let solver = Solver::new(Tsit5).tolerance(1e-6, 1e-6);
    let auto = solver.gradient(&problem, SaveAt::end(), &component(0)).unwrap();
    assert!((auto.model.up / right - 1.0).abs() < 1e-3, "{auto:?}");
    let fit = solver.strategy(Guarded::default());
    let fit = fit.gradient(&problem, SaveAt::end(), &component(0)).unwrap();
    assert!((fit.model.up / right - 1.0).abs() < 1e-3, "{fit:?}");
    // Backward in time there is no other way to a right answer than the same places.
    let back = Problem::new(problem.field.clone(), [0.4], 20.0..0.0);
    let fit = solver.gradient(&back, SaveAt::end(), &component(0)).unwrap();
    let fine = Solver::new(Tsit5).tolerance(1e-12, 1e-12);
    let fine = fine.gradient(&back, SaveAt::end(), &component(0)).unwrap();
    assert!((fit.model.up / fine.model.up - 1.0).abs() < 1e-3, "{fit:?} {fine:?}");
}

/// A kink that lies so near the end, or a save point, that the step across would lead beyond.
#[test]
fn a_kink_beside_a_stop() {
    ode! {
        struct Bend { state { y } params { c } }
        dy/dt = 1.0 + relu(y - c);
    }
    for before in [0.0, 1e-16, 1e-12, 1e-9, 1e-6, 1e-4] {
        // (A kink at the save point itself has the first stage of the next step on the side of `relu(0)`.)
        let allowed = if before < 1e-12 { 2e-3 } else { 2e-4 };
        // Of a loss at the half and at the end: the first part is 1, before the kink.
        for (save, first) in
            [(SaveAt::end(), 0.0), (SaveAt::every(0.5).without_start().landed(), 1.0)]
        {
            // It grows by e per unit of time after the kink.
            for (c, growth) in [(1.0 - before, before.exp()), (0.5 - before, (0.5 + before).exp())]
            {
                let problem = Problem::new(Bend { c }, [0.0], 0.0..1.0);
                let solver = Solver::new(Tsit5).tolerance(1e-8, 1e-8);
                let fit = solver.gradient(&problem, save.clone(), &component(0)).unwrap();
                let right = first + growth;
                assert!((fit.y0[0] - right).abs() < allowed, "{c} {right} {fit:?}");
            }
        }
    }
}

/// Of a jump of a length that is known at run time only, the solve knows no sides.
#[test]
fn a_jump_that_moves_is_refused_by_name() {
    let y = |y: &[f64]| DVector::from_column_slice(y);
    let problem = Problem::new(Slower { n: 1, a: 1.0, c: 1.0 }, y(&[2.0]), 0.0..3.0);
    let solver = Solver::new(Tsit5);
    let message = |error: SolveError| error.to_string();
    for result in [
        solver.gradient(&problem, SaveAt::end(), &component(0)).map_err(message),
        solver.fixed_step(0.01).gradient(&problem, SaveAt::end(), &component(0)).map_err(message),
    ] {
        let message = result.unwrap_err();
        assert!(
            message.contains("`signum` jumps where `(y - c)[0]` changes sign, at t = 0.6"),
            "{message}"
        );
    }
    assert!(solver.unchecked().gradient(&problem, SaveAt::end(), &component(0)).is_ok());
    assert!(solver.forward(&problem, SaveAt::end()).is_ok());
    // A step that ends at the place itself does not hide it.
    ode! {
        struct Step { dims { n } state { x: [n], y: [n] } params { c } }
        dx/dt = signum(y - c);
        dy/dt = 1.0;
    }
    let landing = Problem::new(Step { n: 1, c: 0.0 }, y(&[0.0, -1.0]), 0.0..2.0);
    for h in [0.25, 0.3] {
        let fit = solver.fixed_step(h).gradient(&landing, SaveAt::end(), &component(0));
        assert!(matches!(fit, Err(SolveError::Jump { .. })), "{h}: {fit:?}");
    }
    let fit = solver.gradient(&landing, SaveAt::every(1.0).landed(), &component(0));
    assert!(matches!(fit, Err(SolveError::Jump { .. })), "{fit:?}");
    // It is not crossed before.
    let before = problem.restart(y(&[2.0]), 0.0..0.5);
    assert!(solver.gradient(&before, SaveAt::end(), &component(0)).is_ok());
}

/// The two examples are right to ten times the default tolerance, 1e-6.
#[test]
fn default_tolerances_follow_the_state() {
    let growth = Problem::new(Growth { r: 1.0 }, [1e-8], 0.0..10.0);
    let path = Solver::new(Tsit5).solve(&growth, SaveAt::end()).unwrap();
    assert!((path.y[0][0] / (1e-8 * 10_f64.exp()) - 1.0).abs() < 1e-5, "{path:?}");
    let sir = Problem::new(Sir { beta: 0.5, gamma: 0.1 }, [1.0, 1e-8], 0.0..30.0);
    let fine = Solver::new(Tsit5).tolerance(1e-13, 1e-25).solve(&sir, SaveAt::end()).unwrap();
    assert!((fine.y[0][1] / 1.6234e-3 - 1.0).abs() < 1e-4, "{fine:?}");
    let path = Solver::new(Tsit5).solve(&sir, SaveAt::end()).unwrap();
    assert!((path.y[0][1] / fine.y[0][1] - 1.0).abs() < 1e-5, "{path:?}");
    assert_eq!(path.stats.below_tolerance, None);
    // An explicit one stays as it is, and the statistics say what it leaves out.
    let path = Solver::new(Tsit5).tolerance(1e-6, 1e-2).solve(&sir, SaveAt::end()).unwrap();
    assert_eq!(path.stats.below_tolerance, Some((1, 1)));
    assert!(path.stats.to_string().contains("component 1 stayed below the absolute tolerance"));
}

/// In single precision components pass through 0 without steps that rounding would stop.
#[test]
fn default_tolerances_of_single_precision() {
    let problem = Problem::new(VanDerPol { mu: 1.0_f32 }, [2.0, 0.0], 0.0..20.0);
    let stats = Solver::new(Tsit5).solve(&problem, SaveAt::end()).unwrap().stats;
    let double = Problem::new(VanDerPol { mu: 1.0 }, [2.0, 0.0], 0.0..20.0);
    let double = Solver::new(Tsit5).solve(&double, SaveAt::end()).unwrap().stats;
    assert!(stats.accepted < 2 * double.accepted, "{stats}, {double}");
}

/// Components that start from 0 and grow with high powers of time have no relative accuracy at first.
#[test]
fn a_chain_from_zero_does_not_stall() {
    ode! {
        struct Chain { state { y: [12] } params { k } }
        let fed = concat(1.0, y[0..11]);
        dy/dt = k * (fed - y);
    }
    let problem = Problem::new(Chain { k: 1.0 }, [0.0; 12], 0.0..30.0);
    let path = Solver::new(Tsit5).solve(&problem, SaveAt::end()).unwrap();
    assert!(path.stats.accepted < 300, "{}", path.stats);
    let fine = Solver::new(Tsit5).tolerance(1e-12, 1e-12).solve(&problem, SaveAt::end()).unwrap();
    assert!((path.y[0] - fine.y[0]).amax() < 1e-5);
}

#[test]
fn a_solution_at_rest_does_not_jump_over_a_pulse() {
    ode! {
        struct Pulse { state { y } params { a, k } }
        dy/dt = a * exp(-(t - 20.0)^2) - k * y;
    }
    let problem = Problem::new(Pulse { a: 1.0, k: 0.1 }, [0.0], 0.0..40.0);
    let solve = |solver: Solver<Tsit5>| solver.solve(&problem, SaveAt::end()).unwrap();
    let right = solve(Solver::new(Tsit5).tolerance(1e-12, 1e-12).max_step(0.5)).y[0][0];
    let found = solve(Solver::new(Tsit5)).y[0][0];
    assert!((found / right - 1.0).abs() < 1e-4, "{found} {right}");
}

#[test]
fn no_step_is_longer_than_the_longest() {
    struct Longest(f64);
    let problem = Problem::new(Growth { r: -1e-3 }, [1.0], 0.0..10.0);
    for h in [0.3, 1.0] {
        let path = Solver::new(Tsit5).max_step(h).solve(&problem, SaveAt::steps()).unwrap();
        let longest = path.t.windows(2).fold(Longest(0.0), |l, t| Longest(l.0.max(t[1] - t[0])));
        assert!(longest.0 <= h && longest.0 > 0.85 * h, "{} {h}", longest.0);
    }
    let fixed = Solver::new(Tsit5).fixed_step(0.1).max_step(0.05);
    let error = fixed.solve(&problem, SaveAt::end()).unwrap_err().to_string();
    assert!(error.contains("max_step") && error.contains("one size"), "{error}");
    for h in [0.0, -1.0, f64::NAN] {
        let error = Solver::new(Tsit5).max_step(h).solve(&problem, SaveAt::end()).unwrap_err();
        assert!(error.to_string().contains("largest step size"), "{error}");
    }
}

/// Chaos: the derivatives grow beyond what any step resolves.
#[test]
fn a_chaotic_horizon_is_refused_with_advice() {
    let solver = Solver::new(Tsit5).max_steps(200_000);
    let error = solver.gradient(&lorenz(60.0), SaveAt::end(), &squared_length()).unwrap_err();
    let SolveError::GradientInaccurate { estimate, allowed, .. } = error else {
        panic!("{error}");
    };
    assert!(estimate > allowed && (allowed - 1e-3).abs() < 1e-12);
    assert!(error.to_string().contains(".unchecked()"), "{error}");
    let discrete = solver.unchecked().gradient(&lorenz(60.0), SaveAt::end(), &squared_length());
    assert!(discrete.is_ok());
}

/// The estimate is of the size of the error, with every strategy, and does not change the gradient.
#[test]
fn estimates_are_right_whatever_the_strategy() {
    let problem = lorenz(2.0);
    let fine = Solver::new(Dopri8).tolerance(1e-13, 1e-13);
    let right = fine.gradient(&problem, SaveAt::every(0.5), &squared_length()).unwrap();
    let solver = Solver::new(Tsit5).tolerance(1e-6, 1e-6);
    // The published pair holds together over a short horizon only.
    let short = lorenz(0.5);
    let fit = solver.strategy(Reversible::coupling(0.999).accuracy(1e-4));
    let fit = fit.gradient(&short, SaveAt::end(), &squared_length()).unwrap();
    assert!(fit.stats.gradient_error.is_some_and(|error| error > 0.0 && error < 1e-3));
    macro_rules! check {
        ($($strategy:expr),* $(,)?) => {$({
            let solver = solver.strategy($strategy);
            let fit = solver.gradient(&problem, SaveAt::every(0.5), &squared_length()).unwrap();
            let size = right.y0.amax().max(right.model.rho.abs()).max(right.model.beta.abs());
            let off = (fit.y0 - right.y0).amax() / size;
            let estimate = fit.stats.gradient_error.unwrap();
            assert!(off < 10.0 * estimate && off > 1e-3 * estimate, "{off} {estimate} {}", fit.stats);
            let error = fit.error.unwrap();
            assert!(error.y0.amax() <= estimate * size * 1.001 && error.model.rho >= 0.0);
            let same = solver.unchecked().gradient(&problem, SaveAt::every(0.5), &squared_length());
            let same = same.unwrap();
            assert_eq!((same.loss, same.y0, same.model), (fit.loss, fit.y0, fit.model));
        })*};
    }
    check!(
        Auto::default(),
        StoreAll,
        Checkpointed::slots(5),
        Guarded::default(),
        Exact::default(),
        StoreAll.along(Guarded::default()),
    );
}

/// Whether a default gradient is solved again.
fn solved_again<F: FieldVjp<f64>>(name: &str, problem: &Problem<f64, F>) -> [bool; 2] {
    let (solver, loss) = (Solver::new(Tsit5), squared_length());
    let fits = [
        solver.gradient(problem, SaveAt::end(), &loss),
        solver.strategy(Guarded::default()).gradient(problem, SaveAt::end(), &loss),
    ];
    fits.map(|fit| {
        let stats = fit.unwrap_or_else(|error| panic!("{name} to {}: {error}", problem.t1)).stats;
        println!("{name} to {}: {stats}", problem.t1);
        stats.refinements > 0
    })
}

/// On ordinary problems nothing is refused by default, and little is solved again.
#[test]
fn defaults_are_usable() {
    let mut again = Vec::new();
    macro_rules! check {
        ($($name:ident: $field:expr, $y0:expr, $h:expr;)*) => {$(
            for end in [1.0, 10.0] {
                let problem = Problem::new($field, $y0, 0.0..end);
                again.extend(solved_again(stringify!($name), &problem));
            }
        )*};
    }
    for_each_dynamics!(check);
    let count = again.iter().filter(|again| **again).count();
    assert!(again.len() == 36 && count * 20 <= again.len(), "{count} of {}", again.len());
}

#[test]
fn fixed_steps_are_checked_on_request() {
    let solver = Solver::new(Tsit5).fixed_step(0.01);
    let problem = lorenz(1.0);
    let gradient = |solver: Solver<Tsit5, FixedStep>| {
        solver.gradient(&problem, SaveAt::end(), &squared_length())
    };
    assert_eq!(gradient(solver).unwrap().error, None);
    let fit = gradient(solver.gradient_tolerance(1e-3)).unwrap();
    assert!(fit.stats.gradient_error.is_some_and(|error| error < 1e-3 && error > 0.0));
    let error = gradient(solver.gradient_tolerance(1e-14)).unwrap_err();
    assert!(matches!(error, SolveError::GradientInaccurate { solves: 1, .. }), "{error}");
    // A method without an embedded one takes the steps once more, of half the size.
    let fine = Solver::new(Dopri8).tolerance(1e-13, 1e-13);
    let right = fine.gradient(&problem, SaveAt::end(), &squared_length()).unwrap();
    for h in [0.01, 0.005] {
        let rk4 = Solver::new(Rk4).fixed_step(h).gradient_tolerance(1e-3);
        let fit = rk4.gradient(&problem, SaveAt::end(), &squared_length()).unwrap();
        assert_eq!(fit.stats.accepted as f64, (2.0 / h).round());
        let size = right.y0.amax().max(right.model.rho.abs()).max(right.model.beta.abs());
        let (off, estimate) =
            ((fit.y0 - right.y0).amax() / size, fit.stats.gradient_error.unwrap());
        assert!(off < 3.0 * estimate && estimate < 1e-4, "{off} {estimate}");
        let strict = rk4.gradient_tolerance(1e-12);
        let error = strict.gradient(&problem, SaveAt::end(), &squared_length()).unwrap_err();
        assert!(matches!(error, SolveError::GradientInaccurate { solves: 2, .. }), "{error}");
    }
    for tolerance in [0.0, -1.0, 1.0, f64::NAN] {
        let error = gradient(solver.gradient_tolerance(tolerance)).unwrap_err().to_string();
        assert!(error.contains("gradient_tolerance"), "{error}");
    }
}

/// A gradient goes along the solution of `forward`, to the last bit, the steps at kinks included.
#[test]
fn a_gradient_goes_along_its_forward_solution() {
    let problem = Problem::new(Tracker { up: 0.2, down: 0.02 }, [0.4], 0.0..20.0);
    let solver = Solver::new(Tsit5).tolerance(1e-8, 1e-8).strategy(StoreAll);
    let fit = solver.gradient(&problem, SaveAt::end(), &component(0)).unwrap();
    assert_eq!(fit.stats.refinements, 0);
    assert_eq!(fit.loss, solver.forward(&problem, SaveAt::end()).unwrap().y[0][0]);
}

#[test]
fn a_gradient_that_is_not_finite_says_where_and_why() {
    // The derivative of y^p at y = 0 is infinite for p < 1, the solution rests there.
    let problem = Problem::new(Root { p: 0.5 }, [0.0], 0.0..1.0);
    let error = Solver::new(Tsit5).gradient(&problem, SaveAt::end(), &component(0)).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, SolveError::GradientNotFinite { .. }), "{text}");
    assert!(text.contains("`pow` of a base of 0") && !text.contains("chaotic"), "{text}");
}
