//! Values between the ends of steps: save points that are read from the interpolant, and dense solutions.

use revode::nalgebra::{DVector, SVector, Vector2};
use revode::prelude::*;
use revode::{EmbeddedMethod, Method, Reached, Real, Step, StepFailure, Tableau};
use revode_testing::dynamics::FitzHughNagumo;

revode::any_method! {
    fixed {}
    adaptive { Bosh3, Tsit5 }
}

ode! {
    struct Spiral {
        state  { x, y }
        params { a, omega }
    }
    dx/dt = a * x - omega * y;
    dy/dt = omega * x + a * y;
}

ode! {
    struct Decay {
        dims   { n }
        state  { y: [n] }
        params { k: [n] }
    }
    dy/dt = -k * y;
}

fn exact<T: Real>(t: f64) -> SVector<T, 2> {
    let (sin, cos) = (Real::sin(2.0 * t), Real::cos(2.0 * t));
    let size = Real::exp(-0.3 * t);
    Vector2::new(T::from_f64(size * (cos - 0.5 * sin)), T::from_f64(size * (sin + 0.5 * cos)))
}

fn spiral<T: Real>(t0: f64, t1: f64) -> Problem<T, Spiral<T>> {
    let field = Spiral { a: T::from_f64(-0.3), omega: T::from_f64(2.0) };
    Problem::new(field, exact::<T>(t0), T::from_f64(t0)..T::from_f64(t1))
}

/// Save points of every kind over the span, landed on and read.
fn saves(t0: f64, t1: f64) -> Vec<SaveAt> {
    let at = |part: f64| t0 + part * (t1 - t0);
    // Two that are close to each other, the start and the end among them.
    let times: Vec<f64> = [0.0, 0.1, 0.100_1, 0.5, 0.77, 1.0].map(at).to_vec();
    let every = SaveAt::every(0.01 * (t1 - t0).abs());
    vec![
        SaveAt::end(),
        SaveAt::end().interpolated(),
        SaveAt::steps(),
        SaveAt::steps().interpolated(),
        every.clone(),
        every.clone().without_start(),
        every.clone().interpolated(),
        every.without_start().interpolated(),
        SaveAt::times(&times),
        SaveAt::times(&times).interpolated(),
        SaveAt::times(&times[3..4]).interpolated(),
        SaveAt::dense(),
        SaveAt::dense().without_start(),
    ]
}

macro_rules! check_all {
    ($T:ty, $allowed:expr, $($solver:expr),* $(,)?) => {$(
        for (t0, t1) in [(0.0, 3.0), (0.5, -2.0)] {
            let problem = spiral::<$T>(t0, t1);
            for save in saves(t0, t1) {
                let found = $solver.solve(&problem, save.clone()).unwrap();
                assert_eq!(found.t.len(), found.y.len());
                let mut before = None;
                for (t, y) in found.t.iter().zip(&found.y) {
                    let off = (y - exact::<$T>(f64::from(*t))).amax();
                    assert!(off <= $allowed, "{} {save:?} {t} {off:e}", stringify!($solver));
                    assert!(before.is_none_or(|before| (before < *t) == (t0 < t1)));
                    before = Some(*t);
                }
            }
        }
    )*};
}

/// Every kind of save point against the closed form, forward and backward in time.
#[test]
fn all_save_points_are_on_the_solution() {
    check_all!(
        f64,
        3e-8,
        Solver::new(Tsit5).tolerance(1e-10, 1e-10),
        Solver::new(Dopri5).tolerance(1e-10, 1e-10),
        Solver::new(Bosh3).tolerance(1e-10, 1e-10),
        Solver::new(Vern6).tolerance(1e-10, 1e-10),
        Solver::new(Vern7).tolerance(1e-10, 1e-10),
        Solver::new(Vern8).tolerance(1e-10, 1e-10),
        Solver::new(Dopri8).tolerance(1e-10, 1e-10),
        Solver::new(CashKarp).tolerance(1e-11, 1e-11),
        Solver::new(Rk4).fixed_step(0.01),
        Solver::new(Tsit5).fixed_step(0.013),
    );
    check_all!(
        f32,
        2e-5_f32,
        Solver::new(Tsit5).tolerance(1e-6, 1e-6),
        Solver::new(Rk4).fixed_step(0.02),
    );
}

