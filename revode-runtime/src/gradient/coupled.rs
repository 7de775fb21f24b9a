//! Strategies that store states work over any scheme: over the plain method, and over the pair.

use super::{GradientStrategy, Keeper};
use crate::reversible::{Coupling, ReversiblePair};
use crate::scheme::{Plain, SchemeVjp};
use crate::{FieldVjp, MethodVjp, Problem, Real, SolveError};

/// A strategy that stores states, whatever the scheme.
pub trait StateStore: Sized {
    /// What is kept.
    type Keeper<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>>: Keeper<T, F, S>;

    /// An empty keeper for a solve of `problem`.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] names a setting that is out of range.
    fn keeper<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>>(
        &self,
        scheme: &S,
        problem: &Problem<T, F>,
    ) -> Result<Self::Keeper<T, F, S>, SolveError>;

    /// This strategy over the reversible pair with a constant `λ` in (0, 1], instead of the plain
    /// method: the same discrete solution as [`Reversible::coupling`](super::Reversible::coupling).
    fn coupled(self, lambda: f64) -> Coupled<Self> {
        Coupled { store: self, coupling: Coupling::Constant(lambda) }
    }
}

/// A strategy that stores states, over the reversible pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Coupled<G> {
    store: G,
    coupling: Coupling,
}

impl<T, F, M, G> GradientStrategy<T, F, M> for G
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F> + Clone,
    G: StateStore,
{
    type Scheme = Plain<M>;
    type Keeper = G::Keeper<T, F, Plain<M>>;

    fn scheme(&self, method: &M) -> Result<Plain<M>, SolveError> {
        Ok(Plain(method.clone()))
    }
    fn keeper(
        &self,
        scheme: &Plain<M>,
        problem: &Problem<T, F>,
    ) -> Result<Self::Keeper, SolveError> {
        StateStore::keeper(self, scheme, problem)
    }
}

impl<T, F, M, G> GradientStrategy<T, F, M> for Coupled<G>
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F> + Clone,
    G: StateStore,
{
    type Scheme = ReversiblePair<M>;
    type Keeper = G::Keeper<T, F, ReversiblePair<M>>;

    fn scheme(&self, method: &M) -> Result<Self::Scheme, SolveError> {
        ReversiblePair::new(method.clone(), self.coupling)
    }
    fn keeper(
        &self,
        scheme: &Self::Scheme,
        problem: &Problem<T, F>,
    ) -> Result<Self::Keeper, SolveError> {
        self.store.keeper(scheme, problem)
    }
}
