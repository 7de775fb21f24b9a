//! The time loop: the one place that takes, accepts and rejects steps.

use crate::controller::{Begin, Start, StepControl};
use crate::halves::largest;
use crate::ladder::Clock;
use crate::save::SavePlan;
use crate::scheme::{Scheme, Step};
use crate::{Problem, Real, SolveError, State, Stats, VectorField};

/// Watches a solve: saves points, keeps what the backward pass needs.
pub(crate) trait Observer<T, X> {
    /// The solve is at save point `index`, after `steps` steps.
    fn saved(&mut self, index: usize, steps: u64, t: T, state: &X) -> Result<(), SolveError>;
    /// A step was accepted.
    fn accepted(&mut self, step: Step<T>, before: &X, after: &X) -> Result<(), SolveError>;
}

/// What the time loop runs with.
#[derive(Debug)]
pub(crate) struct Loop<'a, S, C> {
    pub(crate) scheme: &'a S,
    pub(crate) control: &'a C,
    pub(crate) max_steps: u64,
}

impl<S, C> Loop<'_, S, C> {
    /// Solves `problem` along the save points of `plan`; returns the last state and what it cost.
    pub(crate) fn run<T, F, O>(
        &self,
        problem: &Problem<T, F>,
        plan: &SavePlan<T>,
        observer: &mut O,
    ) -> Result<(S::State, Stats), SolveError>
    where
        T: Real,
        F: VectorField<T>,
        S: Scheme<T, F>,
        C: StepControl<T, F, S>,
        O: Observer<T, S::State>,
    {
        let Self { scheme, control, max_steps } = self;
        let Problem { field, y0, t0, t1 } = problem;
        let (t0, t1) = (*t0, *t1);
        let Begin { h, evaluations, mut memory } =
            control.begin(scheme, field, &Start { t0, t1, y0 })?;
        let mut stats = Stats { evaluations, ..Stats::default() };
        let mut h = if t1 < t0 { -h } else { h };
        let mut t = t0;
        let mut clock = Clock::new();
        let mut work = scheme.work(field, y0);
        // Swapped by reference: the state of a pair is large.
        let mut first = scheme.start(y0);
        let mut second = first.clone();
        let (mut now, mut next) = (&mut first, &mut second);
        let rounding = |t: T| T::from_f64(16.0) * T::EPSILON * t.abs();
        let mut error_norm = 0.0;
        let mut largest = T::from_f64(largest(y0.as_slice()));
        let mut saved = 0;
        let mut save = |observer: &mut O, steps, t, state: &S::State| {
            saved += 1;
            observer.saved(saved - 1, steps, t, state)
        };
        if plan.start {
            save(observer, 0, t, now)?;
        }
        let end = (plan.stops.last() != Some(&t1)).then_some(&t1);
        for (i, &stop) in plan.stops.iter().chain(end).enumerate() {
            while t != stop {
                if stats.accepted + stats.rejected >= *max_steps {
                    return Err(SolveError::StepLimit {
                        steps: *max_steps,
                        t: t.to_f64(),
                        h: h.to_f64(),
                        error_norm,
                    });
                }
                let remaining = stop - t;
                // Times closer than this are the same but for rounding; never much of a step.
                let slack = rounding(t).max(rounding(stop)).min(T::from_f64(1e-3) * h.abs());
                let lands = h.abs() >= remaining.abs() - slack;
                // A step that misses the stop by rounding only keeps its size.
                let shortened = lands && (h - remaining).abs() > slack;
                let size = if shortened { remaining } else { h };
                let step = Step { index: clock.index(), t, h: size };
                let attempt =
                    control.attempt(&mut memory, scheme, field, step, now, next, &mut work);
                error_norm = attempt.error;
                let start = t;
                if attempt.accepted {
                    scheme.complete(field, step, now, next, &mut work)?;
                    scheme.check(step, next, &mut largest)?;
                    observer.accepted(step, now, next)?;
                    std::mem::swap(&mut now, &mut next);
                    clock.advance(t, size);
                    t = if lands { stop } else { clock.end() };
                    stats.accepted += 1;
                    // A step cut short by a stop says little about how long the next can be.
                    h = if shortened {
                        longer(h, attempt.next_h)
                    } else {
                        clock.next_size(t, attempt.next_h)
                    };
                    if plan.steps {
                        save(observer, clock.index(), t, now)?;
                    }
                } else {
                    scheme.rejected(&mut work);
                    stats.rejected += 1;
                    h = clock.smaller_size(t, attempt.next_h);
                    if h.abs() <= rounding(t) {
                        check_finite(scheme.solution(next), t + size, t)?;
                        return Err(underflow(t, size, error_norm));
                    }
                }
                // Near a blow-up steps are accepted that no longer move the time. (Equal steps below
                // its rounding do, as they are counted.)
                if attempt.accepted && t == start && h.abs() < size.abs() {
                    return Err(underflow(t, size, error_norm));
                }
            }
            if i < plan.stops.len() {
                save(observer, clock.index(), t, now)?;
            }
        }
        stats.evaluations += scheme.evaluations(&work);
        Ok((now.clone(), stats))
    }
}

#[cold]
fn underflow<T: Real>(t: T, h: T, error_norm: f64) -> SolveError {
    SolveError::StepSizeUnderflow { t: t.to_f64(), h: h.to_f64(), error_norm }
}

/// The longer of two steps in the same direction.
fn longer<T: Real>(a: T, b: T) -> T {
    if a.abs() > b.abs() { a } else { b }
}

/// An error if a component is infinite or NaN.
#[inline(always)]
pub(crate) fn check_finite<T: Real, S: State<T>>(
    y: &S,
    t: T,
    last_good: T,
) -> Result<(), SolveError> {
    // 0 · y is 0 for finite y and NaN otherwise: one test for the whole state.
    let zero: T = y.as_slice().iter().fold(T::ZERO, |sum, &y| sum + T::ZERO * y);
    if zero == T::ZERO { Ok(()) } else { Err(not_finite(y.as_slice(), t, last_good)) }
}

#[cold]
fn not_finite<T: Real>(y: &[T], t: T, last_good: T) -> SolveError {
    let component = y.iter().position(|y| !y.is_finite()).unwrap_or(0);
    SolveError::NotFinite {
        t: t.to_f64(),
        component,
        value: y[component].to_f64(),
        last_good: last_good.to_f64(),
    }
}
