//! One-step methods: the increment `Psi_h` of `Phi_h(t, u) = u + Psi_h(t, u)`, and its VJP.
//!
//! `#[tableau]` implements these traits from a Runge–Kutta tableau. By hand they take a splitting,
//! an exponential integrator, or anything else that advances by an increment.

use crate::dense::{BoxedDenseOutput, BoxedDenseOutputVjp, CubicHermite, cubic_hermite_vjp};
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

    /// Whether a step may be long beside the fastest decay of the solution, as one of an implicit method is. Then what a gradient
    /// hands on from step to step is not tested for jumps of the field that no switching function shows: where it decays so fast, the
    /// derivative is far less accurate than the state.
    fn is_for_stiff(&self) -> bool {
        false
    }

    /// Scratch space for states like `u`.
    fn stages(&self, field: &F, u: &F::State) -> Self::Stages;

    /// Writes `Psi_h(t, u)` to `psi`. Equal inputs give equal bits. The times of stages are
    /// [`step.stage_time(c)`](Step::stage_time) and `step.end`, which lie within the time span; the field is evaluated on
    /// the step's sides of its jumps, by [`eval_on`](VectorField::eval_on).
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

    /// The order of the [dense output](Self::dense_output): its error after a step from an exact state is
    /// `O(h^{q+1})` for the order `q`. 0 where nothing is known of it, as of a method by hand that does not say, or where it says little of the
    /// accuracy, as of Rosenbrock methods in long steps: then save points are landed on, unless told otherwise. To be overridden
    /// with `dense_output`, which it is the order of.
    fn dense_order(&self) -> u32 {
        0
    }

    /// What values between the ends of steps are read from, for states like `u`: the [`Interpolant`] where `#[tableau]`
    /// declares the method; otherwise the cubic that has the states and derivatives of both ends, of order 3 at most, for
    /// one field evaluation in each of successive steps with such values, and two in a single one or along a pair. It suits
    /// fields that are not stiff. A method that overrides this overrides `dense_order` and `MethodVjp::dense_output_vjp` too.
    fn dense_output<'a>(
        &'a self,
        field: &F,
        u: &F::State,
    ) -> BoxedDenseOutput<'a, T, F, Self::Stages> {
        let _ = field;
        Box::new(CubicHermite::new(u))
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

/// A method with an interpolant: the solution between the ends of a step, `y(t + θh)` for `θ` from 0 to 1.
///
/// An interpolant of order `p` errs by `O(h^{p+1})` after a step from an exact state, for every `θ`, and its derivative by
/// `O(h^p)`. It meets the two ends to the last bit: `u` at `θ = 0`, the sum of `u` and the increment at `θ = 1`. Between
/// them it is a polynomial `u + h Σ_i b_i(θ) k_i` in `θ`, whose weights are rounded to about 1e-16 `Σ |b_i(θ)|`. Every
/// `#[tableau]` has one, declared or cubic Hermite (`docs/interpolants.md`).
///
/// ```
/// # extern crate revode_runtime as revode;
/// use revode::{Interpolant, Method, Step, methods::Rk4, nalgebra::Vector1, ode};
///
/// ode! {
///     struct Growth { state { y } params { rate } }
///     dy/dt = rate * y;
/// }
/// let (field, u, step) = (Growth { rate: 1.0 }, Vector1::new(1.0), Step::new(0, 0.0, 0.1));
/// let (mut stages, mut extra) = (Rk4.stages(&field, &u), Rk4.extra(&field, &u));
/// let (mut psi, mut y) = (u, u);
/// Rk4.increment(&field, step, &u, &mut stages, &mut psi)?;
/// Rk4.extend(&field, step, &u, &mut stages, &mut extra);
/// Rk4.interpolate(&field, step, 0.5, &u, &stages, &extra, &mut y);
/// assert!((y.x - 0.05_f64.exp()).abs() < 1e-6);
/// # Ok::<(), revode::StepFailure>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no interpolant for `{F}` over `{T}`",
    note = "`#[tableau]` implements `Interpolant` for every method"
)]
pub trait Interpolant<T: Real, F: VectorField<T>>: Method<T, F> {
    /// Scratch space: the derivatives of the stages that only the interpolant needs.
    type Extra;

