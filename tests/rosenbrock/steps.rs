//! What a step is: order, interpolant, nodes, failures, sides.

use revode::nalgebra::{DVector, SVector, Vector2};
use revode::prelude::*;
use revode::{Method, Real, Rosenbrock};

use crate::{Driven, Ros4, each_method, slope};

ode! {
    /// Decay along a chain, on the heap.
    struct Chain {
        dims   { n }
        state  { u: [n] }
        params { rate: [n], w: [n, n] }
    }
    du/dt = w @ u - rate * u;
}

#[test]
fn methods_have_their_orders() {
    let problem = Problem::new(Driven { k: 0.7 }, [1.0, 0.0], 0.0..2.0);
    macro_rules! check {
        ($M:ident) => {
            let error = |h: f64| {
                let y = Solver::new($M).fixed_step(h).solve(&problem, SaveAt::end()).unwrap().y[0];
                (y - Vector2::new(Real::cos(2.0), -Real::sin(2.0))).norm()
            };
            let found = slope(error, 40.0);
            assert!((found - f64::from($M::ORDER)).abs() < 0.15, "{} {found}", $M::NAME);
        };
    }
    each_method!(check);
}

/// The error of a step that the embedded method shows.
#[test]
fn embedded_methods_have_their_orders() {
    let field = Driven { k: 0.7 };
    macro_rules! check {
        ($M:ident) => {
            let error = |h: f64| {
                use revode::EmbeddedMethod;
                let u = Vector2::new(Real::cos(0.3), -Real::sin(0.3));
                let mut stages = Method::<f64, Driven>::stages(&$M, &field, &u);
                let (mut psi, mut error) = (u, u);
                let step = revode::Step::new(0, 0.3, h);
                $M.increment_with_error(&field, step, &u, &mut stages, &mut psi, &mut error)
                    .unwrap();
                let exact = Vector2::new(Real::cos(0.3 + h), -Real::sin(0.3 + h));
                (u + psi - error - exact).norm()
            };
            let (found, order) = (slope(error, 20.0), $M::EMBEDDED_ORDER.unwrap());
            assert!((found - f64::from(order + 1)).abs() < 0.2, "{} {found}", $M::NAME);
        };
    }
    each_method!(check);
}

/// The literature's nodes and factors of the time derivative, which follow from the other coefficients.
#[test]
fn nodes_are_those_of_the_literature() {
    let near = |found: &[f64], expected: &[f64]| {
        assert_eq!(found.len(), expected.len());
        assert!(found.iter().zip(expected).all(|(x, y)| (x - y).abs() < 1e-13), "{found:?}");
    };
    near(Rodas3::NODES, &[0.0, 0.0, 1.0, 1.0]);
    near(Rodas3::TIME_FACTORS, &[0.5, 1.5, 0.0, 0.0]);
    near(Rodas4::NODES, &[0.0, 0.386, 0.21, 0.63, 1.0, 1.0]);
    near(Rodas4::TIME_FACTORS, &[0.25, -0.1043, 0.1035, -0.0362, 0.0, 0.0]);
    let nodes = [
        0.0,
        0.635_812_689_582_870_4,
        0.409_579_839_339_753_5,
        0.976_930_672_506_071_6,
        0.428_840_360_955_866_4,
        1.0,
        1.0,
        1.0,
    ];
    near(Rodas5P::NODES, &nodes);
    let gammas = [
        0.211_937_563_194_290_14,
        -0.423_875_126_388_580_27,
        -0.338_462_712_623_592_4,
        1.804_645_287_288_273_4,
        2.325_825_639_765_069,
        0.0,
        0.0,
        0.0,
    ];
    near(Rodas5P::TIME_FACTORS, &gammas);
    near(Ros3P::M, &[2.0, 0.577_350_269_189_625_8, 0.422_649_730_810_374_2]);
}

/// A node beyond the end is where the stage is.
#[test]
fn a_node_may_be_beyond_the_end() {
    assert!(Ros4::NODES[1] > 1.1, "{:?}", Ros4::NODES);
    let problem = Problem::new(Driven { k: 0.7 }, [1.0, 0.0], 0.0..2.0);
    let error = |h: f64| {
        let y = Solver::new(Ros4).fixed_step(h).solve(&problem, SaveAt::end()).unwrap().y[0];
        (y - Vector2::new(Real::cos(2.0), -Real::sin(2.0))).norm()
    };
    let found = slope(error, 60.0);
    assert!((found - 4.0).abs() < 0.2, "{found}");
}