/// Points that are read leave the steps as they are, cost no evaluation where the last stage is the next first one, and at
/// ends of steps are the solution there.
#[test]
fn reading_takes_the_steps_of_a_solve_without_points() {
    macro_rules! check {
        ($($solver:expr, $further:expr;)*) => {$(
            let problem = spiral::<f64>(0.0, 3.0);
            let steps = $solver.solve(&problem, SaveAt::steps()).unwrap();
            let end = $solver.solve(&problem, SaveAt::end()).unwrap();
            assert_eq!((steps.y.last(), steps.stats), (end.y.last(), end.stats));
            for save in [SaveAt::every(1e-3).interpolated(), SaveAt::dense()] {
                let read = $solver.solve(&problem, save).unwrap();
                assert_eq!(read.y.last(), end.y.last());
                assert_eq!(read.stats.accepted, end.stats.accepted);
                assert_eq!(read.stats.rejected, end.stats.rejected);
                let more = read.stats.evaluations - end.stats.evaluations;
                let expected: std::ops::RangeInclusive<u64> = $further;
                assert!(expected.contains(&(more / end.stats.accepted)) && (*expected.end() > 0 || more <= 1), "{more}");
            }
            let again = $solver.solve(&problem, SaveAt::times(&steps.t).interpolated()).unwrap();
            assert_eq!((again.t, again.y, again.stats), (steps.t, steps.y, steps.stats));
        )*};
    }
    check! {
        Solver::new(Tsit5).tolerance(1e-6, 1e-6), 0..=0;
        Solver::new(Dopri5).tolerance(1e-6, 1e-6), 0..=0;
        Solver::new(Bosh3).tolerance(1e-6, 1e-6), 0..=0;
        Solver::new(Vern6).tolerance(1e-6, 1e-6), 1..=3;
        Solver::new(Vern8).tolerance(1e-6, 1e-6), 7..=8;
        Solver::new(Rk4).fixed_step(0.05), 0..=0;
        Solver::new(Dopri5).fixed_step(0.05), 0..=0;
    }
    // Only steps that hold a point are extended: here two of them, at the most.
    let problem = spiral::<f64>(0.0, 3.0);
    let solver = Solver::new(Vern8).tolerance(1e-10, 1e-10);
    let end = solver.solve(&problem, SaveAt::end()).unwrap().stats;
    let few = solver.solve(&problem, SaveAt::times([0.7, 2.2]).interpolated()).unwrap().stats;
    assert!(end.accepted > 5 && few.evaluations <= end.evaluations + 16, "{end} {few}");
}

/// 10,000 points cost at most 1.05 times the field evaluations of 10.
#[test]
fn many_points_cost_no_evaluations() {
    let field = FitzHughNagumo { a: 0.2, b: 0.2, c: 3.0 };
    let problem = Problem::new(field, [-1.0, 1.0], 0.0..200.0);
    let solver = Solver::new(Tsit5).tolerance(1e-6, 1e-6);
    let evaluations = |n: u32| {
        let save = SaveAt::every(200.0 / f64::from(n)).interpolated();
        let found = solver.solve(&problem, save).unwrap();
        assert_eq!(found.y.len(), n as usize + 1);
        found.stats.evaluations as f64
    };
    assert!(evaluations(10_000) <= 1.05 * evaluations(10));
}

