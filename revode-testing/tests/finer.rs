//! Exact reversal of components that decay: their grid follows them, so that a relative tolerance is kept however small
//! they become. Always the gradient of the stored states, to the last bit.

use revode::MethodVjp;
use revode::Real;
use revode::control::StepControl;
use revode::prelude::*;
use revode_testing::compare::{difference, flat, largest};
use revode_testing::loss::{component, squared_length};

ode! {
    struct Decay {
        state  { y }
        params { rate }
    }
    dy/dt = -rate * y;
}

ode! {
    struct Damped {
        state  { x, v }
        params { damping }
    }
    dx/dt = v;
    dv/dt = -x - damping * v;
}

ode! {
    /// `exp(size sin(t))`: down and up again.
    struct UpAndDown {
        state  { y }
        params { size }
    }
    dy/dt = size * cos(t) * y;
}

ode! {
    /// A chain of decays: all but the first start from 0.
    struct Chain {
        state  { a, b, c }
        params { k }
    }
    da/dt = -k * a;
    db/dt = k * a - 2 * b;
    dc/dt = 2 * b - 3 * c;
}

ode! {
    /// Robertson's reaction, slowed down.
    struct Slow {
        state  { a, b, c }
        params { k1, k2, k3 }
    }
    da/dt = -k1 * a + k2 * b * c;
    db/dt = k1 * a - k2 * b * c - k3 * b^2;
    dc/dt = k3 * b^2;
}

/// A gradient of a loss at the end with exact reversal.
struct Found {
    loss: f64,
    /// By the start and by the parameters.
    gradient: Vec<f64>,
    /// What was kept beside the bits of the buffer: 24 bytes for each finer grid, 48 for each coarser one, and the record
    /// of the steps.
    bytes: f64,
}

/// With exact reversal, which is that of the stored states to the last bit.
fn exact<T, F, M, C, L>(solver: Solver<M, C>, problem: &Problem<T, F>, loss: &L) -> Found
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F> + Copy,
    C: StepControl<T, F, M> + Copy,
    L: Loss<T, F::State>,
{
    let strategy = Exact::default();
    let found = solver.strategy(strategy).gradient(problem, SaveAt::end(), loss).unwrap();
    let stored = solver.strategy(StoreAll.along(strategy));
    let few = solver.strategy(Checkpointed::slots(5).along(strategy));
    let stored = stored.gradient(problem, SaveAt::end(), loss).unwrap();
    let few = few.gradient(problem, SaveAt::end(), loss).unwrap();
    assert_eq!((found.loss, flat(&found)), (stored.loss, flat(&stored)));
    assert_eq!((found.loss, flat(&found)), (few.loss, flat(&few)));
    let bits = found.stats.strategy.bits() * problem.y0.len() as f64;
    let bytes = found.stats.bytes_kept as f64 - bits / 8.0;
    Found { loss: found.loss.to_f64(), gradient: flat(&found), bytes }
}

/// How far numbers are off, each relative to itself.
fn relative(found: &[f64], right: &[f64]) -> f64 {
    largest(found.iter().zip(right).map(|(found, right)| (found / right - 1.0).abs()))
}

/// (On the grid of the start the value at 1e-10 was −4e-13 for 9.4e-14.)
#[test]
fn a_decay_keeps_its_relative_tolerance() {
    let end = 30.0;
    let right = [(-end).exp(), -end * (-end).exp()];
    let problem = Problem::new(Decay { rate: 1.0 }, [1.0], 0.0..end);
    for (tolerance, allowed) in [(1e-10, 1e-8), (1e-8, 1e-6), (1e-6, 1e-4), (1e-4, 5e-2)] {
        let solver = Solver::new(Tsit5).tolerance(tolerance, 1e-30);
        let Found { loss, gradient, .. } = exact(solver, &problem, &component(0));
        let off = relative(&gradient, &right).max((loss / right[0] - 1.0).abs());
        println!("{tolerance:e}: {off:.1e}");
        // Guarded is off by 1.8e-10, 3.3e-8, 6.0e-6 and 1.0e-2.
        assert!(off < allowed, "{tolerance:e}: {off:e}");
    }
}

/// To the end of double precision and to that of single precision.
#[test]
fn a_decay_by_any_factor() {
    let problem = Problem::new(Decay { rate: 1.0 }, [1.0], 0.0..600.0);
    let solver = Solver::new(Rk4).fixed_step(0.01);
    let Found { gradient, bytes, .. } = exact(solver, &problem, &component(0));
    let off = relative(&gradient, &[(-600_f64).exp(), -600.0 * (-600_f64).exp()]);
    println!("{off:.1e}, {bytes} bytes");
    // RK4's own error is 600 · 0.01⁴/120 = 5e-8. The size falls by 866 bits, the quantum by 5 each time.
    assert!(off < 2e-7 && bytes < 24.0 * 200.0, "{off:e}, {bytes}");
    let problem = Problem::new(Decay::<f32> { rate: 1.0 }, [1e20], 0.0..60.0);
    let Found { gradient, .. } = exact(solver, &problem, &component(0));
    let right = (-60_f64).exp();
    let off = relative(&gradient, &[right, -60.0 * 1e20 * right]);
    println!("single precision: {off:.1e}");
    assert!(off < 1e-3, "{off:e}");
}

