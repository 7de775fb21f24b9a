//! The time loop: the one place that takes, accepts and rejects steps.

mod codes;
mod crossing;
mod events;
mod interpolate;
mod journey;
mod ladder;
mod limits;
mod record;
mod spectrum;
mod steps;
mod switching;

pub(crate) use journey::{Arrival, Journey};
pub(crate) use limits::StepLimits;
pub(crate) use record::StepRecord;
pub(crate) use steps::MOST_ROUNDED_UP;
pub(crate) use switching::Switches;

use std::cell::Cell;
use std::rc::Rc;

use crate::control::{Begin, StepControl, StepSettings, Verdict};
use crate::dense::Dense;
use crate::error::check_finite;
use crate::scheme::{Scheme, Work};
use crate::stop::{Stop, Unfinished};
use crate::{
    Action, Leg, Method, Real, SolveError, Stability, Stats, Step, StepFailure, VectorField,
};
pub(crate) use events::Found;
use events::{Events, Look};
use interpolate::Reader;
use journey::Course;
use limits::Limit;
use spectrum::Spectrum;
use steps::{Steps, at_least, at_most};
use switching::Switching;

/// Watches a solve: saves points, keeps what the backward pass needs.
pub(crate) trait Observer<T: Real, F: VectorField<T>, S: Scheme<T, F>> {
    /// Whether the time loop records the steps.
    #[inline(always)]
    fn records(&self) -> bool {
        false
    }

    /// The solve is at save point `index`, after `steps` steps.
    fn saved(&mut self, index: usize, steps: u64, t: T, state: &S::State)
    -> Result<(), SolveError>;

    /// An accepted step has passed save point `index`, where the solution is `y`. The point is `at` the time
    /// `t = step.t + theta h`, and `theta`; at the end of the step that is 1. For points that are not landed on, before the step is committed.
    fn passed(
        &mut self,
        index: usize,
        step: Step<T>,
        at: (T, T),
        y: &F::State,
    ) -> Result<(), SolveError>;

    /// A step was accepted: `state` is the one at its start, `work` holds the solution at its end and the stage
    /// derivatives of the last increment, which are what an interpolant is made of.
    #[inline(always)]
    fn before(
        &mut self,
        step: Step<T>,
        state: &S::State,
        work: &Work<T, F, S>,
    ) -> Result<(), SolveError> {
        let _ = (step, state, work);
        Ok(())
    }

    /// The accepted step has led to `state`.
    #[inline(always)]
    fn after(&mut self, step: Step<T>, state: &S::State) -> Result<(), SolveError> {
        let _ = (step, state);
        Ok(())
    }
}

/// What the time loop runs with.
#[derive(Debug)]
pub(crate) struct TimeLoop<'a, S, C> {
    pub(crate) scheme: &'a S,
    pub(crate) control: &'a C,
    pub(crate) settings: &'a StepSettings,
    /// How long steps may be over time.
    pub(crate) limits: Option<Rc<StepLimits>>,
    /// The limits of stability that steps keep to, where they adapt; `None` where they are not known.
    pub(crate) stability: Option<[f64; Stability::RAYS]>,
    /// What is done about the field's switching functions.
    pub(crate) switches: Switches,
    /// The steps tried by the solves that have ended, those with an error left out that nothing revises.
    pub(crate) tried: &'a Cell<u64>,
}

/// The end of a solve.
#[derive(Debug)]
pub(crate) struct End<T, X, Y> {
    /// The last state.
    pub(crate) state: X,
    /// Where that is.
    pub(crate) arrival: Arrival<T>,
    /// The interpolants, where they were kept.
    pub(crate) dense: Option<Dense<T, Y>>,
    /// The accepted steps, where the observer wanted them recorded.
    pub(crate) record: StepRecord<T>,
    /// What it cost.
    pub(crate) stats: Stats,
}

