//! The solver: a method, a step-size control and a gradient strategy.

use std::cell::{Cell, RefCell};

use crate::control::{Adaptive, FixedStep, StepControl, StepSettings};
use crate::error::Readable;
use crate::field::find_parameter;
use crate::gradient::{Accuracy, Ask, Auto, Gradient, Loss, Purpose, Strategy, by_halving};
use crate::save::{SaveAt, SaveKind};
use crate::scheme::Plain;
use crate::solution::{Solution, save_solution};
use crate::stop::Stop;
use crate::{
    FieldVjp, Method, MethodVjp, Norm, Pid, Problem, Real, SolveError, Stepper, Tolerances,
    VectorField, stack,
};

/// How to solve a [`Problem`] and how to differentiate the solve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Solver<M, C = Adaptive, G = Auto> {
    method: M,
    control: C,
    strategy: G,
    settings: StepSettings,
    accuracy: Accuracy,
}

impl<M> Solver<M> {
    /// A solver with adaptive steps at a relative tolerance of 1e-6, and the gradient strategy [`Auto`].
    pub fn new(method: M) -> Self {
        Self {
            method,
            control: Adaptive { rtol: 1e-6, atol: None, controller: Pid::default() },
            strategy: Auto::default(),
            settings: StepSettings::default(),
            accuracy: Accuracy::default(),
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "`SaveAt::every(0.1)` reads best without a `&`")]
impl<M: Clone, C, G> Solver<M, C, G> {
    /// Steps of the size `h`, positive, in the units of time.
    pub fn fixed_step(self, h: f64) -> Solver<M, FixedStep, G> {
        self.control(FixedStep { h })
    }

    /// Adaptive steps with the default [`Pid`](crate::Pid) controller: the error of each step is
    /// kept below `atol + rtol · |y|`.
    ///
    /// Each of both is one number for all components, or an array, a vector or a slice with one for each, in their
    /// order: `.tolerance(1e-6, [1e-8, 1e-3])`. The error that a gradient may have by default follows the loosest.
    pub fn tolerance<R, A>(self, rtol: R, atol: A) -> Solver<M, Adaptive<Pid, R, A>, G>
    where
        R: Tolerances,
        A: Tolerances,
    {
        self.control(Adaptive { rtol, atol: Some(atol), controller: Pid::default() })
    }

    /// Adaptive steps with the default [`Pid`](crate::Pid) controller, whose absolute tolerance follows the sizes that
    /// each component has had: [`Adaptive`] says how. The default, with 1e-6. One for each component can be given as in
    /// [`tolerance`](Self::tolerance).
    pub fn relative_tolerance<R: Tolerances>(self, rtol: R) -> Solver<M, Adaptive<Pid, R>, G> {
        self.control(Adaptive { rtol, atol: None, controller: Pid::default() })
    }

    /// Any step-size control.
    pub fn control<D>(self, control: D) -> Solver<M, D, G> {
        let Self { method, strategy, settings, accuracy, .. } = self;
        Solver { method, control, strategy, settings, accuracy }
    }

    /// How gradients are computed.
    pub fn strategy<H>(self, strategy: H) -> Solver<M, C, H> {
        let Self { method, control, settings, accuracy, .. } = self;
        Solver { method, control, strategy, settings, accuracy }
    }

    /// How many steps may be tried before [`SolveError::StepLimit`]; 10 million by default.
    ///
    /// Each solve of a strategy that solves again keeps to it, and none begins after as many steps in all: such a
    /// gradient tries less than twice as many, and with [`Auto`], which may store states first, less than three times. (A gradient whose error is found by halving fixed
    /// steps is two of them.)
    #[must_use]
    pub fn max_steps(self, max_steps: u64) -> Self {
        Self { settings: StepSettings { max_steps, ..self.settings }, ..self }
    }

    /// How long a step may be, positive, in the units of time: as long as the error allows by default. For a field
    /// that changes at times when the solution itself asks for no short steps, such as a pulse that acts on a state
    /// at rest.
    #[must_use]
    pub fn max_step(self, h: f64) -> Self {
        Self { settings: StepSettings { max_step: h, ..self.settings }, ..self }
    }

