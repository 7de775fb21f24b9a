//! At which points a solution is saved, and a loss evaluated.

use crate::error::Readable;
use crate::{Real, SolveError};

/// The points at which a solution is saved or a loss is evaluated.
///
/// They are read from the interpolants of the steps in which they lie, where that is as accurate as the method: no step is
/// shortened for them. Otherwise, or where they are to be [landed on](Self::landed), steps end on them.
#[derive(Debug, Clone, PartialEq)]
pub struct SaveAt {
    points: Points,
    start: bool,
    reading: Reading,
    differentiated: bool,
}

/// How the solution at a point is come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// From the interpolant, where its order is at least that of the method less one.
    WhereAccurate,
    /// From the interpolant.
    Interpolated,
    /// By a step that ends there.
    Landed,
}

#[derive(Debug, Clone, PartialEq)]
enum Points {
    End,
    Steps,
    Every(f64),
    Times(Vec<f64>),
    Dense,
}

impl SaveAt {
    /// The end only.
    pub fn end() -> Self {
        Self::new(Points::End, false)
    }

    /// The start and the end of every accepted step.
    pub fn steps() -> Self {
        Self::new(Points::Steps, true)
    }

    /// The start and every multiple of `dt` after it, up to and including the end where that is
    /// one. `dt` is positive, in the units of time, and at most the length of the span; backward in
    /// time it counts down.
    pub fn every(dt: f64) -> Self {
        Self::new(Points::Every(dt), true)
    }

    /// The given times, in the order in which the solve passes them; start and end may be among
    /// them.
    ///
    /// A time that lies outside the span by at most `4 EPSILON max(|t0|, |t1|)` (4 to 8 units in the
    /// last place of the larger end) is taken for that end of the span: the roundings of
    /// `t0 + i * ((t1 - t0) / n)` can come to that much.
    pub fn times(times: impl AsRef<[f64]>) -> Self {
        Self::new(Points::Times(times.as_ref().to_vec()), false)
    }

    /// The start and the end, and the solution at any time between them: [`Solution::evaluate`] and
    /// [`Solution::derivative`]. The steps are those of [`end`](Self::end).
    ///
    /// The interpolant of the method is kept for each step: `d + 1` states and a time, where `d` is its degree (3 for cubic
    /// Hermite, 4 for `Tsit5` and `Dopri5`, 6 to 8 for `Dopri8` and Verner's); for `Tsit5` and three components in `f64`
    /// 128 bytes a step. Its order is [`Method::dense_order`](crate::Method::dense_order). A gradient keeps nothing of it:
    /// its loss is evaluated at the start and at the end.
    ///
    /// [`Solution::evaluate`]: crate::Solution::evaluate
    /// [`Solution::derivative`]: crate::Solution::derivative
    pub fn dense() -> Self {
        Self::new(Points::Dense, true)
    }

    fn new(points: Points, start: bool) -> Self {
        Self { points, start, reading: Reading::WhereAccurate, differentiated: false }
    }

    /// Reads the points from the interpolants of the steps in which they lie, whatever their order
    /// ([`Method::dense_order`](crate::Method::dense_order), `docs/interpolants.md`). No step is shortened: the steps are those of
    /// [`end`](Self::end), however many points there are. A point that misses the end of a step by rounding is that end.
    ///
    /// That is the default where the interpolant's order is at least that of the method less one, as it is for all methods
    /// of `revode::methods` but `CashKarp`; Rosenbrock methods, whose steps can be long, land. Then a value between the ends of a step is as accurate as the
    /// solution of the method at the end of many; along `Guarded` and `Exact`, whose solution by a method of odd order is of one
    /// order more, only points that are landed on are so too. Step-size control does not see it, nor does the estimate of a
    /// gradient's error.
    ///
    /// Explicit methods of order 6 and more evaluate 3 to 8 further stages in each step that holds a point, the others none, or one,
    /// which the next step uses where this is no pair. A gradient keeps the state at each point that lies between the ends of a
    /// step, whatever the strategy and beyond its limit of memory, as the loss is asked for the cotangent there on the way back.
    ///
    /// Of the points of [`end`](Self::end), [`steps`](Self::steps) and [`dense`](Self::dense) it says nothing.
    #[must_use]
    pub fn interpolated(mut self) -> Self {
        self.reading = Reading::Interpolated;
        self
    }

