//! States that come back because they, or some of them, are stored.

mod all;
mod checkpointed;
pub(super) mod revolve;

pub use all::{StoreAll, StoreWithin};
pub use checkpointed::Checkpointed;
