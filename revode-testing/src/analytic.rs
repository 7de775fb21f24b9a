//! Problems with analytic solutions, shared by the numerical tests.
//!
//! Their constants are generic on purpose: with round ones a method may happen to be of a higher order
//! than its own.

use revode::Tableau;
use revode::nalgebra::{SVector, Vector1};
use revode::prelude::*;

ode! {
    /// Nonlinear, `y = 2 atan(tan(y0/2) e^{at})`.
    pub struct Sine {
        state  { y }
        params { a }
    }
    dy/dt = a * sin(y);
}

ode! {
    /// Nonlinear and time-dependent, `1/y = 1/y0 − (a/ω) sin(ωt)`.
    pub struct Forced {
        state  { y }
        params { a, omega }
    }
    dy/dt = a * y^2 * cos(omega * t);
}

ode! {
    /// The Stuart–Landau oscillator, a nonlinear vector field; in polar coordinates
    /// `r' = μ r (1 − r²)`, `φ' = ω + c r²`.
    pub struct StuartLandau {
        state  { x, y }
        params { mu, omega, c }
    }
    let r2 = x^2 + y^2;
    let turn = omega + c * r2;
    dx/dt = mu * x * (1 - r2) - turn * y;
    dy/dt = mu * y * (1 - r2) + turn * x;
}

ode! {
    /// Conservative: reversible over long times.
    pub struct Pendulum {
        state  { q, p }
        params { gravity }
    }
    dq/dt = p;
    dp/dt = -gravity * sin(q);
}

ode! {
    /// A tower, see [`tower()`]: nonlinear.
    pub struct Tower {
        state  { a, b, c, d, e, f, g, h, i }
        params { s }
    }
    da/dt = 1.3;
    db/dt = 1.1 * a;
    dc/dt = 0.9 * b + s * a^2;
    dd/dt = 1.4 * c + s * a * b - 0.2 * a^3;
    de/dt = 1.2 * d + s * (a * c - b^2) + 0.1 * a^2 * b;
    df/dt = 0.8 * e - s * (a * d + 0.5 * b * c) + 0.1 * a * b^2;
    dg/dt = 1.6 * f + s * (a * e + b * d - c^2) - 0.2 * a^3 * c;
    dh/dt = 1.3 * g - s * (a * f + c * d - b * e) + 0.1 * a * b * d;
    di/dt = 1.7 * h + s * (a * g - b * f + c * e) + 0.1 * d^2 - 0.2 * a * b * e;
}

ode! {
    /// A tower, see [`tower()`]: time-dependent.
    pub struct Driven {
        state  { a, b, c, d, e, f, g, h, i }
        params { s }
    }
    da/dt = 0.7;
    db/dt = 1.1 * t;
    dc/dt = 1.3 * b + s * t * a;
    dd/dt = 1.2 * c + s * (b - a * t) * t;
    de/dt = 0.9 * d + s * (c * t - a * b * t) + 0.1 * t^4;
    df/dt = 1.5 * e + s * (d - b * t^2) * t - 0.2 * t^5;
    dg/dt = 1.1 * f + s * e * t + 0.1 * t^6;
    dh/dt = 1.4 * g - s * (f - c * t^3) * t + 0.2 * t^7;
    di/dt = 1.6 * h + s * (g - c * d) * t - 0.1 * t^8;
}

ode! {
    /// A tower, see [`tower()`]: of vectors.
    pub struct VectorTower {
        state  { u: [9] }
        params { v: [9], w: [9], s }
    }
    let square = concat(0, 0, u[0] * u[0..7]);
    let product = concat(0, 0, 0, u[1] * u[0..6]);
    du/dt = v * concat(1, u[0..8]) + s * (w * square - product);
}

/// A problem and the solution at its end.
#[derive(Debug)]
pub struct Case<F: VectorField<f64>> {
    /// The kind of the field.
    pub name: &'static str,
    /// The problem.
    pub problem: Problem<f64, F>,
    /// The solution at the end.
    pub exact: F::State,
}

