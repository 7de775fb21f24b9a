//! Which events are found, and when.

use revode::nalgebra::{DVector, Vector2};
use revode::prelude::*;
use revode::{Action, Event, Trigger};

use crate::AnyMethod;
use crate::models::{Ball, Oral};

ode! {
    /// A ball without a ground, and levels that it passes.
    struct Levels {
        state  { height, speed }
        params { gravity, low, high }
    }
    dheight/dt = speed;
    dspeed/dt = -gravity;
    event up = height - low, rising;
    event down = height - low, falling;
    event any = height - high;
}

ode! {
    /// A turning vector.
    struct Turning {
        state  { x, y, v: [2] }
        params { w, level: [2] }
    }
    dx/dt = -w * y;
    dy/dt = w * x;
    dv/dt = v - v + 1;
    event crosses = y;
    event passes = v[i] - level[i], rising for i in 0..2 { v[i] = 0; }
}

ode! {
    /// Two changes at the same time, in the order of the text.
    struct Order {
        state  { y }
        params { time }
    }
    dy/dt = 0 * y;
    at (time) { y += 1; }
    at (time) { y *= 10; }
}

fn levels(high: f64) -> Problem<f64, Levels> {
    // The top is 5 m high, after 1 s.
    Problem::new(Levels { gravity: 10.0, low: 1.0, high }, [0.0, 10.0], 0.0..2.0)
}

#[test]
fn two_crossings_within_one_step_are_found() {
    // 4.9999 is passed at 1 ∓ sqrt(2e-5): both within one of two steps of 2/3, or in one of 2.
    for h in [0.01, 2.0 / 3.0, 2.0] {
        let solver = Solver::new(AnyMethod::Rk4).fixed_step(h);
        let solution = solver.solve(&levels(4.9999), SaveAt::end()).unwrap();
        let apart = f64::sqrt(2e-5);
        let found = solution.event_times("any");
        assert_eq!(found.len(), 2, "{h}");
        assert!(
            (found[0] - 1.0 + apart).abs() < 1e-12 && (found[1] - 1.0 - apart).abs() < 1e-12,
            "{found:?}"
        );
        assert!(
            solver.solve(&levels(5.0001), SaveAt::end()).unwrap().event_times("any").is_empty()
        );
    }
}

#[test]
fn directions_are_told_apart_and_events_come_in_their_order() {
    let solution =
        Solver::new(AnyMethod::Rk4).fixed_step(2.0).solve(&levels(3.0), SaveAt::end()).unwrap();
    let names: Vec<_> = solution.events.iter().map(|x| x.event.name).collect();
    assert_eq!(names, ["up", "any", "any", "down"]);
    let at = |level: f64| f64::sqrt(0.2 * (5.0 - level));
    let expected = [1.0 - at(1.0), 1.0 - at(3.0), 1.0 + at(3.0), 1.0 + at(1.0)];
    for (found, expected) in solution.events.iter().zip(expected) {
        assert!((found.t - expected).abs() < 1e-13);
        assert_eq!(found.before, found.after);
    }
    // They are noted, and the solution is the same.
    assert!((solution.y[0] - Vector2::new(0.0, -10.0)).norm() < 1e-12);
    // Backward they are passed in the other direction.
    let back = Problem { t0: 2.0, t1: 0.0, y0: solution.y[0], ..levels(3.0) };
    let solution = Solver::new(AnyMethod::Rk4).fixed_step(2.0).solve(&back, SaveAt::end()).unwrap();
    let names: Vec<_> = solution.events.iter().map(|x| x.event.name).collect();
    assert_eq!(names, ["up", "any", "any", "down"]);
    assert!((solution.events[0].t - 1.0 - at(1.0)).abs() < 1e-13);
}

