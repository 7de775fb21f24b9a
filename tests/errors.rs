//! Bad input at run time: what is wrong, where, and what to do. And what is not an error: backward
//! time, landing exactly, purely relative tolerances, save times near the rounding of time.

use revode::control::StepControl;
use revode::nalgebra::{DVector, SVector, Vector1};
use revode::prelude::*;
use revode_testing::loss::component;

ode! {
    /// Becomes NaN at `t = end`.
    struct Ends {
        state  { y }
        params { end }
    }
    dy/dt = sqrt(end - t);
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
    struct Linear {
        state  { y }
        params { rate }
    }
    dy/dt = rate * y;
}

ode! {
    struct Sized {
        dims   { n }
        state  { u: [n] }
        params { w: [n] }
    }
    du/dt = -w * u;
}

type V1 = Vector1<f64>;

fn linear(y0: f64, span: std::ops::Range<f64>) -> Problem<f64, Linear> {
    Problem::new(Linear { rate: -0.5 }, [y0], span)
}

fn fixed() -> Solver<Tsit5, FixedStep> {
    Solver::new(Tsit5).fixed_step(0.1)
}

fn adaptive() -> Solver<Tsit5> {
    Solver::new(Tsit5).tolerance(1e-8, 1e-8)
}

/// The error of a solve.
fn solve_error<F, C>(solver: &Solver<Tsit5, C>, problem: &Problem<f64, F>) -> SolveError
where
    F: FieldVjp<f64>,
    C: StepControl<f64, F, Tsit5>,
{
    let error = solver.solve(problem, SaveAt::end()).unwrap_err();
    println!("{error}");
    error
}

/// The error for these save points, and of the gradient for as many rows of data; both must be the same.
fn save_error(save: &SaveAt) -> String {
    let problem = linear(1.0, 0.0..1.0);
    let error = fixed().solve(&problem, save.clone()).unwrap_err();
    let gradient = fixed().gradient(&problem, save.clone(), &Mse::new(&[V1::zeros()])).unwrap_err();
    assert_eq!(error, gradient);
    println!("{error}");
    error.to_string()
}

/// The error for these rows of data.
fn data_error(save: SaveAt, data: &[V1]) -> String {
    let problem = linear(1.0, 0.0..1.0);
    let error = fixed().gradient(&problem, save, &Mse::new(data)).unwrap_err();
    println!("{error}");
    error.to_string()
}

/// Whether a message has all these parts.
fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

#[test]
fn the_initial_state_is_not_finite() {
    for y0 in [f64::NAN, f64::INFINITY] {
        for error in [
            solve_error(&fixed(), &linear(y0, 0.5..1.0)),
            solve_error(&adaptive(), &linear(y0, 0.5..1.0)),
        ] {
            let SolveError::NotFinite { t: 0.5, component: 0, value, last_good: 0.5 } = error
            else {
                panic!("{error:?}")
            };
            assert_eq!(value.is_nan(), y0.is_nan());
            assert_says(&error.to_string(), &["component 0", "t = 0.5", "initial state"]);
        }
    }
}

#[test]
fn the_field_is_not_finite_at_the_start() {
    let problem = Problem::new(Ends { end: -1.0 }, [0.0], 0.0..1.0);
    let error = solve_error(&adaptive(), &problem);
    assert_says(&error.to_string(), &["field", "NaN", "where the solve starts"]);
    // Fixed steps find out in the first step.
    let error = solve_error(&fixed(), &problem);
    assert!(matches!(error, SolveError::NotFinite { last_good: 0.0, .. }), "{error:?}");
}

#[test]
fn the_field_becomes_nan() {
    let problem = Problem::new(Ends { end: 0.55 }, [0.0], 0.0..1.0);
    let SolveError::NotFinite { t, last_good, component: 0, .. } = solve_error(&fixed(), &problem)
    else {
        panic!()
    };
    assert!((last_good - 0.5).abs() < 1e-15 && (t - 0.6).abs() < 1e-15, "{last_good} {t}");
    // Adaptive steps come as near as rounding lets them: the derivative of the square root is infinite.
    let SolveError::NotFinite { t, last_good, .. } = solve_error(&adaptive(), &problem) else {
        panic!()
    };
    assert!(last_good <= 0.55 && t > last_good && t - last_good < 1e-14, "{last_good} {t}");
    assert!(0.55 - last_good < 1e-14, "{last_good}");
    // The same through a gradient.
    let loss = component(0);
    let error = fixed().gradient(&problem, SaveAt::end(), &loss).unwrap_err();
    assert!(matches!(error, SolveError::NotFinite { .. }), "{error:?}");
}

