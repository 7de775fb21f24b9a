//! How far a gradient may be from that of the equation, and what is done where it is estimated to be further.
//!
//! The gradient is exact for the discrete solution, with the step sizes as constants. How far that is from the
//! equation's gradient is estimated on the way back by a second cotangent, which is advanced by the embedded method:
//! `docs/gradient-error.md`.

use std::rc::Rc;

use super::Gradient;
use crate::control::Tolerance;
use crate::scheme::{Adjoint, Cotangent, SchemeVjp};
use crate::time::{StepLimits, StepRecord};
use crate::{FieldVjp, Real, State};

/// The estimated error of a gradient, component by component: absolute values, in the units of the gradient.
#[derive(Debug, Clone, PartialEq)]
pub struct GradientError<F, S> {
    /// That of the gradient with respect to the initial state.
    pub y0: S,
    /// That of the gradient with respect to the parameters, in a model of the same type.
    pub model: F,
}

/// The error that a gradient may have by its estimate, relative to its largest component.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum Accuracy {
    /// Half the digits that step-size control keeps, or 100 times its tolerance where that is more; fixed steps are
    /// not checked.
    #[default]
    Default,
    /// So much.
    Asked(f64),
    /// No estimate is made.
    Unchecked,
}

/// The error allowed by default as a multiple of the tolerance, where the tolerance is loose.
const MULTIPLE: f64 = 100.0;

/// A gradient that is further off is worth nothing, however loose the tolerance.
const MOST_ALLOWED: f64 = 0.1;

impl Accuracy {
    /// The error that is allowed where the state has this `size` at the start; `None` where none is estimated.
    pub(crate) fn allowed(self, tolerance: Option<Tolerance>, size: f64) -> Option<f64> {
        match self {
            Self::Default => tolerance.map(|tolerance| {
                let tolerance = tolerance.relative_to(size);
                Real::sqrt(tolerance).max(MULTIPLE * tolerance).min(MOST_ALLOWED)
            }),
            Self::Asked(allowed) => Some(allowed),
            Self::Unchecked => None,
        }
    }
}

/// From this tolerance on an estimate is not believed by itself: the solution's own error, which it does not see, can be
/// most of the gradient's. (`cargo test --release -p revode-testing --test gallery table -- --ignored --nocapture`.)
pub(crate) const LOOSE: f64 = 1e-4;

/// How often a gradient is solved again with shorter steps.
const MOST_ROUNDS: u32 = 4;

/// How many times shorter steps are at the most, and at the least, from one solve to the next.
const SHORTER: (f64, f64) = (1.5, 8.0);

/// The part of the allowed error that shorter steps aim at: the estimate's power of the step size is not exact.
const AIM: f64 = 0.3;

/// Gradients that differ by so many units of rounding are the same.
const ROUNDING: f64 = 64.0;

/// Where a solve takes more steps than this, another one must promise to be better.
const FEW_STEPS: u64 = 1000;

/// The solves with shorter steps so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refinement {
    /// How many there have been.
    pub(crate) rounds: u32,
    /// What limits the steps of the next one.
    pub(crate) limits: Option<Rc<StepLimits>>,
    /// Whether the next one promises to be accurate enough.
    pub(crate) promises: bool,
    last: Option<Last>,
}

/// The last solve, whose gradient was estimated to be too far off.
#[derive(Debug, Clone)]
struct Last {
    /// The estimate, and the gradient.
    estimate: f64,
    gradient: Vec<f64>,
    /// How many times shorter the steps were made for it.
    shorter: f64,
}

impl Refinement {
    /// Another solve has turned out not to be accurate enough.
    pub(super) fn count(&mut self) -> u32 {
        self.promises = false;
        self.rounds += 1;
        self.rounds
    }

    /// Makes steps shorter than those of the legs of a solve whose gradient was estimated to be off by `estimate`, where `allowed`
    /// is allowed and the estimate falls with the power `order` of the step size.
    pub(super) fn shorten<T: Real, F: FieldVjp<T>>(
        &mut self,
        records: &[StepRecord<T>],
        order: u32,
        found: &Gradient<F, F::State, T>,
        (estimate, allowed): (f64, f64),
    ) {
        let mut power = f64::from(order.max(1));
        let steps: u64 = records.iter().map(StepRecord::len).sum();
        if let Some(last) = &self.last {
            let seen = Real::ln(last.estimate / estimate) / Real::ln(last.shorter);
            if exceeds(0.5, seen) && steps > FEW_STEPS {
                return;
            }
            // (NaN is the least.)
            power = power.min(seen.max(0.5));
        }
        let wanted = Real::exp(Real::ln(estimate / (AIM * allowed)) / power);
        let (least, most) = SHORTER;
        let shorter = if wanted < most { wanted.max(least) } else { most };
        self.last = Some(Last { estimate, gradient: components(found).collect(), shorter });
        let before = self.limits.as_deref();
        self.limits = Some(Rc::new(StepLimits::shorter(records, shorter, before)));
        self.promises = self.rounds <= MOST_ROUNDS;
    }