    /// Lands on the points: a step ends on each, and is shortened for it. So their accuracy is that of the method, and the
    /// steps depend on the points. A gradient keeps nothing for them.
    #[must_use]
    pub fn landed(mut self) -> Self {
        self.reading = Reading::Landed;
        self
    }

    /// Lets a gradient have the derivatives with respect to the save times, [`Gradient::save_times`], for measurements whose
    /// times are uncertain or sought: one evaluation of the field for each point. Those of [`steps`](Self::steps) are nobody's.
    ///
    /// [`Gradient::save_times`]: crate::Gradient::save_times
    #[must_use]
    pub fn differentiated(mut self) -> Self {
        self.differentiated = true;
        self
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

    /// The save points of a solve from `t0` to `t1` by a method whose interpolant is as `accurate` as itself, or is not.
    pub(crate) fn plan<T: Real>(
        &self,
        t0: T,
        t1: T,
        accurate: bool,
    ) -> Result<SavePlan<T>, SolveError> {
        let mut plan = SavePlan {
            start: self.start,
            stops: Vec::new(),
            between: Vec::new(),
            differentiated: self.differentiated && self.points != Points::Steps,
            kind: match self.points {
                Points::End => SaveKind::End,
                Points::Steps => SaveKind::Steps,
                Points::Every(_) | Points::Times(_) => SaveKind::Times,
                Points::Dense => SaveKind::Dense,
            },
        };
        match &self.points {
            Points::End | Points::Dense => plan.stops.push(t1),
            Points::Steps => {}
            Points::Every(dt) => plan.stops = multiples(*dt, t0, t1)?,
            Points::Times(times) => (plan.start, plan.stops) = given(times, t0, t1)?,
        }
        // What are ends of steps anyway need no interpolant.
        let reads = match self.reading {
            Reading::WhereAccurate => accurate,
            Reading::Interpolated => true,
            Reading::Landed => false,
        };
        if reads && plan.stops != [t1] {
            plan.between = std::mem::take(&mut plan.stops);
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
    /// The times after the start that are read from the interpolants of the steps.
    pub(crate) between: Vec<T>,
    /// Whether a gradient has the derivatives by the times.
    pub(crate) differentiated: bool,
    /// What else is saved.
    pub(crate) kind: SaveKind,
}

/// What a solve saves beside its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SaveKind {
    /// The solution at known times.
    Times,
    /// That at the end, wherever that is.
    End,
    /// That at the end of every step.
    Steps,
    /// That at the end, wherever that is, and the interpolants of all steps.
    Dense,
}

impl<T: Copy> SavePlan<T> {
    /// The time of the point number `index`, where that is one of a list; else `t`, where it was passed. (A point that misses
    /// the end of a step by rounding has its own time still.)
    pub(crate) fn time(&self, index: usize, t: T) -> T {
        let time = |list: &[T]| list.get(index.checked_sub(usize::from(self.start))?).copied();
        match self.kind {
            SaveKind::Times => time(&self.stops).or_else(|| time(&self.between)).unwrap_or(t),
            _ => t,
        }
    }

    /// The number of points, where it is known before the solve.
    pub(crate) fn len(&self) -> Option<usize> {
        let times = self.stops.len() + self.between.len();
        (self.kind != SaveKind::Steps).then(|| times + usize::from(self.start))
    }
}

fn multiples<T: Real>(dt: f64, t0: T, t1: T) -> Result<Vec<T>, SolveError> {
    let error = |what: std::fmt::Arguments<'_>| {
        SolveError::argument("save", format!("`SaveAt::every({})` {what}", Readable(dt)))
    };
    if !(dt > 0.0 && dt.is_finite()) {
        return Err(error(format_args!("needs a positive, finite interval")));
    }
    let (start, end) = (t0.to_f64(), t1.to_f64());
    let span = end - start;
    // A multiple that misses the end by the rounding of the division is the end.
    let count = span.abs() / dt * (1.0 + 4.0 * T::EPSILON.to_f64());
    if count > 1e9 {
        return Err(error(format_args!("asks for {count:e} points: raise the interval")));
    }
    let time = |i: u64| T::from_f64(start + span.signum() * dt * i as f64);
    let mut times: Vec<T> = (1..=count as u64).map(time).collect();
    // Where `dt` is near the rounding of time, that of the count can be more than one point.
    let beyond = |t: &mut T| (t.to_f64() - end) * span.signum() > dt;
    while times.pop_if(beyond).is_some() {}
    let before = std::iter::once(&t0).chain(&times);
    if before.zip(&times).any(|(before, time)| before == time) {
        let near = Readable(start.abs().max(end.abs()));
        return Err(error(format_args!(
            "is finer than the numbers near t = {near}: raise the interval"
        )));
    }
    let Some(last) = times.last_mut() else {
        // The start alone would be a loss that no step enters.
        return Err(error(format_args!(
            "has no point after the start, as the time span {} to {} is shorter: lower the interval, \
             or save the end by `SaveAt::end()`",
            Readable(t0),
            Readable(t1)
        )));
    };
    let miss = (last.to_f64() - end).abs();
    if miss <= 8.0 * T::EPSILON.to_f64() * start.abs().max(end.abs()) {
        *last = t1;
    }
    Ok(times)
}

fn given<T: Real>(times: &[f64], t0: T, t1: T) -> Result<(bool, Vec<T>), SolveError> {
    if times.is_empty() {
        return Err(SolveError::argument("save", "`SaveAt::times` needs at least one time"));
    }
    let forward = t1 > t0;
    let ordered = |a: T, b: T| if forward { a < b } else { a > b };
    let snapped = |t: &f64| rounding_beyond(T::from_f64(*t), t0, t1);
    let times: Vec<T> = times.iter().map(snapped).collect();
    for (i, &t) in times.iter().enumerate() {
        if !t.is_finite() || ordered(t, t0) || ordered(t1, t) {
            let [t, t0, t1] = [t, t0, t1].map(Readable);
            let problem = format!("save time {i}, {t}, is outside the time span {t0} to {t1}");
            return Err(SolveError::argument("save", problem));
        }
        if i > 0 && !ordered(times[i - 1], t) {
            let problem = format!(
                "save time {i}, {}, does not come after save time {}, {}: list them in the order in \
                 which the solve passes them",
                Readable(t),
                i - 1,
                Readable(times[i - 1])
            );
            return Err(SolveError::argument("save", problem));
        }
    }
    let start = times[0] == t0;
    Ok((start, times[usize::from(start)..].to_vec()))
}

/// The time `t`, or the end of the span from `t0` to `t1` beyond which rounding has put it.
pub(crate) fn rounding_beyond<T: Real>(t: T, t0: T, t1: T) -> T {
    let bound = bound(t0, t1);
    let (first, last) = if t1 > t0 { (t0, t1) } else { (t1, t0) };
    if t < first && first - t <= bound {
        first
    } else if t > last && t - last <= bound {
        last
    } else {
        t
    }
}

/// How far beyond an end of the span a save time may lie that rounding has put there.
///
/// In `t0 + i ((t1 - t0) / n)` the difference, the quotient and the product round by at most half an
/// ε of the span each, and the span is at most `2 m` with `m = max(|t0|, |t1|)`; the sum rounds by
/// at most half an ε of `m`. That makes `3.5 ε m`, and 4 in round numbers: 4 to 8 units in the last
/// place of `m`.
fn bound<T: Real>(t0: T, t1: T) -> T {
    T::from_f64(4.0) * T::EPSILON * t0.abs().max(t1.abs())
}

#[cfg(test)]
mod tests {
    use super::SaveAt;

