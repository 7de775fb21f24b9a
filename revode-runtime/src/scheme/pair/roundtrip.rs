//! A step of the published pair and its inverse give the start back, up to rounding.
//!
//! The bound, for numbers of size `m`: `z' = z − psi` and `z = z' + psi` with the same `psi` bits round
//! twice, `ε/2` of `m` each, so that `z` is off by at most `ε m`. `λ y + (1 − λ) z + psi` and its inverse
//! round eight times, on numbers of at most `2 m`: `8 ε m` before the division by `λ`. The increment of
//! the second half starts from that other `z`, and its stages round anew: with Lipschitz constant `L`
//! they are off by `ε m`, and `psi` by `h L ε m` times the [`amplification`] of the tableau, twice.

use nalgebra::SVector;
use proptest::prelude::*;
use proptest::sample::select;

use super::coupled::{Coupled, CoupledState, Coupling};
use super::{Pair, PairAdjoint, PairScheme};
use crate::methods::*;
use crate::scheme::{Scheme, SchemeVjp, VjpWork, Work};
use crate::{FieldVjp, MethodVjp, Parameters, Step, Tableau, for_each_method, ode};

ode! {
    /// The Stuart–Landau oscillator.
    struct StuartLandau {
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
    struct Pendulum {
        state  { q, p }
        params { gravity }
    }
    dq/dt = p;
    dp/dt = -gravity * sin(q);
}

type V = SVector<f64, 2>;

/// `Σ |b_i| (1 + Σ |a_ij|)`: what an increment makes of a relative error of its stages. About 3 for
/// RK4 and 1e5 for Verner's 6(5), whose coefficients near 150 cancel.
fn amplification<M: Tableau>() -> f64 {
    assert_eq!(M::A.len(), M::B.len());
    let stage = |row: &[f64]| 1.0 + row.iter().map(|a| a.abs()).sum::<f64>();
    M::A.iter().zip(M::B).map(|(row, b)| b.abs() * stage(row)).sum()
}

/// The bound on the error of `y` after one step and its inverse.
fn bound<M: Tableau>(h: f64, lipschitz: f64, size: f64, lambda: f64) -> f64 {
    f64::EPSILON * size * (8.0 + 2.0 * h.abs() * lipschitz * amplification::<M>()) / lambda
}

fn size(pair: &Pair<V>) -> f64 {
    pair.y.amax().max(pair.z.amax())
}

/// A pair over a field, and scratch space of its steps.
struct Walk<F: FieldVjp<f64, State = V>, M: MethodVjp<f64, F>> {
    field: F,
    scheme: PairScheme<M, Coupled>,
    work: Work<f64, F, PairScheme<M, Coupled>>,
    vjp_work: VjpWork<f64, F, M>,
    adjoint: PairAdjoint<V, F>,
    state: CoupledState<f64, V>,
}

impl<F: FieldVjp<f64, State = V> + Parameters<f64>, M: MethodVjp<f64, F>> Walk<F, M> {
    fn new(field: F, method: M, lambda: f64, start: &Pair<V>) -> Self {
        let arithmetic = Coupled::new(Coupling::Constant(lambda), f64::INFINITY).unwrap();
        let scheme = PairScheme { method, arithmetic };
        let mut state = scheme.start(&start.y);
        state.pair.assign(start);
        Self {
            work: Work::new(&scheme, &field, &start.y),
            vjp_work: VjpWork::new(&scheme.method, &field, &start.y),
            adjoint: PairAdjoint::zero(scheme.zero_bar(&start.y), &field, false),
            field,
            scheme,
            state,
        }
    }

    fn take(&mut self, step: Step<f64>) {
        self.scheme.take_again(&self.field, step, &mut self.state, &mut self.work).unwrap();
    }

    fn undo(&mut self, step: Step<f64>) {
        let Self { field, scheme, vjp_work, adjoint, state, .. } = self;
        scheme.step_back(field, step, None, state, adjoint, vjp_work).unwrap();
    }
}

/// One step there and back, for any pair, step and coupling.
fn one_step<M: MethodVjp<f64, StuartLandau> + Tableau + Copy>(method: M) {
    // μ (1 + 3 r²) + ω + 3 |c| r² for r² up to 3.
    let lipschitz = 0.45 * 10.0 + 1.7 + 0.6 * 9.0;
    let component = -1.2..1.2;
    let state = [component.clone(), component];
    let gap = [-0.1..0.1, -0.1..0.1];
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(y in state, gap in gap, t in -10.0..10.0, h in 1e-4..0.05, sign in select(vec![-1.0, 1.0]), lambda in 0.5..=1.0)| {
        let y = V::from(y);
        let step = Step::new(0, t, sign * h);
        let start = Pair { y, z: y + V::from(gap) };
        let field = StuartLandau { mu: 0.45, omega: 1.7, c: -0.6 };
        let mut walk = Walk::new(field, method, lambda, &start);
        walk.take(step);
        let size = size(&start).max(size(&walk.state.pair));
        prop_assert!(walk.state.pair != start, "it moves");
        walk.undo(step);
        let Pair { y: found_y, z: found_z } = walk.state.pair;
        let (error_y, error_z) = ((found_y - y).amax(), (found_z - start.z).amax());
        prop_assert!(error_z <= f64::EPSILON * size, "z: {error_z:e}");
        let bound = bound::<M>(h, lipschitz, size, lambda);
        prop_assert!(error_y <= bound, "y: {error_y:e}, {bound:e}");
    });
}

/// A thousand steps of a pendulum there and back. Its linearisation neither grows nor decays but for the
/// period's dependence on the amplitude, here less than a factor of 3, so that only λ amplifies. Steps
/// round independently and so add in squares: `Σ λ^{−2k} < (λ^{−2n} − 1) / (2 (1 − λ))`.
fn many_steps<M: MethodVjp<f64, Pendulum> + Tableau + Copy>(method: M) {
    let (h, lambda, n) = (0.01, 0.999_f64, 1000_u64);
    let y0 = V::from([1.0, 0.2]);
    let start = Pair { y: y0, z: y0 };
    let mut walk = Walk::new(Pendulum { gravity: 1.3 }, method, lambda, &start);
    let mut largest = size(&start);
    let step = |k: u64| Step::new(k, k as f64 * h, h);
    for k in 0..n {
        walk.take(step(k));
        largest = largest.max(size(&walk.state.pair));
    }
    assert!((walk.state.pair.y - y0).amax() > 0.01, "it moves: {:?}", walk.state.pair);
    for k in (0..n).rev() {
        walk.undo(step(k));
    }
    let error = (walk.state.pair.y - y0).amax().max((walk.state.pair.z - y0).amax());
    let amplified = ((lambda.powi(-2 * (n as i32)) - 1.0) / (2.0 * (1.0 - lambda))).sqrt();
    let bound = 3.0 * amplified * bound::<M>(h, 1.3, largest, lambda);
    println!("{:14} {error:.1e} of {bound:.1e}", M::NAME);
    assert!(error <= bound, "{error:e}, {bound:e}");
}

macro_rules! tests {
    ($($name:ident $Method:ident $kind:ident;)*) => {
        $(#[test]
        fn $name() {
            one_step($Method);
            many_steps($Method);
        })*
    };
}

for_each_method!(tests);
