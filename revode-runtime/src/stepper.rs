//! A solve step by step, in the hands of its user.

use std::borrow::Cow;

use crate::control::StepControl;
use crate::error::Readable;
use crate::gradient::{Ask, Purpose};
use crate::scheme::{Plain, Work};
use crate::stop::Stop;
use crate::time::{Attempt, Journey, Observer, Place, Walk};
use crate::{
    BoxedDenseOutput, Method, Occurrence, Problem, Real, SolveError, State, Stats, Step,
    VectorField, support,
};

/// What a step has come to. Of several it is the one that comes last here: events at the time of a stop are
/// [`Event`](Self::Event).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// Nothing but its end.
    Step,
    /// A time of [`Stepper::stop_at`] or of [`Problem::stops`].
    Stop,
    /// Events, which are [`Stepper::events`].
    Event,
    /// The end of the solve: that of the span, or an event that ends it.
    End,
}

/// A solve that is taken step by step, for loops that have something else to do between the steps: games, co-simulation,
/// debuggers, tests. [`Solver::stepper`](crate::Solver::stepper) makes one.
///
/// Its steps are those of [`Solver::solve`](crate::Solver::solve), to the last bit, through events and stops too. It
/// borrows the solver and the problem, and stays on its thread.
///
/// ```
/// # extern crate revode_runtime as revode;
/// use revode::{Problem, Reached, Solver, methods::Tsit5, ode};
///
/// ode! {
///     struct Ball { state { x, v } params { g } }
///     dx/dt = v;
///     dv/dt = -g;
///     event bounce = x, falling { v = -0.5 * v; }
/// }
/// let problem = Problem::new(Ball { g: 9.81 }, [1.0, 0.0], 0.0..2.0);
/// let solver = Solver::new(Tsit5).max_step(0.1);
/// let mut ball = solver.stepper(&problem)?;
/// // A frame of a game each sixtieth of a second, whatever the steps are.
/// for frame in 0..60 {
///     let t = f64::from(frame) / 60.0;
///     while ball.t() < t && ball.step()? != Reached::End {}
///     let [x, _] = ball.interpolate(t)?.into();
///     assert!(x > -1e-9);
/// }
/// // A kick at one second.
/// ball.stop_at(1.0)?;
/// while ball.t() < 1.0 {
///     ball.step()?;
/// }
/// ball.state_mut()[1] += 3.0;
/// while ball.step()? != Reached::End {}
/// assert_eq!(ball.t(), 2.0);
/// # Ok::<(), revode::SolveError>(())
/// ```
pub struct Stepper<'a, T, F, M, C>
where
    T: Real,
    F: VectorField<T>,
    M: Method<T, F>,
    C: StepControl<T, F, M>,
{
    ask: Ask<'a, T, F, M, C>,
    scheme: Plain<M>,
    journey: Journey<'a, T, F>,
    // (On the heap, as a solve counts what it takes of the stack.)
    walk: Box<Walk<T, F, Plain<M>, C>>,
    /// The end of the leg.
    end: T,
    /// The stops that are ahead, the next one last.
    stops: Vec<T>,
    last: Last<T, F::State>,
    /// What lies between the ends of the step for which it was asked last.
    between: Option<Box<Between<'a, T, F, M>>>,
    /// The events at the end of the last step.
    events: Vec<Occurrence<T, F::State>>,
    /// What the legs before have cost.
    stats: Stats,
    /// Whether the state was changed by hand since the last step.
    changed: bool,
    /// What has gone wrong where a leg was to begin.
    failed: Option<SolveError>,
}

/// The last step, and the state that it started from.
struct Last<T, Y> {
    step: Option<Step<T>>,
    y: Y,
}

/// A step, taken once more for what lies between its ends.
struct Between<'a, T: Real, F: VectorField<T>, M: Method<T, F>> {
    step: Step<T>,
    stages: M::Stages,
    output: BoxedDenseOutput<'a, T, F, M::Stages>,
    end: F::State,
}

impl<'a, T: Real, F: VectorField<T>, M: Method<T, F>> Between<'a, T, F, M> {
    fn new(method: &'a M, field: &F, step: Step<T>, start: &F::State) -> Result<Self, SolveError> {
        let (mut stages, mut psi) = (method.stages(field, start), start.zeros_like());
        let taken = method.increment(field, step, start, &mut stages, &mut psi);
        taken.map_err(|_| SolveError::not_repeated(step))?;
        let mut end = start.zeros_like();
        support::stage(&mut end, start, [(T::ONE, &psi)]);
        let mut output = method.dense_output(field, start);
        output.extend(field, step, [start, &end], &mut stages);
        Ok(Self { step, stages, output, end })
    }