#[test]
fn backward_in_time_and_in_single_precision() {
    macro_rules! check {
        ($M:ident) => {
            let there = Problem::new(Driven { k: 0.3 }, [1.0, 0.0], 0.0..2.0);
            let solver = Solver::new($M).tolerance(1e-8, 1e-8);
            let y = solver.solve(&there, SaveAt::end()).unwrap().y[0];
            let back = Problem::new(Driven { k: 0.3 }, y, 2.0..0.0);
            let y0 = solver.solve(&back, SaveAt::end()).unwrap().y[0];
            assert!((y0 - Vector2::new(1.0, 0.0)).amax() < 1e-5, "{} {y0}", $M::NAME);
            let y0: SVector<f32, 2> = Vector2::new(1.0, 0.0);
            let single = Problem::new(Driven { k: 0.3_f32 }, y0, 0.0..2.0);
            let found =
                Solver::new($M).tolerance(1e-4, 1e-4).solve(&single, SaveAt::end()).unwrap();
            assert!((found.y[0] - y.map(|y| y as f32)).amax() < 1e-2, "{}", $M::NAME);
        };
    }
    each_method!(check);
}

/// States on the heap. (The embedded method of ROS3P damps what is infinitely stiff as the method does, and does not see the
/// transient.)
#[test]
fn states_on_the_heap() {
    let n = 30;
    let rate = DVector::from_fn(n, |i, _| 10_f64.powi(i as i32 % 4));
    let w = revode::nalgebra::DMatrix::from_fn(n, n, |i, j| if i == j + 1 { 1.0 } else { 0.0 });
    let chain = Chain::new(rate.clone(), w.clone()).unwrap();
    let y0 = DVector::from_element(n, 1.0);
    let problem = Problem::new(chain, y0.clone(), 0.0..1.0);
    let right = Solver::new(Dopri8).tolerance(1e-11, 1e-13).max_steps(10_000_000);
    let right = right.solve(&problem, SaveAt::end()).unwrap().y[0].clone();
    macro_rules! check {
        ($M:ident) => {
            let end = Solver::new($M).tolerance(1e-6, 1e-9).solve(&problem, SaveAt::end()).unwrap();
            let off = (&end.y[0] - &right).amax();
            assert!(off < 1e-5 && end.stats.accepted < 3000, "{} {off:e} {}", $M::NAME, end.stats);
        };
    }
    check!(Rodas3);
    check!(Rodas4);
    check!(Rodas5P);
}

/// A matrix that is singular makes a step fail: tried again with another size, or an error with fixed steps.
#[test]
fn a_singular_matrix_is_a_step_that_fails() {
    ode! { struct Growth { state { y } params { rate } } dy/dt = rate * y; }
    // W = 1/(hγ) − rate is 0 for this step.
    let h = 0.5;
    let problem = Problem::new(Growth { rate: 1.0 / (h * 0.25) }, [1.0], 0.0..1.0);
    let error = Solver::new(Rodas4).fixed_step(h).solve(&problem, SaveAt::end()).unwrap_err();
    assert!(matches!(error, SolveError::StepFailed { .. }), "{error}");
    assert!(error.to_string().contains("singular"), "{error}");
    let solver = Solver::new(Rodas4).tolerance(1e-8, 1e-8).first_step(h);
    let end = solver.solve(&problem, SaveAt::end()).unwrap();
    assert!((end.y[0].x / 8_f64.exp() - 1.0).abs() < 1e-5, "{}", end.y[0]);
    // A Jacobian that is not a number.
    ode! { struct Root { state { y } params { k } } dy/dt = -k * sqrt(y); }
    let problem = Problem::new(Root { k: 1.0 }, [0.0], 0.0..1.0);
    let error = Solver::new(Rodas4).fixed_step(h).solve(&problem, SaveAt::end()).unwrap_err();
    assert!(error.to_string().contains("not finite"), "{error}");
}

/// What is stiff on one side of a jump only: the matrix is that of the side on which the step is.
#[test]
fn the_matrix_is_on_the_side_of_the_step() {
    ode! {
        struct Switched {
            state  { y }
            params { rate, at }
        }
        dy/dt = -rate * heaviside(t - at) * (y - 1) - signum(at - t) * y;
    }
    let problem = Problem::new(Switched { rate: 1e8, at: 1.0 }, [2.0], 0.0..2.0);
    for solver in
        [Solver::new(Rodas4).tolerance(1e-6, 1e-6), Solver::new(Rodas4).tolerance(1e-8, 1e-8)]
    {
        let end = solver.solve(&problem, SaveAt::end()).unwrap();
        // After the jump `y` is where `rate (y − 1) = y`.
        assert!((end.y[0].x - 1.0).abs() < 1e-6, "{}", end.y[0]);
        assert!(end.stats.rejected < 20, "{}", end.stats);
    }
    // A step of any size after it is stable.
    let end = Solver::new(Rodas4).fixed_step(0.25).solve(&problem, SaveAt::end()).unwrap();
    assert!((end.y[0].x - 1.0).abs() < 1e-5, "{}", end.y[0]);
    // From there on the derivative by the parameters is that of the balance.
    let one = Terminal::new(|y: &SVector<f64, 1>| y.x, |_: &SVector<f64, 1>| SVector::from([1.0]));
    let solver = Solver::new(Rodas4).tolerance(1e-8, 1e-8);
    let fit = solver.gradient(&problem, SaveAt::end(), &one).unwrap();
    assert!(fit.y0.x.abs() < 1e-12 && (fit.model.rate + 1e-16).abs() < 1e-18, "{:?}", fit.model);
}