    /// How short the error may make a step, in the units of time, below [`max_step`](Self::max_step): as short as
    /// time resolves by default, or by 0. A step of this size whose error is too large is [`SolveError::MinStep`], so
    /// that a solve does not creep towards a singularity.
    ///
    /// A step that lands on a save point, on the end, or where the field changes branches can be shorter, and so can
    /// steps at the limit of stability. A gradient that is solved again with steps `n` times shorter has a least one
    /// `n` times shorter, too.
    #[must_use]
    pub fn min_step(self, h: f64) -> Self {
        Self { settings: StepSettings { min_step: h, ..self.settings }, ..self }
    }

    /// The size of the very first step, positive, in the units of time, which saves the two evaluations of the
    /// estimate that is made otherwise. Where its error is too large it is tried again with a shorter one. A gradient
    /// that is solved again with shorter steps may begin with a shorter one, too.
    #[must_use]
    pub fn first_step(self, h: f64) -> Self {
        Self { settings: StepSettings { first_step: Some(h), ..self.settings }, ..self }
    }

    /// How the errors of the components of a step make one number: [`Norm::Rms`] by default, which lets a component
    /// among many err by more than its tolerance; [`Norm::Max`] does not.
    #[must_use]
    pub fn norm(self, norm: Norm) -> Self {
        Self { settings: StepSettings { norm, ..self.settings }, ..self }
    }

    /// The error that a gradient may have by its estimate, relative to its largest component. By default that is the
    /// root of the tolerance (1e-3 at a tolerance of 1e-6) or, at loose tolerances, 100 times it, 0.1 at the most, and
    /// gradients with fixed steps are not checked.
    ///
    /// The gradient is exact for the discrete solution; the estimate says how far that is from the equation's, see
    /// `docs/gradient-error.md`. Where it is further than allowed, the strategy solves again with shorter steps, a
    /// few times at most, and then returns [`SolveError::GradientInaccurate`]. Steps of fixed size stay as they are, but
    /// a method without an embedded one takes them a second time at half the size, from which its estimate comes.
    #[must_use]
    pub fn gradient_tolerance(self, tolerance: f64) -> Self {
        Self { accuracy: Accuracy::Asked(tolerance), ..self }
    }

    /// Gradients without an estimate of their error: those of the discrete solution, however far that is from the
    /// equation's. For inner loops whose gradients are checked now and then, and for chaotic horizons.
    #[must_use]
    pub fn unchecked(self) -> Self {
        Self { accuracy: Accuracy::Unchecked, ..self }
    }

    /// Solves with the method itself, the fastest way forward.
    ///
    /// # Errors
    /// [`SolveError`], before the first step where an argument is wrong.
    pub fn solve<T, F>(
        &self,
        problem: &Problem<T, F>,
        save: SaveAt,
    ) -> Result<Solution<T, F::State>, SolveError>
    where
        T: Real,
        F: VectorField<T>,
        M: Method<T, F>,
        C: StepControl<T, F, M>,
    {
        if const { !stack::solve_fits::<T, F, Plain<M>, C>() } {
            return Err(stack::too_large(&problem.y0, "a solve"));
        }
        let ask = self.ask(problem, &save)?;
        let scheme = Plain(self.method.clone());
        save_solution(&ask.time_loop(&scheme, Purpose::Solution), ask.journey()?)
            .map_err(Stop::into_error)
    }

    /// Solves with the method itself, step by step: [`Stepper`] has an example.
    ///
    /// # Errors
    /// [`SolveError`] where an argument is wrong.
    pub fn stepper<'a, T, F>(
        &'a self,
        problem: &'a Problem<T, F>,
    ) -> Result<Stepper<'a, T, F, M, C>, SolveError>
    where
        T: Real,
        F: VectorField<T>,
        M: Method<T, F>,
        C: StepControl<T, F, M>,
    {
        if const { !stack::solve_fits::<T, F, Plain<M>, C>() } {
            return Err(stack::too_large(&problem.y0, "a solve"));
        }
        Stepper::new(self.ask(problem, &SaveAt::steps())?)
    }

