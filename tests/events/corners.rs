//! Corners where events could be lost, doubled, or found where there are none.

use revode::nalgebra::Vector1;
use revode::prelude::*;

use crate::AnyMethod;
use crate::models::{Ball, sum};

ode! {
    struct Blowup { state { y } params { k } }
    dy/dt = k * y^2;
    event low = y - 0.5, falling;
}

ode! {
    /// Leaves the domain of its trigger.
    struct Root { state { y } params { k } }
    dy/dt = -k + 0 * y;
    event low = sqrt(y) - 0.1, falling, terminal;
}

ode! {
    /// A kink in the field before the event.
    struct Kink { state { y } params { k, at, level } }
    dy/dt = 1 + k * abs(y - at);
    event hit = y - level, rising { y = 0; }
}

ode! {
    struct Clock { state { y } params { rate, level } }
    dy/dt = rate + 0 * y;
    event hit = y - level, rising;
    event done = y - 2 * level, rising, terminal;
}

ode! {
    /// The catenary: its cubic over a long step is below it.
    struct Catenary { state { x, v } params { level } }
    dx/dt = v;
    dv/dt = x;
    event low = x - level, falling { v = 1; }
}

ode! {
    /// Two events of one trigger.
    struct Shared { state { y, mode } params { level } }
    dy/dt = 1 + mode;
    dmode/dt = 0;
    event a = y - level, rising { y = 0; }
    event b = y - level, rising { mode = 1; }
}

ode! {
    /// Many that fire at one time.
    struct Neurons { state { v: [150], count } params { current } }
    dv/dt = current + 0 * v;
    dcount/dt = 0;
    event spike = v[i] - 1, rising for i in 0..150 { v[i] = 0; count += 1; }
}

#[test]
fn a_blow_up_is_told_as_one() {
    let problem = Problem::new(Blowup { k: 1.0 }, [1.0], 0.0..2.0);
    let error =
        Solver::new(AnyMethod::Rk4).fixed_step(0.1).solve(&problem, SaveAt::end()).unwrap_err();
    assert!(matches!(error, SolveError::NotFinite { .. }), "{error}");
}

#[test]
fn a_trigger_that_is_not_defined_beyond_its_crossing_is_found() {
    let problem = Problem::new(Root { k: 1.0 }, [2.0], 0.0..5.0);
    for h in [5.0, 1.0, 0.3] {
        let solution =
            Solver::new(AnyMethod::Rk4).fixed_step(h).solve(&problem, SaveAt::end()).unwrap();
        assert!((solution.t[0] - 1.99).abs() < 1e-12, "{h} {:?}", solution.t);
    }
    let problem = Problem::new(Root { k: 1.0 }, [-1.0], 0.0..5.0);
    let text = Solver::new(AnyMethod::Rk4)
        .fixed_step(1.0)
        .solve(&problem, SaveAt::end())
        .unwrap_err()
        .to_string();
    assert!(text.contains("event `low` is NaN at t = 0"), "{text}");
}

/// `gradient` and `forward` end steps at kinks, `solve` does not: the events are the same.
#[test]
fn kinks_and_events_in_one_step_do_not_disturb_each_other() {
    for (at, level) in [(0.3, 0.6), (0.6, 0.6), (0.7, 0.6), (0.599, 0.6), (0.3, 0.301)] {
        let problem = Problem::new(Kink { k: 0.1, at, level }, [0.1], 0.0..2.5);
        let solver = Solver::new(AnyMethod::Tsit5).tolerance(1e-9, 1e-9);
        let solved = solver.solve(&problem, SaveAt::end()).unwrap().event_times("hit");
        for found in [
            solver.forward(&problem, SaveAt::end()).unwrap().event_times("hit"),
            solver
                .strategy(Guarded::default())
                .forward(&problem, SaveAt::end())
                .unwrap()
                .event_times("hit"),
        ] {
            assert_eq!(found.len(), solved.len(), "{at} {level}: {found:?} {solved:?}");
            for (found, solved) in found.iter().zip(&solved) {
                // (A step across the kink is off by more than the tolerance.)
                assert!((found - solved).abs() < 1e-6, "{at} {level}: {found} {solved}");
            }
        }
        // The gradient too, against central differences.
        let fit = solver.gradient(&problem, SaveAt::end(), &sum([1.0])).unwrap();
        let loss = |by: f64| {
            let moved = Problem {
                field: Kink { level: level + by, ..problem.field.clone() },
                ..problem.clone()
            };
            Solver::new(AnyMethod::Tsit5)
                .tolerance(1e-12, 1e-12)
                .solve(&moved, SaveAt::end())
                .unwrap()
                .y[0][0]
        };
        let slope = (loss(1e-5) - loss(-1e-5)) / 2e-5;
        assert!(
            (fit.model.level - slope).abs() < 1e-4 * slope.abs(),
            "{at} {level}: {} {slope}",
            fit.model.level
        );
    }
}

