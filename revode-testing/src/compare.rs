//! Gradients as lists of numbers, and how far one list is from another.
//!
//! `f64::max` drops a NaN and `zip` drops what is too long: nothing here does.

use revode::Real;
use revode::prelude::*;

/// The gradient with respect to the initial state, then the gradient with respect to the parameters.
pub fn flat<T: Real, F: FieldVjp<T>>(fit: &Gradient<F, F::State, T>) -> Vec<f64> {
    fit.y0.as_slice().iter().chain(fit.model.slices().flatten()).map(|x| x.to_f64()).collect()
}

/// The loss, then the gradient as in [`flat`].
pub fn loss_and_flat<T: Real, F: FieldVjp<T>>(fit: &Gradient<F, F::State, T>) -> Vec<f64> {
    std::iter::once(fit.loss.to_f64()).chain(flat(fit)).collect()
}

/// The largest of the numbers, NaN where one of them is NaN, and 0 where there is none above 0.
pub fn largest(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let larger = |largest: f64, x: f64| if x > largest || x.is_nan() { x } else { largest };
    numbers.into_iter().fold(0.0, |most, x| if most.is_nan() { most } else { larger(most, x) })
}

/// The largest size of the numbers, NaN where one of them is NaN.
pub fn largest_size<'a>(numbers: impl IntoIterator<Item = &'a f64>) -> f64 {
    largest(numbers.into_iter().map(|x| x.abs()))
}

/// The largest difference, relative to the largest finite component of `expected`. 0 where the lists are equal;
/// NaN where a component of either list is NaN; infinite where a component of one list is infinite and that of
/// the other list is another number.
///
/// # Panics
/// Where the lists have different lengths.
#[track_caller]
pub fn difference(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len(), "{found:?} and {expected:?} differ in length");
    // (Equal infinities differ by 0, and not by NaN.)
    let apart = |(a, b): (&f64, &f64)| if a == b { 0.0 } else { (a - b).abs() };
    let difference = largest(found.iter().zip(expected).map(apart));
    if difference == 0.0 {
        return 0.0;
    }
    difference / largest_size(expected.iter().filter(|x| !x.is_infinite()))
}

#[cfg(test)]
mod tests {
    use super::{difference, largest, largest_size};

    const INFINITE: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;

    #[test]
    fn a_difference_is_relative_to_the_largest_component() {
        assert_eq!(difference(&[1.0, -4.5], &[1.5, -4.0]), 0.125);
        assert_eq!(difference(&[1.0, 0.0], &[1.0, -0.0]), 0.0);
        assert_eq!(difference(&[0.0], &[0.0]), 0.0);
        assert_eq!(difference(&[], &[]), 0.0);
        assert_eq!(difference(&[1e-300], &[0.0]), INFINITE);
    }

    #[test]
    fn nan_is_not_dropped() {
        for list in [[NAN, 1.0, 2.0], [1.0, NAN, 2.0], [1.0, 2.0, NAN]] {
            assert!(difference(&list, &[1.0, 1.0, 2.0]).is_nan(), "{list:?}");
            assert!(difference(&[1.0, 1.0, 2.0], &list).is_nan(), "{list:?}");
            assert!(difference(&list, &list).is_nan(), "{list:?}");
            assert!(largest(list).is_nan() && largest_size(&list).is_nan(), "{list:?}");
        }
        assert_eq!((largest([]), largest([-1.0]), largest([1.0, 3.0, 2.0])), (0.0, 0.0, 3.0));
        assert_eq!(largest_size(&[1.0, -3.0, 2.0]), 3.0);
    }

    /// No difference of finite components hides behind an infinite one.
    #[test]
    fn infinities_are_not_dropped() {
        assert_eq!(difference(&[INFINITE, 1.0], &[INFINITE, 1.0]), 0.0);
        assert_eq!(difference(&[INFINITE, 1.0], &[INFINITE, 2.0]), 0.5);
        assert_eq!(difference(&[INFINITE, 1.0], &[3.0, 1.0]), INFINITE);
        assert_eq!(difference(&[3.0, 1.0], &[INFINITE, 1.0]), INFINITE);
        assert_eq!(difference(&[INFINITE], &[-INFINITE]), INFINITE);
    }

    #[test]
    #[should_panic(expected = "differ in length")]
    fn a_list_that_is_too_short_fails() {
        difference(&[1.0], &[1.0, 2.0]);
    }

    #[test]
    #[should_panic(expected = "differ in length")]
    fn a_list_that_is_too_long_fails() {
        difference(&[1.0, 2.0], &[1.0]);
    }
}
