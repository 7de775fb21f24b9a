//! Gradients of losses over save points that are read between the ends of steps.

use revode::control::StepControl;
use revode::gradient::Strategy;
use revode::nalgebra::{SVector, Vector2};
use revode::prelude::*;
use revode::{MethodVjp, Real};
use revode_testing::compare::{difference, loss_and_flat};

revode::any_method! {
    fixed { Rk4, Euler }
    adaptive { Bosh3, Tsit5 }
}

ode! {
    /// Depends on time, nonlinearly.
    struct Driven {
        state  { x, v }
        params { mu, omega }
    }
    dx/dt = v;
    dv/dt = mu * (1 - x^2) * v - x + sin(omega * t);
}

const Y0: [f64; 2] = [0.8, -0.3];
const FIELD: [f64; 2] = [0.6, 1.7];

fn problem<T: Real>([x, v, mu, omega]: [f64; 4], (t0, t1): (f64, f64)) -> Problem<T, Driven<T>> {
    let field = Driven { mu: T::from_f64(mu), omega: T::from_f64(omega) };
    let y0: SVector<T, 2> = Vector2::new(T::from_f64(x), T::from_f64(v));
    Problem::new(field, y0, T::from_f64(t0)..T::from_f64(t1))
}

const POINT: [f64; 4] = [Y0[0], Y0[1], FIELD[0], FIELD[1]];

/// A nonlinear loss that knows which point it is at, and when.
#[derive(Clone, Copy)]
struct Distance;

impl Distance {
    fn weight<T: Real>(index: usize) -> T {
        T::from_f64(1.0 + 0.25 * (index % 5) as f64)
    }
}

impl<T: Real> Loss<T, SVector<T, 2>> for Distance {
    fn value(&self, index: usize, t: T, y: &SVector<T, 2>) -> Result<T, SolveError> {
        let sum: T = y.iter().map(|y| (*y - t) * (*y - t) * *y).sum();
        Ok(Self::weight::<T>(index) * sum)
    }
    fn cotangent(&self, index: usize, t: T, y: &SVector<T, 2>, y_bar: &mut SVector<T, 2>) {
        for (y, y_bar) in y.iter().zip(y_bar) {
            let slope = (*y - t) * (T::from_f64(3.0) * *y - t);
            *y_bar += Self::weight::<T>(index) * slope;
        }
    }
}

/// The loss of a solution, as the gradient adds it up.
fn loss(path: &Solution<f64, SVector<f64, 2>>) -> f64 {
    let points = path.t.iter().zip(&path.y).enumerate();
    points.map(|(i, (t, y))| Distance.value(i, *t, y).unwrap()).sum()
}

/// Points close together, in one step and in several, at the ends of steps of 0.1, at the start and at the end.
fn saves((t0, t1): (f64, f64)) -> Vec<SaveAt> {
    let at = |part: f64| t0 + part * (t1 - t0);
    let within = [0.03, 0.031, 0.032, 0.35, 0.36, 0.77].map(at);
    let ends = [0.0, 0.1, 0.15, 0.5, 0.55, 0.6, 0.95, 1.0].map(at);
    vec![
        SaveAt::times(within).interpolated(),
        SaveAt::times(ends).interpolated(),
        SaveAt::every(0.013).interpolated(),
        SaveAt::every(0.25).without_start().interpolated(),
        SaveAt::end().interpolated(),
        SaveAt::steps().interpolated(),
        SaveAt::dense(),
    ]
}

const SPANS: [(f64, f64); 2] = [(0.2, 1.2), (1.0, 0.0)];

/// With steps of one size the loss is a smooth function, of which central differences know the gradient to about 1e-9; to
/// 1e-7 where weights add up to 400, as those of `Vern6` do.
fn against_differences<M: MethodVjp<f64, Driven>>(name: &str, method: M) {
    let solver = Solver::new(method).fixed_step(0.1).strategy(StoreAll);
    for span in SPANS {
        for save in saves(span) {
            let fit = solver.gradient(&problem(POINT, span), save.clone(), &Distance).unwrap();
            let found = loss_and_flat(&fit);
            let value = |point| loss(&solver.solve(&problem(point, span), save.clone()).unwrap());
            assert!((found[0] - value(POINT)).abs() <= 1e-13 * found[0].abs().max(1.0));
            for i in 0..4 {
                let moved = |d: f64| {
                    let mut point = POINT;
                    point[i] += d;
                    value(point)
                };
                let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                let off = (found[1 + i] - expected).abs() / expected.abs().max(1.0);
                assert!(off < 2e-7, "{name} {save:?} {i}: {} {expected} {off:e}", found[1 + i]);
            }
        }
    }
}

