//! Random fields with random events and timed changes: all strategies along one solution to the bit, events where their
//! triggers are 0 and in their order, and gradients against central differences.
//!
//! `REVODE_LONG=1` takes ten times as many.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use revode::nalgebra::{SMatrix, SVector};
use revode::prelude::*;
use revode::{Action, Trigger};
use revode_testing::compare::loss_and_flat;

revode::any_method! {
    fixed { Rk4 }
    adaptive { Bosh3, Tsit5, Vern7 }
}

ode! {
    /// Bounded, driven, with three events of the state and three of the time, and a jump that does not act on its own place.
    struct Random {
        state  { u: [3] }
        params {
            a: [3, 3], drive: [3], push: [3], w: [3, 3], level: [3], r: [3, 3], kick, time: [3], amount: [3]
        }
    }
    du/dt = tanh(a @ u) + drive * cos(t) - u + push * signum(u[0] + 2 * sin(1.7 * t));
    let g = w @ u - level;
    event turns = g[0], rising { u = 0.5 * (r @ u); }
    event passes = g[1] + 0.1 * sin(3 * t);
    event falls = g[2], falling { u[0] += kick; u[1] *= 0.8; }
    at (time[i]) for i in 0..3 { u[i] += amount[i]; }
}

#[derive(Debug, Clone)]
struct Case {
    numbers: Vec<f64>,
    y0: [f64; 3],
    end: f64,
    method: AnyMethod,
    /// Of adaptive steps; fixed ones without.
    tolerance: Option<f64>,
    save: SaveAt,
    stops: Vec<f64>,
}

fn cases() -> impl Strategy<Value = Case> {
    let numbers = proptest::collection::vec(-1.5..1.5, 45);
    let save = prop_oneof![
        Just(SaveAt::end()),
        Just(SaveAt::steps()),
        (0.05..1.0).prop_map(SaveAt::every),
        Just(SaveAt::dense()),
    ];
    let tolerance = prop_oneof![Just(None), (2.0..4.5).prop_map(|x: f64| Some(10.0_f64.powf(-x)))];
    let method = (0..AnyMethod::ALL.len()).prop_map(|i| AnyMethod::ALL[i]);
    let stops = proptest::collection::vec(0.0..6.0, 0..3);
    let y0 = [-1.0..1.0, -1.0..1.0, -1.0..1.0];
    (numbers, y0, 1.5..4.5, method, tolerance, save, stops).prop_map(
        |(numbers, y0, end, method, tolerance, save, stops)| {
            let tolerance = tolerance.filter(|_| method.is_adaptive());
            Case { numbers, y0, end, method, tolerance, save, stops }
        },
    )
}

impl Case {
    fn problem(&self) -> Problem<f64, Random> {
        let mut numbers = self.numbers.iter().copied();
        let mut next = || numbers.next().unwrap();
        let field = Random {
            a: SMatrix::from_fn(|_, _| 2.0 * next()),
            drive: SVector::from_fn(|_, _| next()),
            push: SVector::from([0.0, 0.3 * next(), 0.3 * next()]),
            w: SMatrix::from_fn(|_, _| next()),
            level: SVector::from_fn(|_, _| 0.5 * next()),
            r: SMatrix::from_fn(|_, _| next()),
            kick: next(),
            // Some before the start, some after the end.
            time: SVector::from_fn(|_, _| 3.0 + 2.5 * next()),
            amount: SVector::from_fn(|_, _| next()),
        };
        Problem::new(field, self.y0, 0.0..self.end).stops(self.stops.clone())
    }
}

/// A nonlinear loss.
struct Cubes;

impl Loss<f64, SVector<f64, 3>> for Cubes {
    fn value(&self, index: usize, _: f64, y: &SVector<f64, 3>) -> Result<f64, SolveError> {
        Ok((1.0 + 0.1 * (index % 3) as f64) * y.iter().map(|y| y * y * y + y).sum::<f64>())
    }
    fn cotangent(&self, index: usize, _: f64, y: &SVector<f64, 3>, y_bar: &mut SVector<f64, 3>) {
        *y_bar += y.map(|y| (1.0 + 0.1 * (index % 3) as f64) * (3.0 * y * y + 1.0));
    }
}

/// What the cases came to, so that the corners do occur.
#[derive(Debug, Default)]
struct Counts {
    events: usize,
    resets: usize,
    notes: usize,
    jumps: usize,
    timed: usize,
    errors: usize,
}

macro_rules! with_solver {
    ($case:expr, |$solver:ident| $body:expr) => {
        match $case.tolerance {
            Some(tolerance) => {
                let $solver = Solver::new($case.method).tolerance(tolerance, tolerance).unchecked();
                $body
            }
            None => {
                let $solver = Solver::new($case.method).fixed_step(0.2).unchecked();
                $body
            }
        }
    };
}

/// The gradient's bits, or what kind of error it is.
macro_rules! bits {
    ($case:expr, $problem:expr, $strategy:expr) => {
        with_solver!($case, |solver| {
            let found = solver.strategy($strategy).gradient($problem, $case.save.clone(), &Cubes);
            match found {
                Ok(fit) => {
                    let numbers = loss_and_flat(&fit).into_iter().chain([fit.t0, fit.t1]);
                    Ok(numbers.map(f64::to_bits).collect::<Vec<_>>())
                }
                Err(error) => Err(std::mem::discriminant(&error)),
            }
        })
    };
}

