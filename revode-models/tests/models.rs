//! Each model against something known of it: a conserved quantity, an equilibrium, a closed form.

use revode::check::check_vjp;
use revode::methods::Dopri5;
use revode::nalgebra::{SMatrix, SVector};
use revode::{FieldVjp, Problem, SaveAt, Solver, State, VectorField};
use revode_models::models::{
    CoupledOscillators, DoublePendulum, Lorenz, LotkaVolterra, Mlp, TimeMlp, VanDerPol, WhiteDwarf,
};
use revode_testing::compare::largest_size;

/// The solution at `times`, with errors of about 1e-9.
fn solve<F: VectorField<f64, State = SVector<f64, N>>, const N: usize>(
    model: F,
    y0: [f64; N],
    start: f64,
    times: &[f64],
) -> Vec<SVector<f64, N>> {
    let problem = Problem::new(model, y0, start..times[times.len() - 1]);
    let solver = Solver::new(Dopri5).tolerance(1e-11, 1e-11);
    let y = solver.solve(&problem, SaveAt::times(times)).unwrap().y;
    assert_eq!(y.len(), times.len());
    y
}

fn eval<F: VectorField<f64>>(model: &F, t: f64, y: &F::State) -> F::State {
    let mut dy = y.zeros_like();
    model.eval(t, y, &mut dy);
    dy
}

#[track_caller]
fn assert_zero<const N: usize>(found: SVector<f64, N>, tolerance: f64) {
    assert!(largest_size(&found) <= tolerance, "{found} is not 0 within {tolerance}");
}

#[track_caller]
fn assert_close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected} within {tolerance}");
}

#[test]
fn lorenz_rests_at_its_three_equilibria() {
    let (sigma, rho, beta) = (10.0, 28.0, 8.0 / 3.0);
    let x = (beta * (rho - 1.0_f64)).sqrt();
    let model = Lorenz { sigma, rho, beta };
    for y in [[0.0; 3], [x, x, rho - 1.0], [-x, -x, rho - 1.0]] {
        // Cancelling terms of up to 230, a rounding or two each.
        assert_zero(eval(&model, 0.0, &y.into()), 1e-13);
    }
    // The divergence of the flow is −(sigma + 1 + beta), by central differences of a quadratic.
    let y = SVector::from([1.0, 2.0, 3.0]);
    let divergence: f64 = (0..3)
        .map(|i| {
            let mut h = SVector::zeros();
            h[i] = 0.5;
            eval(&model, 0.0, &(y + h))[i] - eval(&model, 0.0, &(y - h))[i]
        })
        .sum();
    assert_close(divergence, -(sigma + 1.0 + beta), 1e-13);
}

#[test]
fn lotka_volterra_stays_on_its_curve() {
    let (alpha, beta, delta, gamma) = (1.5, 1.0, 1.0, 3.0);
    let first_integral =
        |y: &SVector<f64, 2>| delta * y[0] - gamma * y[0].ln() + beta * y[1] - alpha * y[1].ln();
    let y = solve(LotkaVolterra { alpha, beta, delta, gamma }, [1.0, 1.0], 0.0, &[2.0, 5.0, 10.0]);
    for y in &y {
        assert_close(first_integral(y), 2.0, 1e-8);
    }
}

#[test]
fn van_der_pol_has_its_known_period() {
    // By a program of Taylor series of order 28, in steps of 0.05, in Python.
    let period = 6.663_286_859_323;
    let y = solve(VanDerPol { mu: 1.0 }, [2.0, 0.0], 0.0, &[50.0, 50.0 + period]);
    // After 50 units the transient, which falls by exp(−7.06) a period, is gone.
    assert_zero(y[1] - y[0], 1e-8);
}

#[test]
fn white_dwarf_without_electrons_at_rest_is_the_polytrope_of_index_3() {
    // The Lane–Emden function of index 3 falls to 0 at 6.89684861937, with the slope −0.04242975786
    // (Horedt, Polytropes, 2004).
    let (start, surface) = (1e-3_f64, 6.896_848_619_37);
    // The series at the centre, 1 − x²/6 + x⁴/40, is good to 1e-19 at 1e-3.
    let y0 =
        [1.0 - start.powi(2) / 6.0 + start.powi(4) / 40.0, -start / 3.0 + start.powi(3) / 10.0];
    let y = solve(WhiteDwarf { c: 0.0 }, y0, start, &[surface]);
    assert_close(y[0][0], 0.0, 1e-9);
    assert_close(y[0][1], -0.042_429_757_86, 1e-9);
    // Beyond the surface there is nothing, instead of the root of a negative number.
    let dy = eval(&WhiteDwarf { c: 0.3 }, 2.0, &[0.5, -0.1].into());
    assert_eq!(dy, SVector::from([-0.1, 0.1]));
}

#[test]
fn double_pendulum_keeps_its_energy() {
    let (l1, l2, m1, m2, g) = (0.7, 1.1, 0.4, 0.9, 9.81);
    let model = DoublePendulum { length1: l1, length2: l2, mass1: m1, mass2: m2, gravity: g };
    // From the positions and velocities of the two masses, not from the equations of motion.
    let energy = |y: &SVector<f64, 4>| {
        let [a, b, u, v] = [y[0], y[1], y[2], y[3]];
        let (y1, y2) = (-l1 * a.cos(), -l1 * a.cos() - l2 * b.cos());
        let (vx1, vy1) = (l1 * u * a.cos(), l1 * u * a.sin());
        let (vx2, vy2) = (vx1 + l2 * v * b.cos(), vy1 + l2 * v * b.sin());
        0.5 * m1 * (vx1 * vx1 + vy1 * vy1)
            + 0.5 * m2 * (vx2 * vx2 + vy2 * vy2)
            + g * (m1 * y1 + m2 * y2)
    };
    let start = [2.0, -1.0, 0.5, 3.0];
    for y in solve(model, start, 0.0, &[1.0, 2.0, 3.0]) {
        // Energies of up to 30 along a chaotic path.
        assert_close(energy(&y), energy(&start.into()), 1e-7);
    }
}

