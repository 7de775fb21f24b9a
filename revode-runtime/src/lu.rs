//! LU factors of a square matrix, in place: for the linear systems of implicit methods.
//!
//! By columns, with partial pivoting: Golub and Van Loan, *Matrix Computations*, algorithm 3.4.1. Equal inputs give equal bits
//! on every machine.

use crate::{Real, Square};

/// The factors of `P A = L U`, in the place of the matrix.
#[derive(Debug, Clone)]
pub(crate) struct Lu<Q> {
    factors: Q,
    /// The row that each row was exchanged with.
    pivots: Vec<usize>,
}

impl<Q> Lu<Q> {
    /// With room for matrices like `matrix`, of `n` rows.
    pub(crate) fn new(matrix: Q, n: usize) -> Self {
        Self { factors: matrix, pivots: vec![0; n] }
    }

    /// Factors the matrix that `write` writes column by column. Returns whether it can be: whether it is finite and not
    /// singular.
    pub(crate) fn factor<T: Real>(&mut self, write: impl FnOnce(&mut [T])) -> bool
    where
        Q: Square<T>,
    {
        let Self { factors, pivots } = self;
        let (a, n) = (factors.as_mut_slice(), pivots.len());
        write(a);
        for k in 0..n {
            let column = &a[k * n..][..n];
            let larger = |best: usize, i: usize| {
                // A NaN is taken, and so is what comes after it; it gets into all columns that follow.
                if column[i].abs() <= column[best].abs() { best } else { i }
            };
            let pivot = (k + 1..n).fold(k, larger);
            let size = column[pivot].abs();
            if !(size > T::ZERO && size.is_finite()) {
                return false;
            }
            pivots[k] = pivot;
            if pivot != k {
                for column in a.chunks_exact_mut(n) {
                    column.swap(k, pivot);
                }
            }
            let (left, right) = a.split_at_mut((k + 1) * n);
            let below = &mut left[k * n..][k..];
            let (diagonal, below) = (below[0], &mut below[1..]);
            for x in &mut *below {
                *x /= diagonal;
            }
            for column in right.chunks_exact_mut(n) {
                let (top, rest) = column[k..].split_at_mut(1);
                subtract(rest, top[0], below);
            }
        }
        true
    }

    /// Replaces `b` by the solution `x` of `A x = b`.
    #[inline]
    pub(crate) fn solve<T: Real>(&self, b: &mut [T])
    where
        Q: Square<T>,
    {
        let (a, n) = (self.factors.as_slice(), self.pivots.len());
        for (k, pivot) in self.pivots.iter().enumerate() {
            b.swap(k, *pivot);
        }
        for k in 0..n {
            let (top, rest) = b[k..].split_at_mut(1);
            subtract(rest, top[0], &a[k * n + k + 1..(k + 1) * n]);
        }
        for k in (0..n).rev() {
            let column = &a[k * n..][..=k];
            let (rest, last) = b[..=k].split_at_mut(k);
            last[0] /= column[k];
            subtract(rest, last[0], &column[..k]);
        }
    }

    /// Replaces `b` by the solution `x` of `Aᵀ x = b`.
    pub(crate) fn solve_transposed<T: Real>(&self, b: &mut [T])
    where
        Q: Square<T>,
    {
        let (a, n) = (self.factors.as_slice(), self.pivots.len());
        for k in 0..n {
            let column = &a[k * n..][..=k];
            b[k] = (b[k] - product(&column[..k], &b[..k])) / column[k];
        }
        for k in (0..n).rev() {
            b[k] -= product(&a[k * n + k + 1..(k + 1) * n], &b[k + 1..]);
        }
        for (k, pivot) in self.pivots.iter().enumerate().rev() {
            b.swap(k, *pivot);
        }
    }
}

/// `Σ x_i y_i`.
#[inline(always)]
fn product<T: Real>(x: &[T], y: &[T]) -> T {
    x.iter().zip(y).fold(T::ZERO, |sum, (x, y)| sum + *x * *y)
}

/// `x -= c y`.
#[inline(always)]
fn subtract<T: Real>(x: &mut [T], c: T, y: &[T]) {
    for (x, y) in x.iter_mut().zip(y) {
        *x -= c * *y;
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{DMatrix, DVector};

    use super::Lu;

    fn random(state: &mut u64) -> f64 {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (*state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
    }

    #[test]
    fn solutions_solve() {
        let mut state = 1;
        for n in [1, 2, 3, 10, 40] {
            let a = DMatrix::from_fn(n, n, |_, _| random(&mut state));
            let x = DVector::from_fn(n, |_, _| random(&mut state));
            let mut lu = Lu::new(DMatrix::zeros(n, n), n);
            assert!(lu.factor(|out| out.copy_from_slice(a.as_slice())));
            let mut b = &a * &x;
            lu.solve(b.as_mut_slice());
            // Random matrices have a condition of about `n`, up to 1e3 here.
            assert!((b - &x).amax() < 1e-12, "{n}");
            let mut b = a.transpose() * &x;
            lu.solve_transposed(b.as_mut_slice());
            assert!((b - x).amax() < 1e-12, "{n}");
        }
    }

    #[test]
    fn what_is_singular_or_not_finite_is_told() {
        for a in [
            [1.0, 2.0, 2.0, 4.0],
            [0.0, 0.0, 1.0, 1.0],
            [f64::NAN, 1.0, 1.0, 1.0],
            [1.0, f64::NAN, 1.0, 1.0],
            [1.0, 1.0, 1.0, f64::NAN],
            [f64::INFINITY, 1.0, 1.0, 1.0],
        ] {
            let mut lu = Lu::new(DMatrix::zeros(2, 2), 2);
            assert!(!lu.factor(|out: &mut [f64]| out.copy_from_slice(&a)), "{a:?}");
            // And the next one is not harmed.
            assert!(lu.factor(|out| out.copy_from_slice(&[0.0, 1.0, 1.0, 0.0])));
            let mut b = [3.0, 5.0];
            lu.solve(&mut b);
            assert_eq!(b, [5.0, 3.0]);
        }
    }
}
