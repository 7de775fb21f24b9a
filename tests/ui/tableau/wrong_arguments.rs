//! Arguments that are not those of a tableau.

use revode::tableau;

#[tableau(order = 2, a = [[], [1/2]], weights = [0, 1])]
pub struct Unknown;

#[tableau(order = 0, a = [[]], b = [1], b = [1])]
pub struct Twice;

#[tableau(order = 2, embedded = 1, a = [[], [1/2]], b = [0, 1])]
pub struct NoWeights;

#[tableau(order = 2, a = [[], [x]], b = [1/0, cbrt(1)])]
pub struct NotNumbers;

#[tableau(order = 1, a = [[]], b = [1])]
pub struct Fields {
    x: f64,
}

/// What uses a bad method has no errors of its own.
pub fn uses<F: revode::VectorField<f64>>() -> impl revode::Method<f64, F> {
    Unknown
}

fn main() {}
