//! What the benches share.

pub mod hand;
pub mod models;
