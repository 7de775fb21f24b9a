//! One-step methods: the increment `Psi_h` of `Phi_h(t, u) = u + Psi_h(t, u)`, and its VJP.
//!
//! `#[tableau]` implements these traits from a Runge–Kutta tableau. By hand they take a splitting,
//! an exponential integrator, or anything else that advances by an increment.

use crate::{FieldVjp, Real, Stability, Step, StepFailure, VectorField};

/// A one-step method for the field `F`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a one-step method for `{F}` over `{T}`",
    note = "declare it with `#[tableau]`, or implement `Method<{T}, {F}>` by hand"
)]
pub trait Method<T: Real, F: VectorField<T>>: Clone {
    /// Scratch space: the stage derivatives.
    type Stages;

    /// The order of accuracy.
    fn order(&self) -> u32;

    /// The limits of stability, where they are known. Methods by hand may state their own.
    fn stability(&self) -> Option<&'static Stability> {
        None
    }

    /// Scratch space for states like `u`.
    fn stages(&self, field: &F, u: &F::State) -> Self::Stages;

    /// Writes `Psi_h(t, u)` to `psi`. Equal inputs give equal bits. The times of stages are
    /// [`step.stage_time(c)`](Step::stage_time) and `step.end`, which lie within the time span.
    ///
    /// # Errors
    /// [`StepFailure`] where there is no increment of this size; explicit methods have one of any size.
    fn increment(
        &self,
        field: &F,
        step: Step<T>,
        u: &F::State,
        stages: &mut Self::Stages,
        psi: &mut F::State,
    ) -> Result<(), StepFailure>;

    /// The field evaluations made into `stages` so far.
    fn evaluations(&self, stages: &Self::Stages) -> u64;

    /// Promises that the next increment starts from the `t` and `u` of the last one: the first
    /// stage need not be computed again. (A rejected step.)
    fn restart(&self, stages: &mut Self::Stages) {
        let _ = stages;
    }

    /// Promises that the next increment starts where the last one, an
    /// [`increment_with_error`](EmbeddedMethod::increment_with_error), ended: a method whose last
    /// stage is its next first one need not compute it again.
    fn proceed(&self, stages: &mut Self::Stages) {
        let _ = stages;
    }
}

/// A method that estimates its own error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no embedded error estimate",
    label = "adaptive steps need one",
    note = "use `.fixed_step(h)`, or a method with an embedded one such as `Tsit5`, `Dopri5` or `Bosh3`"
)]
pub trait EmbeddedMethod<T: Real, F: VectorField<T>>: Method<T, F> {
    /// The order of the embedded method.
    fn embedded_order(&self) -> u32;

    /// [`Method::increment`], to the same bits, that also writes the difference from the embedded
    /// increment to `error`.
    ///
    /// # Errors
    /// [`StepFailure`] where `increment` has one.
    fn increment_with_error(
        &self,
        field: &F,
        step: Step<T>,
        u: &F::State,
        stages: &mut Self::Stages,
        psi: &mut F::State,
        error: &mut F::State,
    ) -> Result<(), StepFailure>;
}

/// A method whose increment can be differentiated in reverse.
#[diagnostic::on_unimplemented(
    message = "the increment of `{Self}` has no vector–Jacobian product",
    note = "`#[tableau]` implements `MethodVjp` for every field that has a `FieldVjp`"
)]
pub trait MethodVjp<T: Real, F: FieldVjp<T>>: Method<T, F> {
    /// What an increment leaves for its VJP: stage states and tapes.
    type Taped;

    /// Scratch space for states like `u`.
    fn taped(&self, field: &F, u: &F::State) -> Self::Taped;

    /// [`Method::increment`], to the same bits, that also keeps what its VJP needs.
    ///
    /// # Errors
    /// [`StepFailure`] where `increment` has one.
    fn increment_taped(
        &self,
        field: &F,
        step: Step<T>,
        u: &F::State,
        taped: &mut Self::Taped,
        psi: &mut F::State,
    ) -> Result<(), StepFailure>;

