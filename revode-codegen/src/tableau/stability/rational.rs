//! The stability function of a linearly implicit method, `R(z) = P(z)/(1 − γ z)^s`.
//!
//! With `β = α + Γ`, `R(z) = 1 + z bᵀ (I − z β)⁻¹ 1`: Hairer and Wanner II, section IV.7, (7.14). Its only pole is `1/γ`, in the right half
//! plane. So it is at most 1 in the whole left half plane if it is so on the imaginary axis.

use dashu_base::Gcd;
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

use super::crossing::last_not_positive;
use super::function::{bounded, short};
use super::polynomial::Polynomial;
use crate::number::Number;

/// `P(z)/(1 − γ z)^s`.
#[derive(Debug)]
pub(in crate::tableau) struct RationalStability {
    numerator: Vec<RBig>,
    denominator: Vec<RBig>,
    /// What the coefficient of `z^s` in `P` is the sum of.
    last: Vec<Number>,
    /// The order of its series.
    order: usize,
}

impl RationalStability {
    /// Of the method with the lower matrix `beta`, whose diagonal is `gamma`, and the weights `b`. The first terms of its series are
    /// `1/k!`, whatever digits the method has, as long as `is_solution` says so of `k`, the terms of the sum that it is and `1/k!`.
    pub(in crate::tableau) fn new(
        beta: &[Vec<Number>],
        b: &[Number],
        gamma: &Number,
        is_solution: impl Fn(usize, &[Number], &Number) -> bool,
    ) -> Self {
        let dot = |row: &[Number], stages: &[Number]| {
            row.iter().zip(stages).map(|(x, y)| x * y).collect::<Vec<_>>().iter().sum::<Number>()
        };
        let s = b.len();
        let (mut series, mut of_solution, mut order) = (vec![Number::ONE], Number::ONE, 0);
        let mut stages = vec![Number::ONE; s];
        for k in 1..=s {
            of_solution = &of_solution * &Number::ratio(1, k as u64);
            let terms = b.iter().zip(&stages).map(|(x, y)| x * y).collect::<Vec<_>>();
            let is_solution = order + 1 == k && is_solution(k, &terms, &of_solution);
            order += usize::from(is_solution);
            series.push(if is_solution { of_solution.clone() } else { terms.iter().sum() });
            stages = beta.iter().map(|row| bounded(dot(row, &stages))).collect();
        }
        // (1 − γ z)^s
        let mut power = vec![Number::ONE];
        for _ in 0..s {
            let shifted = power.iter().map(|x| -&(x * gamma)).collect::<Vec<_>>();
            let padded = |list: &[Number], k: usize| list.get(k).cloned().unwrap_or(Number::ZERO);
            power = (0..=power.len())
                .map(|k| {
                    &padded(&power, k)
                        + &if k == 0 { Number::ZERO } else { padded(&shifted, k - 1) }
                })
                .collect();
        }
        let terms = |k: usize| (0..=k).map(|j| &series[k - j] * &power[j]).collect::<Vec<_>>();
        let numerator = (0..=s).map(|k| short(&terms(k).iter().sum())).collect();
        let denominator = power.iter().map(short).collect();
        Self { numerator, denominator, last: terms(s), order }
    }

    /// Whether `|R(z)| ≤ 1` in the left half plane.
    pub(in crate::tableau) fn is_a_stable(&self) -> bool {
        let all = self.numerator.iter().chain(&self.denominator);
        let common = all.fold(UBig::ONE, |common, x| {
            &common / (&common).gcd(x.denominator()) * x.denominator()
        });
        let integers = |list: &[RBig]| -> Vec<IBig> {
            list.iter().map(|x| x.numerator() * IBig::from(&common / x.denominator())).collect()
        };
        let (p, q) = (on_axis(&integers(&self.numerator)), on_axis(&integers(&self.denominator)));
        let length = p.len().max(q.len());
        let at = |list: &[IBig], k: usize| list.get(k).cloned().unwrap_or_default();
        // Up to the order it is 0, and what a rounded method leaves there is rounding.
        let growth =
            (0..length).map(|k| if k <= self.order { IBig::ZERO } else { at(&p, k) - at(&q, k) });
        last_not_positive(Polynomial::new(growth.collect())) == f64::INFINITY
    }

    /// What sums to 0 where `R(∞) = 0`.
    pub(in crate::tableau) fn at_infinity(&self) -> &[Number] {
        &self.last
    }
}

/// `|p(i y)|²` as a polynomial in `y`.
fn on_axis(p: &[IBig]) -> Vec<IBig> {
    let part = |odd: usize| {
        let coefficient = |(k, c): (usize, &IBig)| match (k % 2 == odd, k / 2 % 2) {
            (false, _) => IBig::ZERO,
            (true, 0) => c.clone(),
            (true, _) => -c,
        };
        Polynomial::new(p.iter().enumerate().map(coefficient).collect())
    };
    let (real, imaginary) = (part(0), part(1));
    let (x, y) = (&real * &real, &imaginary * &imaginary);
    let at = |p: &Polynomial, k: usize| p.coefficients().get(k).cloned().unwrap_or_default();
    let length = x.coefficients().len().max(y.coefficients().len());
    (0..length).map(|k| at(&x, k) + at(&y, k)).collect()
}

#[cfg(test)]
mod tests {
    use super::RationalStability;
    use crate::number::Number;

    fn exactly(_: usize, terms: &[Number], sum: &Number) -> bool {
        terms.iter().sum::<Number>() == *sum
    }

    /// `R(z) = (1 + (1 − γ) z)/(1 − γ z)`, of the θ method: A-stable from `γ = 1/2` on, L-stable at 1.
    #[test]
    fn one_stage() {
        for (p, q, stable, last) in [
            (1, 2_u8, true, false),
            (49, 100, false, false),
            (3, 4, true, false),
            (1, 1, true, true),
        ] {
            let gamma = Number::ratio(p, q);
            let found =
                RationalStability::new(&[vec![gamma.clone()]], &[Number::ONE], &gamma, exactly);
            assert_eq!(found.is_a_stable(), stable, "{gamma}");
            assert_eq!(found.at_infinity().iter().sum::<Number>().is_zero(), last, "{gamma}");
        }
    }

    /// The two-stage method of order 2 with `R(z) = (1 + (1 − 2γ) z + (1/2 − 2γ + γ²) z²)/(1 − γ z)²` is A-stable from
    /// `γ = 1/4` on: Hairer and Wanner II, table IV.6.3.
    #[test]
    fn two_stages() {
        for (p, q, stable) in [(1, 4_u16, true), (249, 1000, false), (1, 1, true)] {
            let gamma = Number::ratio(p, q);
            let half = Number::ratio(1, 2_u8);
            // b = (1/2, 1/2): `Σ b_i β_i = γ + β_21/2 = 1/2`.
            let below = &(&Number::ONE - &gamma) - &gamma;
            let beta = [vec![gamma.clone()], vec![below, gamma.clone()]];
            let found = RationalStability::new(&beta, &[half.clone(), half], &gamma, exactly);
            assert_eq!(found.is_a_stable(), stable, "{gamma}");
        }
    }
}
