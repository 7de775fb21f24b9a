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
    /// The rejected steps whose error was small enough: those that were taken again so that they end at an event, a jump, a
    /// kink or a pole of the field.
    pub taken_again: u64,
    /// The legs: one, and one more for each time on the way at which the method started anew, that of a stop or of events.
    pub legs: u64,
    /// Accepted steps after which stability, and not the error, limited the next one.
    pub stability_limited: u64,
    /// The components that stayed below the absolute tolerance all the time, and so were not followed: the number of
    /// the first, and how many there are.
    pub below_tolerance: Option<(usize, usize)>,
    /// Evaluations of the field, forward and backward.
    pub evaluations: u64,
    /// Vector–Jacobian products of the field.
    pub vjps: u64,
    /// Bytes kept for the backward pass: record of the steps, save points, states. 0 for a solve
    /// without a gradient.
    pub bytes_kept: usize,
    /// Of these the bytes of the record of the steps, which each leg has of its own.
    pub record_bytes: usize,
    /// The estimated error of the gradient, relative to its largest component: that of the component that is off
    /// most, or more where derivatives missed something or a confirmation says so (`docs/gradient-error.md`). `None` where
    /// it was not estimated.
    pub gradient_error: Option<f64>,
    /// How often the gradient was solved again with shorter steps, because it was estimated to be too far off, or to
    /// confirm it. The other counts are those of the last solve.
    pub refinements: u32,
    /// The strategy that made the gradient, and its own figures.
    pub strategy: StrategyStats,
}

/// A gradient strategy's own figures.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub enum StrategyStats {
    /// A solve without a gradient.
    #[default]
    None,
    /// [`StoreAll`](crate::StoreAll).
    StoreAll,
    /// [`Checkpointed`](crate::Checkpointed).
    Checkpointed {
        /// The number of states that were stored at a time, at most.
        slots: usize,
    },
    /// [`Guarded`](crate::Guarded).
    Guarded {
        /// The states that the reversal starts again from, the start not counted.
        anchors: u64,
        /// The steps whose start was stored because a component left its grid.
        stored_steps: u64,
    },
    /// [`Exact`](crate::Exact).
    Exact {
        /// The bits that the halvings of the gap lost and that were kept, for each component of the state.
        bits: f64,
    },
    /// [`Reversible`](crate::Reversible).
    Reversible {
        /// How far reversed states were from known ones, relative to their size, times what the gradient amplifies
        /// that: the gradient's error is below 64 times it (`docs/reversible.md`).
        certificate: f64,
    },
}

impl StrategyStats {
    /// The figures of this leg of a solve and of the `others` after it.
    #[must_use]
    pub(crate) fn and(self, others: Self) -> Self {
        match (self, others) {
            (Self::Checkpointed { slots: a }, Self::Checkpointed { slots: b }) => {
                Self::Checkpointed { slots: a + b }
            }
            (
                Self::Guarded { anchors, stored_steps },
                Self::Guarded { anchors: more, stored_steps: stored },
            ) => Self::Guarded { anchors: anchors + more, stored_steps: stored_steps + stored },
            (Self::Exact { bits: a }, Self::Exact { bits: b }) => Self::Exact { bits: a + b },
            (Self::Reversible { certificate: a }, Self::Reversible { certificate: b }) => {
                Self::Reversible { certificate: a.max(b) }
            }
            (of, _) => of,
        }
    }

    /// The strategy's name; empty for a solve without a gradient. With [`Auto`](crate::Auto) that of the strategy
    /// which was chosen.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::StoreAll => "store-all",
            Self::Checkpointed { .. } => "checkpointed",
            Self::Guarded { .. } => "guarded",
            Self::Exact { .. } => "exact",
            Self::Reversible { .. } => "reversible",
        }
    }

    /// The anchors of a guarded gradient; 0 for others.
    pub fn anchors(self) -> u64 {
        if let Self::Guarded { anchors, .. } = self { anchors } else { 0 }
    }

    /// The bits a component of an exact gradient; 0 for others.
    pub fn bits(self) -> f64 {
        if let Self::Exact { bits } = self { bits } else { 0.0 }
    }

    /// The certificate of a gradient by the published pair; none for others.
    pub fn certificate(self) -> Option<f64> {
        if let Self::Reversible { certificate } = self { Some(certificate) } else { None }
    }
}

impl fmt::Display for StrategyStats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match *self {
            Self::Guarded { anchors: 0, stored_steps: 0 } | Self::None | Self::StoreAll => Ok(()),
            Self::Checkpointed { slots } => write!(f, ", {slots} slots"),
            Self::Guarded { anchors, stored_steps: 0 } => write!(f, ", {anchors} anchors"),
            Self::Guarded { anchors, stored_steps } => {
                write!(f, ", {anchors} anchors, {stored_steps} steps stored")
            }
            Self::Exact { bits } => write!(f, ", {bits:.0} bits a component"),
            Self::Reversible { certificate } => write!(f, ", certificate {certificate:.1e}"),
        }
    }
}

impl Stats {
    /// Adds the counts of another leg of the same solve.
    pub(crate) fn add(&mut self, leg: &Self) {
        // (Components that one leg has followed are followed.)
        let first = self.accepted + self.rejected == 0;
        self.below_tolerance =
            if first { leg.below_tolerance } else { self.below_tolerance.and(leg.below_tolerance) };
        self.accepted += leg.accepted;
        self.rejected += leg.rejected;
        self.taken_again += leg.taken_again;
        self.legs += leg.legs;
        self.stability_limited += leg.stability_limited;
        self.evaluations += leg.evaluations;
        self.vjps += leg.vjps;
    }

    /// Whether stability, and not the error, limited most of the steps: a stiff problem, for which an explicit method
    /// takes more steps than the solution asks for.
    pub fn is_limited_by_stability(&self) -> bool {
        2 * self.stability_limited > self.accepted
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} steps accepted, {} rejected, {} evaluations, {} VJPs, {} bytes kept",
            self.accepted, self.rejected, self.evaluations, self.vjps, self.bytes_kept
        )?;
        if self.legs > 1 {
            write!(f, ", {} legs", self.legs)?;
        }
        if self.strategy != StrategyStats::None {
            write!(f, ", {}", self.strategy)?;
        }
        if let Some(error) = self.gradient_error {
            write!(f, ", gradient off by {error:.1e}, estimated")?;
        }
        if self.refinements > 0 {
            write!(f, ", solved {} times", self.refinements + 1)?;
        }
        if self.is_limited_by_stability() {
            write!(
                f,
                "; limited by stability, not by the error: an implicit method would take fewer steps"
            )?;
        }
        if let Some((first, count)) = self.below_tolerance {
            let others = if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
            write!(f, "; component {first}{others} stayed below the absolute tolerance")?;
        }
        Ok(())
    }
}
