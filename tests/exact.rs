//! Exact reversal in its corners: the ends of the grid, badly scaled states, single precision. Always the
//! gradient of the stored states, to the last bit, or an error that says what is wrong.

use std::cell::Cell;

use revode::control::StepControl;
use revode::gradient::Strategy;
use revode::nalgebra::{DVector, Vector2, Vector4};
use revode::prelude::*;
use revode::{MethodVjp, Real, State};
use revode_testing::compare::{difference, flat, largest};
use revode_testing::dynamics::{Kepler, LotkaVolterra, VanDerPol};
use revode_testing::loss::{component, squared_length};
use revode_testing::parameters;

ode! {
    struct Linear {
        state  { y }
        params { rate, b }
    }
    dy/dt = rate * y + b;
}

/// Solutions that grow and change sign come to the end of the grid with increments twice as long as it.
/// (Rounded by a subtraction that is exact only up to the grid's end, they were multiples of half a quantum,
/// and the halves were lost.) From there they go on on a coarser grid.
#[test]
fn the_end_of_the_grid() {
    let loss = component(0);
    let solver = Solver::new(Heun).fixed_step(1.0);
    for k in 0..600 {
        let size = 1.01_f64.powi(k);
        let field = Linear { rate: -2.296, b: 0.616 * size };
        let problem = Problem::new(field, [-0.218 * size], 0.0..7.0);
        for strategy in [Exact::default(), Exact::default().rate(1.0)] {
            let strategy = strategy.quantum(2_f64.powi(-44));
            let exact = solver.strategy(strategy).gradient(&problem, SaveAt::end(), &loss);
            let stored = solver.strategy(StoreAll.along(strategy));
            let stored = stored.gradient(&problem, SaveAt::end(), &loss);
            let (exact, stored) = (exact.unwrap(), stored.unwrap());
            assert_eq!((exact.loss, exact.y0), (stored.loss, stored.y0), "{size}");
            assert_eq!(exact.model.rate, stored.model.rate, "{size}");
        }
    }
}

/// A start beyond the grid of the chosen quantum gets a coarser one.
#[test]
fn a_start_beyond_the_grid() {
    let problem = Problem::new(Linear { rate: -1.0, b: 0.0 }, [3.0], 2.0..3.0);
    let loss = component(0);
    let solver = Solver::new(Euler).fixed_step(1.0).strategy(Exact::default().quantum(1e-15));
    let found = solver.gradient(&problem, SaveAt::end(), &loss).unwrap();
    // `y' = 3 − 3`, `dy'/dy = 0`: what is left is the seed.
    assert!(found.loss.abs() < 1e-12 && found.y0[0].abs() < 1e-12, "{found:?}");
}

/// From the smallest to the largest states, whose grids end at what is finite in their precision.
#[test]
fn sizes_of_every_order() {
    macro_rules! check {
        ($T:ident, $digits:expr, $exponents:expr) => {
            for exponent in $exponents {
                let size = (10.0 as $T).powi(exponent);
                let problem = Problem::new(Linear { rate: -1.0, b: 0.0 }, [size], 0.0..1.0);
                let loss = component(0);
                let solver = Solver::new(Rk4).fixed_step(0.01).strategy(Exact::default());
                let found = solver.gradient(&problem, SaveAt::end(), &loss).unwrap();
                // RK4's own error, 1e-9 here, or rounding over 100 steps.
                let exact = (-1.0 as $T).exp();
                assert!((found.y0[0] - exact).abs() <= $digits, "1e{exponent}: {}", found.y0[0]);
                assert!((found.loss / size - exact).abs() <= $digits, "1e{exponent}");
            }
        };
    }
    check!(f64, 1e-9, [-270, -100, -10, 0, 10, 100, 300]);
    check!(f32, 1e-5, [-30, -10, 0, 10, 30, 36]);
}

