#![doc = include_str!("../README.md")]

pub use revode_runtime::*;

/// Everything that a program usually needs: `use revode::prelude::*;`
pub mod prelude {
    pub use revode_runtime::gradient::StateStore as _;
    // A model of literals leaves open which scalar it has, until its function has been checked: only
    // a trait's methods can be called on its solution before.
    pub use revode_runtime::Real as _;
    pub use revode_runtime::nalgebra::{DMatrix, DVector, SMatrix, SVector};
    pub use revode_runtime::{
        Adaptive, Auto, Checkpointed, EventTimes, Exact, FieldVjp, FixedStep, Gradient, Guarded,
        Loss, Mse, Norm, Parameters, Pid, Problem, Reversible, SaveAt, Solution, SolveError,
        Solver, State, Stats, StoreAll, StrategyStats, Terminal, VectorField, ode, rosenbrock,
        tableau,
    };

    macro_rules! export {
        ($($name:ident $Method:ident $kind:ident;)*) => {
            pub use revode_runtime::methods::{$($Method),*};
        };
    }
    revode_runtime::for_each_method!(export);

    macro_rules! export_rosenbrock {
        ($($name:ident $Method:ident;)*) => {
            pub use revode_runtime::methods::{$($Method),*};
        };
    }
    revode_runtime::for_each_rosenbrock_method!(export_rosenbrock);
}
