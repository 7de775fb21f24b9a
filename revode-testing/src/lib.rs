//! What the tests and benches of revode share: equations with known solutions, equations of the literature,
//! losses, the comparison of gradients, and a type that stands for any field. In `tests/` those tests that run for long.

pub mod analytic;
mod any_field;
pub mod compare;
pub mod dynamics;
pub mod loss;
mod parameters;

pub use any_field::AnyField;
