//! Numbers of 128 bits, fields in them, and the increment of an explicit Runge–Kutta method with its VJP.
//!
//! All is written from the definitions: nothing here is generated, and nothing is taken from the library but the
//! coefficients of its methods.

use dashu_float::{FBig, round::mode::HalfEven};

use crate::Tableau;

pub(super) type Big = FBig<HalfEven, 2>;

pub(super) fn big(x: f64) -> Big {
    Big::try_from(x).unwrap().with_precision(128).value()
}

pub(super) fn bigs(x: &[f64]) -> Vec<Big> {
    x.iter().map(|x| big(*x)).collect()
}

pub(super) fn f64_of(x: &Big) -> f64 {
    x.to_f64().value()
}

pub(super) fn zeros(n: usize) -> Vec<Big> {
    vec![big(0.0); n]
}

/// Adds `a y` to `x`.
pub(super) fn add(x: &mut [Big], a: &Big, y: &[Big]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x += a * y;
    }
}

/// A field in numbers of 128 bits, with its parameters in the order in which the model has them.
pub(super) trait BigField {
    /// The field `f(t, u)` with the parameters `p`.
    fn eval(p: &[Big], t: &Big, u: &[Big]) -> Vec<Big>;

    /// The cotangent of `u` for that of `f(t, u)`, `v`; adds to that of the parameters.
    fn vjp(p: &[Big], t: &Big, u: &[Big], v: &[Big], p_bar: &mut [Big]) -> Vec<Big>;
}

/// An increment `Psi_h(t, u)`, and what its VJP needs.
pub(super) struct Increment {
    h: Big,
    /// The times and states of the stages.
    stages: Vec<(Big, Vec<Big>)>,
    /// The increment.
    pub(super) psi: Vec<Big>,
}

impl Increment {
    /// `u_i = u + h Σ_j a_ij k_j`, `k_i = f(t + c_i h, u_i)`, `Psi = h Σ_i b_i k_i`.
    pub(super) fn new<F: BigField, M: Tableau>(p: &[Big], t: f64, h: f64, u: &[Big]) -> Self {
        let (t, h) = (big(t), big(h));
        let mut stages = Vec::new();
        let mut slopes: Vec<Vec<Big>> = Vec::new();
        for (row, c) in M::A.iter().zip(M::C) {
            let mut stage = u.to_vec();
            for (a, slope) in nonzero(row).map(|(j, a)| (a, &slopes[j])) {
                add(&mut stage, &(&h * a), slope);
            }
            let time = &t + &h * big(*c);
            slopes.push(F::eval(p, &time, &stage));
            stages.push((time, stage));
        }
        let mut psi = zeros(u.len());
        for (i, b) in nonzero(M::B) {
            add(&mut psi, &(&h * b), &slopes[i]);
        }
        Self { h, stages, psi }
    }

    /// Adds to the cotangent of `u`, and to that of the parameters, for the cotangent `v` of the increment:
    /// `k̄_i = h (b_i v + Σ_j a_ji ū_j)`, `ū_i = (∂f/∂u)ᵀ k̄_i`, `ū = Σ_i ū_i`.
    pub(super) fn vjp<F: BigField, M: Tableau>(
        &self,
        p: &[Big],
        v: &[Big],
        u_bar: &mut [Big],
        p_bar: &mut [Big],
    ) {
        let Self { h, stages, .. } = self;
        let mut slope_bars = vec![zeros(v.len()); stages.len()];
        for (i, b) in nonzero(M::B) {
            add(&mut slope_bars[i], &(h * b), v);
        }
        for (i, (time, stage)) in stages.iter().enumerate().rev() {
            let stage_bar = F::vjp(p, time, stage, &slope_bars[i], p_bar);
            for (j, a) in nonzero(M::A[i]) {
                add(&mut slope_bars[j], &(h * a), &stage_bar);
            }
            add(u_bar, &big(1.0), &stage_bar);
        }
    }
}

/// The coefficients that are not 0, with their places.
fn nonzero(row: &[f64]) -> impl Iterator<Item = (usize, Big)> {
    row.iter().enumerate().filter(|(_, a)| **a != 0.0).map(|(j, a)| (j, big(*a)))
}
