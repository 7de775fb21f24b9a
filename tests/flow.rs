//! What the stages of a step do not see, and what the flow hands on: hidden jumps, layers narrower than a step, and
//! losses that amplify the error of the solution. (`docs/gradient-error.md`.)

use revode::prelude::*;
use revode_testing::loss::component;

ode! {
    /// Dry friction without `signum`.
    struct Friction {
        state  { x, v }
        params { k, mu }
    }
    dx/dt = v;
    dv/dt = -k * x - mu * v / sqrt(v^2);
}

ode! {
    /// A layer of the width `1/sharp` in which the field changes from -0.5 to -1.5.
    struct Layer {
        state  { y }
        params { sharp }
    }
    dy/dt = -1 - 0.5 * tanh(sharp * (y - 1));
}

ode! {
    /// Thermal runaway: `exp(-y0) - exp(-y) = t`.
    struct Runaway {
        state  { y }
        params { rate }
    }
    dy/dt = rate * exp(y);
}

ode! {
    /// Driven, so that the cotangent of time takes part.
    struct Driven {
        state  { x, v }
        params { omega, damping, force }
    }
    dx/dt = v;
    dv/dt = -omega^2 * sin(x) - damping * v + force * cos(2 * t);
}

/// An error that names the place, whatever the strategy and the tolerance.
fn assert_missed<F: FieldVjp<f64>>(problem: &Problem<f64, F>, near: std::ops::Range<f64>) {
    for tolerance in [1e-3, 1e-4, 1e-6] {
        let solver = Solver::new(Tsit5).tolerance(tolerance, tolerance).gradient_tolerance(1e-2);
        macro_rules! check {
            ($($strategy:expr),*) => {$(
                // At the end, and within every step.
                for save in [SaveAt::end(), SaveAt::every(0.003)] {
                    let solver = solver.strategy($strategy);
                    let error = match solver.gradient(problem, save, &component(0)) {
                        Ok(fit) => panic!("{tolerance:e}: {:?}", fit.y0),
                        Err(error) => error,
                    };
                    let SolveError::GradientInaccurate { t, missed, .. } = error else {
                        panic!("{error}");
                    };
                    assert!(missed && near.contains(&t), "{tolerance:e}: {error}");
                    assert!(error.to_string().contains("changes by more than its derivatives say"));
                }
            )*};
        }
        check!(Auto::default(), Guarded::default(), Exact::default());
    }
}

/// The velocity changes its sign at the turning points; the first one is near a quarter of a period.
#[test]
fn a_jump_that_no_switching_function_shows_is_an_error() {
    let friction = Friction { k: 1.0, mu: 0.1 };
    assert_missed(&Problem::new(friction, [1.0, 0.5], 0.0..4.0), 0.3..4.0);
}

/// `y` comes to 1 at `t = 2/3`: a layer of 1e-9 is passed within one step, whatever its stages.
#[test]
fn a_layer_narrower_than_a_step_is_an_error() {
    assert_missed(&Problem::new(Layer { sharp: 1e9 }, [2.0], 0.0..3.0), 0.6..0.7);
}

/// A wide one is followed: `dy(3)/dy0 = f(y(3))/f(y0) = 0.5/1.5` as both ends are outside of it.
#[test]
fn a_layer_as_wide_as_steps_is_followed() {
    let problem = Problem::new(Layer { sharp: 30.0 }, [2.0], 0.0..3.0);
    let fit = Solver::new(Tsit5).gradient(&problem, SaveAt::end(), &component(0)).unwrap();
    assert!((fit.y0[0] - 1.0 / 3.0).abs() < 1e-3, "{:?}", fit.y0);
}

/// `y(T) = −ln(1 − T)` and `∂y(T)/∂y0 = 1/(1 − T)`, 10,000 times what is put in: at 1e-6 a solve is off by 0.3 %, its
/// gradient by 2 %, and the estimate along that solution by 1e-4.
#[test]
fn a_loss_that_amplifies_the_error_of_the_solution_is_confirmed() {
    let problem = Problem::new(Runaway { rate: 1.0 }, [0.0], 0.0..0.9999);
    let solver = Solver::new(Tsit5).tolerance(1e-6, 1e-6);
    let fit = solver.gradient(&problem, SaveAt::end(), &component(0)).unwrap();
    let off = (fit.y0[0] / 1e4 - 1.0).abs();
    println!("{off:.1e}, {}", fit.stats);
    assert!(fit.stats.refinements > 0 && off < 1e-3, "{off:e}, {}", fit.stats);
    let unchecked = solver.unchecked().gradient(&problem, SaveAt::end(), &component(0)).unwrap();
    assert!((unchecked.y0[0] / 1e4 - 1.0).abs() > 1e-2);
}

/// A driven field, forward in time and backward, with save points on the way: nothing is missed, and nothing confirmed.
#[test]
fn what_is_resolved_is_handed_on() {
    let field = Driven { omega: 2.0, damping: 0.1, force: 1.0 };
    for span in [0.0..5.0, 5.0..0.0] {
        let problem = Problem::new(field.clone(), [1.0, 0.0], span);
        for tolerance in [1e-6, 1e-8, 1e-10] {
            let solver = Solver::new(Tsit5).tolerance(tolerance, tolerance);
            macro_rules! check {
                ($($strategy:expr),*) => {$({
                    let solver = solver.strategy($strategy);
                    let fit = solver.gradient(&problem, SaveAt::every(0.05), &component(0)).unwrap();
                    let estimate = fit.stats.gradient_error.unwrap();
                    assert!(fit.stats.refinements == 0 && estimate < tolerance.sqrt(), "{}", fit.stats);
                })*};
            }
            check!(StoreAll, Guarded::default(), Exact::default(), Checkpointed::slots(5));
        }
    }
}

ode! {
    /// Switched at a time that nothing moves.
    struct Switched {
        state  { y }
        params { k, amp }
    }
    dy/dt = -k * y + amp * signum(t - 1);
}

/// Where a step ends on a jump in time exactly, whatever side the field is evaluated on there.
#[test]
fn jumps_in_time_at_a_stop_are_not_missed() {
    for span in [0.0..2.0, 0.0..1.0, 1.0..2.0, 2.0..0.0, 2.0..1.0, 1.0..0.0] {
        let problem = Problem::new(Switched { k: 0.5, amp: 1.0 }, [1.0], span.clone());
        for (save, at) in [(SaveAt::end(), span.end), (SaveAt::times([1.0]), 1.0)] {
            let solver = Solver::new(Tsit5).tolerance(1e-8, 1e-8);
            let fit = solver.gradient(&problem, save, &component(0)).unwrap();
            let off = (fit.y0[0] - (-0.5 * (at - span.start)).exp()).abs();
            assert!(off < 1e-6, "{span:?}, {at}: {off:e}");
        }
    }
}

ode! {
    /// Its derivative with respect to time is infinite at the start.
    struct Root {
        state  { y }
        params { k }
    }
    dy/dt = k * sqrt(t) - y;
}

#[test]
fn an_infinite_derivative_in_time_says_nothing() {
    let problem = Problem::new(Root { k: 1.0 }, [1.0], 0.0..2.0);
    let solver = Solver::new(Tsit5).tolerance(1e-6, 1e-6);
    let fit = solver.gradient(&problem, SaveAt::end(), &component(0)).unwrap();
    assert!((fit.y0[0] - (-2_f64).exp()).abs() < 1e-5, "{:?}", fit.y0);
}