#[test]
fn the_solution_blows_up() {
    let problem = Problem::new(BlowUp { a: 1.0 }, [1.0], 0.0..2.0);
    let error = solve_error(&adaptive(), &problem);
    let SolveError::StepSizeUnderflow { t, h, .. } = error else { panic!("{error:?}") };
    // The true time is 1; each step errs by 1e-8 of the solution, and so by 1e-8 of the time left.
    assert!((t - 1.0).abs() < 1e-7 && h < 1e-14, "{t} {h}");
    assert_says(&error.to_string(), &["t = ", "tolerance", "blow-up"]);
    // The pair sees it too.
    let error = adaptive().forward(&problem, SaveAt::end()).unwrap_err();
    let (SolveError::StepSizeUnderflow { t, .. } | SolveError::NotFinite { t, .. }) = error else {
        panic!("{error:?}")
    };
    assert!((t - 1.0).abs() < 1e-5, "{error}");
    // Fixed steps pass the time and overflow behind it.
    let error = solve_error(&fixed(), &problem);
    assert!(
        matches!(error, SolveError::NotFinite { last_good, .. } if last_good > 0.9),
        "{error:?}"
    );
}

#[test]
fn too_many_steps() {
    let problem = linear(1.0, 0.0..1.0);
    let error = solve_error(&fixed().max_steps(4), &problem);
    let SolveError::StepLimit { steps: 4, t, h, error_norm } = error else { panic!("{error:?}") };
    assert!((t - 0.4).abs() < 1e-15 && (h, error_norm) == (0.1, 0.0));
    assert_says(&error.to_string(), &["4 steps", "t = 0.4", "max_steps", "tolerance"]);
    assert!(matches!(
        solve_error(&adaptive().max_steps(2), &problem),
        SolveError::StepLimit { steps: 2, .. }
    ));
    // A limit that is just enough, and none at all.
    assert_eq!(fixed().max_steps(10).solve(&problem, SaveAt::end()).unwrap().stats.accepted, 10);
    let none = fixed().fixed_step(5.0).max_steps(0);
    assert!(matches!(solve_error(&none, &problem), SolveError::StepLimit { steps: 0, t: 0.0, .. }));
}

#[test]
fn the_span_is_empty_or_not_finite() {
    let says = |span, part| {
        let error = solve_error(&fixed(), &linear(1.0, span)).to_string();
        assert_says(&error, &["span", part]);
    };
    says(1.0..1.0, "empty");
    says(0.0..f64::NAN, "not finite");
    says(f64::NEG_INFINITY..0.0, "not finite");
}

#[test]
fn settings_are_out_of_range() {
    let problem = linear(1.0, 0.0..1.0);
    for h in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        assert_says(&solve_error(&fixed().fixed_step(h), &problem).to_string(), &["fixed_step"]);
    }
    for (rtol, atol) in [(-1e-6, 1e-6), (1e-6, f64::NAN), (0.0, 0.0), (f64::INFINITY, 0.0)] {
        let error = solve_error(&fixed().tolerance(rtol, atol), &problem).to_string();
        assert_says(&error, &["tolerance"]);
    }
    let loss = component(0);
    for lambda in [0.0, -0.5, 1.001, f64::NAN] {
        let strategy = Reversible::coupling(lambda);
        let error =
            fixed().strategy(strategy).gradient(&problem, SaveAt::end(), &loss).unwrap_err();
        assert_says(&error.to_string(), &["coupling", "(0, 1]"]);
        let strategy = StoreAll.along(strategy);
        let error = fixed().strategy(strategy).forward(&problem, SaveAt::end());
        assert_says(&error.unwrap_err().to_string(), &["coupling", "(0, 1]"]);
    }
    let strategy = fixed().strategy(Checkpointed::slots(0));
    let error = strategy.gradient(&problem, SaveAt::end(), &loss).unwrap_err();
    assert_says(&error.to_string(), &["slots", "at least one"]);
}