#[test]
fn an_end_at_a_stop_is_saved() {
    let problem = || Problem::new(Clock { rate: 1.0, level: 0.5 }, [0.0], 0.0..5.0);
    for stops in [vec![], vec![1.0], vec![0.5, 1.0], vec![1.0 - 1e-16]] {
        let solver = Solver::new(AnyMethod::Rk4).fixed_step(0.25);
        let problem = problem().stops(stops.clone());
        let solution = solver.solve(&problem, SaveAt::end()).unwrap();
        assert_eq!((solution.t.len(), solution.event_times("hit").len()), (1, 1), "{stops:?}");
        assert!((solution.t[0] - 1.0).abs() < 1e-15 && (solution.y[0][0] - 1.0).abs() < 1e-15);
        let fit = solver.gradient(&problem, SaveAt::end(), &sum([1.0])).unwrap();
        // y there is twice the level, whatever the rate.
        assert!(
            (fit.loss - 1.0).abs() < 1e-14 && (fit.model.level - 2.0).abs() < 1e-13,
            "{stops:?}"
        );
        assert!(fit.model.rate.abs() < 1e-13 && fit.y0[0].abs() < 1e-13);
    }
}

#[test]
fn large_offsets_do_not_blur_events() {
    let problem = Problem::new(Clock { rate: 1.0_f32, level: 101.55 }, [100.0], 0.0..3.0_f32);
    let solution =
        Solver::new(AnyMethod::Rk4).fixed_step(0.1).solve(&problem, SaveAt::end()).unwrap();
    // (An f32 near 100 is known to 8e-6, after each of 16 steps.)
    assert!(
        (solution.event_times("hit")[0] - 1.55).abs() < 5e-5,
        "{:?}",
        solution.event_times("hit")
    );
    let start = 1.7e9;
    let problem = Problem::new(Clock { rate: 1.0, level: 1.234 }, [0.0], start..start + 2.0);
    let solution =
        Solver::new(AnyMethod::Rk4).fixed_step(0.01).solve(&problem, SaveAt::end()).unwrap();
    assert!((solution.event_times("hit")[0] - start - 1.234).abs() < 1e-6);
}

#[test]
fn what_only_the_cubic_shows_is_no_event() {
    let (x, v) = (f64::cosh(0.5), -f64::sinh(0.5));
    let problem = Problem::new(Catenary { level: 0.999 }, [x, v], -0.5..0.5);
    let solution =
        Solver::new(AnyMethod::Rk4).fixed_step(1.0).solve(&problem, SaveAt::end()).unwrap();
    assert!(solution.events.is_empty(), "{:?}", solution.events);
    // A lower one that the steps confirm is found.
    let problem = Problem::new(Catenary { level: 1.05 }, [x, v], -0.5..0.5);
    let solution =
        Solver::new(AnyMethod::Rk4).fixed_step(1.0).solve(&problem, SaveAt::end()).unwrap();
    assert_eq!(solution.events.len(), 1);
    assert!((solution.events[0].before[0] - 1.05).abs() < 1e-14);
}

