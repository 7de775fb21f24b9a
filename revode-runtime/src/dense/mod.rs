//! Dense output: the solution between the ends of the steps that are taken, whatever the method.
//!
//! A [`DenseOutput`] is what the time loop reads save points from that it does not land on. It is an object, made for
//! solves that ask for it: so no bound of generic code speaks of interpolants, every method has one, and the loop of all
//! other solves is compiled as if there were none.

mod hermite;
mod store;
mod vjp;

pub(crate) use hermite::CubicHermite;
pub(crate) use store::{Dense, Gauss};
pub(crate) use vjp::cubic_hermite_vjp;
pub use vjp::{Bars, BoxedDenseOutputVjp, DenseOutputVjp, of_interpolant_vjp};

use crate::{Interpolant, Real, Step, Tableau, VectorField};

/// The solution between the ends of a step, with the scratch space that it takes: [`Method::dense_output`] makes one.
///
/// The two `ends` of a step are the states that it starts from and leads to. `theta` lies between 0, its start, and 1,
/// its end. Those that a value is asked for with may lie elsewhere than those that the step was extended with, by the same
/// vector: then the value must lie elsewhere by that vector too. (Along a pair they do.)
///
/// [`Method::dense_output`]: crate::Method::dense_output
pub trait DenseOutput<T: Real, F: VectorField<T>, Stages> {
    /// The degree of the polynomial in `theta`, at least 1.
    fn degree(&self) -> usize;

    /// Evaluates what values between the ends need beyond the increment, the last one taken into `stages`; once a step,
    /// and only where such values are wanted.
    fn extend(&mut self, field: &F, step: Step<T>, ends: [&F::State; 2], stages: &mut Stages);

    /// Promises that the next increment starts where the step that was [extended](Self::extend) last ended, of which no
    /// value can be had afterwards. Returns whether this has told the `stages` so; where it has not,
    /// [`Method::proceed`](crate::Method::proceed) is to.
    fn proceed(&mut self, stages: &mut Stages) -> bool;

    /// Writes `y(t + theta h)` to `y`. After [`extend`](Self::extend).
    fn value(
        &self,
        field: &F,
        step: Step<T>,
        theta: T,
        ends: [&F::State; 2],
        stages: &Stages,
        y: &mut F::State,
    );

    /// Writes the derivative `y'(t + theta h)` with respect to time to `dy`. After [`extend`](Self::extend).
    fn slope(
        &self,
        field: &F,
        step: Step<T>,
        theta: T,
        ends: [&F::State; 2],
        stages: &Stages,
        dy: &mut F::State,
    );

    /// The field evaluations so far that `stages` has not counted.
    fn evaluations(&self) -> u64 {
        0
    }
}

/// A dense output with the stages `Stages`.
pub type BoxedDenseOutput<'a, T, F, Stages> = Box<dyn DenseOutput<T, F, Stages> + 'a>;

/// The dense output that a method's interpolant is.
struct OfInterpolant<'a, M, Extra> {
    method: &'a M,
    extra: Extra,
    degree: usize,
}

/// The dense output of a method that `#[tableau]` declares.
#[inline(never)]
pub fn of_interpolant<'a, T, F, M>(
    method: &'a M,
    field: &F,
    u: &F::State,
) -> BoxedDenseOutput<'a, T, F, M::Stages>
where
    T: Real,
    F: VectorField<T>,
    M: Interpolant<T, F, Extra: 'a> + Tableau,
{
    let degree = M::INTERPOLANT.b.iter().map(|row| row.len()).max().unwrap_or(0).max(1);
    Box::new(OfInterpolant { method, extra: method.extra(field, u), degree })
}

impl<T, F, M> DenseOutput<T, F, M::Stages> for OfInterpolant<'_, M, M::Extra>
where
    T: Real,
    F: VectorField<T>,
    M: Interpolant<T, F>,
{
    fn degree(&self) -> usize {
        self.degree
    }
    fn extend(&mut self, field: &F, step: Step<T>, [u, _]: [&F::State; 2], stages: &mut M::Stages) {
        self.method.extend(field, step, u, stages, &mut self.extra);
    }
    fn proceed(&mut self, stages: &mut M::Stages) -> bool {
        self.method.proceed_extended(stages, &mut self.extra);
        true
    }
    fn value(
        &self,
        field: &F,
        step: Step<T>,
        theta: T,
        [u, _]: [&F::State; 2],
        stages: &M::Stages,
        y: &mut F::State,
    ) {
        self.method.interpolate(field, step, theta, u, stages, &self.extra, y);
    }
    fn slope(
        &self,
        field: &F,
        _: Step<T>,
        theta: T,
        _: [&F::State; 2],
        stages: &M::Stages,
        dy: &mut F::State,
    ) {
        self.method.derivative(field, theta, stages, &self.extra, dy);
    }
}
