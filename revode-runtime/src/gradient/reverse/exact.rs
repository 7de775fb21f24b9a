//! Exact: reversal on an integer grid, to the last bit.

use super::super::Strategy;
use super::super::passes::{Keeper, Pass};
use super::bits::BitStack;
use crate::control::Tolerance;
use crate::error::Readable;
use crate::scheme::VjpWork;
use crate::scheme::pair::finer::Finer;
use crate::scheme::pair::growth::fewer_steps;
use crate::scheme::pair::halved::{self, Halved, HalvedState};
use crate::scheme::pair::quanta::{self, Regrid};
use crate::scheme::pair::{Arithmetic, Pair, PairAdjoint, PairScheme};
use crate::stats::StrategyStats;
use crate::stop::{Finding, Stop};
use crate::{FieldVjp, Leg, MethodVjp, Problem, Real, SolveError, State, Step};

/// Gradients by a reversal that is exact to the last bit, at any horizon, for dissipative problems too.
///
/// The pair is advanced on an integer grid. What dissipation loses, `κ T / ln 2` bits a
/// component where the field contracts at the rate `κ`, is kept in a buffer, whatever the number of
/// steps. When the reversal has come to the start, the pair must equal it to the last bit and the
/// buffer be empty: otherwise [`SolveError::NotExact`].
///
/// Nothing has to be set: the quantum of each component comes from its size at the start, a component that grows gets a
/// coarser one on the way and one that shrinks a finer one, and the gap is damped when it grows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Exact {
    quantum: Option<f64>,
    rate: Option<f64>,
}

impl Exact {
    /// Damps at the rate `κ ≥ 0`, per unit time, instead of as much as the gap asks for; where that is too
    /// little for the gradient, both.
    #[must_use]
    pub fn rate(self, kappa: f64) -> Self {
        Self { rate: Some(kappa), ..self }
    }

    /// The quantum of all components, in the units of the state: rounded down to a power of two. The grid
    /// reaches to 2⁵⁰ quanta; a component beyond it gets a coarser one, none gets a finer one than this.
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
            let rate = Readable(rate);
            let problem = format!("κ = {rate} is not a finite number from 0 on, per unit time");
            return Err(SolveError::argument("rate", problem));
        }
        Ok(())
    }
}

/// The exact pair over `M`.
type ExactPair<M> = PairScheme<M, Halved>;

impl Strategy for Exact {
    type Scheme<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> = ExactPair<M>;
    type Keeper<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>> = Buffer;

    fn scheme<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        method: &M,
        problem: &Problem<T, F>,
        _: Option<Tolerance>,
    ) -> Result<ExactPair<M>, SolveError> {
        self.check::<T>()?;
        let arithmetic = Halved {
            quantum: self.quantum,
            rate: self.rate,
            t0: problem.t0.to_f64(),
            monitored: self.rate.is_none(),
            max_segment: u64::MAX,
        };
        Ok(PairScheme { method: method.clone(), arithmetic })
    }

    fn keeper<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        _: &ExactPair<M>,
        _: Leg<'_, T, F>,
        _: Option<Tolerance>,
    ) -> Result<Buffer, SolveError> {
        Ok(Buffer::default())
    }

    /// With more damping where that proves too little.
    fn revise<T: Real, F: FieldVjp<T>, M: MethodVjp<T, F>>(
        &self,
        scheme: &mut ExactPair<M>,
        finding: &Finding,
    ) -> bool {
        let pair = &mut scheme.arithmetic;
        match finding {
            Finding::PairDiverged { .. } | Finding::CotangentsGrown { .. } if !pair.monitored => {
                pair.monitored = true;
            }
            Finding::CotangentsGrown { factor, steps, .. } => {
                pair.max_segment = fewer_steps(*factor, *steps);
            }
            Finding::PairDiverged { .. } | Finding::GradientInaccurate { .. } => return false,
        }
        true
    }
}

/// What the halvings of the gap have lost, what coarser grids have, and where there were finer ones.
#[derive(Debug, Default)]
pub struct Buffer {
    bits: BitStack,
    /// What components lost that got coarser grids, with the index of the step. They are few, so that whole numbers are
    /// kept and not bits: a component has grown 64-fold by the next time.
    regrids: Vec<(u64, Regrid)>,
    /// The components that got finer grids, with the index of the step.
    finer: Vec<(u64, Finer)>,
    /// The last halvings that the monitor had asked for: after which step, and how many. Those before
    /// are in the buffer; those of a rate are not recorded.
    asked: Asked,
    /// The bits a component at the end of the forward pass.
    bits_kept: f64,
}

