//! Exact: reversal on an integer grid, to the last bit.

use super::backward::differentiate;
use super::{Backward, Gradient, GradientStrategy, Keeper, Loss, Pairing, Solve, Way};
use crate::bits::BitStack;
use crate::controller::{StepControl, Tolerance};
use crate::exact::{ExactPair, GridState};
use crate::parasitic::{PairBar, fewer_steps};
use crate::quanta::{self, Quanta};
use crate::reversible::Pair;
use crate::scheme::{Scheme, Step, VjpWork};
use crate::solution::Solution;
use crate::{FieldVjp, MethodVjp, Problem, Real, SolveError, State, Stats};

/// How often the solve is run again on a coarser grid; sizes that are learned take a few runs each.
const RUNS: u32 = 200;

/// Gradients by a reversal that is exact to the last bit, at any horizon, for dissipative problems too.
///
/// The pair is advanced on an integer grid ([`ExactPair`]). What dissipation loses, `κ T / ln 2` bits a
/// component where the field contracts at the rate `κ`, is kept in a buffer, whatever the number of
/// steps. When the reversal has come to the start, the pair must equal it to the last bit and the
/// buffer be empty: otherwise [`SolveError::NotExact`].
///
/// Nothing has to be set: the quantum of each component comes from its tolerance and its size at the start,
/// or, where it starts from 0, the size that it turns out to have, and the gap is damped when it grows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Exact {
    quantum: Option<f64>,
    rate: Option<f64>,
}

impl Exact {
    /// Damps at the rate `κ ≥ 0`, in 1 over time, instead of as much as the gap asks for; where that is too
    /// little for the gradient, both.
    #[must_use]
    pub fn rate(self, kappa: f64) -> Self {
        Self { rate: Some(kappa), ..self }
    }

    /// The quantum of all components, in the units of the state: rounded down to a power of two. The grid
    /// reaches to 2⁵⁰ quanta.
    #[must_use]
    pub fn quantum(self, quantum: f64) -> Self {
        Self { quantum: Some(quantum), ..self }
    }

    fn check<T: Real>(&self) -> Result<(), SolveError> {
        let (least, most) = (quanta::LEAST, quanta::most::<T>());
        if let Some(quantum) = self.quantum
            && !(least..=most).contains(&quantum)
        {
            let problem = format!("{quantum:e} is not between {least:e} and {most:.1e}");
            return Err(SolveError::argument("quantum", problem));
        }
        if let Some(rate) = self.rate
            && !(rate >= 0.0 && rate.is_finite())
        {
            let problem = format!("κ = {rate} is not a finite number from 0 on, in 1 over time");
            return Err(SolveError::argument("rate", problem));
        }
        Ok(())
    }
}

/// The exact pair for states of the type `S`.
type Grid<M, S, T> = ExactPair<M, <S as State<T>>::Double>;

impl<T, F, M> Pairing<T, F, M> for Exact
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F> + Clone,
{
    type Scheme = Grid<M, F::State, T>;

    fn scheme(
        &self,
        method: &M,
        problem: &Problem<T, F>,
        tolerance: Option<Tolerance>,
    ) -> Result<Self::Scheme, SolveError> {
        self.check::<T>()?;
        let Problem { y0, t0, .. } = problem;
        let y0 = y0.to_double();
        let quanta = Quanta::new::<T>(&y0, self.quantum, tolerance);
        quanta.check_start(*t0, &y0)?;
        Ok(ExactPair {
            method: method.clone(),
            quanta,
            rate: self.rate,
            t0: t0.to_f64(),
            watched: self.rate.is_none(),
            longest: u64::MAX,
        })
    }

    /// On coarser grids, which reach further, for the components whose default ones prove too small; with more
    /// damping where that proves too little.
    fn run<R>(
        &self,
        mut scheme: Self::Scheme,
        run: impl Fn(&Self::Scheme) -> Result<R, SolveError>,
    ) -> Result<R, SolveError> {
        let first = scheme.quanta.clone();
        for _ in 1..RUNS {
            let result = run(&scheme);
            match &result {
                Err(SolveError::OutOfRange { component, value, others, .. })
                    if scheme.quanta.coarsen(*component, *value) =>
                {
                    // So that not each takes a run of its own.
                    for &(component, value) in others {
                        scheme.quanta.coarsen(component, value);
                    }
                    continue;
                }
                Err(SolveError::PairDiverged { .. } | SolveError::CotangentsGrown { .. })
                    if !scheme.watched =>
                {
                    scheme.watched = true;
                }
                Err(SolveError::CotangentsGrown { factor, steps, .. }) => {
                    scheme.longest = fewer_steps(*factor, *steps);
                }
                _ => return result,
            }
            // On the first grid again: it may have been the gap that left it.
            scheme.quanta.clone_from(&first);
        }
        run(&scheme)
    }
}

impl<T, F, M, C> GradientStrategy<T, F, M, C> for Exact
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F> + Clone,
    C: StepControl<T, F, Grid<M, F::State, T>>,
{
    fn forward(&self, solve: &Solve<'_, T, F, M, C>) -> Result<Solution<T, F::State>, SolveError> {
        solve.with_pair(self, |scheme| solve.along(scheme))
    }

    fn gradient(
        &self,
        solve: &Solve<'_, T, F, M, C>,
        loss: &impl Loss<T, F::State>,
    ) -> Result<Gradient<F, F::State, T>, SolveError> {
        solve.with_pair(self, |scheme| differentiate(solve, scheme, Buffer::default(), loss))
    }
}