    #[test]
    fn multiples_end_on_the_end_exactly() {
        let plan = SaveAt::every(0.1).plan(0.0, 10.0, false).unwrap();
        assert_eq!(plan.len(), Some(101));
        assert_eq!(plan.stops.last(), Some(&10.0));
        let plan = SaveAt::every(0.3).plan(0.0, 1.0, false).unwrap();
        assert_eq!(plan.stops, [0.3, 0.6, 0.3 * 3.0]);
        let plan = SaveAt::every(0.25).without_start().plan(1.0, 0.0, false).unwrap();
        assert_eq!((plan.start, plan.stops), (false, vec![0.75, 0.5, 0.25, 0.0]));
        let plan = SaveAt::every(0.1).plan(0.0_f32, 10.0, false).unwrap();
        assert_eq!((plan.len(), plan.stops.last()), (Some(101), Some(&10.0)));
    }

    #[test]
    fn bad_points_are_named() {
        let error = |save: SaveAt| save.plan(0.0, 1.0, false).unwrap_err().to_string();
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
        let plan = SaveAt::times([0.0, 0.5]).plan(0.0, 1.0, false).unwrap();
        assert_eq!((plan.start, plan.stops), (true, vec![0.5]));
    }

    #[test]
    fn an_interval_longer_than_the_span_is_an_error() {
        for save in [SaveAt::every(5.0), SaveAt::every(5.0).without_start()] {
            let error = save.plan(0.0, 1.0, false).unwrap_err().to_string();
            assert!(error.contains("SaveAt::every(5)") && error.contains("0 to 1"), "{error}");
            assert!(error.contains("SaveAt::end()"), "{error}");
        }
        // The whole span is one interval, also where the division rounds.
        assert_eq!(SaveAt::every(1.0).plan(0.0, 1.0, false).unwrap().stops, [1.0]);
        assert_eq!(SaveAt::every(0.1 + 0.2).plan(0.0, 0.3, false).unwrap().stops, [0.3]);
        assert_eq!(SaveAt::every(0.3).plan(0.0_f32, 0.3, false).unwrap().stops, [0.3]);
    }