/// Each message is read as a whole.
#[test]
fn settings_of_steps_are_wrong() {
    let problem = linear(1.0, 0.0..1.0);
    let says = |solver: Solver<Tsit5>, text: &str| {
        assert_eq!(solve_error(&solver, &problem).to_string(), text);
        let error = solver.gradient(&problem, SaveAt::end(), &component(0)).unwrap_err();
        assert_eq!(error.to_string(), text);
    };
    let first = "`first_step`: the first step size";
    for (h, name) in [(0.0, "0"), (-1.0, "-1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        says(adaptive().first_step(h), &format!("{first} {name} is not a positive, finite number"));
    }
    says(
        adaptive().first_step(0.5).max_step(0.1),
        "`first_step`: 0.5 is longer than the largest step size, 0.1",
    );
    says(
        adaptive().first_step(1e-4).min_step(1e-3),
        "`first_step`: 0.0001 is shorter than the least step size, 0.001",
    );
    for (h, name) in [(-1.0, "-1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let text =
            format!("`min_step`: the least step size {name} is not a finite number from 0 on");
        says(adaptive().min_step(h), &text);
    }
    for h in [0.1, 0.2] {
        let text = format!("`min_step`: the least step size {h} is not below the largest, 0.1");
        says(adaptive().min_step(h).max_step(0.1), &text);
    }
    // 0 is no limit.
    assert!(adaptive().min_step(0.0).solve(&problem, SaveAt::end()).is_ok());

    let single = Problem::new(Linear { rate: -0.5_f32 }, [1.0_f32], 0.0..1.0);
    let error = adaptive().first_step(1e-300).solve(&single, SaveAt::end()).unwrap_err();
    let text = "`first_step`: 1e-300 is 0 in the precision of the state: take a longer step";
    assert_eq!(error.to_string(), text);

    // Steps of one size take none of them.
    let one = "the steps have one size";
    for (solver, name) in [
        (fixed().max_step(0.1), "max_step"),
        (fixed().min_step(0.1), "min_step"),
        (fixed().first_step(0.1), "first_step"),
        (fixed().norm(Norm::Max), "norm"),
    ] {
        assert_says(&solve_error(&solver, &problem).to_string(), &[name, one]);
    }
    assert!(fixed().min_step(0.0).norm(Norm::Rms).solve(&problem, SaveAt::end()).is_ok());
}

#[test]
fn save_points_are_wrong() {
    assert_says(&save_error(&SaveAt::times([0.5, 0.2])), &["save", "time 1, 0.2", "0.5"]);
    assert_says(&save_error(&SaveAt::times([0.2, 0.2])), &["save", "time 1, 0.2"]);
    assert_says(&save_error(&SaveAt::times([0.2, 1.5])), &["save", "1.5", "outside", "0 to 1"]);
    assert_says(&save_error(&SaveAt::times([-0.1])), &["save", "-0.1", "outside"]);
    assert_says(&save_error(&SaveAt::times([f64::NAN])), &["save", "NaN"]);
    assert_says(&save_error(&SaveAt::times([])), &["save", "at least one"]);
    assert_says(&save_error(&SaveAt::every(0.0)), &["save", "positive"]);
    assert_says(&save_error(&SaveAt::every(-1.0)), &["save", "positive"]);
}

/// Several save points at one time would each want a cotangent there.
#[test]
fn save_points_are_finer_than_time() {
    let field = Linear { rate: -0.5_f32 };
    let problem = Problem::new(field, [1.0_f32], 1000.0..1000.1);
    let error = Solver::new(Tsit5).solve(&problem, SaveAt::every(1e-5)).unwrap_err();
    println!("{error}");
    assert_says(&error.to_string(), &["save", "0.00001", "1000", "raise the interval"]);
    // As fine as it gets: every time is passed once, none beyond the end.
    let problem = Problem::new(Linear { rate: -0.5_f32 }, [1.0_f32], 0.5..0.51);
    let path = Solver::new(Tsit5).solve(&problem, SaveAt::every(f64::from(f32::EPSILON))).unwrap();
    assert!(path.t.windows(2).all(|t| t[0] < t[1]) && path.t.last() == Some(&0.51));
}

#[test]
fn data_do_not_fit() {
    let rows = |n| vec![V1::zeros(); n];
    // Known beforehand: with a field that is not to be evaluated.
    let problem = Problem::new(Ends { end: -1.0 }, [0.0], 0.0..1.0);
    let error =
        adaptive().gradient(&problem, SaveAt::every(0.25), &Mse::new(&rows(4))).unwrap_err();
    assert_says(&error.to_string(), &["data", "4 rows", "5 save points", "without_start"]);
    // Known when the steps are counted.
    assert_says(&data_error(SaveAt::steps(), &rows(10)), &["data", "10 rows"]);
    assert_says(&data_error(SaveAt::steps(), &rows(12)), &["data", "12 rows", "11 save points"]);
    let fits = fixed().gradient(&linear(1.0, 0.0..1.0), SaveAt::steps(), &Mse::new(&rows(11)));
    assert!(fits.is_ok());
    let mut data = rows(3);
    data[1][0] = f64::NAN;
    assert_says(&data_error(SaveAt::every(0.5), &data), &["data", "component 0 of row 1", "NaN"]);
}

#[test]
fn sizes_known_at_run_time_are_wrong() {
    let field = Sized::zeros(3);
    let problem = Problem::new(field, DVector::repeat(2, 1.0), 0.0..1.0);
    let error = solve_error(&fixed(), &problem);
    assert!(matches!(error, SolveError::Shape(_)), "{error:?}");
    assert_says(&error.to_string(), &["[3]", "[2]"]);
    let problem = Problem::new(Sized::zeros(3), DVector::repeat(3, 1.0), 0.0..1.0);
    let data = [DVector::repeat(2, 0.0)];
    let error = fixed().gradient(&problem, SaveAt::end(), &Mse::new(&data)).unwrap_err();
    assert_says(&error.to_string(), &["data", "row 0", "2 components", "3"]);
}

/// The solution is finite in each of these, the loss or its gradient is not.
#[test]
fn gradients_that_are_not_finite_are_errors() {
    let one = || |_: &V1| Vector1::new(1.0);
    let error = |rate: f64, y0: f64, loss: &dyn Fn(&V1) -> f64, cotangent: &dyn Fn(&V1) -> V1| {
        let problem = Problem::new(Linear { rate }, [y0], 0.0..1.0);
        let error = fixed().gradient(&problem, SaveAt::end(), &Terminal::new(loss, cotangent));
        error.map(|fit| fit.stats).unwrap_err().to_string()
    };
    let found = error(-0.5, -1.0, &|y| y[0].ln(), &one());
    assert_says(&found, &["the loss is NaN", "the solution is finite"]);
    let found = error(-0.5, 1.0, &|y| y[0], &|_| Vector1::new(f64::INFINITY));
    assert_says(&found, &["component 0 of the initial state is NaN"]);
    // Each cotangent is in the range of the scalar, their sum for the parameter is not.
    let found = error(-0.5, 1e300, &|y| y[0], &|_| Vector1::new(1e50));
    assert_says(&found, &["with respect to `rate` is NaN"]);
    let found = error(f64::NAN, 1.0, &|y| y[0], &one());
    assert_says(&found, &["parameters", "`rate` is NaN"]);
    let field = Sized { n: 2, w: DVector::from(vec![1.0, f64::NAN]) };
    let problem = Problem::new(field, DVector::from(vec![1.0, 1.0]), 0.0..1.0);
    let loss = Terminal::new(|y: &DVector<f64>| y[0], DVector::clone);
    let error = fixed().gradient(&problem, SaveAt::end(), &loss).unwrap_err();
    assert_says(&error.to_string(), &["parameters", "entry 1 of `w` is NaN"]);
}

#[test]
fn settings_of_strategies_are_wrong() {
    let problem = linear(1.0, 0.0..1.0);
    let loss = component(0);
    for accuracy in [0.0, -1.0, 1.0, f64::NAN] {
        let solver = fixed().strategy(Reversible::default().accuracy(accuracy));
        let error = solver.gradient(&problem, SaveAt::end(), &loss).unwrap_err();
        assert_says(&error.to_string(), &["accuracy", "between 0 and 1"]);
    }
    for quantum in [0.0, -1e-9, f64::INFINITY] {
        let solver = fixed().strategy(Exact::default().quantum(quantum));
        let error = solver.gradient(&problem, SaveAt::end(), &loss).unwrap_err();
        assert_says(&error.to_string(), &["quantum", "between"]);
    }
    for rate in [-1.0, f64::NAN] {
        let solver = fixed().strategy(Exact::default().rate(rate));
        let error = solver.gradient(&problem, SaveAt::end(), &loss).unwrap_err();
        assert_says(&error.to_string(), &["rate", "κ"]);
        let solver = fixed().strategy(Reversible::rate(rate));
        let error = solver.gradient(&problem, SaveAt::end(), &loss).unwrap_err();
        assert_says(&error.to_string(), &["coupling", "κ"]);
    }
    let solver = fixed().strategy(Reversible::default().largest_gap(0.0));
    let error = solver.gradient(&problem, SaveAt::end(), &loss).unwrap_err();
    assert_says(&error.to_string(), &["largest_gap", "positive"]);
}

#[test]
fn stored_states_do_not_fit() {
    let problem = linear(1.0, 0.0..1.0);
    let loss = component(0);
    let solver = fixed().fixed_step(1e-3).strategy(StoreAll::within(1000));
    let error = solver.gradient(&problem, SaveAt::end(), &loss).unwrap_err();
    assert!(matches!(error, SolveError::MemoryLimit { limit: 1000, steps: 125, .. }), "{error:?}");
    assert_says(&error.to_string(), &["1000 bytes", "125 steps", "Guarded", "StoreAll::within"]);
}

#[test]
fn backward_time_is_fine() {
    let there = linear(2.0, 0.0..3.0);
    let y1 = adaptive().solve(&there, SaveAt::end()).unwrap().y[0];
    let back = linear(y1[0], 3.0..0.0);
    let path = adaptive().solve(&back, SaveAt::every(0.5)).unwrap();
    assert_eq!(path.t, [3.0, 2.5, 2.0, 1.5, 1.0, 0.5, 0.0]);
    // Some 20 steps at a tolerance of 1e-8, twice; the way back amplifies by e^{1.5}.
    assert!((path.y[6][0] - 2.0).abs() < 1e-6, "{}", path.y[6][0]);
    let loss = component(0);
    let found = adaptive().gradient(&back, SaveAt::end(), &loss).unwrap();
    assert!((found.y0[0] - 1.5_f64.exp()).abs() < 1e-6, "{}", found.y0[0]);
    assert!((found.model.rate + 3.0 * found.loss).abs() < 1e-5);
}

/// Spans, steps and save times that are not multiples of each other, in a precision.
macro_rules! landing {
    ($name:ident, $T:ident) => {
        #[test]
        fn $name() {
            let times = [0.1, 0.3, 0.3 + 1e-3, 0.7, 0.9];
            for (start, end) in [(0.0, 1.0), (0.05, 1.1), (1.0, 0.0)] {
                let problem = Problem::new(Linear { rate: -0.5 as $T }, [1.0 as $T], start..end);
                let mut times = times.to_vec();
                if end < start {
                    times.reverse();
                }
                let expected: Vec<$T> = times.iter().map(|t| *t as $T).collect();
                for h in [0.013, 0.1, 0.3, 7.0] {
                    let solver = Solver::new(Tsit5).fixed_step(h);
                    let path =
                        solver.solve(&problem, SaveAt::times(times.clone()).landed()).unwrap();
                    assert_eq!(path.t, expected);
                    assert_eq!(path.y.len(), path.t.len());
                    for (t, y) in path.t.iter().zip(&path.y) {
                        let exact = (-0.5 * (t - problem.t0)).exp();
                        // Steps of at most 0.3, (h/2)^6 / 6! each; or rounding.
                        let allowed = 1e-7_f64.max(100.0 * f64::from($T::EPSILON));
                        assert!(f64::from((y[0] - exact).abs()) < allowed, "{} {exact}", y[0]);
                    }
                    let path = solver.solve(&problem, SaveAt::steps()).unwrap();
                    assert_eq!((path.t[0], path.t[path.t.len() - 1]), (problem.t0, problem.t1));
                    let whole = (f64::from((problem.t1 - problem.t0).abs()) / h - 1e-4).ceil();
                    assert_eq!(path.stats.accepted, whole as u64, "no step for rounding, h = {h}");
                }
                let solver = Solver::new(Tsit5).tolerance(1e-5, 1e-5);
                let path = solver.solve(&problem, SaveAt::times(times.clone()).landed()).unwrap();
                assert_eq!(path.t, expected);
                let path = solver.solve(&problem, SaveAt::steps()).unwrap();
                assert_eq!(path.t[path.t.len() - 1], problem.t1);
            }
        }
    };
}

landing!(landing_is_exact_in_f64, f64);
landing!(landing_is_exact_in_f32, f32);

#[test]
fn save_times_at_the_rounding_of_time() {
    let problem = linear(1.0, 0.0..2.0);
    let close = [1.0, 1.0 + f64::EPSILON, 1.0 + 3.0 * f64::EPSILON, 1.0 + 1e-14];
    let (read, landed) = (SaveAt::times(close), SaveAt::times(close).landed());
    for path in [
        fixed().solve(&problem, read.clone()).unwrap(),
        adaptive().solve(&problem, read.clone()).unwrap(),
        fixed().solve(&problem, landed.clone()).unwrap(),
        adaptive().solve(&problem, landed.clone()).unwrap(),
    ] {
        assert_eq!(path.t, close);
        assert!(path.y.iter().all(|y| (y[0] - (-0.5_f64).exp()).abs() < 1e-8));
    }
    // Each of them enters the gradient.
    let data = [V1::zeros(); 4];
    for save in [read, landed] {
        let found = adaptive().gradient(&problem, save, &Mse::new(&data)).unwrap();
        assert!((found.y0[0] - 2.0 * (-1.0_f64).exp()).abs() < 1e-7, "{}", found.y0[0]);
    }
}

/// A transient at the start of a span a million million times as long.
#[test]
fn save_times_over_many_scales() {
    let times = [1e-9, 1e-7, 1e-6, 1e-3];
    let problem = Problem::new(Linear { rate: -1e6 }, [1.0], 0.0..1e4);
    let solver = adaptive().max_steps(100_000);
    let problem = Problem { t1: 1e-3, ..problem };
    let short = solver.solve(&problem, SaveAt::times(times)).unwrap();
    assert_eq!((short.t.len(), short.y.len()), (times.len(), times.len()));
    for (t, y) in short.t.iter().zip(&short.y) {
        assert!((y[0] - (-1e6_f64 * t).exp()).abs() < 1e-6, "{t} {}", y[0]);
    }
    // The same steps at the start of a long span; only few of them are allowed.
    let problem = Problem::new(Linear { rate: -1e6 }, [1.0], 0.0..1e12);
    let error = solver.max_steps(200).solve(&problem, SaveAt::times(times)).unwrap_err();
    let SolveError::StepLimit { t, .. } = error else { panic!("{error:?}") };
    assert!(t > 1e-6, "{error}");
    let problem = Problem::new(Linear { rate: -1e-12 }, [1.0], 0.0..1e12);
    let path = adaptive().solve(&problem, SaveAt::times([1e-9, 1.0, 1e9, 1e12])).unwrap();
    assert!((path.y[3][0] - (-1.0_f64).exp()).abs() < 1e-6, "{}", path.y[3][0]);
}

#[test]
fn times_far_from_zero() {
    let offset = 1e9;
    let problem = linear(1.0, offset..offset + 2.0);
    let exact = (-1.0_f64).exp();
    let path = fixed().solve(&problem, SaveAt::every(0.5).landed()).unwrap();
    assert_eq!(path.t, [0.0, 0.5, 1.0, 1.5, 2.0].map(|t| offset + t));
    // The steps are counted from stop to stop, none is lost: five in each half unit.
    assert_eq!(path.stats.accepted, 20);
    assert!((path.y[4][0] - exact).abs() < 1e-6, "{}", path.y[4][0]);
    let path = adaptive().solve(&problem, SaveAt::end()).unwrap();
    assert!((path.y[0][0] - exact).abs() < 1e-6, "{}", path.y[0][0]);
}

#[test]
fn a_step_longer_than_the_span_and_an_interval_longer_than_it() {
    let problem = linear(1.0, 0.0..0.25);
    let path = fixed().fixed_step(10.0).solve(&problem, SaveAt::every(0.25)).unwrap();
    assert_eq!((path.t.as_slice(), path.stats.accepted), ([0.0, 0.25].as_slice(), 1));
    for save in [SaveAt::every(3.0), SaveAt::every(3.0).without_start()] {
        let error = fixed().solve(&problem, save).unwrap_err();
        assert_says(&error.to_string(), &["save", "every(3)", "0 to 0.25", "SaveAt::end()"]);
    }
}

#[test]
fn nothing_happens() {
    let problem = Problem::new(Linear { rate: 0.0 }, [0.0], 0.0..100.0);
    for (rtol, atol) in [(1e-8, 1e-8), (1e-8, 0.0), (0.0, 1e-8)] {
        let path = fixed().tolerance(rtol, atol).solve(&problem, SaveAt::end()).unwrap();
        assert_eq!((path.y[0][0], path.stats.rejected), (0.0, 0));
        // From 1e-6 of the span on by doublings: 20 and some, because the size is rounded to rungs.
        assert!(path.stats.accepted < 30, "steps grow: {}", path.stats);
    }
    // One component moves, the other stays at 0.
    let problem = Problem::new(
        Sized { n: 2, w: DVector::repeat(2, 0.3) },
        DVector::from(vec![1.0, 0.0]),
        0.0..1.0,
    );
    let path = fixed().tolerance(1e-8, 0.0).solve(&problem, SaveAt::end()).unwrap();
    assert!((path.y[0][0] - (-0.3_f64).exp()).abs() < 1e-6 && path.y[0][1] == 0.0);
}

#[test]
fn extreme_settings_do_not_panic() {
    let problem = linear(1.0, 0.0..1.0);
    let loss = component(0);
    let huge = fixed().strategy(Checkpointed::slots(usize::MAX));
    assert!(huge.gradient(&problem, SaveAt::end(), &loss).is_ok());
    let tiny = fixed().strategy(Reversible::coupling(1e-320));
    assert!(tiny.gradient(&problem, SaveAt::end(), &loss).is_err());
    let error = fixed().solve(&problem, SaveAt::every(1e-300)).unwrap_err();
    assert_says(&error.to_string(), &["raise the interval"]);
    let y0 = SVector::<f64, 1>::repeat(f64::MAX);
    let error = solve_error(&adaptive(), &Problem::new(BlowUp { a: 1.0 }, y0, 0.0..1.0));
    assert!(matches!(error, SolveError::NotFinite { .. }), "{error:?}");
}

/// Numbers far from 1 are written with an exponent wherever they stand.
#[test]
fn no_text_has_a_row_of_zeros() {
    let tiny = 1e-320;
    let problem = linear(1.0, 0.0..1.0);
    let of = |save: SaveAt| adaptive().solve(&linear(1.0, 0.0..tiny), save).unwrap_err();
    let settings = [
        adaptive().fixed_step(-tiny).solve(&problem, SaveAt::end()).unwrap_err(),
        adaptive().tolerance(-tiny, 1e-6).solve(&problem, SaveAt::end()).unwrap_err(),
        of(SaveAt::every(1.0)),
        of(SaveAt::times([1e-319])),
        adaptive().solve(&linear(1.0, tiny..tiny), SaveAt::end()).unwrap_err(),
    ];
    for error in settings {
        let text = error.to_string();
        assert!(text.contains("e-3") && !text.contains("000000"), "{text}");
    }
}

/// A time that a rounding puts beyond the end is the end, forward and backward; one that is further off is refused.
#[test]
fn a_last_save_time_beyond_the_end_by_rounding_is_the_end() {
    for n in 1..200 {
        let end = f64::from(n) / 10.0;
        let times: Vec<f64> = (1..=n).map(|i| f64::from(i) * 0.1).collect();
        let path = adaptive().solve(&linear(1.0, 0.0..end), SaveAt::times(&times)).unwrap();
        assert_eq!(path.t.len(), n as usize);
        assert!((path.t[path.t.len() - 1] - end).abs() <= 2.0 * f64::EPSILON * end);
        assert!((path.y[path.y.len() - 1][0] - (-0.5 * end).exp()).abs() < 1e-6);
        let back: Vec<f64> = (1..=n).map(|i| end - f64::from(i) * 0.1).collect();
        let path = adaptive().solve(&linear(1.0, end..0.0), SaveAt::times(&back)).unwrap();
        assert_eq!(path.t.len(), n as usize);
        let exact = (0.5 * end).exp();
        assert!((path.y[path.y.len() - 1][0] / exact - 1.0).abs() < 1e-5);
        let late = SaveAt::times([end * (1.0 + 1e-12)]);
        assert!(adaptive().solve(&linear(1.0, 0.0..end), late).is_err());
    }
}
