//! Interpolants between the ends of a step, `y(t + θh) = u + h Σ_i b_i(θ) k_i` with polynomials `b_i`: what a tableau
//! declares, or cubic Hermite.
//!
//! Source: Hairer, Nørsett and Wanner I, section II.6; Owren and Zennaro, SIAM J. Sci. Stat. Comput. 13 (1992)
//! 1488–1501.

mod check;
mod emit;
mod suspect;
mod vjp;

pub(super) use check::{prove, shapes};
pub(super) use emit::Stages;

use super::check::Proof;
use super::coefficients::Coefficients;
use super::order::{Conditions, Target};
use crate::number::Number;

/// An interpolant and what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Interpolant {
    /// The stages of the method, and after them the extra ones, of weight 0.
    pub extended: Coefficients,
    /// The number of extra stages.
    pub extra: usize,
    /// For each stage the coefficients of `θ`, `θ²`, … in its weight.
    pub b: Vec<Vec<Number>>,
    /// The order: the largest `p` such that `y(t + θh)` errs by `O(h^{p+1})` after a step, for every `θ`.
    pub order: u32,
    /// How many continuous derivatives it has from step to step: 0 or 1.
    pub smoothness: u32,
    /// How all this was proved.
    pub proof: Proof,
}

impl Interpolant {
    /// With these extra stages and weights; nothing is known of it.
    pub(super) fn new(
        method: &Coefficients,
        a: Vec<Vec<Number>>,
        c: Vec<Number>,
        b: Vec<Vec<Number>>,
    ) -> Self {
        let extra = a.len();
        let mut weights = method.b.clone();
        weights.resize(method.stages() + extra, Number::ZERO);
        let extended = Coefficients {
            a: [method.a.clone(), a].concat(),
            b: weights,
            b_embedded: None,
            c: [method.c.clone(), c].concat(),
        };
        Self { extended, extra, b, order: 0, smoothness: 0, proof: Proof::Exact }
    }

    /// Cubic Hermite interpolation of the two ends and the derivatives there:
    /// `b_i(θ) = (3θ² − 2θ³) b_i + (θ − 2θ² + θ³) [i is the first] + (θ³ − θ²) [i is f(t1, y1)]`.
    ///
    /// The derivative at the end is a stage of its own, unless the method has it. The order is at most 3; nothing is
    /// known of it yet.
    pub(super) fn hermite(method: &Coefficients) -> Self {
        let (a, c) = match method.end_stage() {
            Some(_) => (vec![], vec![]),
            None => (vec![method.b.clone()], vec![Number::ONE]),
        };
        let mut interpolant = Self::new(method, a, c, vec![]);
        let end = interpolant.extended.end_stage();
        let integer = |n: i32| Number::ratio(n, 1u8);
        let row = |(i, weight): (usize, &Number)| {
            let mut row = [Number::ZERO, &integer(3) * weight, &integer(-2) * weight];
            let ends = [(i == 0, [1, -2, 1]), (Some(i) == end, [0, -1, 1])];
            for (_, cubic) in ends.into_iter().filter(|(here, _)| *here) {
                row.iter_mut().zip(cubic).for_each(|(x, c)| *x = &*x + &integer(c));
            }
            row.to_vec()
        };
        interpolant.b = interpolant.extended.b.iter().enumerate().map(row).collect();
        interpolant
    }

    /// The degree of the polynomials.
    pub(super) fn degree(&self) -> usize {
        self.b.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// The coefficients of `θ^power` in the weights of all stages.
    pub(super) fn column(&self, power: usize) -> Vec<Number> {
        let entry = |row: &Vec<Number>| row.get(power - 1).cloned().unwrap_or(Number::ZERO);
        self.b.iter().map(entry).collect()
    }

    /// The stages that it needs, directly or through other stages.
    pub(super) fn used(&self) -> Vec<bool> {
        let enters = |row: &Vec<Number>| row.iter().any(|x| !x.is_zero());
        let weights: Vec<_> =
            self.b.iter().map(|row| if enters(row) { Number::ONE } else { Number::ZERO }).collect();
        self.extended.reaching(&weights)
    }

    /// `b_i'(0)` and `b_i'(1)`: as they have to be where the derivative is continuous, and otherwise as they are.
    pub(super) fn end_slopes(&self, i: usize) -> [Number; 2] {
        if self.smoothness > 0 {
            return self.continuous_slopes(i);
        }
        let start = self.b[i].first().cloned().unwrap_or(Number::ZERO);
        [start, self.slope_terms(i).iter().sum()]
    }

    /// The end slopes of a continuous derivative: `f(t, u)` at the start and `f(t1, y1)` at the end.
    fn continuous_slopes(&self, i: usize) -> [Number; 2] {
        let one = |here: bool| if here { Number::ONE } else { Number::ZERO };
        [one(i == 0), one(self.extended.end_stage() == Some(i))]
    }

    /// The terms of `b_i'(1)`.
    fn slope_terms(&self, i: usize) -> Vec<Number> {
        let terms = self.b[i].iter().zip(1u64..);
        terms.map(|(x, power)| x * &Number::ratio(power, 1u8)).collect()
    }

    /// Whether both end slopes of all weights are those of a continuous derivative.
    fn is_smooth(&self, conditions: &Conditions<'_>) -> bool {
        self.extended.end_stage().is_some()
            && (0..self.b.len()).all(|i| {
                let [start, end] = self.continuous_slopes(i);
                let first = self.b[i].first().cloned().unwrap_or(Number::ZERO);
                conditions.sums_to(&[first], &start)
                    && conditions.sums_to(&self.slope_terms(i), &end)
            })
    }

    /// The first tree of at most this order whose condition fails for some power of `θ`, and that power.
    fn first_failure(&self, conditions: &Conditions<'_>, order: usize) -> Option<(usize, usize)> {
        let all = conditions.trees.of_at_most(order);
        // Beyond the degree all coefficients are 0, which is right for trees of fewer vertices only.
        (1..=self.degree().max(order))
            .filter_map(|power| {
                let column = self.column(power);
                let target = Target::Term(power);
                let tree =
                    conditions.first_failure(&self.extended.a, &column, all.clone(), target)?;
                Some((tree, power))
            })
            .min()
    }

    /// The order, as far as `at_most`.
    fn proved_order(&self, conditions: &Conditions<'_>, at_most: usize) -> usize {
        let failure = self.first_failure(conditions, at_most);
        failure.map_or(at_most, |(tree, _)| conditions.trees.get(tree).order - 1)
    }
}
