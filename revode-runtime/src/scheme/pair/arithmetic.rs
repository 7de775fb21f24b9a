//! How a pair adds its increments, how it takes them back, and what it does to its gap.

use super::Pair;
use super::growth::PairCotangent;
use crate::stop::Stop;
use crate::{Real, State, Step};

/// The arithmetic of a [`PairScheme`](super::PairScheme) over states `S`.
pub trait Arithmetic<T: Real, S: State<T>> {
    /// Whether the growth of the cotangents is [watched](Self::watch).
    const WATCHES: bool;

    /// The pair, and what belongs to it.
    type State: Clone;
    /// The proposed solution; after a step, the pair at its start as far as it matters.
    type Next;

    /// The pair that a solve starts from.
    fn start(&self, y0: &S) -> Self::State;
    /// Scratch space for a proposed solution.
    fn next(&self, y0: &S) -> Self::Next;
    /// The solution, in the field's precision.
    fn y<'a>(&self, state: &'a Self::State) -> &'a S;
    /// The companion, in the field's precision.
    fn z<'a>(&self, state: &'a Self::State) -> &'a S;
    /// The proposed solution, in the field's precision.
    fn proposed<'a>(&self, next: &'a Self::Next) -> &'a S;
    /// Takes another state's components without allocating.
    fn assign(&self, state: &mut Self::State, from: &Self::State);
    /// The memory that a stored state takes, in bytes.
    fn bytes(&self, state: &Self::State) -> usize;

    /// Whether the solution is read from the mean of `y` and `z` where the method's order `p` is odd: where `λ` is 1 the
    /// step is symmetric up to swapping its halves, the leading errors of `y` and `z` are opposite, and their mean has
    /// the order `p + 1` (`docs/guarded.md`).
    #[inline(always)]
    fn reads_mean(&self, state: &Self::State) -> bool {
        let _ = state;
        false
    }

    /// The coupling `λ` of line (1) for a step of size `h`; `None` where it is 1.
    #[inline(always)]
    fn lambda(&self, h: T) -> Option<T> {
        let _ = h;
        None
    }

    /// Writes `y' = λ y + (1 − λ) z ⊕ psi` to `next`.
    fn add_y(&self, step: Step<T>, state: &Self::State, psi: &S, next: &mut Self::Next);

    /// Checks the proposed solution.
    ///
    /// # Errors
    /// [`Stop`] where it is none to go on from.
    fn check_y(&self, step: Step<T>, next: &Self::Next) -> Result<(), Stop>;

    /// Sets `z' = z ⊖ psi`, and `y` to what is proposed.
    fn sub_z(&self, step: Step<T>, state: &mut Self::State, psi: &S, next: &mut Self::Next);

    /// Closes the gap where that is due: to the mean of `y` and `z` where the method's `order` is odd and the steps
    /// resolve the solution, to `y` otherwise. `last` is what [`sub_z`](Self::sub_z) left.
    ///
    /// # Errors
    /// [`Stop`] where the state is none to go on from.
    fn close(
        &self,
        step: Step<T>,
        order: u32,
        state: &mut Self::State,
        last: &Self::Next,
    ) -> Result<(), Stop>;

    /// Takes back what [`close`](Self::close) did to the state, which holds what was lost thereby; on the cotangents
    /// its VJP, on those of the embedded method too.
    #[inline(always)]
    fn reopen(
        &self,
        state: &mut Self::State,
        bar: &mut PairCotangent<S>,
        embedded: Option<&mut Pair<S>>,
    ) {
        let _ = (state, bar, embedded);
    }

    /// Undoes `z' = z ⊖ psi`.
    fn undo_z(&self, step: Step<T>, state: &mut Self::State, psi: &S);

    /// Undoes `y' = λ y + (1 − λ) z ⊕ psi`, `z` being that before the step.
    fn undo_y(&self, step: Step<T>, state: &mut Self::State, psi: &S);

    /// Counts what a loss has added to the cotangents, where their growth is watched.
    #[inline]
    fn count_cotangent(&self, state: &Self::State, bar: &mut PairCotangent<S>) {
        let _ = (state, bar);
    }

    /// Checks the cotangents that the reverse pass has come to with a step, whose start is `state`.
    ///
    /// # Errors
    /// [`Stop::Finding`] where the gradient would be wrong.
    #[inline(always)]
    fn watch(
        &self,
        step: Step<T>,
        state: &Self::State,
        bar: &mut PairCotangent<S>,
    ) -> Result<(), Stop> {
        let _ = (step, state, bar);
        Ok(())
    }
}
