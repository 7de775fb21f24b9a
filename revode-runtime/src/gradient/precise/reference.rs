//! The reference against differences, so that it does not share an error with what it is compared with.

use super::big::{Big, BigField, Increment, big, bigs, f64_of, zeros};
use super::fields::{Driven, Lorenz};
use crate::Tableau;
use crate::methods::{Bosh3, Rk4, Tsit5};

/// Compares the VJP of an increment at `u`, component by component, with central differences in numbers of 128 bits.
fn check<F: BigField, M: Tableau>(p: &[f64], u: &[f64]) {
    let (t, h, step) = (0.7, 0.1, big(0.5_f64.powi(40)));
    let (p, u) = (bigs(p), bigs(u));
    let v: Vec<Big> = (0..u.len()).map(|i| big(0.3 + 0.7 * i as f64)).collect();
    let (mut u_bar, mut p_bar) = (zeros(u.len()), zeros(p.len()));
    Increment::new::<F, M>(&p, t, h, &u).vjp::<F, M>(&p, &v, &mut u_bar, &mut p_bar);
    for (i, bar) in u_bar.iter().chain(&p_bar).enumerate() {
        let along_v = |step: &Big| {
            let (mut p, mut u) = (p.clone(), u.clone());
            *u.iter_mut().chain(&mut p).nth(i).unwrap() += step;
            let psi = Increment::new::<F, M>(&p, t, h, &u).psi;
            psi.iter().zip(&v).fold(big(0.0), |sum, (psi, v)| sum + psi * v)
        };
        let difference = (along_v(&step) - along_v(&-&step)) / (big(2.0) * &step);
        let off = f64_of(&(difference - bar)).abs();
        // The square of the step is 1e-24: 6e-26 was measured, of 0.02 to 4.
        assert!(off <= 1e-24, "{}, component {i}: {off:e}", M::NAME);
    }
}

#[test]
fn the_reference_is_the_derivative_of_the_increment() {
    check::<Lorenz<f64>, Rk4>(&[10.0, 28.0, 2.5], &[1.0, 2.0, 3.0]);
    check::<Driven<f64>, Bosh3>(&[5.0, 1.2, 1.7], &[1.5, -0.5]);
    check::<Driven<f64>, Tsit5>(&[5.0, 1.2, 1.7], &[1.5, -0.5]);
}
