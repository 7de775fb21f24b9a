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
mod walk;

pub(crate) use journey::{Arrival, Journey};
pub(crate) use limits::StepLimits;
pub(crate) use record::StepRecord;
pub(crate) use steps::MOST_ROUNDED_UP;
pub(crate) use switching::Switches;

use std::cell::Cell;
use std::rc::Rc;

use crate::control::{StepControl, StepSettings};
use crate::dense::Dense;
use crate::scheme::{Scheme, Work};
use crate::stop::Stop;
use crate::{Leg, Real, SolveError, Stability, Stats, Step, VectorField};
pub(crate) use events::Found;
pub(crate) use interpolate::Place;
use interpolate::Reader;
pub(crate) use journey::Course;
pub(crate) use walk::{Attempt, Walk};

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

    /// An accepted step has passed save point `index`, where the solution is `y`. The point is `at` a time, and at a place in
    /// the step. For points that are not landed on.
    fn passed(
        &mut self,
        index: usize,
        step: Step<T>,
        at: (T, Place<T>),
        y: &F::State,
    ) -> Result<(), SolveError>;

    /// A step was accepted: `state` is the one at its start, `work` holds the solution at its end.
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
        if course.reads() {
            self.read_steps(leg, course, observer)
        } else {
            self.steps::<_, _, _, false>(leg, course, observer)
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
        let Leg { field, t1, .. } = leg;
        let mut walk = self.begin(leg, course, observer.records())?;
        let mut reader = READS.then(|| Reader::new(self.scheme, course, leg));
        let mut saved = course.first;
        let mut save = |observer: &mut O, walk: &Walk<T, F, S, C>| {
            saved += 1;
            observer.saved(saved - 1, walk.steps.len(), walk.steps.t(), &walk.state)
        };
        if course.start {
            save(observer, &walk)?;
        }
        let end = (course.stops.last() != Some(&t1)).then_some(&t1);
        'leg: for (i, &stop) in course.stops.iter().chain(end).enumerate() {
            while walk.steps.t() != stop {
                let reader = reader.as_deref_mut();
                let tried = self.attempt(&mut walk, field, stop, reader, observer)?;
                let at_event = match tried {
                    Attempt::Again => continue,
                    Attempt::AtEvent => break 'leg,
                    Attempt::Step => false,
                    Attempt::ToEvent => true,
                };
                if course.saves_each_step() {
                    save(observer, &walk)?;
                }
                if at_event {
                    if walk.steps.t() == stop && i < course.stops.len() {
                        save(observer, &walk)?;
                    }
                    break 'leg;
                }
            }
            if i < course.stops.len() {
                save(observer, &walk)?;
            }
        }
        self.count(&walk.steps);
        let ends = walk.comes_to_an_end(field) || (course.ends && walk.steps.t() == t1);
        if ends && course.saves_end() && course.stops.last() != Some(&walk.steps.t()) {
            save(observer, &walk)?;
        }
        let mut stats = walk.stats(self);
        let (points, read, dense) = reader.map_or((0, 0, None), |reader| reader.finish());
        stats.evaluations += read;
        let arrival = Arrival { points: saved + points, ..walk.arrival() };
        let Walk { state, steps, .. } = walk;
        Ok(End { state, arrival, dense, record: steps.into_record(), stats })
    }
}
