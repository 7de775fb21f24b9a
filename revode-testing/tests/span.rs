//! No stage is evaluated outside the time span: by no method, along no strategy, in neither direction of time, on the
//! way forward or back. Fields that are not defined beyond an end of it have solutions and gradients.

use std::cell::Cell;

use revode::control::StepControl;
use revode::gradient::Strategy;
use revode::nalgebra::Vector1;
use revode::prelude::*;
use revode::{EmbeddedMethod, MethodVjp, Real};
use revode_testing::loss::component;

revode::any_method! {
    fixed { Euler, Midpoint, Heun, Ralston2, Ralston3, Kutta3, Ssprk33, Rk4, ThreeEighths, Ees25, Ees27 }
    adaptive { Bosh3, Fehlberg45, CashKarp, Dopri5, Tsit5, Vern6, Vern7, Vern8, Dopri8 }
}

thread_local! {
    /// The first and the last time at which a field was evaluated or differentiated.
    static SEEN: Cell<(f64, f64)> = const { Cell::new((f64::INFINITY, f64::NEG_INFINITY)) };
}

fn see(t: f64) {
    SEEN.set((SEEN.get().0.min(t), SEEN.get().1.max(t)));
}

/// `dy/dt = k sqrt(sign (at − t))`, which is not defined on the other side of `at`.
#[derive(Debug, Clone)]
struct Root<T> {
    k: T,
    at: T,
    sign: T,
}

impl<T: Real> Root<T> {
    #[inline(never)]
    fn root(&self, t: T) -> T {
        see(t.to_f64());
        (self.sign * (self.at - t)).sqrt()
    }
}

impl<T: Real> VectorField<T> for Root<T> {
    type State = Vector1<T>;

    fn eval(&self, t: T, _: &Vector1<T>, dy: &mut Vector1<T>) {
        dy[0] = self.k * self.root(t);
    }
}

revode_testing::parameters!([T: Real] T, Root<T>: k);

impl<T: Real> FieldVjp<T> for Root<T> {
    type Tape = ();

    fn tape(&self) {}

    fn vjp(
        &self,
        t: T,
        _: &Vector1<T>,
        (): &mut (),
        dy_bar: &Vector1<T>,
        y_bar: &mut Vector1<T>,
        model_bar: &mut Self,
    ) -> T {
        y_bar[0] = T::ZERO;
        model_bar.k += self.root(t) * dy_bar[0];
        T::ZERO
    }
}

/// The field that is not defined beyond one of the ends of the span.
fn problem<T: Real>(span: (f64, f64), beyond_end: bool) -> Problem<T, Root<T>> {
    let (t0, t1) = (T::from_f64(span.0), T::from_f64(span.1));
    let at = if beyond_end { t1 } else { t0 };
    let sign = if (t1 > t0) == beyond_end { T::ONE } else { -T::ONE };
    Problem::new(Root { k: T::from_f64(0.7), at, sign }, [T::from_f64(0.4)], t0..t1)
}

/// `∫ sqrt(|at − t|) dt` over the span, from its start to its end.
fn integral<T: Real>(problem: &Problem<T, Root<T>>) -> f64 {
    let length = (problem.t1 - problem.t0).to_f64();
    length.signum() * length.abs().powf(1.5) / 1.5
}

/// Runs something over a span, and demands that the field was evaluated within it and at its start.
fn within<T: Real, R>(what: &str, problem: &Problem<T, Root<T>>, run: impl FnOnce() -> R) -> R {
    SEEN.set((f64::INFINITY, f64::NEG_INFINITY));
    let result = run();
    let (first, last) = SEEN.get();
    let (t0, t1) = (problem.t0.to_f64(), problem.t1.to_f64());
    assert!(first >= t0.min(t1) && last <= t0.max(t1), "{what}: {first} to {last}");
    assert!(first == t0 || last == t0, "{what}: {first} to {last}");
    result
}

