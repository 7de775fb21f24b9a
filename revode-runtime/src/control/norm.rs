//! The norm of a step's error: in units of the tolerance, which each component has by its own size.

use super::Tolerances;
use super::tolerances::Allowed;
use crate::{Real, State};

/// Without an absolute tolerance a component is followed to this part of the largest size that it has had, at the
/// relative tolerance; what is smaller is followed as that part is. It lets components pass through 0.
const OF_ITS_SIZE: f64 = 1e-2;

/// And never below this part of the largest component of the state: what starts from 0 and grows with a high power of
/// time has no relative accuracy at first, at any step size.
const OF_LARGEST: f64 = 1e-9;

/// How the errors that the components of a step have, each in units of its tolerance, make one number; a step stands
/// where that is at most 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Norm {
    /// Their root mean square: the default, as in Hairer, Nørsett and Wanner and in most codes for non-stiff
    /// equations. It does not depend on how often an equation is repeated in a state, but one component among `n` may
    /// err by up to `√n` tolerances in a step.
    #[default]
    Rms,
    /// The largest one: no component errs by more than its tolerance in a step. At most as strict as a tolerance that is
    /// `√n` times smaller.
    Max,
}

/// The norm of the errors, and what it remembers of the solution.
#[derive(Debug, Clone)]
pub(crate) struct ErrorNorm<S> {
    norm: Norm,
    /// The largest size that each component has had so far, and the largest of all. With an absolute tolerance
    /// nobody asks for them once all are above it.
    sizes: S,
    largest: f64,
    /// The number of components that have stayed below the absolute tolerance.
    below: usize,
}

