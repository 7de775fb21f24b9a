//! Strategies: what is advanced, and how its states come back.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use super::accuracy::{Accuracy, LOOSE, Refinement, exceeds};
use super::passes::{Keeper, differentiate};
use super::{Gradient, Loss};
use crate::control::{StepControl, StepSettings, Tolerance};
use crate::save::SavePlan;
use crate::scheme::{Scheme, SchemeVjp};
use crate::slices::largest;
use crate::solution::{Solution, save_solution};
use crate::stop::{Finding, Stop};
use crate::time::{Journey, MOST_ROUNDED_UP, StepRecord, Switches, TimeLoop};
use crate::{
    FieldVjp, Leg, Method, MethodVjp, Problem, Real, SolveError, State, VectorField, stack,
};

/// How often a strategy may revise its scheme and solve again.
const MAX_REVISIONS: u32 = 199;

/// How a gradient comes by the states of the forward pass when it goes back: the bound of generic code over the
/// strategies `Auto`, `Guarded`, `Exact`, `Reversible`, `Checkpointed` and `StoreAll`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a gradient strategy",
    note = "strategies are `Auto`, `Guarded`, `Exact`, `Reversible`, `Checkpointed` and `StoreAll`"
)]
pub trait Strategy: Sized {
    /// What is advanced.
    type Scheme<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>: SchemeVjp<T, F, Method = M>;
    /// What is kept of the forward pass.
    type Keeper<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>: Keeper<T, F, Self::Scheme<T, F, M>>;

    /// The scheme over `method` for a solve of `problem`, under step-size control with this tolerance.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] names a setting that is out of range.
    fn scheme<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        method: &M,
        problem: &Problem<T, F>,
        tolerance: Option<Tolerance>,
    ) -> Result<Self::Scheme<T, F, M>, SolveError>;

    /// An empty keeper for a leg of a solve.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] names a setting that is out of range.
    fn keeper<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        scheme: &Self::Scheme<T, F, M>,
        leg: Leg<'_, T, F>,
        tolerance: Option<Tolerance>,
    ) -> Result<Self::Keeper<T, F, M>, SolveError>;

    /// Makes the scheme stricter where a pass found it too loose; returns whether it did.
    fn revise<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        scheme: &mut Self::Scheme<T, F, M>,
        finding: &Finding,
    ) -> bool {
        let _ = (scheme, finding);
        false
    }

    /// The loss and its gradient.
    ///
    /// # Errors
    /// [`SolveError`].
    fn gradient<T, F, M, C>(
        &self,
        ask: &Ask<'_, T, F, M, C>,
        loss: &dyn Loss<T, F::State>,
    ) -> Result<Gradient<F, F::State, T>, SolveError>
    where
        T: Real,
        F: FieldVjp<T>,
        M: MethodVjp<T, F>,
        C: StepControl<T, F, M>,
    {
        let Ask { method, control, problem, .. } = ask;
        let tolerance = control.tolerance();
        if const { !stack::gradient_fits::<T, F, M, C, Self>() } {
            return Err(stack::too_large(&problem.y0, "this gradient"));
        }
        let mut scheme = self.scheme(*method, problem, tolerance)?;
        ask.tried.set(0);
        let mut revisions = 0;
        loop {
            let keeper = |leg: Leg<'_, T, F>| self.keeper(&scheme, leg, tolerance);
            let result = differentiate(ask, &scheme, keeper, loss);
            if !self.is_revised(ask, &mut scheme, &mut revisions, &result) {
                return result.map_err(Stop::into_error);
            }
        }
    }

    /// The solution along the scheme that [`gradient`](Self::gradient) differentiates, unless its reverse pass finds
    /// that too loose.
    ///
    /// # Errors
    /// [`SolveError`].
    fn forward<T, F, M, C>(
        &self,
        ask: &Ask<'_, T, F, M, C>,
    ) -> Result<Solution<T, F::State>, SolveError>
    where
        T: Real,
        F: FieldVjp<T>,
        M: MethodVjp<T, F>,
        C: StepControl<T, F, M>,
    {
        let Ask { method, control, problem, .. } = ask;
        if const { !stack::solve_fits::<T, F, Self::Scheme<T, F, M>, C>() } {
            return Err(stack::too_large(&problem.y0, "a solve along this strategy"));
        }
        let mut scheme = self.scheme(*method, problem, control.tolerance())?;
        let mut revisions = 0;
        loop {
            let result = save_solution(&ask.time_loop(&scheme, Purpose::Forward), ask.journey()?);
            if !self.is_revised(ask, &mut scheme, &mut revisions, &result) {
                return result.map_err(Stop::into_error);
            }
        }
    }

    /// Whether a pass found the discretisation too loose and it is stricter now: then the pass is to be made again.
    fn is_revised<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>, C: StepControl<T, F, M>, R>(
        &self,
        ask: &Ask<'_, T, F, M, C>,
        scheme: &mut Self::Scheme<T, F, M>,
        revisions: &mut u32,
        result: &Result<R, Stop>,
    ) -> bool {
        let Err(Stop::Finding(finding)) = result else { return false };
        if !ask.may_solve_again() {
            return false;
        }
        if let Finding::GradientInaccurate { .. } = finding {
            return ask.refinement.borrow().promises;
        }
        *revisions += 1;
        *revisions <= MAX_REVISIONS && self.revise::<T, F, M>(scheme, finding)
    }
}

