//! Whether a cotangent is handed on as the solution is: what a missed jump of the field breaks.
//!
//! A solution that starts a little later on the way is the same solution: along it `λᵀ f`, the product of the cotangent
//! and the derivative, changes by the cotangent of time alone, `d(λᵀ f)/dt = −λᵀ ∂f/∂t`. Steps that resolve the field keep
//! to that as they keep to the solution. Across a jump of the field, or a layer that no stage falls into, `λᵀ f` jumps with
//! `f` unless `λ` does too, which the adjoint of the stages cannot know: nor can the second cotangent, which goes through
//! the same stages. (`docs/gradient-error.md`.)

use crate::scheme::{SchemeVjp, VjpWork};
use crate::{FieldVjp, Real, State, Step, SwitchKind, VectorField};

/// A step is at most so long in units of the fastest mode: what a state that is off by so much is off by in the derivative.
const STIFFEST: f64 = 4.0;

/// What the state is off by in any case, in units of its rounding: at an equilibrium it wanders by some.
const ROUNDING: f64 = 16.0;

/// The products `λᵀ f` along the way back, and by how much they were not handed on.
#[derive(Debug)]
pub(super) struct Flow<T, S> {
    /// The derivative at the state that the way back has come to.
    f: S,
    here: Product,
    /// The largest size of the product.
    largest: f64,
    /// How much it was to change by, over all steps.
    changes: f64,
    /// What was lost of it.
    lost: f64,
    /// The largest reach of a cotangent, and that of the loss's own.
    reach: f64,
    reach_of_loss: f64,
    jumps: FixedJumps<T>,
    pub(super) evaluations: u64,
}

/// The product of a cotangent and a derivative.
#[derive(Debug, Clone, Copy, Default)]
struct Product {
    /// `λᵀ f`.
    value: f64,
    /// `Σ |λ_i f_i|`.
    size: f64,
    /// `Σ |λ_i δ_i|`, where the state is off by `δ`.
    off: f64,
    /// `Σ |λ_i y_i|`: what the loss changes by where the state changes by a part of itself.
    reach: f64,
}

impl<T: Real, S: State<T>> Flow<T, S> {
    /// At the end of a solve.
    pub(super) fn new<F: VectorField<T, State = S>>(field: &F, (t, y): (T, &S)) -> Self {
        let mut f = y.zeros_like();
        field.eval(t, y, &mut f);
        Self {
            f,
            here: Product::default(),
            largest: 0.0,
            changes: 0.0,
            lost: 0.0,
            reach: 0.0,
            reach_of_loss: 0.0,
            jumps: FixedJumps::new(field, (t, y)),
            evaluations: 1,
        }
    }

    /// The loss has added to the cotangent `bar` at `state`, to which the way back has come.
    pub(super) fn add<F, X>(&mut self, scheme: &X, state: &X::State, bar: &X::Bar)
    where
        F: FieldVjp<T, State = S>,
        X: SchemeVjp<T, F>,
    {
        let before = self.here.reach;
        self.here = Product::new(scheme, &self.f, state, bar);
        self.reach_of_loss += (self.here.reach - before).abs();
        self.keep_largest();
    }

    /// The way back has come through `step`, which has left the cotangent of its time in `work`, to `state` with the
    /// cotangent `bar`.
    #[inline]
    pub(super) fn step<F, X>(
        &mut self,
        (scheme, field): (&X, &F),
        step: Step<T>,
        work: &VjpWork<T, F, X::Method>,
        state: &X::State,
        bar: &X::Bar,
    ) where
        F: FieldVjp<T, State = S>,
        X: SchemeVjp<T, F>,
    {
        let y = scheme.solution(state);
        if let Some(f) = &work.f {
            self.f.assign(f);
        } else {
            field.eval(step.t, y, &mut self.f);
            self.evaluations += 1;
        }
        let end = self.here;
        self.here = Product::new(scheme, &self.f, state, bar);
        self.keep_largest();
        let (start, t_bar) = (self.here, work.t_bar.to_f64());
        self.changes += t_bar.abs();
        let lost = (end.value - start.value - t_bar).abs();
        let off = STIFFEST / step.h.to_f64().abs() * start.off.max(end.off);
        if !self.jumps.one_is_in_step(field, (step.t, y)) && lost > off {
            self.lost += lost;
        }
    }

