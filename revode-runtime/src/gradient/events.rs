//! The way back over the events between two legs.
//!
//! An event happens at the time `τ` at which its trigger `g(τ, y⁻, θ)` is 0, and changes the state from `y⁻` to
//! `y⁺ = R(τ, y⁻, θ)`. Where `f⁻` and `f⁺` are the derivatives before and after it and `λ⁺` is the cotangent of `y⁺`, a
//! later `τ` changes the loss by
//!
//! ```text
//! τ̄ = λᵀ f⁻ + (∂R/∂τ)ᵀ λ⁺ − λ⁺ᵀ f⁺,    λ = (∂R/∂y)ᵀ λ⁺
//! ```
//!
//! and by the implicit function theorem `τ` changes by `−(∂g/∂y δy + ∂g/∂θ δθ) / ġ`, with `ġ = ∂g/∂t + ∂g/∂y f⁻`. So
//!
//! ```text
//! λ⁻ = λ − (∂g/∂y)ᵀ τ̄ / ġ,    θ̄ += (∂R/∂θ)ᵀ λ⁺ − (∂g/∂θ)ᵀ τ̄ / ġ
//! ```
//!
//! (Rozenvasser, *General sensitivity equations of discontinuous systems*, Automation and Remote Control 28 (1967); Chen,
//! Amos and Nickel, *Learning Neural Event Functions for Ordinary Differential Equations*, arXiv 2011.03902, appendix.)

use super::Loss;
use crate::scheme::{Adjoint, Cotangent};
use crate::slices::dot;
use crate::{Action, FieldVjp, Occurrence, Real, Sides, SolveError, State, Trigger, support};

/// A trigger that is further from 0 where its event happens jumps over it: beside what it changes by over a step at the
/// rate that it has there. Above what the closing of a pair's gap moves it by, which the tolerance of the steps bounds.
const NEAR: f64 = 0.01;

/// Takes cotangents back over events.
#[derive(Debug)]
pub(super) struct EventsVjp<F, S> {
    /// The derivatives before each of some events, and after the last one.
    f: Vec<S>,
    /// What triggers add to a cotangent.
    added: S,
    /// Scratch space for a cotangent of a state, and for one of the parameters.
    part: S,
    model: F,
    pub(super) evaluations: u64,
}

/// What the loss and the trigger say of an event.
struct Moved<T, S> {
    /// `ġ`.
    rate: T,
    /// The derivatives of the loss with respect to the time and to the state before.
    t_bar: T,
    bar: S,
}

impl<F, S> EventsVjp<F, S> {
    /// For a field and states like `y0`.
    pub(super) fn new<T: Real>(field: &F, y0: &S) -> Self
    where
        S: State<T>,
        F: FieldVjp<T, State = S>,
    {
        let (added, part) = (y0.zeros_like(), y0.zeros_like());
        Self { f: Vec::new(), added, part, model: field.zeros_like(), evaluations: 0 }
    }