/// What the integral by a method may be off by, with steps of size `h` and rounding `unit`: in the step at which the
/// root is 0 as much as its values with the method's weights, and with Euler's method half a step.
fn bound(method: AnyMethod, h: f64, length: f64, unit: f64) -> f64 {
    let name = format!("{method:?}");
    let info = revode::methods::METHODS.iter().find(|info| info.type_name == name).unwrap();
    let weights: f64 = info.b.iter().map(|b| b.abs()).sum();
    let root = if info.order == 1 { h * length.sqrt() } else { 0.0 };
    root + weights * h.powf(1.5) + unit * (1.0 + length.powf(1.5)) * length / h
}

fn solve<T: Real>(method: AnyMethod, h: f64, problem: &Problem<T, Root<T>>) {
    let what = format!("{method:?}, {h}, {} to {}", problem.t0, problem.t1);
    let solver = Solver::new(method).fixed_step(h);
    let path = within(&what, problem, || solver.solve(problem, SaveAt::end()));
    let path = path.unwrap_or_else(|error| panic!("{what}: {error}"));
    let length = (problem.t1 - problem.t0).abs().to_f64();
    let error = path.y[0][0].to_f64() - 0.4 - 0.7 * integral(problem);
    let bound = bound(method, h, length, T::EPSILON.to_f64());
    assert!(error.abs() <= bound, "{what}: off by {error:e}, {bound:e} expected");
}

/// Spans of `n` steps down to 0 and up from 0, and others, with a number that is not defined beyond either end.
#[test]
fn every_method_solves_up_to_where_the_field_ends() {
    for method in AnyMethod::ALL {
        for n in 1..1200 {
            let (h, length) = (0.1, f64::from(n) / 10.0);
            // Each kind of span in turn, all of them for the first.
            let spans = [(0.0, length), (length, 0.0), (-0.7, length), (length, 0.3 - length)];
            for (i, span) in spans.into_iter().enumerate() {
                if n <= 40 || n % 4 == i as i32 || i == 1 {
                    solve::<f64>(*method, h, &problem(span, true));
                }
                if n <= 40 || n % 7 == i as i32 {
                    solve::<f64>(*method, h, &problem(span, false));
                    solve::<f32>(*method, h, &problem(span, n % 2 == 0));
                }
            }
        }
    }
}

/// Compares a gradient with the closed form: the loss is the solution at the end, `y0 + k ∫ sqrt`.
fn gradient<T, C, G>(
    what: &str,
    problem: &Problem<T, Root<T>>,
    solver: &Solver<AnyMethod, C, G>,
    bound: f64,
) where
    T: Real,
    C: StepControl<T, Root<T>, AnyMethod>,
    G: Strategy,
{
    let what = format!("{what}, {} to {}", problem.t0, problem.t1);
    let result = within(&what, problem, || solver.gradient(problem, SaveAt::end(), &component(0)));
    let Gradient { loss, y0, model, stats, .. } = match result {
        // The published pair may find itself too inaccurate, though not the field undefined.
        Err(SolveError::NotReversed { .. } | SolveError::PairDiverged { .. })
            if what.contains("reversible") =>
        {
            return;
        }
        result => result.unwrap_or_else(|error| panic!("{what}: {error}")),
    };
    let integral = integral(problem);
    let errors = [
        loss.to_f64() - 0.4 - 0.7 * integral,
        model.k.to_f64() - integral,
        // Each step rounds.
        (y0[0].to_f64() - 1.0) / (1.0 + stats.accepted as f64),
    ];
    assert!(errors.iter().all(|error| error.abs() <= bound), "{what}: {errors:?}, {bound:e}");
}