    fn keep_largest(&mut self) {
        self.largest = self.largest.max(self.here.size);
        self.reach = self.reach.max(self.here.reach);
    }

    /// What was lost over all steps, relative to the product where that was largest.
    ///
    /// Where the solution moves only as long as the loss has forgotten it, all of it is next to nothing: beside what the
    /// loss would change by if the solution moved by its size over the `span`.
    pub(super) fn lost(&self, span: T) -> f64 {
        let least = T::EPSILON.sqrt().to_f64() * self.reach / span.to_f64().abs();
        if self.lost == 0.0 { 0.0 } else { self.lost / self.largest.max(self.changes).max(least) }
    }

    /// How many times more the loss changes by where the state changes by a part of itself on the way than where it does
    /// at the end.
    pub(super) fn amplification(&self) -> f64 {
        if self.reach == 0.0 { 0.0 } else { self.reach / self.reach_of_loss }
    }
}

impl Product {
    #[inline]
    fn new<T, F, X>(scheme: &X, f: &F::State, state: &X::State, bar: &X::Bar) -> Self
    where
        T: Real,
        F: FieldVjp<T>,
        X: SchemeVjp<T, F>,
    {
        let (y, z) = (scheme.solution(state).as_slice(), scheme.origin(state).as_slice());
        let mut product = Self::default();
        for (((f, y), z), bar) in f.as_slice().iter().zip(y).zip(z).zip(scheme.solution_bar(bar)) {
            let part = (*f * bar).to_f64();
            product.value += part;
            product.size += part.abs();
            product.reach += (*y * bar).abs().to_f64();
            // Of a pair the cotangent belongs to states that differ by the gap.
            let rounding = T::from_f64(ROUNDING) * T::EPSILON * y.abs();
            product.off += (bar.abs() * ((*y - *z).abs() + rounding)).to_f64();
        }
        product
    }
}

/// The jumps of the field at times that nothing moves: there `λ` is right as it is, and `λᵀ f` jumps with `f`.
#[derive(Debug)]
struct FixedJumps<T> {
    /// Which switching functions they belong to.
    indices: Vec<usize>,
    /// The values of all switching functions at the state to which the way back has come.
    values: Vec<T>,
    /// Which of those were positive.
    positive: Vec<bool>,
}

impl<T: Real> FixedJumps<T> {
    fn new<F: VectorField<T>>(field: &F, (t, y): (T, &F::State)) -> Self {
        let fixed = |i: &usize| field.switch(*i).kind == SwitchKind::Jump { moves: false };
        let indices: Vec<_> = (0..field.switch_count()).filter(fixed).collect();
        let values = vec![T::ZERO; if indices.is_empty() { 0 } else { field.switch_count() }];
        let positive = vec![false; indices.len()];
        let mut jumps = Self { indices, values, positive };
        jumps.one_is_in_step(field, (t, y));
        jumps
    }

    /// Whether there is one between the state to which the way back had come and `y` at `t`, to which it comes now.
    #[inline]
    fn one_is_in_step<F: VectorField<T>>(&mut self, field: &F, (t, y): (T, &F::State)) -> bool {
        if self.indices.is_empty() {
            return false;
        }
        field.switches(t, y, &mut self.values);
        let mut one = false;
        for (index, positive) in self.indices.iter().zip(&mut self.positive) {
            let now = self.values[*index] > T::ZERO;
            one |= now != *positive;
            *positive = now;
        }
        one
    }
}
