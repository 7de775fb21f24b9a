//! Whether a cotangent is handed on as the solution is: what a missed jump of the field breaks.
//!
//! A solution that starts a little later on the way is the same solution: along it `λᵀ f`, the product of the cotangent
//! and the derivative, changes by the cotangent of time alone, `d(λᵀ f)/dt = λᵀ ∂f/∂t`. Steps that resolve the field keep
//! to that as they keep to the solution. Across a jump of the field, or a layer that no stage falls into, `λᵀ f` jumps with
//! `f` unless `λ` does too, which the adjoint of the stages cannot know: nor can the second cotangent, which goes through
//! the same stages. (`docs/gradient-error.md`.)

use super::fixed_jumps::FixedJumps;
use crate::scheme::{SchemeVjp, VjpWork};
use crate::{FieldVjp, Real, Sides, State, Step, VectorField};

/// A step is at most so long in units of the fastest mode: what a state that is off by so much is off by in the derivative.
const STIFFEST: f64 = 4.0;

/// What the state is off by in any case, in units of its rounding: at an equilibrium it wanders by some.
const ROUNDING: f64 = 16.0;

/// The products `λᵀ f` along the way back, and by how much they were not handed on.
#[derive(Debug)]
pub(super) struct Flow<T, S> {
    /// The derivatives at the state that the way back has come to, and at the companion state of a pair.
    f: S,
    f_z: S,
    /// Scratch space for that at a value within a step.
    f_read: S,
    /// The cotangent of the solution there.
    bar: S,
    here: Product,
    /// What the loss has added to the product within the step to be taken back.
    read: f64,
    /// The largest size of the product, and the sum of the sizes of what the loss has added.
    largest: f64,
    added: f64,
    /// How much it was to change by, over all steps.
    changes: f64,
    /// What was lost of it, in all and in one step at most, and where that starts.
    lost: f64,
    most: f64,
    pub(super) worst: f64,
    /// The largest reach of a cotangent, and that of all that the loss has added.
    reach: f64,
    reach_of_loss: f64,
    /// The size of the last steps: the largest one, halved with each step since. A step across a jump is much shorter
    /// than those beside it, which are what stability allows.
    h: f64,
    /// The largest of all steps.
    longest: f64,
    jumps: FixedJumps<T>,
    /// The sides of the field's jumps on which the solution is.
    pub(super) sides: Sides,
    pub(super) evaluations: u64,
}

/// The product of a cotangent and a derivative.
#[derive(Debug, Clone, Copy, Default)]
struct Product {
    /// `λᵀ f`.
    value: f64,
    /// `Σ |λ_i f_i|`.
    size: f64,
    /// `Σ |λ_i δ_i|`, where rounding puts the state off by `δ`.
    off: f64,
    /// `Σ |λ_i (y_i − z_i)|` of a pair, which wanders by its gap.
    gap: f64,
    /// `Σ |λ_i y_i|`: what the loss changes by where the state changes by a part of itself.
    reach: f64,
}

impl<T: Real, S: State<T>> Flow<T, S> {
    /// For states like `y0`.
    pub(super) fn new<F: VectorField<T, State = S>>(field: &F, y0: &S) -> Self {
        Self {
            f: y0.zeros_like(),
            f_z: y0.zeros_like(),
            f_read: y0.zeros_like(),
            bar: y0.zeros_like(),
            here: Product::default(),
            read: 0.0,
            largest: 0.0,
            added: 0.0,
            changes: 0.0,
            lost: 0.0,
            most: 0.0,
            worst: 0.0,
            reach: 0.0,
            reach_of_loss: 0.0,
            h: 0.0,
            longest: 0.0,
            jumps: FixedJumps::new(field),
            sides: Sides::default(),
            evaluations: 0,
        }
    }

    /// The way back begins in `state` at `t`; `bar` is the cotangent, with what the loss has added.
    pub(super) fn start<F, X>(
        &mut self,
        (scheme, field): (&X, &F),
        t: T,
        state: &X::State,
        bar: &X::Bar,
    ) where
        F: FieldVjp<T, State = S>,
        X: SchemeVjp<T, F>,
    {
        self.evaluate((scheme, field), t, state, scheme.companion_bar(bar).is_some(), None);
        self.jumps.one_is_in_step(field, (t, scheme.solution(state)));
        self.add(scheme, state, bar);
    }

    /// Takes the derivatives at `state`: that at the origin of the next step, where it is `known`, and of a `pair` that at
    /// the solution.
    #[inline]
    fn evaluate<F, X>(
        &mut self,
        (scheme, field): (&X, &F),
        t: T,
        state: &X::State,
        pair: bool,
        known: Option<&S>,
    ) where
        F: FieldVjp<T, State = S>,
        X: SchemeVjp<T, F>,
    {
        let at_origin = if pair {
            field.eval_on(self.sides, t, scheme.solution(state), &mut self.f);
            self.evaluations += 1;
            &mut self.f_z
        } else {
            &mut self.f
        };
        if let Some(f) = known {
            at_origin.assign(f);
        } else {
            field.eval_on(self.sides, t, scheme.origin(state), at_origin);
            self.evaluations += 1;
        }
    }

