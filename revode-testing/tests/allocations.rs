//! Step loops of fixed-size models allocate nothing, forward or back: the number of allocations of a
//! solve or of a gradient does not depend on the number of steps, but for a record that grows.

use allocation_counter::measure;
use revode::control::StepControl;
use revode::gradient::Strategy;
use revode::prelude::*;
use revode::{Interpolant, Step};
use revode_testing::analytic::Pendulum;
use revode_testing::loss::squared_length;

const STEPS: [u64; 3] = [1_000, 10_000, 100_000];

fn problem() -> Problem<f64, Pendulum> {
    Problem::new(Pendulum { gravity: 1.3 }, [1.0, 0.2], 0.0..10.0)
}

fn fixed(steps: u64) -> Solver<Tsit5, FixedStep> {
    Solver::new(Tsit5).fixed_step(10.0 / steps as f64)
}

/// The allocations of a gradient, the most bytes held at a time, and its statistics.
fn gradient<C, G>(solver: &Solver<Tsit5, C, G>, save: SaveAt) -> (u64, u64, Stats)
where
    C: StepControl<f64, Pendulum, Tsit5>,
    G: Strategy,
{
    let loss = squared_length();
    let problem = problem();
    let mut stats = None;
    let info = measure(|| stats = Some(solver.gradient(&problem, save, &loss).unwrap().stats));
    (info.count_total, info.bytes_max, stats.unwrap())
}

/// That all are equal, and what they are.
fn same<T: PartialEq + std::fmt::Debug + Copy>(values: &[T]) -> T {
    assert!(values.iter().all(|value| *value == values[0]), "{values:?}");
    values[0]
}

#[test]
fn the_counter_counts() {
    assert_eq!(measure(|| drop(std::hint::black_box(vec![1.0; 10]))).count_total, 1);
}

#[test]
fn a_forward_solve_allocates_the_same_at_any_number_of_steps() {
    let problem = problem();
    let count = STEPS.map(|steps| {
        let solver = fixed(steps);
        let info = measure(|| {
            let stats = solver.solve(&problem, SaveAt::end()).unwrap().stats;
            assert_eq!(stats.accepted, steps);
        });
        info.count_total
    });
    println!("forward, fixed steps: {} allocations", same(&count));
    // Adaptive steps need no record either, if nothing is differentiated.
    let count = [1e-4, 1e-8, 1e-12].map(|tolerance| {
        let solver = Solver::new(Tsit5).tolerance(tolerance, tolerance);
        measure(|| drop(solver.solve(&problem, SaveAt::end()).unwrap())).count_total
    });
    println!("forward, adaptive steps: {} allocations", same(&count));
}

/// Values between the ends of steps, with extra stages and without.
#[test]
fn interpolants_allocate_nothing() {
    fn interpolated<M: Interpolant<f64, Pendulum>>(method: &M) -> u64 {
        let (field, mut u) = (Pendulum { gravity: 1.3 }, SVector::from([1.0, 0.2]));
        let (mut stages, mut extra) = (method.stages(&field, &u), method.extra(&field, &u));
        let (mut psi, mut y) = (u, u);
        let info = measure(|| {
            for index in 0..1000 {
                let step = Step::new(index, 0.01 * index as f64, 0.01);
                method.increment(&field, step, &u, &mut stages, &mut psi).unwrap();
                method.extend(&field, step, &u, &mut stages, &mut extra);
                method.interpolate(&field, step, 0.3, &u, &stages, &extra, &mut y);
                method.derivative(&field, 0.3, &stages, &extra, &mut y);
                method.proceed_extended(&mut stages, &mut extra);
                u += psi;
            }
        });
        info.count_total
    }
    assert_eq!([interpolated(&Rk4), interpolated(&Tsit5), interpolated(&Vern8)], [0; 3]);
}

/// What a reversal may hold: 64 pairs of 32 bytes to go on from, and what it works with.
const REVERSAL: u64 = 64 * 32 + 1024;
/// What it holds besides where the error is estimated: the products of `gradient/flow.rs`. (Measured: 480 bytes.)
const FLOW: u64 = 512;

/// λ = 1, because 100,000 divisions by 0.999 amplify rounding by 1e43.
#[test]
fn a_reversible_gradient_keeps_the_same_at_any_number_of_steps() {
    let found = STEPS.map(|steps| {
        let solver = fixed(steps).strategy(Reversible::coupling(1.0));
        let (count, bytes, stats) = gradient(&solver, SaveAt::end());
        assert_eq!(stats.accepted, steps);
        (count, bytes, stats.bytes_kept)
    });
    let (count, bytes, kept) = same(&found);
    println!("reversible: {count} allocations, at most {bytes} bytes at a time, {kept} kept");
    // Nothing is kept that is not on the heap, and nothing on the heap that is not counted but the
    // spare capacity of lists.
    assert!(kept as u64 <= bytes && bytes <= REVERSAL, "{kept} kept, {bytes} on the heap");
}

/// What a leg takes on the way back: its state, its keeper and its record.
const LEG: u64 = 704;

/// The lists of anchors that double as they grow: places, states, and two of the schedule.
const LISTS: u32 = 4;

