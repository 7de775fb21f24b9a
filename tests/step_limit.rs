//! Every strategy keeps the step limit: its gradient stops where its solve does, and what it solves again is bounded.

use std::cell::Cell;

use revode::control::StepControl;
use revode::gradient::Strategy;
use revode::nalgebra::{Matrix3, Vector3};
use revode::prelude::*;
use revode_testing::dynamics::LotkaVolterra;
use revode_testing::loss::component;

/// Prey that grows by `e^100` per unit time until predators, which grow as fast, take it all: stiff beyond hope.
fn stiff() -> Problem<f64, LotkaVolterra<f64>> {
    let field = LotkaVolterra { alpha: 100.0, beta: 1.0, delta: 1.0, gamma: 3.0 };
    Problem::new(field, [1.0, 1.0], 0.0..1e4)
}

/// The errors of a solve along the strategy and of its gradient.
fn errors<C, G>(solver: &Solver<Tsit5, C, G>) -> [SolveError; 2]
where
    C: StepControl<f64, LotkaVolterra<f64>, Tsit5>,
    G: Strategy,
{
    let calls = Cell::new(0);
    let loss = Counted { calls: &calls };
    let errors = [
        solver.forward(&stiff(), SaveAt::end()).unwrap_err(),
        solver.gradient(&stiff(), SaveAt::end(), &component(0)).unwrap_err(),
    ];
    assert_eq!(errors[1], solver.gradient(&stiff(), SaveAt::steps(), &loss).unwrap_err());
    // With the start, and again where the memory did not suffice.
    assert!(calls.get() <= 2 * (1 + 1000), "{} steps", calls.get());
    errors
}

/// Counts how often it is asked for.
struct Counted<'a> {
    calls: &'a Cell<u64>,
}

impl<S: State<f64>> Loss<f64, S> for Counted<'_> {
    fn value(&self, _: usize, _: f64, y: &S) -> Result<f64, SolveError> {
        self.calls.set(self.calls.get() + 1);
        Ok(y.as_slice()[0])
    }
    fn cotangent(&self, _: usize, _: f64, _: &S, bar: &mut S) {
        bar.as_mut_slice()[0] += 1.0;
    }
}

#[test]
fn a_gradient_stops_where_its_solve_does() {
    let solver = Solver::new(Tsit5).max_steps(1000);
    let plain = solver.solve(&stiff(), SaveAt::end()).unwrap_err();
    assert!(matches!(plain, SolveError::StepLimit { steps: 1000, .. }), "{plain}");
    let expected = [plain.clone(), plain];
    assert_eq!(errors(&solver), expected);
    assert_eq!(errors(&solver.strategy(StoreAll)), expected);
    for slots in [2, 50, 5000] {
        assert_eq!(errors(&solver.strategy(Checkpointed::slots(slots))), expected);
    }
    macro_rules! check_pair {
        ($($strategy:expr),*) => {$(
            let [forward, gradient] = errors(&solver.strategy($strategy));
            assert!(matches!(forward, SolveError::StepLimit { steps: 1000, .. }), "{forward}");
            assert_eq!(forward, gradient);
        )*};
    }
    check_pair!(Guarded::default(), Guarded::default().memory(1), Exact::default());
    check_pair!(
        StoreAll.along(Guarded::default()),
        Checkpointed::slots(9).along(Guarded::default())
    );
    // States that do not fit: another solve, by reversal, and as many steps.
    let [_, gradient] = errors(&solver.strategy(Auto::memory(500)));
    let [guarded, _] = errors(&solver.strategy(Guarded::default().memory(500)));
    assert_eq!(gradient, guarded);
}

#[test]
fn fixed_steps_stop_too() {
    let solver = Solver::new(Tsit5).fixed_step(1e-6).max_steps(1000);
    let stopped = |error: &SolveError| {
        let SolveError::StepLimit { steps: 1000, t, .. } = *error else { panic!("{error}") };
        (t - 1e-3).abs() < 1e-12
    };
    assert!(errors(&solver).iter().all(stopped));
    assert!(errors(&solver.strategy(Guarded::default())).iter().all(stopped));
    assert!(errors(&solver.strategy(Exact::default())).iter().all(stopped));
    assert!(errors(&solver.strategy(Reversible::default())).iter().all(stopped));
}

ode! {
    struct Linear {
        state  { u: [3] }
        params { a: [3, 3] }
    }
    du/dt = a @ u;
}

/// An oscillation behind which a contraction hides: pairs find that their gap must be closed more often, and solve
/// again. 600 steps of 0.1.
fn turned() -> Problem<f64, Linear> {
    let contracting = Vector3::new(1.0, 2.0, -1.5).normalize();
    let first = contracting.cross(&Vector3::x()).normalize();
    let axes = Matrix3::from_columns(&[first, contracting.cross(&first), contracting]);
    let own = Matrix3::new(0.0, 1.0, 0.0, -1.0, 0.0, 0.0, 0.0, 0.0, -5.0);
    Problem::new(Linear { a: axes * own * axes.transpose() }, first, 0.0..60.0)
}

/// The steps that a gradient takes forward in all its solves, and whether it has an answer.
fn steps_in_all<G: Strategy>(strategy: G, max_steps: u64) -> (u64, bool) {
    let calls = Cell::new(0);
    let solver = Solver::new(Rk4).fixed_step(0.1).max_steps(max_steps).strategy(strategy);
    let save = SaveAt::steps().without_start();
    match solver.gradient(&turned(), save, &Counted { calls: &calls }) {
        Ok(fit) => assert_eq!(fit.stats.accepted, 600),
        Err(SolveError::CotangentsGrown { .. } | SolveError::PairDiverged { .. }) => {
            return (calls.get(), false);
        }
        Err(error) => panic!("{error}"),
    }
    (calls.get(), true)
}

#[test]
fn solves_that_are_repeated_share_a_limit() {
    macro_rules! check {
        ($($strategy:expr),*) => {$(
            let (all, answered) = steps_in_all($strategy, 1_000_000);
            assert!(answered && all >= 2 * 600 && all % 600 == 0, "{all} steps");
            for limit in [600, 601, 900, 1200, 1201, 1800, 1801, 5000] {
                let (steps, answered) = steps_in_all($strategy, limit);
                // No solve begins after so many steps.
                assert!(steps < limit + 600 && steps <= all, "{steps} steps, limit {limit}");
                assert_eq!(answered, steps == all, "{steps} of {all} steps, limit {limit}");
                assert_eq!(answered, all - 600 < limit, "{all} steps, limit {limit}");
            }
        )*};
    }
    check!(Guarded::default(), Exact::default(), Auto::memory(0));
    assert_eq!(steps_in_all(StoreAll, 600), (600, true));
}