    /// Solves with the scheme that [`gradient`](Self::gradient) differentiates: the plain method, or
    /// the reversible pair where the strategy is one that reverses. The solutions differ by an
    /// error of the method's order. With [`Auto`] it is the plain method, which is what `gradient`
    /// differentiates as long as the states fit in the memory. Where the way back of
    /// [`Guarded`](crate::Guarded) or [`Exact`](crate::Exact) shows that the gap must be closed more
    /// often, or where the gradient is estimated to be too far off, `gradient` goes along another solution, which differs from this one by an error of that order too.
    ///
    /// # Errors
    /// [`SolveError`], before the first step where an argument is wrong.
    pub fn forward<T: Real, F: FieldVjp<T>>(
        &self,
        problem: &Problem<T, F>,
        save: SaveAt,
    ) -> Result<Solution<T, F::State>, SolveError>
    where
        M: MethodVjp<T, F>,
        C: StepControl<T, F, M>,
        G: Strategy,
    {
        let mut ask = self.ask(problem, &save)?;
        ask.estimates = self.method.estimate_order().is_some();
        self.strategy.forward(&ask)
    }

    /// The loss over the save points, and its exact gradient with respect to the initial state and
    /// every parameter. Step sizes are constants to the gradient. Strategies that solve again, with another
    /// grid, more anchors or other memory, ask for the loss again; the statistics are those of the last time.
    ///
    /// # Errors
    /// [`SolveError`], before the first step where an argument is wrong.
    pub fn gradient<T: Real, F: FieldVjp<T>, L: Loss<T, F::State>>(
        &self,
        problem: &Problem<T, F>,
        save: SaveAt,
        loss: &L,
    ) -> Result<Gradient<F, F::State, T>, SolveError>
    where
        M: MethodVjp<T, F>,
        C: StepControl<T, F, M>,
        G: Strategy,
    {
        let mut ask = self.ask(problem, &save)?;
        ask.estimates = self.method.estimate_order().is_some();
        // (An infinite one may be meant: a capacity without limit.)
        if let Some((name, _)) = find_parameter(&problem.field, |x| x.to_f64().is_nan()) {
            return Err(SolveError::argument("parameters", format!("{name} is NaN")));
        }
        // A loss is evaluated at points, for which nothing is to be kept between them.
        if ask.plan.kind == SaveKind::Dense {
            ask.plan.kind = SaveKind::End;
        }
        loss.check(&problem.y0, ask.plan.len())?;
        if let Accuracy::Asked(tolerance) = self.accuracy {
            check_gradient_tolerance(tolerance)?;
            if !ask.estimates {
                let steps = self.control.steps((problem.t1 - problem.t0).abs().to_f64());
                let steps = steps.ok_or_else(no_estimate)?;
                return by_halving(&self.strategy, &mut ask, loss, (steps, tolerance));
            }
        }
        self.strategy.gradient(&ask, loss)
    }

    /// Checks the arguments and puts them together.
    fn ask<'a, T: Real, F: VectorField<T>>(
        &'a self,
        problem: &'a Problem<T, F>,
        save: &SaveAt,
    ) -> Result<Ask<'a, T, F, M, C>, SolveError>
    where
        M: Method<T, F>,
        C: StepControl<T, F, M>,
    {
        let &Self { ref method, ref control, settings, accuracy, .. } = self;
        problem.check()?;
        let span = (problem.t1 - problem.t0).abs().to_f64();
        settings.check(control.steps(span).is_none())?;
        let accurate = method.dense_order().saturating_add(1) >= method.order();
        let plan = save.plan(problem.t0, problem.t1, accurate)?;
        Ok(Ask {
            method,
            control,
            problem,
            plan,
            settings,
            accuracy,
            estimates: false,
            tried: Cell::new(0),
            refinement: RefCell::default(),
        })
    }
}

fn check_gradient_tolerance(tolerance: f64) -> Result<(), SolveError> {
    if tolerance > 0.0 && tolerance < 1.0 {
        return Ok(());
    }
    let problem =
        format!("{} is not between 0 and 1; it is relative, 1e-3 say", Readable(tolerance));
    Err(SolveError::argument("gradient_tolerance", problem))
}

/// The error where nothing can say how far a gradient is off.
#[cold]
fn no_estimate() -> SolveError {
    let problem = "adaptive steps of this method have no estimate of the gradient's error, because it does not \
                   implement `MethodVjp::estimate_order` and `vjp_with_embedded`: use one that `#[tableau]` declares with an embedded \
                   method, or `.unchecked()`";
    SolveError::argument("gradient_tolerance", problem)
}
