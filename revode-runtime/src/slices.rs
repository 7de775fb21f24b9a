//! Loops over the components of states.

use crate::{Real, State};

/// `out[i] = f([x[i] for x in inputs])`. All slices have the length of `out`.
#[inline(always)]
pub(crate) fn zip<T: Real, const M: usize>(
    out: &mut [T],
    inputs: [&[T]; M],
    f: impl Fn([T; M]) -> T,
) {
    let n = out.len();
    let out = &mut out[..n];
    let inputs = inputs.map(|x| &x[..n]);
    for i in 0..n {
        out[i] = f(inputs.map(|x| x[i]));
    }
}

/// `x[i] = f(x[i], [y[i] for y in inputs])`. All slices have the length of `x`.
#[inline(always)]
pub(crate) fn update<T: Real, const M: usize>(
    x: &mut [T],
    inputs: [&[T]; M],
    f: impl Fn(T, [T; M]) -> T,
) {
    let n = x.len();
    let x = &mut x[..n];
    let inputs = inputs.map(|y| &y[..n]);
    for i in 0..n {
        x[i] = f(x[i], inputs.map(|y| y[i]));
    }
}

/// The largest absolute value; NaN is passed over.
pub(crate) fn largest<T: Real>(x: &[T]) -> f64 {
    x.iter().map(|x| x.abs().to_f64()).fold(0.0, f64::max)
}

/// `Σ a_i b_i`. Both have the same length.
pub(crate) fn dot<T: Real>(a: &impl State<T>, b: &impl State<T>) -> T {
    let (a, b) = (a.as_slice(), b.as_slice());
    debug_assert_eq!(a.len(), b.len(), "vectors of one length");
    a.iter().zip(b).map(|(a, b)| *a * *b).sum()
}

/// Whether no component is infinite or NaN.
#[inline(always)]
pub(crate) fn all_finite<T: Real>(x: &[T]) -> bool {
    // 0 · x is 0 for finite x and NaN otherwise: one test for all components.
    x.iter().fold(T::ZERO, |sum, &x| sum + T::ZERO * x) == T::ZERO
}

/// `|x − y|`; infinite where it is not a number.
#[inline(always)]
pub(crate) fn distance<T: Real>(x: T, y: T) -> T {
    let distance = (x - y).abs();
    if distance.is_finite() { distance } else { T::from_f64(f64::INFINITY) }
}

/// 1, −1, or 0 at 0 and for NaN.
pub(crate) fn sign_of(x: f64) -> f64 {
    if x == 0.0 || x.is_nan() { 0.0 } else { x.signum() }
}

/// 1 or −1 for component `i` and number `n`, scattered over both: no direction is missed, and over many numbers the signs
/// of a component cancel.
#[inline(always)]
pub(crate) fn scattered_sign(i: usize, n: u64) -> f64 {
    // Multiples of the golden ratio and of the square root of 2.
    let component = (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let scattered = component.wrapping_add(n.wrapping_mul(0x6a09_e667_f3bc_c909)) >> 63;
    if scattered == 1 { 1.0 } else { -1.0 }
}
