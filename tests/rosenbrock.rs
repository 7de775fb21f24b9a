//! Rosenbrock methods: their orders, and stiff problems with known answers.

use std::f64::consts::LN_2;

use revode::nalgebra::{DVector, SVector, Vector2};
use revode::prelude::*;
use revode::{ImplicitStability, Method, Real, Rosenbrock};

ode! {
    /// `x = cos t`, `v = −sin t` solve it from (1, 0), whatever `k`: nonlinear, and dependent on time.
    struct Driven {
        state  { x, v }
        params { k }
    }
    dx/dt = v + k * (x^2 + v^2 - 1);
    dv/dt = -x + k * (x * v + sin(t) * cos(t));
}

ode! {
    struct VanDerPol {
        state  { x, v }
        params { mu }
    }
    dx/dt = v;
    dv/dt = mu * ((1 - x^2) * v) - x;
}

ode! {
    struct Robertson {
        state  { a, b, c }
        params { k1, k2, k3 }
    }
    da/dt = -k1 * a + k3 * b * c;
    db/dt = k1 * a - k3 * b * c - k2 * b^2;
    dc/dt = k2 * b^2;
}

ode! {
    /// Prothero and Robinson: `y = sin t` attracts at the rate `lambda`.
    struct Attracted {
        state  { y }
        params { lambda }
    }
    dy/dt = -lambda * (y - sin(t)) + cos(t);
}

ode! {
    /// Decay along a chain, on the heap.
    struct Chain {
        dims   { n }
        state  { u: [n] }
        params { rate: [n], w: [n, n] }
    }
    du/dt = w @ u - rate * u;
}

macro_rules! each_method {
    ($check:ident $(, $argument:expr)*) => {
        $check!(Rodas3 $(, $argument)*);
        $check!(Ros3P $(, $argument)*);
        $check!(Rodas4 $(, $argument)*);
        $check!(Rodas5P $(, $argument)*);
    };
}