#[test]
fn events_of_one_trigger_happen_together() {
    let problem = Problem::new(Shared { level: 1.0 }, [0.0, 0.0], 0.0..1.25);
    for solver in
        [Solver::new(AnyMethod::Rk4).fixed_step(0.25), Solver::new(AnyMethod::Rk4).fixed_step(0.7)]
    {
        let fit = solver.gradient(&problem, SaveAt::end(), &sum([1.0, 0.0])).unwrap();
        // y(T) = 2 (T − level + y0).
        assert!((fit.loss - 0.5).abs() < 1e-13);
        assert!((fit.model.level + 2.0).abs() < 1e-12, "{}", fit.model.level);
        assert!((fit.y0[0] - 2.0).abs() < 1e-12 && (fit.t1 - 2.0).abs() < 1e-12);
    }
}

#[test]
fn an_impact_without_rebound_is_an_error() {
    for restitution in [0.0, 1e-12] {
        let problem = Problem::new(Ball { gravity: 9.81, restitution }, [1.0, 0.0], 0.0..2.0);
        let error = Solver::new(AnyMethod::Tsit5).solve(&problem, SaveAt::end()).unwrap_err();
        assert!(matches!(error, SolveError::Chattering { .. }), "{error}");
    }
}

#[test]
fn many_events_of_one_time_are_no_chattering() {
    let y0: Vec<f64> = std::iter::repeat_n(0.1, 150).chain([0.0]).collect();
    let y0 = revode::nalgebra::SVector::<f64, 151>::from_vec(y0);
    for current in [0.7, 0.31, 1.3] {
        let problem = Problem::new(Neurons { current }, y0, 0.0..2.0);
        let solution =
            Solver::new(AnyMethod::Rk4).fixed_step(0.13).solve(&problem, SaveAt::end()).unwrap();
        let times = 1 + ((2.0 - 0.9 / current) * current).floor() as i32;
        assert_eq!(solution.y[0][150], f64::from(150 * times.max(0)), "{current}");
        let order: Vec<_> = solution.events.iter().take(150).map(|x| x.event.index).collect();
        let expected = if times > 0 { 150 } else { 0 };
        assert_eq!(order, (0..expected).map(Some).collect::<Vec<_>>(), "{current}");
    }
}

#[test]
fn changes_next_to_save_points_by_rounding_are_at_them() {
    ode! {
        struct Doses { state { y } params { time: [3] } }
        dy/dt = 0 * y;
        at (time[i]) for i in 0..3 { y += 1; }
    }
    let problem = Problem::new(Doses { time: [0.1, 0.2, 0.3].into() }, [0.0], 0.0..1.0);
    // The third point is 0.1 · 3, which is more than 0.3 by rounding.
    let path = Solver::new(AnyMethod::Tsit5).solve(&problem, SaveAt::every(0.1)).unwrap();
    let y: Vec<_> = path.y.iter().map(|y| y[0]).collect();
    assert_eq!(y[..5], [0.0, 0.0, 1.0, 2.0, 3.0], "{y:?}");
    let between =
        Solver::new(AnyMethod::Tsit5).solve(&problem, SaveAt::every(0.1).interpolated()).unwrap();
    assert_eq!(between.y, path.y);
}

/// A loss that depends on when: the end of a solve that an event ends moves.
#[test]
fn a_loss_of_the_time_at_the_end_moves_with_it() {
    struct Late;
    impl Loss<f64, Vector1<f64>> for Late {
        fn value(&self, _: usize, t: f64, y: &Vector1<f64>) -> Result<f64, SolveError> {
            Ok(t * t * y.x)
        }
        fn cotangent(&self, _: usize, t: f64, _: &Vector1<f64>, y_bar: &mut Vector1<f64>) {
            y_bar.x += t * t;
        }
        fn time_cotangent(&self, _: usize, t: f64, y: &Vector1<f64>) -> f64 {
            2.0 * t * y.x
        }
    }
    let problem = Problem::new(Clock { rate: 2.0, level: 0.5 }, [0.25], 0.0..5.0);
    let fit = Solver::new(AnyMethod::Rk4)
        .fixed_step(0.25)
        .gradient(&problem, SaveAt::end(), &Late)
        .unwrap();
    // It ends at t = (2 level − y0) / rate, where y = 2 level.
    let t = 0.75 / 2.0;
    let slope = |by: f64| 2.0 * t * by;
    assert!((fit.y0[0] - slope(-0.5)).abs() < 1e-14, "{}", fit.y0[0]);
    assert!((fit.model.rate - slope(-t / 2.0)).abs() < 1e-14);
    assert!((fit.model.level - slope(1.0) - 2.0 * t * t).abs() < 1e-14);
    let whole = Problem::new(Clock { rate: 2.0, level: 5.0 }, [0.25], 0.0..1.0);
    let fit = Solver::new(AnyMethod::Rk4)
        .fixed_step(0.25)
        .gradient(&whole, SaveAt::end(), &Late)
        .unwrap();
    assert!((fit.t1 - (2.0 * 2.25 + 2.0)).abs() < 1e-14, "{}", fit.t1);
}

