//! Models and experiments of `revode`, and what the command `revode` is made of.

pub mod adamw;
pub mod data;
pub mod experiments;
pub mod initialise;
pub mod models;
mod progress;
pub mod report;
pub mod run;
pub mod solver;
pub mod training;