/// On a conservative problem a gap grows by rounding alone: 1, 5 and 25 anchors were measured, and no halvings, in
/// 1,000, 10,000 and 100,000 steps.
#[test]
fn guarded_and_exact_gradients_allocate_only_for_what_they_keep() {
    let exact = STEPS.map(|steps| {
        let (count, bytes, stats) =
            gradient(&fixed(steps).strategy(Exact::default()), SaveAt::end());
        assert_eq!((stats.accepted, stats.strategy.bits()), (steps, 0.0));
        (count, bytes, stats.bytes_kept)
    });
    let (count, bytes, kept) = same(&exact);
    println!("exact: {count} allocations, at most {bytes} bytes at a time, {kept} kept");
    // (Measured: 5 allocations, those of a solve, of its leg and of the leg's record, and 864 bytes.)
    assert!(count <= 5 && bytes <= 864, "{count} allocations, {bytes} bytes");

    for steps in STEPS {
        let (count, bytes, stats) =
            gradient(&fixed(steps).strategy(Guarded::default()), SaveAt::end());
        let Stats { accepted, bytes_kept, .. } = stats;
        let anchors = stats.strategy.anchors();
        println!("guarded: {count} allocations, at most {bytes} bytes at a time, {stats}");
        assert_eq!(accepted, steps);
        assert!(
            matches!(stats.strategy, StrategyStats::Guarded { stored_steps: 0, .. }),
            "{stats}"
        );
        assert!((1..=25).contains(&anchors), "{stats}");
        // With the start. A list starts with room for 4.
        let doublings = (anchors + 1).next_power_of_two().ilog2().saturating_sub(2);
        assert!(count <= u64::from(11 + LISTS * doublings), "{count} allocations, {stats}");
        // (Measured: 300 bytes, 96 an anchor, and place for the pair before a step that cannot be undone.)
        assert!(bytes_kept as u64 <= 348 + 96 * anchors, "{stats}");
        // A list that has just doubled holds twice what it keeps; and there is the leg.
        assert!(bytes <= 2 * bytes_kept as u64 + LEG, "{bytes} bytes, {stats}");
    }
}

#[test]
fn save_points_at_every_step_are_not_listed() {
    let found = STEPS.map(|steps| {
        let solver = fixed(steps).strategy(Reversible::coupling(1.0));
        let (count, bytes, stats) = gradient(&solver, SaveAt::steps());
        (count, bytes, stats.bytes_kept)
    });
    same(&found);
}

#[test]
fn only_the_record_of_adaptive_steps_grows() {
    let free = Reversible::coupling(1.0);
    let constant = gradient(&fixed(1000).strategy(free), SaveAt::end()).0;
    // (Looser ones are confirmed by a second solve.)
    for tolerance in [1e-5, 1e-8, 1e-12] {
        let solver = Solver::new(Tsit5).tolerance(tolerance, tolerance).strategy(free);
        let (count, bytes, stats) = gradient(&solver, SaveAt::end());
        // Lists that double.
        let doublings = 2 * u64::from(stats.accepted.ilog2()) + 1;
        // And one for the estimate.
        assert!(count <= constant + doublings + 1, "{count} allocations, {stats}");
        // Two bits a step, twice that in a list, and half as much again while it is copied.
        assert!(bytes <= REVERSAL + FLOW + 3 * stats.accepted / 4, "{bytes} bytes, {stats}");
        assert!(stats.bytes_kept as u64 <= REVERSAL + stats.accepted / 4, "{stats}");
        println!("adaptive: {count} allocations, at most {bytes} bytes, {stats}");
    }
}

#[test]
fn checkpoints_are_bounded_by_their_slots() {
    for slots in [1, 7, 32] {
        let steps = if slots == 1 { [100, 300, 1000] } else { STEPS };
        let strategy = Checkpointed::slots(slots);
        for states in [1, 2] {
            let found = steps.map(|steps| match states {
                1 => gradient(&fixed(steps).strategy(strategy), SaveAt::end()),
                _ => gradient(
                    &fixed(steps).strategy(strategy.along(Reversible::coupling(1.0))),
                    SaveAt::end(),
                ),
            });
            let counts = found.map(|(count, bytes, stats)| (count, bytes, stats.bytes_kept));
            let (count, bytes, kept) = same(&counts);
            // The states, the last one too, the record (one run) and a save point.
            assert!(kept <= (slots + 1) * states * 16 + 40, "{kept} bytes kept in {slots} slots");
            // Lists that have just doubled, the schedule of 24 bytes a slot, and what the way back works with.
            let held = 2 * (kept + 24 * slots) + 320 + LEG as usize;
            assert!(bytes as usize <= held, "{bytes} bytes held, {kept} kept in {slots} slots");
            println!("{slots} slots: {count} allocations, at most {bytes} bytes, {kept} kept");
        }
    }
}

#[test]
fn store_all_is_not_bounded() {
    let kept =
        STEPS.map(|steps| gradient(&fixed(steps).strategy(StoreAll), SaveAt::end()).2.bytes_kept);
    for (kept, steps) in kept.into_iter().zip(STEPS) {
        assert!(kept as u64 >= 16 * steps);
    }
}
