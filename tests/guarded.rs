//! Guarded reversal in its corners: anchors that were thinned out, segments that are solved again, single
//! precision, heap states, save points, backward time. Always the gradient of the stored states, to the
//! last bit.

use std::cell::Cell;

use revode::control::StepControl;
use revode::gradient::Strategy;
use revode::nalgebra::{DMatrix, DVector, SVector, Vector1};
use revode::prelude::*;
use revode::{MethodVjp, Real};
use revode_testing::compare::{difference, loss_and_flat};
use revode_testing::dynamics::{
    Brusselator, FitzHughNagumo, Growth, Kepler, Lorenz, LotkaVolterra, VanDerPol,
};
use revode_testing::loss::{component, squared_length};
use revode_testing::parameters;

ode! {
    /// On the heap.
    struct Network {
        dims   { n }
        state  { u: [n] }
        params { w: [n, n], b: [n] }
    }
    du/dt = tanh(w @ u + b + sin(t)) - 3 * u;
}

fn lorenz<T: Real>(span: std::ops::Range<T>) -> Problem<T, Lorenz<T>> {
    let [sigma, rho, beta] = [10.0, 28.0, 8.0 / 3.0].map(T::from_f64);
    Problem::new(Lorenz { sigma, rho, beta }, [T::ONE, T::ONE, T::ONE], span)
}

fn network() -> Problem<f64, Network> {
    let number = |i: usize| ((i * 7 + 3) % 11) as f64 / 5.5 - 1.0;
    let field = Network {
        n: 4,
        w: DMatrix::from_fn(4, 4, |i, j| 2.0 * number(4 * i + j)),
        b: DVector::from_fn(4, |i, _| number(i + 5)),
    };
    Problem::new(field, DVector::from_fn(4, |i, _| number(i)), 0.0..20.0)
}

/// The strategy with its defaults.
fn guarded() -> Guarded {
    Guarded::default()
}

/// Guarded and stored gradients at these save points, which are equal; what the guarded one cost.
fn same<T, F, M, C>(
    solver: &Solver<M, C>,
    strategy: Guarded,
    problem: &Problem<T, F>,
    save: &SaveAt,
) -> Stats
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F> + Copy,
    C: StepControl<T, F, M> + Copy,
{
    let loss = squared_length();
    let found = solver.strategy(strategy).gradient(problem, save.clone(), &loss).unwrap();
    let stored = solver.strategy(StoreAll.along(strategy));
    let stored = stored.gradient(problem, save.clone(), &loss).unwrap();
    assert_eq!(loss_and_flat(&found), loss_and_flat(&stored));
    assert!(loss_and_flat(&found).iter().all(|x| x.is_finite()));
    found.stats
}

#[test]
fn thinned_anchors_are_computed_again() {
    let solver = Solver::new(Rk4).fixed_step(0.01);
    let problem = lorenz(0.0..20.0);
    let all = same(&solver, guarded(), &problem, &SaveAt::end());
    assert!(all.strategy.anchors() > 100, "{all}");
    for memory in [0, 500, 2_000, 10_000] {
        let some = same(&solver, guarded().memory(memory), &problem, &SaveAt::every(0.5));
        assert_eq!(some.strategy.anchors(), all.strategy.anchors());
        assert!(some.evaluations > all.evaluations, "some are computed again: {some}");
        // 8 bytes remain of an anchor that was thinned out; a record, 41 save points, the last state
        // and the one pair before a step that cannot be undone (56 bytes, and 48 of place for it).
        let bound = memory.max(200) + 8 * all.strategy.anchors() as usize + 41 * 8 + 404;
        assert!(some.bytes_kept <= bound, "{} bytes of {bound}", some.bytes_kept);
    }
}

/// From 1 to a million in a step, beyond what any grid holds: the start of the step is stored.
#[test]
fn the_start_of_a_step_that_leaves_its_grid_is_stored() {
    let problem = Problem::new(Growth { rate: 1e6 }, [1.0], 0.0..5.0);
    let solver = Solver::new(Euler).fixed_step(1.0);
    let stats = same(&solver, guarded(), &problem, &SaveAt::steps());
    let stored =
        |stats: Stats| matches!(stats.strategy, StrategyStats::Guarded { stored_steps: 5, .. });
    assert!(stored(stats), "{stats}");
    // The steps lead to anchors, and those that are thinned out are computed again.
    let stats = same(&solver, guarded().memory(0), &problem, &SaveAt::steps());
    assert!(stored(stats), "{stats}");
}

