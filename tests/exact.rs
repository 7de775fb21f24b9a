//! Exact reversal in its corners: the ends of the grid, badly scaled states, single precision. Always the
//! gradient of the stored states, to the last bit, or an error that says what is wrong.

use revode::nalgebra::Vector1;
use revode::prelude::*;

ode! {
    struct Linear {
        state  { y }
        params { rate, b }
    }
    dy/dt = rate * y + b;
}

/// Solutions that grow and change sign come to the end of the grid with increments twice as long as it.
/// (Rounded by a subtraction that is exact only up to the grid's end, they were multiples of half a quantum,
/// and the halves were lost.)
#[test]
fn the_end_of_the_grid() {
    let mut counts = [0; 2];
    let loss = Terminal::new(|y: &Vector1<f64>| y[0], |_: &Vector1<f64>| Vector1::new(1.0));
    let solver = Solver::new(Heun).fixed_step(1.0);
    for k in 0..600 {
        let size = 1.01_f64.powi(k);
        let field = Linear { rate: -2.296, b: 0.616 * size };
        let problem = Problem::new(field, [-0.218 * size], 0.0..7.0);
        for strategy in [Exact::default(), Exact::default().rate(1.0)] {
            let strategy = strategy.quantum(2_f64.powi(-44));
            let exact = solver.strategy(strategy).gradient(&problem, SaveAt::end(), &loss);
            let stored = solver.strategy(StoreAll.along(strategy));
            match exact {
                Ok(found) => {
                    counts[0] += 1;
                    let stored = stored.gradient(&problem, SaveAt::end(), &loss).unwrap();
                    assert_eq!((found.y0, found.model.rate), (stored.y0, stored.model.rate));
                }
                Err(error) => {
                    counts[1] += 1;
                    assert!(matches!(error, SolveError::OutOfRange { .. }), "{size}: {error}");
                }
            }
        }
    }
    println!("{counts:?}");
    assert!(counts.iter().all(|count| *count > 100), "{counts:?}");
}

/// A start beyond the grid is found before the first step, also where that would lead back.
#[test]
fn a_start_beyond_the_grid() {
    let problem = Problem::new(Linear { rate: -1.0, b: 0.0 }, [3.0], 2.0..3.0);
    let loss = Terminal::new(|y: &Vector1<f64>| y[0], |_: &Vector1<f64>| Vector1::new(1.0));
    let solver = Solver::new(Euler).fixed_step(1.0).strategy(Exact::default().quantum(1e-15));
    let error = solver.gradient(&problem, SaveAt::end(), &loss).unwrap_err();
    println!("{error}");
    assert!(
        matches!(error, SolveError::OutOfRange { t: 2.0, component: 0, value: 3.0, .. }),
        "{error:?}"
    );
}

/// From the smallest to the largest states, whose grids end at what is finite in their precision.
#[test]
fn sizes_of_every_order() {
    macro_rules! check {
        ($T:ident, $digits:expr, $exponents:expr) => {
            for exponent in $exponents {
                let size = (10.0 as $T).powi(exponent);
                let problem = Problem::new(Linear { rate: -1.0, b: 0.0 }, [size], 0.0..1.0);
                let loss =
                    Terminal::new(|y: &Vector1<$T>| y[0], |_: &Vector1<$T>| Vector1::new(1.0));
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

/// In single precision no number of a grid is infinite to the field.
#[test]
fn the_end_of_single_precision() {
    let problem = Problem::new(Linear::<f32> { rate: 1.0, b: 0.0 }, [1e30], 0.0..30.0);
    let loss = Terminal::new(|y: &Vector1<f32>| y[0], |_: &Vector1<f32>| Vector1::new(1.0));
    let solver = Solver::new(Rk4).fixed_step(0.1);
    let run = |strategy: Exact| {
        solver.strategy(strategy).gradient(&problem, SaveAt::end(), &loss).unwrap_err()
    };
    for strategy in [Exact::default(), Exact::default().quantum(9e21)] {
        let error = run(strategy);
        let SolveError::OutOfRange { value, .. } = error else { panic!("{error}") };
        assert!(value < f64::from(f32::MAX), "{error}");
    }
    let error = run(Exact::default().quantum(1e22));
    assert!(matches!(error, SolveError::InvalidArgument { argument: "quantum", .. }), "{error}");
}
