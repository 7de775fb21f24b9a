//! Save points between the ends of steps, in a gradient: what is kept of them, and their way back.

use std::cell::RefCell;
use std::fmt;

use super::Loss;
use super::flow::Flow;
use crate::scheme::{Adjoint, Cotangent, ReadVjp, Scheme, SchemeVjp};
use crate::{DenseOutputVjp, FieldVjp, Real, State, Step, support};

/// The save points that lie between the ends of steps, with their values: a loss asks for them on the way back, when what
/// they were read from is gone.
#[derive(Debug)]
pub(super) struct Read<T, Y> {
    points: Vec<Value<T, Y>>,
}

#[derive(Debug)]
struct Value<T, Y> {
    /// The number of the save point.
    index: usize,
    /// The number of the step, the time and where in the step that is.
    step: u64,
    t: T,
    theta: T,
    y: Y,
}

impl<T: Real, Y: State<T>> Read<T, Y> {
    pub(super) fn new() -> Self {
        Self { points: Vec::new() }
    }

    /// Keeps a point of a step.
    pub(super) fn push(&mut self, index: usize, step: Step<T>, (t, theta): (T, T), y: &Y) {
        self.points.push(Value { index, step: step.index, t, theta, y: y.clone() });
    }

    pub(super) fn is_empty(&self) -> bool {
        self.points.is_empty()
    }

    /// The memory that it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.points
            .iter()
            .map(|point| size_of::<Value<T, Y>>() - size_of::<Y>() + point.y.bytes())
            .sum()
    }

    /// Gives the cotangents of the points of `step` to `between` and to `flow`, the last point first; returns their number. Asked for
    /// from the last step to the first.
    pub(super) fn seed<F: FieldVjp<T, State = Y>, S: SchemeVjp<T, F>>(
        &mut self,
        field: &F,
        step: Step<T>,
        loss: &dyn Loss<T, Y>,
        between: &Between<'_, T, F>,
        mut flow: Option<&mut Flow<T, Y>>,
    ) -> usize {
        let before = self.points.len();
        while let Some(Value { index, t, theta, y, .. }) =
            self.points.pop_if(|point| point.step == step.index)
        {
            let Seeded { output, y_bar, ends, step: seeded } = &mut *between.0.borrow_mut();
            if seeded.replace(step.index).is_none() {
                for end in &mut *ends {
                    end.fill(T::ZERO);
                }
            }
            y_bar.fill(T::ZERO);
            loss.cotangent(index, t, &y, y_bar);
            if let Some(flow) = &mut flow {
                flow.read(field, t, &y, y_bar);
            }
            let (inner, part) = S::increment_between(step, theta);
            output.seed(field, inner, part, y_bar);
            let [start, end] = ends;
            support::add_scaled(start, T::ONE - theta, y_bar);
            support::add_scaled(end, theta, y_bar);
        }
        before - self.points.len()
    }
}

/// What takes back the steps in which save points lie.
/// (On the heap, as a solve has counted what it takes of the stack.)
pub(super) struct Between<'a, T: Real, F: FieldVjp<T>>(Box<RefCell<Seeded<'a, T, F>>>);

struct Seeded<'a, T: Real, F: FieldVjp<T>> {
    output: &'a mut (dyn DenseOutputVjp<T, F> + 'a),
    /// Scratch space for the cotangent of a value.
    y_bar: F::State,
    /// What the cotangents of the values mean for the read-outs at both ends of the step.
    ends: [F::State; 2],
    /// The number of the step that has cotangents of values.
    step: Option<u64>,
}

impl<'a, T: Real, F: FieldVjp<T>> Between<'a, T, F> {
    pub(super) fn new(output: &'a mut (dyn DenseOutputVjp<T, F> + 'a), y0: &F::State) -> Self {
        let [y_bar, start, end] = [y0, y0, y0].map(State::zeros_like);
        Self(Box::new(RefCell::new(Seeded { output, y_bar, ends: [start, end], step: None })))
    }

    /// Takes back a step that has cotangents of values; returns whether it has.
    pub(super) fn step_back<S: Scheme<T, F>, R>(
        &self,
        step: Step<T>,
        back: impl FnOnce(ReadVjp<'_, T, F>) -> R,
    ) -> Option<R> {
        let Seeded { output, step: seeded, ends: [start, end], .. } = &mut *self.0.borrow_mut();
        let seeded = seeded.take_if(|seeded| *seeded == step.index);
        let chord = if S::READS_BACK { start } else { end };
        seeded.map(|_| back(ReadVjp { output: *output, chord }))
    }

    /// Adds what the values of a step mean for the read-out at its start, or at its end, to the cotangents there.
    pub(super) fn add_to<S: SchemeVjp<T, F>>(
        &self,
        scheme: &S,
        at_end: bool,
        state: &S::State,
        adjoint: &mut Adjoint<S::Bar, F>,
    ) {
        let added = &self.0.borrow().ends[usize::from(at_end)];
        for Cotangent { state: bar, .. } in adjoint.each() {
            scheme.add_to_bar(state, bar, |_, bar| support::add(bar, [added]));
        }
    }
}

impl<T: Real, F: FieldVjp<T>> fmt::Debug for Between<'_, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Between").finish_non_exhaustive()
    }
}
