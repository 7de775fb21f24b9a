//! What the tests and benches of revode share: equations with known solutions, equations of the literature,
//! losses, and the comparison of gradients.

pub mod analytic;
mod any_method;
pub mod compare;
pub mod dynamics;
pub mod loss;
mod parameters;