/// In single precision a solution ends where its numbers end, and not where a grid does.
#[test]
fn the_end_of_single_precision() {
    let problem = Problem::new(Linear::<f32> { rate: 1.0, b: 0.0 }, [1e30], 0.0..30.0);
    let loss = component(0);
    let solver = Solver::new(Rk4).fixed_step(0.1);
    let run = |strategy: Exact| {
        solver.strategy(strategy).gradient(&problem, SaveAt::end(), &loss).unwrap_err()
    };
    for strategy in [Exact::default(), Exact::default().quantum(9e21)] {
        let error = run(strategy);
        let SolveError::NotFinite { last_good, .. } = error else { panic!("{error}") };
        // 1e30 e^t is the largest number at t = 19.6.
        assert!((19.0..20.0).contains(&last_good), "{error}");
    }
    let error = run(Exact::default().quantum(1e22));
    assert!(matches!(error, SolveError::InvalidArgument { argument: "quantum", .. }), "{error}");
}

/// Units of length and time, in metres and seconds.
#[derive(Debug, Clone, Copy)]
struct Units {
    length: f64,
    time: f64,
}

const SI: Units = Units { length: 1.0, time: 1.0 };

/// Powers of two near the astronomical unit and 97 days, so that changing units is exact.
const OF_ORDER_ONE: Units = Units { length: (1_u64 << 37) as f64, time: (1_u64 << 23) as f64 };

/// A part of the earth's orbit from its perihelion, which lies on the x axis.
fn earth(units: Units) -> Problem<f64, Kepler> {
    let Units { length, time } = units;
    let (mass, semi_axis, eccentricity) = (1.327_124_4e20, 1.495_98e11, 0.0167);
    let mass = mass / length / length / length * time * time;
    let x = semi_axis / length * (1.0 - eccentricity);
    let v = (mass / x * (1.0 + eccentricity)).sqrt();
    Problem::new(Kepler { mass }, [x, 0.0, 0.0, v], 0.0..1.125 * OF_ORDER_ONE.time / time)
}

/// The gradient of a loss without units, in units of order 1.
fn earth_gradient<M, C, G>(units: Units, solver: &Solver<M, C, G>) -> Vec<f64>
where
    M: MethodVjp<f64, Kepler>,
    C: StepControl<f64, Kepler, M>,
    G: Strategy,
{
    let length = units.length / OF_ORDER_ONE.length;
    let time = units.time / OF_ORDER_ONE.time;
    let scale = Vector4::new(length, length, length / time, length / time);
    let value = move |y: &Vector4<f64>| y.component_mul(&scale).norm_squared();
    let cotangent = move |y: &Vector4<f64>| 2.0 * y.component_mul(&scale).component_mul(&scale);
    let loss = Terminal::new(value, cotangent);
    let found = solver.gradient(&earth(units), SaveAt::end(), &loss).unwrap();
    let mass = found.model.mass / (length * length * length) * (time * time);
    found.y0.component_div(&scale).iter().copied().chain([mass]).collect()
}

/// Each component has its own quantum: in metres and seconds, 1.5e11 and 3e4, the gradient is what it is in
/// units of order 1, to the last bit, with fixed steps.
#[test]
fn badly_scaled_states() {
    let fixed = |units: Units| {
        let solver = Solver::new(Rk4).fixed_step(OF_ORDER_ONE.time / 128.0 / units.time);
        let exact = Exact::default();
        [
            earth_gradient(units, &solver.strategy(exact)),
            // κ = 10 per 97 days.
            earth_gradient(
                units,
                &solver.strategy(exact.rate(10.0 * units.time / OF_ORDER_ONE.time)),
            ),
            earth_gradient(units, &solver.strategy(StoreAll)),
        ]
    };
    let found = fixed(SI);
    assert_eq!(found, fixed(OF_ORDER_ONE));
    for exact in &found[..2] {
        let off = difference(exact, &found[2]);
        println!("RK4: {off:.1e}");
        // Two discretisations of order 4, h = 1/128: measured 1.9e-10.
        assert!(off < 1e-9, "{off:e}");
    }
    // With the same relative tolerance and an absolute one that is small in either units.
    for (units, atol) in [(SI, 1e-4), (OF_ORDER_ONE, 1e-10)] {
        let solver = Solver::new(Tsit5).tolerance(1e-9, atol);
        let exact = earth_gradient(units, &solver.strategy(Exact::default()));
        let off = difference(&exact, &earth_gradient(units, &solver.strategy(StoreAll)));
        println!("Tsit5: {off:.1e}");
        // Ten tolerances; measured 1.7e-9 and 4.3e-10.
        assert!(off < 1e-8, "{off:e}");
    }
}

