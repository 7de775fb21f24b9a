//! Reversible: the states come back by inverting the steps.

use super::{Backward, GradientStrategy, Keeper};
use crate::reversible::{Coupling, Pair, ReversiblePair};
use crate::scheme::{SchemeVjp, Step};
use crate::{FieldVjp, MethodVjp, Problem, Real, SolveError, State};

/// Gradients of the reversible pair in constant memory: each step is inverted, and the increments
/// that invert it are differentiated. McCallum and Foster, arXiv 2410.11648.
///
/// When the reversal has come to the start, its pair is compared with the known one: a reversal that
/// has lost its way is [`SolveError::NotReversed`], never a wrong gradient.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Reversible {
    coupling: Coupling,
}

impl Reversible {
    /// The published scheme with a constant `λ` in (0, 1], whose default is 0.999.
    pub fn coupling(lambda: f64) -> Self {
        Self { coupling: Coupling::Constant(lambda) }
    }
}

impl<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F> + Clone> GradientStrategy<T, F, M> for Reversible {
    type Scheme = ReversiblePair<M>;
    type Keeper = Reversal<T>;

    fn scheme(&self, method: &M) -> Result<Self::Scheme, SolveError> {
        ReversiblePair::new(method.clone(), self.coupling)
    }

    fn keeper(&self, _: &Self::Scheme, _: &Problem<T, F>) -> Result<Reversal<T>, SolveError> {
        Ok(Reversal { gap: T::ZERO })
    }
}

/// A reversal keeps nothing of the forward pass.
#[derive(Debug)]
pub struct Reversal<T> {
    /// The gap `‖y − z‖` at the end of the forward pass, for the error message.
    gap: T,
}

impl<T, F, M> Keeper<T, F, ReversiblePair<M>> for Reversal<T>
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F>,
{
    #[inline(always)]
    fn keep(
        &mut self,
        _: &ReversiblePair<M>,
        _: Step<T>,
        _: &Pair<F::State>,
        _: &mut Pair<F::State>,
    ) -> Result<(), SolveError> {
        Ok(())
    }

    #[inline]
    fn step_back(
        &mut self,
        pass: &Backward<'_, T, F, ReversiblePair<M>>,
        step: Step<T>,
        state: &mut Pair<F::State>,
        bar: &mut Pair<F::State>,
        model_bar: &mut F,
        work: &mut <ReversiblePair<M> as SchemeVjp<T, F>>::VjpWork,
    ) -> Result<(), SolveError> {
        if step.index + 1 == pass.record.len() {
            self.gap = distance(&state.z, &state.y);
        }
        pass.scheme.unstep_vjp(&pass.problem.field, step, state, bar, model_bar, work);
        Ok(())
    }

    fn finish(
        &self,
        pass: &Backward<'_, T, F, ReversiblePair<M>>,
        state: &Pair<F::State>,
    ) -> Result<(), SolveError> {
        let Problem { y0, t0, .. } = pass.problem;
        // Far above what a healthy reversal leaves, far below what a lost one does.
        let allowed = T::from_f64(1e-6).max(T::from_f64(32_768.0) * T::EPSILON);
        let error = distance(&state.y, y0).max(distance(&state.z, y0));
        if error <= allowed {
            return Ok(());
        }
        Err(SolveError::NotReversed {
            t: t0.to_f64(),
            error: error.to_f64(),
            allowed: allowed.to_f64(),
            gap: self.gap.to_f64(),
        })
    }

    fn bytes(&self) -> usize {
        0
    }

    fn evaluations(&self, _: &ReversiblePair<M>) -> u64 {
        0
    }
}

/// The largest component of `x − y` relative to `1 + |y|`; infinite where one is NaN.
fn distance<T: Real, S: State<T>>(x: &S, y: &S) -> T {
    let relative = |(x, y): (&T, &T)| {
        let distance = (*x - *y).abs() / (T::ONE + y.abs());
        if distance.is_finite() { distance } else { T::from_f64(f64::INFINITY) }
    };
    x.as_slice().iter().zip(y.as_slice()).map(relative).fold(T::ZERO, Real::max)
}
