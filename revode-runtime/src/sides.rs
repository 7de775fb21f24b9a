//! The sides of a field's jumps on which a solve evaluates it.
//!
//! Near a jump the stages of a step look across it, however short the step. So a leg of a solve evaluates the field on
//! given sides ([`VectorField::eval_on`]), which its steps carry ([`Step::sides`](crate::Step::sides)); the next leg begins
//! where a step has ended at a jump, on the other side.

use crate::time::Found;
use crate::{Action, Real, Sides, State, VectorField, support};

/// The part of the span over which the tangent tells to which side a solution goes that is at a jump.
const TANGENT: f64 = 1e-6;

/// The numbers of the jumps, and of the events that they are.
fn jumps<T: Real, F: VectorField<T>>(field: &F) -> impl Iterator<Item = (usize, usize)> {
    let switches = |i: &usize| field.event(*i).action == Action::Switch;
    let count = if F::JUMPS { field.event_count() } else { 0 };
    (0..count).filter(switches).enumerate()
}

/// The sides where a solution starts in `y` at `t`, to go on for `span`.
pub(crate) fn start<T: Real, F: VectorField<T>>(field: &F, t: T, y: &F::State, span: T) -> Sides {
    settled(field, Sides::default(), (t, y), (&[], span))
}

/// The sides beyond the jump that event `number` is; the same where it is none.
pub(crate) fn beyond<T: Real, F: VectorField<T>>(field: &F, sides: Sides, number: usize) -> Sides {
    match jumps(field).find(|(_, event)| *event == number) {
        Some((jump, _)) => sides.with(jump, -sides.sign::<T>(jump)),
        None => sides,
    }
}

/// The sides where events that have `happened` have led to the state `y` at `t`, from which the solution goes on for
/// `span`: taken anew, but for those of the jumps that it has just crossed and stays at. At another jump it is the side to
/// which the field takes it.
pub(crate) fn settled<T: Real, F: VectorField<T>>(
    field: &F,
    mut sides: Sides,
    (t, y): (T, &F::State),
    (happened, span): (&[Found], T),
) -> Sides {
    let mut at = Vec::new();
    // The place of a jump can move with those before it in the list.
    for (jump, event) in jumps(field) {
        let g = field.trigger_on(sides, event, t, y);
        if happened.iter().any(|found| found.number == event && found.stays(g.to_f64())) {
            continue;
        }
        sides = sides.with(jump, g);
        if g == T::ZERO {
            at.push((jump, event));
        }
    }
    if !at.is_empty() {
        let (mut f, mut after) = (y.zeros_like(), y.zeros_like());
        field.eval_on(sides, t, y, &mut f);
        let part = T::from_f64(TANGENT) * span;
        support::stage(&mut after, y, [(part, &f)]);
        for (jump, event) in at {
            sides = sides.with(jump, field.trigger_on(sides, event, t + part, &after));
        }
    }
    sides
}