    /// *Adds* `(∂Psi_h/∂u)ᵀ psi_bar` to `u_bar` and `(∂Psi_h/∂θ)ᵀ psi_bar` to `model_bar`, and returns
    /// `(∂Psi_h/∂t)ᵀ psi_bar` at constant `h`, with which the end moves as the start does, for the increment that `taped` was filled by, of the same
    /// step. (`docs/vjp_of_rk.md`.)
    fn increment_vjp(
        &self,
        field: &F,
        step: Step<T>,
        taped: &mut Self::Taped,
        psi_bar: &F::State,
        u_bar: &mut F::State,
        model_bar: &mut F,
    ) -> T;

    /// The order of the embedded increment where [that can be differentiated too](Self::vjp_with_embedded), so that the
    /// error of a gradient can be estimated.
    fn estimate_order(&self) -> Option<u32> {
        None
    }

    /// Adds to what [`increment_taped`](Self::increment_taped) has kept of the same step what the VJP of the embedded
    /// increment needs beyond it.
    fn tape_embedded(&self, field: &F, step: Step<T>, u: &F::State, taped: &mut Self::Taped) {
        let _ = (field, step, u, taped);
    }

    /// Promises that the next increment ends at the `t` and `u` where the last one that was taped started: a method
    /// whose last stage is its next first one need not evaluate it again for the embedded increment.
    fn precede(&self, taped: &mut Self::Taped) {
        let _ = taped;
    }

    /// [`increment_vjp`](Self::increment_vjp) and, through the same stages, that of the embedded increment: of each
    /// pair the first is the increment's. Called where the [order of the estimate](Self::estimate_order) is known.
    fn vjp_with_embedded(
        &self,
        field: &F,
        step: Step<T>,
        taped: &mut Self::Taped,
        psi_bars: [&F::State; 2],
        u_bars: [&mut F::State; 2],
        model_bars: [&mut F; 2],
    ) {
        let _ = (field, step, taped, psi_bars, u_bars, model_bars);
        unimplemented!("a method that has an `estimate_order` implements `vjp_with_embedded`")
    }

    /// The field evaluations made into `taped` so far.
    fn taped_evaluations(&self, taped: &Self::Taped) -> u64;

    /// The field VJPs made from `taped` so far.
    fn vjps(&self, taped: &Self::Taped) -> u64;
}

/// What `#[tableau]` has proved of a method, and its coefficients.
pub trait Tableau {
    /// The method's name: that of its type.
    const NAME: &'static str;
    /// The order of accuracy.
    const ORDER: u32;
    /// The order of the embedded method.
    const EMBEDDED_ORDER: Option<u32>;
    /// The order to which `Phi_{-h} ∘ Phi_h` is the identity.
    const SYMMETRY_ORDER: u32;
    /// The number of stages.
    const STAGES: usize;
    /// Whether the last stage is the first one of the next step.
    const FSAL: bool;
    /// How far a step is stable.
    const STABILITY: Stability;
    /// The proof's arithmetic.
    const PROOF: Proof;
    /// The strictly lower triangle of the matrix `a`, row by row.
    const A: &'static [&'static [f64]];
    /// The weights.
    const B: &'static [f64];
    /// The embedded weights.
    const B_EMBEDDED: Option<&'static [f64]>;
    /// The nodes.
    const C: &'static [f64];
}

/// How the claims of a tableau were proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// In rational arithmetic: the order conditions hold exactly.
    Exact,
    /// To 40 digits, for tableaus with roots.
    Digits40,
    /// To the digits that a rounded tableau declares.
    Rounded {
        /// The declared number of digits.
        digits: u32,
    },
}

impl std::fmt::Display for Proof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exact => write!(f, "exact"),
            Self::Digits40 => write!(f, "40 digits"),
            Self::Rounded { digits } => write!(f, "{digits} digits, as published"),
        }
    }
}
