//! Solves step by step: the same steps as those of a solve, stops, values between, changes by hand.

use revode::prelude::*;
use revode::{Reached, Stepper};
use revode_testing::dynamics::{Decay, Lorenz};

ode! {
    struct Ball { state { x, v } params { g, e } }
    dx/dt = v;
    dv/dt = -g;
    event bounce = x, falling { v = -e * v; }
}

ode! {
    struct Doses { state { y } params { k, last, amount } }
    dy/dt = -k * y;
    at (0) { y += amount; }
    at (last) { y += amount; }
    event low = y - 0.2, falling, terminal;
}

fn ball() -> Problem<f64, Ball> {
    Problem::new(Ball { g: 9.81, e: 0.7 }, [1.0, 0.0], 0.0..1.8).stops([0.2])
}

fn lorenz() -> Problem<f64, Lorenz> {
    let field = Lorenz { sigma: 10.0, rho: 28.0, beta: 8.0 / 3.0 };
    Problem::new(field, [1.0, 1.0, 1.0], 0.0..3.0)
}

/// The ends of all steps, and the states after the events at each time.
fn walk<F, M, C, const N: usize>(
    stepper: &mut Stepper<'_, f64, F, M, C>,
) -> Vec<(f64, SVector<f64, N>)>
where
    F: VectorField<f64, State = SVector<f64, N>>,
    M: revode::Method<f64, F> + Clone,
    C: revode::control::StepControl<f64, F, M>,
{
    let mut found = vec![(stepper.t(), *stepper.y())];
    loop {
        let reached = stepper.step().unwrap();
        found.push((stepper.t(), *stepper.y()));
        if reached == Reached::End {
            return found;
        }
    }
}

/// The last of the states that a solve has at each time.
fn last_of_each_time<const N: usize>(
    solution: &Solution<f64, SVector<f64, N>>,
) -> Vec<(f64, SVector<f64, N>)> {
    let mut all: Vec<_> = solution.t.iter().copied().zip(solution.y.iter().copied()).collect();
    all.reverse();
    all.dedup_by_key(|(t, _)| *t);
    all.reverse();
    all
}

#[test]
fn steps_are_those_of_a_solve() {
    for backward in [false, true] {
        let mut problem = lorenz();
        if backward {
            problem = problem.restart([1.0, 2.0, 20.0], 0.5..0.0);
        }
        let solver = Solver::new(Tsit5);
        let solution = solver.solve(&problem, SaveAt::steps()).unwrap();
        let mut stepper = solver.stepper(&problem).unwrap();
        assert_eq!(walk(&mut stepper), last_of_each_time(&solution));
        assert_eq!(stepper.stats(), solution.stats);
    }
    let fixed = Solver::new(Rk4).fixed_step(0.01);
    let solution = fixed.solve(&lorenz(), SaveAt::steps()).unwrap();
    let problem = lorenz();
    assert_eq!(walk(&mut fixed.stepper(&problem).unwrap()), last_of_each_time(&solution));
}

#[test]
fn steps_lead_through_events_and_stops_as_a_solve_does() {
    let (problem, solver) = (ball(), Solver::new(Tsit5).max_step(0.3));
    let solution = solver.solve(&problem, SaveAt::steps()).unwrap();
    let mut stepper = solver.stepper(&problem).unwrap();
    assert_eq!(walk(&mut stepper), last_of_each_time(&solution));
    assert_eq!(stepper.stats(), solution.stats);
    // What each step has come to.
    let mut stepper = solver.stepper(&problem).unwrap();
    let mut events = Vec::new();
    loop {
        let reached = stepper.step().unwrap();
        assert_eq!(reached == Reached::Event, !stepper.events().is_empty());
        assert_eq!(reached == Reached::Stop, stepper.t() == 0.2, "{reached:?} at {}", stepper.t());
        events.extend_from_slice(stepper.events());
        if reached == Reached::End {
            break;
        }
    }
    assert_eq!(events, solution.events);
    assert!(events.len() > 1);
}

