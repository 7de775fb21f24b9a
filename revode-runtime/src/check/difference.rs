//! Derivatives by extrapolated central differences.

use std::iter::successors;

use crate::Real;

/// A derivative, its error, and what they are to be measured by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Estimate {
    pub(super) value: f64,
    /// The estimated error of `value`, round-off included; infinite where nothing was finite.
    pub(super) error: f64,
    /// The size of the function divided by that of the variable.
    size: f64,
}

impl Estimate {
    /// Whether at least three digits are known.
    pub(super) fn is_conclusive(&self) -> bool {
        self.error <= 1e-3 * (self.value.abs() + self.size)
    }

    /// The difference from `value` that is no disagreement.
    pub(super) fn tolerance(&self, epsilon: f64) -> f64 {
        10.0 * self.error + epsilon.sqrt() * (self.value.abs() + self.size)
    }
}

/// Step sizes tried for each scale of the variable, each half of the one before.
const STEPS: usize = 12;

/// The derivatives of the `n` components of `f` at `x`; `group` is the size of what `x` is part of.
///
/// Richardson extrapolation of central differences, of which the entry is taken whose neighbours
/// in the extrapolation table agree best (Ridders, *Advances in Engineering Software* 4 (1982) 75).
/// To that disagreement the rounding error of the differences is added: small steps would
/// otherwise win where the function does not change at all.
pub(super) fn derivative<T: Real>(
    x: T,
    group: f64,
    n: usize,
    mut f: impl FnMut(T) -> Vec<f64>,
) -> Vec<Estimate> {
    let mut best = vec![Estimate { value: f64::NAN, error: f64::INFINITY, size: 0.0 }; n];
    let typical = if group > 0.0 { group } else { 1.0 };
    let own = x.to_f64().abs();
    // The variable's own size is right for a domain that ends at 0, the group's for a number that
    // happens to be small.
    for scale in [own, own.max(1e-3 * typical)] {
        let halves = successors(Some(0.1), |fraction| Some(0.5 * fraction)).take(STEPS);
        let mut previous = vec![[f64::NAN; STEPS]; n];
        for (step, fraction) in halves.enumerate() {
            let h = T::from_f64(fraction * scale);
            let (right, left) = (x + h, x - h);
            let width = (right - left).to_f64();
            if width <= 0.0 {
                break;
            }
            for (i, (right, left)) in f(right).into_iter().zip(f(left)).enumerate() {
                let size = right.abs().max(left.abs());
                let mut row = [f64::NAN; STEPS];
                row[0] = (right - left) / width;
                let noise = 2.0 * T::EPSILON.to_f64() * size / width;
                let mut power = 1.0;
                for m in 1..=step {
                    power *= 4.0;
                    let (lower, older) = (row[m - 1], previous[i][m - 1]);
                    row[m] = lower + (lower - older) / (power - 1.0);
                    let change = (row[m] - lower).abs().max((row[m] - older).abs());
                    if change + noise < best[i].error {
                        (best[i].value, best[i].error) = (row[m], change + noise);
                    }
                }
                if size.is_finite() {
                    best[i].size = best[i].size.max(size / scale);
                }
                previous[i] = row;
            }
        }
    }
    best
}
