//! The support layer of generated code: ordinary generic functions that `#[tableau]` and `ode!`
//! call. Public because generated code lives in the user's crate; not an interface for people.

mod stage;

pub use stage::{Stages, TapedStages, add, combine, stage};
