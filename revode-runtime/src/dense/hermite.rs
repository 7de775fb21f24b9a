//! Cubic Hermite: the dense output of a method that brings none.

use super::DenseOutput;
use crate::slices::zip;
use crate::{Real, State, Step, VectorField};

/// The cubic that has the states and the derivatives of both ends: Hairer, Nørsett and Wanner, *Solving Ordinary
/// Differential Equations I*, equation (II.6.7). Of order 3, or that of the method where that is less.
///
/// It takes nothing from the method but the ends of its steps. The derivative at an end is evaluated once: that of the next
/// step's start is the same.
pub(crate) struct CubicHermite<T, S> {
    /// The derivatives at the start and at the end.
    slopes: [S; 2],
    /// The number of the step that was extended last, and where it ends.
    last: Option<(u64, T)>,
    evaluations: u64,
}

impl<T: Real, S: State<T>> CubicHermite<T, S> {
    /// For states like `u`.
    pub(crate) fn new(u: &S) -> Self {
        Self { slopes: [u.zeros_like(), u.zeros_like()], last: None, evaluations: 0 }
    }
}

impl<T: Real, F: VectorField<T>, Stages> DenseOutput<T, F, Stages> for CubicHermite<T, F::State> {
    fn degree(&self) -> usize {
        3
    }

    fn extend(&mut self, field: &F, step: Step<T>, [u, y]: [&F::State; 2], _: &mut Stages) {
        let [start, end] = &mut self.slopes;
        if self.last.is_some_and(|(index, t)| (index + 1, t) == (step.index, step.t)) {
            std::mem::swap(start, end);
        } else {
            field.eval_on(step.sides, step.t, u, start);
            self.evaluations += 1;
        }
        field.eval_on(step.sides, step.end, y, end);
        self.evaluations += 1;
        self.last = Some((step.index, step.end));
    }

    fn proceed(&mut self, _: &mut Stages) -> bool {
        false
    }

    fn value(
        &self,
        _: &F,
        step: Step<T>,
        theta: T,
        [u, y1]: [&F::State; 2],
        _: &Stages,
        y: &mut F::State,
    ) {
        let [start, end] = self.slopes.each_ref().map(State::as_slice);
        let (h, rest) = (step.h, T::ONE - theta);
        zip(y.as_mut_slice(), [u.as_slice(), y1.as_slice(), start, end], |[u, y1, start, end]| {
            let psi = y1 - u;
            let bent = (theta - rest) * psi + h * (rest * start - theta * end);
            u + (theta * psi + theta * rest * bent)
        });
    }

    fn slope(
        &self,
        _: &F,
        step: Step<T>,
        theta: T,
        [u, y1]: [&F::State; 2],
        _: &Stages,
        dy: &mut F::State,
    ) {
        let [start, end] = self.slopes.each_ref().map(State::as_slice);
        let (h, rest) = (step.h, T::ONE - theta);
        zip(dy.as_mut_slice(), [u.as_slice(), y1.as_slice(), start, end], |[u, y1, start, end]| {
            let mean = (y1 - u) / h;
            let bent = (theta - rest) * mean + rest * start - theta * end;
            let change = mean + mean - start - end;
            mean + ((rest - theta) * bent + theta * rest * change)
        });
    }

    fn evaluations(&self) -> u64 {
        self.evaluations
    }
}