/// A dense solution is that of the interpolated points to rounding, and at ends of steps to the last bit; its derivative is
/// close to the field.
#[test]
fn dense_solutions_are_known_at_any_time() {
    macro_rules! check {
        ($T:ty, $rounding:expr, $slope:expr, $($solver:expr),* $(,)?) => {$(
            for (t0, t1) in [(0.0, 3.0), (0.5, -2.0)] {
                let problem = spiral::<$T>(t0, t1);
                let dense = $solver.solve(&problem, SaveAt::dense()).unwrap();
                assert_eq!(dense.t, [problem.t0, problem.t1]);
                let save = SaveAt::every(1e-3).interpolated();
                let read = $solver.solve(&problem, save).unwrap();
                for (t, y) in read.t.iter().zip(&read.y) {
                    let off = (dense.evaluate(*t).unwrap() - y).amax();
                    assert!(off <= $rounding, "{} {t} {off:e}", stringify!($solver));
                    let mut f = *y;
                    problem.field.eval(*t, y, &mut f);
                    let off = (dense.derivative(*t).unwrap() - f).amax();
                    assert!(off <= $slope, "{} {t} {off:e}", stringify!($solver));
                }
                let steps = $solver.solve(&problem, SaveAt::steps()).unwrap();
                for (t, y) in steps.t.iter().zip(&steps.y) {
                    assert_eq!(dense.evaluate(*t).unwrap(), *y);
                }
            }
        )*};
    }
    check!(
        // The weights of `Vern6` add up to 400, those of the derivative of `Vern8` to more.
        f64,
        2e-13,
        1e-6,
        Solver::new(Tsit5).tolerance(1e-9, 1e-9),
        Solver::new(Bosh3).tolerance(1e-9, 1e-9),
        Solver::new(Vern6).tolerance(1e-9, 1e-9),
        Solver::new(Vern8).tolerance(1e-9, 1e-9),
        Solver::new(Dopri8).tolerance(1e-9, 1e-9),
        Solver::new(Rk4).fixed_step(0.01),
    );
    check!(f32, 2e-6_f32, 1e-3_f32, Solver::new(Tsit5).tolerance(1e-5, 1e-5));
}

#[test]
fn times_outside_and_solutions_that_are_not_dense_are_errors() {
    let solver = Solver::new(Tsit5);
    for (t0, t1) in [(0.0, 3.0), (3.0, 0.0)] {
        let dense = solver.solve(&spiral::<f64>(t0, t1), SaveAt::dense()).unwrap();
        // Rounding is not outside.
        assert_eq!(dense.evaluate(0.1 * 30.0).unwrap(), dense.evaluate(3.0).unwrap());
        for t in [-0.1, 3.1, f64::NAN, f64::INFINITY] {
            for error in [dense.evaluate(t).unwrap_err(), dense.derivative(t).unwrap_err()] {
                let SolveError::InvalidArgument { argument: "t", problem } = error else {
                    panic!("{error:?}")
                };
                assert!(problem.contains(&format!("from {t0} to {t1}")), "{problem}");
            }
        }
    }
    for save in [SaveAt::end(), SaveAt::steps(), SaveAt::every(0.5).interpolated()] {
        let found = solver.solve(&spiral::<f64>(0.0, 3.0), save).unwrap();
        for error in [found.evaluate(1.0).unwrap_err(), found.derivative(1.0).unwrap_err()] {
            assert!(error.to_string().contains("SaveAt::dense()"), "{error}");
        }
    }
}

#[test]
fn states_on_the_heap_are_read_too() {
    let k = DVector::from_fn(50, |i, _| 0.1 * i as f64);
    let problem = Problem::new(Decay { n: 50, k: k.clone() }, DVector::repeat(50, 1.0), 0.0..1.0);
    let solver = Solver::new(Tsit5).tolerance(1e-10, 1e-10);
    let dense = solver.solve(&problem, SaveAt::dense()).unwrap();
    let read = solver.solve(&problem, SaveAt::every(0.01).interpolated()).unwrap();
    for (t, y) in read.t.iter().zip(&read.y) {
        assert!((y - k.map(|k| Real::exp(-k * t))).amax() < 1e-9);
        assert!((dense.evaluate(*t).unwrap() - y).amax() < 1e-15);
        let slope = dense.derivative(*t).unwrap() + k.component_mul(y);
        assert!(slope.amax() < 1e-6, "{t} {:e}", slope.amax());
    }
}

/// A method by hand, which says nothing of values between the ends of its steps.
#[derive(Debug, Clone, Copy)]
struct ByHand;

impl<F: VectorField<f64>> Method<f64, F> for ByHand {
    type Stages = <Bosh3 as Method<f64, F>>::Stages;

    fn order(&self) -> u32 {
        3
    }
    fn stages(&self, field: &F, u: &F::State) -> Self::Stages {
        Bosh3.stages(field, u)
    }
    fn increment(
        &self,
        field: &F,
        step: Step<f64>,
        u: &F::State,
        stages: &mut Self::Stages,
        psi: &mut F::State,
    ) -> Result<(), StepFailure> {
        Bosh3.increment(field, step, u, stages, psi)
    }
    fn evaluations(&self, stages: &Self::Stages) -> u64 {
        Method::<f64, F>::evaluations(&Bosh3, stages)
    }
}

