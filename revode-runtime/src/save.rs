//! At which points a solution is saved, and a loss evaluated.

use crate::{Real, SolveError};

/// The points at which a solution is saved or a loss is evaluated. The solver lands on them.
#[derive(Debug, Clone, PartialEq)]
pub struct SaveAt {
    points: Points,
    start: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Points {
    End,
    Steps,
    Every(f64),
    Times(Vec<f64>),
}

impl SaveAt {
    /// The end only.
    pub fn end() -> Self {
        Self { points: Points::End, start: false }
    }

    /// The start and the end of every accepted step.
    pub fn steps() -> Self {
        Self { points: Points::Steps, start: true }
    }

    /// The start and every multiple of `dt` after it, up to and including the end where that is
    /// one. `dt` is positive, in the units of time; backward in time it counts down.
    pub fn every(dt: f64) -> Self {
        Self { points: Points::Every(dt), start: true }
    }

    /// The given times, in the order in which the solve passes them; start and end may be among
    /// them.
    pub fn times(times: impl Into<Vec<f64>>) -> Self {
        Self { points: Points::Times(times.into()), start: false }
    }

    /// Leaves the start out, where it would be saved otherwise.
    #[must_use]
    pub fn without_start(mut self) -> Self {
        if let Points::Times(_) = self.points {
            return self;
        }
        self.start = false;
        self
    }

    /// The save points of a solve from `t0` to `t1`.
    pub(crate) fn plan<T: Real>(&self, t0: T, t1: T) -> Result<SavePlan<T>, SolveError> {
        let mut plan = SavePlan { start: self.start, stops: Vec::new(), steps: false };
        match &self.points {
            Points::End => plan.stops.push(t1),
            Points::Steps => plan.steps = true,
            Points::Every(dt) => plan.stops = multiples(*dt, t0, t1)?,
            Points::Times(times) => (plan.start, plan.stops) = given(times, t0, t1)?,
        }
        Ok(plan)
    }
}

/// The save points of one solve.
#[derive(Debug, Clone)]
pub(crate) struct SavePlan<T> {
    /// Whether the start is saved.
    pub(crate) start: bool,
    /// The times after the start that are landed on and saved.
    pub(crate) stops: Vec<T>,
    /// Whether the end of every step is saved.
    pub(crate) steps: bool,
}

impl<T> SavePlan<T> {
    /// The number of points, where it is known before the solve.
    pub(crate) fn len(&self) -> Option<usize> {
        (!self.steps).then(|| self.stops.len() + usize::from(self.start))
    }
}

fn multiples<T: Real>(dt: f64, t0: T, t1: T) -> Result<Vec<T>, SolveError> {
    if !(dt > 0.0 && dt.is_finite()) {
        let problem = format!("`SaveAt::every({dt})` needs a positive, finite interval");
        return Err(SolveError::argument("save", problem));
    }
    let (start, end) = (t0.to_f64(), t1.to_f64());
    let span = end - start;
    // A multiple that misses the end by the rounding of the division is the end.
    let count = span.abs() / dt * (1.0 + 4.0 * T::EPSILON.to_f64());
    if count > 1e9 {
        let problem =
            format!("`SaveAt::every({dt})` asks for {count:e} points: raise the interval");
        return Err(SolveError::argument("save", problem));
    }
    let time = |i: u64| T::from_f64(start + span.signum() * dt * i as f64);
    let mut times: Vec<T> = (1..=count as u64).map(time).collect();
    // Where `dt` is near the rounding of time, that of the count can be more than one point.
    let beyond = |t: &mut T| (t.to_f64() - end) * span.signum() > dt;
    while times.pop_if(beyond).is_some() {}
    let before = std::iter::once(&t0).chain(&times);
    if before.zip(&times).any(|(before, time)| before == time) {
        let problem = format!(
            "`SaveAt::every({dt})` is finer than the numbers near t = {}: raise the interval",
            start.abs().max(end.abs())
        );
        return Err(SolveError::argument("save", problem));
    }
    if let Some(last) = times.last_mut() {
        let miss = (last.to_f64() - end).abs();
        if miss <= 8.0 * T::EPSILON.to_f64() * start.abs().max(end.abs()) {
            *last = t1;
        }
    }
    Ok(times)
}

fn given<T: Real>(times: &[f64], t0: T, t1: T) -> Result<(bool, Vec<T>), SolveError> {
    let forward = t1 > t0;
    let ordered = |a: T, b: T| if forward { a < b } else { a > b };
    let times: Vec<T> = times.iter().map(|t| T::from_f64(*t)).collect();
    if times.is_empty() {
        return Err(SolveError::argument("save", "`SaveAt::times` needs at least one time"));
    }
    for (i, &t) in times.iter().enumerate() {
        if !t.is_finite() || ordered(t, t0) || ordered(t1, t) {
            let problem = format!("save time {i}, {t}, is outside the time span {t0} to {t1}");
            return Err(SolveError::argument("save", problem));
        }
        if i > 0 && !ordered(times[i - 1], t) {
            let problem = format!(
                "save time {i}, {t}, does not come after save time {}, {}: list them in the order in \
                 which the solve passes them",
                i - 1,
                times[i - 1]
            );
            return Err(SolveError::argument("save", problem));
        }
    }
    let start = times[0] == t0;
    Ok((start, times[usize::from(start)..].to_vec()))
}

#[cfg(test)]
mod tests {
    use super::SaveAt;

    #[test]
    fn multiples_end_on_the_end_exactly() {
        let plan = SaveAt::every(0.1).plan(0.0, 10.0).unwrap();
        assert_eq!(plan.len(), Some(101));
        assert_eq!(plan.stops.last(), Some(&10.0));
        let plan = SaveAt::every(0.3).plan(0.0, 1.0).unwrap();
        assert_eq!(plan.stops, [0.3, 0.6, 0.3 * 3.0]);
        let plan = SaveAt::every(0.25).without_start().plan(1.0, 0.0).unwrap();
        assert_eq!((plan.start, plan.stops), (false, vec![0.75, 0.5, 0.25, 0.0]));
        let plan = SaveAt::every(0.1).plan(0.0_f32, 10.0).unwrap();
        assert_eq!((plan.len(), plan.stops.last()), (Some(101), Some(&10.0)));
    }

    #[test]
    fn bad_points_are_named() {
        let error = |save: SaveAt| save.plan(0.0, 1.0).unwrap_err().to_string();
        assert!(error(SaveAt::every(0.0)).contains("SaveAt::every(0)"));
        assert!(error(SaveAt::every(f64::NAN)).contains("positive"));
        assert!(error(SaveAt::every(1e-12)).contains("raise the interval"));
        assert!(error(SaveAt::times([])).contains("at least one"));
        assert!(error(SaveAt::times([0.5, 0.5])).contains("save time 1, 0.5, does not come after"));
        assert!(error(SaveAt::times([0.5, 2.0])).contains("save time 1, 2, is outside"));
        assert!(error(SaveAt::times([f64::NAN])).contains("outside"));
    }

    #[test]
    fn a_given_start_is_not_a_stop() {
        let plan = SaveAt::times([0.0, 0.5]).plan(0.0, 1.0).unwrap();
        assert_eq!((plan.start, plan.stops), (true, vec![0.5]));
    }
}
