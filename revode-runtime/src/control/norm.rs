//! The norm of a step's error: in units of the tolerance, which each component has by its own size.

use crate::{Real, State};

/// Without an absolute tolerance a component is followed to this part of the largest size that it has had, at the
/// relative tolerance; what is smaller is followed as that part is. It lets components pass through 0.
const OF_ITS_SIZE: f64 = 1e-2;

/// And never below this part of the largest component of the state: what starts from 0 and grows with a high power of
/// time has no relative accuracy at first, at any step size.
const OF_LARGEST: f64 = 1e-9;

/// The error that a step may have in each component.
#[derive(Debug, Clone)]
pub(crate) struct ErrorNorm<S> {
    rtol: f64,
    /// The absolute tolerance; `None` where it follows the sizes of the components.
    atol: Option<f64>,
    /// The largest size that each component has had so far, and the largest of all. With an absolute tolerance
    /// nobody asks for them once all are above it.
    sizes: S,
    largest: f64,
    /// The number of components that have stayed below the absolute tolerance.
    below: usize,
}

impl<S> ErrorNorm<S> {
    pub(super) fn new<T: Real>(rtol: f64, atol: Option<f64>, y0: &S) -> Self
    where
        S: State<T>,
    {
        let below = if atol.is_some() { y0.len() } else { 0 };
        let mut norm = Self { rtol, atol, sizes: y0.zeros_like(), largest: 0.0, below };
        norm.see(y0);
        norm
    }

    /// Whether the tolerance follows the sizes of the components.
    #[inline(always)]
    pub(super) fn follows(&self) -> bool {
        self.atol.is_none()
    }

    /// The solution has come to `y`.
    #[inline(always)]
    pub(super) fn see<T: Real>(&mut self, y: &S)
    where
        S: State<T>,
    {
        if self.follows() || self.below > 0 {
            self.note(y);
        }
    }

    #[inline(never)]
    fn note<T: Real>(&mut self, y: &S)
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
        if let Some(atol) = self.atol {
            let atol = T::from_f64(atol);
            self.below = sizes.iter().filter(|size| **size < atol).count();
        }
    }

    /// The root mean square over the components of `x`, each in units of what is allowed in a step from `y` to
    /// `y_next`.
    #[inline(always)]
    pub(super) fn of<T: Real>(&self, x: &S, y: &S, y_next: &S) -> T
    where
        S: State<T>,
    {
        let n = x.len();
        let rtol = T::from_f64(self.rtol);
        let (x, y, y_next) = (x.as_slice(), &y.as_slice()[..n], &y_next.as_slice()[..n]);
        // A component that stays 0 has no error in units of a purely relative tolerance, not 0/0.
        let least = T::EPSILON.powi(5);
        let mut sum = T::ZERO;
        if let Some(atol) = self.atol {
            let atol = T::from_f64(atol).max(least);
            for i in 0..n {
                let ratio = x[i] / (atol + rtol * y[i].abs().max(y_next[i].abs()));
                sum += ratio * ratio;
            }
        } else {
            let sizes = &self.sizes.as_slice()[..n];
            let part = T::from_f64(OF_ITS_SIZE);
            // What rounds beside the largest component is not asked for.
            let floor =
                T::from_f64((OF_LARGEST * self.rtol).max(T::EPSILON.to_f64()) * self.largest);
            let floor = floor.max(least);
            for i in 0..n {
                let size = y[i].abs().max(y_next[i].abs()).max(part * sizes[i]);
                let ratio = x[i] / (rtol * size).max(floor);
                sum += ratio * ratio;
            }
        }
        (sum / T::from_f64(n as f64)).sqrt()
    }

    /// The components that have stayed below the absolute tolerance all the time: the number of the first, and how
    /// many there are.
    pub(super) fn below<T: Real>(&self) -> Option<(usize, usize)>
    where
        S: State<T>,
    {
        let atol = T::from_f64(self.atol.filter(|_| self.below > 0)?);
        let first = self.sizes.as_slice().iter().position(|size| *size < atol)?;
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
