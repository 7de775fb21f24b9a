//! The solution between the ends of a Rosenbrock step, from its increments: no field is evaluated, whose values are large where
//! it is stiff.

use std::marker::PhantomData;

use super::Rosenbrock;
use super::stages::{RosenbrockStages, add_combination};
use crate::dense::{BoxedDenseOutput, DenseOutput};
use crate::slices::{update, zip};
use crate::{FieldJacobian, Real, State, Step};

/// The rows of the interpolant, summed for the step.
struct OfRosenbrock<S, R> {
    rows: Vec<S>,
    method: PhantomData<R>,
}

/// The dense output of the method `R`, for states like `u`.
pub fn of_rosenbrock<'a, R, T, F>(
    u: &F::State,
) -> BoxedDenseOutput<'a, T, F, RosenbrockStages<T, F::State, R>>
where
    R: Rosenbrock + 'a,
    T: Real,
    F: FieldJacobian<T>,
{
    let rows = R::H.iter().map(|_| u.zeros_like()).collect();
    Box::new(OfRosenbrock::<F::State, R> { rows, method: PhantomData })
}

impl<T, F, R> DenseOutput<T, F, RosenbrockStages<T, F::State, R>> for OfRosenbrock<F::State, R>
where
    T: Real,
    F: FieldJacobian<T>,
    R: Rosenbrock,
{
    fn degree(&self) -> usize {
        R::H.len() + 1
    }

    fn extend(
        &mut self,
        _: &F,
        _: Step<T>,
        _: [&F::State; 2],
        stages: &mut RosenbrockStages<T, F::State, R>,
    ) {
        for (row, weights) in self.rows.iter_mut().zip(R::H) {
            row.fill(T::ZERO);
            add_combination(row, weights, stages.increments());
        }
    }

    fn proceed(&mut self, _: &mut RosenbrockStages<T, F::State, R>) -> bool {
        false
    }

    fn value(
        &self,
        _: &F,
        _: Step<T>,
        theta: T,
        [u, y1]: [&F::State; 2],
        _: &RosenbrockStages<T, F::State, R>,
        y: &mut F::State,
    ) {
        zip(y.as_mut_slice(), [u.as_slice(), y1.as_slice()], |[u, y1]| u + theta * (y1 - u));
        let mut weight = theta * (T::ONE - theta);
        for row in &self.rows {
            update(y.as_mut_slice(), [row.as_slice()], |y, [row]| y + weight * row);
            weight *= theta;
        }
    }

    fn slope(
        &self,
        _: &F,
        step: Step<T>,
        theta: T,
        [u, y1]: [&F::State; 2],
        _: &RosenbrockStages<T, F::State, R>,
        dy: &mut F::State,
    ) {
        let h = step.h;
        zip(dy.as_mut_slice(), [u.as_slice(), y1.as_slice()], |[u, y1]| (y1 - u) / h);
        // `d/dθ (θ^{r+1} − θ^{r+2})`
        let mut power = T::ONE;
        for (r, row) in self.rows.iter().enumerate() {
            let [first, second] = [r + 1, r + 2].map(|r| T::from_f64(r as f64));
            let weight = power * (first - second * theta) / h;
            update(dy.as_mut_slice(), [row.as_slice()], |dy, [row]| dy + weight * row);
            power *= theta;
        }
    }
}