/// How many finer grids there were: those that a chosen quantum forbids.
fn finer<M, C, F>(solver: Solver<M, C>, problem: &Problem<f64, F>) -> f64
where
    F: FieldVjp<f64>,
    M: MethodVjp<f64, F> + Copy,
    C: StepControl<f64, F, M> + Copy,
{
    let all = exact(solver, problem, &squared_length()).bytes;
    let none = solver.strategy(Exact::default().quantum(2_f64.powi(-44)));
    let none = none.gradient(problem, SaveAt::end(), &squared_length()).unwrap().stats;
    let bits = none.strategy.bits() * problem.y0.len() as f64;
    (all - (none.bytes_kept as f64 - bits / 8.0)) / 24.0
}

/// An oscillation that passes through 0 all the time is not taken for small: its grids are as fine as its amplitude asks
/// for.
#[test]
fn a_damped_oscillation_takes_few_grids() {
    let problem = Problem::new(Damped { damping: 0.2 }, [1.0, 1.0], 0.0..200.0);
    let accurate = Solver::new(Dopri8).tolerance(1e-13, 1e-30).strategy(StoreAll).unchecked();
    let right = flat(&accurate.gradient(&problem, SaveAt::end(), &component(0)).unwrap());
    for h in [0.1, 0.01, 0.002] {
        let solver = Solver::new(Rk4).fixed_step(h);
        let off = difference(&exact(solver, &problem, &component(0)).gradient, &right);
        let count = finer(solver, &problem);
        println!("h = {h}: {off:.1e}, {count} finer grids");
        // RK4's own error, (200/120) h⁴, twofold. 29 bits of decay are 6 grids a component, of 5 bits.
        assert!(off < 4.0 * h.powi(4) + 1e-9, "{off:e}");
        assert!((8.0..16.0).contains(&count), "{count}");
    }
    let solver = Solver::new(Tsit5).tolerance(1e-8, 1e-30);
    let off = difference(&exact(solver, &problem, &component(0)).gradient, &right);
    println!("{off:.1e}");
    assert!(off < 1e-6, "{off:e}");
}

/// However slowly it passes through 0: not each time.
#[test]
fn an_oscillation_takes_hardly_any() {
    for steps in [100.0, 1_000.0, 10_000.0] {
        let period = 2.0 * std::f64::consts::PI;
        let end = 100_000.0 / steps * period;
        let problem = Problem::new(Damped { damping: 0.0 }, [1.0, 1.0], 0.0..end);
        let count = finer(Solver::new(Rk4).fixed_step(period / steps), &problem);
        println!("{steps} a period: {count}");
        assert!(count < 8.0, "{count}");
    }
}

#[test]
fn down_and_up_again() {
    let (size, end) = (15.0_f64, 30.0_f64);
    let problem = Problem::new(UpAndDown { size }, [1.0], 0.0..end);
    let value = (size * end.sin()).exp();
    let right = [value, end.sin() * value];
    let check = |found: Found, allowed| {
        let off = relative(&found.gradient, &right);
        println!("{off:.1e}, {} bytes", found.bytes);
        assert!(off < allowed, "{off:e}");
        // Five times 43 bits down, by 5 at a time, and up, by 6.
        assert!(found.bytes < 5.0 * (9.0 * 24.0 + 8.0 * 48.0) + 1e3, "{}", found.bytes);
    };
    // Guarded is off by 2.2e-8 and 1.4e-8.
    check(exact(Solver::new(Rk4).fixed_step(1e-3), &problem, &component(0)), 1e-7);
    check(exact(Solver::new(Tsit5).tolerance(1e-9, 1e-20), &problem, &component(0)), 1e-7);
}

#[test]
fn components_that_start_from_zero_and_decay() {
    let problem = Problem::new(Chain { k: 1.0 }, [1.0, 0.0, 0.0], 0.0..40.0);
    let accurate = Solver::new(Dopri8).tolerance(1e-13, 1e-30).strategy(StoreAll).unchecked();
    let solver = Solver::new(Tsit5).tolerance(1e-9, 1e-30);
    for i in 0..3 {
        let right = accurate.gradient(&problem, SaveAt::end(), &component(i)).unwrap();
        let Found { loss, gradient, .. } = exact(solver, &problem, &component(i));
        let off = difference(&gradient, &flat(&right)).max((loss / right.loss - 1.0).abs());
        println!("{i}: {off:.1e}");
        assert!(off < 1e-8, "{i}: {off:e}");
    }
}

/// As accurate as the plain method, or as the tolerance.
#[test]
fn slow_robertson() {
    let field = Slow { k1: 0.04, k2: 10.0, k3: 30.0 };
    let problem = Problem::new(field, [1.0, 0.0, 0.0], 0.0..40.0);
    let accurate = Solver::new(Dopri8).tolerance(1e-13, 1e-15).strategy(StoreAll).unchecked();
    let right = flat(&accurate.gradient(&problem, SaveAt::end(), &squared_length()).unwrap());
    for (rtol, atol) in [(1e-5, 1e-5), (1e-5, 1e-8), (1e-5, 1e-12), (1e-8, 1e-8)] {
        let solver = Solver::new(Bosh3).tolerance(rtol, atol).unchecked();
        let plain = solver.strategy(StoreAll).gradient(&problem, SaveAt::end(), &squared_length());
        let plain = difference(&flat(&plain.unwrap()), &right);
        let off = difference(&exact(solver, &problem, &squared_length()).gradient, &right);
        println!("{rtol:e}, {atol:e}: {off:.1e}, plain {plain:.1e}");
        assert!(off < 3.0 * plain + rtol, "{off:e}, plain {plain:e}");
    }
}
