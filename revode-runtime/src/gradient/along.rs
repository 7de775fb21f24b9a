//! What a strategy that stores states goes along: the plain method, or a reversible pair.

use super::backward::differentiate;
use super::{Gradient, GradientStrategy, Keeper, Loss, Solve};
use crate::controller::{StepControl, Tolerance};
use crate::scheme::{Plain, SchemeVjp};
use crate::solution::Solution;
use crate::{FieldVjp, MethodVjp, Problem, Real, SolveError};

/// A strategy that stores states, whatever the scheme.
pub trait StateStore: Sized {
    /// What is kept.
    type Keeper<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>>: Keeper<T, F, S>;

    /// An empty keeper for a solve of `problem`, whose states may take `memory` bytes.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] names a setting that is out of range.
    fn keeper<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>>(
        &self,
        scheme: &S,
        problem: &Problem<T, F>,
        memory: Option<usize>,
    ) -> Result<Self::Keeper<T, F, S>, SolveError>;

    /// This strategy along the discrete solution of another one, such as
    /// [`Reversible::coupling(0.999)`](super::Reversible::coupling), instead of the plain method's: the
    /// same numbers by other means.
    fn along<P>(self, pairing: P) -> Along<Self, P> {
        Along { store: self, pairing }
    }
}

/// A strategy whose solution is that of a reversible pair.
pub trait Pairing<T: Real, F: FieldVjp<T>, M> {
    /// What the time loop advances.
    type Scheme: SchemeVjp<T, F>;

    /// The scheme over `method` for a solve of `problem`, under step-size control with this tolerance.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] names a setting that is out of range.
    fn scheme(
        &self,
        method: &M,
        problem: &Problem<T, F>,
        tolerance: Option<Tolerance>,
    ) -> Result<Self::Scheme, SolveError>;

    /// Runs with the scheme, and with another one where the error shows that it takes one.
    ///
    /// # Errors
    /// Those of the last run.
    fn run<R>(
        &self,
        scheme: Self::Scheme,
        run: impl Fn(&Self::Scheme) -> Result<R, SolveError>,
    ) -> Result<R, SolveError> {
        run(&scheme)
    }
}

/// A strategy that stores states, along the solution of another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Along<G, P> {
    store: G,
    pairing: P,
}

impl<T, F, M, C, G> GradientStrategy<T, F, M, C> for G
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F> + Clone,
    C: StepControl<T, F, Plain<M>>,
    G: StateStore,
{
    fn forward(&self, solve: &Solve<'_, T, F, M, C>) -> Result<Solution<T, F::State>, SolveError> {
        solve.along(&Plain(solve.method.clone()))
    }

    fn gradient(
        &self,
        solve: &Solve<'_, T, F, M, C>,
        loss: &impl Loss<T, F::State>,
    ) -> Result<Gradient<F, F::State, T>, SolveError> {
        let scheme = Plain(solve.method.clone());
        let keeper = self.keeper(&scheme, solve.problem, solve.memory)?;
        differentiate(solve, &scheme, keeper, loss)
    }
}

impl<T, F, M, C, G, P> GradientStrategy<T, F, M, C> for Along<G, P>
where
    T: Real,
    F: FieldVjp<T>,
    P: Pairing<T, F, M>,
    C: StepControl<T, F, P::Scheme>,
    G: StateStore,
{
    fn forward(&self, solve: &Solve<'_, T, F, M, C>) -> Result<Solution<T, F::State>, SolveError> {
        solve.with_pair(&self.pairing, |scheme| solve.along(scheme))
    }

    fn gradient(
        &self,
        solve: &Solve<'_, T, F, M, C>,
        loss: &impl Loss<T, F::State>,
    ) -> Result<Gradient<F, F::State, T>, SolveError> {
        solve.with_pair(&self.pairing, |scheme| {
            let keeper = self.store.keeper(scheme, solve.problem, solve.memory)?;
            differentiate(solve, scheme, keeper, loss)
        })
    }
}

impl<T: Real, F: FieldVjp<T>, M, C> Solve<'_, T, F, M, C> {
    /// Runs with the scheme of a pairing for this solve.
    pub(super) fn with_pair<P, R>(
        &self,
        pairing: &P,
        run: impl Fn(&P::Scheme) -> Result<R, SolveError>,
    ) -> Result<R, SolveError>
    where
        P: Pairing<T, F, M>,
        C: StepControl<T, F, P::Scheme>,
    {
        let tolerance = self.tolerance::<P::Scheme>();
        pairing.run(pairing.scheme(self.method, self.problem, tolerance)?, run)
    }
}
