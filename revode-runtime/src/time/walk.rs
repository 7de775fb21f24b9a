//! The way of a leg from step to step: what the time loop and the stepper are written on, and the one place that takes,
//! accepts and rejects steps.

use super::events::{Events, Found, Look};
use super::interpolate::Reader;
use super::journey::{Arrival, Course};
use super::limits::Limit;
use super::spectrum::Spectrum;
use super::steps::{Steps, at_least, at_most};
use super::switching::Switching;
use super::{Observer, TimeLoop};
use crate::control::{Begin, StepControl, StepSettings, Verdict};
use crate::error::check_finite;
use crate::scheme::{Scheme, Work};
use crate::stop::{Stop, Unfinished};
use crate::{Action, Leg, Method, Real, SolveError, Stats, Step, StepFailure, VectorField};

/// A leg on its way, between two steps.
pub(crate) struct Walk<T, F, S, C>
where
    T: Real,
    F: VectorField<T>,
    S: Scheme<T, F>,
    C: StepControl<T, F, S::Method>,
{
    pub(crate) state: S::State,
    /// The clock.
    pub(super) steps: Steps<T>,
    backward: bool,
    work: Work<T, F, S>,
    memory: C::Memory,
    limit: Limit,
    spectrum: Option<Box<Spectrum<F::State>>>,
    switching: Option<Switching<T, F::State>>,
    events: Option<Box<Events<T, F::State>>>,
    /// The steps that the legs before have tried.
    tried: u64,
    /// The error of the last step.
    error_norm: f64,
    stability_limited: u64,
    /// The evaluations that choosing the first step took.
    evaluations: u64,
}

/// What has come of a step that was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// It is to be tried again, with another size.
    Again,
    /// It was taken.
    Step,
    /// It was taken, and ends the leg at an event.
    ToEvent,
    /// It was not taken: the leg ends at an event where it would have started.
    AtEvent,
}

impl<T, F, S, C> Walk<T, F, S, C>
where
    T: Real,
    F: VectorField<T>,
    S: Scheme<T, F>,
    C: StepControl<T, F, S::Method>,
{
    /// Where it is.
    pub(crate) fn t(&self) -> T {
        self.steps.t()
    }

    /// Where and how the leg has ended.
    pub(crate) fn arrival(&mut self) -> Arrival<T> {
        let Self { steps, events, .. } = self;
        let events = events.as_mut().map_or(Vec::new(), |events| events.take_happened());
        Arrival { t: steps.t(), h: steps.h(), tried: steps.tried(), points: 0, events }
    }

    /// Whether an event of the solution ends the solve here.
    pub(super) fn comes_to_an_end(&self, field: &F) -> bool {
        let is_last = |found: &Found| field.event(found.number).action == Action::End;
        self.events.as_ref().is_some_and(|events| events.happened().iter().any(is_last))
    }

    /// What the leg has cost so far.
    pub(crate) fn stats(&self, time_loop: &TimeLoop<'_, S, C>) -> Stats {
        let Self { steps, work, memory, spectrum, events, .. } = self;
        let looks = spectrum.as_ref().map_or(0, |spectrum| spectrum.evaluations);
        let found = events.as_ref().map_or(0, |events| events.evaluations::<F>());
        let taken = time_loop.scheme.method().evaluations(&work.stages);
        Stats {
            accepted: steps.len(),
            rejected: steps.tried() - steps.len(),
            taken_again: steps.retried(),
            legs: 1,
            stability_limited: self.stability_limited,
            below_tolerance: time_loop.control.below_tolerance(memory),
            evaluations: self.evaluations + looks + found + taken,
            ..Stats::default()
        }
    }
}

