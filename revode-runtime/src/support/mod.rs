//! The support layer of generated code: ordinary generic functions that `#[tableau]` and `ode!`
//! call. Public because generated code lives in the user's crate; not an interface for people.

mod algebra;
mod event;
mod stage;
mod switch;

pub use crate::dense::{of_interpolant, of_interpolant_vjp};
pub use crate::rosenbrock::{RosenbrockStages, RosenbrockTaped, of_rosenbrock, of_rosenbrock_vjp};
pub use algebra::{
    add_heap_mat_mul, add_mat_mul, add_mat_vec, add_outer, dot, heap_mat_mul, mat_mul, mat_vec,
    mat_vec_transposed, outer, sum, transpose,
};
pub use event::{event, family};
pub use stage::{ExtraStages, Stages, TapedExtra, TapedStages, add, add_scaled, combine, stage};
pub use switch::switch;