#[test]
fn single_precision_heap_states_and_backward_time() {
    let fixed = Solver::new(Rk4).fixed_step(0.01);
    let adaptive = Solver::new(Tsit5).tolerance(1e-4, 1e-4);
    assert!(
        same(&fixed, guarded(), &lorenz::<f32>(0.0..10.0), &SaveAt::steps()).strategy.anchors() > 0
    );
    same(&adaptive, guarded(), &lorenz::<f32>(0.0..10.0), &SaveAt::every(0.3));
    assert!(same(&fixed, guarded(), &network(), &SaveAt::every(0.25)).strategy.anchors() > 0);
    same(&adaptive, guarded(), &network(), &SaveAt::steps().without_start());
    same(&fixed, guarded(), &lorenz(1.0..0.9), &SaveAt::every(0.03));
    same(&adaptive, guarded(), &lorenz(1.0..0.9), &SaveAt::times([0.97, 0.95, 0.9]));
}

/// Each component has a grid of its own: positions in units of 2³⁷ and velocities of 2¹⁵ (Earth's orbit in
/// metres and seconds) give the gradient of the problem in units of 1, to the last bit.
#[test]
fn units_do_not_matter() {
    let gradient = |length: f64, velocity: f64| {
        let unit = [length, length, velocity, velocity];
        let time = length / velocity;
        let field = Kepler { mass: length * velocity * velocity };
        let y0: [f64; 4] = std::array::from_fn(|i| [0.4, 0.0, 0.0, 2.0][i] * unit[i]);
        let problem = Problem::new(field, y0, 0.0..20.0 * time);
        let value =
            move |y: &SVector<f64, 4>| (0..4).map(|i| (y[i] / unit[i]).powi(2)).sum::<f64>();
        let loss = Terminal::new(value, move |y: &SVector<f64, 4>| {
            SVector::from_fn(|i, _| 2.0 * y[i] / unit[i] / unit[i])
        });
        let solver = Solver::new(Rk4).fixed_step(0.01 * time).strategy(guarded());
        let fit = solver.gradient(&problem, SaveAt::end(), &loss).unwrap();
        let y0: [f64; 4] = std::array::from_fn(|i| fit.y0[i] * unit[i]);
        (fit.loss, y0, fit.model.mass * problem.field.mass, fit.stats.strategy.anchors())
    };
    let (metres, seconds) = (2_f64.powi(37), 2_f64.powi(22));
    assert_eq!(gradient(metres, metres / seconds), gradient(1.0, 1.0));
    assert_eq!(gradient(2_f64.powi(-100), 2.0), gradient(1.0, 1.0));
}

/// In single precision the guarded gradient is not much further from the one in double precision than the
/// plain one is.
#[test]
fn single_precision_is_used_to_its_end() {
    fn gradient<T: Real, F>(field: F, strategy: impl Strategy) -> Vec<f64>
    where
        F: FieldVjp<T, State = SVector<T, 2>>,
    {
        let problem = Problem::new(field, [T::ONE, T::from_f64(0.5)], T::ZERO..T::from_f64(10.0));
        let loss = Terminal::new(
            |y: &SVector<T, 2>| y[0] * y[0] + y[1],
            |y: &SVector<T, 2>| SVector::<T, 2>::new(y[0] + y[0], T::ONE),
        );
        let solver = Solver::new(Rk4).fixed_step(0.01).strategy(strategy);
        loss_and_flat(&solver.gradient(&problem, SaveAt::end(), &loss).unwrap())
    }
    fn check<D, S>(name: &str, double: D, single: S)
    where
        D: FieldVjp<f64, State = SVector<f64, 2>>,
        S: FieldVjp<f32, State = SVector<f32, 2>>,
    {
        let exact = gradient(double, StoreAll);
        let off = |found: Vec<f64>| difference(&found, &exact);
        let (guarded, plain) =
            (off(gradient(single.clone(), guarded())), off(gradient(single, StoreAll)));
        println!("{name}: guarded {guarded:.1e}, plain {plain:.1e}");
        // (Measured: 2 to 16 times. A seed is 16 units in the last place.)
        let smallest = 4.0 * f64::from(f32::EPSILON);
        assert!(guarded <= 32.0 * plain.max(smallest), "{name}: {guarded:e} {plain:e}");
    }
    macro_rules! check {
        ($($Field:ident { $($parameter:ident: $value:expr),* })*) => {
            $(check(
                concat!(stringify!($Field) $(, " ", $value)*),
                $Field { $($parameter: $value),* },
                $Field { $($parameter: $value as f32),* },
            );)*
        };
    }
    check! {
        LotkaVolterra { alpha: 1.5, beta: 1.0, delta: 1.0, gamma: 3.0 }
        VanDerPol { mu: 1.0 }
        VanDerPol { mu: 5.0 }
        FitzHughNagumo { a: 0.2, b: 0.2, c: 3.0 }
        Brusselator { a: 1.0, b: 3.0 }
    }
}

