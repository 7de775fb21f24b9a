#![doc = include_str!("../README.md")]

pub use revode_runtime::*;

/// Everything that a program usually needs: `use revode::prelude::*;`
pub mod prelude {
    pub use revode_runtime::gradient::StateStore as _;
    pub use revode_runtime::methods::*;
    pub use revode_runtime::{
        Adaptive, Auto, Checkpointed, Exact, FieldVjp, FixedStep, Gradient, Guarded, Loss, Mse,
        Parameters, Pid, Problem, Reversible, SaveAt, Solution, SolveError, Solver, State, Stats,
        StoreAll, Terminal, VectorField, ode, tableau,
    };
}
