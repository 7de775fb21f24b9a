//! Gradients as lists of numbers, and how far one is from another.

#![allow(dead_code)] // each test binary uses its share

use revode::Real;
use revode::prelude::*;

/// The gradient with respect to the initial state, then that with respect to the parameters.
pub(crate) fn flat<T: Real, F: FieldVjp<T>>(fit: &Gradient<F, F::State, T>) -> Vec<f64> {
    fit.y0.as_slice().iter().chain(fit.model.slices().flatten()).map(|x| x.to_f64()).collect()
}

/// The largest difference, relative to the largest component of what is expected; 0 where both are equal.
pub(crate) fn difference(found: &[f64], expected: &[f64]) -> f64 {
    let largest = expected.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
    let difference = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    if difference == 0.0 { 0.0 } else { difference / largest }
}
