//! What a solve cost.

use std::fmt;

/// Counts of a solve or of a gradient.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
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
    /// The strategy that made the gradient, empty for a solve without one. With
    /// [`Auto`](crate::Auto): the one that was chosen.
    pub strategy: &'static str,
    /// Anchors: the states that a guarded reversal goes back to, the start not counted.
    pub anchors: u64,
    /// The certificate of a reversal: how far reversed states were from known ones, relative to their size.
    /// [`Reversible`](crate::Reversible): times what the gradient amplifies that; the gradient's error is below
    /// 64 times it (`docs/reversible.md`). [`Guarded`](crate::Guarded): the worst one of a segment, 0 where all
    /// is reversed to the last bit; other segments were solved again. `None` where nothing was reversed in
    /// floating point.
    pub certificate: Option<f64>,
    /// Segments whose certificate was not 0, and which were solved again instead.
    pub recomputed: u64,
    /// What an exact reversal keeps, in bits for each component of the state.
    pub buffer_bits: f64,
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} steps accepted, {} rejected, {} evaluations, {} VJPs, {} bytes kept",
            self.accepted, self.rejected, self.evaluations, self.vjps, self.bytes_kept
        )?;
        if !self.strategy.is_empty() {
            write!(f, ", {}", self.strategy)?;
        }
        if self.anchors > 0 {
            write!(f, ", {} anchors", self.anchors)?;
        }
        if let Some(certificate) = self.certificate {
            write!(f, ", certificate {certificate:.1e}")?;
        }
        if self.recomputed > 0 {
            write!(f, ", {} segments recomputed", self.recomputed)?;
        }
        if self.buffer_bits > 0.0 {
            write!(f, ", {:.0} bits a component", self.buffer_bits)?;
        }
        Ok(())
    }
}