impl<F: VectorField<f64>> EmbeddedMethod<f64, F> for ByHand {
    fn embedded_order(&self) -> u32 {
        2
    }
    fn increment_with_error(
        &self,
        field: &F,
        step: Step<f64>,
        u: &F::State,
        stages: &mut Self::Stages,
        psi: &mut F::State,
        error: &mut F::State,
    ) -> Result<(), StepFailure> {
        Bosh3.increment_with_error(field, step, u, stages, psi, error)
    }
}

/// It reads from the cubic that is the interpolant of `Bosh3`.
#[test]
fn methods_by_hand_have_cubic_hermite() {
    let problem = spiral::<f64>(0.0, 3.0);
    macro_rules! check {
        ($($control:expr),*) => {$(
            for save in [SaveAt::every(0.01).interpolated(), SaveAt::times([0.3, 0.31, 2.0]).interpolated()] {
                let known = Solver::new(Bosh3).control($control).solve(&problem, save.clone()).unwrap();
                let found = Solver::new(ByHand).control($control).solve(&problem, save).unwrap();
                assert_eq!((&found.t, found.stats.accepted), (&known.t, known.stats.accepted));
                for (found, known) in found.y.iter().zip(&known.y) {
                    assert!((found - known).amax() < 1e-15);
                }
            }
            let known = Solver::new(Bosh3).control($control).solve(&problem, SaveAt::dense()).unwrap();
            let found = Solver::new(ByHand).control($control).solve(&problem, SaveAt::dense()).unwrap();
            for t in [0.0, 0.1, 1.234, 2.999, 3.0] {
                assert!((found.evaluate(t).unwrap() - known.evaluate(t).unwrap()).amax() < 1e-15);
                assert!((found.derivative(t).unwrap() - known.derivative(t).unwrap()).amax() < 1e-12);
            }
            // Each step starts from the derivative that the last one ended with; but the first one. Those of `Bosh3`
            // itself are evaluated for its own stages.
            let (steps, evaluations) = (found.stats.accepted, found.stats.evaluations);
            let end = Solver::new(ByHand).control($control).solve(&problem, SaveAt::end()).unwrap();
            assert_eq!(evaluations, end.stats.evaluations + steps + 1);
        )*};
    }
    check!(
        FixedStep { h: 0.05 },
        Adaptive { rtol: 1e-6, atol: Some(1e-6), controller: Pid::default() }
    );
}

/// Along a pair values lie between the read-outs of the steps, which are met to the last bit, and come near the solution as
/// those of the method do.
#[test]
fn a_pair_is_read_between_its_read_outs() {
    macro_rules! check {
        ($method:expr, $tolerance:expr, $($strategy:expr),*) => {$(
            for (t0, t1) in [(0.0, 3.0), (3.0, 0.0)] {
                let problem = spiral::<f64>(t0, t1);
                let exact = Solver::new(Vern8).tolerance(1e-13, 1e-13).solve(&problem, SaveAt::dense()).unwrap();
                let solver = Solver::new($method).tolerance($tolerance, $tolerance).strategy($strategy);
                let dense = solver.forward(&problem, SaveAt::dense()).unwrap();
                let steps = solver.forward(&problem, SaveAt::steps()).unwrap();
                assert_eq!(dense.stats.accepted, steps.stats.accepted);
                for (t, y) in steps.t.iter().zip(&steps.y) {
                    assert_eq!(dense.evaluate(*t).unwrap(), *y);
                    // No jump there: the step before leads to it.
                    let before = if t1 > t0 { t.next_down() } else { t.next_up() };
                    if *t != t0 {
                        let off = (dense.evaluate(before).unwrap() - y).amax();
                        assert!(off < 1e-13, "{} {} {t}: {off:e}", stringify!($method), stringify!($strategy));
                    }
                }
                let read = solver.forward(&problem, SaveAt::every(0.01).interpolated()).unwrap();
                assert_eq!(read.t.len(), 301);
                assert_eq!(read.stats.accepted, steps.stats.accepted);
                for (t, y) in read.t.iter().zip(&read.y) {
                    // (The weights of `Vern6` add up to 400.)
                    let off = (dense.evaluate(*t).unwrap() - y).amax();
                    assert!(off < 1e-13, "{} {} {t}: {off:e}", stringify!($method), stringify!($strategy));
                    let off = (exact.evaluate(*t).unwrap() - y).amax();
                    assert!(off < 1e2 * $tolerance, "{} {t} {off:e}", stringify!($strategy));
                    let slope = exact.derivative(*t).unwrap();
                    let off = (dense.derivative(*t).unwrap() - slope).amax();
                    assert!(off < 1e3 * $tolerance, "{} {t} {off:e}", stringify!($strategy));
                }
            }
        )*};
    }
    macro_rules! each {
        ($($method:expr, $tolerance:expr;)*) => {$(check!(
            $method,
            $tolerance,
            Guarded::default(),
            Exact::default(),
            Reversible::coupling(0.999),
            StoreAll.along(Guarded::default())
        );)*};
    }
    each!(Tsit5, 1e-9; Bosh3, 1e-7; Vern6, 1e-9; AnyMethod::Bosh3, 1e-7;);
    let (problem, solver) = (spiral::<f64>(0.0, 3.0), Solver::new(Tsit5));
    let save = SaveAt::every(0.01).interpolated();
    let forward = solver.strategy(StoreAll).forward(&problem, save.clone()).unwrap();
    assert_eq!(solver.forward(&problem, save).unwrap(), forward);
    assert!(solver.forward(&problem, SaveAt::dense()).unwrap().evaluate(1.0).is_ok());
}

