//! The runtime of `revode`; the facade crate `revode` re-exports it and is what to depend on.
//!
//! The feature `faer`, off by default, hands products of two matrices on the heap of 16³
//! multiplications and more to the crate `faer`.

#[allow(unused_extern_crates)] // the paths that the macros emit resolve here too
extern crate self as revode;

mod bits;
pub mod check;
pub mod controller;
mod error;
pub mod exact;
pub mod field;
mod gap;
pub mod gradient;
mod grid;
pub mod guarded;
mod halves;
mod ladder;
#[cfg(feature = "faer")]
mod linear;
pub mod method;
pub mod methods;
pub mod parasitic;
mod problem;
mod quanta;
pub mod real;
pub mod record;
pub mod reversible;
mod save;
pub mod scheme;
mod solution;
mod solve;
mod solver;
pub mod special;
pub mod state;
mod stats;
#[doc(hidden)]
pub mod support;

pub use controller::{Adaptive, FixedStep, Pid, Tolerance};
pub use error::SolveError;
pub use field::{FieldJacobian, FieldJvp, FieldVjp, Parameters, ShapeError, VectorField};
pub use gradient::{
    Auto, Checkpointed, Exact, Gradient, Guarded, Loss, Mse, Reversible, StateStore, StoreAll,
    Terminal,
};
pub use method::{EmbeddedMethod, Method, MethodVjp, Proof, Tableau};
pub use problem::{InitialState, Problem};
pub use real::Real;
pub use revode_macros::{ode, tableau};
pub use save::SaveAt;
pub use solution::Solution;
pub use solver::Solver;
pub use state::State;
pub use stats::Stats;

/// The linear algebra crate that states and parameters come from.
pub use nalgebra;