    fn evaluations(&self, method: &M) -> u64 {
        method.evaluations(&self.stages) + self.output.evaluations()
    }
}

impl<'a, T, F, M, C> Stepper<'a, T, F, M, C>
where
    T: Real,
    F: VectorField<T>,
    M: Method<T, F> + Clone,
    C: StepControl<T, F, M>,
{
    /// At the start of what is asked.
    pub(crate) fn new(ask: Ask<'a, T, F, M, C>) -> Result<Self, SolveError> {
        let scheme = Plain(ask.method.clone());
        let journey = Journey::new(ask.problem, Cow::Owned(ask.plan.clone()))?;
        let (leg, course) = journey.leg(0);
        let end = leg.t1;
        let walk = ask.time_loop(&scheme, Purpose::Solution).begin(leg, &course, false)?;
        let mut stepper = Self {
            scheme,
            journey,
            walk: Box::new(walk),
            end,
            stops: Vec::new(),
            last: Last { step: None, y: ask.problem.y0.clone() },
            between: None,
            events: Vec::new(),
            stats: Stats::default(),
            changed: false,
            failed: None,
            ask,
        };
        // Events of known times can happen at the start.
        if stepper.t() == end {
            stepper.arrive(false)?;
        }
        Ok(stepper)
    }

    /// The time that the solve has come to.
    pub fn t(&self) -> T {
        self.walk.t()
    }

    /// The state there, behind the events of that time.
    pub fn y(&self) -> &F::State {
        &self.walk.state
    }

    /// The state there, to change it: the next step starts from what is left here, and the method starts anew, with a
    /// step of a new size.
    pub fn state_mut(&mut self) -> &mut F::State {
        // What was wrong there may be so no more.
        (self.changed, self.failed) = (true, None);
        &mut self.walk.state
    }

    /// The events at the time that the solve has come to.
    pub fn events(&self) -> &[Occurrence<T, F::State>] {
        &self.events
    }

    /// The last step; none before the first one.
    pub fn last_step(&self) -> Option<Step<T>> {
        self.last.step
    }

    /// What the solve has cost so far, with what lies between steps.
    pub fn stats(&self) -> Stats {
        let mut stats = self.stats;
        stats.add(&self.walk.stats(&self.ask.time_loop(&self.scheme, Purpose::Solution)));
        stats.evaluations += self.evaluations_between();
        stats
    }

    /// Those of the step for whose inside it was asked last.
    fn evaluations_between(&self) -> u64 {
        self.between.as_ref().map_or(0, |between| between.evaluations(self.ask.method))
    }

    /// Lets a step end at the time `t`, which lies ahead, exactly: until then `stepper.t() < t`. The step after goes on as if
    /// nothing had been, unless the state is changed.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] where `t` is not ahead, or is behind the end of the span.
    pub fn stop_at(&mut self, t: T) -> Result<(), SolveError> {
        let Problem { t0, t1, .. } = self.ask.problem;
        let is_backward = t1 < t0;
        let ahead = |t: T, than: T| if is_backward { t < than } else { t > than };
        if !ahead(t, self.t()) || ahead(t, *t1) {
            let [t, now, t1] = [t, self.t(), *t1].map(Readable);
            let problem =
                format!("the solve is at {now} and ends at {t1}: {t} is not between them");
            return Err(SolveError::argument("t", problem));
        }
        let place = self.stops.partition_point(|stop| ahead(*stop, t));
        if self.stops.get(place) != Some(&t) {
            self.stops.insert(place, t);
        }
        Ok(())
    }

    /// Takes a step. At the end of the solve it does nothing.
    ///
    /// # Errors
    /// Those of [`Solver::solve`](crate::Solver::solve). The state stays where the last step has led.
    pub fn step(&mut self) -> Result<Reached, SolveError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if self.journey.is_over() {
            return Ok(Reached::End);
        }
        self.events.clear();
        if std::mem::take(&mut self.changed) {
            self.arrive(true)?;
        }
        let time_loop = self.ask.time_loop(&self.scheme, Purpose::Solution);
        let (end, backward) = (self.end, self.ask.problem.t1 < self.ask.problem.t0);
        let nearer = |stop: &T| if backward { *stop > end } else { *stop < end };
        let stop = self.stops.last().copied().filter(nearer).unwrap_or(end);
        let attempt = loop {
            let field = &self.ask.problem.field;
            let attempt = time_loop.attempt(&mut self.walk, field, stop, None, &mut self.last);
            match attempt.map_err(Stop::into_error)? {
                Attempt::Again => {}
                attempt => break attempt,
            }
        };
        let t = self.t();
        let stopped = self.stops.pop_if(|stop| *stop == t).is_some();
        let ends_leg = t == end || attempt != Attempt::Step;
        if ends_leg {
            self.arrive(false)?;
        }
        Ok(if self.journey.is_over() {
            Reached::End
        } else if !self.events.is_empty() {
            Reached::Event
        } else if stopped || ends_leg {
            Reached::Stop
        } else {
            Reached::Step
        })
    }

    /// The solution at a time of the last step, from the method's interpolant; the first value in a step takes its
    /// stages once more. Of a time at which events have happened it is the state before them.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] where `t` is not within the last step.
    pub fn interpolate(&mut self, t: T) -> Result<F::State, SolveError> {
        let Some(step) = self.last.step else {
            if t == self.t() {
                return Ok(self.y().clone());
            }
            let (t, t0) = (Readable(t), Readable(self.t()));
            let problem =
                format!("no step has been taken yet: the solution is known at {t0}, not at {t}");
            return Err(SolveError::argument("t", problem));
        };
        let theta = (t - step.t) / (step.end - step.t);
        if !(T::ZERO..=T::ONE).contains(&theta) {
            let [t, start, end] = [t, step.t, step.end].map(Readable);
            let problem = format!("the last step went from {start} to {end}, and {t} is outside");
            return Err(SolveError::argument("t", problem));
        }
        let (field, start) = (&self.ask.problem.field, &self.last.y);
        if self.between.as_ref().is_some_and(|between| between.step != step) {
            self.stats.evaluations += self.evaluations_between();
            self.between = None;
        }
        let between = match self.between.take() {
            Some(between) => between,
            None => Box::new(Between::new(self.ask.method, field, step, start)?),
        };
        let Between { stages, output, end, .. } = &**self.between.insert(between);
        if theta == T::ONE {
            return Ok(end.clone());
        }
        let mut y = end.zeros_like();
        output.value(field, step, theta, [start, end], stages, &mut y);
        Ok(y)
    }

    /// The leg has ended, or the state was changed `by_hand`: what happens there, and the start of the next leg.
    fn arrive(&mut self, by_hand: bool) -> Result<(), SolveError> {
        let result = self.next_leg(by_hand);
        self.failed = result.as_ref().err().cloned();
        result
    }

    fn next_leg(&mut self, mut by_hand: bool) -> Result<(), SolveError> {
        let Self { ask, scheme, journey, walk, .. } = self;
        let time_loop = ask.time_loop(scheme, Purpose::Solution);
        loop {
            let (arrival, cost) = (walk.arrival(), walk.stats(&time_loop));
            if std::mem::take(&mut by_hand) {
                journey.go_on_from(&arrival, &walk.state)?;
            } else {
                let events = journey.arrive(arrival, &walk.state)?;
                if let Some(last) = events.last() {
                    walk.state.assign(&last.after);
                }
                self.events.extend(events);
            }
            if journey.is_over() {
                return Ok(());
            }
            let (leg, course) = journey.leg(0);
            self.end = leg.t1;
            **walk = time_loop.begin(leg, &course, false)?;
            self.stats.add(&cost);
            if walk.t() != self.end {
                return Ok(());
            }
        }
    }
}

impl<T: Real, F: VectorField<T>, M: Method<T, F>> Observer<T, F, Plain<M>> for Last<T, F::State> {
    fn before(
        &mut self,
        step: Step<T>,
        state: &F::State,
        _: &Work<T, F, Plain<M>>,
    ) -> Result<(), SolveError> {
        self.step = Some(step);
        self.y.assign(state);
        Ok(())
    }

    // There are no save points.
    fn saved(&mut self, _: usize, _: u64, _: T, _: &F::State) -> Result<(), SolveError> {
        Ok(())
    }
    fn passed(
        &mut self,
        _: usize,
        _: Step<T>,
        _: (T, Place<T>),
        _: &F::State,
    ) -> Result<(), SolveError> {
        Ok(())
    }
}

impl<T, F, M, C> std::fmt::Debug for Stepper<'_, T, F, M, C>
where
    T: Real,
    F: VectorField<T>,
    M: Method<T, F>,
    C: StepControl<T, F, M>,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stepper").field("step", &self.last.step).finish_non_exhaustive()
    }
}
