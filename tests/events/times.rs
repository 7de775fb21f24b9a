//! The times of events in a loss, and derivatives with respect to the ends of the time span.

use revode::prelude::*;
use revode_testing::compare::{difference, loss_and_flat};

use crate::AnyMethod;
use crate::models::{Ball, ball, bounces, sum};

ode! {
    /// Falls until it hits the ground.
    struct Fall {
        state  { height, speed }
        params { gravity, ground }
    }
    dheight/dt = speed;
    dspeed/dt = -gravity;
    event lands = height - ground, falling, terminal;
}

ode! {
    struct Driven {
        state  { y }
        params { k }
    }
    dy/dt = -k * y + sin(t);
}

/// By central differences of a function of some numbers.
fn slopes(numbers: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let h = 1e-3;
    let slope = |i: usize| {
        let at = |by: f64| {
            let mut moved = numbers.to_vec();
            moved[i] += by;
            f(&moved)
        };
        (8.0 * (at(h) - at(-h)) - (at(2.0 * h) - at(-2.0 * h))) / (12.0 * h)
    };
    (0..numbers.len()).map(slope).collect()
}

#[test]
fn bounces_are_where_the_closed_form_has_them() {
    for rtol in [1e-3, 1e-8] {
        let solution = Solver::new(AnyMethod::Tsit5)
            .relative_tolerance(rtol)
            .solve(&ball().problem, SaveAt::end())
            .unwrap();
        let (found, expected) = (solution.event_times("bounce"), bounces(10.0, 9.81, 0.8));
        assert_eq!(found.len(), 4);
        // The method is exact for a parabola: what is left is rounding.
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-13, "{found} {expected}");
        }
        for occurrence in &solution.events {
            assert!(occurrence.before[0].abs() < 1e-13 && occurrence.before[1] < 0.0);
            assert_eq!(occurrence.after[1], -0.8 * occurrence.before[1]);
        }
    }
}

#[test]
fn bounce_times_have_gradients() {
    let measured = [1.4, 3.7, 5.5, 7.0];
    let loss = |x: &[f64]| {
        let times = bounces(x[0], x[2], x[3]);
        times.iter().zip(measured).map(|(t, m)| (t - m) * (t - m)).sum::<f64>() / 4.0
    };
    let numbers = [10.0, 0.0, 9.81, 0.8];
    let mut expected = vec![loss(&numbers)];
    expected.extend(slopes(&numbers, loss));
    let events = EventTimes::new("bounce", &measured);
    let solver = Solver::new(AnyMethod::Tsit5).tolerance(1e-10, 1e-10);
    let fits = [
        solver.gradient(&ball().problem, SaveAt::end(), &events).unwrap(),
        solver
            .strategy(Guarded::default())
            .gradient(&ball().problem, SaveAt::end(), &events)
            .unwrap(),
        solver
            .strategy(Exact::default())
            .gradient(&ball().problem, SaveAt::end(), &events)
            .unwrap(),
    ];
    for fit in fits {
        let mut found = loss_and_flat(&fit);
        // The closed form starts at rest.
        (found[2], expected[2]) = (0.0, 0.0);
        let off = difference(&found, &expected);
        assert!(off < 1e-9, "{off:e}\n{found:?}\n{expected:?}");
    }
    // A pair of losses is their sum.
    let both = solver
        .gradient(
            &ball().problem,
            SaveAt::end(),
            &(sum([1.0, 0.0]), EventTimes::new("bounce", &measured)),
        )
        .unwrap();
    let height = solver.gradient(&ball().problem, SaveAt::end(), &sum([1.0, 0.0])).unwrap();
    assert!((both.loss - height.loss - expected[0]).abs() < 1e-12);
    let parts = height.model.restitution + expected[4];
    assert!((both.model.restitution - parts).abs() < 1e-9 * parts.abs());
}

#[test]
fn too_few_events_are_an_error() {
    let measured = [1.0; 6];
    let loss = EventTimes::new("bounce", &measured);
    let error =
        Solver::new(AnyMethod::Tsit5).gradient(&ball().problem, SaveAt::end(), &loss).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("`bounce` happened 4 times") && text.contains("6 times"), "{text}");
}

