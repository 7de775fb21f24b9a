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
use crate::{Action, FieldVjp, Occurrence, Real, SolveError, State, Trigger, support};

/// Takes cotangents back over events.
#[derive(Debug)]
pub(super) struct EventsVjp<F, S> {
    /// The derivatives before and after an event.
    f: S,
    f_after: S,
    /// Scratch space for cotangents of a state, and for one of the parameters.
    part: S,
    bar: S,
    model: F,
    pub(super) evaluations: u64,
}

impl<F, S> EventsVjp<F, S> {
    /// For a field and states like `y0`.
    pub(super) fn new<T: Real>(field: &F, y0: &S) -> Self
    where
        S: State<T>,
        F: FieldVjp<T, State = S>,
    {
        let zeros = || y0.zeros_like();
        let model = field.zeros_like();
        Self { f: zeros(), f_after: zeros(), part: zeros(), bar: zeros(), model, evaluations: 0 }
    }

    /// Takes the cotangents of the state after some events of one time to those of the state before, with what the loss
    /// says of them, and of the time `at_end` where the solve ends there, and adds to those of the parameters.
    ///
    /// # Errors
    /// [`SolveError::EventNotSmooth`] where the time of an event has no derivative.
    pub(super) fn back<T: Real>(
        &mut self,
        field: &F,
        occurred: &[Occurrence<T, S>],
        (loss, at_end): (&dyn Loss<T, S>, T),
        adjoint: &mut Adjoint<S, F>,
    ) -> Result<(), SolveError>
    where
        S: State<T>,
        F: FieldVjp<T, State = S>,
    {
        let mut rest = occurred;
        while let Some((last, before)) = rest.split_last() {
            // Events that are found at one time move together, with the first one of them.
            let found = |occurrence: &Occurrence<T, S>| occurrence.event.trigger != Trigger::Time;
            let together = before.iter().rev().take_while(|x| found(x) && found(last)).count();
            let (earlier, group) = rest.split_at(before.len() - together);
            self.back_over_one_time(field, group, (loss, at_end), adjoint)?;
            rest = earlier;
        }
        Ok(())
    }

    /// [`back`](Self::back) over events whose time is one.
    fn back_over_one_time<T: Real>(
        &mut self,
        field: &F,
        group: &[Occurrence<T, S>],
        (loss, at_end): (&dyn Loss<T, S>, T),
        adjoint: &mut Adjoint<S, F>,
    ) -> Result<(), SolveError>
    where
        S: State<T>,
        F: FieldVjp<T, State = S>,
    {
        let ([first, ..], [.., last]) = (group, group) else { return Ok(()) };
        // What the loss says of each.
        let mut of_loss = Vec::with_capacity(group.len());
        let mut is_moved = false;
        for occurrence in group {
            let mut bar = first.before.zeros_like();
            let t_bar = loss.event_cotangent(occurrence, &mut bar);
            let is_seen = t_bar != T::ZERO || bar.as_slice().iter().any(|x| *x != T::ZERO);
            is_moved |= is_seen || occurrence.event.action != Action::Note;
            of_loss.push((t_bar, bar));
        }
        // Nothing depends on the time of what is only noted.
        if !is_moved {
            return Ok(());
        }
        field.eval(first.t, &first.before, &mut self.f);
        field.eval(last.t, &last.after, &mut self.f_after);
        self.evaluations += 2;
        let rate = self.rate(field, first)?;
        for Cotangent { state, model } in adjoint.each() {
            let mut t_bar = T::ZERO;
            if last.event.action == Action::End {
                t_bar += at_end;
            } else {
                t_bar -= dot(state, &self.f_after);
            }
            for (occurrence, (t_bar_of_loss, bar)) in group.iter().zip(&of_loss).rev() {
                let Occurrence { number, event, t, before, .. } = occurrence;
                if event.action == Action::Reset {
                    let part = &mut self.part;
                    let by_time = field.reset_vjp(*number, *t, before, state, part, model);
                    t_bar += by_time.ok_or_else(|| no_vjp(occurrence))?;
                    state.assign(part);
                }
                support::add(state, [bar]);
                t_bar += *t_bar_of_loss;
            }
            t_bar += dot(state, &self.f);
            let Occurrence { number, t, before, .. } = first;
            let (bar, part) = (-t_bar / rate, &mut self.part);
            let by_time = field.trigger_vjp(*number, *t, before, bar, part, model);
            by_time.ok_or_else(|| no_vjp(first))?;
            support::add(state, [&*part]);
        }
        Ok(())
    }

    /// `ġ`, the derivative of the trigger along the solution before the event.
    fn rate<T: Real>(&mut self, field: &F, occurrence: &Occurrence<T, S>) -> Result<T, SolveError>
    where
        S: State<T>,
        F: FieldVjp<T, State = S>,
    {
        let Occurrence { number, t, before, .. } = occurrence;
        let (bar, model) = (&mut self.bar, &mut self.model);
        let by_time = field.trigger_vjp(*number, *t, before, T::ONE, bar, model);
        let by_time = by_time.ok_or_else(|| no_vjp(occurrence))?;
        let rate = by_time + dot(bar, &self.f);
        // A rate that is left of terms that cancel but for rounding is none.
        let terms = bar.as_slice().iter().zip(self.f.as_slice()).map(|(g, f)| (*g * *f).abs());
        let size = by_time.abs() + terms.sum::<T>();
        if rate.abs() <= T::from_f64(64.0) * T::EPSILON * size || !rate.is_finite() {
            let event = occurrence.event.to_string();
            return Err(SolveError::EventNotSmooth { event, t: t.to_f64(), rate: rate.to_f64() });
        }
        Ok(rate)
    }
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
