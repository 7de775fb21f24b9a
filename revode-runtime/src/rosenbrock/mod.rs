//! Rosenbrock methods, for stiff equations: linearly implicit, without iteration.
//!
//! `#[rosenbrock]` proves a method and implements [`Rosenbrock`] with its coefficients; the step is written once, here.

mod dense;
mod stages;
mod vjp;

pub use dense::of_rosenbrock;
pub use stages::RosenbrockStages;
pub use vjp::{RosenbrockTaped, of_rosenbrock_vjp};

use crate::Proof;

/// What `#[rosenbrock]` has proved of a method, and its coefficients: with `W = I/(hγ) − J`,
///
/// ```text
/// W K_i = f(t + α_i h, y + Σ_{j<i} a_ij K_j) + Σ_{j<i} (c_ij/h) K_j + γ_i h ∂f/∂t,      y' = y + Σ m_i K_i
/// ```
///
/// Hairer and Wanner, *Solving Ordinary Differential Equations II*, (IV.7.25). One LU factorisation a step.
pub trait Rosenbrock {
    /// The method's name: that of its type.
    const NAME: &'static str;
    /// The order of accuracy.
    const ORDER: u32;
    /// The order of the embedded method.
    const EMBEDDED_ORDER: Option<u32>;
    /// The number of stages.
    const STAGES: usize;
    /// How far a step is stable.
    const STABILITY: ImplicitStability;
    /// The proof's arithmetic.
    const PROOF: Proof;
    /// `γ`.
    const GAMMA: f64;
    /// The nodes `α_i`.
    const NODES: &'static [f64];
    /// The factors `γ_i` of the derivative with respect to time.
    const TIME_FACTORS: &'static [f64];
    /// The strictly lower triangle of `a`, row by row.
    const A: &'static [&'static [f64]];
    /// The strictly lower triangle of `c`, row by row.
    const C: &'static [&'static [f64]];
    /// The weights `m_i`.
    const M: &'static [f64];
    /// The weights less those of the embedded method.
    const ERROR: Option<&'static [f64]>;
    /// The order of the interpolant; 1 of the chord.
    const DENSE_ORDER: u32;
    /// The rows `h_r` of the interpolant `y + θ Σ m_i K_i + θ (1 − θ) Σ_r θ^r Σ_i h_ri K_i`; none for the chord.
    const H: &'static [&'static [f64]];
}

/// How far an implicit method is stable, where `R` is its stability function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImplicitStability {
    /// `|R(z)| ≤ 1` in the whole left half plane.
    A,
    /// And `R(∞) = 0`: what is infinitely stiff is gone after one step.
    L,
}