fn check_events(case: &Case, problem: &Problem<f64, Random>, counts: &mut Counts) {
    let solved = with_solver!(case, |solver| solver.solve(problem, case.save.clone()));
    let Ok(Solution { events, .. }) = solved else {
        counts.errors += 1;
        return;
    };
    let mut last = 0.0;
    for occurrence in &events {
        assert!(occurrence.t >= last && occurrence.t < case.end, "{case:?}");
        last = occurrence.t;
        counts.events += 1;
        match occurrence.event.action {
            Action::Reset => counts.resets += 1,
            Action::Switch => counts.jumps += 1,
            _ => counts.notes += 1,
        }
        if occurrence.event.trigger == Trigger::Time {
            counts.timed += 1;
            let time = problem.field.time[occurrence.event.index.unwrap()];
            assert!((occurrence.t - time).abs() < 1e-14, "{case:?}");
        }
    }
    // The first event of a time is where its trigger is 0: to the rounding of the state and of time.
    for (i, occurrence) in events.iter().enumerate() {
        if i == 0 || events[i - 1].t != occurrence.t {
            let g = problem.field.trigger(occurrence.number, occurrence.t, &occurrence.before);
            assert!(g.abs() < 1e-12, "{g:e} {occurrence:?} {case:?}");
        }
    }
}

fn check_strategies(case: &Case, problem: &Problem<f64, Random>) {
    let plain = bits!(case, problem, StoreAll);
    assert_eq!(bits!(case, problem, Checkpointed::slots(3)), plain, "{case:?}");
    let guarded = Guarded::default();
    let stored = bits!(case, problem, StoreAll.along(guarded));
    assert_eq!(bits!(case, problem, guarded.memory(600)), stored, "{case:?}");
    let exact = Exact::default();
    let stored = bits!(case, problem, StoreAll.along(exact));
    assert_eq!(bits!(case, problem, exact), stored, "{case:?}");
}

/// Half of the cases each, so that both run at the same time.
#[test]
fn strategies_agree_through_random_events() {
    check_half(1);
}

#[test]
fn strategies_agree_through_other_random_events() {
    check_half(2);
}

fn check_half(seed: u8) {
    let long = std::env::var_os("REVODE_LONG").is_some_and(|value| value == "1");
    let cases = if long { 10_000 } else { 1_000 };
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let counts = std::cell::RefCell::new(Counts::default());
    let checked = TestRunner::new_with_rng(config, rng(seed)).run(&self::cases(), |case| {
        let problem = case.problem();
        check_events(&case, &problem, &mut counts.borrow_mut());
        check_strategies(&case, &problem);
        Ok(())
    });
    checked.unwrap();
    let Counts { events, resets, notes, jumps, timed, errors } = counts.into_inner();
    print!("{events} events, {resets} resets, {notes} noted, {jumps} jumps, {timed} timed, ");
    println!("{errors} errors");
    let cases = cases as usize;
    assert!(resets > cases && notes > cases / 2 && timed > cases, "{resets} {notes} {timed}");
    assert!(jumps > cases, "{jumps}");
    assert!(errors < cases / 50, "{errors} of {cases}");
}

/// The same cases each time.
fn rng(seed: u8) -> TestRng {
    TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32])
}

/// Where both neighbours have the same events, the loss is smooth between them. Tight steps, so that the discrete events
/// move as those of the equation; differences of fourth order leave `1e-12 / h` and a fifth derivative.
#[test]
fn gradients_through_random_events_are_those_of_differences() {
    let config = Config { cases: 60, failure_persistence: None, ..Config::default() };
    let counts = std::cell::RefCell::new((0, 0));
    let checked = TestRunner::new_with_rng(config, rng(3)).run(&cases(), |case| {
        let problem = case.problem();
        let solver = Solver::new(AnyMethod::Vern7).tolerance(1e-12, 1e-12);
        let Ok(fit) = solver.gradient(&problem, SaveAt::end(), &Cubes) else { return Ok(()) };
        let found = loss_and_flat(&fit);
        let solve = |i: usize, by: f64| {
            let mut moved = problem.clone();
            let Problem { y0, field, .. } = &mut moved;
            *y0.iter_mut().chain(field.slices_mut().flatten()).nth(i).unwrap() += by;
            let Solution { y, events, .. } = solver.solve(&moved, SaveAt::end()).ok()?;
            let events: Vec<_> = events.iter().map(|x| x.number).collect();
            Some((Cubes.value(0, 0.0, &y[0]).ok()?, events))
        };
        for i in (0..found.len() - 1).step_by(5) {
            let h = 1e-4;
            let points = [-2.0, -1.0, 1.0, 2.0].map(|n| solve(i, n * h));
            let [Some(a), Some(b), Some(c), Some(d)] = points else { continue };
            let smooth = a.1 == b.1 && b.1 == c.1 && c.1 == d.1;
            let mut counts = counts.borrow_mut();
            counts.0 += 1;
            if !smooth {
                continue;
            }
            let slope = (a.0 - 8.0 * b.0 + 8.0 * c.0 - d.0) / (12.0 * h);
            let size = found[1..].iter().fold(1.0_f64, |size, x| size.max(x.abs()));
            let off = (found[i + 1] - slope).abs() / size;
            // A fifth derivative of 1e4 leaves 1e-12 of it; where an event nearly grazes there is more.
            if off < 1e-6 {
                counts.1 += 1;
            } else {
                println!("number {i}: {} and {slope}, off by {off:e} of {size:e}", found[i + 1]);
            }
        }
        Ok(())
    });
    checked.unwrap();
    let (compared, right) = counts.into_inner();
    println!("{right} of {compared}");
    assert!(compared > 300 && right * 100 >= 97 * compared, "{right} of {compared}");
}
