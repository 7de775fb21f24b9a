//! Stiff problems with known answers.

use revode::nalgebra::Vector2;
use revode::prelude::*;
use revode::{ImplicitStability, Real, Rosenbrock};
use revode_testing::dynamics::{Robertson, VanDerPol};

use crate::{Driven, each_method, slope};

ode! {
    /// Prothero and Robinson: `y = sin t` attracts at the rate `lambda`.
    struct Attracted {
        state  { y }
        params { lambda }
    }
    dy/dt = -lambda * (y - sin(t)) + cos(t);
}

/// Where it is stiff the order is that of the literature: of Rodas methods at least 3, of ROS3P 2 or more.
#[test]
fn attracted_solutions_are_followed() {
    let problem = Problem::new(Attracted { lambda: 1e6 }, [0.0], 0.0..2.0);
    macro_rules! check {
        ($M:ident) => {
            let error = |h: f64| {
                let y = Solver::new($M).fixed_step(h).solve(&problem, SaveAt::end()).unwrap().y[0];
                (y.x - Real::sin(2.0)).abs()
            };
            let (found, size) = (slope(error, 20.0), error(0.05));
            println!("{} {found} {size:e}", $M::NAME);
            assert!(size < 1e-6, "{} {size:e}", $M::NAME);
        };
    }
    each_method!(check);
}

/// `R(∞) = 0`: one step from far off leads to what attracts.
#[test]
fn what_is_infinitely_stiff_is_gone_after_a_step() {
    let problem = Problem::new(Attracted { lambda: 1e12 }, [1e3], 0.0..1.0);
    macro_rules! check {
        ($M:ident) => {
            let y = Solver::new($M).fixed_step(1.0).solve(&problem, SaveAt::end()).unwrap().y[0].x;
            let is_l = $M::STABILITY == ImplicitStability::L;
            assert_eq!((y - Real::sin(1.0)).abs() < 1.0, is_l, "{} {y}", $M::NAME);
        };
    }
    each_method!(check);
}

/// Steps and end of van der Pol's equation at μ = 1000 (Hairer and Wanner's test set).
#[test]
fn van_der_pol_takes_few_steps() {
    let problem = Problem::new(VanDerPol { mu: 1000.0 }, [2.0, 0.0], 0.0..2000.0);
    for (tolerance, most) in [(1e-4, 220), (1e-6, 620), (1e-8, 2600)] {
        let solver = Solver::new(Rodas4).tolerance(tolerance, tolerance);
        let end = solver.solve(&problem, SaveAt::end()).unwrap();
        let off = (end.y[0].x - 1.706_167_732_170_483).abs();
        println!("{tolerance:e}: {} {off:e}", end.stats);
        // In units of what a step may be off by.
        let off = off / (tolerance * (1.0 + end.y[0].x));
        assert!(end.stats.accepted <= most && off < 2.0, "{} {off}", end.stats);
    }
}

/// Robertson's problem, to 1e11: values of Radau 5 at 1e-11, and of Hairer and Wanner's test set.
#[test]
fn robertson_is_solved_to_the_end() {
    let field = Robertson { k1: 0.04, k2: 3e7, k3: 1e4 };
    let problem = Problem::new(field, [1.0, 0.0, 0.0], 0.0..4.0);
    let ends = [
        (4.0, 0.905_518_679),
        (40.0, 0.715_827_069),
        (1e5, 0.017_865_92),
        (1e11, 2.083_340_149_701_255e-8),
    ];
    for (t1, expected) in ends {
        let problem = Problem { t1, ..problem.clone() };
        macro_rules! check {
            ($M:ident) => {
                let solver = Solver::new($M).tolerance(1e-6, 1e-12);
                let end = solver.solve(&problem, SaveAt::end()).unwrap();
                let off = (end.y[0].x / expected - 1.0).abs();
                // What is conserved is so to rounding.
                assert!((end.y[0].sum() - 1.0).abs() < 1e-13);
                assert!(off < 1e-4, "{} {t1:e} {off:e}", $M::NAME);
                if $M::NAME == "Rodas4" {
                    let most = if t1 > 1e6 { 460 } else { 240 };
                    assert!(end.stats.accepted <= most, "{t1:e} {}", end.stats);
                }
            };
        }
        each_method!(check);
    }
}

/// Between the ends of steps there are the interpolants of `Rodas4` and `Rodas5P`, of order 3 and 4, and the chord. They say
/// little where steps are long because the solution is attracted: so save points are landed on.
#[test]
fn values_between_the_ends_of_steps() {
    macro_rules! check {
        ($M:ident) => {
            let order = $M::DENSE_ORDER;
            let problem = Problem::new(Driven { k: 0.7 }, [1.0, 0.0], 0.0..2.0);
            let solver = Solver::new($M).tolerance(1e-6, 1e-6);
            let [end, every] = [SaveAt::end(), SaveAt::every(0.001)]
                .map(|save| solver.solve(&problem, save).unwrap().stats.accepted);
            assert!(end < 2000 && every >= 2000, "{}", $M::NAME);
            // From exact states, so that the error is that of the interpolant.
            let error = |h: f64| {
                let start = |t: f64| Vector2::new(Real::cos(t), -Real::sin(t));
                let problem = Problem::new(Driven { k: 0.7 }, start(0.3), 0.3..0.3 + h);
                let dense = Solver::new($M).fixed_step(h).solve(&problem, SaveAt::dense()).unwrap();
                let t = 0.3 + 0.4 * h;
                (dense.evaluate(t).unwrap() - start(t)).norm()
            };
            let found = slope(error, 20.0);
            assert!((found - f64::from(order + 1)).abs() < 0.2, "{} {found}", $M::NAME);
            let problem = Problem::new(Attracted { lambda: 1e6 }, [0.0], 0.0..2.0);
            let save = SaveAt::every(0.01);
            let off = |save| {
                let found = solver.solve(&problem, save).unwrap();
                let off = found.t.iter().zip(&found.y).map(|(t, y)| (y.x - Real::sin(*t)).abs());
                off.fold(0.0, f64::max)
            };
            let (landed, read) = (off(save.clone()), off(save.interpolated()));
            println!("{} landed {landed:e} read {read:e}", $M::NAME);
            assert!(landed < 1e-6 && read < 0.1, "{} {landed:e} {read:e}", $M::NAME);
        };
    }
    each_method!(check);
}

/// Events, stops and the stepper need nothing of a method but its steps.
#[test]
fn events_are_found() {
    ode! {
        struct Relaxation {
            state  { x, v }
            params { mu }
        }
        dx/dt = v;
        dv/dt = mu * ((1 - x^2) * v) - x;
        event turns = x, falling;
    }
    let problem = Problem::new(Relaxation { mu: 100.0 }, [2.0, 0.0], 0.0..300.0).stops([10.0]);
    let times = |tolerance: f64| {
        let solver = Solver::new(Rodas5P).tolerance(tolerance, tolerance);
        solver
            .solve(&problem, SaveAt::end())
            .unwrap()
            .events
            .iter()
            .map(|x| x.t)
            .collect::<Vec<_>>()
    };
    let (coarse, fine) = (times(1e-7), times(1e-10));
    assert_eq!((coarse.len(), fine.len()), (2, 2));
    assert!(coarse.iter().zip(&fine).all(|(a, b)| (a - b).abs() < 1e-3), "{coarse:?} {fine:?}");
}
