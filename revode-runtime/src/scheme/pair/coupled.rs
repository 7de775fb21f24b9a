//! The published arithmetic: floating point, `y` drawn to `z` by a coupling.

use std::fmt;

use super::{Arithmetic, Pair};
use crate::error::{Readable, check_finite};
use crate::slices::{largest, update, zip};
use crate::stop::{Finding, Stop};
use crate::{Real, SolveError, State, Step};

/// How far a step draws `y` to `z`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Coupling {
    /// The same `λ` in every step, `0 < λ ≤ 1`: the published form, 0.999 its default. With `λ = 1`
    /// nothing is damped, and nothing amplified backward.
    Constant(f64),
    /// `λ = exp(−κ |h|)` with the rate `κ ≥ 0` per unit time: the damping belongs to time, not to the
    /// number of steps.
    Rate(f64),
}

impl fmt::Display for Coupling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(lambda) => write!(f, "λ = {lambda}"),
            Self::Rate(rate) => write!(f, "κ = {rate}"),
        }
    }
}

impl Default for Coupling {
    fn default() -> Self {
        Self::Constant(0.999)
    }
}

impl Coupling {
    /// `λ` for a step of size `h`; `None` where it is 1 and the terms with it are left out.
    #[inline(always)]
    fn lambda<T: Real>(self, h: T) -> Option<T> {
        let lambda = T::from_f64(match self {
            Self::Constant(lambda) => lambda,
            Self::Rate(rate) => Real::exp(-rate * h.to_f64().abs()),
        });
        (lambda != T::ONE).then_some(lambda)
    }

    fn check(self) -> Result<(), SolveError> {
        let problem = match self {
            Self::Constant(lambda) if !(lambda > 0.0 && lambda <= 1.0) => {
                format!("λ = {} is not in (0, 1]; the published value is 0.999", Readable(lambda))
            }
            Self::Rate(rate) if !(rate >= 0.0 && rate.is_finite()) => {
                let rate = Readable(rate);
                format!("the rate κ = {rate} is not a finite number from 0 on, per unit time")
            }
            _ => return Ok(()),
        };
        Err(SolveError::argument("coupling", problem))
    }
}

/// The published arithmetic of the pair:
///
/// ```text
/// y' = λ y + (1 − λ) z + Psi_h(t, z)
/// z' = z − Psi_{−h}(t + h, y')
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Coupled {
    coupling: Coupling,
    /// The largest gap `‖y − z‖` that a solve lets pass, relative to the largest size that the solution
    /// has had.
    max_gap: f64,
}

/// Where the gap is this part of the solution, the solution itself is off by half of that.
pub(crate) const DEFAULT_MAX_GAP: f64 = 0.05;

impl Coupled {
    /// With this coupling, and a gap that may come to `max_gap` of the solution; `f64::INFINITY` lets all pass.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] where `λ` is not in (0, 1], `κ` negative, or `max_gap` not positive.
    pub(crate) fn new(coupling: Coupling, max_gap: f64) -> Result<Self, SolveError> {
        coupling.check()?;
        if max_gap <= 0.0 || max_gap.is_nan() {
            let max_gap = Readable(max_gap);
            let problem = format!("{max_gap} is not a positive part of the solution");
            return Err(SolveError::argument("largest_gap", problem));
        }
        Ok(Self { coupling, max_gap })
    }

    #[cold]
    fn diverged<T: Real>(&self, step: Step<T>, gap: T, size: T) -> Stop {
        let (t, gap) = (step.end.to_f64(), (gap / size).to_f64());
        Finding::PairDiverged { t, gap, coupling: self.coupling.to_string() }.into()
    }
}

/// The pair, and the largest component that the solution has had.
#[derive(Debug, Clone)]
pub struct CoupledState<T, S> {
    pub(crate) pair: Pair<S>,
    largest: T,
}

