//! A loss of the times at which an event happens.

use crate::error::Readable;
use crate::{Loss, Occurrence, Real, SolveError, State};

/// The mean squared error of the times at which an event happens, against measured ones: the first time against the first
/// one, and so on. Later ones do not count; fewer are an error.
///
/// With another loss, as a pair: `(Mse::new(&data), EventTimes::new("bounce", &times))` is the sum of both. Where nothing
/// else is measured, `SaveAt::end()` is what to save.
///
/// ```
/// # extern crate revode_runtime as revode;
/// # use revode::{EventTimes, Problem, SaveAt, SolveError, Solver, methods::Tsit5, ode};
/// ode! {
///     struct Ball { state { height, speed } params { gravity, restitution } }
///     dheight/dt = speed;
///     dspeed/dt = -gravity;
///     event bounce = height, falling { speed = -restitution * speed; }
/// }
/// # fn main() -> Result<(), SolveError> {
/// let problem = Problem::new(Ball { gravity: 9.81, restitution: 0.7 }, [1.0, 0.0], 0.0..2.0);
/// let measured = [0.45, 1.1, 1.6];
/// let fit = Solver::new(Tsit5).gradient(&problem, SaveAt::end(), &EventTimes::new("bounce", &measured))?;
/// println!("{} {}", fit.loss, fit.model.restitution);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct EventTimes<'a, T> {
    name: &'a str,
    index: Option<usize>,
    times: &'a [T],
}

impl<'a, T> EventTimes<'a, T> {
    /// Of the event of this name, which happened at these `times`.
    pub fn new(name: &'a str, times: &'a [T]) -> Self {
        Self { name, index: None, times }
    }

    /// Of several that are declared together (`for i in 0..n`), the one with this index.
    #[must_use]
    pub fn index(self, index: usize) -> Self {
        Self { index: Some(index), ..self }
    }

    /// How much later the event happened than it was measured, if it was.
    fn late<S>(&self, occurrence: &Occurrence<T, S>) -> Option<T>
    where
        T: Real,
    {
        let Occurrence { event, nth, t, .. } = occurrence;
        let is_it = event.name == self.name && self.index.is_none_or(|i| event.index == Some(i));
        let measured = self.times.get(*nth).filter(|_| is_it)?;
        Some(*t - *measured)
    }

    fn weight(&self) -> T
    where
        T: Real,
    {
        T::ONE / T::from_f64(self.times.len() as f64)
    }
}

impl<T: Real, S: State<T>> Loss<T, S> for EventTimes<'_, T> {
    fn check(&self, _: &S, _: Option<usize>) -> Result<(), SolveError> {
        if self.times.is_empty() {
            return Err(SolveError::argument("times", "there is no time to compare with"));
        }
        if let Some(i) = self.times.iter().position(|t| !t.is_finite()) {
            let problem =
                format!("time {i} of event `{}` is {}", self.name, Readable(self.times[i]));
            return Err(SolveError::argument("times", problem));
        }
        Ok(())
    }

    fn value(&self, _: usize, _: T, _: &S) -> Result<T, SolveError> {
        Ok(T::ZERO)
    }

    fn cotangent(&self, _: usize, _: T, _: &S, _: &mut S) {}

    fn event(&self, occurrence: &Occurrence<T, S>) -> T {
        self.late(occurrence).map_or(T::ZERO, |late| self.weight() * (late * late))
    }

    fn event_cotangent(&self, occurrence: &Occurrence<T, S>, _: &mut S) -> T {
        let late = self.late(occurrence).unwrap_or(T::ZERO);
        T::from_f64(2.0) * (self.weight() * late)
    }

    fn finish_events(
        &self,
        events: &mut dyn Iterator<Item = &Occurrence<T, S>>,
    ) -> Result<(), SolveError> {
        let (needed, mut found) = (self.times.len(), 0);
        for occurrence in events.filter(|occurrence| self.late(occurrence).is_some()) {
            found += 1;
            if let (None, Some(index)) = (self.index, occurrence.event.index) {
                let problem = format!(
                    "`{}` are several events: choose one, by `.index({index})` say",
                    self.name
                );
                return Err(SolveError::argument("times", problem));
            }
        }
        if found >= needed {
            return Ok(());
        }
        let problem = format!(
            "event `{}` happened {found} times within the span, and there are {needed} times to compare with",
            self.name
        );
        Err(SolveError::argument("times", problem))
    }
}

/// The sum of two losses.
impl<T: Real, S: State<T>, A: Loss<T, S>, B: Loss<T, S>> Loss<T, S> for (A, B) {
    fn check(&self, y0: &S, points: Option<usize>) -> Result<(), SolveError> {
        self.0.check(y0, points)?;
        self.1.check(y0, points)
    }

    fn value(&self, index: usize, t: T, y: &S) -> Result<T, SolveError> {
        Ok(self.0.value(index, t, y)? + self.1.value(index, t, y)?)
    }

    fn cotangent(&self, index: usize, t: T, y: &S, y_bar: &mut S) {
        self.0.cotangent(index, t, y, y_bar);
        self.1.cotangent(index, t, y, y_bar);
    }

    fn time_cotangent(&self, index: usize, t: T, y: &S) -> T {
        self.0.time_cotangent(index, t, y) + self.1.time_cotangent(index, t, y)
    }

    fn event(&self, occurrence: &Occurrence<T, S>) -> T {
        self.0.event(occurrence) + self.1.event(occurrence)
    }

    fn event_cotangent(&self, occurrence: &Occurrence<T, S>, y_bar: &mut S) -> T {
        self.0.event_cotangent(occurrence, y_bar) + self.1.event_cotangent(occurrence, y_bar)
    }

    fn finish(&self, points: usize) -> Result<(), SolveError> {
        self.0.finish(points)?;
        self.1.finish(points)
    }

    fn finish_events(
        &self,
        events: &mut dyn Iterator<Item = &Occurrence<T, S>>,
    ) -> Result<(), SolveError> {
        let events: Vec<_> = events.collect();
        self.0.finish_events(&mut events.iter().copied())?;
        self.1.finish_events(&mut events.iter().copied())
    }
}