/// Halvings that the monitor had asked for.
#[derive(Debug, Clone, Copy)]
struct Asked {
    /// One more than the index of the step; 0 where there were none.
    steps: u64,
    halvings: u32,
    /// Whether the pair was moved to its mean, which is read until the next ones.
    to_mean: bool,
}

impl Default for Asked {
    fn default() -> Self {
        Self { steps: 0, halvings: 0, to_mean: true }
    }
}

impl Buffer {
    fn push<S, D: State<f64>>(&mut self, step: u64, state: &HalvedState<S, D>) {
        self.regrids.extend(state.quanta.regrids.iter().map(|regrid| (step, *regrid)));
        self.finer.extend(state.quanta.finer.iter().map(|finer| (step, *finer)));
        for lost in state.remainder.as_slice() {
            self.bits.push(*lost as u64, state.halvings);
        }
        if state.asked > 0 {
            // Steps since the last time, in a number of bits that says how many.
            let Asked { steps, halvings, to_mean } = self.asked;
            let since = step + 1 - steps;
            let length = 64 - since.leading_zeros();
            self.bits.push(since, length);
            self.bits.push(u64::from(length), 6);
            self.bits.push(u64::from(halvings), 6);
            self.bits.push(to_mean.into(), 1);
            let HalvedState { asked: halvings, to_mean, .. } = *state;
            self.asked = Asked { steps: step + 1, halvings, to_mean };
        }
    }

    /// Puts the halvings of the step that led to `state`, and what they lost, into `state`. `order` is that of the
    /// method.
    fn pop<S, D: State<f64>>(
        &mut self,
        step: u64,
        order: u32,
        rate_halvings: u32,
        state: &mut HalvedState<S, D>,
    ) {
        state.quanta.regrids.clear();
        while let Some((_, regrid)) = self.regrids.pop_if(|(at, _)| *at == step) {
            state.quanta.regrids.push(regrid);
        }
        state.quanta.finer.clear();
        while let Some((_, finer)) = self.finer.pop_if(|(at, _)| *at == step) {
            state.quanta.finer.push(finer);
        }
        state.asked = 0;
        state.to_mean = order % 2 == 1 && state.reads_mean;
        if self.asked.steps == step + 1 {
            state.asked = self.asked.halvings;
            state.to_mean = self.asked.to_mean;
            let to_mean = self.bits.pop(1) == 1;
            let halvings = self.bits.pop(6) as u32;
            let length = self.bits.pop(6) as u32;
            let since = self.bits.pop(length);
            let steps = self.asked.steps.saturating_sub(since);
            self.asked = Asked { steps, halvings, to_mean };
            state.reads_mean = to_mean;
        }
        state.halvings = halved::halvings(rate_halvings, state.asked);
        for lost in state.remainder.as_mut_slice().iter_mut().rev() {
            *lost = self.bits.pop(state.halvings) as f64;
        }
    }
}

impl<T, F, M> Keeper<T, F, ExactPair<M>> for Buffer
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F>,
{
    #[inline]
    fn after(
        &mut self,
        _: &ExactPair<M>,
        step: Step<T>,
        state: &HalvedState<F::State, <F::State as State<T>>::Double>,
    ) {
        if state.halvings > 0 {
            self.push(step.index, state);
            self.bits_kept = self.bits.left() as f64 / state.remainder.len() as f64;
        }
    }

    #[inline]
    fn step_back(
        &mut self,
        pass: &Pass<'_, T, F, ExactPair<M>>,
        step: Step<T>,
        state: &mut HalvedState<F::State, <F::State as State<T>>::Double>,
        adjoint: &mut PairAdjoint<F::State, F>,
        work: &mut VjpWork<T, F, M>,
    ) -> Result<(), Stop> {
        let Pass { scheme, leg: Leg { y0, .. }, .. } = *pass;
        let pair = &scheme.arithmetic;
        self.pop(step.index, scheme.method.order(), pair.rate_halvings(step), state);
        pass.step_back(step, None, state, adjoint, work)?;
        if step.index == 0 {
            let start: HalvedState<F::State, _> = pair.start(y0);
            if state.grid != start.grid || self.bits.left() != 0 {
                return Err(not_exact(&state.grid, &start.grid, self.bits.left()).into());
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        let finer = size_of_val(self.finer.as_slice());
        self.bits.bytes() + size_of_val(self.regrids.as_slice()) + finer
    }

    fn report(&self) -> StrategyStats {
        StrategyStats::Exact { bits: self.bits_kept }
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
    use crate::scheme::pair::Pair;

    #[test]
    fn each_half_of_the_pair_is_compared_with_its_own_start() {
        let start = Pair { y: Vector2::new(1.0, 2.0), z: Vector2::new(5.0, 2.5) };
        let mut found = start;
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
