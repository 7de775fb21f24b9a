//! A solution at its save points.

use crate::control::StepControl;
use crate::dense::Dense;
use crate::error::Readable;
use crate::save::rounding_beyond;
use crate::scheme::Scheme;
use crate::stop::Stop;
use crate::time::{Journey, Observer, Place, TimeLoop};
use crate::{Occurrence, Real, SolveError, State, Stats, Step, VectorField};

/// A solution at its save points.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution<T, S> {
    /// The times.
    pub t: Vec<T>,
    /// The states, one for each time.
    pub y: Vec<S>,
    /// The events that have happened, in their order.
    pub events: Vec<Occurrence<T, S>>,
    /// What it cost.
    pub stats: Stats,
    /// The solution between the points, where it was asked for: that of each leg.
    dense: Vec<Dense<T, S>>,
}

impl<T: Real, S: State<T>> Solution<T, S> {
    /// The solution at the time `t`, anywhere in the time span: a state like those in `y`. At the ends of steps it is the
    /// solution's to the last bit, between them it has the order of the method's interpolant
    /// ([`Method::dense_order`](crate::Method::dense_order)).
    ///
    /// ```
    /// # extern crate revode_runtime as revode;
    /// use revode::{Problem, SaveAt, Solver, methods::Tsit5, ode};
    ///
    /// ode! {
    ///     struct Growth { state { y } params { rate } }
    ///     dy/dt = rate * y;
    /// }
    /// let problem = Problem::new(Growth { rate: 1.0 }, [1.0], 0.0..2.0);
    /// let solution = Solver::new(Tsit5).relative_tolerance(1e-8).solve(&problem, SaveAt::dense())?;
    /// assert!((solution.evaluate(1.5)?[0] - 1.5_f64.exp()).abs() < 1e-6);
    /// assert!((solution.derivative(1.5)?[0] - 1.5_f64.exp()).abs() < 1e-5);
    /// # Ok::<(), revode::SolveError>(())
    /// ```
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] where `t` lies outside the span (by more than the rounding that
    /// [`SaveAt::times`](crate::SaveAt::times) allows), and where the solution was not saved with
    /// [`SaveAt::dense`](crate::SaveAt::dense).
    pub fn evaluate(&self, t: T) -> Result<S, SolveError> {
        let (leg, t) = self.dense(t)?;
        Ok(leg.value(t))
    }

    /// The derivative of [`evaluate`](Self::evaluate) with respect to time, at `t`: close to the field there, of one order
    /// less than the solution.
    ///
    /// # Errors
    /// Those of [`evaluate`](Self::evaluate).
    pub fn derivative(&self, t: T) -> Result<S, SolveError> {
        let (leg, t) = self.dense(t)?;
        Ok(leg.slope(t))
    }

    /// The times at which the event of this name happened.
    pub fn event_times(&self, name: &str) -> Vec<T> {
        let named = self.events.iter().filter(|occurrence| occurrence.event.name == name);
        named.map(|occurrence| occurrence.t).collect()
    }

    /// The solution over the leg in which `t` lies, the one that ends there where it is between two; and the time, which
    /// rounding may have put beyond an end.
    fn dense(&self, t: T) -> Result<(&Dense<T, S>, T), SolveError> {
        let (Some(first), Some(last)) = (self.dense.first(), self.dense.last()) else {
            let problem = "the solution is known at its save points only: solve with `SaveAt::dense()` to have it at \
                           any time";
            return Err(SolveError::argument("save", problem));
        };
        let (t0, t1) = (first.span().0, last.span().1);
        let t = rounding_beyond(t, t0, t1);
        let before = |a: T, b: T| if t1 < t0 { a > b } else { a < b };
        if !t.is_finite() || before(t, t0) || before(t1, t) {
            let [t, t0, t1] = [t, t0, t1].map(Readable);
            let problem = format!("the solution is known from {t0} to {t1}, and {t} is outside");
            return Err(SolveError::argument("t", problem));
        }
        let leg = self.dense.partition_point(|leg| before(leg.span().1, t));
        Ok((self.dense.get(leg).unwrap_or(last), t))
    }
}

/// Runs the time loop, leg by leg, and saves the solution along the way.
pub(crate) fn save_solution<T, F, S, C>(
    time_loop: &TimeLoop<'_, S, C>,
    mut journey: Journey<'_, T, F>,
) -> Result<Solution<T, F::State>, Stop>
where
    T: Real,
    F: VectorField<T>,
    S: Scheme<T, F>,
    C: StepControl<T, F, S::Method>,
{
    let scheme = time_loop.scheme;
    let points = journey.points().unwrap_or(0);
    let (t, y) = (Vec::with_capacity(points), Vec::with_capacity(points));
    let mut saver = Saver { scheme, t, y, mean: journey.start().zeros_like() };
    let (mut dense, mut stats) = (Vec::new(), Stats::default());
    let mut events = Vec::new();
    loop {
        let (leg, course) = journey.leg(0);
        let end = time_loop.run(leg, &course, &mut saver)?;
        stats.add(&end.stats);
        dense.extend(end.dense);
        let y = Scheme::<T, F>::read_out(scheme, &end.state, &mut saver.mean);
        events.extend(journey.arrive(end.arrival, y)?);
        if journey.is_over() {
            return Ok(Solution { t: saver.t, y: saver.y, events, stats, dense });
        }
    }
}

/// Saves the solution at the save points.
struct Saver<'a, T, Y, S> {
    scheme: &'a S,
    t: Vec<T>,
    y: Vec<Y>,
    mean: Y,
}

impl<T, F, S> Observer<T, F, S> for Saver<'_, T, F::State, S>
where
    T: Real,
    F: VectorField<T>,
    S: Scheme<T, F>,
{
    fn saved(&mut self, _: usize, _: u64, t: T, state: &S::State) -> Result<(), SolveError> {
        self.t.push(t);
        self.y.push(Scheme::<T, F>::read_out(self.scheme, state, &mut self.mean).clone());
        Ok(())
    }

    fn passed(
        &mut self,
        _: usize,
        _: Step<T>,
        (t, _): (T, Place<T>),
        y: &F::State,
    ) -> Result<(), SolveError> {
        self.t.push(t);
        self.y.push(y.clone());
        Ok(())
    }
}
