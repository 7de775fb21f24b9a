//! Algebraically reversible ODE solvers.
pub use revode_runtime::*;