impl<S> ErrorNorm<S> {
    pub(super) fn new<T: Real, R, A>(norm: Norm, allowed: Allowed<'_, R, A>, y0: &S) -> Self
    where
        S: State<T>,
        A: Tolerances,
    {
        let below = if allowed.atol.is_some() { y0.len() } else { 0 };
        let mut norm = Self { norm, sizes: y0.zeros_like(), largest: 0.0, below };
        norm.see(allowed, y0);
        norm
    }

    /// The solution has come to `y`.
    #[inline(always)]
    pub(super) fn see<T: Real, R, A>(&mut self, allowed: Allowed<'_, R, A>, y: &S)
    where
        S: State<T>,
        A: Tolerances,
    {
        if allowed.atol.is_none() || self.below > 0 {
            self.note(allowed.atol, y);
        }
    }

    #[inline(never)]
    fn note<T: Real>(&mut self, atol: Option<&impl Tolerances>, y: &S)
    where
        S: State<T>,
    {
        let n = y.len();
        let (sizes, y) = (&mut self.sizes.as_mut_slice()[..n], &y.as_slice()[..n]);
        let mut largest = T::ZERO;
        for i in 0..n {
            sizes[i] = sizes[i].max(y[i].abs());
            largest = largest.max(sizes[i]);
        }
        self.largest = largest.to_f64();
        if let Some(atol) = atol {
            self.below = (0..n).filter(|i| sizes[*i] < T::from_f64(atol.of(*i))).count();
        }
    }

    /// The norm of `x`, each component in units of what is allowed in a step from `y` to `y_next`; not finite where
    /// `x` is not.
    #[inline(always)]
    pub(super) fn of<T: Real, R: Tolerances, A: Tolerances>(
        &self,
        allowed: Allowed<'_, R, A>,
        x: &S,
        y: &S,
        y_next: &S,
    ) -> T
    where
        S: State<T>,
    {
        if self.norm == Norm::Max {
            return self.most(allowed, x, y, y_next);
        }
        let squares = |sum, ratio| sum + ratio * ratio;
        let sum = self.fold(allowed, [x, y, y_next].map(State::as_slice), squares);
        (sum / T::from_f64(x.len() as f64)).sqrt()
    }

    /// The largest component.
    // Out of line, so that the other norm takes no time for it.
    #[inline(never)]
    fn most<T: Real, R: Tolerances, A: Tolerances>(
        &self,
        allowed: Allowed<'_, R, A>,
        x: &S,
        y: &S,
        y_next: &S,
    ) -> T
    where
        S: State<T>,
    {
        let larger = |most: T, ratio: T| {
            let ratio = ratio.abs();
            // NaN stays.
            if most < ratio || ratio.to_f64().is_nan() { ratio } else { most }
        };
        self.fold(allowed, [x, y, y_next].map(State::as_slice), larger)
    }

    /// Joins the components of `x`, in units of what is allowed, one after the other to 0.
    #[inline(always)]
    fn fold<T: Real, R: Tolerances, A: Tolerances>(
        &self,
        Allowed { rtol, atol }: Allowed<'_, R, A>,
        [x, y, y_next]: [&[T]; 3],
        join: impl Fn(T, T) -> T,
    ) -> T
    where
        S: State<T>,
    {
        let n = x.len();
        let (y, y_next) = (&y[..n], &y_next[..n]);
        // A component that stays 0 has no error in units of a purely relative tolerance, not 0/0.
        let least = T::EPSILON.powi(5);
        let mut joined = T::ZERO;
        if let Some(atol) = atol {
            for i in 0..n {
                let (rtol, atol) = (T::from_f64(rtol.of(i)), T::from_f64(atol.of(i)).max(least));
                let ratio = x[i] / (atol + rtol * y[i].abs().max(y_next[i].abs()));
                joined = join(joined, ratio);
            }
        } else {
            let sizes = &self.sizes.as_slice()[..n];
            let part = T::from_f64(OF_ITS_SIZE);
            for i in 0..n {
                let rtol = rtol.of(i);
                // What rounds beside the largest component is not asked for.
                let floor = (OF_LARGEST * rtol).max(T::EPSILON.to_f64()) * self.largest;
                let floor = T::from_f64(floor).max(least);
                let size = y[i].abs().max(y_next[i].abs()).max(part * sizes[i]);
                let ratio = x[i] / (T::from_f64(rtol) * size).max(floor);
                joined = join(joined, ratio);
            }
        }
        joined
    }

    /// The components that have stayed below their absolute tolerance all the time: the number of the first, and how
    /// many there are.
    pub(super) fn below<T: Real, R, A>(&self, allowed: Allowed<'_, R, A>) -> Option<(usize, usize)>
    where
        S: State<T>,
        A: Tolerances,
    {
        let atol = allowed.atol.filter(|_| self.below > 0)?;
        let mut sizes = self.sizes.as_slice().iter().enumerate();
        let (first, _) = sizes.find(|(i, size)| **size < T::from_f64(atol.of(*i)))?;
        Some((first, self.below))
    }
}

/// Whether an error is one of rounding alone, in a step that led to `y`.
#[cold]
pub(super) fn is_rounding<T: Real, S: State<T>>(error: &S, y: &S) -> bool {
    // A few operations on numbers of the size of `y`.
    let rounding = T::from_f64(4.0) * T::EPSILON;
    error.as_slice().iter().zip(y.as_slice()).all(|(error, y)| error.abs() <= rounding * y.abs())
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector3;

    use super::{Allowed, ErrorNorm, Norm};

    /// By hand: 3 of 1 + 0.1 · 10, 4 of 2 + 0.5 · 4, and 0 of 1 + 0 are 1.5, 1 and 0 tolerances.
    #[test]
    fn components_are_measured_by_their_own_tolerances() {
        let allowed = Allowed { rtol: &[0.1, 0.5, 0.0], atol: Some(&[1.0, 2.0, 1.0]) };
        let (y, y_next) = (Vector3::new(-10.0, 1.0, 5.0), Vector3::new(2.0, 4.0, 5.0));
        let error = Vector3::new(-3.0, 4.0, 0.0);
        for (norm, expected) in [(Norm::Rms, (3.25_f64 / 3.0).sqrt()), (Norm::Max, 1.5)] {
            let found = ErrorNorm::new(norm, allowed, &y).of(allowed, &error, &y, &y_next);
            assert!((found - expected).abs() < 1e-15, "{found} {expected}");
        }
    }

    #[test]
    fn what_is_not_finite_has_no_finite_norm() {
        let (allowed, y) = (Allowed { rtol: &1e-6, atol: Some(&1e-6) }, Vector3::repeat(1.0));
        for norm in [Norm::Rms, Norm::Max] {
            for (i, wrong) in [(0, f64::NAN), (1, f64::NAN), (2, f64::NEG_INFINITY)] {
                let mut error = Vector3::repeat(1e-3);
                error[i] = wrong;
                let found = ErrorNorm::new(norm, allowed, &y).of(allowed, &error, &y, &y);
                assert!(!found.is_finite(), "{norm:?} {i}: {found}");
            }
        }
    }
}