#[test]
fn double_pendulum_with_a_light_lower_mass_swings_like_a_single_one() {
    let model =
        DoublePendulum { length1: 0.5, length2: 0.5, mass1: 1.0, mass2: 0.0, gravity: 9.81 };
    let dy = eval(&model, 0.0, &[0.3, 1.0, -0.2, 0.4].into());
    assert_close(dy[2], -9.81 / 0.5 * 0.3_f64.sin(), 1e-14);
}

#[test]
fn coupled_oscillators_have_their_normal_modes() {
    let (mass, spring, coupling) = (2.0_f64, 3.0_f64, 0.7);
    let model = CoupledOscillators {
        mass1: mass,
        mass2: mass,
        spring1: spring,
        spring2: spring,
        coupling,
        friction: 0.0,
    };
    let t = 4.0;
    let modes = [(1.0, (spring / mass).sqrt()), (-1.0, ((spring + 2.0 * coupling) / mass).sqrt())];
    for (sign, omega) in modes {
        let y = solve(model.clone(), [1.0, sign, 0.0, 0.0], 0.0, &[t])[0];
        let (x, v): (f64, f64) = ((omega * t).cos(), -omega * (omega * t).sin());
        for (found, expected) in y.iter().zip([x, sign * x, v, sign * v]) {
            assert_close(*found, expected, 1e-8);
        }
    }
}

#[test]
fn networks_are_the_formula() {
    let model = Mlp::<2, 3>::random(4);
    let y = SVector::from([0.3, -1.2]);
    // The standard library's tanh and plain loops.
    let by_hand = |shift: [f64; 3]| -> [f64; 2] {
        let hidden: [f64; 3] = std::array::from_fn(|i| {
            let product: f64 = (0..2).map(|j| model.w1[(i, j)] * y[j]).sum();
            (product + model.b1[i] + shift[i]).tanh()
        });
        std::array::from_fn(|i| {
            (0..3).map(|j| model.w2[(i, j)] * hidden[j]).sum::<f64>() + model.b2[i]
        })
    };
    let dy = eval(&model, 0.7, &y);
    // Sums of a few terms below 1, and a tanh that is good to 2 ulp.
    assert_zero(dy - SVector::from(by_hand([0.0; 3])), 2e-15);

    let w0 = SVector::from([0.1, -0.2, 0.3]);
    let Mlp { w1, b1, w2, b2 } = model.clone();
    let dy = eval(&TimeMlp { w0, w1, b1, w2, b2 }, 0.7, &y);
    let expected = by_hand([0.07, -0.14, 0.21]);
    assert_zero(dy - SVector::from(expected), 2e-15);
}

#[test]
fn networks_start_within_the_bounds_of_their_layers() {
    let model = Mlp::<4, 10>::random(7);
    let bound = |fan_in: f64| 1.0 / fan_in.sqrt();
    assert!(model.w1.amax() <= bound(4.0) && model.b1.amax() <= bound(4.0));
    assert!(model.w2.amax() <= bound(10.0) && model.b2.amax() <= bound(10.0));
    // 40 numbers: the chance that none is beyond three quarters of the bound is 1e-5.
    assert!(model.w1.amax() > 0.75 * bound(4.0) && model.w2.amax() > 0.75 * bound(10.0));
    assert_eq!(model, Mlp::random(7));
    assert_ne!(model.w1, Mlp::<4, 10>::random(8).w1);
    assert_ne!(SMatrix::<f64, 10, 4>::zeros(), model.w1);
}

#[test]
fn derivatives_are_those_of_the_equations() {
    #[track_caller]
    fn check<F: FieldVjp<f64>>(model: &F, y: impl Into<F::State>) {
        if let Err(failure) = check_vjp(model, 0.7, &y.into()) {
            panic!("{failure}");
        }
    }
    check(&Lorenz { sigma: 10.0, rho: 28.0, beta: 8.0 / 3.0 }, [1.0, -2.0, 20.0]);
    check(&LotkaVolterra { alpha: 1.5, beta: 1.0, delta: 0.9, gamma: 3.0 }, [1.2, 0.4]);
    check(&VanDerPol { mu: 1.5 }, [0.6, -1.0]);
    check(&WhiteDwarf { c: 0.1 }, [0.8, -0.2]);
    let pendulum =
        DoublePendulum { length1: 0.7, length2: 1.1, mass1: 0.4, mass2: 0.9, gravity: 9.81 };
    check(&pendulum, [1.0, -0.4, 0.5, 3.0]);
    let oscillators = CoupledOscillators {
        mass1: 2.0,
        mass2: 1.0,
        spring1: 3.0,
        spring2: 2.0,
        coupling: 0.7,
        friction: 0.1,
    };
    check(&oscillators, [1.0, -0.5, 0.2, 0.3]);
    let network = Mlp::<4, 10>::random(3);
    check(&network, [0.1, -0.2, 0.3, 0.4]);
    let Mlp { w1, b1, w2, b2 } = network;
    check(&TimeMlp { w0: b1, w1, b1, w2, b2 }, [0.1, -0.2, 0.3, 0.4]);
}