#[test]
fn gradients_are_those_of_the_values_that_were_read() {
    macro_rules! each {
        ($($method:ident),*) => {$(against_differences(stringify!($method), $method);)*};
    }
    each!(Euler, Rk4, Bosh3, Dopri5, Tsit5, CashKarp, Vern6, Vern8, Dopri8);
}

/// A method that says nothing of values between the ends of its steps.
#[test]
fn gradients_of_cubic_hermite_too() {
    for method in AnyMethod::ALL {
        against_differences(&format!("{method:?}"), *method);
    }
}

/// The gradient by every strategy that stores states, which must be the same to the bit.
fn stored<T: Real, M, C>(
    solver: &Solver<M, C>,
    problem: &Problem<T, Driven<T>>,
    save: &SaveAt,
) -> Vec<f64>
where
    M: MethodVjp<T, Driven<T>>,
    C: StepControl<T, Driven<T>, M> + Clone,
{
    fn flat<T: Real, M, C, G: Strategy>(
        solver: &Solver<M, C, G>,
        problem: &Problem<T, Driven<T>>,
        save: &SaveAt,
    ) -> Vec<f64>
    where
        M: MethodVjp<T, Driven<T>>,
        C: StepControl<T, Driven<T>, M>,
    {
        let fit = solver.gradient(problem, save.clone(), &Distance).unwrap();
        assert!(fit.stats.vjps > 0);
        loss_and_flat(&fit)
    }
    let found = flat(&solver.clone().strategy(StoreAll), problem, save);
    assert_eq!(flat(solver, problem, save), found);
    assert_eq!(flat(&solver.clone().strategy(Checkpointed::slots(1)), problem, save), found);
    assert_eq!(flat(&solver.clone().strategy(Checkpointed::slots(4)), problem, save), found);
    found
}

/// At a tight tolerance points that are read and points that are landed on have the same gradient.
#[test]
fn reading_agrees_with_landing() {
    let landing = |(t0, t1): (f64, f64)| {
        let at = |part: f64| t0 + part * (t1 - t0);
        let times = SaveAt::times([0.0, 0.03, 0.031, 0.35, 0.5, 0.77, 1.0].map(at));
        [times, SaveAt::every(0.013), SaveAt::every(0.25).without_start()]
    };
    macro_rules! each {
        ($T:ty, $allowed:expr, $($solver:expr),* $(,)?) => {$(
            for span in SPANS {
                let problem = problem::<$T>(POINT, span);
                for save in landing(span) {
                    let landed = stored(&$solver, &problem, &save.clone().landed());
                    let read = stored(&$solver, &problem, &save.interpolated());
                    let off = difference(&read, &landed);
                    assert!(off < $allowed, "{} {off:e}", stringify!($solver));
                }
            }
        )*};
    }
    each!(
        f64,
        1e-8,
        Solver::new(Tsit5).tolerance(1e-11, 1e-11),
        Solver::new(Dopri5).tolerance(1e-11, 1e-11),
        Solver::new(Vern6).tolerance(1e-11, 1e-11),
        Solver::new(Vern7).tolerance(1e-11, 1e-11),
        Solver::new(Dopri8).tolerance(1e-11, 1e-11),
        Solver::new(Rk4).fixed_step(0.003),
        Solver::new(AnyMethod::Tsit5).tolerance(1e-11, 1e-11).unchecked(),
    );
    each!(f64, 1e-6, Solver::new(Bosh3).tolerance(1e-9, 1e-9));
    each!(f32, 1e-4, Solver::new(Tsit5).tolerance(1e-6, 1e-6));
}