impl<T: Real, S: State<T>> CoupledState<T, S> {
    /// The gap relative to the solution, or where that is 0 relative to the largest size that it has had.
    pub(crate) fn relative_gap(&self) -> f64 {
        let (gap, size) = self.pair.gap_and_size();
        let size = if size > T::ZERO { size } else { self.largest };
        if gap == T::ZERO { 0.0 } else { (gap / size).to_f64() }
    }
}

impl<T: Real, S: State<T>> Arithmetic<T, S> for Coupled {
    const WATCHES: bool = false;
    type State = CoupledState<T, S>;
    type Next = S;

    fn start(&self, y0: &S) -> Self::State {
        let pair = Pair { y: y0.clone(), z: y0.clone() };
        CoupledState { pair, largest: T::from_f64(largest(y0.as_slice())) }
    }
    fn next(&self, y0: &S) -> S {
        y0.zeros_like()
    }
    #[inline(always)]
    fn y<'a>(&self, state: &'a Self::State) -> &'a S {
        &state.pair.y
    }
    #[inline(always)]
    fn z<'a>(&self, state: &'a Self::State) -> &'a S {
        &state.pair.z
    }
    #[inline(always)]
    fn proposed<'a>(&self, next: &'a S) -> &'a S {
        next
    }
    #[inline]
    fn assign(&self, state: &mut Self::State, from: &Self::State) {
        state.pair.assign(&from.pair);
        state.largest = from.largest;
    }
    fn bytes(&self, state: &Self::State) -> usize {
        2 * size_of_val(state.pair.y.as_slice())
    }
    #[inline(always)]
    fn lambda(&self, h: T) -> Option<T> {
        self.coupling.lambda(h)
    }
    #[inline(always)]
    fn add_y(&self, step: Step<T>, state: &Self::State, psi: &S, next: &mut S) {
        let (y, z) = (state.pair.y.as_slice(), state.pair.z.as_slice());
        let (psi, next) = (psi.as_slice(), next.as_mut_slice());
        if let Some(lambda) = self.coupling.lambda(step.h) {
            let mu = T::ONE - lambda;
            zip(next, [y, z, psi], |[y, z, psi]| lambda * y + mu * z + psi);
        } else {
            zip(next, [y, psi], |[y, psi]| y + psi);
        }
    }
    #[inline(always)]
    fn check_y(&self, step: Step<T>, next: &S) -> Result<(), Stop> {
        Ok(check_finite(next, step.end, step.t)?)
    }
    #[inline(always)]
    fn sub_z(&self, _: Step<T>, state: &mut Self::State, psi: &S, next: &mut S) {
        update(state.pair.z.as_mut_slice(), [psi.as_slice()], |z, [psi]| z - psi);
        std::mem::swap(&mut state.pair.y, next);
    }
    #[inline(always)]
    fn close(&self, step: Step<T>, _: u32, state: &mut Self::State, _: &S) -> Result<(), Stop> {
        let (gap, size) = state.pair.gap_and_size();
        state.largest = state.largest.max(size);
        // (Where all are let pass the right side is not a number for a solution that is 0.)
        if gap <= T::from_f64(self.max_gap) * state.largest || self.max_gap == f64::INFINITY {
            return Ok(());
        }
        Err(self.diverged(step, gap, state.largest))
    }
    #[inline(always)]
    fn undo_z(&self, _: Step<T>, state: &mut Self::State, psi: &S) {
        update(state.pair.z.as_mut_slice(), [psi.as_slice()], |z, [psi]| z + psi);
    }
    #[inline(always)]
    fn undo_y(&self, step: Step<T>, state: &mut Self::State, psi: &S) {
        let Pair { y, z } = &mut state.pair;
        update(y.as_mut_slice(), [psi.as_slice()], |y, [psi]| y - psi);
        if let Some(lambda) = self.coupling.lambda(step.h) {
            // A division by λ undoes the product with it far better than a product with 1/λ.
            let mu = T::ONE - lambda;
            update(y.as_mut_slice(), [z.as_slice()], |y, [z]| (y - mu * z) / lambda);
        }
    }
}