    /// Takes the cotangents of the state after the events of one time to those of the state before, with what the loss
    /// says of them, and of the time `at_end` where the solve ends there, and adds to those of the parameters. The field is
    /// on these sides of its jumps before. They were located in the `solution` (of a pair of odd order another state than
    /// the one before them), by steps of this length.
    ///
    /// Each has a time of its own, by its trigger at the state before all of them: that of one that shares its trigger
    /// with another moves along, that of another one by itself.
    ///
    /// # Errors
    /// [`SolveError::EventNotSmooth`] where the time of an event has no derivative.
    pub(super) fn back<T: Real>(
        &mut self,
        field: &F,
        sides: Sides,
        (solution, step, occurred): (&S, T, &[Occurrence<T, S>]),
        (loss, at_end): (&dyn Loss<T, S>, T),
        adjoint: &mut Adjoint<S, F>,
    ) -> Result<(), SolveError>
    where
        S: State<T>,
        F: FieldVjp<T, State = S>,
    {
        let [first, ..] = occurred else { return Ok(()) };
        self.f.clear();
        let mut evaluate = |sides, t, y: &S| {
            let mut f = y.zeros_like();
            field.eval_on(sides, t, y, &mut f);
            self.f.push(f);
        };
        evaluate(sides, first.t, &first.before);
        for Occurrence { t, after, sides, .. } in occurred {
            evaluate(*sides, *t, after);
        }
        self.evaluations += self.f.len() as u64;
        let mut moved = Vec::with_capacity(occurred.len());
        for (i, occurrence) in occurred.iter().enumerate() {
            let mut bar = first.before.zeros_like();
            let t_bar = loss.event_cotangent(occurrence, &mut bar);
            let is_seen = t_bar != T::ZERO || bar.as_slice().iter().any(|x| *x != T::ZERO);
            // Nothing depends on the time of what is only noted, nor on that of a jump by nothing.
            let matters = match occurrence.event.action {
                Action::Note => false,
                Action::Switch => self.f[i].as_slice() != self.f[i + 1].as_slice(),
                Action::Reset | Action::End => true,
            };
            moved.push(if is_seen || matters {
                Some(Moved {
                    rate: self.rate(field, (sides, solution, step), occurrence, &first.before)?,
                    t_bar,
                    bar,
                })
            } else {
                None
            });
        }
        let Self { f, added, part, .. } = self;
        for Cotangent { state, model } in adjoint.each() {
            added.fill(T::ZERO);
            for (i, (occurrence, moved)) in occurred.iter().zip(&moved).enumerate().rev() {
                let Some(Moved { rate, t_bar, bar }) = moved else { continue };
                let Occurrence { number, event, t, before, .. } = occurrence;
                let mut t_bar = *t_bar;
                if event.action == Action::End {
                    t_bar += at_end;
                } else {
                    t_bar -= dot(state, &f[i + 1]);
                }
                if event.action == Action::Reset {
                    let by_time = field.reset_vjp(*number, *t, before, state, part, model);
                    t_bar += by_time.ok_or_else(|| no_vjp(occurrence))?;
                    state.assign(part);
                }
                support::add(state, [bar]);
                t_bar += dot(state, &f[i]);
                let by_time =
                    field.trigger_vjp(*number, *t, &first.before, -t_bar / *rate, part, model);
                by_time.ok_or_else(|| no_vjp(occurrence))?;
                support::add(added, [&*part]);
            }
            support::add(state, [&*added]);
        }
        Ok(())
    }

    /// `ġ`, the derivative of the trigger of an event along the solution that comes to the state `y` on these `sides`.
    fn rate<T: Real>(
        &mut self,
        field: &F,
        (sides, solution, step): (Sides, &S, T),
        occurrence: &Occurrence<T, S>,
        y: &S,
    ) -> Result<T, SolveError>
    where
        S: State<T>,
        F: FieldVjp<T, State = S>,
    {
        let Occurrence { number, t, event, .. } = occurrence;
        let Self { f, part: bar, model, .. } = self;
        let by_time = field.trigger_vjp(*number, *t, y, T::ONE, bar, model);
        let by_time = by_time.ok_or_else(|| no_vjp(occurrence))?;
        let rate = by_time + dot(bar, &f[0]);
        let size = by_time.abs() + sum_of_sizes(bar, &f[0]);
        // A rate that is left of terms that cancel but for rounding is none.
        let vanishes = rate.abs() <= T::from_f64(64.0) * T::EPSILON * size || !rate.is_finite();
        // The trigger is 0 there to the rounding of its terms and of time, or it jumps over 0.
        let terms = (by_time * *t).abs() + sum_of_sizes(bar, y);
        let terms = terms + size * t.abs();
        let near = T::from_f64(NEAR) * size * step + T::from_f64(64.0) * T::EPSILON * terms;
        let missed = field.trigger_on(sides, *number, *t, solution).abs();
        let jumps = event.trigger != Trigger::Time && missed > near;
        if vanishes || jumps {
            let (event, t) = (event.to_string(), t.to_f64());
            let rate = if jumps { f64::INFINITY } else { rate.to_f64() };
            return Err(SolveError::EventNotSmooth { event, t, rate });
        }
        Ok(rate)
    }
}

/// `Σ |a_i b_i|`
fn sum_of_sizes<T: Real, S: State<T>>(a: &S, b: &S) -> T {
    a.as_slice().iter().zip(b.as_slice()).map(|(a, b)| (*a * *b).abs()).sum()
}

/// The error of a field by hand whose events have no derivatives.
#[cold]
fn no_vjp<T, S>(occurrence: &Occurrence<T, S>) -> SolveError {
    let problem = format!(
        "event `{}` has no derivatives, because the field does not implement `FieldVjp::trigger_vjp` and `reset_vjp`",
        occurrence.event
    );
    SolveError::argument("field", problem)
}