/// What the halvings of the gap have lost.
#[derive(Debug, Default)]
struct Buffer {
    bits: BitStack,
    /// The last halvings that the monitor had asked for: after which step, and how many. Those before
    /// are in the buffer; those of a rate are not recorded.
    asked: Asked,
    /// At the end of the forward pass.
    bits_kept: f64,
}

/// Halvings that the monitor had asked for.
#[derive(Debug, Clone, Copy, Default)]
struct Asked {
    /// One more than the index of the step; 0 where there were none.
    steps: u64,
    halvings: u32,
}

impl Buffer {
    fn push<S, D: State<f64>>(&mut self, step: u64, state: &GridState<S, D>) {
        for lost in state.lost.as_slice() {
            self.bits.push(*lost as u64, state.halvings);
        }
        if state.asked > 0 {
            // Steps since the last time, in a number of bits that says how many.
            let Asked { steps, halvings } = self.asked;
            let since = step + 1 - steps;
            let length = 64 - since.leading_zeros();
            self.bits.push(since, length);
            self.bits.push(u64::from(length), 6);
            self.bits.push(u64::from(halvings), 6);
            self.asked = Asked { steps: step + 1, halvings: state.asked };
        }
    }

    /// Puts the halvings of the step that led to `state`, and what they lost, into `state`.
    fn pop<S, D: State<f64>>(
        &mut self,
        step: u64,
        rate_halvings: u32,
        state: &mut GridState<S, D>,
    ) {
        state.asked = 0;
        if self.asked.steps == step + 1 {
            state.asked = self.asked.halvings;
            let halvings = self.bits.pop(6) as u32;
            let length = self.bits.pop(6) as u32;
            let since = self.bits.pop(length);
            self.asked = Asked { steps: self.asked.steps.saturating_sub(since), halvings };
        }
        state.halvings = crate::exact::halvings(rate_halvings, state.asked);
        for lost in state.lost.as_mut_slice().iter_mut().rev() {
            *lost = self.bits.pop(state.halvings) as f64;
        }
    }
}

impl<T, F, M> Keeper<T, F, Grid<M, F::State, T>> for Buffer
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F>,
{
    #[inline]
    fn keep(
        &mut self,
        scheme: &Grid<M, F::State, T>,
        step: Step<T>,
        _: &GridState<F::State, <F::State as State<T>>::Double>,
        after: &GridState<F::State, <F::State as State<T>>::Double>,
    ) -> Result<(), SolveError> {
        if after.halvings > 0 {
            self.push(step.index, after);
            self.bits_kept = self.bits.left() as f64 / scheme.quanta.each.len() as f64;
        }
        Ok(())
    }

    #[inline]
    fn step_back(
        &mut self,
        pass: &Backward<'_, T, F, Grid<M, F::State, T>>,
        step: Step<T>,
        state: &mut GridState<F::State, <F::State as State<T>>::Double>,
        bar: &mut PairBar<F::State>,
        model_bar: &mut F,
        work: &mut VjpWork<M::Taped, F::State>,
    ) -> Result<Way, SolveError> {
        let Backward { scheme, problem, .. } = *pass;
        let rate_halvings = scheme.rate_halvings(step);
        self.pop(step.index, rate_halvings, state);
        if state.halvings > 0 {
            scheme.unhalve(state);
        }
        scheme.unstep_vjp(&problem.field, step, state, bar, model_bar, work);
        if step.index == 0 {
            let start = Scheme::<T, F>::start(scheme, &problem.y0);
            if state.grid != start.grid || self.bits.left() != 0 {
                return Err(not_exact(&state.grid, &start.grid, self.bits.left()));
            }
        }
        Ok(Way::On)
    }

    fn bytes(&self) -> usize {
        self.bits.bytes()
    }

    fn report(&self, _: &Grid<M, F::State, T>, stats: &mut Stats) {
        stats.strategy = "exact";
        stats.buffer_bits = self.bits_kept;
    }
}

#[cold]
fn not_exact<D: State<f64>>(found: &Pair<D>, start: &Pair<D>, bits: i64) -> SolveError {
    let off = |found: &D, start: &D, i: usize| (found.as_slice()[i] - start.as_slice()[i]).abs();
    let differences = (0..start.y.len())
        .map(|i| off(&found.y, &start.y, i).max(off(&found.z, &start.z, i)))
        .enumerate();
    let largest = differences.max_by(|a, b| a.1.total_cmp(&b.1));
    let (component, difference) = largest.unwrap_or((0, 0.0));
    SolveError::NotExact { component, difference, bits }
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector2;

    use super::not_exact;
    use crate::SolveError;
    use crate::reversible::Pair;

    #[test]
    fn each_half_of_the_pair_is_compared_with_its_own_start() {
        let start = Pair { y: Vector2::new(1.0, 2.0), z: Vector2::new(5.0, 2.5) };
        let mut found = start.clone();
        let expect = |found: &Pair<_>, component, difference| {
            let expected = SolveError::NotExact { component, difference, bits: 3 };
            assert_eq!(not_exact(found, &start, 3), expected);
        };
        found.z[1] = 2.25;
        expect(&found, 1, 0.25);
        found.y[0] = 1.5;
        expect(&found, 0, 0.5);
        found.z[1] = f64::INFINITY;
        expect(&found, 1, f64::INFINITY);
    }
}
