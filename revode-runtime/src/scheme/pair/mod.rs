//! The reversible pair: one wrapper over any method.
//!
//! ```text
//! y' = y ⊕ Psi_h(t, z)                 (1)
//! z' = z ⊖ Psi_{−h}(t + h, y')         (2)
//! ```
//!
//! McCallum and Foster, *Efficient, Accurate and Stable Gradients for Neural ODEs*, arXiv 2410.11648, section 3;
//! derivation in `docs/reversible.md`. An [`Arithmetic`] says what `⊕` and `⊖` are, how they are undone, and what is
//! done to the gap `y − z` after a step. The rest is here, once.

pub(crate) mod anchored;
mod arithmetic;
mod back;
pub(crate) mod coupled;
pub(crate) mod finer;
pub(crate) mod gap;
pub(crate) mod grid;
pub(crate) mod growth;
pub(crate) mod halved;
pub(crate) mod quanta;
#[cfg(test)]
mod roundtrip;

pub(crate) use arithmetic::Arithmetic;
pub(crate) use back::PairAdjoint;

use super::{Scheme, Work};
use crate::slices::zip;
use crate::stop::{Stop, Unfinished};
use crate::{Method, Real, Stability, State, Step, VectorField, support};

/// The solution `y` and its companion `z`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair<S> {
    /// The solution.
    pub(crate) y: S,
    /// The companion state.
    pub(crate) z: S,
}

impl<S> Pair<S> {
    /// A pair of zeros for states like `y0`.
    pub(crate) fn zeros_like<T: Real>(y0: &S) -> Self
    where
        S: State<T>,
    {
        Self { y: y0.zeros_like(), z: y0.zeros_like() }
    }

    /// Takes another pair's components without allocating.
    #[inline(always)]
    pub(crate) fn assign<T: Real>(&mut self, from: &Self)
    where
        S: State<T>,
    {
        self.y.assign(&from.y);
        self.z.assign(&from.z);
    }

    /// The VJP of `z ← y`, on cotangents: that of `z` goes to `y`.
    #[inline]
    pub(crate) fn join_vjp<T: Real>(&mut self)
    where
        S: State<T>,
    {
        support::add(&mut self.y, [&self.z]);
        self.z.fill(T::ZERO);
    }

    /// The VJP of closing the gap, `y, z ← (y + z)/2` or `z ← y`, on cotangents.
    #[inline]
    pub(crate) fn close_vjp<T: Real>(&mut self, to_mean: bool)
    where
        S: State<T>,
    {
        self.join_vjp();
        if to_mean {
            self.y.as_mut_slice().iter_mut().for_each(|bar| *bar *= T::from_f64(0.5));
            self.z.assign(&self.y);
        }
    }

    /// The gap `|y − z|` and the size of `y`, the largest component of each. The gap is infinite where one of both
    /// is not a number.
    #[inline(always)]
    pub(crate) fn gap_and_size<T: Real>(&self) -> (T, T)
    where
        S: State<T>,
    {
        let n = self.y.len();
        let (y, z) = (&self.y.as_slice()[..n], &self.z.as_slice()[..n]);
        let (mut gap, mut size) = (T::ZERO, T::ZERO);
        // Stays 0 unless a gap is infinite or NaN, which `max` would pass over.
        let mut zero = T::ZERO;
        for i in 0..n {
            gap = gap.max((y[i] - z[i]).abs());
            zero += T::ZERO * (y[i] - z[i]);
            size = size.max(y[i].abs());
        }
        (if zero == T::ZERO { gap } else { T::from_f64(f64::INFINITY) }, size)
    }
}

/// The pair over the method `M`. It has the method's order.
#[derive(Debug, Clone)]
pub struct PairScheme<M, A> {
    /// The method whose increments are used.
    pub(crate) method: M,
    /// How they are added and taken back.
    pub(crate) arithmetic: A,
}

impl<T, F, M, A> Scheme<T, F> for PairScheme<M, A>
where
    T: Real,
    F: VectorField<T>,
    M: Method<T, F>,
    A: Arithmetic<T, F::State>,
{
    type Method = M;
    type State = A::State;
    type Next = A::Next;
    const READS_BACK: bool = true;

    #[inline(always)]
    fn method(&self) -> &M {
        &self.method
    }
    fn stability(&self) -> Option<[f64; Stability::RAYS]> {
        Some(self.method.stability()?.pair)
    }
    fn start(&self, y0: &F::State) -> A::State {
        self.arithmetic.start(y0)
    }
    fn next(&self, y0: &F::State) -> A::Next {
        self.arithmetic.next(y0)
    }
    #[inline(always)]
    fn solution<'a>(&self, state: &'a A::State) -> &'a F::State {
        self.arithmetic.y(state)
    }
    #[inline]
    fn read_out<'a>(&self, state: &'a A::State, mean: &'a mut F::State) -> &'a F::State {
        let (y, z) = (self.arithmetic.y(state), self.arithmetic.z(state));
        if !self.reads_mean(state) {
            return y;
        }
        zip(mean.as_mut_slice(), [y.as_slice(), z.as_slice()], |[y, z]| mean_of(y, z));
        mean
    }
    #[inline(always)]
    fn origin<'a>(&self, state: &'a A::State) -> &'a F::State {
        self.arithmetic.z(state)
    }
    #[inline(always)]
    fn proposed<'a>(&self, next: &'a A::Next) -> &'a F::State {
        self.arithmetic.proposed(next)
    }
    #[inline]
    fn assign(&self, state: &mut A::State, from: &A::State) {
        self.arithmetic.assign(state, from);
    }
    fn state_bytes(&self, state: &A::State) -> usize {
        self.arithmetic.bytes(state)
    }
    #[inline(always)]
    fn propose(&self, step: Step<T>, state: &A::State, psi: &F::State, next: &mut A::Next) {
        self.arithmetic.add_y(step, state, psi, next);
    }
    #[inline(always)]
    fn finish(
        &self,
        field: &F,
        step: Step<T>,
        work: &mut Work<T, F, Self>,
    ) -> Result<(), Unfinished> {
        let Work { stages, psi, next } = work;
        self.arithmetic.check_y(step, next)?;
        let y = self.arithmetic.proposed(next);
        self.method.increment(field, step.reversed(), y, stages, psi)?;
        Ok(())
    }
    #[inline(always)]
    fn commit(&self, step: Step<T>, state: &mut A::State, work: &mut Work<T, F, Self>) {
        self.arithmetic.sub_z(step, state, &work.psi, &mut work.next);
    }
    #[inline(always)]
    fn close(
        &self,
        step: Step<T>,
        state: &mut A::State,
        work: &mut Work<T, F, Self>,
    ) -> Result<(), Stop> {
        self.arithmetic.close(step, self.method.order(), state, &work.next)
    }
}

/// `(y + z)/2`, which does not overflow for numbers that are near each other.
#[inline(always)]
pub(crate) fn mean_of<T: Real>(y: T, z: T) -> T {
    y + T::from_f64(0.5) * (z - y)
}

impl<M, A> PairScheme<M, A> {
    /// Whether the read-out is the mean of `y` and `z`.
    #[inline(always)]
    fn reads_mean<T, F>(&self, state: &A::State) -> bool
    where
        T: Real,
        F: VectorField<T>,
        M: Method<T, F>,
        A: Arithmetic<T, F::State>,
    {
        self.method.order() % 2 == 1 && self.arithmetic.reads_mean(state)
    }
}