    /// The estimate of this gradient, calibrated by that of the last solve, whose steps were longer, where that was too
    /// small, as this gradient says: the new one may be so as many times, and of the difference of both gradients there is
    /// left at least what steps so much shorter leave of an error of this `order`.
    pub(super) fn calibrated<T: Real, F: FieldVjp<T>>(
        &self,
        found: &Gradient<F, F::State, T>,
        estimate: f64,
        order: u32,
    ) -> f64 {
        let Some(last) = &self.last else { return estimate };
        let both = last.gradient.iter().zip(components(found));
        let [off, size] = largest_of(both.map(|(last, now)| [(last - now).abs(), now.abs()]));
        let least = (ROUNDING * T::EPSILON.to_f64()).max(last.estimate);
        if !last.estimate.is_finite() || off <= least * size {
            return estimate;
        }
        let off = off / size;
        let left = off / (Real::powi(last.shorter, order as i32) - 1.0);
        larger(estimate * (off / last.estimate), left)
    }
}

/// All components of a gradient.
fn components<T: Real, F: FieldVjp<T>>(
    found: &Gradient<F, F::State, T>,
) -> impl Iterator<Item = f64> {
    let y0 = found.y0.as_slice().iter();
    y0.chain(found.model.slices().flatten()).map(|x| x.to_f64())
}

/// Watches the cotangents on the way back: where two come apart, where one is not finite any more.
#[derive(Debug)]
pub(super) struct Watch {
    allowed: f64,
    /// They are looked at every so many steps, a power of two.
    stride: u64,
    /// The time to which the way back had come.
    pub(super) t: Option<f64>,
    /// The largest component of a cotangent of the solution, as long as all were finite, and the time at which the
    /// first was not.
    largest: f64,
    pub(super) not_finite: Option<f64>,
    steps: u64,
}

/// The number of times that the cotangents are compared on the way back, at least, unless there are fewer steps.
const LOOKS: u64 = 64;

impl Watch {
    pub(super) fn new(allowed: f64) -> Self {
        Self { allowed, stride: 1, t: None, largest: 0.0, not_finite: None, steps: 0 }
    }

    /// A leg of so many steps begins.
    pub(super) fn begin(&mut self, steps: u64) {
        self.stride = ((steps / LOOKS + 1).next_power_of_two() / 2).max(1);
        self.steps = steps;
    }

    /// Looks at the cotangents before step `index`, at `t`, if it is one of those that are looked at.
    #[inline]
    pub(super) fn look<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>>(
        &mut self,
        scheme: &S,
        (index, t): (u64, T),
        adjoint: &Adjoint<S::Bar, F>,
    ) {
        if index & (self.stride - 1) != 0 && index != self.steps {
            return;
        }
        let Adjoint { main, embedded } = adjoint;
        let bar = || scheme.solution_bar(&main.state);
        let size = bar().fold(0.0, |size, bar| larger(size, bar.abs().to_f64()));
        if size.is_finite() {
            self.largest = self.largest.max(size);
        } else {
            self.not_finite.get_or_insert(t.to_f64());
        }
        let Some(embedded) = embedded else { return };
        let mut off = 0.0;
        for (main, embedded) in bar().zip(scheme.solution_bar(&embedded.state)) {
            off = larger(off, (main - embedded).abs().to_f64());
        }
        if self.t.is_none() && exceeds(off, self.allowed * size) {
            self.t = Some(t.to_f64());
        }
    }

    /// The time to which the way back had come when the cotangent of the solution grew beyond the numbers of its
    /// precision. One that became infinite or NaN in a step, before it had come to the third root of the largest number,
    /// did not grow so.
    pub(super) fn grown<T: Real>(&self) -> Option<f64> {
        let largest = 1.0 / T::MIN_POSITIVE.to_f64();
        self.not_finite.filter(|_| self.largest > Real::cbrt(largest))
    }
}

/// Whether `x` is more than `y`, or one of both is NaN.
pub(super) fn exceeds(x: f64, y: f64) -> bool {
    x > y || x.is_nan() || y.is_nan()
}

/// The larger one of two numbers; infinite where one is NaN.
pub(super) fn larger(x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() { f64::INFINITY } else { x.max(y) }
}

/// The largest of each of two sizes; infinite where one is NaN.
fn largest_of(sizes: impl Iterator<Item = [f64; 2]>) -> [f64; 2] {
    sizes.fold([0.0; 2], |[x, y], [a, b]| [larger(x, a), larger(y, b)])
}

/// The estimated error of a gradient and, relative to the gradient's largest component, that of the component that is
/// off most.
pub(super) fn estimate<T: Real, F: FieldVjp<T>>(
    (y0, model): (&F::State, &F),
    embedded: Cotangent<F::State, F>,
) -> (GradientError<F, F::State>, f64) {
    let Cotangent { state: mut y0_error, model: mut model_error } = embedded;
    let exact = y0.as_slice().iter().chain(model.slices().flatten());
    let errors = y0_error.as_mut_slice().iter_mut().chain(model_error.slices_mut().flatten());
    let [off, size] = largest_of(exact.zip(errors).map(|(exact, error)| {
        *error = (*exact - *error).abs();
        [error.to_f64(), exact.abs().to_f64()]
    }));
    let relative = if off == 0.0 { 0.0 } else { larger(off / size, 0.0) };
    (GradientError { y0: y0_error, model: model_error }, relative)
}