#[test]
fn every_crossing_of_a_circle_is_found_by_every_kind_of_step() {
    let field = Turning { w: 3.0, level: Vector2::new(0.7, 1.1) };
    let problem = Problem::new(field, [1.0, 0.0, 0.0, 0.0], 0.0..10.0);
    let check = |solution: &Solution<f64, _>, tolerance: f64, by: &str| {
        let found = solution.event_times("crosses");
        assert_eq!(found.len(), 9, "{by}: {found:?}");
        for (k, t) in found.iter().enumerate() {
            let expected = (k + 1) as f64 * std::f64::consts::PI / 3.0;
            assert!((t - expected).abs() < tolerance, "{by}: {t} {expected}");
        }
        let passes = |i: usize| {
            let of = solution.events.iter().filter(move |x| x.event.index == Some(i));
            of.map(|x| x.t).collect::<Vec<_>>()
        };
        assert_eq!((passes(0).len(), passes(1).len()), (14, 9), "{by}");
        for (k, t) in passes(1).iter().enumerate() {
            // Rounding; in `Exact` that of a grid of 6e-14 of the size, over the steps.
            assert!((t - 1.1 * (k + 1) as f64).abs() < 1e-11, "{by}: {t}");
        }
    };
    let tight = Solver::new(AnyMethod::Vern7).tolerance(1e-11, 1e-11);
    check(&tight.solve(&problem, SaveAt::end()).unwrap(), 1e-9, "Vern7");
    check(&tight.solve(&problem, SaveAt::steps()).unwrap(), 1e-9, "Vern7, steps");
    check(&tight.solve(&problem, SaveAt::every(0.1)).unwrap(), 1e-9, "Vern7, every 0.1");
    let loose = Solver::new(AnyMethod::Bosh3).tolerance(1e-5, 1e-5);
    check(&loose.solve(&problem, SaveAt::end()).unwrap(), 1e-3, "Bosh3");
    check(
        &Solver::new(AnyMethod::Rk4).fixed_step(0.02).solve(&problem, SaveAt::end()).unwrap(),
        1e-5,
        "Rk4",
    );
    let pair = tight.strategy(Guarded::default()).forward(&problem, SaveAt::end());
    check(&pair.unwrap(), 1e-9, "Guarded");
    let pair = tight.strategy(Exact::default()).forward(&problem, SaveAt::end());
    check(&pair.unwrap(), 1e-9, "Exact");
}

#[test]
fn what_starts_on_the_ground_does_not_bounce_there() {
    let field = || Ball { gravity: 9.81, restitution: 0.8 };
    let solve = |speed: f64| {
        let problem = Problem::new(field(), [0.0, speed], 0.0..2.0);
        Solver::new(AnyMethod::Tsit5).solve(&problem, SaveAt::end()).unwrap().event_times("bounce")
    };
    // Up and back.
    let found = solve(9.0);
    assert!((found[0] - 18.0 / 9.81).abs() < 1e-13 && found.len() == 1, "{found:?}");
    // Down from the start: it never comes from above.
    assert_eq!(solve(-1.0), []);
}

#[test]
fn bounces_without_end_are_an_error_that_names_them() {
    let problem = Problem::new(Ball { gravity: 9.81, restitution: 0.5 }, [1.0, 0.0], 0.0..5.0);
    let error = Solver::new(AnyMethod::Tsit5).solve(&problem, SaveAt::end()).unwrap_err();
    // They add up to (1 + 2 e / (1 − e)) times the first fall.
    let rest = 3.0 * f64::sqrt(2.0 / 9.81);
    let SolveError::Chattering { t, .. } = error else { panic!("{error}") };
    assert!((t - rest).abs() < 1e-10, "{t} {rest}");
    let text = error.to_string();
    assert!(text.contains("`bounce`") && text.contains("terminal"), "{text}");
}