#[test]
fn events_at_the_start_and_one_that_ends_the_solve() {
    let problem = Problem::new(Doses { k: 1.0, last: 0.5, amount: 1.0 }, [0.5], 0.0..10.0);
    let solver = Solver::new(Tsit5).tolerance(1e-10, 1e-10);
    let mut stepper = solver.stepper(&problem).unwrap();
    assert_eq!((stepper.t(), stepper.y()[0], stepper.events().len()), (0.0, 1.5, 1));
    assert_eq!(stepper.interpolate(0.0).unwrap()[0], 1.5);
    let mut reached = Vec::new();
    while !matches!(reached.last(), Some(Reached::End)) {
        let now = stepper.step().unwrap();
        if now != Reached::Step {
            reached.push(now);
        }
    }
    assert_eq!(reached, [Reached::Event, Reached::End]);
    let end = 0.5 + ((1.5 * (-0.5_f64).exp() + 1.0) / 0.2).ln();
    assert!((stepper.t() - end).abs() < 1e-8 && (stepper.y()[0] - 0.2).abs() < 1e-12);
    // There is nothing more.
    let (t, stats) = (stepper.t(), stepper.stats());
    assert_eq!(stepper.step(), Ok(Reached::End));
    assert_eq!((stepper.t(), stepper.stats(), stepper.events().len()), (t, stats, 1));
}

#[test]
fn stops_are_met_exactly_and_change_what_a_save_point_does() {
    let (problem, solver) = (lorenz(), Solver::new(Tsit5));
    let times = [0.1, 0.7, 1.3, 3.0];
    let solution = solver.solve(&problem, SaveAt::times(times).landed()).unwrap();
    let mut stepper = solver.stepper(&problem).unwrap();
    // In any order, and twice.
    for t in [1.3, 0.1, 0.7, 0.1, 3.0] {
        stepper.stop_at(t).unwrap();
    }
    for (i, t) in times.into_iter().enumerate() {
        let last = if t == 3.0 { Reached::End } else { Reached::Stop };
        while stepper.step().unwrap() != last {}
        assert_eq!((stepper.t(), *stepper.y()), (t, solution.y[i]));
    }
}

#[test]
fn what_lies_between_is_what_a_dense_solution_has() {
    for tolerance in [1e-4, 1e-9] {
        let (problem, solver) = (ball(), Solver::new(Vern7).tolerance(tolerance, tolerance));
        let dense = solver.solve(&problem, SaveAt::dense()).unwrap();
        let mut stepper = solver.stepper(&problem).unwrap();
        while stepper.step().unwrap() != Reached::End {
            let step = stepper.last_step().unwrap();
            for theta in [0.0, 0.1, 0.5, 0.99, 1.0] {
                let t = if theta == 1.0 { step.end } else { step.t + theta * (step.end - step.t) };
                let apart = (stepper.interpolate(t).unwrap() - dense.evaluate(t).unwrap()).amax();
                // (At the start of a leg the dense solution has the state before the events.)
                assert!(apart < 1e-13 || theta == 0.0, "{t}: {apart:e}");
            }
            assert!(stepper.interpolate(step.end + 0.01).is_err());
        }
        // The interpolant's own evaluations are counted.
        assert!(stepper.stats().evaluations > dense.stats.evaluations);
    }
}

