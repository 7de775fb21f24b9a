//! Reads from the interpolants of the steps: the save points that no step lands on, and what is kept of a dense solution.

use super::Observer;
use super::journey::Course;
use crate::dense::{BoxedDenseOutput, Dense, Gauss};
use crate::error::check_finite;
use crate::scheme::Scheme;
use crate::{Method, Real, SolveError, State, Step, VectorField};

/// Reads between the ends of the steps.
pub(crate) struct Reader<'a, T: Real, F: VectorField<T>, M: Method<T, F>> {
    output: BoxedDenseOutput<'a, T, F, M::Stages>,
    /// The save points, how many of them have been read, and the number of save points before them.
    times: &'a [T],
    read: usize,
    first: usize,
    /// Scratch space for a value.
    y: F::State,
    /// The interpolants that are kept.
    kept: Option<Kept<T, F::State>>,
}

/// The interpolants so far, and how they are written.
struct Kept<T, Y> {
    gauss: Gauss<T>,
    dense: Dense<T, Y>,
}

impl<'a, T: Real, F: VectorField<T>, M: Method<T, F> + 'a> Reader<'a, T, F, M> {
    /// For a solve along `scheme`. On the heap, as a solve has counted what it takes of the stack.
    #[inline(never)]
    pub(super) fn new<S: Scheme<T, F, Method = M>>(
        scheme: &'a S,
        field: &F,
        course: &Course<'a, T>,
        (t0, y0): (T, &F::State),
    ) -> Box<Self> {
        let output = scheme.method().dense_output(field, y0);
        let degree = output.degree();
        let kept = || Kept { gauss: Gauss::new(degree), dense: Dense::new(degree, t0, y0) };
        Box::new(Self {
            output,
            times: course.between,
            read: 0,
            first: course.first + usize::from(course.start),
            y: y0.zeros_like(),
            kept: course.is_dense().then(kept),
        })
    }
}

impl<T: Real, F: VectorField<T>, M: Method<T, F>> Reader<'_, T, F, M> {
    /// Whether anything is read in this step.
    #[inline(always)]
    pub(super) fn reads(&self, step: Step<T>) -> bool {
        self.kept.is_some() || self.point_until(step).is_some()
    }

    /// The next point, if it is not behind the end of the step.
    #[inline(always)]
    fn point_until(&self, step: Step<T>) -> Option<T> {
        let t = *self.times.get(self.read)?;
        let beyond = if step.h < T::ZERO { t < step.end } else { t > step.end };
        (!beyond).then_some(t)
    }

    /// Reads an accepted step, which leads from one of its `ends` to the other. Returns whether the stages know that the
    /// next increment starts where it ends.
    pub(super) fn read<S, O>(
        &mut self,
        field: &F,
        step: Step<T>,
        ends: [&F::State; 2],
        stages: &mut M::Stages,
        observer: &mut O,
    ) -> Result<bool, SolveError>
    where
        S: Scheme<T, F, Method = M>,
        O: Observer<T, F, S> + ?Sized,
    {
        let mut extended = false;
        let mut extend = |output: &mut BoxedDenseOutput<'_, T, F, _>, stages: &mut _| {
            if !std::mem::replace(&mut extended, true) {
                output.extend(field, step, ends, stages);
            }
        };
        if let Some(Kept { gauss, dense }) = &mut self.kept {
            extend(&mut self.output, stages);
            let slope = |theta, dy: &mut _| {
                self.output.slope(field, step, theta, ends, stages, dy);
            };
            dense.push(gauss, step, ends, slope);
        }
        while let Some(t) = self.point_until(step) {
            let index = self.first + self.read;
            self.read += 1;
            if t == step.end {
                observer.passed(index, step, (t, T::ONE), ends[1])?;
                continue;
            }
            extend(&mut self.output, stages);
            // The end by the clock: no point of this step lies behind it.
            let theta = (t - step.t) / (step.end - step.t);
            self.output.value(field, step, theta, ends, stages, &mut self.y);
            check_finite(&self.y, t, step.t)?;
            observer.passed(index, step, (t, theta), &self.y)?;
        }
        Ok(extended && self.output.proceed(stages))
    }

    /// The number of points that were read, the field evaluations that the stages have not counted, and what was kept.
    pub(super) fn finish(self) -> (usize, u64, Option<Dense<T, F::State>>) {
        (self.read, self.output.evaluations(), self.kept.map(|kept| kept.dense))
    }
}

/// The error of a solve along a scheme that has no interpolant.
#[cold]
pub(super) fn no_interpolant() -> SolveError {
    let problem = "values between the ends of steps are those of the method itself, and this strategy advances a pair of \
                   solutions: land on the points (leave out `.interpolated()`), or use `StoreAll`, `Checkpointed`, or \
                   `Auto` with memory for all states";
    SolveError::argument("save", problem)
}