    /// The order of the interpolant.
    fn interpolant_order(&self) -> u32;

    /// Whether the derivative is continuous from step to step: it is `f(t, u)` at the start of a step and
    /// `f(t1, y1)` at its end.
    fn is_smooth(&self) -> bool;

    /// Scratch space for states like `u`.
    fn extra(&self, field: &F, u: &F::State) -> Self::Extra;

    /// Evaluates what the interpolant needs of a step beyond its increment, the last one that was taken into
    /// `stages`, with an error or without; once a step, and only where values between its ends are wanted. The
    /// evaluations are counted in `stages`.
    fn extend(
        &self,
        field: &F,
        step: Step<T>,
        u: &F::State,
        stages: &mut Self::Stages,
        extra: &mut Self::Extra,
    ) {
        let _ = (field, step, u, stages, extra);
    }

    /// Promises that the next increment starts where the step that was [extended](Self::extend) last ended: where
    /// one of its stages is `f(t1, y1)`, the next increment takes that as its first. No value of that step can be
    /// had afterwards. Instead of [`Method::proceed`].
    fn proceed_extended(&self, stages: &mut Self::Stages, extra: &mut Self::Extra) {
        let _ = (stages, extra);
    }

    /// Writes `y(t + theta h)` to `y`. After [`extend`](Self::extend), of the same step from the same `u`. Beyond
    /// 0 and 1 the polynomial is continued, and nothing is known of its accuracy.
    fn interpolate(
        &self,
        field: &F,
        step: Step<T>,
        theta: T,
        u: &F::State,
        stages: &Self::Stages,
        extra: &Self::Extra,
        y: &mut F::State,
    );

    /// Writes the derivative `y'(t + theta h)` with respect to time to `dy`. After [`extend`](Self::extend).
    fn derivative(
        &self,
        field: &F,
        theta: T,
        stages: &Self::Stages,
        extra: &Self::Extra,
        dy: &mut F::State,
    );
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
    /// pair the first is the increment's. Returns the increment's cotangent of time. Called where the [order of the estimate](Self::estimate_order) is known.
    fn vjp_with_embedded(
        &self,
        field: &F,
        step: Step<T>,
        taped: &mut Self::Taped,
        psi_bars: [&F::State; 2],
        u_bars: [&mut F::State; 2],
        model_bars: [&mut F; 2],
    ) -> T {
        let _ = (field, step, taped, psi_bars, u_bars, model_bars);
        unimplemented!("a method that has an `estimate_order` implements `vjp_with_embedded`")
    }

    /// The derivative `f(t, u)` where the increment that was taped last starts, if the method has evaluated that; until
    /// a VJP is taken.
    fn start_derivative<'a>(&self, taped: &'a Self::Taped) -> Option<&'a F::State> {
        let _ = taped;
        None
    }

    /// The VJP of steps of which values between their ends were read, those of [`Method::dense_output`]: to be overridden
    /// where that is, and nowhere else.
    fn dense_output_vjp<'a>(&'a self, field: &'a F, u: &F::State) -> BoxedDenseOutputVjp<'a, T, F> {
        cubic_hermite_vjp(self, field, u)
    }

    /// The field evaluations made into `taped` so far.
    fn taped_evaluations(&self, taped: &Self::Taped) -> u64;

    /// The field VJPs made from `taped` so far.
    fn vjps(&self, taped: &Self::Taped) -> u64;
}

/// A method whose interpolant can be differentiated in reverse.
///
/// A value `y(t + θh)` is `u` and a sum of the stage derivatives. So its cotangent `y_bar` is one of `u`, which the caller
/// adds, and leaves `h b_i(θ) y_bar` to each stage derivative ([`interpolate_vjp`](Self::interpolate_vjp)); the VJP of the
/// increment then takes these along, extra stages first ([`extended_vjp`](Self::extended_vjp)). (`docs/vjp_of_rk.md`.)
#[diagnostic::on_unimplemented(
    message = "the interpolant of `{Self}` has no vector–Jacobian product",
    note = "`#[tableau]` implements `InterpolantVjp` for every field that has a `FieldVjp`"
)]
pub trait InterpolantVjp<T: Real, F: FieldVjp<T>>: Interpolant<T, F> + MethodVjp<T, F> {
    /// What values between the ends of a step leave for the VJP: states and tapes of extra stages, and cotangents of
    /// all stage derivatives.
    type TapedExtra;