#[test]
fn a_state_that_is_changed_by_hand_goes_on_as_a_new_solve() {
    let (problem, solver) = (lorenz(), Solver::new(Tsit5).relative_tolerance(1e-8));
    let mut stepper = solver.stepper(&problem).unwrap();
    stepper.stop_at(1.0).unwrap();
    while stepper.step().unwrap() != Reached::Stop {}
    stepper.state_mut()[0] += 2.0;
    let rest = problem.restart(*stepper.y(), 1.0..3.0);
    let solution = solver.solve(&rest, SaveAt::steps()).unwrap();
    assert_eq!(walk(&mut stepper), last_of_each_time(&solution));
    // Between steps too, and a change of nothing is one.
    let (problem, solver) = (ball(), Solver::new(Tsit5).max_step(0.05));
    let mut stepper = solver.stepper(&problem).unwrap();
    while stepper.events().is_empty() {
        stepper.step().unwrap();
    }
    stepper.step().unwrap();
    let [x, v] = (*stepper.state_mut()).into();
    let rest = problem.restart([x, v], stepper.t()..1.8);
    let solution = solver.solve(&rest, SaveAt::steps()).unwrap();
    assert_eq!(walk(&mut stepper), last_of_each_time(&solution));
}

/// A change right after an event does not make it happen once more, and a jump is on its new side.
#[test]
fn a_state_that_is_changed_right_after_an_event() {
    ode! {
        struct Slows { state { y } params { level } }
        dy/dt = -1 - 0.5 * signum(y - level) - 0.1 * y;
        event passes = y - level;
    }
    for level in [0.3, 0.5, 0.7, 1.1, 1.3] {
        let problem = Problem::new(Slows { level }, [2.0], 0.0..3.0);
        let solver = Solver::new(Tsit5).tolerance(1e-8, 1e-8);
        let mut stepper = solver.stepper(&problem).unwrap();
        let mut count = 0;
        loop {
            let reached = stepper.step().unwrap();
            count += stepper.events().len();
            if reached == Reached::Event {
                // Nothing is changed, but that is a change.
                let _ = stepper.state_mut();
            }
            if reached == Reached::End {
                break;
            }
        }
        assert_eq!(count, 2, "{level}");
        let whole = solver.solve(&problem, SaveAt::end()).unwrap();
        assert!((stepper.y()[0] - whole.y[0][0]).abs() < 1e-6);
    }
}

#[test]
fn what_is_wrong_is_an_error_and_nothing_is_lost() {
    let (problem, solver) = (lorenz(), Solver::new(Tsit5));
    let mut stepper = solver.stepper(&problem).unwrap();
    let text = stepper.interpolate(0.5).unwrap_err().to_string();
    assert!(text.contains("no step has been taken yet"), "{text}");
    while stepper.t() < 1.0 {
        stepper.step().unwrap();
    }
    for t in [0.5, stepper.t(), 3.5, f64::NAN] {
        let text = stepper.stop_at(t).unwrap_err().to_string();
        assert!(text.contains("is not between them"), "{text}");
    }
    let text = stepper.interpolate(0.1).unwrap_err().to_string();
    assert!(text.contains("the last step went from"), "{text}");
    assert!(stepper.interpolate(f64::NAN).is_err());
    // The state stays where the last step has led.
    let limited = solver.max_steps(20);
    let mut stepper = limited.stepper(&problem).unwrap();
    let error = loop {
        let before = (stepper.t(), *stepper.y());
        if let Err(error) = stepper.step() {
            assert_eq!((stepper.t(), *stepper.y()), before);
            break error;
        }
    };
    assert!(matches!(error, SolveError::StepLimit { steps: 20, .. }), "{error}");
    // A state that is no number is refused, and again.
    let decay = Problem::new(Decay { rate: [1.0, 2.0, 3.0, 4.0].into() }, [1.0; 4], 0.0..1.0);
    let mut stepper = solver.stepper(&decay).unwrap();
    stepper.step().unwrap();
    stepper.state_mut()[2] = f64::NAN;
    for _ in 0..2 {
        let error = stepper.step().unwrap_err();
        assert!(matches!(error, SolveError::NotFinite { .. }), "{error}");
    }
    // What is put right goes on.
    stepper.state_mut()[2] = 0.5;
    assert_eq!(walk(&mut stepper).last().unwrap().0, 1.0);
}