/// The error of the gradient is estimated as it is where points are landed on, through values that were read too.
#[test]
fn the_error_is_estimated() {
    let exact = Solver::new(Vern8).tolerance(1e-13, 1e-13);
    for span in SPANS {
        let problem = problem::<f64>(POINT, span);
        for save in saves(span).into_iter().filter(|save| *save != SaveAt::steps().interpolated()) {
            let exact = loss_and_flat(&exact.gradient(&problem, save.clone(), &Distance).unwrap());
            for tolerance in [1e-5, 1e-7] {
                let solver = Solver::new(Tsit5).tolerance(tolerance, tolerance);
                let fit = solver.gradient(&problem, save.clone(), &Distance).unwrap();
                let off = difference(&loss_and_flat(&fit)[1..], &exact[1..]);
                let (estimate, n) = (fit.stats.gradient_error.unwrap(), fit.stats.accepted);
                println!("{tolerance:e} {n} {save:?}: {off:.1e}, estimated {estimate:.1e}");
                assert!(estimate > 0.0 && off < 1e3 * tolerance, "{save:?} {off:e} {estimate:e}");
            }
        }
    }
}

/// What is kept of a dense solution matters to no gradient: the loss is that of the start and of the end.
#[test]
fn a_dense_solution_has_two_points() {
    let problem = problem::<f64>(POINT, SPANS[0]);
    let solver = Solver::new(Tsit5);
    let ends = SaveAt::times([problem.t0, problem.t1]);
    let expected = solver.gradient(&problem, ends.clone(), &Distance).unwrap();
    assert_eq!(solver.gradient(&problem, SaveAt::dense(), &Distance).unwrap(), expected);
    let solver = solver.strategy(Guarded::default());
    let expected = solver.gradient(&problem, ends, &Distance).unwrap();
    assert_eq!(solver.gradient(&problem, SaveAt::dense(), &Distance).unwrap(), expected);
}

/// A strategy that reverses a pair, and those that store states along it, read the same values and have the same gradient to
/// the bit.
#[test]
fn strategies_along_a_pair_agree() {
    fn check<T: Real, M, C, G>(
        solver: &Solver<M, C>,
        problem: &Problem<T, Driven<T>>,
        strategy: G,
        saves: &[SaveAt],
    ) where
        M: MethodVjp<T, Driven<T>>,
        C: StepControl<T, Driven<T>, M> + Clone,
        G: Strategy + Copy + std::fmt::Debug,
    {
        for save in saves {
            let gradient = |fit: Gradient<Driven<T>, _, T>| loss_and_flat(&fit);
            macro_rules! by {
                ($strategy:expr) => {
                    solver.clone().strategy($strategy).gradient(problem, save.clone(), &Distance)
                };
            }
            let found = by!(strategy).unwrap();
            let path = solver.clone().strategy(strategy).forward(problem, save.clone()).unwrap();
            let points = path.t.iter().zip(&path.y).enumerate();
            let value = points.map(|(i, (t, y))| Distance.value(i, *t, y).unwrap()).sum::<T>();
            assert_eq!(found.loss, value, "{strategy:?} {save:?}");
            let found = gradient(found);
            assert_eq!(
                gradient(by!(StoreAll.along(strategy)).unwrap()),
                found,
                "{strategy:?} {save:?}"
            );
            let checkpointed = Checkpointed::slots(2).along(strategy);
            assert_eq!(gradient(by!(checkpointed).unwrap()), found, "{strategy:?} {save:?}");
        }
    }
    macro_rules! each {
        ($T:ty: $($solver:expr),* $(,)?) => {$(
            for span in SPANS {
                let problem = problem::<$T>(POINT, span);
                check(&$solver, &problem, Guarded::default(), &saves(span));
                check(&$solver, &problem, Guarded::default().memory(0), &saves(span));
                check(&$solver, &problem, Exact::default(), &saves(span));
            }
        )*};
    }
    each!(f64:
        Solver::new(Tsit5).tolerance(1e-7, 1e-7),
        Solver::new(Bosh3).tolerance(1e-6, 1e-6),
        Solver::new(Vern6).tolerance(1e-8, 1e-8),
        Solver::new(Tsit5).fixed_step(0.03),
        Solver::new(Euler).fixed_step(0.01),
        Solver::new(Rk4).fixed_step(0.03),
        Solver::new(AnyMethod::Tsit5).tolerance(1e-7, 1e-7),
        Solver::new(AnyMethod::Rk4).fixed_step(0.03),
    );
    each!(f32: Solver::new(Tsit5).tolerance(1e-4, 1e-4).unchecked());
}