    #[test]
    fn times_beyond_an_end_by_rounding_are_that_end() {
        // 3.0000000000000004 and 0.30000000000000004.
        let plan = SaveAt::times([1.0, 0.1 * 30.0]).plan(0.0, 3.0, false).unwrap();
        assert_eq!((plan.start, plan.stops), (false, vec![1.0, 3.0]));
        let plan = SaveAt::times([0.3, 1.0]).plan(0.1 * 3.0, 1.0, false).unwrap();
        assert_eq!((plan.start, plan.stops), (true, vec![1.0]));
        let plan = SaveAt::times([0.1 * 3.0, 0.0]).plan(0.3, 0.0, false).unwrap();
        assert_eq!((plan.start, plan.stops), (true, vec![0.0]));
        let plan = SaveAt::times([1.0, 3.000_000_2]).plan(0.0_f32, 3.0, false).unwrap();
        assert_eq!(plan.stops, [1.0, 3.0]);
        // Inside the span a time is what it is.
        let inside = 3.0_f64.next_down();
        assert_eq!(SaveAt::times([inside]).plan(0.0, 3.0, false).unwrap().stops, [inside]);
        // Two times that are the end are one too many; what is off by more is refused.
        let error =
            |times: &[f64]| SaveAt::times(times).plan(0.0, 3.0, false).unwrap_err().to_string();
        assert!(error(&[3.0, 3.0_f64.next_up()]).contains("does not come after"));
        assert!(error(&[3.0 + 4.0 * f64::EPSILON * 3.0 + 1e-15]).contains("outside"));
        assert!(error(&[-1e-14]).contains("outside"));
    }

    #[test]
    fn linear_spacing_ends_within_the_bound() {
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut beyond = 0;
        for _ in 0..20_000 {
            let (t0, t1) = (10.0 * random() - 5.0, 10.0 * random() - 5.0);
            let n = 1 + (200.0 * random()) as u32;
            let dt = (t1 - t0) / f64::from(n);
            let times: Vec<f64> = (0..=n).map(|i| t0 + f64::from(i) * dt).collect();
            let last = *times.last().unwrap();
            beyond += u32::from((last - t1) * (t1 - t0) > 0.0);
            let plan = SaveAt::times(&times).plan(t0, t1, false).unwrap();
            assert!(plan.start && plan.stops.len() == n as usize, "{t0} {t1} {n}");
        }
        assert!(beyond > 1_000, "{beyond}");
    }

    #[test]
    fn times_near_0_read_well() {
        let error = SaveAt::times([2e-320]).plan(0.0, 1e-320, false).unwrap_err().to_string();
        assert!(error.contains("2e-320") && error.contains("0 to 1e-320"), "{error}");
        let error = SaveAt::every(1.0).plan(0.0, 1e-320, false).unwrap_err().to_string();
        assert!(error.contains("0 to 1e-320"), "{error}");
    }

    #[test]
    fn times_come_in_any_sequence() {
        let expected = SaveAt::times([0.5, 1.0]);
        let times = vec![0.5, 1.0];
        assert_eq!(SaveAt::times(&times), expected);
        assert_eq!(SaveAt::times(&times[..]), expected);
        assert_eq!(SaveAt::times(times), expected);
        assert_eq!(SaveAt::times((1..3).map(|i| 0.5 * f64::from(i)).collect::<Vec<_>>()), expected);
    }
}
