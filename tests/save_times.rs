//! Gradients with respect to the times of save points.

use revode::prelude::*;

ode! {
    struct Kicked { state { y } params { k, kick } }
    dy/dt = -k * y;
    at (1) { y += kick; }
}

/// `(1 + t²) y³` of the save points, weighted by their numbers.
struct Cubes;

impl Loss<f64, SVector<f64, 1>> for Cubes {
    fn value(&self, index: usize, t: f64, y: &SVector<f64, 1>) -> Result<f64, SolveError> {
        Ok((1.0 + index as f64) * (1.0 + t * t) * y[0].powi(3))
    }
    fn cotangent(&self, index: usize, t: f64, y: &SVector<f64, 1>, y_bar: &mut SVector<f64, 1>) {
        y_bar[0] += (1.0 + index as f64) * (1.0 + t * t) * 3.0 * y[0] * y[0];
    }
    fn time_cotangent(&self, index: usize, t: f64, y: &SVector<f64, 1>) -> f64 {
        (1.0 + index as f64) * 2.0 * t * y[0].powi(3)
    }
}

const TIMES: [f64; 5] = [0.0, 0.4, 0.9, 1.3, 2.0];

/// `d/dt (i + 1) (1 + t²) y³` at the save times.
fn expected() -> Vec<f64> {
    let slope = |(i, t): (usize, &f64)| {
        let kick = if *t > 1.0 { 0.5 * (0.7 * (1.0 - t)).exp() } else { 0.0 };
        let y = 2.0 * (-0.7 * t).exp() + kick;
        (1.0 + i as f64) * (2.0 * t - 3.0 * 0.7 * (1.0 + t * t)) * y.powi(3)
    };
    TIMES.iter().enumerate().map(slope).collect()
}

fn check<G: revode::gradient::Strategy>(strategy: G, save: SaveAt) {
    let problem = Problem::new(Kicked { k: 0.7, kick: 0.5 }, [2.0], 0.0..2.0);
    let solver = Solver::new(Vern7).tolerance(1e-11, 1e-11).strategy(strategy);
    let plain = solver.gradient(&problem, save.clone(), &Cubes).unwrap();
    assert!(plain.save_times.is_empty());
    let fit = solver.gradient(&problem, save.differentiated(), &Cubes).unwrap();
    let (found, expected) = (&fit.save_times, expected());
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-8 * (1.0 + expected.abs()), "{found} {expected}");
    }
    assert_eq!(found[4], fit.t1);
    // All else is as it was, but for an evaluation a point.
    assert_eq!((fit.loss, fit.y0, &fit.model), (plain.loss, plain.y0, &plain.model));
    assert_eq!(fit.stats.evaluations, plain.stats.evaluations + 5);
}

#[test]
fn every_strategy_has_them() {
    check(Auto::default(), SaveAt::times(TIMES));
    check(StoreAll, SaveAt::times(TIMES));
    check(StoreAll, SaveAt::times(TIMES).landed());
    check(Guarded::default(), SaveAt::times(TIMES).landed());
    check(Checkpointed::slots(3), SaveAt::times(TIMES));
    check(Guarded::default(), SaveAt::times(TIMES));
    check(Exact::default(), SaveAt::times(TIMES));
    check(Reversible::default(), SaveAt::times(TIMES));
}

#[test]
fn steps_have_no_times_of_their_own() {
    let problem = Problem::new(Kicked { k: 0.7, kick: 0.5 }, [2.0], 0.0..2.0);
    let save = SaveAt::steps().differentiated();
    assert!(Solver::new(Tsit5).gradient(&problem, save, &Cubes).unwrap().save_times.is_empty());
}

/// A point at which an event ends the solve moves with the event.
#[test]
fn the_place_of_an_event_has_no_time_of_its_own() {
    ode! {
        struct Ending { state { y } params { k } }
        dy/dt = -k * y;
        event low = y - 1, falling, terminal;
    }
    let problem = Problem::new(Ending { k: 0.7 }, [2.0], 0.0..2.0);
    let solver = Solver::new(Tsit5).tolerance(1e-9, 1e-9);
    let fit = solver.gradient(&problem, SaveAt::end().differentiated(), &Cubes).unwrap();
    assert_eq!(fit.save_times, [0.0]);
    let save = SaveAt::times([0.4, 1.5]).differentiated();
    let fit = solver.gradient(&problem, save, &Cubes).unwrap();
    assert!(fit.save_times.len() == 1 && fit.save_times[0] < -1.0, "{:?}", fit.save_times);
}
