//! The runtime of `revode`; the facade crate `revode` re-exports it and is what to depend on.
//!
//! The feature `faer`, off by default, hands products of two matrices on the heap of 16³
//! multiplications and more to the crate `faer`.

#[allow(unused_extern_crates)] // the paths that the macros emit resolve here too
extern crate self as revode;

pub mod check;
pub mod control;
mod dense;
mod error;
mod event;
pub mod field;
pub mod gradient;
#[cfg(feature = "faer")]
mod linear;
mod lu;
pub mod method;
pub mod methods;
mod problem;
mod real;
mod rosenbrock;
mod save;
mod scheme;
mod sides;
mod slices;
mod solution;
mod solver;
pub mod special;
mod stability;
mod stack;
mod state;
mod stats;
mod step;
mod stepper;
mod stop;
#[doc(hidden)]
pub mod support;
mod switch;
mod time;

pub use control::{Adaptive, FixedStep, Norm, Pid, Tolerance, Tolerances};
pub use dense::{Bars, BoxedDenseOutput, BoxedDenseOutputVjp, DenseOutput, DenseOutputVjp};
pub use error::SolveError;
pub use event::{Action, Event, Occurrence, Sides, Trigger};
pub use field::{
    FieldJacobian, FieldJvp, FieldVjp, JacobianVjp, Parameters, ShapeError, VectorField,
};
pub use gradient::{
    Auto, Checkpointed, EventTimes, Exact, Gradient, GradientError, Guarded, Loss, Mse, Reversible,
    StateStore, StoreAll, Terminal,
};
pub use method::{
    ContinuousExtension, EmbeddedMethod, Interpolant, InterpolantVjp, Method, MethodVjp, Proof,
    Tableau,
};
pub use problem::{InitialState, Leg, Problem};
pub use real::Real;
pub use revode_macros::{ode, rosenbrock, tableau};
pub use rosenbrock::{ImplicitStability, Rosenbrock};
pub use save::SaveAt;
pub use solution::Solution;
pub use solver::Solver;
pub use stability::Stability;
pub use state::{Square, State};
pub use stats::{Stats, StrategyStats};
pub use step::{Step, StepFailure};
pub use stepper::{Reached, Stepper};
pub use switch::{Switch, SwitchKind};

/// The linear algebra crate that states and parameters come from.
pub use nalgebra;
