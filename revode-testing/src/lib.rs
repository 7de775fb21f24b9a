//! What the tests and benches of revode share: equations with known solutions, equations of the literature,
//! losses, the comparison of gradients, and types that stand for any field or method.

pub mod analytic;
mod any_field;
mod any_method;
pub mod compare;
pub mod dynamics;
pub mod loss;
mod parameters;

pub use any_field::AnyField;