/// The slope of the logarithm of the error over that of the step, at steps of `1/n` and `1/2n`.
fn slope(error: impl Fn(f64) -> f64, n: f64) -> f64 {
    (error(1.0 / n) / error(0.5 / n)).ln() / LN_2
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

/// Where it is stiff the order is that of the literature: of Rodas methods at least 3, of ROS3P 2 or more.
#[test]
fn attracted_solutions_are_followed() {
    let problem = Problem::new(Attracted { lambda: 1e6 }, [0.0], 0.0..2.0);
    macro_rules! check {
        ($M:ident) => {
            let error = |h: f64| {
                let y = Solver::new($M).fixed_step(h).solve(&problem, SaveAt::end()).unwrap().y[0];
                (y.x - Real::sin(2.0)).abs()
            };
            let (found, size) = (slope(error, 20.0), error(0.05));
            println!("{} {found} {size:e}", $M::NAME);
            assert!(size < 1e-6, "{} {size:e}", $M::NAME);
        };
    }
    each_method!(check);
}

/// `R(∞) = 0`: one step from far off leads to what attracts.
#[test]
fn what_is_infinitely_stiff_is_gone_after_a_step() {
    let problem = Problem::new(Attracted { lambda: 1e12 }, [1e3], 0.0..1.0);
    macro_rules! check {
        ($M:ident) => {
            let y = Solver::new($M).fixed_step(1.0).solve(&problem, SaveAt::end()).unwrap().y[0].x;
            let is_l = $M::STABILITY == ImplicitStability::L;
            assert_eq!((y - Real::sin(1.0)).abs() < 1.0, is_l, "{} {y}", $M::NAME);
        };
    }
    each_method!(check);
}

/// Steps and end of van der Pol's equation at μ = 1000 (Hairer and Wanner's test set).
#[test]
fn van_der_pol_takes_few_steps() {
    let problem = Problem::new(VanDerPol { mu: 1000.0 }, [2.0, 0.0], 0.0..2000.0);
    for (tolerance, most) in [(1e-4, 220), (1e-6, 620), (1e-8, 2600)] {
        let solver = Solver::new(Rodas4).tolerance(tolerance, tolerance);
        let end = solver.solve(&problem, SaveAt::end()).unwrap();
        let off = (end.y[0].x - 1.706_167_732_170_483).abs();
        println!("{tolerance:e}: {} {off:e}", end.stats);
        // In units of what a step may be off by.
        let off = off / (tolerance * (1.0 + end.y[0].x));
        assert!(end.stats.accepted <= most && off < 2.0, "{} {off}", end.stats);
    }
}

/// Robertson's problem, to 1e11: values of Radau 5 at 1e-11, and of Hairer and Wanner's test set.
#[test]
fn robertson_is_solved_to_the_end() {
    let field = Robertson { k1: 0.04, k2: 3e7, k3: 1e4 };
    let problem = Problem::new(field, [1.0, 0.0, 0.0], 0.0..4.0);
    let ends = [
        (4.0, 0.905_518_679),
        (40.0, 0.715_827_069),
        (1e5, 0.017_865_92),
        (1e11, 2.083_340_149_701_255e-8),
    ];
    for (t1, expected) in ends {
        let problem = Problem { t1, ..problem.clone() };
        macro_rules! check {
            ($M:ident) => {
                let solver = Solver::new($M).tolerance(1e-6, 1e-12);
                let end = solver.solve(&problem, SaveAt::end()).unwrap();
                let off = (end.y[0].x / expected - 1.0).abs();
                // What is conserved is so to rounding.
                assert!((end.y[0].sum() - 1.0).abs() < 1e-13);
                assert!(off < 1e-4, "{} {t1:e} {off:e}", $M::NAME);
                if $M::NAME == "Rodas4" {
                    let most = if t1 > 1e6 { 460 } else { 240 };
                    assert!(end.stats.accepted <= most, "{t1:e} {}", end.stats);
                }
            };
        }
        each_method!(check);
    }
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

/// Between the ends of steps there are the interpolants of `Rodas4` and `Rodas5P`, of order 3 and 4, and the chord. They say
/// little where steps are long because the solution is attracted: so save points are landed on.
#[test]
fn values_between_the_ends_of_steps() {
    macro_rules! check {
        ($M:ident) => {
            let order = $M::DENSE_ORDER;
            let problem = Problem::new(Driven { k: 0.7 }, [1.0, 0.0], 0.0..2.0);
            let solver = Solver::new($M).tolerance(1e-6, 1e-6);
            let [end, every] = [SaveAt::end(), SaveAt::every(0.001)]
                .map(|save| solver.solve(&problem, save).unwrap().stats.accepted);
            assert!(end < 2000 && every >= 2000, "{}", $M::NAME);
            // From exact states, so that the error is that of the interpolant.
            let error = |h: f64| {
                let start = |t: f64| Vector2::new(Real::cos(t), -Real::sin(t));
                let problem = Problem::new(Driven { k: 0.7 }, start(0.3), 0.3..0.3 + h);
                let dense = Solver::new($M).fixed_step(h).solve(&problem, SaveAt::dense()).unwrap();
                let t = 0.3 + 0.4 * h;
                (dense.evaluate(t).unwrap() - start(t)).norm()
            };
            let found = slope(error, 20.0);
            assert!((found - f64::from(order + 1)).abs() < 0.2, "{} {found}", $M::NAME);
            let problem = Problem::new(Attracted { lambda: 1e6 }, [0.0], 0.0..2.0);
            let save = SaveAt::every(0.01);
            let off = |save| {
                let found = solver.solve(&problem, save).unwrap();
                let off = found.t.iter().zip(&found.y).map(|(t, y)| (y.x - Real::sin(*t)).abs());
                off.fold(0.0, f64::max)
            };
            let (landed, read) = (off(save.clone()), off(save.interpolated()));
            println!("{} landed {landed:e} read {read:e}", $M::NAME);
            assert!(landed < 1e-6 && read < 0.1, "{} {landed:e} {read:e}", $M::NAME);
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

/// Events, stops and the stepper need nothing of a method but its steps.
#[test]
fn events_are_found() {
    ode! {
        struct Relaxation {
            state  { x, v }
            params { mu }
        }
        dx/dt = v;
        dv/dt = mu * ((1 - x^2) * v) - x;
        event turns = x, falling;
    }
    let problem = Problem::new(Relaxation { mu: 100.0 }, [2.0, 0.0], 0.0..300.0).stops([10.0]);
    let times = |tolerance: f64| {
        let solver = Solver::new(Rodas5P).tolerance(tolerance, tolerance);
        solver
            .solve(&problem, SaveAt::end())
            .unwrap()
            .events
            .iter()
            .map(|x| x.t)
            .collect::<Vec<_>>()
    };
    let (coarse, fine) = (times(1e-7), times(1e-10));
    assert_eq!((coarse.len(), fine.len()), (2, 2));
    assert!(coarse.iter().zip(&fine).all(|(a, b)| (a - b).abs() < 1e-3), "{coarse:?} {fine:?}");
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

/// The gradient of steps of one size is that of central differences: an equation that is nonlinear in state, time and parameters.
#[test]
fn gradients_are_those_of_central_differences() {
    ode! {
        struct Forced {
            state  { x, v }
            params { k, omega, w: [2, 2] }
        }
        let mixed = w @ concat(x, v);
        dx/dt = v * exp(-k * x) + tanh(mixed[0] * sin(omega * t));
        dv/dt = -k * x^3 / (1 + v^2) + mixed[1] * cos(omega * t) * x;
    }
    let field = |p: &[f64]| Forced {
        k: p[2],
        omega: p[3],
        w: revode::nalgebra::SMatrix::from_column_slice(&p[4..8]),
    };
    let problem = |p: &[f64]| Problem::new(field(p), [p[0], p[1]], p[8]..p[9]);
    let point = [0.7, -0.4, 0.9, 1.3, 0.5, -0.3, 0.8, 0.6, 0.2, 1.4];
    let loss = Terminal::new(
        |y: &SVector<f64, 2>| y.x * y.x + 3.0 * y.y,
        |y: &SVector<f64, 2>| Vector2::new(2.0 * y.x, 3.0),
    );
    macro_rules! check {
        ($M:ident) => {
            for save in [SaveAt::end(), SaveAt::every(0.07).interpolated().without_start()] {
                for strategy in [0, 1] {
                    let steps = Solver::new($M).fixed_step(0.1);
                    let value = |p: &[f64]| {
                        // A span that moves has as many steps.
                        let solver = Solver::new($M).fixed_step((p[9] - p[8]) / 12.0);
                        solver
                            .strategy(StoreAll)
                            .gradient(&problem(p), save.clone(), &loss)
                            .unwrap()
                            .loss
                    };
                    let fit = if strategy == 0 {
                        steps.strategy(StoreAll).gradient(&problem(&point), save.clone(), &loss)
                    } else {
                        steps.strategy(Checkpointed::slots(2)).gradient(
                            &problem(&point),
                            save.clone(),
                            &loss,
                        )
                    }
                    .unwrap();
                    let found = fit.y0.iter().copied().chain(fit.model.slices().flatten().copied());
                    for (i, found) in found.enumerate() {
                        let moved = |h: f64| {
                            let mut p = point;
                            p[i] += h;
                            value(&p)
                        };
                        let difference = |h: f64| (moved(h) - moved(-h)) / (2.0 * h);
                        let expected = (4.0 * difference(1e-3) - difference(2e-3)) / 3.0;
                        let off = (found - expected).abs() / expected.abs().max(1.0);
                        assert!(
                            off < 1e-8,
                            "{} {save:?} {i}: {found} {expected} {off:e}",
                            $M::NAME
                        );
                    }
                }
            }
        };
    }
    each_method!(check);
}

/// Derivatives of Robertson's problem: forward sensitivities by a Radau solver at 1e-11.
#[test]
fn gradients_of_robertson_are_known() {
    let field = Robertson { k1: 0.04, k2: 3e7, k3: 1e4 };
    let first = Terminal::new(
        |y: &SVector<f64, 3>| y.x,
        |_: &SVector<f64, 3>| SVector::from([1.0, 0.0, 0.0]),
    );
    let cases = [
        (4.0, [-1.876_082, -4.933_437e-10, 2.961_377e-6]),
        (40.0, [-4.247_559, -2.288_355e-9, 1.373_081e-5]),
        (1e5, [-0.793_047_1, -5.281_803e-10, 3.169_076e-6]),
    ];
    for (t1, expected) in cases {
        let problem = Problem::new(field.clone(), [1.0, 0.0, 0.0], 0.0..t1);
        macro_rules! check {
            ($M:ident) => {
                let solver = Solver::new($M).tolerance(1e-8, 1e-14);
                let fit = solver.gradient(&problem, SaveAt::end(), &first).unwrap();
                let found = [fit.model.k1, fit.model.k2, fit.model.k3];
                for (found, expected) in found.iter().zip(expected) {
                    let off = (found / expected - 1.0).abs();
                    assert!(off < 1e-5, "{} {t1:e} {found} {expected} {off:e}", $M::NAME);
                }
                if t1 == 4.0 {
                    let expected = [0.920_332_1, 0.543_895_7, 0.543_934_2];
                    let off =
                        fit.y0.iter().zip(expected).map(|(found, right)| (found - right).abs());
                    assert!(off.fold(0.0, f64::max) < 1e-5, "{} {}", $M::NAME, fit.y0);
                }
                println!("{} {t1:e} {}", $M::NAME, fit.stats);
            };
        }
        check!(Rodas4);
        check!(Rodas5P);
    }
}

/// All strategies along one discrete solution have the same gradient, to the bit.
#[test]
fn strategies_agree() {
    let vdp = Problem::new(VanDerPol { mu: 50.0 }, [2.0, 0.0], 0.0..60.0);
    let loss =
        Terminal::new(|y: &SVector<f64, 2>| y.x, |_: &SVector<f64, 2>| Vector2::new(1.0, 0.0));
    macro_rules! check {
        ($M:ident) => {
            let solver = Solver::new($M).tolerance(1e-6, 1e-6).unchecked();
            for save in [SaveAt::end(), SaveAt::every(1.7), SaveAt::every(0.3).interpolated()] {
                macro_rules! by {
                    ($strategy:expr) => {{
                        let fit =
                            solver.strategy($strategy).gradient(&vdp, save.clone(), &loss).unwrap();
                        (fit.loss, fit.y0, fit.model)
                    }};
                }
                let plain = by!(StoreAll);
                assert_eq!(by!(Checkpointed::slots(3)), plain);
                assert_eq!(by!(Auto::default()), plain);
                let guarded = by!(Guarded::default());
                assert_eq!(by!(StoreAll.along(Guarded::default())), guarded);
                assert_eq!(by!(StoreAll.along(Exact::default())), by!(Exact::default()));
            }
        };
    }
    each_method!(check);
}

/// Declared here: the method of order 4 of Hairer and Wanner's code ROS4, which has a node beyond 1. It is called L-stable; with
/// five digits of `γ` it is that to 1.6e-6 only.
#[rosenbrock(
    order = 4, embedded = 3, stability = A, digits = 12,
    gamma = 0.57282,
    a = [
        [],
        [2],
        [1.867943637803922, 0.2344449711399156],
        [1.867943637803922, 0.2344449711399156, 0],
    ],
    c = [
        [],
        [-7.137615036412310],
        [2.580708087951457, 0.6515950076447975],
        [-2.137148994382534, -0.3214669691237626, -0.6949742501781779],
    ],
    m = [2.255570073418735, 0.2870493262186792, 0.4353179431840180, 1.093502252409163],
    m_embedded = [2.537_113_266_632_850_5, 0.359_811_317_468_028_4, 0.543_537_563_333_549_1, 2.187_004_504_818_326],
)]
pub struct Ros4;

/// The VJP of one increment, and of the embedded one, with respect to state, parameters and time, against central differences.
#[test]
fn increments_have_their_vjp() {
    use revode::{EmbeddedMethod, MethodVjp, Step};
    let field = Driven { k: 0.7 };
    let (u, step) = (Vector2::new(0.9, -0.4), Step::new(0, 0.3, 0.4));
    let bars = [Vector2::new(0.8, -1.3), Vector2::new(-0.6, 0.5)];
    macro_rules! check {
        ($M:ident) => {
            let both = |u: &SVector<f64, 2>, k: f64, t: f64| {
                let field = Driven { k };
                let mut stages = Method::<f64, Driven>::stages(&$M, &field, u);
                let (mut psi, mut error) = (*u, *u);
                let step = Step::new(0, t, 0.4);
                $M.increment_with_error(&field, step, u, &mut stages, &mut psi, &mut error)
                    .unwrap();
                [bars[0].dot(&psi), bars[1].dot(&(psi - error))]
            };
            let mut taped = $M.taped(&field, &u);
            let mut psi = u;
            $M.increment_taped(&field, step, &u, &mut taped, &mut psi).unwrap();
            assert_eq!(bars[0].dot(&psi), both(&u, 0.7, 0.3)[0]);
            // It adds.
            let (mut u_bar, mut model) = (Vector2::new(10.0, 20.0), Driven { k: 5.0 });
            let t_bar =
                $M.increment_vjp(&field, step, &mut taped, &bars[0], &mut u_bar, &mut model);
            let found = [u_bar.x - 10.0, u_bar.y - 20.0, model.k - 5.0, t_bar];
            let ([mut u_bar, mut u_hat], mut of, mut hat) =
                ([SVector::zeros(), SVector::zeros()], Driven { k: 0.0 }, Driven { k: 0.0 });
            let again = $M.vjp_with_embedded(
                &field,
                step,
                &mut taped,
                [&bars[0], &bars[1]],
                [&mut u_bar, &mut u_hat],
                [&mut of, &mut hat],
            );
            assert_eq!(again, t_bar);
            assert!((of.k + 5.0 - model.k).abs() < 1e-14);
            let embedded = [u_hat.x, u_hat.y, hat.k];
            let moved = |i: usize, d: f64| {
                let mut u = u;
                let (mut k, mut t) = (0.7, 0.3);
                match i {
                    0 | 1 => u[i] += d,
                    2 => k += d,
                    _ => t += d,
                }
                both(&u, k, t)
            };
            for i in 0..4 {
                let [a, b, c, d] = [1e-3, -1e-3, 2e-3, -2e-3].map(|d| moved(i, d));
                let slope = |n: usize| (8.0 * (a[n] - b[n]) - (c[n] - d[n])) / 12e-3;
                assert!((found[i] - slope(0)).abs() < 1e-9, "{} {i} {}", $M::NAME, found[i]);
                if i < 3 {
                    assert!((embedded[i] - slope(1)).abs() < 1e-9, "{} {i}", $M::NAME);
                }
            }
        };
    }
    each_method!(check);
    check!(Ros4);
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
