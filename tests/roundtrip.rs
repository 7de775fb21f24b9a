//! A step of the pair and its inverse give the start back, up to rounding.
//!
//! The bound, for numbers of size `m`: `z' = z − psi` and `z = z' + psi` with the same `psi` bits round
//! twice, `ε/2` of `m` each, so that `z` is off by at most `ε m`. `λ y + (1 − λ) z + psi` and its inverse
//! round eight times, on numbers of at most `2 m`: `8 ε m` before the division by `λ`. The increment of
//! the second half starts from that other `z`, and its stages round anew: with Lipschitz constant `L`
//! they are off by `ε m`, and `psi` by `h L ε m` times the [`amplification`] of the tableau, twice.

use proptest::prelude::*;
use proptest::sample::select;
use revode::nalgebra::SVector;
use revode::prelude::*;
use revode::reversible::{Coupling, Pair, ReversiblePair};
use revode::scheme::{Scheme, Step};
use revode::{Method, Tableau, for_each_method};
use revode_testing::analytic::{self, Pendulum, amplification};
use revode_testing::compare::largest_size;

type V = SVector<f64, 2>;

/// The bound on the error of `y` after one step and its inverse.
fn bound<M: Tableau>(h: f64, lipschitz: f64, size: f64, lambda: f64) -> f64 {
    f64::EPSILON * size * (8.0 + 2.0 * h.abs() * lipschitz * amplification::<M>()) / lambda
}

fn size(pair: &Pair<V>) -> f64 {
    largest_size(pair.y.iter().chain(&pair.z))
}

/// One step there and back, for any pair, step and coupling.
fn one_step<M: Method<f64, analytic::StuartLandau> + Tableau + Copy>(method: M) {
    let field = analytic::stuart_landau().problem.field;
    // μ (1 + 3 r²) + ω + 3 |c| r² for r² up to 3.
    let lipschitz = 0.45 * 10.0 + 1.7 + 0.6 * 9.0;
    let component = -1.2..1.2;
    let state = [component.clone(), component];
    let gap = [-0.1..0.1, -0.1..0.1];
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(y in state, gap in gap, t in -10.0..10.0, h in 1e-4..0.05, sign in select(vec![-1.0, 1.0]), lambda in 0.5..=1.0)| {
        let y = V::from(y);
        let step = Step { index: 0, t, h: sign * h };
        let start = Pair { y, z: y + V::from(gap) };
        let scheme = ReversiblePair::new(method, Coupling::Constant(lambda)).unwrap();
        let mut work = scheme.work(&field, &y);
        let mut pair = start.clone();
        scheme.propose(&field, step, &start, &mut pair, &mut work);
        scheme.complete(&field, step, &start, &mut pair, &mut work).unwrap();
        let size = size(&start).max(size(&pair));
        scheme.unstep(&field, step, &mut pair, &mut work);
        let (error_y, error_z) = (largest_size(&(pair.y - y)), largest_size(&(pair.z - start.z)));
        prop_assert!(error_z <= f64::EPSILON * size, "z: {error_z:e}");
        let bound = bound::<M>(h, lipschitz, size, lambda);
        prop_assert!(error_y <= bound, "y: {error_y:e}, {bound:e}");
    });
}

/// A thousand steps of a pendulum there and back. Its linearisation neither grows nor decays but for the
/// period's dependence on the amplitude, here less than a factor of 3, so that only λ amplifies. Steps
/// round independently and so add in squares: `Σ λ^{−2k} < (λ^{−2n} − 1) / (2 (1 − λ))`.
fn many_steps<M: Method<f64, Pendulum> + Tableau + Copy>(method: M) {
    let (h, lambda, n) = (0.01, 0.999_f64, 1000_u64);
    let field = Pendulum { gravity: 1.3 };
    let scheme = ReversiblePair::new(method, Coupling::Constant(lambda)).unwrap();
    let y0 = V::from([1.0, 0.2]);
    let mut work = scheme.work(&field, &y0);
    let mut pair = scheme.start(&y0);
    let mut next = pair.clone();
    let mut largest = size(&pair);
    let step = |k: u64| Step { index: k, t: k as f64 * h, h };
    for k in 0..n {
        scheme.propose(&field, step(k), &pair, &mut next, &mut work);
        scheme.complete(&field, step(k), &pair, &mut next, &mut work).unwrap();
        std::mem::swap(&mut pair, &mut next);
        largest = largest.max(size(&pair));
    }
    assert!(largest_size(&(pair.y - y0)) > 0.01, "it moves: {pair:?}");
    for k in (0..n).rev() {
        scheme.unstep(&field, step(k), &mut pair, &mut work);
    }
    let error = size(&Pair { y: pair.y - y0, z: pair.z - y0 });
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