ode! {
    struct Driven {
        state  { x, y }
        params { weight }
    }
    dx/dt = -x;
    dy/dt = weight * x - y;
}

/// What the step-size control may neglect a loss may not: a component that is far below the absolute tolerance
/// all the way, beside one that is not. (It was rounded to a part of that tolerance.)
#[test]
fn sizes_below_the_tolerance() {
    let (size, atol) = (1e-9, 1e-4);
    let problem = Problem::new(Driven { weight: size }, [1.0, -0.7 * size], 0.0..3.0);
    let loss = Terminal::new(
        |y: &Vector2<f64>| (y[1] / size).powi(2),
        |y: &Vector2<f64>| Vector2::new(0.0, 2.0 * y[1] / size / size),
    );
    let solver = Solver::new(Tsit5).tolerance(1e-6, atol);
    let exact = solver.strategy(Exact::default()).gradient(&problem, SaveAt::end(), &loss).unwrap();
    let plain = solver.strategy(StoreAll).gradient(&problem, SaveAt::end(), &loss).unwrap();
    let scaled = |found: &Gradient<Driven, Vector2<f64>, f64>| [found.y0[0], found.y0[1] * size];
    let off = difference(&scaled(&exact), &scaled(&plain));
    println!("{off:.1e}");
    // Ten tolerances.
    assert!(off < 10.0 * atol, "{off:e}");
}

/// Components that start from 0, each with a size of its own from 1e-12 to 1e12 that shows on the way.
#[derive(Debug, Clone)]
struct FromZero {
    rate: f64,
    evaluations: Cell<u32>,
}

fn amplitude(i: usize) -> f64 {
    10_f64.powf(0.5 * i as f64 - 12.0)
}

impl VectorField<f64> for FromZero {
    type State = DVector<f64>;
    fn eval(&self, t: f64, y: &DVector<f64>, dy: &mut DVector<f64>) {
        self.evaluations.set(self.evaluations.get() + 1);
        for (i, (dy, y)) in dy.iter_mut().zip(y.iter()).enumerate() {
            *dy = amplitude(i) * (t + 0.1 * i as f64).cos() - self.rate * y;
        }
    }
}

parameters!(FromZero: rate);

impl FieldVjp<f64> for FromZero {
    type Tape = ();
    fn tape(&self) {}
    fn vjp(
        &self,
        _: f64,
        y: &DVector<f64>,
        (): &mut (),
        dy_bar: &DVector<f64>,
        y_bar: &mut DVector<f64>,
        model_bar: &mut Self,
    ) -> f64 {
        *y_bar = -self.rate * dy_bar;
        model_bar.rate -= y.dot(dy_bar);
        0.0
    }
}

#[test]
fn sizes_that_show_on_the_way_take_one_run() {
    let n = 49;
    let field = FromZero { rate: 0.5, evaluations: Cell::new(0) };
    let problem = Problem::new(field, DVector::zeros(n), 0.0..10.0);
    let weight = |i: usize| 1.0 / amplitude(i);
    let value = move |y: &DVector<f64>| y.iter().enumerate().map(|(i, y)| weight(i) * y).sum();
    let cotangent = move |y: &DVector<f64>| DVector::from_fn(y.len(), |i, _| weight(i));
    let loss = Terminal::new(value, cotangent);
    let solver = Solver::new(Rk4).fixed_step(0.01);
    let found = solver.strategy(Exact::default()).gradient(&problem, SaveAt::end(), &loss).unwrap();
    let all = problem.field.evaluations.get();
    let plain = solver.strategy(StoreAll).gradient(&problem, SaveAt::end(), &loss).unwrap();
    // All components count alike in the loss, so that one that were rounded too coarsely would show.
    let off = |a: f64, b: f64| (a / b - 1.0).abs();
    let (loss, rate) = (off(found.loss, plain.loss), off(found.model.rate, plain.model.rate));
    println!("{loss:.1e}, {rate:.1e}");
    // RK4's own error at this step size: 1e-9 and less.
    assert!(loss < 1e-9 && rate < 1e-9, "{loss:e} {rate:e}");
    assert_eq!(u64::from(all), found.stats.evaluations);
}