/// The gradient along a pair, with steps of one size, is that of central differences of the solution along it.
fn against_differences_along_a_pair<M, G>(
    what: &str,
    solver: &Solver<M, FixedStep, G>,
    span: (f64, f64),
    save: &SaveAt,
) where
    M: MethodVjp<f64, Driven>,
    G: Strategy,
{
    let fit = solver.gradient(&problem::<f64>(POINT, span), save.clone(), &Distance);
    let found = loss_and_flat(&fit.unwrap());
    for i in 0..4 {
        let moved = |d: f64| {
            let mut point = POINT;
            point[i] += d;
            loss(&solver.forward(&problem(point, span), save.clone()).unwrap())
        };
        let difference = |h: f64| (moved(h) - moved(-h)) / (2.0 * h);
        let expected = (4.0 * difference(1e-3) - difference(2e-3)) / 3.0;
        let off = (found[1 + i] - expected).abs() / expected.abs().max(1.0);
        assert!(off < 1e-8, "{what} {save:?} {i}: {} {expected} {off:e}", found[1 + i]);
    }
}

/// The published pair with steps of one size is a smooth function of its start and its parameters.
#[test]
fn gradients_along_a_pair_are_those_of_the_values_that_were_read() {
    macro_rules! check {
        ($method:expr, $strategy:expr) => {
            for span in SPANS {
                let solver = Solver::new($method).fixed_step(0.1).strategy($strategy);
                for save in saves(span) {
                    against_differences_along_a_pair(stringify!($method), &solver, span, &save);
                }
            }
        };
    }
    macro_rules! each {
        ($($method:expr),*) => {$(
            check!($method, Reversible::coupling(0.97).largest_gap(f64::INFINITY).accuracy(1e-3));
            check!($method, StoreAll.along(Reversible::coupling(1.0).largest_gap(f64::INFINITY)));
        )*};
    }
    each!(Euler, Rk4, Bosh3, Tsit5, Vern6, AnyMethod::Bosh3, AnyMethod::Rk4);
}

/// Read-outs that are the mean of the pair's halves have half of the cotangent each: with large steps of an odd order their
/// gap is far above what differences cannot tell.
#[test]
fn gradients_between_means_are_those_of_the_values_that_were_read() {
    macro_rules! check {
        ($method:expr, $h:expr, $strategy:expr) => {
            for span in SPANS {
                let solver = Solver::new($method).fixed_step($h).strategy($strategy);
                let save = SaveAt::every(0.013).interpolated();
                let what = stringify!($method, $strategy);
                against_differences_along_a_pair(what, &solver, span, &save);
            }
        };
    }
    macro_rules! each {
        ($($method:expr, $h:expr;)*) => {$(
            check!($method, $h, Guarded::default());
            check!($method, $h, Exact::default());
        )*};
    }
    each!(Euler, 0.05; Bosh3, 0.2; Tsit5, 0.25; AnyMethod::Bosh3, 0.2;);
}

/// Along pairs as along the method.
#[test]
fn reading_along_a_pair_agrees_with_landing() {
    macro_rules! each {
        ($($solver:expr, $allowed:expr;)*) => {$(
            for span in SPANS {
                let problem = problem::<f64>(POINT, span);
                for save in [SaveAt::every(0.3), SaveAt::every(0.013)] {
                    macro_rules! by {
                        ($strategy:expr) => {
                            let solver = $solver.strategy($strategy);
                            let fit = |save: SaveAt| {
                                loss_and_flat(&solver.gradient(&problem, save, &Distance).unwrap())
                            };
                            let off = difference(&fit(save.clone().interpolated()), &fit(save.clone().landed()));
                            assert!(off < $allowed, "{} {off:e}", stringify!($solver));
                        };
                    }
                    by!(Guarded::default());
                    by!(Exact::default());
                    by!(Reversible::coupling(0.999).accuracy(1e-2));
                    by!(Auto::memory(50));
                }
            }
        )*};
    }
    each!(
        Solver::new(Tsit5).tolerance(1e-11, 1e-11), 1e-8;
        Solver::new(Bosh3).tolerance(1e-9, 1e-9), 1e-6;
        Solver::new(Vern7).tolerance(1e-11, 1e-11), 1e-8;
        Solver::new(Rk4).fixed_step(0.003), 1e-8;
        Solver::new(AnyMethod::Tsit5).tolerance(1e-9, 1e-9).unchecked(), 1e-6;
    );
}