#[test]
fn changes_of_one_time_come_in_their_order() {
    let solve = |span: std::ops::Range<f64>, save: SaveAt| {
        let problem = Problem::new(Order { time: 1.0 }, [0.0], span);
        Solver::new(AnyMethod::Tsit5).solve(&problem, save).unwrap()
    };
    assert_eq!(solve(0.0..2.0, SaveAt::end()).y[0][0], 10.0);
    // What is saved at the time of a change is the state before it, at the start too.
    let path = solve(0.0..2.0, SaveAt::times([0.5, 1.0, 1.5]));
    assert_eq!(path.y.iter().map(|y| y[0]).collect::<Vec<_>>(), [0.0, 0.0, 10.0]);
    let path = solve(1.0..2.0, SaveAt::every(1.0));
    assert_eq!(path.y.iter().map(|y| y[0]).collect::<Vec<_>>(), [0.0, 10.0]);
    // A change at the end belongs to what follows.
    let path = solve(0.0..1.0, SaveAt::every(1.0));
    assert_eq!((path.y[1][0], path.events.len()), (0.0, 0));
    let path = solve(0.0..2.0, SaveAt::dense());
    assert_eq!(path.evaluate(1.0).unwrap()[0], 0.0);
    assert_eq!(path.evaluate(1.0_f64.next_up()).unwrap()[0], 10.0);
    let text = path.evaluate(2.5).unwrap_err().to_string();
    assert!(text.contains("from 0 to 2"), "{text}");
    // Every step's end, and the changed state.
    let path = solve(0.0..2.0, SaveAt::steps());
    let at_change: Vec<_> = path.t.iter().zip(&path.y).filter(|(t, _)| **t == 1.0).collect();
    assert_eq!(at_change.iter().map(|(_, y)| y[0]).collect::<Vec<_>>(), [0.0, 10.0]);
}

#[test]
fn what_cannot_be_is_refused() {
    let problem = Problem::new(Order { time: 1.0 }, [0.0], 2.0..0.0);
    let text =
        Solver::new(AnyMethod::Tsit5).solve(&problem, SaveAt::end()).unwrap_err().to_string();
    assert!(text.contains("`at (time)`") && text.contains("backward"), "{text}");
    let problem = Problem::new(Order { time: f64::NAN }, [0.0], 0.0..2.0);
    let text =
        Solver::new(AnyMethod::Tsit5).solve(&problem, SaveAt::end()).unwrap_err().to_string();
    assert!(text.contains("`at (time)` is NaN"), "{text}");
    let problem = Problem::new(Order { time: 1.0 }, [0.0], 0.0..2.0).stops([0.5, f64::INFINITY]);
    let text =
        Solver::new(AnyMethod::Tsit5).solve(&problem, SaveAt::end()).unwrap_err().to_string();
    assert!(text.contains("stops") && text.contains("stop 1, inf"), "{text}");
    let problem = Problem::new(Order { time: 1.0 }, [f64::MAX], 0.0..2.0);
    let text =
        Solver::new(AnyMethod::Tsit5).solve(&problem, SaveAt::end()).unwrap_err().to_string();
    assert!(
        text.contains("`at (time)` has changed component 0 of the state to inf at t = 1"),
        "{text}"
    );
    // A time that is infinite never comes.
    let problem = Problem::new(Order { time: f64::INFINITY }, [0.0], 0.0..2.0);
    assert!(
        Solver::new(AnyMethod::Tsit5).solve(&problem, SaveAt::end()).unwrap().events.is_empty()
    );
}

#[test]
fn the_step_limit_counts_all_legs() {
    let problem = Problem::new(Ball { gravity: 9.81, restitution: 0.8 }, [10.0, 0.0], 0.0..8.0);
    let solver = Solver::new(AnyMethod::Tsit5).fixed_step(0.1);
    let Stats { accepted, rejected, .. } = solver.solve(&problem, SaveAt::end()).unwrap().stats;
    assert!(solver.max_steps(accepted + rejected).solve(&problem, SaveAt::end()).is_ok());
    let error = solver.max_steps(accepted + rejected - 1).solve(&problem, SaveAt::end());
    assert!(matches!(error, Err(SolveError::StepLimit { .. })), "{error:?}");
}

