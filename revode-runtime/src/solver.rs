//! The solver: a method, a step-size control and a gradient strategy.

use crate::controller::{Adaptive, FixedStep, StepControl};
use crate::gradient::{self, Gradient, GradientStrategy, Loss, Reversible};
use crate::save::SaveAt;
use crate::scheme::{Plain, Scheme, Step};
use crate::solve::{Loop, Observer};
use crate::{FieldVjp, Method, Problem, Real, SolveError, Stats, VectorField};

/// How to solve a [`Problem`] and how to differentiate the solve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Solver<M, C = Adaptive, G = Reversible> {
    method: M,
    control: C,
    strategy: G,
    max_steps: u64,
}

/// A solution at its save points.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution<T, S> {
    /// The times.
    pub t: Vec<T>,
    /// The states, one for each time.
    pub y: Vec<S>,
    /// What it cost.
    pub stats: Stats,
}

impl<M> Solver<M> {
    /// A solver with adaptive steps at tolerance 1e-6, and reversible gradients.
    pub fn new(method: M) -> Self {
        Self {
            method,
            control: Adaptive { rtol: 1e-6, atol: 1e-6, controller: crate::Pid::default() },
            strategy: Reversible::default(),
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

    /// How many steps may be tried before [`SolveError::StepLimit`]; 10 million unless told.
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
        C: StepControl<T, F, Plain<M>>,
    {
        self.run(&Plain(self.method.clone()), problem, save)
    }

    /// Solves with the scheme that [`gradient`](Self::gradient) differentiates: the reversible
    /// pair, unless the strategy is one over the plain method. Its solution differs from that of
    /// [`solve`](Self::solve) by an error of the method's order.
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
        G: GradientStrategy<T, F, M>,
        C: StepControl<T, F, G::Scheme>,
    {
        self.run(&self.strategy.scheme(&self.method)?, problem, save)
    }

    /// The loss over the save points, and its exact gradient with respect to the initial state and
    /// every parameter. Step sizes are constants to the gradient.
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
        G: GradientStrategy<T, F, M>,
        C: StepControl<T, F, G::Scheme>,
    {
        problem.check()?;
        let plan = save.plan(problem.t0, problem.t1)?;
        loss.check(&problem.y0, plan.len())?;
        let scheme = self.strategy.scheme(&self.method)?;
        let keeper = self.strategy.keeper(&scheme, problem)?;
        let time_loop = Loop { scheme: &scheme, control: &self.control, max_steps: self.max_steps };
        gradient::differentiate(&time_loop, problem, &plan, loss, keeper)
    }

    fn run<T, F, S>(
        &self,
        scheme: &S,
        problem: &Problem<T, F>,
        save: SaveAt,
    ) -> Result<Solution<T, F::State>, SolveError>
    where
        T: Real,
        F: VectorField<T>,
        S: Scheme<T, F>,
        C: StepControl<T, F, S>,
    {
        problem.check()?;
        let plan = save.plan(problem.t0, problem.t1)?;
        let points = plan.len().unwrap_or(0);
        let (t, y) = (Vec::with_capacity(points), Vec::with_capacity(points));
        let mut saver = Saver { scheme, t, y };
        let time_loop = Loop { scheme, control: &self.control, max_steps: self.max_steps };
        let (_, stats) = time_loop.run(problem, &plan, &mut saver)?;
        Ok(Solution { t: saver.t, y: saver.y, stats })
    }
}

/// Saves the solution at the save points.
struct Saver<'a, T: Real, F: VectorField<T>, S> {
    scheme: &'a S,
    t: Vec<T>,
    y: Vec<F::State>,
}

impl<T: Real, F: VectorField<T>, S: Scheme<T, F>> Observer<T, S::State> for Saver<'_, T, F, S> {
    fn saved(&mut self, _: usize, _: u64, t: T, state: &S::State) -> Result<(), SolveError> {
        self.t.push(t);
        self.y.push(self.scheme.solution(state).clone());
        Ok(())
    }
    fn accepted(&mut self, _: Step<T>, _: &S::State, _: &mut S::State) -> Result<(), SolveError> {
        Ok(())
    }
}
