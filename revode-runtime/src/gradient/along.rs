//! Strategies that store states, along whatever scheme: by default the plain method.

use super::Strategy;
use super::passes::Keeper;
use crate::control::Tolerance;
use crate::scheme::{Plain, SchemeVjp};
use crate::stop::Finding;
use crate::{FieldVjp, Leg, MethodVjp, Problem, Real, SolveError};

/// A strategy that stores states, whatever the scheme.
pub trait StateStore: Sized {
    /// What is kept.
    type Kept<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>>: Keeper<T, F, S>;

    /// An empty keeper for a leg of a solve.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] names a setting that is out of range.
    fn kept<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>>(
        &self,
        scheme: &S,
        leg: Leg<'_, T, F>,
    ) -> Result<Self::Kept<T, F, S>, SolveError>;

    /// This strategy along the discrete solution of another one, such as
    /// [`Reversible::coupling(0.999)`](super::Reversible::coupling), instead of the plain method's: the
    /// same numbers by other means.
    fn along<P: Strategy>(self, strategy: P) -> Along<Self, P> {
        Along { store: self, strategy }
    }
}

impl<G: StateStore> Strategy for G {
    type Scheme<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> = Plain<M>;
    type Keeper<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> = G::Kept<T, F, Plain<M>>;

    fn scheme<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        method: &M,
        _: &Problem<T, F>,
        _: Option<Tolerance>,
    ) -> Result<Plain<M>, SolveError> {
        Ok(Plain(method.clone()))
    }

    fn keeper<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        scheme: &Plain<M>,
        leg: Leg<'_, T, F>,
        _: Option<Tolerance>,
    ) -> Result<Self::Keeper<T, F, M>, SolveError> {
        self.kept(scheme, leg)
    }
}

/// A strategy that stores states, along the solution of another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Along<G, P> {
    store: G,
    strategy: P,
}

impl<G: StateStore, P: Strategy> Strategy for Along<G, P> {
    type Scheme<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> = P::Scheme<T, F, M>;
    type Keeper<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> = G::Kept<T, F, P::Scheme<T, F, M>>;

    fn scheme<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        method: &M,
        problem: &Problem<T, F>,
        tolerance: Option<Tolerance>,
    ) -> Result<Self::Scheme<T, F, M>, SolveError> {
        self.strategy.scheme(method, problem, tolerance)
    }

    fn keeper<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        scheme: &Self::Scheme<T, F, M>,
        leg: Leg<'_, T, F>,
        _: Option<Tolerance>,
    ) -> Result<Self::Keeper<T, F, M>, SolveError> {
        self.store.kept(scheme, leg)
    }

    fn revise<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        scheme: &mut Self::Scheme<T, F, M>,
        finding: &Finding,
    ) -> bool {
        self.strategy.revise(scheme, finding)
    }
}
