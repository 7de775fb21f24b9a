//! The forward and the one backward pass of a gradient.

use super::{Backward, Gradient, Keeper, Loss, Solve, Way};
use crate::controller::StepControl;
use crate::field::find_parameter;
use crate::record::StepRecord;
use crate::save::SavePlan;
use crate::scheme::{SchemeVjp, Step};
use crate::solve::Observer;
use crate::{FieldVjp, Problem, Real, SolveError, State};

/// Differentiates the solve along `scheme`, whose states come back by `keeper`.
pub(super) fn differentiate<T, F, M, C, S, K>(
    solve: &Solve<'_, T, F, M, C>,
    scheme: &S,
    keeper: K,
    loss: &impl Loss<T, F::State>,
) -> Result<Gradient<F, F::State, T>, SolveError>
where
    T: Real,
    F: FieldVjp<T>,
    S: SchemeVjp<T, F>,
    C: StepControl<T, F, S>,
    K: Keeper<T, F, S>,
{
    let Solve { problem, plan, .. } = solve;
    let mut forward = Forward {
        scheme,
        loss,
        keeper,
        value: T::ZERO,
        record: StepRecord::new(),
        points: Points::new(plan),
        field: std::marker::PhantomData,
    };
    let (mut state, mut stats) = solve.time_loop(scheme).run(problem, plan, &mut forward)?;
    let Forward { mut keeper, value, record, mut points, .. } = forward;
    loss.finish(points.len)?;
    stats.bytes_kept =
        record.bytes() + points.bytes() + keeper.bytes() + scheme.state_bytes(&state);

    let Problem { field, y0, t1, .. } = problem;
    let pass = Backward { scheme, problem, record: &record };
    let mut work = scheme.vjp_work(field, y0);
    let mut bar = scheme.zero_bar(y0);
    let mut model_bar = field.zeros_like();
    let add_cotangent = |points: &mut Points, steps, t, state: &S::State, bar: &mut S::Bar| {
        if let Some(index) = points.next_at(steps) {
            scheme.add_to_bar(state, bar, |y, bar| loss.cotangent(index, t, y, bar));
        }
    };
    add_cotangent(&mut points, record.len(), *t1, &state, &mut bar);
    let mut next = record.len();
    while let Some(last) = next.checked_sub(1) {
        next = 0;
        for step in record.rev_from(last) {
            let way =
                keeper.step_back(&pass, step, &mut state, &mut bar, &mut model_bar, &mut work)?;
            if let Way::Again { last } = way {
                next = last + 1;
                points.rewind(last);
                break;
            }
            scheme.check_vjp(step, &state, &mut bar)?;
            add_cotangent(&mut points, step.index, step.t, &state, &mut bar);
        }
    }
    let (evaluations, vjps) = scheme.vjp_counts(&work);
    stats.evaluations += evaluations;
    stats.vjps = vjps;
    keeper.report(scheme, &mut stats);
    let found = Gradient { loss: value, y0: scheme.start_vjp(bar), model: model_bar, stats };
    check_finite(&found)?;
    Ok(found)
}

/// An error where the loss or a component of its gradient is infinite or NaN: the states are finite, but
/// cotangents can grow beyond the numbers of their precision.
fn check_finite<T: Real, F: FieldVjp<T>>(
    found: &Gradient<F, F::State, T>,
) -> Result<(), SolveError> {
    let error =
        |of: String, value: T| Err(SolveError::GradientNotFinite { of, value: value.to_f64() });
    if !found.loss.is_finite() {
        return error("the loss".into(), found.loss);
    }
    let y0 = found.y0.as_slice();
    if let Some(i) = y0.iter().position(|y| !y.is_finite()) {
        return error(
            format!("the gradient with respect to component {i} of the initial state"),
            y0[i],
        );
    }
    match find_parameter(&found.model, |x| !x.is_finite()) {
        Some((name, value)) => error(format!("the gradient with respect to {name}"), value),
        None => Ok(()),
    }
}