/// In single precision: the gradient of the stored states to the last bit, and that of double precision but
/// for rounding. (The sums on the grid are not rounded, so that it is closer to it than the plain method's:
/// 7e-5 and 3e-4 for van der Pol's equation at T = 30.)
#[test]
fn single_precision() {
    macro_rules! check {
        ($Field:ident { $($name:ident: $value:expr),* }, $y0:expr, $end:expr) => {
            macro_rules! gradient {
                ($T:ident, $strategy:expr) => {{
                    let problem = Problem::new($Field::<$T> { $($name: $value),* }, $y0, 0.0..$end);
                    let solver = Solver::new(Rk4).fixed_step(0.01).strategy($strategy);
                    flat(&solver.gradient(&problem, SaveAt::end(), &squared_length()).unwrap())
                }};
            }
            let exact = gradient!(f32, Exact::default());
            assert_eq!(exact, gradient!(f32, StoreAll.along(Exact::default())));
            let double = gradient!(f64, StoreAll);
            let off = difference(&exact, &double);
            let plain = difference(&gradient!(f32, StoreAll), &double);
            println!("single precision, T = {}: {off:.1e}, plain {plain:.1e}", $end);
            // One rounding of the field in each step.
            assert!(off < f64::from(f32::EPSILON) * $end / 0.01, "{off:e}");
        };
    }
    check!(LotkaVolterra { alpha: 1.5, beta: 1.0, delta: 1.0, gamma: 3.0 }, [1.0, 1.0], 3.0);
    check!(LotkaVolterra { alpha: 1.5, beta: 1.0, delta: 1.0, gamma: 3.0 }, [1.0, 1.0], 30.0);
    check!(VanDerPol { mu: 1.0 }, [2.0, 0.0], 3.0);
    check!(VanDerPol { mu: 1.0 }, [2.0, 0.0], 30.0);
}

/// Too small a rate is made up for: on a contraction at 30, at the edge of what Runge–Kutta 4 is stable for, the
/// derivative with respect to the start is 1e-95. (It was 4e-3, and the solution off by 2e-3.)
#[test]
fn a_rate_that_is_too_small() {
    let problem = Problem::new(Linear::<f64> { rate: -30.0, b: 30.0 }, [1.5], 0.0..30.0);
    let loss = component(0);
    let solver = Solver::new(Rk4).fixed_step(0.08);
    for rate in [0.0, 5.0, 10.0] {
        let strategy = Exact::default().rate(rate);
        let exact = solver.strategy(strategy).gradient(&problem, SaveAt::end(), &loss).unwrap();
        let stored = solver.strategy(StoreAll.along(strategy));
        let stored = stored.gradient(&problem, SaveAt::end(), &loss).unwrap();
        assert_eq!((exact.loss, exact.y0, &exact.model), (stored.loss, stored.y0, &stored.model));
        // What is left are the grid's quanta, 2⁻⁴⁴ of the start, amplified by the halves of a step.
        assert!((exact.loss - 1.0).abs() < 1e-11, "{rate}: {:e}", exact.loss - 1.0);
        assert!(exact.y0[0].abs() < 1e-60, "{rate}: {:e}", exact.y0[0]);
    }
}

