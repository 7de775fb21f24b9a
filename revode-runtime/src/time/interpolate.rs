//! Reads from the interpolants of the steps: the save points that no step lands on, and what is kept of a dense solution.

use super::Observer;
use super::journey::Course;
use super::steps::slack;
use crate::dense::{BoxedDenseOutput, Dense, Gauss};
use crate::error::check_finite;
use crate::scheme::{Scheme, Work};
use crate::slices::{update, zip};
use crate::{Leg, Method, Real, SolveError, State, Step, VectorField, support};

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
    /// Where the leg ends. A point that misses that is not there: it does not move with it.
    end: T,
    /// Whether the interpolant of the step that is read is known.
    extended: bool,
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
        course: &Course<'a, T>,
        Leg { field, y0, t0, t1, .. }: Leg<'_, T, F>,
    ) -> Box<Self> {
        let output = scheme.method().dense_output(field, y0);
        let degree = output.degree();
        let kept = || Kept { gauss: Gauss::new(degree), dense: Dense::new(degree, t0, y0) };
        Box::new(Self {
            output,
            times: course.between,
            read: 0,
            first: course.first + usize::from(course.start),
            end: t1,
            extended: false,
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
        self.kept.is_some() || self.times.get(self.read).is_some_and(|t| !is_behind(step, *t))
    }

    /// Whether the interpolant of a step that is read is needed: a point lies before its end, or it is kept.
    fn extends(&self, step: Step<T>) -> bool {
        let is_between = |t| matches!(self.place(step, t), Place::Between(_));
        let points = self.times[self.read..].iter().take_while(|t| !is_behind(step, **t));
        self.kept.is_some() || points.copied().any(is_between)
    }

    /// Where in the step the time `t` is, which is not behind its end. What misses an end of the step by rounding is there,
    /// as it is where points are landed on.
    fn place(&self, step: Step<T>, t: T) -> Place<T> {
        let misses = |end: T| (t - end).abs() <= slack(step.t, step.h, t);
        if t == step.end || (misses(step.end) && step.end != self.end) {
            Place::End
        } else if misses(step.t) {
            Place::Start
        } else {
            // The end by the clock: no point of this step lies behind it.
            Place::Between((t - step.t) / (step.end - step.t))
        }
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
        let start = scheme.read_out(state, &mut self.mean);
        self.start.assign(start);
        self.extended = self.extends(step);
        if !self.extended {
            return;
        }
        let (solution, proposed) = (scheme.solution(state), scheme.proposed(next));
        let (increment, _) = S::increment_between(step, T::ZERO);
        let ends = if S::READS_BACK {
            support::stage(&mut self.y, proposed, [(T::ONE, psi)]);
            [proposed, &self.y]
        } else {
            [solution, proposed]
        };
        self.output.extend(field, increment, ends, stages);
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
        if let Some(Kept { gauss, dense }) = &mut self.kept {
            let Self { output, start, mean, ends, .. } = self;
            let end = scheme.read_out(state, mean);
            let (increment, _) = S::increment_between(step, T::ZERO);
            // Their place does not matter to the slope.
            let ends = increment_ends::<T, F, S>(T::ZERO, [start, end], psi, ends);
            dense.push(gauss, step, [start, end], |theta, dy| {
                let (_, part) = S::increment_between(step, theta);
                output.slope(field, increment, part, ends, stages, dy);
                if S::READS_BACK {
                    let inputs = [start.as_slice(), end.as_slice(), psi.as_slice()];
                    let turned = |dy, [start, end, psi]: [T; 3]| dy + (end - start + psi) / step.h;
                    update(dy.as_mut_slice(), inputs, turned);
                }
            });
        }
        while let Some(t) = self.times.get(self.read).copied().filter(|t| !is_behind(step, *t)) {
            let (index, place) = (self.first + self.read, self.place(step, t));
            self.read += 1;
            let Self { output, start, mean, y, ends, .. } = self;
            let end = scheme.read_out(state, mean);
            let y = match place {
                Place::Start => &*start,
                Place::End => end,
                Place::Between(theta) => {
                    let (increment, part) = S::increment_between(step, theta);
                    let ends = increment_ends::<T, F, S>(part, [start, end], psi, ends);
                    output.value(field, increment, part, ends, stages, y);
                    check_finite(y, t, step.t)?;
                    &*y
                }
            };
            observer.passed(index, step, (t, place), y)?;
        }
        Ok(self.extended && !S::READS_BACK && self.output.proceed(stages))
    }

    /// The number of points that were read, the field evaluations that the stages have not counted, and what was kept.
    pub(super) fn finish(self) -> (usize, u64, Option<Dense<T, F::State>>) {
        (self.read, self.output.evaluations(), self.kept.map(|kept| kept.dense))
    }
}

/// Where in a step a point is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Place<T> {
    /// At its start.
    Start,
    /// At this part of it.
    Between(T),
    /// At its end.
    End,
}

/// Whether the time `t` is behind the end of the step.
#[inline(always)]
fn is_behind<T: Real>(step: Step<T>, t: T) -> bool {
    if step.h < T::ZERO { t < step.end } else { t > step.end }
}

/// Where the increment starts and ends whose value at the `part` of it lies on the chord of the read-outs, but for what its
/// interpolant bends: elsewhere than it was taken, where it is that of a pair. (That of the step itself is there.)
fn increment_ends<'a, T: Real, F: VectorField<T>, S: Scheme<T, F>>(
    part: T,
    [start, end]: [&'a F::State; 2],
    psi: &F::State,
    [from, to]: &'a mut [F::State; 2],
) -> [&'a F::State; 2] {
    if !S::READS_BACK {
        return [start, end];
    }
    let inputs = [start.as_slice(), end.as_slice(), psi.as_slice()];
    let place = |[start, end, psi]: [T; 3]| end + part * (start - end - psi);
    zip(from.as_mut_slice(), inputs, place);
    support::stage(to, from, [(T::ONE, psi)]);
    [from, to]
}
