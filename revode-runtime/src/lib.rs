//! The runtime of `revode`; the facade crate `revode` re-exports it and is what to depend on.

#[allow(unused_extern_crates)] // the paths that the macros emit resolve here too
extern crate self as revode;

pub mod field;
pub mod method;
pub mod real;
pub mod special;
pub mod state;
#[doc(hidden)]
pub mod support;

pub use field::{FieldJacobian, FieldJvp, FieldVjp, Parameters, ShapeError, VectorField};
pub use method::{EmbeddedMethod, Method, MethodVjp, Proof, Tableau};
pub use real::Real;
pub use revode_macros::{ode, tableau};
pub use state::State;

/// The linear algebra crate that states and parameters come from.
pub use nalgebra;