/// The gradient of `ln` of the product of all components, of a single solve: that of the stored states to the
/// last bit, and `expected` up to the error of the method.
fn check_growth<T, F, M, C>(solver: Solver<M, C>, problem: &Problem<T, F>, expected: &[f64])
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F> + Copy,
    C: StepControl<T, F, M> + Copy,
{
    let loss = Terminal::new(
        |y: &F::State| y.as_slice().iter().fold(T::ZERO, |sum, y| sum + y.ln()),
        |y: &F::State| {
            let mut bar = y.zeros_like();
            let pairs = bar.as_mut_slice().iter_mut().zip(y.as_slice());
            pairs.for_each(|(bar, y)| *bar = T::ONE / *y);
            bar
        },
    );
    // (A loss that amplifies what steps are off by would be confirmed by a second solve.)
    let solver = solver.unchecked();
    let exact = solver.strategy(Exact::default());
    let Stats { accepted, rejected, .. } =
        exact.gradient(problem, SaveAt::end(), &loss).unwrap().stats;
    // A second solve would begin within that number of steps, and end in `StepLimit`.
    let exact = exact.max_steps(accepted + rejected);
    let found = exact.gradient(problem, SaveAt::end(), &loss).unwrap();
    let stored = solver.strategy(StoreAll.along(Exact::default()));
    let stored = stored.gradient(problem, SaveAt::end(), &loss).unwrap();
    assert_eq!((found.loss, flat(&found)), (stored.loss, flat(&stored)));
    let off = |(found, expected): (f64, &f64)| (found / expected - 1.0).abs();
    let off = largest(flat(&found).into_iter().zip(expected).map(off));
    println!("{off:.1e}, {} bytes; {}", found.stats.bytes_kept, found.stats);
    assert!(off < 1e4 * T::EPSILON.to_f64().max(1e-11), "{off:e}: {:?}", flat(&found));
}

/// A component goes on on coarser grids as it grows, within one solve.
#[test]
fn growth_goes_on_on_coarser_grids() {
    for (start, end) in [(1.0, 1e6_f64), (1e-10, 1e10), (1e-200, 1e200)] {
        let time = end.ln() - f64::ln(start);
        let problem = Problem::new(Linear { rate: 1.0, b: 0.0 }, [start], 0.0..time);
        let expected = [1.0 / start, time, (1.0 - start / end) / start];
        check_growth(Solver::new(Rk4).fixed_step(0.01), &problem, &expected);
        if start >= 1e-10 {
            check_growth(Solver::new(Tsit5).tolerance(1e-9, 1e-9 * start), &problem, &expected);
        }
        // Beyond the grid at once, from each step to the next.
        check_growth(Solver::new(Euler).fixed_step(time / 2.0), &problem, &[]);
    }
    let problem = Problem::new(Linear::<f32> { rate: 1.0, b: 0.0 }, [1e-20], 0.0..80.0);
    let expected = [1e20, 80.0, 1e20];
    check_growth(Solver::new(Rk4).fixed_step(0.01), &problem, &expected);
    check_growth(Solver::new(Tsit5).tolerance(1e-5, 1e-30), &problem, &expected);
}

#[test]
fn growth_from_zero() {
    for (b, time) in [(1.0, 20.0), (1e-10, 20.0), (1e10, 400.0)] {
        let problem = Problem::new(Linear { rate: 1.0, b }, [0.0], 0.0..time);
        let grown = 1.0 / (1.0 - (-time).exp());
        let expected = [grown / b, time * grown - 1.0, 1.0 / b];
        check_growth(Solver::new(Rk4).fixed_step(0.01), &problem, &expected);
        check_growth(Solver::new(Tsit5).tolerance(1e-9, 1e-9 * b), &problem, &expected);
    }
}

ode! {
    /// Each grows while the other one rests.
    struct Alternately {
        state  { x, y }
        params { k }
    }
    dx/dt = k * x * (1 + sin(t));
    dy/dt = k * y * (1 - sin(t));
}

#[test]
fn two_components_grow_alternately() {
    let problem = Problem::new(Alternately { k: 2.0 }, [1e-3, 1e5], 0.0..25.0);
    let expected = [1e3, 1e-5, 50.0];
    check_growth(Solver::new(Rk4).fixed_step(0.005), &problem, &expected);
    check_growth(Solver::new(Tsit5).tolerance(1e-9, 1e-12), &problem, &expected);
}
