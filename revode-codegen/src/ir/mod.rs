//! The intermediate representation: an arena of small interned nodes.

pub mod build;
pub mod dim;
pub mod graph;
pub mod interpret;
pub mod schedule;
pub mod structure;
pub mod verify;

pub use dim::{Dim, Shape};
pub use graph::{Graph, Id, Input, Op, Role, Sink, Target};
