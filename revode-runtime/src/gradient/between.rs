//! Save points between the ends of steps, in a gradient: what is kept of them, and their way back.

use std::cell::RefCell;
use std::fmt;

use super::Loss;
use crate::{DenseOutputVjp, FieldVjp, Real, State, Step};

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

    /// Gives the cotangents of the points of `step` to `between`, the last point first; returns their number. Asked for
    /// from the last step to the first.
    pub(super) fn seed<F: FieldVjp<T, State = Y>>(
        &mut self,
        field: &F,
        step: Step<T>,
        loss: &dyn Loss<T, Y>,
        between: &Between<'_, T, F>,
    ) -> usize {
        let before = self.points.len();
        while let Some(Value { index, t, theta, y, .. }) =
            self.points.pop_if(|point| point.step == step.index)
        {
            let Seeded { output, y_bar, step: seeded } = &mut *between.0.borrow_mut();
            y_bar.fill(T::ZERO);
            loss.cotangent(index, t, &y, y_bar);
            output.seed(field, step, theta, y_bar);
            *seeded = Some(step.index);
        }
        before - self.points.len()
    }
}

/// What takes back the steps in which save points lie.
pub(super) struct Between<'a, T: Real, F: FieldVjp<T>>(RefCell<Seeded<'a, T, F>>);

struct Seeded<'a, T: Real, F: FieldVjp<T>> {
    output: &'a mut (dyn DenseOutputVjp<T, F> + 'a),
    /// Scratch space for the cotangent of a value.
    y_bar: F::State,
    /// The number of the step that has cotangents of values.
    step: Option<u64>,
}

impl<'a, T: Real, F: FieldVjp<T>> Between<'a, T, F> {
    pub(super) fn new(output: &'a mut (dyn DenseOutputVjp<T, F> + 'a), y0: &F::State) -> Self {
        Self(RefCell::new(Seeded { output, y_bar: y0.zeros_like(), step: None }))
    }

    /// Takes back a step that has cotangents of values; returns whether it has.
    pub(super) fn step_back<R>(
        &self,
        step: Step<T>,
        back: impl FnOnce(&mut dyn DenseOutputVjp<T, F>) -> R,
    ) -> Option<R> {
        let Seeded { output, step: seeded, .. } = &mut *self.0.borrow_mut();
        let seeded = seeded.take_if(|seeded| *seeded == step.index);
        seeded.map(|_| back(*output))
    }
}

impl<T: Real, F: FieldVjp<T>> fmt::Debug for Between<'_, T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Between").finish_non_exhaustive()
    }
}