macro_rules! every_strategy {
    ($what:expr, $problem:expr, $solver:expr, $bound:expr) => {
        for (name, memory) in [("auto", 64_000_000), ("auto, short of memory", 100)] {
            let solver = $solver.strategy(Auto::memory(memory));
            gradient(&format!("{}, {name}", $what), $problem, &solver, $bound);
        }
        macro_rules! run {
            ($name:expr, $strategy:expr) => {
                let what = format!("{}, {}", $what, $name);
                gradient(&what, $problem, &$solver.strategy($strategy), $bound);
            };
        }
        run!("guarded", Guarded::default());
        run!("guarded, short of memory", Guarded::default().memory(1));
        run!("exact", Exact::default());
        run!("exact by rate", Exact::default().rate(0.5));
        run!("reversible", Reversible::default());
        run!("store-all", StoreAll);
        run!("checkpointed", Checkpointed::slots(3));
        run!("checkpointed along guarded", Checkpointed::slots(3).along(Guarded::default()));
    };
}

fn fixed<T: Real>(method: AnyMethod, h: f64, problem: &Problem<T, Root<T>>) {
    let length = (problem.t1 - problem.t0).abs().to_f64();
    // The grid of an exact solve: 2⁻²⁴ of the state.
    let bound = 2.0 * bound(method, h, length, T::EPSILON.to_f64()) + 1e-6;
    every_strategy!(
        format!("{method:?}, fixed"),
        problem,
        Solver::new(method).fixed_step(h),
        bound
    );
}

fn adaptive<T: Real>(method: AnyMethod, tolerance: f64, problem: &Problem<T, Root<T>>)
where
    AnyMethod: EmbeddedMethod<T, Root<T>> + MethodVjp<T, Root<T>>,
{
    let solver = Solver::new(method).tolerance(tolerance, tolerance).unchecked();
    every_strategy!(format!("{method:?}, adaptive"), problem, solver, 300.0 * tolerance);
}

#[test]
fn every_strategy_with_fixed_steps_stays_within_the_span() {
    for method in AnyMethod::ALL {
        for n in [1, 2, 3, 7, 10, 29, 64] {
            let length = f64::from(n) / 10.0;
            for span in [(0.0, length), (length, 0.0), (length, 0.3 - length)] {
                fixed::<f64>(*method, 0.1, &problem(span, true));
                fixed::<f64>(*method, 0.1, &problem(span, false));
                fixed::<f32>(*method, 0.1, &problem(span, n % 2 == 0));
            }
        }
    }
}

#[test]
fn every_strategy_with_adaptive_steps_stays_within_the_span() {
    for method in AnyMethod::ADAPTIVE {
        for n in [1, 3, 29] {
            let length = f64::from(n) / 10.0;
            for span in [(0.0, length), (length, 0.0), (-0.7, length)] {
                adaptive::<f64>(*method, 1e-6, &problem(span, true));
                adaptive::<f64>(*method, 1e-6, &problem(span, false));
                adaptive::<f32>(*method, 1e-4, &problem(span, n % 2 == 0));
            }
        }
    }
}

/// Steps of a few units in the last place of time, beside a power of two: below it times are twice as dense.
#[test]
fn steps_near_the_rounding_of_time_stay_within_the_span() {
    let unit = 1024.0 * f64::EPSILON;
    for method in AnyMethod::ALL {
        for units in [0.3, 0.4, 0.9, 1.0, 1.4, 2.5] {
            for span in [(1024.0, 1024.0 + 40.0 * unit), (1024.0 + 40.0 * unit, 1024.0)] {
                for beyond_end in [true, false] {
                    let problem = problem::<f64>(span, beyond_end);
                    let solver = Solver::new(*method).fixed_step(units * unit);
                    let what = format!("{method:?}, {units} units, {span:?}");
                    within(&what, &problem, || solver.solve(&problem, SaveAt::end()).unwrap());
                    let solver = solver.strategy(Guarded::default());
                    within(&what, &problem, || {
                        solver.gradient(&problem, SaveAt::end(), &component(0)).unwrap()
                    });
                }
            }
        }
    }
}

#[test]
fn all_methods_are_tested() {
    assert_eq!(AnyMethod::ALL.len(), revode::methods::METHODS.len());
    let nodes = revode::methods::METHODS.iter().flat_map(|method| method.c);
    assert!(nodes.into_iter().all(|c| (0.0..=1.0).contains(c)));
}