#[test]
fn memory_is_that_of_all_legs() {
    let field = Oral {
        ka: 1.0,
        ke: 0.1,
        lag: 0.0,
        time: [1.0, 2.0, 3.0, 4.0].into(),
        amount: [1.0; 4].into(),
    };
    let problem = Problem::new(field, [1.0, 0.0], 0.0..8.0);
    let solver = Solver::new(AnyMethod::Rk4).fixed_step(0.1);
    let loss = crate::models::sum([1.0, 1.0]);
    // 80 steps of 16 bytes.
    let enough = solver.strategy(StoreAll::within(1280)).gradient(&problem, SaveAt::end(), &loss);
    assert!(enough.is_ok(), "{enough:?}");
    let little = solver.strategy(StoreAll::within(1279)).gradient(&problem, SaveAt::end(), &loss);
    assert!(matches!(little, Err(SolveError::MemoryLimit { .. })), "{little:?}");
}

/// By hand, without derivatives of its event, on the heap, in single precision.
#[derive(Debug, Clone)]
struct ByHand {
    rate: f32,
}

impl VectorField<f32> for ByHand {
    type State = DVector<f32>;
    fn eval(&self, _: f32, _: &DVector<f32>, dy: &mut DVector<f32>) {
        dy[0] = self.rate;
    }
    fn event_count(&self) -> usize {
        1
    }
    fn event(&self, _: usize) -> Event {
        let (trigger, action) = (Trigger::Either, Action::Reset);
        Event { name: "full", index: None, trigger, action }
    }
    fn trigger(&self, _: usize, _: f32, y: &DVector<f32>) -> f32 {
        y[0] - 1.0
    }
    fn reset(&self, _: usize, _: f32, y: &mut DVector<f32>) {
        y[0] = 0.0;
    }
}

impl Parameters<f32> for ByHand {
    fn names() -> &'static [&'static str] {
        &["rate"]
    }
    fn slices(&self) -> impl Iterator<Item = &[f32]> {
        std::iter::once(std::slice::from_ref(&self.rate))
    }
    fn slices_mut(&mut self) -> impl Iterator<Item = &mut [f32]> {
        std::iter::once(std::slice::from_mut(&mut self.rate))
    }
}

impl FieldVjp<f32> for ByHand {
    type Tape = ();
    fn tape(&self) {}
    fn vjp(
        &self,
        _: f32,
        _: &DVector<f32>,
        (): &mut (),
        dy_bar: &DVector<f32>,
        y_bar: &mut DVector<f32>,
        model_bar: &mut Self,
    ) -> f32 {
        y_bar.fill(0.0);
        model_bar.rate += dy_bar[0];
        0.0
    }
}

#[test]
fn a_field_by_hand_has_events_too() {
    let problem = Problem::new(ByHand { rate: 1.0 }, vec![0.0], 0.0..3.5_f32);
    let solution = Solver::new(AnyMethod::Tsit5)
        .relative_tolerance(1e-4)
        .solve(&problem, SaveAt::end())
        .unwrap();
    let found = solution.event_times("full");
    assert_eq!(found.len(), 3);
    for (k, t) in found.iter().enumerate() {
        assert!((t - (k + 1) as f32).abs() < 1e-5, "{t}");
    }
    assert!((solution.y[0][0] - 0.5).abs() < 1e-5);
    let loss =
        Terminal::new(|y: &DVector<f32>| y[0], |y: &DVector<f32>| DVector::repeat(y.len(), 1.0));
    let text = Solver::new(AnyMethod::Tsit5)
        .gradient(&problem, SaveAt::end(), &loss)
        .unwrap_err()
        .to_string();
    assert!(text.contains("`full`") && text.contains("trigger_vjp"), "{text}");
}
