//! The sides of a field's jumps on which a solve evaluates it.
//!
//! Near a jump the stages of a step look across it, however short the step. So a leg of a solve evaluates the field on
//! given sides ([`VectorField::eval_on`]), which its steps carry ([`Step::sides`](crate::Step::sides)); the next leg begins
//! where a step has ended at a jump, on the other side.

use crate::slices::sign_of;
use crate::time::Found;
use crate::{Action, Real, Sides, SolveError, State, VectorField, support};

/// The part of the span, and how often 16 times more of it, over which it is looked for where a solution goes that is at a
/// jump; in how many steps of Euler's method: with each a further derivative shows.
const TANGENT: f64 = 1e-6;
const LONGER: u32 = 5;
const EULER_STEPS: u32 = 3;

/// The numbers of the jumps, and of the events that they are.
fn jumps<T: Real, F: VectorField<T>>(field: &F) -> impl Iterator<Item = (usize, usize)> {
    let switches = |i: &usize| field.event(*i).action == Action::Switch;
    let count = if F::JUMPS { field.event_count() } else { 0 };
    (0..count).filter(switches).enumerate()
}

/// The sides where a solution starts in `y` at `t`, to go on for `span`.
///
/// # Errors
/// Those of [`settled`], and [`SolveError::InvalidArgument`] where there are more jumps than sides.
pub(crate) fn start<T: Real, F: VectorField<T>>(
    field: &F,
    t: T,
    y: &F::State,
    span: T,
) -> Result<Sides, SolveError> {
    let count = jumps(field).count();
    if count > Sides::MOST {
        let problem =
            format!("it has {count} jumps that it knows, and at most {} can be", Sides::MOST);
        return Err(SolveError::argument("field", problem));
    }
    settled(field, Sides::default(), (t, y), (&[], false), span)
}

/// The sides beyond the jump that event `number` is; the same where it is none.
pub(crate) fn beyond<T: Real, F: VectorField<T>>(field: &F, sides: Sides, number: usize) -> Sides {
    match jumps(field).find(|(_, event)| *event == number) {
        Some((jump, _)) => sides.with(jump, -sides.sign::<T>(jump)),
        None => sides,
    }
}

/// The sides where events that have `happened` have led to the state `y` at `t`, from which the solution goes on for
/// `span`: taken anew, but for those of the jumps that it has just crossed and stays at, unless the state was `changed`. At
/// another jump it is the side to which the field takes it.
///
/// # Errors
/// [`SolveError::Chattering`] where the fields of both sides of a jump lead back to it.
pub(crate) fn settled<T: Real, F: VectorField<T>>(
    field: &F,
    mut sides: Sides,
    (t, y): (T, &F::State),
    (happened, changed): (&[Found], bool),
    span: T,
) -> Result<Sides, SolveError> {
    // The place of a jump can move with those before it in the list.
    for (jump, event) in jumps(field) {
        let g = field.trigger_on(sides, event, t, y);
        let stays = |found: &Found| found.number == event && found.stays(g.to_f64());
        let stays = happened.iter().any(stays);
        if stays && !changed {
            continue;
        }
        sides = if stays || g == T::ZERO {
            sides.with(jump, side_at(field, sides, (jump, event), (t, y), span)?)
        } else {
            sides.with(jump, g)
        };
    }
    Ok(sides)
}

/// The side, 1 or −1, to which the field takes the solution from a jump that it is at; 0 where it stays there. Where each side
/// leads away it is the positive one.
fn side_at<T: Real, F: VectorField<T>>(
    field: &F,
    sides: Sides,
    (jump, event): (usize, usize),
    (t, y): (T, &F::State),
    span: T,
) -> Result<T, SolveError> {
    let goes = |side| goes(field, sides.with(jump, side), event, (t, y), span);
    let (above, below) = (goes(T::ONE), goes(-T::ONE));
    if above < 0.0 && below > 0.0 {
        return Err(SolveError::Chattering {
            event: field.event(event).to_string(),
            t: t.to_f64(),
        });
    }
    Ok(if above > 0.0 || (above == 0.0 && below > 0.0) {
        T::ONE
    } else if below < 0.0 || (below == 0.0 && above < 0.0) {
        -T::ONE
    } else {
        T::ZERO
    })
}

/// The sign of what the trigger of an event changes by from `y` at `t` on these sides; 0 where it stays as it is.
fn goes<T: Real, F: VectorField<T>>(
    field: &F,
    sides: Sides,
    event: usize,
    (t, y): (T, &F::State),
    span: T,
) -> f64 {
    let least = T::from_f64(64.0) * T::EPSILON * t.abs();
    let mut part = (T::from_f64(TANGENT) * span.abs()).max(least);
    if span < T::ZERO {
        part = -part;
    }
    let g = field.trigger_on(sides, event, t, y);
    let (mut now, mut next, mut f) = (y.clone(), y.zeros_like(), y.zeros_like());
    for _ in 0..LONGER {
        now.assign(y);
        let mut time = t;
        for _ in 0..EULER_STEPS {
            field.eval_on(sides, time, &now, &mut f);
            support::stage(&mut next, &now, [(part, &f)]);
            std::mem::swap(&mut now, &mut next);
            time += part;
        }
        let sign = sign_of((field.trigger_on(sides, event, time, &now) - g).to_f64());
        if sign != 0.0 {
            return sign;
        }
        part *= T::from_f64(16.0);
    }
    0.0
}