impl<S, C> TimeLoop<'_, S, C> {
    /// The start of a leg; whether its steps are `recorded`.
    ///
    /// # Errors
    /// Those of [`StepControl::begin`], and where a trigger is not a number.
    #[inline(always)]
    pub(crate) fn begin<T, F>(
        &self,
        leg: Leg<'_, T, F>,
        course: &Course<'_, T>,
        recorded: bool,
    ) -> Result<Walk<T, F, S, C>, SolveError>
    where
        T: Real,
        F: VectorField<T>,
        S: Scheme<T, F>,
        C: StepControl<T, F, S::Method>,
    {
        let Self { scheme, control, settings, limits, stability, switches, .. } = self;
        let &&StepSettings { max_step, min_step, first_step, .. } = settings;
        // The very first step is that of the first leg.
        let first_step = match course.h {
            Some(h) => Some(h.abs().to_f64()),
            None => first_step.filter(|_| course.tried == 0),
        };
        let settings = StepSettings { first_step, ..**settings };
        let Leg { field, y0, t0, t1, sides, .. } = leg;
        let Begin { h, evaluations, memory } = control.begin(scheme.method(), leg, &settings)?;
        let backward = t1 < t0;
        let mut limit = Limit::new(max_step, limits.clone());
        let (least, most) = (T::from_f64(limit.least(min_step)), limit.at(t0, backward));
        // One that was asked for is not rounded to a rung, and needs no room for that.
        let h = if first_step.is_some_and(|h| h <= most) {
            h
        } else {
            at_most(at_least(h, least), most)
        };
        let mut steps = Steps::new(t0, if backward { -h } else { h }, recorded);
        steps.least = least;
        steps.sides = sides;
        let stability = stability.filter(|_| control.tolerance().is_some());
        Ok(Walk {
            state: scheme.start(y0),
            steps,
            backward,
            work: Work::new(*scheme, field, y0),
            memory,
            limit,
            spectrum: stability.map(|limits| Box::new(Spectrum::new(limits, y0, sides))),
            switching: Switching::new(field, (t0, y0), *switches),
            events: Events::new(leg, course.happened)?,
            tried: course.tried,
            error_norm: 0.0,
            stability_limited: 0,
            evaluations,
        })
    }

    /// Counts the steps of a leg that has ended, which may be solved again.
    pub(super) fn count<T: Real>(&self, steps: &Steps<T>) {
        self.tried.set(self.tried.get().saturating_add(steps.tried()));
    }

    /// Tries a step on the way to `stop`, which lies ahead. The `reader` reads between its ends, the observer watches.
    #[inline(always)]
    pub(crate) fn attempt<T, F, O>(
        &self,
        walk: &mut Walk<T, F, S, C>,
        field: &F,
        stop: T,
        reader: Option<&mut Reader<'_, T, F, S::Method>>,
        observer: &mut O,
    ) -> Result<Attempt, Stop>
    where
        T: Real,
        F: VectorField<T>,
        S: Scheme<T, F>,
        C: StepControl<T, F, S::Method>,
        O: Observer<T, F, S> + ?Sized,
    {
        let Self { scheme, control, settings, .. } = self;
        let Walk { state, steps, work, memory, switching, events, .. } = walk;
        let (method, backward) = (scheme.method(), walk.backward);
        if steps.tried() + walk.tried >= settings.max_steps {
            return Err(step_limit(settings.max_steps, steps, walk.error_norm).into());
        }
        let target = switching.as_ref().map_or(stop, |s| s.stop(steps.t(), stop));
        let target = events.as_ref().map_or(target, |e| e.stop(target, backward));
        let step = steps.next(target);
        let origin = scheme.origin(state);
        let Work { stages, psi, next } = &mut *work;
        let taken = control.increment(memory, method, field, step, origin, stages, psi);
        let mut verdict = if let Err(failure) = taken {
            failed(*control, memory, step, failure)?
        } else {
            scheme.propose(step, state, psi, next);
            control.decide(memory, step, scheme.solution(state), scheme.proposed(next))
        };
        if let Some(events) = events
            && verdict.accepted
        {
            let look = events.look(field, step, [scheme.solution(state), scheme.proposed(next)])?;
            if look != Look::Stands {
                method.restart(stages);
                steps.retry();
            }
            match look {
                Look::Stands => {}
                Look::Again => return Ok(Attempt::Again),
                Look::AtStart => return Ok(Attempt::AtEvent),
            }
        }
        if let Some(switching) = switching
            && verdict.accepted
            && !switching.look(field, step, scheme.solution(state), scheme.proposed(next))?
        {
            method.restart(stages);
            steps.retry();
            if let Some(events) = events {
                events.reject();
            }
            return Ok(Attempt::Again);
        }
        if !verdict.accepted {
            method.restart(stages);
        } else if let Err(unfinished) = scheme.finish(field, step, work) {
            verdict = match unfinished {
                Unfinished::Failed(failure) => failed(*control, memory, step, failure)?,
                Unfinished::Stop(stop) => {
                    self.count(steps);
                    return Err(stop);
                }
            };
        }
        walk.error_norm = verdict.error;
        if verdict.accepted {
            observer.before(step, state, work)?;
            let mut reader = reader.filter(|reader| reader.reads(step));
            if let Some(reader) = &mut reader {
                reader.begin(*scheme, field, step, state, work);
            }
            scheme.commit(step, state, work);
            scheme.close(step, state, work).inspect_err(|_| self.count(steps))?;
            let mut told = false;
            if let Some(reader) = reader {
                told = reader.read(*scheme, field, step, state, work, observer)?;
            }
            observer.after(step, state)?;
            let mut most = walk.limit.at(step.end, backward);
            if let Some(spectrum) = &mut walk.spectrum {
                let h = verdict.next_h.abs().to_f64().min(settings.max_step);
                let y = scheme.solution(state);
                let stable = spectrum.limit(field, step.end, y, (h.min(most), backward));
                // Whatever an earlier solve was limited by.
                walk.stability_limited += u64::from(h > stable);
                most = most.min(stable);
            }
            steps.accept(verdict.next_h, most);
            if let Some(switching) = switching {
                switching.accept(step);
            }
            if !S::READS_BACK && !told {
                control.proceed(method, &mut work.stages);
            }
            if let Some(events) = events
                && events.accept(field, step, scheme.solution(state))?
            {
                return Ok(Attempt::ToEvent);
            }
        } else {
            if let Some(events) = events {
                events.reject();
            }
            steps.reject(verdict.next_h);
            if let Some(switching) = switching {
                switching.reject();
            }
        }
        if steps.is_stuck() {
            if !verdict.accepted {
                check_finite(scheme.proposed(&work.next), step.end, step.t)?;
            }
            return Err(underflow(steps, step, verdict.error).into());
        }
        Ok(if verdict.accepted { Attempt::Step } else { Attempt::Again })
    }
}

