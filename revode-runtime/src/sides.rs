//! The sides of a field's jumps on which a solve evaluates it.
//!
//! Near a jump the stages of a step look across it, however short the step. So a leg of a solve evaluates the field on
//! given sides ([`VectorField::eval_on`]), which its steps carry ([`Step::sides`](crate::Step::sides)); the next leg begins
//! where a step has ended at a jump, on the other side.

use crate::{Action, Real, Sides, State, VectorField, support};

/// The part of the span over which the tangent tells to which side a solution goes that starts at a jump.
const TANGENT: f64 = 1e-6;

/// What is a little later, in units of the rounding of time.
const LATER: f64 = 64.0;

/// The numbers of the jumps, and of the events that they are.
fn jumps<T: Real, F: VectorField<T>>(field: &F) -> impl Iterator<Item = (usize, usize)> {
    let switches = |i: &usize| field.event(*i).action == Action::Switch;
    let count = if F::JUMPS { field.event_count() } else { 0 };
    (0..count).filter(switches).enumerate()
}

/// The sides where a solution starts in `y` at `t`, to go on for `span`. At a jump itself that is the side to which the
/// field takes it.
pub(crate) fn start<T: Real, F: VectorField<T>>(field: &F, t: T, y: &F::State, span: T) -> Sides {
    let mut sides = Sides::default();
    for (jump, event) in jumps(field) {
        sides = sides.with(jump, field.trigger(event, t, y));
    }
    let is_at = |jump: usize| sides.sign::<T>(jump) == T::ZERO;
    let at: Vec<_> = jumps(field).filter(|(jump, _)| is_at(*jump)).collect();
    if !at.is_empty() {
        let (mut f, mut after) = (y.zeros_like(), y.zeros_like());
        field.eval_on(sides, t, y, &mut f);
        let part = T::from_f64(TANGENT) * span;
        support::stage(&mut after, y, [(part, &f)]);
        for (jump, event) in at {
            sides = sides.with(jump, field.trigger(event, t + part, &after));
        }
    }
    sides
}

/// The sides beyond the jump that event `number` is; the same where it is none.
pub(crate) fn beyond<T: Real, F: VectorField<T>>(field: &F, sides: Sides, number: usize) -> Sides {
    match jumps(field).find(|(_, event)| *event == number) {
        Some((jump, _)) => sides.with(jump, -sides.sign::<T>(jump)),
        None => sides,
    }
}

/// The sides where events have led to the state `y`: taken anew, but for those of the jumps `at` which the solution is. A
/// place can move with another jump, which it sees from `beyond` its own place only: it is looked at a little later.
pub(crate) fn settled<T: Real, F: VectorField<T>>(
    field: &F,
    mut sides: Sides,
    (t, y): (T, &F::State),
    (at, span): (&[usize], T),
) -> Sides {
    if !F::JUMPS {
        return sides;
    }
    let later = T::from_f64(LATER) * (T::EPSILON * t.abs()).max(T::EPSILON * span.abs());
    let later = if span < T::ZERO { -later } else { later };
    let (mut f, mut after) = (y.zeros_like(), y.zeros_like());
    field.eval_on(sides, t, y, &mut f);
    support::stage(&mut after, y, [(later, &f)]);
    for (jump, event) in jumps(field) {
        let g = field.trigger(event, t + later, &after);
        if g != T::ZERO && !at.contains(&event) {
            sides = sides.with(jump, g);
        }
    }
    sides
}