/// What a solve is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The solution alone.
    Solution,
    /// The solution that a gradient goes along.
    Forward,
    /// A gradient.
    Gradient,
}

/// A solve that a strategy is asked to differentiate.
#[derive(Debug)]
pub struct Ask<'a, T: Real, F: VectorField<T>, M, C> {
    /// The method.
    pub(crate) method: &'a M,
    /// The control of the step size.
    pub(crate) control: &'a C,
    /// The problem.
    pub(crate) problem: &'a Problem<T, F>,
    /// The save points.
    pub(crate) plan: SavePlan<T>,
    /// What is asked of the steps.
    pub(crate) settings: StepSettings,
    /// The steps that a strategy has tried so far, in all its solves.
    pub(crate) tried: Cell<u64>,
    /// The error that a gradient may have, and whether the method can estimate it.
    pub(crate) accuracy: Accuracy,
    pub(crate) estimates: bool,
    /// The solves with shorter steps, because the gradient was not accurate enough.
    pub(crate) refinement: RefCell<Refinement>,
}

impl<T: Real, F: VectorField<T>, M: Method<T, F>, C: StepControl<T, F, M>> Ask<'_, T, F, M, C> {
    /// Makes the steps half as long as the size `h`, which is fixed.
    pub(super) fn halve(&mut self, h: f64) {
        self.settings.max_step = 0.5 * h * MOST_ROUNDED_UP;
    }

    /// The error that the gradient may have; `None` where none is estimated.
    pub(super) fn allowed_error(&self) -> Option<f64> {
        let size = largest(self.problem.y0.as_slice());
        self.accuracy.allowed(self.control.tolerance(), size).filter(|_| self.estimates)
    }

    /// Makes the steps of the next solve shorter than those of a pass whose gradient is off, unless their size is fixed.
    /// Returns the finding: the estimate passed what is allowed when the way back had come to `t`, or most of it was
    /// `missed` there.
    #[cold]
    pub(super) fn refine(
        &self,
        records: &[StepRecord<T>],
        found: &Gradient<F, F::State, T>,
        (t, missed): (f64, bool),
        (estimate, allowed): (f64, f64),
    ) -> Finding
    where
        F: FieldVjp<T>,
        M: MethodVjp<T, F>,
    {
        let mut refinement = self.refinement.borrow_mut();
        let solves = refinement.count();
        let order = self.method.estimate_order().filter(|_| self.control.tolerance().is_some());
        if let Some(order) = order {
            refinement.shorten(records, order, found, (estimate, allowed));
        }
        Finding::GradientInaccurate { t, missed, estimate, allowed, solves }
    }

    /// Whether a gradient that is accurate by its estimate is yet to be confirmed by another one with shorter steps: the
    /// tolerance is loose, or the loss amplifies what all `steps` may be off by, at random, beyond what is allowed. Not
    /// where the step limit leaves no room for it.
    pub(super) fn is_to_be_confirmed(
        &self,
        amplification: f64,
        (steps, allowed): (u64, f64),
    ) -> bool {
        let Some(tolerance) = self.control.tolerance() else { return false };
        let tolerance = tolerance.relative_to(largest(self.problem.y0.as_slice()));
        let amplified = amplification * tolerance * Real::sqrt(steps as f64);
        let first = self.refinement.borrow().rounds == 0;
        // Twice as many steps are enough for those that are 1.5 times shorter.
        let possible = self.tried.get().saturating_add(2 * steps) <= self.settings.max_steps;
        first && possible && (tolerance >= LOOSE || exceeds(amplified, allowed))
    }

    /// Whether a strategy that found its scheme too loose may begin another solve: the step limit bounds what it
    /// tries in all, too.
    fn may_solve_again(&self) -> bool {
        self.tried.get() < self.settings.max_steps
    }

    /// The solve before its start.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] where the time of an event is not a number.
    pub(crate) fn journey(&self) -> Result<Journey<'_, T, F>, SolveError> {
        Journey::new(self.problem, Cow::Borrowed(&self.plan))
    }

    /// The time loop of a solve for this purpose: its steps keep to the stability of the scheme and, where a gradient's
    /// error is estimated, to that of the embedded method and to the branches of the field.
    pub(crate) fn time_loop<'b, S>(&'b self, scheme: &'b S, purpose: Purpose) -> TimeLoop<'b, S, C>
    where
        S: Scheme<T, F, Method = M>,
    {
        let Self { method, control, settings, tried, .. } = self;
        let limits = self.refinement.borrow().limits.clone();
        let embedded = method.stability().and_then(|stability| stability.embedded);
        let estimated = purpose != Purpose::Solution && self.allowed_error().is_some();
        let embedded = embedded.filter(|_| estimated);
        let stability = scheme.stability().map(|mut limits| {
            for (limit, embedded) in limits.iter_mut().zip(embedded.into_iter().flatten()) {
                *limit = limit.min(embedded);
            }
            limits
        });
        let refused = purpose == Purpose::Gradient && self.accuracy != Accuracy::Unchecked;
        let located = estimated && control.tolerance().is_some();
        let switches = Switches { located, refused };
        TimeLoop { scheme, control, settings, limits, stability, switches, tried }
    }
}
