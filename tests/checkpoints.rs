//! Checkpointed gradients take the stored states' steps again: bit for bit those of store-all, with
//! any number of slots, and never more states than slots.

use revode::control::StepControl;
use revode::control::{Decision, StepSizeController};
use revode::gradient::Strategy;
use revode::prelude::*;
use revode_testing::analytic;

const SLOTS: [usize; 6] = [1, 2, 3, 7, 32, 1000];

/// The gradient of a loss at several points of the way.
fn gradient<F, C, G>(
    solver: &Solver<Dopri5, C, G>,
    problem: &Problem<f64, F>,
) -> Gradient<F, F::State, f64>
where
    F: FieldVjp<f64>,
    C: StepControl<f64, F, Dopri5>,
    G: Strategy,
{
    let data = vec![problem.y0.zeros_like(); 6];
    // Not a multiple of the fixed step, so that steps are shortened.
    let save = SaveAt::every((problem.t1 - problem.t0).abs() / 5.0).landed();
    solver.gradient(problem, save, &Mse::new(&data)).unwrap()
}

/// Compares gradients with and without the pair; `states` is the memory of one state in bytes.
fn compare<F, C>(solver: Solver<Dopri5, C>, problem: &Problem<f64, F>, states: usize)
where
    F: FieldVjp<f64> + PartialEq + std::fmt::Debug,
    C: StepControl<f64, F, Dopri5> + Copy,
{
    let plain = gradient(&solver.strategy(StoreAll), problem);
    let pair = Reversible::coupling(0.999);
    let coupled = gradient(&solver.strategy(StoreAll.along(pair)), problem);
    assert!(plain.stats.accepted > 40, "enough steps to need checkpoints: {}", plain.stats);
    for slots in SLOTS {
        let strategy = Checkpointed::slots(slots);
        let found = gradient(&solver.strategy(strategy), problem);
        assert_same(&found, &plain, slots, states);
        let found = gradient(&solver.strategy(strategy.along(pair)), problem);
        assert_same(&found, &coupled, slots, 2 * states);
    }
}

fn assert_same<F, S>(
    found: &Gradient<F, S, f64>,
    stored: &Gradient<F, S, f64>,
    slots: usize,
    state: usize,
) where
    F: PartialEq + std::fmt::Debug,
    S: PartialEq + std::fmt::Debug,
{
    assert_eq!(found.loss.to_bits(), stored.loss.to_bits(), "{slots} slots");
    assert_eq!(found.y0, stored.y0, "{slots} slots");
    assert_eq!(found.model, stored.model, "{slots} slots");
    // Apart from states both keep the record of the steps and the save points.
    let steps = stored.stats.accepted as usize;
    let other = stored.stats.bytes_kept - steps * state;
    let states = (found.stats.bytes_kept - other) / state;
    assert!(states <= slots.min(steps), "{states} states in {slots} slots");
    assert!(slots >= steps || found.stats.evaluations > stored.stats.evaluations);
}

#[test]
fn fixed_steps() {
    let solver = Solver::new(Dopri5).fixed_step(0.017);
    compare(solver, &analytic::stuart_landau().problem, 16);
    compare(solver, &analytic::forced().problem, 8);
}

#[test]
fn adaptive_steps() {
    let solver = Solver::new(Dopri5).tolerance(1e-11, 1e-11);
    compare(solver, &analytic::stuart_landau().problem, 16);
    compare(solver, &analytic::forced().problem, 8);
}

#[test]
fn backward_in_time() {
    let mut problem = analytic::forced().problem;
    std::mem::swap(&mut problem.t0, &mut problem.t1);
    compare(Solver::new(Dopri5).fixed_step(0.017), &problem, 8);
    compare(Solver::new(Dopri5).tolerance(1e-12, 1e-12), &problem, 8);
}

/// Accepts every step and never changes its size.
#[derive(Clone, Copy)]
struct Constant;

impl StepSizeController for Constant {
    type Memory = ();
    fn check(&self) -> Result<(), SolveError> {
        Ok(())
    }
    fn decide(&self, (): &mut (), _: f64, _: f64) -> Decision {
        Decision::Accept(1.0)
    }
}

/// Times of equal steps are counted, not added: the last stage of one step and the first one of the
/// next must be at the same time all the same.
#[test]
fn equal_adaptive_steps() {
    let mut problem = analytic::forced().problem;
    problem.t0 = 0.1;
    // A field that changes within the rounding of time.
    problem.field.omega = 300.0;
    let control = Adaptive { rtol: 1e-8, atol: Some(1e-8), controller: Constant };
    compare(Solver::new(Dopri5).control(control), &problem, 8);
}

#[test]
fn long_solves() {
    let mut problem = analytic::stuart_landau().problem;
    problem.t1 = 30.0;
    let solver = Solver::new(Dopri5).fixed_step(0.013);
    let stored = gradient(&solver.strategy(StoreAll), &problem);
    for slots in [3, 7, 32, 1000] {
        let found = gradient(&solver.strategy(Checkpointed::slots(slots)), &problem);
        assert_same(&found, &stored, slots, 16);
    }
}
