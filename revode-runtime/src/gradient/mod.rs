//! Gradients of a loss through a solve.
//!
//! A forward pass through the time loop evaluates the loss and keeps what the strategy needs; the one backward pass
//! (`passes.rs`) walks the record of the steps from the end to the start. A [`Strategy`] says what is advanced and how
//! the states come back.

mod accuracy;
mod along;
mod auto;
mod between;
mod ends;
mod event_times;
mod events;
mod fixed_jumps;
mod flow;
mod forward;
mod halving;
mod loss;
mod passes;
#[cfg(test)]
mod precise;
mod reverse;
mod store;
mod strategy;

pub(crate) use accuracy::Accuracy;
pub use accuracy::GradientError;
pub use along::{Along, StateStore};
pub use auto::Auto;
pub use event_times::EventTimes;
pub(crate) use halving::by_halving;
pub use loss::{Loss, Mse, Terminal};
pub use reverse::{Exact, Guarded, Reversible};
pub use store::{Checkpointed, StoreAll, StoreWithin};
pub use strategy::Strategy;

pub(crate) use strategy::{Ask, Purpose};

use crate::Stats;

/// The value of a loss and its gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct Gradient<F, S, T> {
    /// The loss.
    pub loss: T,
    /// Its gradient with respect to the initial state.
    pub y0: S,
    /// Its gradient with respect to the parameters, in a model of the same type.
    pub model: F,
    /// Its derivative with respect to the start of the time span, from where the same initial state starts.
    pub t0: T,
    /// Its derivative with respect to the end of the time span, and to the save point there: 0 where none is, and where
    /// an event ends the solve before.
    pub t1: T,
    /// Its derivatives with respect to the save times, one for each that the solve has passed, where
    /// [`SaveAt::differentiated`](crate::SaveAt::differentiated) asks for them: `(∂l/∂y)ᵀ f(t, y) + ∂l/∂t` of what the
    /// loss `l` sees there. That of the end is `t1`; that of a point at which an event ends the solve is 0, since it
    /// moves with the event.
    pub save_times: Vec<T>,
    /// The estimated error of the gradient with respect to that of the equation; `None` where it is not estimated:
    /// with fixed steps unless a [`gradient_tolerance`](crate::Solver::gradient_tolerance) is asked for, and
    /// [unchecked](crate::Solver::unchecked).
    pub error: Option<GradientError<F, S>>,
    /// What it cost.
    pub stats: Stats,
}

/// The memory that [`Auto`] and [`Guarded`] keep to by default, in bytes: 64 MB.
pub const DEFAULT_MEMORY: usize = 64_000_000;
