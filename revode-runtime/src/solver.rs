//! The solver: a method, a step-size control and a gradient strategy.

use crate::controller::{Adaptive, FixedStep, StepControl};
use crate::field::find_parameter;
use crate::gradient::{Auto, Gradient, GradientStrategy, Loss, Solve};
use crate::save::SaveAt;
use crate::scheme::Plain;
use crate::solution::{Solution, save_solution};
use crate::solve::Loop;
use crate::{FieldVjp, Method, Problem, Real, SolveError, VectorField};

/// How to solve a [`Problem`] and how to differentiate the solve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Solver<M, C = Adaptive, G = Auto> {
    method: M,
    control: C,
    strategy: G,
    max_steps: u64,
    accuracy: Option<f64>,
    memory: Option<usize>,
}

impl<M> Solver<M> {
    /// A solver with adaptive steps at tolerance 1e-6, and the gradient strategy [`Auto`].
    pub fn new(method: M) -> Self {
        Self {
            method,
            control: Adaptive { rtol: 1e-6, atol: 1e-6, controller: crate::Pid::default() },
            strategy: Auto,
            max_steps: 10_000_000,
            accuracy: None,
            memory: None,
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
    pub fn tolerance(self, rtol: f64, atol: f64) -> Solver<M, Adaptive, G> {
        self.control(Adaptive { rtol, atol, controller: crate::Pid::default() })
    }

    /// Any step-size control.
    pub fn control<D>(self, control: D) -> Solver<M, D, G> {
        let Self { method, strategy, max_steps, accuracy, memory, .. } = self;
        Solver { method, control, strategy, max_steps, accuracy, memory }
    }

    /// How gradients are computed.
    pub fn strategy<H>(self, strategy: H) -> Solver<M, C, H> {
        let Self { method, control, max_steps, accuracy, memory, .. } = self;
        Solver { method, control, strategy, max_steps, accuracy, memory }
    }

    /// How many steps may be tried before [`SolveError::StepLimit`]; 10 million unless told.
    #[must_use]
    pub fn max_steps(self, max_steps: u64) -> Self {
        Self { max_steps, ..self }
    }

    /// The accuracy that a gradient of [`Reversible`](crate::Reversible) must have, relative to its largest
    /// component: it is certified, or an error. The gradients of the other strategies are those of stored
    /// states to the last bit, whatever is asked for. Unless told, half the digits of the scalar (7.5e-9 in
    /// `f64`) or the tolerance of the step-size control where that is finer, but never finer than 1,600
    /// times the scalar's `EPSILON`: 3.6e-13 in `f64`, 1.9e-4 in `f32`. What is finer than that cannot be
    /// certified by a reversal that rounds, nor, over `n` steps, what is finer than `n` times `EPSILON`: in
    /// `f32` more than 1,600 steps need a coarser accuracy to be asked for.
    ///
    /// It is the accuracy as the gradient of the discrete solution: how far that is from the
    /// equation's is a matter of the step sizes.
    #[must_use]
    pub fn gradient_accuracy(self, accuracy: f64) -> Self {
        Self { accuracy: Some(accuracy), ..self }
    }

    /// The memory that the states which a gradient keeps may take, in bytes. Unless told,
    /// [`DEFAULT_MEMORY`](crate::gradient::DEFAULT_MEMORY) for [`Auto`] and
    /// [`Guarded`](crate::Guarded), which keep to it but for 8 bytes an anchor and, where a segment is solved
    /// again, that segment's states (as much again at most), and no limit for [`StoreAll`](crate::StoreAll),
    /// which fails above it.
    #[must_use]
    pub fn memory_limit(self, bytes: usize) -> Self {
        Self { memory: Some(bytes), ..self }
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
        C: StepControl<T, F, Plain<M>>,
    {
        problem.check()?;
        let plan = save.plan(problem.t0, problem.t1)?;
        let scheme = Plain(self.method.clone());
        let max_steps = self.max_steps;
        save_solution(&Loop { scheme: &scheme, control: &self.control, max_steps }, problem, &plan)
    }

    /// Solves with the scheme that [`gradient`](Self::gradient) differentiates: the plain method, or
    /// the reversible pair where the strategy is one that reverses. The solutions differ by an
    /// error of the method's order. With [`Auto`] it is the plain method, which is what `gradient`
    /// differentiates as long as the states fit in the memory. Where the way back of
    /// [`Guarded`](crate::Guarded) or [`Exact`](crate::Exact) shows that the gap must be closed more often,
    /// `gradient` goes along another solution, which differs from this one by an error of that order too.
    ///
    /// # Errors
    /// [`SolveError`], before the first step where an argument is wrong.
    pub fn forward<T, F>(
        &self,
        problem: &Problem<T, F>,
        save: SaveAt,
    ) -> Result<Solution<T, F::State>, SolveError>
    where
        T: Real,
        F: FieldVjp<T>,
        G: GradientStrategy<T, F, M, C>,
    {
        self.strategy.forward(&self.ask(problem, &save)?)
    }

    /// The loss over the save points, and its exact gradient with respect to the initial state and
    /// every parameter. Step sizes are constants to the gradient. Strategies that solve again, with another
    /// grid, more anchors or other memory, ask for the loss again; the statistics are those of the last time.
    ///
    /// # Errors
    /// [`SolveError`], before the first step where an argument is wrong.
    pub fn gradient<T, F, L>(
        &self,
        problem: &Problem<T, F>,
        save: SaveAt,
        loss: &L,
    ) -> Result<Gradient<F, F::State, T>, SolveError>
    where
        T: Real,
        F: FieldVjp<T>,
        L: Loss<T, F::State>,
        G: GradientStrategy<T, F, M, C>,
    {
        let solve = self.ask(problem, &save)?;
        // (An infinite one may be meant: a capacity without limit.)
        if let Some((name, _)) = find_parameter(&problem.field, |x| x.to_f64().is_nan()) {
            return Err(SolveError::argument("parameters", format!("{name} is NaN")));
        }
        loss.check(&problem.y0, solve.plan.len())?;
        self.strategy.gradient(&solve, loss)
    }

    /// Checks the arguments and puts them together for the strategy.
    fn ask<'a, T: Real, F: VectorField<T>>(
        &'a self,
        problem: &'a Problem<T, F>,
        save: &SaveAt,
    ) -> Result<Solve<'a, T, F, M, C>, SolveError> {
        let &Self { ref method, ref control, max_steps, accuracy, memory, .. } = self;
        if let Some(accuracy) = accuracy
            && !(accuracy > 0.0 && accuracy < 1.0)
        {
            let problem = format!("{accuracy} is not between 0 and 1; it is relative, 1e-8 say");
            return Err(SolveError::argument("gradient_accuracy", problem));
        }
        problem.check()?;
        let plan = save.plan(problem.t0, problem.t1)?;
        Ok(Solve { method, control, problem, plan, max_steps, accuracy, memory })
    }
}
