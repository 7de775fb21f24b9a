//! Values and gradients at tight tolerances against closed forms, by every strategy.

use revode::nalgebra::SVector;
use revode::prelude::*;
use revode_testing::compare::{difference, loss_and_flat};

use crate::AnyMethod;
use crate::models::{Case, ball, forced, infusion, oral, slower, sum, until};

/// What is allowed at a tolerance of 1e-12 for each step.
const ALLOWED: f64 = 1e-10;

pub(crate) fn check<F, const N: usize>(case: &Case<F>, counts: [f64; N])
where
    F: FieldVjp<f64> + VectorField<f64, State = SVector<f64, N>>,
{
    let solver = Solver::new(AnyMethod::Vern7).tolerance(1e-12, 1e-12);
    let check = |fit: Result<Gradient<F, SVector<f64, N>, f64>, SolveError>, by: &str| {
        let fit = fit.unwrap_or_else(|error| panic!("{} by {by}: {error}", case.name));
        let (value, slopes) = case.expected();
        let mut expected = vec![value];
        expected.extend(&slopes);
        let mut found = loss_and_flat(&fit);
        found.push(fit.t1);
        let off = difference(&found, &expected);
        assert!(off <= ALLOWED, "{} by {by}: off by {off:e}\n{found:?}\n{expected:?}", case.name);
    };
    let (problem, loss) = (&case.problem, sum(counts));
    check(solver.gradient(problem, SaveAt::end(), &loss), "Auto");
    check(solver.strategy(StoreAll).gradient(problem, SaveAt::end(), &loss), "StoreAll");
    let checkpointed = solver.strategy(Checkpointed::slots(5));
    check(checkpointed.gradient(problem, SaveAt::end(), &loss), "Checkpointed");
    check(solver.strategy(Guarded::default()).gradient(problem, SaveAt::end(), &loss), "Guarded");
    check(solver.strategy(Exact::default()).gradient(problem, SaveAt::end(), &loss), "Exact");
}

#[test]
fn a_ball_bounces() {
    check(&ball(), [1.0, 0.0]);
}

#[test]
fn a_decay_ends() {
    // In the issue: 0.367879441171, −0.735758882343, −0.183939720586.
    let (value, slopes) = until().expected();
    assert!((value - 0.367_879_441_171).abs() < 1e-12);
    assert!((slopes[2] + 0.735_758_882_343).abs() < 1e-12);
    assert!((slopes[3] + 0.183_939_720_586).abs() < 1e-12);
    check(&until(), [1.0, 0.0]);
}

#[test]
fn a_force_changes_its_sign() {
    // In the issue: −0.29003842102, and 1.215135914983, −0.03033404996, 0.0177943754 by damping, force and switch.
    let (value, slopes) = forced().expected();
    for (found, expected) in [
        (value, -0.290_038_421_02),
        (slopes[3], 1.215_135_914_983),
        (slopes[4], -0.030_334_049_96),
        (slopes[5], 0.017_794_375_4),
    ] {
        assert!((found - expected).abs() < 1e-10, "{found} {expected}");
    }
    check(&forced(), [1.0, 0.0, 0.0]);
}

#[test]
fn a_growth_slows_down() {
    // In the issue: 2, and 0.5, −2, 0.5 by y0, k and the level.
    let (value, slopes) = slower().expected();
    assert!((value - 2.0).abs() < 1e-14);
    for (found, expected) in [(slopes[0], 0.5), (slopes[2], -2.0), (slopes[3], 0.5)] {
        assert!((found - expected).abs() < 1e-11, "{found} {expected}");
    }
    check(&slower(), [1.0, 0.0]);
}

#[test]
fn doses_are_repeated() {
    check(&oral(), [1.0, 1.0]);
}

#[test]
fn infusions_start_and_end() {
    check(&infusion(), [1.0, 1.0]);
}
