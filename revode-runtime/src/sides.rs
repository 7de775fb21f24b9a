//! The sides of a field's jumps on which a solve evaluates it.
//!
//! Near a jump the stages of a step look across it, however short the step. So a leg of a solve evaluates the field on
//! given sides ([`VectorField::eval_on`]), which its steps carry ([`Step::sides`](crate::Step::sides)); the next leg begins
//! where a step has ended at a jump, on the other side.

use crate::slices::{largest, sign_of};
use crate::time::Found;
use crate::{Action, Real, Sides, SolveError, State, VectorField, support};

/// How often, 16 times longer each time, it is looked for where a solution goes that is at a jump, in at most so many
/// steps of Euler's method: with each a further derivative shows.
const LONGER: u32 = 5;
const MOST_EULER_STEPS: usize = 16;

/// The part of its size that a state changes by in the first of these steps, at most.
const SMALL: f64 = 1e-3;

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
    settled(field, [Sides::default(); 2], (t, y), (&[], false), span)
}

/// The sides beyond the jump that event `number` is; the same where it is none.
pub(crate) fn beyond<T: Real, F: VectorField<T>>(field: &F, sides: Sides, number: usize) -> Sides {
    match jumps(field).find(|(_, event)| *event == number) {
        Some((jump, _)) => sides.with(jump, -sides.sign::<T>(jump)),
        None => sides,
    }
}

/// The sides where events that have `happened` have led to the state `y` at `t`, from which the solution goes on in the
/// direction of the `span`; `before` they were others. They are taken anew where there is none, or the state was
/// `changed`, or the place of a jump has moved with another one. At a jump it is the side to which the field takes the
/// solution.
///
/// # Errors
/// [`SolveError::Chattering`] where the fields of both sides of a jump lead back to it.
pub(crate) fn settled<T: Real, F: VectorField<T>>(
    field: &F,
    [before, mut sides]: [Sides; 2],
    (t, y): (T, &F::State),
    (happened, changed): (&[Found], bool),
    span: T,
) -> Result<Sides, SolveError> {
    let mut at = Vec::new();
    for (jump, event) in jumps(field) {
        let g = field.trigger_on(sides, event, t, y);
        let stays = |found: &Found| found.number == event && found.stays(g.to_f64());
        let is_known = !changed && sides.sign::<T>(jump) != T::ZERO;
        if happened.iter().any(stays) || g == T::ZERO {
            at.push((jump, event));
        } else if !is_known || field.trigger_on(before, event, t, y) != g {
            sides = sides.with(jump, g);
        }
    }
    // One can tell where the solution goes that is at another one.
    while !at.is_empty() {
        let (count, mut failed) = (at.len(), None);
        at.retain(|of| match side_at(field, sides, *of, (t, y), span) {
            Ok(side) => {
                sides = sides.with(of.0, side);
                false
            }
            Err(error) => {
                failed = Some(error);
                true
            }
        });
        if let Some(error) = failed.filter(|_| at.len() == count) {
            return Err(error);
        }
    }
    Ok(sides)
}

/// The side, 1 or −1, to which the field takes the solution from a jump that it is at. Where each side leads away, or none,
/// it is the one that it has, or the positive one where it leads away.
// (On its own, as a solve has counted what it takes of the stack.)
#[inline(never)]
fn side_at<T: Real, F: VectorField<T>>(
    field: &F,
    sides: Sides,
    (jump, event): (usize, usize),
    (t, y): (T, &F::State),
    span: T,
) -> Result<T, SolveError> {
    let has: T = sides.sign(jump);
    let goes = |side| goes(field, sides.with(jump, side), event, (t, y), span);
    let (above, below) = (goes(T::ONE), goes(-T::ONE));
    if above < 0.0 && below > 0.0 {
        let event = field.event(event).to_string();
        return Err(SolveError::Chattering { event, t: t.to_f64() });
    }
    let leads_away = above > 0.0 && below < 0.0;
    Ok(if (leads_away || (above == 0.0 && below == 0.0)) && has != T::ZERO {
        has
    } else if above > 0.0 || (above == 0.0 && below > 0.0) {
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
    let (mut now, mut next, mut f) = (y.clone(), y.zeros_like(), y.zeros_like());
    field.eval_on(sides, t, y, &mut f);
    let first = f.clone();
    let (size, rate) = (largest(y.as_slice()), largest(f.as_slice()));
    let mut part = T::EPSILON.sqrt() * span.abs();
    if size * rate > 0.0 {
        part = part.min(T::from_f64(SMALL * size / rate));
    }
    part = part.max(T::from_f64(64.0) * T::EPSILON * t.abs());
    if span < T::ZERO {
        part = -part;
    }
    let g = field.trigger_on(sides, event, t, y);
    for _ in 0..LONGER {
        now.assign(y);
        let mut time = t;
        for i in 0..=y.len().min(MOST_EULER_STEPS) {
            if i == 0 {
                f.assign(&first);
            } else {
                field.eval_on(sides, time, &now, &mut f);
            }
            support::stage(&mut next, &now, [(part, &f)]);
            std::mem::swap(&mut now, &mut next);
            time += part;
            let sign = sign_of((field.trigger_on(sides, event, time, &now) - g).to_f64());
            if sign != 0.0 {
                return sign;
            }
        }
        part *= T::from_f64(16.0);
    }
    0.0
}