/// The verdict on a step that could not be taken: it is tried again with a smaller size, where sizes vary.
#[cold]
fn failed<T, F, M, C>(
    control: &C,
    memory: &mut C::Memory,
    step: Step<T>,
    failure: StepFailure,
) -> Result<Verdict<T>, SolveError>
where
    T: Real,
    F: VectorField<T>,
    M: Method<T, F>,
    C: StepControl<T, F, M>,
{
    let next_h = control.retry(memory, step);
    let next_h = next_h.ok_or_else(|| SolveError::step_failed(step, failure))?;
    Ok(Verdict { accepted: false, next_h, error: f64::INFINITY })
}

#[cold]
fn step_limit<T: Real>(limit: u64, steps: &Steps<T>, error_norm: f64) -> SolveError {
    let (t, h) = (steps.t().to_f64(), steps.h().to_f64());
    SolveError::StepLimit { steps: limit, t, h, error_norm }
}

#[cold]
fn underflow<T: Real>(steps: &Steps<T>, step: Step<T>, error_norm: f64) -> SolveError {
    let (t, h) = (steps.t().to_f64(), step.h.to_f64());
    if steps.is_least() {
        let min_step = steps.least.to_f64();
        return SolveError::MinStep { t, h, min_step, error_norm };
    }
    SolveError::StepSizeUnderflow { t, h, error_norm }
}