#[test]
fn an_event_ends_a_solve_and_its_place_has_a_gradient() {
    let problem = Problem::new(Fall { gravity: 9.81, ground: 1.0 }, [10.0, 2.0], 0.0..50.0);
    let solution = Solver::new(AnyMethod::Tsit5).solve(&problem, SaveAt::end()).unwrap();
    let impact = |x: &[f64]| (x[1] * x[1] + 2.0 * x[2] * (x[0] - x[3])).sqrt();
    let numbers = [10.0, 2.0, 9.81, 1.0];
    let lands = (2.0 + impact(&numbers)) / 9.81;
    assert_eq!(solution.t.len(), 1);
    assert!(
        (solution.t[0] - lands).abs() < 1e-14
            && (solution.y[0][1] + impact(&numbers)).abs() < 1e-13
    );
    assert_eq!(solution.event_times("lands"), solution.t);
    // The speed at the ground moves with the time of the fall.
    let fit =
        Solver::new(AnyMethod::Tsit5).gradient(&problem, SaveAt::end(), &sum([0.0, 1.0])).unwrap();
    let mut expected = vec![-impact(&numbers)];
    expected.extend(slopes(&numbers, |x| -impact(x)));
    let found = loss_and_flat(&fit);
    assert!(difference(&found, &expected) < 1e-11, "{found:?} {expected:?}");
    assert_eq!(fit.t1, 0.0);
    // Saved until there: 0, 0.5 and 1.0, of 1.35 and no more.
    let path = Solver::new(AnyMethod::Tsit5).solve(&problem, SaveAt::every(0.5)).unwrap();
    assert_eq!(path.t, [0.0, 0.5, 1.0, 1.5]);
    assert!(lands > 1.5 && lands < 2.0);
}

#[test]
fn the_ends_of_the_span_have_derivatives() {
    let value = |x: &[f64]| {
        let [y0, k, t0, t1] = x.try_into().unwrap();
        let particular = |t: f64| (k * t.sin() - t.cos()) / (k * k + 1.0);
        particular(t1) + (y0 - particular(t0)) * f64::exp(-k * (t1 - t0))
    };
    let numbers = [0.7, 0.6, 0.3, 2.1];
    let expected = slopes(&numbers, value);
    for save in [SaveAt::end(), SaveAt::dense(), SaveAt::times([0.3, 2.1])] {
        let problem = Problem::new(Driven { k: 0.6 }, [0.7], 0.3..2.1);
        let solver = Solver::new(AnyMethod::Vern7).tolerance(1e-12, 1e-12);
        let fit = solver.gradient(&problem, save.clone(), &sum([1.0])).unwrap();
        // What is seen at the start moves nothing but with y0.
        let at_start = if save == SaveAt::end() { 0.0 } else { 1.0 };
        let found = [fit.y0[0] - at_start, fit.model.k, fit.t0, fit.t1];
        assert!(difference(&found, &expected) < 1e-10, "{found:?} {expected:?}");
        let paired =
            solver.strategy(Guarded::default()).gradient(&problem, save, &sum([1.0])).unwrap();
        let found = [paired.y0[0] - at_start, paired.model.k, paired.t0, paired.t1];
        assert!(difference(&found, &expected) < 1e-10, "{found:?} {expected:?}");
    }
}

#[test]
fn an_unused_ball_is_no_ball() {
    // Without bounces the times have nothing to be compared with, and are told apart by name.
    let problem = Problem::new(Ball { gravity: 9.81, restitution: 0.8 }, [10.0, 0.0], 0.0..1.0);
    let loss = EventTimes::new("bounces", &[1.0]);
    let error = Solver::new(AnyMethod::Tsit5)
        .gradient(&problem, SaveAt::end(), &loss)
        .unwrap_err()
        .to_string();
    assert!(error.contains("`bounces` happened 0 times"), "{error}");
}

/// Each leg has a record of its own, and the statistics say how much that is.
#[test]
fn the_statistics_say_what_legs_cost() {
    let (problem, solver) = (ball(), Solver::new(AnyMethod::Tsit5).tolerance(1e-6, 1e-6));
    let loss = sum([1.0, 0.0]);
    let fit = solver.gradient(&problem.problem, SaveAt::end(), &loss).unwrap();
    let solution = solver.solve(&problem.problem, SaveAt::end()).unwrap();
    let bounces = solution.events.len() as u64;
    assert!(bounces > 2);
    for Stats { legs, taken_again, rejected, .. } in [fit.stats, solution.stats] {
        assert_eq!(legs, bounces + 1);
        assert!(taken_again >= bounces && taken_again <= rejected, "{taken_again} {rejected}");
    }
    assert!(fit.stats.to_string().contains(&format!(", {} legs", bounces + 1)), "{}", fit.stats);
    let Stats { record_bytes, bytes_kept, .. } = fit.stats;
    // A run at least for each leg.
    assert!(record_bytes > 16 * fit.stats.legs as usize && record_bytes < bytes_kept);
    let whole = problem.problem.restart([1e6, 0.0], 0.0..1.0);
    let fit = solver.gradient(&whole, SaveAt::end(), &loss).unwrap();
    assert_eq!((fit.stats.legs, fit.stats.taken_again), (1, 0));
    assert!(fit.stats.record_bytes < record_bytes);
}