/// The forward pass: evaluates the loss, records the steps, lets the keeper keep.
struct Forward<'a, T, F, S, L, K> {
    scheme: &'a S,
    loss: &'a L,
    keeper: K,
    value: T,
    record: StepRecord<T>,
    points: Points,
    field: std::marker::PhantomData<F>,
}

impl<T, F, S, L, K> Observer<T, S::State> for Forward<'_, T, F, S, L, K>
where
    T: Real,
    F: FieldVjp<T>,
    S: SchemeVjp<T, F>,
    L: Loss<T, F::State>,
    K: Keeper<T, F, S>,
{
    fn saved(
        &mut self,
        index: usize,
        steps: u64,
        t: T,
        state: &S::State,
    ) -> Result<(), SolveError> {
        self.points.push(steps);
        self.value += self.loss.value(index, t, self.scheme.solution(state))?;
        Ok(())
    }

    #[inline]
    fn accepted(
        &mut self,
        step: Step<T>,
        before: &S::State,
        after: &S::State,
    ) -> Result<(), SolveError> {
        self.record.push(step.t, step.h);
        self.keeper.keep(self.scheme, step, before, after)
    }
}

/// After how many steps each save point was passed: a list, or nothing where every step has one.
#[derive(Debug)]
struct Points {
    list: Option<Vec<u64>>,
    /// Whether the start is a save point.
    start: bool,
    /// The number of points that were passed forward and not yet backward.
    len: usize,
}

impl Points {
    fn new<T>(plan: &SavePlan<T>) -> Self {
        Self { list: plan.len().map(Vec::with_capacity), start: plan.start, len: 0 }
    }

    fn push(&mut self, steps: u64) {
        if let Some(list) = &mut self.list {
            list.push(steps);
        }
        self.len += 1;
    }

    /// The save point that lies `steps` steps after the start, if there is one; asked for from the
    /// end to the start.
    #[inline]
    fn next_at(&mut self, steps: u64) -> Option<usize> {
        let last = self.len.checked_sub(1)?;
        if self.list.as_ref().is_some_and(|list| list[last] != steps) {
            return None;
        }
        self.len = last;
        Some(last)
    }

    /// Goes back to the point of the backward pass at which step number `last` comes next.
    fn rewind(&mut self, last: u64) {
        self.len = match &self.list {
            Some(list) => list.partition_point(|steps| *steps <= last),
            // Point i lies after i steps, or after i + 1 where the start is not saved.
            None => last as usize + usize::from(self.start),
        };
    }

    fn bytes(&self) -> usize {
        self.list.as_ref().map_or(0, |list| size_of_val(list.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::Points;
    use crate::SaveAt;

    #[test]
    fn save_points_come_back_again_after_a_rewind() {
        let lists: [(SaveAt, &[u64]); 3] = [
            (SaveAt::steps(), &[0, 1, 2, 3, 4]),
            (SaveAt::steps().without_start(), &[1, 2, 3, 4]),
            (SaveAt::every(0.5), &[0, 2, 4]),
        ];
        for (save, steps) in lists {
            let mut points = Points::new(&save.plan(0.0, 1.0).unwrap());
            for steps in steps {
                points.push(*steps);
            }
            let mut back = |from: u64, to: u64| -> Vec<usize> {
                if from < 4 {
                    points.rewind(from);
                }
                (to..=from).rev().filter_map(|steps| points.next_at(steps)).collect()
            };
            let all = back(4, 0);
            assert_eq!(all, (0..steps.len()).rev().collect::<Vec<_>>());
            // What lies at the end of step 2, number 3, has been passed when it is taken again.
            let again = back(2, 0);
            let expected = steps.iter().filter(|steps| **steps <= 2).count();
            assert_eq!(again, (0..expected).rev().collect::<Vec<_>>());
        }
    }
}