/// By default points are read where the interpolant is as accurate as the method, which `CashKarp` is alone not to have.
#[test]
fn points_are_read_where_that_is_as_accurate() {
    let problem = spiral::<f64>(0.0, 3.0);
    macro_rules! each {
        ($($method:ident: $reads:expr),*) => {$(
            let solver = Solver::new($method).fixed_step(0.5);
            let solve = |save| solver.solve(&problem, save).unwrap();
            let save = SaveAt::every(0.07);
            let end = solve(SaveAt::end()).stats.accepted;
            let (by_default, read) = (solve(save.clone()), solve(save.clone().interpolated()));
            let landed = solve(save.landed());
            assert_eq!((read.stats.accepted, landed.stats.accepted > end), (end, true));
            assert_eq!(by_default, if $reads { read } else { landed }, stringify!($method));
            let order = Method::<f64, Spiral>::dense_order(&$method);
            assert_eq!(order, $method::INTERPOLANT.order, stringify!($method));
        )*};
    }
    each!(
        Euler: true, Midpoint: true, Heun: true, Ralston2: true, Ees25: true, Ees27: true,
        Ralston3: true, Kutta3: true, Ssprk33: true, Bosh3: true, Rk4: true, ThreeEighths: true,
        Fehlberg45: true, CashKarp: false, Dopri5: true, Tsit5: true, Vern6: true, Vern7: true,
        Vern8: true, Dopri8: true
    );
    // Of a method by hand nothing is known.
    for method in AnyMethod::ALL {
        assert_eq!(Method::<f64, Spiral>::dense_order(method), 0);
        let solver = Solver::new(*method).fixed_step(0.5);
        let solve = |save| solver.solve(&problem, save).unwrap();
        assert_eq!(solve(SaveAt::every(0.07)), solve(SaveAt::every(0.07).landed()));
    }
}

/// A loss that is there at some times only, and knows which time it is asked about.
struct Until(f64);

impl Loss<f64, SVector<f64, 2>> for Until {
    fn value(&self, _: usize, t: f64, y: &SVector<f64, 2>) -> Result<f64, SolveError> {
        Ok(if t <= self.0 { y.x * (t + y.y) } else { 0.0 })
    }
    fn cotangent(&self, _: usize, t: f64, y: &SVector<f64, 2>, y_bar: &mut SVector<f64, 2>) {
        if t <= self.0 {
            *y_bar += Vector2::new(t + y.y, y.x);
        }
    }
}