    /// The loss has added to the cotangent `bar` at `state`, to which the way back has come.
    pub(super) fn add<F, X>(&mut self, scheme: &X, state: &X::State, bar: &X::Bar)
    where
        F: FieldVjp<T, State = S>,
        X: SchemeVjp<T, F>,
    {
        let y = scheme.solution(state).as_slice();
        let parts = self.f.as_slice().iter().zip(y).zip(self.bar.as_slice());
        for (((f, y), before), bar) in parts.zip(scheme.solution_bar(bar)) {
            let added = (bar - *before).abs().to_f64();
            let (size, reach) = (added * f.abs().to_f64(), added * y.abs().to_f64());
            // (A derivative can be infinite at a state that no stage has seen.)
            self.added += if size.is_finite() { size } else { 0.0 };
            self.reach_of_loss += reach;
        }
        self.multiply(scheme, state, bar);
    }

    /// The loss has seen the value `y` at `t` within the step to be taken back, and has the cotangent `y_bar` there.
    pub(super) fn read<F: FieldVjp<T, State = S>>(&mut self, field: &F, t: T, y: &S, y_bar: &S) {
        field.eval_on(self.sides, t, y, &mut self.f_read);
        self.evaluations += 1;
        let parts = y_bar.as_slice().iter().zip(self.f_read.as_slice()).zip(y.as_slice());
        for ((bar, f), y) in parts {
            let [bar, f, y] = [*bar, *f, *y].map(Real::to_f64);
            self.read += bar * f;
            let size = (bar * f).abs();
            self.added += if size.is_finite() { size } else { 0.0 };
            self.reach_of_loss += (bar * y).abs();
        }
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
        // An increment starts from the origin, and has most often evaluated the field there.
        let pair = scheme.companion_bar(bar).is_some();
        self.evaluate((scheme, field), step.t, state, pair, work.f.as_ref());
        let end = self.here;
        self.multiply(scheme, state, bar);
        let (start, t_bar) = (self.here, work.t_bar.to_f64());
        let h = step.h.to_f64().abs();
        (self.h, self.longest) = (h.max(0.5 * self.h), h.max(self.longest));
        let read = std::mem::take(&mut self.read);
        let lost = (end.value + read - start.value - t_bar).abs();
        let rounding = STIFFEST / self.h * start.off.max(end.off);
        // A gap at one end only may be what a jump of the field has made of it.
        let gap = STIFFEST / self.longest * start.gap.min(end.gap);
        // What is infinite at one end, as the derivative of a root at 0, says nothing of what was missed between.
        let jumps = self.jumps.one_is_in_step(field, (step.t, scheme.solution(state)));
        if jumps || !lost.is_finite() {
            return;
        }
        self.changes += t_bar.abs();
        if lost > rounding + gap {
            self.lost += lost;
            if lost > self.most {
                (self.most, self.worst) = (lost, step.t.to_f64());
            }
        }
    }

    /// Takes the products of the cotangent `bar` at `state`, where the derivatives are known.
    #[inline]
    fn multiply<F, X>(&mut self, scheme: &X, state: &X::State, bar: &X::Bar)
    where
        F: FieldVjp<T, State = S>,
        X: SchemeVjp<T, F>,
    {
        let (y, z) = (scheme.solution(state).as_slice(), scheme.origin(state).as_slice());
        let (f, f_z) = (self.f.as_slice(), self.f_z.as_slice());
        let z_bar = scheme.companion_bar(bar);
        let Product { mut value, mut size, mut off, mut gap, mut reach } = Product::default();
        let sums = self.bar.as_mut_slice();
        for (i, (sum, bar)) in sums.iter_mut().zip(scheme.solution_bar(bar)).enumerate() {
            *sum = bar;
            let (f, y, z) = (f[i].to_f64(), y[i].to_f64(), z[i].to_f64());
            let (of_y, of_z) = z_bar.map_or((bar.to_f64(), 0.0), |z_bar| {
                ((bar - z_bar[i]).to_f64(), z_bar[i].to_f64())
            });
            let parts = (of_y * f, if of_z == 0.0 { 0.0 } else { of_z * f_z[i].to_f64() });
            value += parts.0 + parts.1;
            size += parts.0.abs() + parts.1.abs();
            reach += (bar.to_f64() * y).abs();
            let part = of_y.abs() + of_z.abs();
            off += part * ROUNDING * T::EPSILON.to_f64() * y.abs();
            gap += part * (y - z).abs();
        }
        self.here = Product { value, size, off, gap, reach };
        if size.is_finite() {
            self.largest = self.largest.max(size);
        }
        self.reach = self.reach.max(reach);
    }

    /// What was lost over all steps, relative to the product where that was largest, or to all that the loss has put in.
    ///
    /// Where the solution moves only as long as the loss has forgotten it, all of it is next to nothing: beside what the
    /// loss would change by if the solution moved by its size over the `span`.
    pub(super) fn lost(&self, span: T) -> f64 {
        let least = T::EPSILON.sqrt().to_f64() * self.reach / span.to_f64().abs();
        let size = self.largest.max(self.added).max(self.changes).max(least);
        if self.lost == 0.0 { 0.0 } else { self.lost / size }
    }

    /// How many times more the loss changes by where the state changes by a part of itself on the way than where the loss
    /// looks at it.
    pub(super) fn amplification(&self) -> f64 {
        if self.reach == 0.0 { 0.0 } else { self.reach / self.reach_of_loss }
    }
}
