//! The two halves of a step of a pair, undone and differentiated: one function for every pair.

use crate::reversible::Pair;
use crate::scheme::{Step, VjpWork};
use crate::{FieldVjp, MethodVjp, Parameters, Real, State};

/// A pair after a step, and how the two halves of the step are undone, the last one first.
pub(crate) trait Halves<T, S> {
    /// The solution.
    fn y(&self) -> &S;
    /// The companion.
    fn z(&self) -> &S;
    /// Undoes `z' = z − psi`.
    fn undo_z(&mut self, psi: &S);
    /// Undoes `y' = λ y + (1 − λ) z + psi`, `z` being known.
    fn undo_y(&mut self, psi: &S);
    /// Sees the cotangent of the parameters between the two halves.
    #[inline(always)]
    fn between(&mut self, _model_bar: &impl Parameters<T>)
    where
        T: Real,
    {
    }
}

/// Takes one step back in place, from the pair after the step to the pair before it, and pulls the
/// cotangents back with it. The increments that reverse the step are those that its VJP
/// differentiates, so that no field evaluation is made twice. `lambda` is `None` where it is 1.
#[inline(always)]
pub(crate) fn step_back<T, F, M>(
    method: &M,
    field: &F,
    step: Step<T>,
    lambda: Option<T>,
    halves: &mut impl Halves<T, F::State>,
    bar: &mut Pair<F::State>,
    model_bar: &mut F,
    work: &mut VjpWork<M::Taped, F::State>,
) where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F>,
{
    let Step { t, h, .. } = step;
    let end = t + h;
    let VjpWork { taped, psi, psi_bar } = work;

    // z' = z − Psi_{−h}(t + h, y')
    method.increment_taped(field, end, -h, halves.y(), taped, psi);
    halves.undo_z(psi);
    zip(psi_bar, [&bar.z], |[z_bar]| -z_bar);
    method.increment_vjp(field, end, -h, taped, psi_bar, &mut bar.y, model_bar);
    halves.between(model_bar);

    // y' = λ y + (1 − λ) z + Psi_h(t, z); bar.y is now what method.md calls w.
    method.increment_taped(field, t, h, halves.z(), taped, psi);
    halves.undo_y(psi);
    if let Some(lambda) = lambda {
        let mu = T::ONE - lambda;
        update(&mut bar.z, [&bar.y], |z_bar, [w]| z_bar + mu * w);
    }
    method.increment_vjp(field, t, h, taped, &bar.y, &mut bar.z, model_bar);
    if let Some(lambda) = lambda {
        bar.y.as_mut_slice().iter_mut().for_each(|w| *w = lambda * *w);
    }
}

/// A pair that is known before the step.
pub(crate) struct Known<'a, S> {
    pub(crate) pair: &'a mut Pair<S>,
    pub(crate) before: &'a Pair<S>,
}

impl<T: Real, S: State<T>> Halves<T, S> for Known<'_, S> {
    #[inline(always)]
    fn y(&self) -> &S {
        &self.pair.y
    }
    #[inline(always)]
    fn z(&self) -> &S {
        &self.pair.z
    }
    #[inline(always)]
    fn undo_z(&mut self, _: &S) {
        self.pair.z.assign(&self.before.z);
    }
    #[inline(always)]
    fn undo_y(&mut self, _: &S) {
        self.pair.y.assign(&self.before.y);
    }
}

/// The largest component.
pub(crate) fn largest<T: Real>(x: &[T]) -> f64 {
    x.iter().map(|x| x.abs().to_f64()).fold(0.0, f64::max)
}

/// The largest parameter.
pub(crate) fn largest_parameter<T: Real>(model: &impl Parameters<T>) -> f64 {
    model.slices().map(largest).fold(0.0, f64::max)
}

/// `out[i] = f([x[i] for x in inputs])`.
#[inline(always)]
pub(crate) fn zip<T: Real, S: State<T>, const M: usize>(
    out: &mut S,
    inputs: [&S; M],
    f: impl Fn([T; M]) -> T,
) {
    let n = out.len();
    let out = &mut out.as_mut_slice()[..n];
    let inputs = inputs.map(|x| &x.as_slice()[..n]);
    for i in 0..n {
        out[i] = f(inputs.map(|x| x[i]));
    }
}

/// `x[i] = f(x[i], [y[i] for y in inputs])`.
#[inline(always)]
pub(crate) fn update<T: Real, S: State<T>, const M: usize>(
    x: &mut S,
    inputs: [&S; M],
    f: impl Fn(T, [T; M]) -> T,
) {
    let n = x.len();
    let x = &mut x.as_mut_slice()[..n];
    let inputs = inputs.map(|y| &y.as_slice()[..n]);
    for i in 0..n {
        x[i] = f(x[i], inputs.map(|y| y[i]));
    }
}