/// What misses the end of a step by rounding is there: it costs what the end costs, is the state of the step, and has
/// its own time still, forward and on the way back.
#[test]
fn what_misses_the_end_of_a_step_by_rounding_is_there() {
    let mut missed = [0; 2];
    for (t0, t1) in [(0.0, 3.0), (3.0, 0.0), (10.0, 13.0)] {
        let problem = spiral::<f64>(t0, t1);
        let solver = Solver::new(Vern6).fixed_step(0.1);
        let steps = solver.solve(&problem, SaveAt::steps()).unwrap();
        let end = solver.solve(&problem, SaveAt::end()).unwrap();
        for ulps in -3..=3_i32 {
            // The last one is the end of the span, which is met exactly.
            let moved = |t: f64| {
                (0..ulps.abs()).fold(t, |t, _| if ulps > 0 { t.next_up() } else { t.next_down() })
            };
            let times = (1..30).map(|i| moved((t0 * f64::from(30 - i) + t1 * f64::from(i)) / 30.0));
            let times = times.chain([t1]).collect::<Vec<_>>();
            for (t, step) in times.iter().zip(&steps.t[1..]) {
                missed[0] += usize::from((t - step) * (t1 - t0) < 0.0);
                missed[1] += usize::from((t - step) * (t1 - t0) > 0.0);
            }
            let read = solver.solve(&problem, SaveAt::times(&times)).unwrap();
            assert_eq!((&read.t, &read.y[..]), (&times, &steps.y[1..]), "{t0} {ulps}");
            assert_eq!(read.stats, end.stats);
            macro_rules! check { ($($strategy:expr),*) => {$({
                let solver = solver.strategy($strategy);
                let fit = solver.gradient(&problem, SaveAt::times(&times), &Until(times[9]));
                let landed =
                    solver.gradient(&problem, SaveAt::times(&times).landed(), &Until(times[9]));
                let (fit, landed) = (fit.unwrap(), landed.unwrap());
                // (Where the gap of a pair is closed may depend on rounding.)
                assert!((fit.loss - landed.loss).abs() < 1e-9, "{t0} {ulps}");
                let off = (fit.y0 - landed.y0).amax();
                assert!(off < 1e-9 && fit.y0.amax() > 0.1, "{t0} {ulps} {off:e}");
            })*};}
            check!(StoreAll, Guarded::default());
        }
    }
    assert!(missed.iter().all(|missed| *missed > 100), "{missed:?}");
}

/// A point that misses the end of the span, by however little, does not move with it.
#[test]
fn a_point_before_the_end_does_not_move_with_it() {
    let one =
        Terminal::new(|y: &SVector<f64, 2>| y.x, |_: &SVector<f64, 2>| Vector2::new(1.0, 0.0));
    for (t0, t1) in [(0.0, 3.0), (-0.5, 0.5)] {
        let problem = spiral::<f64>(t0, t1);
        for solver in [Solver::new(Tsit5).fixed_step(1.0), Solver::new(Tsit5).fixed_step(0.1)] {
            for t in [t1.next_down(), t1 - 1e-15, t1 - 1e-3] {
                let fit = solver.gradient(&problem, SaveAt::times([t]), &one).unwrap();
                assert_eq!(fit.t1, 0.0, "{t}");
            }
            let fit = solver.gradient(&problem, SaveAt::times([t1]), &one).unwrap();
            assert!(fit.t1.abs() > 1e-3);
        }
    }
}

/// The cubic takes the derivative at the start of a step from the step before, if that was the one that it read last. (The
/// steps of each leg are counted from 0.)
#[test]
fn a_stepper_reads_a_step_whatever_it_has_read_before() {
    ode! {
        struct Ball { state { x, v } params { g } }
        dx/dt = v;
        dv/dt = -g;
        event bounce = x, falling { v = -0.7 * v; }
    }
    let problem = Problem::new(Ball { g: 9.81 }, [1.0, 0.0], 0.0..1.8);
    let solver = Solver::new(ByHand).fixed_step(0.03);
    let all = |asked: &dyn Fn(usize) -> bool| {
        let (mut stepper, mut found) = (solver.stepper(&problem).unwrap(), Vec::new());
        for i in 0.. {
            if stepper.step().unwrap() == Reached::End {
                return found;
            }
            let Step { t, end, .. } = stepper.last_step().unwrap();
            found.push(asked(i).then(|| stepper.interpolate(0.5 * (t + end)).unwrap()));
        }
        unreachable!()
    };
    let each = all(&|_| true);
    for chosen in (0..each.len()).flat_map(|i| (i + 1..each.len()).map(move |j| [i, j])) {
        let found = all(&|i| chosen.contains(&i));
        assert!(chosen.iter().all(|&i| found[i] == each[i]), "{chosen:?}");
    }
}