#[test]
fn several_events_of_a_name_are_to_be_chosen_from() {
    let y0 = revode::nalgebra::SVector::<f64, 151>::repeat(0.1);
    let problem = Problem::new(Neurons { current: 0.7 }, y0, 0.0..2.0);
    let solver = Solver::new(AnyMethod::Rk4).fixed_step(0.5).strategy(StoreAll);
    let times = [1.3];
    let loss = EventTimes::new("spike", &times);
    let text = solver.gradient(&problem, SaveAt::end(), &loss).unwrap_err().to_string();
    assert!(text.contains("`spike` are several events") && text.contains(".index(0)"), "{text}");
    let fit = solver.gradient(&problem, SaveAt::end(), &loss.index(7)).unwrap();
    // At 0.9 / current.
    let late = 0.9 / 0.7 - 1.3;
    assert!((fit.loss - late * late).abs() < 1e-14);
    assert!((fit.model.current + 2.0 * late * 0.9 / 0.49).abs() < 1e-13);
    assert!((fit.y0[7] + 2.0 * late / 0.7).abs() < 1e-13 && fit.y0[6] == 0.0);
}

/// Of a pair of odd order the event is found in `y`, and the next leg starts from the mean of `y` and `z`, which may lie
/// before it.
#[test]
fn an_event_of_a_pair_happens_once() {
    ode! {
        struct Fall { state { y } params { rate, level } }
        dy/dt = -rate * (1 + 0.3 * sin(y));
        event passes = y - level;
    }
    for level in [0.3, 0.7, 1.0, 1.3, 1.6] {
        let problem = Problem::new(Fall { rate: 1.1, level }, [2.0], 0.0..3.0);
        for tolerance in [1e-3, 1e-5, 1e-7] {
            let solver = Solver::new(AnyMethod::Tsit5).tolerance(tolerance, tolerance);
            for solution in [
                solver.strategy(Guarded::default()).forward(&problem, SaveAt::end()).unwrap(),
                solver.strategy(Exact::default()).forward(&problem, SaveAt::end()).unwrap(),
                solver.strategy(Reversible::default()).forward(&problem, SaveAt::end()).unwrap(),
            ] {
                assert_eq!(
                    solution.events.len(),
                    1,
                    "{level} {tolerance:e}: {:?}",
                    solution.events
                );
            }
        }
    }
}

/// Thrown from below a level, it falls through it in the same step in which it has risen above.
#[test]
fn what_rises_and_falls_in_one_step_falls() {
    ode! {
        struct Thrown { state { y } params { up } }
        dy/dt = up - 2 * t;
        event falls = y, falling;
    }
    for up in [2.5, 2.6, 2.7, 2.8, 2.9, 3.0, 3.1] {
        let problem = Problem::new(Thrown { up }, [-1.5], 0.0..2.0);
        let expected = 0.5 * (up + (up * up - 6.0_f64).sqrt());
        for h in [2.0, 1.9, 1.0, 0.3] {
            let solver = Solver::new(AnyMethod::Rk4).fixed_step(h);
            let times = solver.solve(&problem, SaveAt::end()).unwrap().event_times("falls");
            let right = times.len() == 1 && (times[0] - expected).abs() < 1e-12;
            assert!(
                right || (times.is_empty() && expected > 2.0),
                "{up} {h}: {times:?} {expected}"
            );
        }
    }
}