/// A solution that is 0 for a while, or always, does not end in an anchor at every step.
#[test]
fn a_solution_at_zero_needs_no_anchors() {
    let problem = Problem::new(Growth { rate: 0.5 }, [0.0], 0.0..10.0);
    let stats = same(&Solver::new(Rk4).fixed_step(0.01), guarded(), &problem, &SaveAt::end());
    assert!(stats.strategy.anchors() < 20, "{stats}");
}

/// A field that does not give equal bits for equal inputs.
#[derive(Debug, Clone)]
struct Unsteady {
    rate: f64,
    evaluations: Cell<u32>,
}

impl VectorField<f64> for Unsteady {
    type State = Vector1<f64>;
    fn eval(&self, _: f64, y: &Vector1<f64>, dy: &mut Vector1<f64>) {
        self.evaluations.set(self.evaluations.get() + 1);
        let noise = f64::from(self.evaluations.get() % 7) * 1e-9;
        dy[0] = self.rate * y[0] * (1.0 + noise);
    }
}

parameters!(Unsteady: rate);

impl FieldVjp<f64> for Unsteady {
    type Tape = ();
    fn tape(&self) {}
    fn vjp(
        &self,
        _: f64,
        y: &Vector1<f64>,
        (): &mut (),
        dy_bar: &Vector1<f64>,
        y_bar: &mut Vector1<f64>,
        model_bar: &mut Self,
    ) -> f64 {
        *y_bar = self.rate * dy_bar;
        model_bar.rate += y[0] * dy_bar[0];
        0.0
    }
}

#[test]
fn an_unsteady_field_is_found_out() {
    let field = Unsteady { rate: -0.4, evaluations: Cell::new(0) };
    let problem = Problem::new(field, [1.0], 0.0..5.0);
    let loss = component(0);
    let solver = Solver::new(Rk4).fixed_step(0.03);
    let exact = solver.strategy(Exact::default()).gradient(&problem, SaveAt::end(), &loss);
    let error = exact.map(|fit| fit.stats).unwrap_err();
    println!("{error}");
    assert!(matches!(error, SolveError::NotExact { component: 0, .. }), "{error:?}");
    let found = solver.strategy(guarded()).gradient(&problem, SaveAt::end(), &loss);
    let error = found.map(|fit| fit.stats).unwrap_err();
    println!("{error}");
    assert!(matches!(error, SolveError::NotRepeated { .. }), "{error:?}");
}

/// The default stores the states while they fit in the memory, with fixed and with adaptive steps.
#[test]
fn auto_takes_the_fastest_that_fits() {
    fn strategies<C>(solver: &Solver<Tsit5, C>) -> [&'static str; 2]
    where
        C: StepControl<f64, Lorenz, Tsit5> + Copy,
    {
        let loss = component(0);
        [usize::MAX, 0].map(|memory| {
            let solver = solver.strategy(Auto::memory(memory));
            let fit = solver.gradient(&lorenz(0.0..1.0), SaveAt::end(), &loss).unwrap();
            fit.stats.strategy.name()
        })
    }
    let expected = ["store-all", "guarded"];
    assert_eq!(strategies(&Solver::new(Tsit5).fixed_step(0.01)), expected);
    assert_eq!(strategies(&Solver::new(Tsit5).tolerance(1e-6, 1e-6)), expected);
}
