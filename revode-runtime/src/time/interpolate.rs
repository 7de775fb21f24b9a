//! Reads from the interpolants of the steps: the save points that no step lands on, and what is kept of a dense solution.

use super::Observer;
use super::journey::Course;
use crate::dense::{BoxedDenseOutput, Dense, Gauss};
use crate::error::check_finite;
use crate::scheme::{Scheme, Work};
use crate::slices::{update, zip};
use crate::{Method, Real, SolveError, State, Step, VectorField, support};

/// Reads between the ends of the steps.
///
/// A value lies on the chord of the read-outs at both ends, but for what the interpolant of an increment bends: that of the
/// step or, of a pair, the one that leads back from its end. So it meets the read-outs, whatever the gap of the pair.
pub(crate) struct Reader<'a, T: Real, F: VectorField<T>, M: Method<T, F>> {
    output: BoxedDenseOutput<'a, T, F, M::Stages>,
    /// The save points, how many of them have been read, and the number of save points before them.
    times: &'a [T],
    read: usize,
    first: usize,
    /// The read-out at the start of the step.
    start: F::State,
    /// Scratch space for the read-out at its end, for a value, and for where the increment that it is read from starts and
    /// ends.
    mean: F::State,
    y: F::State,
    ends: [F::State; 2],
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
            start: y0.zeros_like(),
            mean: y0.zeros_like(),
            y: y0.zeros_like(),
            ends: [y0.zeros_like(), y0.zeros_like()],
            kept: course.is_dense().then(kept),
        })
    }
}

impl<T: Real, F: VectorField<T>, M: Method<T, F>> Reader<'_, T, F, M> {
    /// Whether anything is read in this step.
    #[inline(always)]
    pub(super) fn reads(&self, step: Step<T>) -> bool {
        self.kept.is_some() || self.next_in(step).is_some()
    }

    /// The next point, if it is not behind the end of the step.
    #[inline(always)]
    fn next_in(&self, step: Step<T>) -> Option<T> {
        point_until(step, &self.times[self.read..])
    }

    /// Whether the interpolant of a step that is read is needed: a point lies before its end, or it is kept.
    fn extends(&self, step: Step<T>) -> bool {
        self.kept.is_some() || self.next_in(step).is_some_and(|t| t != step.end)
    }

    /// Takes what is needed of an accepted step that is to be read, before it is committed.
    pub(super) fn begin<S: Scheme<T, F, Method = M>>(
        &mut self,
        scheme: &S,
        field: &F,
        step: Step<T>,
        state: &S::State,
        Work { stages, psi, next }: &mut Work<T, F, S>,
    ) {
        if !self.extends(step) {
            return;
        }
        let start = scheme.read_out(state, &mut self.mean);
        self.start.assign(start);
        let from = if S::READS_BACK { scheme.proposed(next) } else { scheme.solution(state) };
        let (increment, _) = S::increment_between(step, T::ZERO);
        support::stage(&mut self.y, from, [(T::ONE, psi)]);
        self.output.extend(field, increment, [from, &self.y], stages);
    }

    /// Reads a step, which has led to `state`. Returns whether the stages know that the next increment starts where it
    /// ends.
    pub(super) fn read<S, O>(
        &mut self,
        scheme: &S,
        field: &F,
        step: Step<T>,
        state: &S::State,
        Work { stages, psi, .. }: &mut Work<T, F, S>,
        observer: &mut O,
    ) -> Result<bool, SolveError>
    where
        S: Scheme<T, F, Method = M>,
        O: Observer<T, F, S> + ?Sized,
    {
        let extended = self.extends(step);
        let Self { output, times, read, first, start, mean, y, ends, kept } = self;
        let end = scheme.read_out(state, mean);
        if let Some(Kept { gauss, dense }) = kept {
            let (increment, _) = S::increment_between(step, T::ZERO);
            place::<T, F, S>(step, T::ZERO, [start, end], psi, ends);
            dense.push(gauss, step, [start, end], |theta, dy| {
                let (_, part) = S::increment_between(step, theta);
                output.slope(field, increment, part, ends.each_ref(), stages, dy);
                if S::READS_BACK {
                    let inputs = [start.as_slice(), end.as_slice(), psi.as_slice()];
                    let turned = |dy, [start, end, psi]: [T; 3]| dy + (end - start + psi) / step.h;
                    update(dy.as_mut_slice(), inputs, turned);
                }
            });
        }
        while let Some(t) = point_until(step, &times[*read..]) {
            let index = *first + *read;
            *read += 1;
            if t == step.end {
                observer.passed(index, step, (t, T::ONE), end)?;
                continue;
            }
            // The end by the clock: no point of this step lies behind it.
            let theta = (t - step.t) / (step.end - step.t);
            let (increment, part) = S::increment_between(step, theta);
            place::<T, F, S>(step, theta, [start, end], psi, ends);
            output.value(field, increment, part, ends.each_ref(), stages, y);
            check_finite(y, t, step.t)?;
            observer.passed(index, step, (t, theta), y)?;
        }
        Ok(extended && !S::READS_BACK && output.proceed(stages))
    }

    /// The number of points that were read, the field evaluations that the stages have not counted, and what was kept.
    pub(super) fn finish(self) -> (usize, u64, Option<Dense<T, F::State>>) {
        (self.read, self.output.evaluations(), self.kept.map(|kept| kept.dense))
    }
}

/// The first of the `times`, if it is not behind the end of the step.
#[inline(always)]
fn point_until<T: Real>(step: Step<T>, times: &[T]) -> Option<T> {
    let t = *times.first()?;
    let beyond = if step.h < T::ZERO { t < step.end } else { t > step.end };
    (!beyond).then_some(t)
}

/// Writes where the increment that the value at `theta` is read from starts and ends: elsewhere than it was taken, by
/// what puts its interpolant on the chord of the read-outs `start` and `end`. (That of the step itself is there.)
fn place<T: Real, F: VectorField<T>, S: Scheme<T, F>>(
    step: Step<T>,
    theta: T,
    [start, end]: [&F::State; 2],
    psi: &F::State,
    [from, to]: &mut [F::State; 2],
) {
    if S::READS_BACK {
        let (_, part) = S::increment_between(step, theta);
        let inputs = [start.as_slice(), end.as_slice(), psi.as_slice()];
        let on_chord = |[start, end, psi]: [T; 3]| start + theta * (end - start) - part * psi;
        zip(from.as_mut_slice(), inputs, on_chord);
    } else {
        from.assign(start);
    }
    support::stage(to, from, [(T::ONE, psi)]);
}