    /// Scratch space for states like `u`, without cotangents.
    fn taped_extra(&self, field: &F, u: &F::State) -> Self::TapedExtra;

    /// Adds to what [`increment_taped`](MethodVjp::increment_taped) has kept of the same step what the VJP of the
    /// interpolant needs beyond it. After [`tape_embedded`](MethodVjp::tape_embedded), where that is called.
    fn tape_extra(
        &self,
        field: &F,
        step: Step<T>,
        u: &F::State,
        taped: (&mut Self::Taped, &mut Self::TapedExtra),
    ) {
        let _ = (field, step, u, taped);
    }

    /// Adds what the cotangent `y_bar` of `y(t + theta h)` means for the stage derivatives to those that `extra` keeps.
    /// What it means for `u` is `y_bar`, which the caller adds.
    fn interpolate_vjp(
        &self,
        field: &F,
        step: Step<T>,
        theta: T,
        y_bar: &F::State,
        extra: &mut Self::TapedExtra,
    );

    /// [`MethodVjp::increment_vjp`] that takes the cotangents of the stage derivatives along, and forgets them. After
    /// [`tape_extra`](Self::tape_extra). The cotangent of time is that at constant `θ`.
    fn extended_vjp(
        &self,
        field: &F,
        step: Step<T>,
        taped: (&mut Self::Taped, &mut Self::TapedExtra),
        psi_bar: &F::State,
        u_bar: &mut F::State,
        model_bar: &mut F,
    ) -> T;

    /// [`MethodVjp::vjp_with_embedded`] that takes the cotangents of the stage derivatives along, in both, and forgets
    /// them. Called where the [order of the estimate](MethodVjp::estimate_order) is known.
    fn extended_vjp_with_embedded(
        &self,
        field: &F,
        step: Step<T>,
        taped: (&mut Self::Taped, &mut Self::TapedExtra),
        psi_bars: [&F::State; 2],
        u_bars: [&mut F::State; 2],
        model_bars: [&mut F; 2],
    ) -> T {
        let _ = (field, step, taped, psi_bars, u_bars, model_bars);
        unimplemented!(
            "a method that has an `estimate_order` implements `extended_vjp_with_embedded`"
        )
    }
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
    /// The interpolant.
    const INTERPOLANT: ContinuousExtension;
    /// The strictly lower triangle of the matrix `a`, row by row.
    const A: &'static [&'static [f64]];
    /// The weights.
    const B: &'static [f64];
    /// The embedded weights.
    const B_EMBEDDED: Option<&'static [f64]>;
    /// The nodes.
    const C: &'static [f64];
}

/// What `#[tableau]` has proved of an interpolant `y(t + θh) = u + h Σ_i b_i(θ) k_i`, and its coefficients.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ContinuousExtension {
    /// The order: the error is `O(h^{order+1})` after a step, for every `θ`.
    pub order: u32,
    /// How many continuous derivatives it has from step to step: 0 or 1.
    pub smoothness: u32,
    /// The proof's arithmetic.
    pub proof: Proof,
    /// The number of stages beyond those of the method, evaluated where values between the ends are wanted.
    pub extra_stages: usize,
    /// The stage that is `f(t1, y1)`, counted from 0, those of the method first: the next step's first one, which is
    /// then not evaluated again.
    pub end_stage: Option<usize>,
    /// The rows of the extra stages.
    pub a: &'static [&'static [f64]],
    /// For each stage the coefficients of `θ`, `θ²`, … in its weight; none where the weight is 0.
    pub b: &'static [&'static [f64]],
    /// The nodes of the extra stages.
    pub c: &'static [f64],
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
