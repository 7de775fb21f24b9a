//! Gradients: against differences, known derivatives, and of all strategies with each other.

use revode::nalgebra::{SVector, Vector2};
use revode::prelude::*;
use revode::{Method, Rosenbrock};
use revode_testing::dynamics::{Robertson, VanDerPol};

use crate::{Driven, Ros4, each_method};

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
