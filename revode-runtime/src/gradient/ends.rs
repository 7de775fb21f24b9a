//! The derivatives of a loss with respect to the ends of the time span.

use super::Loss;
use super::forward::Traversed;
use crate::scheme::Scheme;
use crate::slices::dot;
use crate::{Action, FieldVjp, Problem, Real, Sides, State};

/// The derivative with respect to the start, where `y0_bar` is the cotangent of the initial state: from a later start the
/// same state moves less far. What the loss sees `at_start` itself does not move. The field is on
/// these `sides` of its jumps there.
pub(super) fn of_start<T: Real, F: FieldVjp<T>>(
    Problem { field, y0, t0, .. }: &Problem<T, F>,
    loss: &dyn Loss<T, F::State>,
    (sides, at_start): (Sides, bool),
    y0_bar: &F::State,
) -> T {
    let (mut seen, mut f) = (y0.zeros_like(), y0.zeros_like());
    if at_start {
        loss.cotangent(0, *t0, y0, &mut seen);
    }
    field.eval_on(sides, *t0, y0, &mut f);
    dot(&seen, &f) - dot(y0_bar, &f)
}

/// The derivative with respect to the end, which the `last` leg has come to: by what the loss sees there.
pub(super) fn of_end<T: Real, F: FieldVjp<T>, S: Scheme<T, F>, K>(
    Problem { field, y0, .. }: &Problem<T, F>,
    loss: &dyn Loss<T, F::State>,
    scheme: &S,
    last: &Traversed<T, F, S, K>,
) -> T {
    let is_end = last.events.last().is_none_or(|last| last.event.action != Action::End);
    let Some(index) = last.points.at(last.record.len()).filter(|_| is_end) else { return T::ZERO };
    let (mut seen, mut f) = (y0.zeros_like(), y0.zeros_like());
    let mut mean = y0.zeros_like();
    let y = scheme.read_out(&last.state, &mut mean);
    loss.cotangent(index, last.t1, y, &mut seen);
    field.eval_on(last.record.sides(), last.t1, y, &mut f);
    dot(&seen, &f) + loss.time_cotangent(index, last.t1, y)
}
