//! Which single coefficient, if it were different, would make a false claim true.

use super::order::{Conditions, Precision};
use crate::number::Number;

/// The one entry of `b` that would give the method its claimed order, and its value then.
pub(super) fn weight(
    conditions: &Conditions<'_>,
    a: &[Vec<Number>],
    b: &[Number],
    order: usize,
) -> Option<(usize, Number)> {
    let missing = &Number::ONE - &b.iter().sum();
    let changed = |j: usize| changed(b, j, &missing);
    let repairs = |j: &usize| lenient(conditions).has_order(a, &changed(*j), order);
    let j = only((0..b.len()).filter(|_| !missing.is_zero()).filter(repairs))?;
    Some((j, changed(j)[j].clone()))
}

/// The one entry of a row of `a` that would give the row its sum and the method its claimed order.
pub(super) fn entry(
    conditions: &Conditions<'_>,
    a: &[Vec<Number>],
    b: &[Number],
    order: usize,
    row: usize,
    sum: &Number,
) -> Option<(usize, Number)> {
    let missing = sum - &a[row].iter().sum();
    let j = only((0..row).filter(|&j| {
        let mut repaired = a.to_vec();
        repaired[row] = changed(&a[row], j, &missing);
        lenient(conditions).has_order(&repaired, b, order)
    }))?;
    Some((j, &a[row][j] + &missing))
}

/// The one entry of `a` that would give the method its claimed order, where no nodes tell the row.
///
/// The weight of a tree without branches, `b A^n 1`, is linear in each entry, so its condition
/// gives the entry's value.
pub(super) fn matrix(
    conditions: &Conditions<'_>,
    a: &[Vec<Number>],
    b: &[Number],
    order: usize,
) -> Option<(usize, usize, Number)> {
    let s = b.len();
    let (mut left, mut right) = (vec![b.to_vec()], vec![vec![Number::ONE; s]]);
    let mut factorial = Number::ONE;
    for n in 1..order {
        left.push(transposed_product(a, &left[n - 1]));
        right.push(product(a, &right[n - 1]));
        factorial = &factorial * &Number::ratio(n as u64 + 1, 1u8);
        let weight = dot(b, &right[n]);
        let missing = &Number::ONE.checked_div(&factorial)? - &weight;
        let negligible = match conditions.precision {
            Precision::Exact => missing.is_zero(),
            Precision::Digits(_) => missing.to_f64().abs() < 1e-12,
        };
        if negligible {
            continue;
        }
        let change = |i: usize, j: usize| {
            let slope: Vec<_> = (0..n).map(|k| &left[k][i] * &right[n - 1 - k][j]).collect();
            missing.checked_div(&slope.iter().sum())
        };
        let places = (0..s).flat_map(|i| (0..i).map(move |j| (i, j)));
        let found = only(places.filter_map(|(i, j)| {
            let mut repaired = a.to_vec();
            repaired[i] = changed(&a[i], j, &change(i, j)?);
            let value = repaired[i][j].clone();
            lenient(conditions).has_order(&repaired, b, order).then_some((i, j, value))
        }));
        return found;
    }
    None
}

/// Whether a row of embedded weights seems to hold their differences from `b` instead: such a row
/// sums to 0, not to 1, also where one sign in it is wrong (as in Tsitouras' table).
pub(super) fn is_difference(row: &[Number]) -> bool {
    row.iter().sum::<Number>().to_f64().abs() < 0.1
}

/// A coefficient found from rounded ones is itself not as good as they are.
pub(super) fn lenient<'t>(conditions: &Conditions<'t>) -> Conditions<'t> {
    let precision = match conditions.precision {
        Precision::Exact => Precision::Exact,
        Precision::Digits(digits) => Precision::Digits(digits - 2),
    };
    Conditions { precision, ..*conditions }
}

fn changed(row: &[Number], j: usize, by: &Number) -> Vec<Number> {
    let mut row = row.to_vec();
    row[j] = &row[j] + by;
    row
}

/// The only item, if there is exactly one.
pub(super) fn only<V>(mut items: impl Iterator<Item = V>) -> Option<V> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}

fn dot(x: &[Number], y: &[Number]) -> Number {
    x.iter().zip(y).map(|(x, y)| x * y).collect::<Vec<_>>().iter().sum()
}

fn product(a: &[Vec<Number>], x: &[Number]) -> Vec<Number> {
    a.iter().map(|row| dot(row, x)).collect()
}

fn transposed_product(a: &[Vec<Number>], x: &[Number]) -> Vec<Number> {
    let column = |j: usize| (j + 1..a.len()).map(|i| &x[i] * &a[i][j]).collect::<Vec<_>>();
    (0..a.len()).map(|j| column(j).iter().sum()).collect()
}
