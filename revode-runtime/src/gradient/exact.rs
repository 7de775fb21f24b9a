//! Exact: reversal on an integer grid, to the last bit.

use super::backward::differentiate;
use super::certificate::largest;
use super::{Backward, Gradient, GradientStrategy, Keeper, Loss, Pairing, Solve, Way};
use crate::bits::BitStack;
use crate::controller::{StepControl, Tolerance};
use crate::exact::{ExactPair, GridState, LEAST_QUANTUM, largest_quantum};
use crate::reversible::Pair;
use crate::scheme::{Scheme, Step, VjpWork};
use crate::solution::Solution;
use crate::{FieldVjp, MethodVjp, Problem, Real, SolveError, State, Stats};

/// The default quantum is this part of the tolerance of a component.
const OF_TOLERANCE: f64 = 1.0 / 65_536.0;

/// The default quantum is not below this part of the largest component of the initial state, so that the
/// grid reaches to 64 times that.
const OF_SIZE: f64 = 1.0 / (1_u64 << 44) as f64;

/// How much coarser a default grid that proved too small is made, and how often at the most.
const COARSER: f64 = 1024.0;
const TRIES: u32 = 2;

/// Gradients by a reversal that is exact to the last bit, at any horizon, for dissipative problems too.
///
/// The pair is advanced on an integer grid ([`ExactPair`]). What dissipation loses, `κ T / ln 2` bits a
/// component where the field contracts at the rate `κ`, is kept in a buffer, whatever the number of
/// steps. When the reversal has come to the start, the pair must equal it to the last bit and the
/// buffer be empty: otherwise [`SolveError::NotExact`].
///
/// Nothing has to be set: the quantum comes from the tolerances, or from the size of the initial state
/// with fixed steps, and the gap is damped when it grows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Exact {
    quantum: Option<f64>,
    rate: Option<f64>,
}

impl Exact {
    /// Damps at the rate `κ ≥ 0`, in 1 over time, instead of as much as the gap asks for.
    #[must_use]
    pub fn rate(self, kappa: f64) -> Self {
        Self { rate: Some(kappa), ..self }
    }

    /// The quantum of the grid, in the units of the state: rounded down to a power of two. The grid
    /// reaches to 2⁵⁰ quanta.
    #[must_use]
    pub fn quantum(self, quantum: f64) -> Self {
        Self { quantum: Some(quantum), ..self }
    }

    fn check<T: Real>(&self) -> Result<(), SolveError> {
        let largest = largest_quantum::<T>();
        if let Some(quantum) = self.quantum
            && !(LEAST_QUANTUM..=largest).contains(&quantum)
        {
            let problem = format!("{quantum:e} is not between {LEAST_QUANTUM:e} and {largest:.1e}");
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

    /// The quantum of each component.
    fn quanta<T: Real, S: State<T>>(&self, y0: &S, tolerance: Option<Tolerance>) -> S::Double {
        let size = Some(largest(y0)).filter(|size| *size > 0.0).unwrap_or(1.0);
        let smallest = OF_SIZE * size;
        let mut quanta = y0.to_double();
        for quantum in quanta.as_mut_slice() {
            let wanted = tolerance.map_or(0.0, |Tolerance { rtol, atol }| {
                OF_TOLERANCE * (atol + rtol * quantum.abs())
            });
            let default = wanted.max(smallest).clamp(LEAST_QUANTUM, largest_quantum::<T>());
            *quantum = power_of_two(self.quantum.unwrap_or(default));
        }
        quanta
    }
}

/// The largest power of two up to `x`.
fn power_of_two(x: f64) -> f64 {
    // The mantissa's bits are what is above the power.
    f64::from_bits(x.to_bits() & 0xfff0_0000_0000_0000)
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
        let quantum = self.quanta(y0, tolerance);
        let scheme =
            ExactPair { method: method.clone(), quantum, rate: self.rate, t0: t0.to_f64() };
        scheme.check_start(*t0, &y0.to_double())?;
        Ok(scheme)
    }

    /// On a coarser grid, which reaches further, where a default one proves too small.
    fn run<R>(
        &self,
        mut scheme: Self::Scheme,
        run: impl Fn(&Self::Scheme) -> Result<R, SolveError>,
    ) -> Result<R, SolveError> {
        let mut tries = if self.quantum.is_some() { 0 } else { TRIES };
        loop {
            match run(&scheme) {
                Err(SolveError::OutOfRange { .. }) if tries > 0 => {
                    tries -= 1;
                    for quantum in scheme.quantum.as_mut_slice() {
                        *quantum = (*quantum * COARSER).min(largest_quantum::<T>());
                    }
                }
                other => return other,
            }
        }
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
    ) -> Option<()> {
        state.asked = 0;
        if self.asked.steps == step + 1 {
            state.asked = self.asked.halvings;
            let halvings = self.bits.pop(6)? as u32;
            let length = self.bits.pop(6)? as u32;
            let since = self.bits.pop(length)?;
            self.asked = Asked { steps: self.asked.steps.checked_sub(since)?, halvings };
        }
        state.halvings = crate::exact::halvings(rate_halvings, state.asked);
        for lost in state.lost.as_mut_slice().iter_mut().rev() {
            *lost = self.bits.pop(state.halvings)? as f64;
        }
        Some(())
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
            self.bits_kept = self.bits.len() as f64 / scheme.quantum.len() as f64;
        }
        Ok(())
    }

    #[inline]
    fn step_back(
        &mut self,
        pass: &Backward<'_, T, F, Grid<M, F::State, T>>,
        step: Step<T>,
        state: &mut GridState<F::State, <F::State as State<T>>::Double>,
        bar: &mut Pair<F::State>,
        model_bar: &mut F,
        work: &mut VjpWork<M::Taped, F::State>,
    ) -> Result<Way, SolveError> {
        let Backward { scheme, problem, .. } = *pass;
        let rate_halvings = scheme.rate_halvings(step);
        if self.pop(step.index, rate_halvings, state).is_none() {
            return Err(not_exact(&state.grid, &state.grid.z, 0));
        }
        if state.halvings > 0 {
            scheme.unhalve(state);
        }
        scheme.unstep_vjp(&problem.field, step, state, bar, model_bar, work);
        if step.index == 0 {
            let start = Scheme::<T, F>::start(scheme, &problem.y0);
            if state.grid != start.grid || self.bits.len() > 0 {
                return Err(not_exact(&state.grid, &start.grid.y, self.bits.len()));
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
fn not_exact<D: State<f64>>(pair: &Pair<D>, start: &D, bits: u64) -> SolveError {
    let differences = |x: &D| -> Vec<f64> {
        x.as_slice().iter().zip(start.as_slice()).map(|(x, start)| (x - start).abs()).collect()
    };
    let both = differences(&pair.y).into_iter().zip(differences(&pair.z)).map(|(y, z)| y.max(z));
    let (component, difference) =
        both.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, 0.0));
    SolveError::NotExact { component, difference, bits }
}
