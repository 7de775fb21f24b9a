//! States that come back by inverting the steps.

mod anchors;
mod bits;
mod certificate;
mod exact;
mod published;
mod samples;

pub use anchors::Guarded;
pub use exact::Exact;
pub use published::Reversible;
