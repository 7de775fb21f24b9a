//! The compiler behind `revode`: an ordinary library over token streams, so that it can be tested.
//!
//! Both halves are pipelines with one direction: parse → check → lower to IR → passes → emit.
//! Checking never emits, emission never fails.

pub mod diagnostics;
pub mod field;
pub mod functions;
mod generated;
pub mod ir;
pub mod number;
pub mod passes;
pub mod tableau;