/// [`Sine`] from 0.4.
pub fn sine() -> Case<Sine> {
    let (a, y0, end) = (1.1_f64, 0.4_f64, 2.0);
    let y = 2.0 * ((0.5 * y0).tan() * (a * end).exp()).atan();
    let problem = Problem::new(Sine { a }, [y0], 0.0..end);
    Case { name: "nonlinear", problem, exact: Vector1::new(y) }
}

/// [`Forced`] from 0.8.
pub fn forced() -> Case<Forced> {
    let (a, omega, y0, end) = (0.7_f64, 1.3_f64, 0.8_f64, 2.0);
    let y = 1.0 / (1.0 / y0 - a / omega * (omega * end).sin());
    let problem = Problem::new(Forced { a, omega }, [y0], 0.0..end);
    Case { name: "time-dependent", problem, exact: Vector1::new(y) }
}

/// [`StuartLandau`] from (0.5, 0.3).
pub fn stuart_landau() -> Case<StuartLandau> {
    let (mu, omega, c, end) = (0.45_f64, 1.7_f64, -0.6_f64, 2.0);
    let (x0, y0) = (0.5_f64, 0.3_f64);
    let r2 = x0 * x0 + y0 * y0;
    let growth = (2.0 * mu * end).exp();
    // ∫ r² dt = ln(1 + r0² (e^{2μt} − 1)) / (2μ)
    let integral = (1.0 + r2 * (growth - 1.0)).ln() / (2.0 * mu);
    let r = (growth / (1.0 / r2 - 1.0 + growth)).sqrt();
    let phi = y0.atan2(x0) + omega * end + c * integral;
    let problem = Problem::new(StuartLandau { mu, omega, c }, [x0, y0], 0.0..end);
    Case { name: "vector", problem, exact: [r * phi.cos(), r * phi.sin()].into() }
}

/// The tower of `field`, over a span in which the error grows and the solution does not.
///
/// A tower is a polynomial field whose component `k`, counted from 1, is a sum of products of `t` and
/// of lower components whose numbers add up to `k − 1` (`t` counts 1). So `y_k = q_k t^k` is a
/// solution, and only elementary differentials of order `k` do not vanish in component `k`. A method of
/// order `p` finds components 1 to `p` without error, and its local error in component `p + 1` is
/// `C h^{p+1}` without further terms, where `C` adds up the order conditions of the trees with `p + 1`
/// nodes.
pub fn tower<F>(name: &'static str, field: F) -> Case<F>
where
    F: VectorField<f64, State = SVector<f64, 9>>,
{
    let mut q = SVector::zeros();
    let mut dq = SVector::zeros();
    for k in 0..9 {
        field.eval(1.0, &q, &mut dq);
        q[k] = dq[k] / (k + 1) as f64;
    }
    let (start, end) = (-0.9, 1.1);
    let at = |t: f64| SVector::from_fn(|k, _| q[k] * t.powi(k as i32 + 1));
    Case { name, problem: Problem::new(field, at(start), start..end), exact: at(end) }
}

/// The tower of [`Tower`].
pub fn nonlinear_tower() -> Case<Tower> {
    tower("nonlinear", Tower { s: 0.3 })
}

/// The tower of [`Driven`].
pub fn driven_tower() -> Case<Driven> {
    tower("time-dependent", Driven { s: 0.3 })
}

/// The tower of [`VectorTower`].
pub fn vector_tower() -> Case<VectorTower> {
    let v = SVector::from_fn(|k, _| 1.0 + 0.1 * ((7 * k) % 9) as f64);
    let w = SVector::from_fn(|k, _| 1.0 - 0.2 * ((4 * k) % 9) as f64);
    tower("vector", VectorTower { v, w, s: 0.3 })
}

/// `Σ |b_i| (1 + Σ |a_ij|)`: what an increment makes of a relative error of its stages. About 3 for
/// RK4 and 1e5 for Verner's 6(5), whose coefficients near 150 cancel.
///
/// # Panics
/// Where the tableau has not as many rows as weights.
pub fn amplification<M: Tableau>() -> f64 {
    assert_eq!(M::A.len(), M::B.len());
    let stage = |row: &[f64]| 1.0 + row.iter().map(|a| a.abs()).sum::<f64>();
    M::A.iter().zip(M::B).map(|(row, b)| b.abs() * stage(row)).sum()
}
