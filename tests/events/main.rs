//! Events and timed changes: values and gradients against closed forms, all strategies along one solution, and what is
//! refused.

mod closed_forms;
mod corners;
mod detection;
mod every_strategy;
mod jumps;
mod models;
mod times;

revode::any_method! {
    fixed { Rk4 }
    adaptive { Bosh3, Tsit5, Vern7 }
}
