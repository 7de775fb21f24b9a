//! The proved limits of stability against the stability functions, evaluated from the tableaus in
//! floating point, stage by stage.

extern crate revode_runtime as revode; // the paths that `ode!` emits

use nalgebra::Complex;
use revode::methods::{METHODS, MethodInfo, Midpoint, Rk4};
use revode::{Method, Stability, StepFailure, Tableau, VectorField};

type C = Complex<f64>;

/// How far rounding may take `|R|` above 1 where it is 1: coefficients of about 10, powers of up to 8.
const ROUNDING: f64 = 1e-9;

/// `R(z)`: the stages `k_i = z (1 + Σ a_ij k_j)`, then `1 + Σ b_i k_i`.
fn function(method: &MethodInfo, weights: &[f64], z: C) -> C {
    let mut stages: Vec<C> = Vec::new();
    let one = C::new(1.0, 0.0);
    for row in method.a {
        stages.push(z * (one + dot(row, &stages)));
    }
    one + dot(weights, &stages)
}

fn dot(row: &[f64], stages: &[C]) -> C {
    row.iter().zip(stages).map(|(a, k)| k * *a).sum()
}

/// What a step of the pair from `y = z = 1` makes of both once its gap is closed: the larger modulus, if
/// there are two.
fn of_pair(method: &MethodInfo, z: C) -> f64 {
    let one = C::new(1.0, 0.0);
    let y = function(method, method.b, z);
    let other = one - (function(method, method.b, -z) - one) * y;
    let mean = (y + other) / 2.0;
    if method.order.is_multiple_of(2) { y.norm() } else { y.norm().max(mean.norm()) }
}

/// Whether `modulus(x)` stays up to 1 below the limit and exceeds it above.
fn check(limit: f64, modulus: impl Fn(f64) -> f64) -> Result<(), String> {
    if limit > 0.0 {
        for i in 1..=200 {
            let x = limit * f64::from(i) / 200.0;
            if modulus(x) > 1.0 + ROUNDING {
                return Err(format!("{limit} is too large: {} at {x}", modulus(x)));
            }
        }
        let above = limit * (1.0 + 1e-6);
        if modulus(above) > 1.0 { Ok(()) } else { Err(format!("{limit} is too small")) }
    } else if (1..=20).any(|i| modulus(f64::from(i) / 20.0) > 1.0 + 1e-13) {
        Ok(())
    } else {
        Err("0 is too small".to_owned())
    }
}

/// All limits of a method, each with its name and the modulus on its ray.
fn for_each_limit(method: &MethodInfo, mut then: impl FnMut(&str, f64, &dyn Fn(f64) -> f64)) {
    let Stability { method: limits, embedded, pair } = method.stability;
    for (i, (re, im)) in Stability::DIRECTIONS.into_iter().enumerate() {
        let w = C::new(re, im);
        let name = |kind: &str| format!("{}, {kind}, ray {i}", method.name);
        then(&name("method"), limits[i], &|x| function(method, method.b, w * x).norm());
        then(&name("pair"), pair[i], &|x| of_pair(method, w * x));
        if let (Some(weights), Some(embedded)) = (method.b_embedded, embedded) {
            then(&name("embedded"), embedded[i], &|x| function(method, weights, w * x).norm());
        }
    }
}

#[test]
fn of_all_methods() {
    let mut wrong = Vec::new();
    for method in METHODS {
        assert_eq!(method.stability.embedded.is_some(), method.b_embedded.is_some());
        for_each_limit(method, |name, limit, modulus| {
            if let Err(error) = check(limit, modulus) {
                wrong.push(format!("{name}: {error}"));
            }
        });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The comparison sees limits that are 1 % off, in either direction, of every method.
#[test]
fn wrong_limits_are_seen() {
    for method in METHODS {
        for_each_limit(method, |name, limit, modulus| {
            // One that is 0 can only be wrong in one direction.
            let wrong = if limit > 0.0 { vec![0.99 * limit, 1.01 * limit] } else { vec![1.0] };
            for limit in wrong {
                assert!(check(limit, modulus).is_err(), "{name}: {limit}");
            }
        });
    }
}

/// `cargo test -p revode-runtime --test stability -- --nocapture` prints the table.
#[test]
fn table() {
    println!("method           real  73.74°    imag | embedded                | pair");
    let cells = |limits: &[f64; Stability::RAYS]| {
        [limits[0], limits[3], limits[4]].map(|x| format!("{x:7.4}")).join(" ")
    };
    for method in METHODS {
        let Stability { method: limits, embedded, pair } = &method.stability;
        let embedded = embedded.as_ref().map_or(String::new(), cells);
        println!("{:14} {} | {embedded:23} | {}", method.name, cells(limits), cells(pair));
    }
}

#[test]
fn directions_are_on_the_unit_circle() {
    for (re, im) in Stability::DIRECTIONS {
        assert!((C::new(re, im).norm() - 1.0).abs() < 1e-15);
    }
}

#[test]
fn between_rays() {
    let limits = [5.0, 4.0, 6.0, 3.0, 0.0];
    for (cosine, limit) in [
        (1.0 + 1e-15, 5.0),
        (1.0, 5.0),
        (0.9, 4.0),
        (0.8, 4.0),
        (0.7, 4.0),
        (0.6, 6.0),
        (0.5, 3.0),
        (0.28, 3.0),
        (0.1, 3.0),
        (0.0, 3.0),
        (-1e-15, f64::INFINITY),
        (f64::NAN, f64::INFINITY),
    ] {
        assert_eq!(Stability::limit_at(&limits, cosine), limit, "{cosine}");
    }
}

/// A method by hand has no limits unless it states some.
#[test]
fn through_the_trait() {
    #[derive(Clone)]
    struct ByHand;

    impl<F: VectorField<f64>> Method<f64, F> for ByHand {
        type Stages = ();
        fn order(&self) -> u32 {
            1
        }
        fn stages(&self, _: &F, _: &F::State) {}
        fn increment(
            &self,
            field: &F,
            step: revode::Step<f64>,
            u: &F::State,
            (): &mut (),
            psi: &mut F::State,
        ) -> Result<(), StepFailure> {
            field.eval(step.t, u, psi);
            Ok(())
        }
        fn evaluations(&self, (): &()) -> u64 {
            0
        }
    }

    revode::ode! {
        struct Decay { state { y } params { rate } }
        dy/dt = -rate * y;
    }

    fn of<M: Method<f64, Decay>>(method: &M) -> Option<&'static Stability> {
        method.stability()
    }
    assert_eq!(of(&ByHand), None);
    assert_eq!(of(&Rk4), Some(&Rk4::STABILITY));
    assert_eq!(of(&Midpoint).map(Stability::real), Some(2.0));
}
