//! The solver: a method, a step-size control and a gradient strategy.

use std::cell::Cell;

use crate::control::{Adaptive, FixedStep, StepControl};
use crate::field::find_parameter;
use crate::gradient::{Ask, Auto, Gradient, Loss, Strategy};
use crate::save::SaveAt;
use crate::scheme::Plain;
use crate::solution::{Solution, save_solution};
use crate::stop::Stop;
use crate::{FieldVjp, Method, MethodVjp, Problem, Real, SolveError, VectorField, stack};

/// How to solve a [`Problem`] and how to differentiate the solve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Solver<M, C = Adaptive, G = Auto> {
    method: M,
    control: C,
    strategy: G,
    max_steps: u64,
}

impl<M> Solver<M> {
    /// A solver with adaptive steps at tolerance 1e-6, and the gradient strategy [`Auto`].
    pub fn new(method: M) -> Self {
        Self {
            method,
            control: Adaptive { rtol: 1e-6, atol: 1e-6, controller: crate::Pid::default() },
            strategy: Auto::default(),
            max_steps: 10_000_000,
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
        let Self { method, strategy, max_steps, .. } = self;
        Solver { method, control, strategy, max_steps }
    }

    /// How gradients are computed.
    pub fn strategy<H>(self, strategy: H) -> Solver<M, C, H> {
        let Self { method, control, max_steps, .. } = self;
        Solver { method, control, strategy, max_steps }
    }

    /// How many steps may be tried before [`SolveError::StepLimit`]; 10 million by default.
    ///
    /// Each solve of a strategy that solves again keeps to it, and none begins after as many steps in all: such a
    /// gradient tries less than twice as many, and with [`Auto`], which may store states first, less than three times.
    #[must_use]
    pub fn max_steps(self, max_steps: u64) -> Self {
        Self { max_steps, ..self }
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
        save_solution(&ask.time_loop(&scheme), problem, &ask.plan).map_err(Stop::into_error)
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
        self.strategy.forward(&self.ask(problem, &save)?)
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
        let ask = self.ask(problem, &save)?;
        // (An infinite one may be meant: a capacity without limit.)
        if let Some((name, _)) = find_parameter(&problem.field, |x| x.to_f64().is_nan()) {
            return Err(SolveError::argument("parameters", format!("{name} is NaN")));
        }
        loss.check(&problem.y0, ask.plan.len())?;
        self.strategy.gradient(&ask, loss)
    }

    /// Checks the arguments and puts them together.
    fn ask<'a, T: Real, F: VectorField<T>>(
        &'a self,
        problem: &'a Problem<T, F>,
        save: &SaveAt,
    ) -> Result<Ask<'a, T, F, M, C>, SolveError> {
        let &Self { ref method, ref control, max_steps, .. } = self;
        problem.check()?;
        let plan = save.plan(problem.t0, problem.t1)?;
        Ok(Ask { method, control, problem, plan, max_steps, tried: Cell::new(0) })
    }
}