impl<S, C> TimeLoop<'_, S, C> {
    /// Solves a leg along the save points of its `course`.
    pub(crate) fn run<T, F, O>(
        &self,
        leg: Leg<'_, T, F>,
        course: &Course<'_, T>,
        observer: &mut O,
    ) -> Result<End<T, S::State, F::State>, Stop>
    where
        T: Real,
        F: VectorField<T>,
        S: Scheme<T, F>,
        C: StepControl<T, F, S::Method>,
        O: Observer<T, F, S>,
    {
        // Compiled twice, so that solves which read nothing take no time for it (`cargo bench --bench step`: 10 % of
        // a step of RK4, where one loop served both).
        if !course.reads() {
            self.steps::<_, _, _, false>(leg, course, observer)
        } else if const { S::INTERPOLATES } {
            self.read_steps(leg, course, observer)
        } else {
            Err(interpolate::no_interpolant().into())
        }
    }

    /// [`steps`](Self::steps) that are read. On its own, so that the stack of other solves has no place for it, and once for
    /// all observers.
    #[inline(never)]
    fn read_steps<T, F>(
        &self,
        leg: Leg<'_, T, F>,
        course: &Course<'_, T>,
        observer: &mut dyn Observer<T, F, S>,
    ) -> Result<End<T, S::State, F::State>, Stop>
    where
        T: Real,
        F: VectorField<T>,
        S: Scheme<T, F>,
        C: StepControl<T, F, S::Method>,
    {
        self.steps::<_, _, _, true>(leg, course, observer)
    }

    /// The steps from the start to the end; where it `READS`, values are read between the ends of some.
    fn steps<T, F, O, const READS: bool>(
        &self,
        leg: Leg<'_, T, F>,
        course: &Course<'_, T>,
        observer: &mut O,
    ) -> Result<End<T, S::State, F::State>, Stop>
    where
        T: Real,
        F: VectorField<T>,
        S: Scheme<T, F>,
        C: StepControl<T, F, S::Method>,
        O: Observer<T, F, S> + ?Sized,
    {
        let Self { scheme, control, settings, limits, stability, switches, tried } = self;
        let &&StepSettings { max_steps, max_step, min_step, first_step, .. } = settings;
        // The very first step is that of the first leg.
        let first_step = match course.h {
            Some(h) => Some(h.abs().to_f64()),
            None => first_step.filter(|_| course.tried == 0),
        };
        let settings = StepSettings { first_step, ..**settings };
        let Leg { field, y0, t0, t1, .. } = leg;
        let method = scheme.method();
        let Begin { h, evaluations, mut memory } = control.begin(method, leg, &settings)?;
        let backward = t1 < t0;
        let mut limit = Limit::new(max_step, limits.as_deref());
        let (least, most) = (T::from_f64(limit.least(min_step)), limit.at(t0, backward));
        // One that was asked for is not rounded to a rung, and needs no room for that.
        let h = if first_step.is_some_and(|h| h <= most) {
            h
        } else {
            at_most(at_least(h, least), most)
        };
        let mut steps = Steps::new(t0, if backward { -h } else { h }, observer.records());
        steps.least = least;
        steps.sides = leg.sides;
        let stability = stability.filter(|_| control.tolerance().is_some());
        let mut spectrum = stability.map(|limits| Box::new(Spectrum::new(limits, y0, leg.sides)));
        let mut stability_limited = 0;
        let mut switching = Switching::new(field, (t0, y0), *switches);
        let mut events = Events::new(leg, course.happened)?;
        let mut reader = READS.then(|| Reader::new(*scheme, field, course, (t0, y0)));
        let mut work = Work::new(*scheme, field, y0);
        let mut state = scheme.start(y0);
        let mut error_norm = 0.0;
        let mut saved = course.first;
        let mut save = |observer: &mut O, steps: &Steps<T>, state: &S::State| {
            saved += 1;
            observer.saved(saved - 1, steps.len(), steps.t(), state)
        };
        let count = |steps: &Steps<T>| tried.set(tried.get().saturating_add(steps.tried()));
        if course.start {
            save(observer, &steps, &state)?;
        }
        let end = (course.stops.last() != Some(&t1)).then_some(&t1);
        'leg: for (i, &stop) in course.stops.iter().chain(end).enumerate() {
            while steps.t() != stop {
                if steps.tried() + course.tried >= max_steps {
                    return Err(step_limit(max_steps, &steps, error_norm).into());
                }
                let target = switching.as_ref().map_or(stop, |s| s.stop(steps.t(), stop));
                let target = events.as_ref().map_or(target, |e| e.stop(target, backward));
                let step = steps.next(target);
                let origin = scheme.origin(&state);
                let Work { stages, psi, next } = &mut work;
                let taken =
                    control.increment(&mut memory, method, field, step, origin, stages, psi);
                let mut verdict = if let Err(failure) = taken {
                    failed(*control, &mut memory, step, failure)?
                } else {
                    scheme.propose(step, &state, psi, next);
                    let (y, y_next) = (scheme.solution(&state), scheme.proposed(next));
                    control.decide(&mut memory, step, y, y_next)
                };
                if let Some(events) = &mut events
                    && verdict.accepted
                {
                    let ends = [scheme.solution(&state), scheme.proposed(next)];
                    let look = events.look(field, step, ends)?;
                    if look != Look::Stands {
                        method.restart(stages);
                        steps.retry();
                    }
                    match look {
                        Look::Stands => {}
                        Look::Again => continue,
                        Look::AtStart => break 'leg,
                    }
                }
                if let Some(switching) = &mut switching
                    && verdict.accepted
                    && !switching.look(
                        field,
                        step,
                        scheme.solution(&state),
                        scheme.proposed(next),
                    )?
                {
                    method.restart(stages);
                    steps.retry();
                    if let Some(events) = &mut events {
                        events.reject();
                    }
                    continue;
                }
                if !verdict.accepted {
                    method.restart(stages);
                } else if let Err(unfinished) = scheme.finish(field, step, &mut work) {
                    verdict = match unfinished {
                        Unfinished::Failed(failure) => {
                            failed(*control, &mut memory, step, failure)?
                        }
                        Unfinished::Stop(stop) => {
                            count(&steps);
                            return Err(stop);
                        }
                    };
                }
                error_norm = verdict.error;
                if verdict.accepted {
                    observer.before(step, &state, &work)?;
                    let mut told = false;
                    if let Some(reader) = &mut reader
                        && reader.reads(step)
                    {
                        let ends = [scheme.solution(&state), scheme.proposed(&work.next)];
                        told = reader.read(field, step, ends, &mut work.stages, observer)?;
                    }
                    scheme.commit(step, &mut state, &mut work);
                    scheme.close(step, &mut state, &mut work).inspect_err(|_| count(&steps))?;
                    observer.after(step, &state)?;
                    let mut most = limit.at(step.end, backward);
                    if let Some(spectrum) = &mut spectrum {
                        let h = verdict.next_h.abs().to_f64().min(max_step);
                        let y = scheme.solution(&state);
                        let stable = spectrum.limit(field, step.end, y, (h.min(most), backward));
                        // Whatever an earlier solve was limited by.
                        stability_limited += u64::from(h > stable);
                        most = most.min(stable);
                    }
                    steps.accept(verdict.next_h, most);
                    if let Some(switching) = &mut switching {
                        switching.accept(step);
                    }
                    if S::CONTINUES && !told {
                        control.proceed(method, &mut work.stages);
                    }
                    if course.saves_each_step() {
                        save(observer, &steps, &state)?;
                    }
                    if let Some(events) = &mut events
                        && events.accept(field, step, scheme.solution(&state))?
                    {
                        if steps.t() == stop && i < course.stops.len() {
                            save(observer, &steps, &state)?;
                        }
                        break 'leg;
                    }
                } else {
                    if let Some(events) = &mut events {
                        events.reject();
                    }
                    steps.reject(verdict.next_h);
                    if let Some(switching) = &mut switching {
                        switching.reject();
                    }
                }
                if steps.is_stuck() {
                    if !verdict.accepted {
                        check_finite(scheme.proposed(&work.next), step.end, step.t)?;
                    }
                    return Err(underflow(&steps, step, error_norm).into());
                }
            }
            if i < course.stops.len() {
                save(observer, &steps, &state)?;
            }
        }
        count(&steps);
        let (accepted, rejected) = (steps.len(), steps.tried() - steps.len());
        let looks = spectrum.map_or(0, |spectrum| spectrum.evaluations);
        let (happened, found) = events.map_or((Vec::new(), 0), |events| events.finish::<F>());
        let is_last = |found: &Found| field.event(found.number).action == Action::End;
        let ends = happened.iter().any(is_last) || (course.ends && steps.t() == t1);
        if ends && course.saves_end() && course.stops.last() != Some(&steps.t()) {
            save(observer, &steps, &state)?;
        }
        let (points, read, dense) = reader.map_or((0, 0, None), |reader| reader.finish());
        let evaluations = evaluations + looks + found + read + method.evaluations(&work.stages);
        let stats = Stats {
            accepted,
            rejected,
            stability_limited,
            below_tolerance: control.below_tolerance(&memory),
            evaluations,
            ..Stats::default()
        };
        let arrival = Arrival {
            t: steps.t(),
            h: steps.h(),
            tried: steps.tried(),
            points: saved + points,
            events: happened,
        };
        Ok(End { state, arrival, dense, record: steps.into_record(), stats })
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
