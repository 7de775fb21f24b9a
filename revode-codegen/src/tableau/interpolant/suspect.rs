//! Which single coefficient of an interpolant, if it were different, would make a false claim true.

use super::super::order::Conditions;
use super::super::suspect::{lenient, only};
use super::Interpolant;
use crate::number::Number;

/// The one entry of a row of weights that would give the row its sum and the interpolant its claimed order.
pub(super) fn weight(
    interpolant: &Interpolant,
    conditions: &Conditions<'_>,
    order: usize,
    i: usize,
) -> Option<(usize, Number)> {
    let row = &interpolant.b[i];
    let missing = &interpolant.extended.b[i] - &row.iter().sum();
    let j = only((0..row.len()).filter(|&j| {
        let mut repaired = interpolant.clone();
        repaired.b[i][j] = &row[j] + &missing;
        repaired.first_failure(&lenient(conditions), order).is_none()
    }))?;
    Some((j, &row[j] + &missing))
}

/// Whether the interpolant would have its claimed order if these two rows of weights were exchanged.
pub(super) fn exchanged(
    interpolant: &Interpolant,
    conditions: &Conditions<'_>,
    order: usize,
    i: usize,
    j: usize,
) -> bool {
    let mut repaired = interpolant.clone();
    repaired.b.swap(i, j);
    repaired.first_failure(conditions, order).is_none()
}

/// The one entry of the row of a stage that would give the row its sum and the interpolant its claimed order.
pub(super) fn entry(
    interpolant: &Interpolant,
    conditions: &Conditions<'_>,
    order: usize,
    i: usize,
    sum: &Number,
) -> Option<(usize, Number)> {
    let row = &interpolant.extended.a[i];
    let missing = sum - &row.iter().sum();
    let j = only((0..row.len()).filter(|&j| {
        let mut repaired = interpolant.clone();
        repaired.extended.a[i][j] = &row[j] + &missing;
        repaired.first_failure(&lenient(conditions), order).is_none()
    }))?;
    Some((j, &row[j] + &missing))
}
