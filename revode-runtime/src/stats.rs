//! What a solve cost.

use std::fmt;

/// Counts of a solve or of a gradient.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Accepted steps.
    pub accepted: u64,
    /// Rejected steps.
    pub rejected: u64,
    /// Evaluations of the field, forward and backward.
    pub evaluations: u64,
    /// Vector–Jacobian products of the field.
    pub vjps: u64,
    /// Bytes kept for the backward pass: record of the steps, save points, states. 0 for a solve
    /// without a gradient.
    pub bytes_kept: usize,
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} steps accepted, {} rejected, {} evaluations, {} VJPs, {} bytes kept",
            self.accepted, self.rejected, self.evaluations, self.vjps, self.bytes_kept
        )
    }
}
