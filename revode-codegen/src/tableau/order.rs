//! Order conditions: `Φ(τ) = 1/γ(τ)` for all rooted trees `τ` up to the order.
//!
//! Source: Butcher (2016), theorem 315A; Hairer, Nørsett and Wanner I, theorem II.2.13.

use std::ops::Range;

use dashu_base::Abs;
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

use super::trees::{Tree, Trees};
use super::weights::{ElementaryWeights, FixedPoint, Rational, Residues, primes, residual_bits};
use crate::number::{FRACTION_BITS, Number};

/// How exactly a condition has to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precision {
    /// Exactly: all coefficients are rational.
    Exact,
    /// Every coefficient is right to this number of significant digits `d`, so that
    /// `|Φ(τ) − 1/γ(τ)| ≤ n 10^{-d} |Φ|(τ)`, where `n` is the number of vertices of `τ` and `|Φ|`
    /// the elementary weight with absolute values of all coefficients: what `n` factors, each off
    /// by `10^{-d}` of itself, can do to the sum.
    Digits(u32),
}

/// What the elementary weights are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// The exact solution: `1/γ(τ)`.
    Solution,
    /// The identity: 0.
    Identity,
    /// The coefficient of this power of `θ` in the exact solution `y(t + θh)`: `1/γ(τ)` for the trees with so many
    /// vertices, and 0 for all others.
    Term(usize),
}

impl Target {
    /// Whether the weight of a tree with `order` vertices is compared with `1/γ(τ)`, and not with 0.
    fn is_solution(self, order: usize) -> bool {
        match self {
            Self::Solution => true,
            Self::Identity => false,
            Self::Term(power) => power == order,
        }
    }
}

/// The conditions that a tableau is held to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conditions<'t> {
    /// The trees.
    pub trees: &'t Trees,
    /// The precision.
    pub precision: Precision,
    /// The matrix of the vertices with one child, where that is another one than that of the others: the `β` of Rosenbrock
    /// methods (`rosenbrock/`).
    pub chain: Option<&'t [Vec<Number>]>,
}

impl Conditions<'_> {
    /// The first of these trees whose condition fails for the matrix `a` and the weights `b`.
    pub(super) fn first_failure(
        &self,
        a: &[Vec<Number>],
        b: &[Number],
        trees: Range<usize>,
        target: Target,
    ) -> Option<usize> {
        if trees.is_empty() {
            return None;
        }
        match self.precision {
            Precision::Exact => self.first_failure_exact(a, b, trees, target),
            Precision::Digits(digits) => self.first_failure_rounded(a, b, trees, target, digits),
        }
    }

    /// The order of the method with the weights `b`, as far as the trees go.
    pub(super) fn order(&self, a: &[Vec<Number>], b: &[Number]) -> usize {
        let all = self.trees.of_at_most(self.trees.max_order());
        match self.first_failure(a, b, all, Target::Solution) {
            Some(tree) => self.trees.get(tree).order - 1,
            None => self.trees.max_order(),
        }
    }

    /// Whether the method with the weights `b` has at least this order.
    pub(super) fn has_order(&self, a: &[Vec<Number>], b: &[Number], order: usize) -> bool {
        self.first_failure(a, b, self.trees.of_at_most(order), Target::Solution).is_none()
    }

    /// A proof by residues: a rational number whose numerator vanishes modulo primes that have more
    /// bits in all than it has is zero; one residue that does not vanish refutes the condition.
    fn first_failure_exact(
        &self,
        a: &[Vec<Number>],
        b: &[Number],
        trees: Range<usize>,
        target: Target,
    ) -> Option<usize> {
        let order = self.trees.get(trees.end - 1).order;
        let all: Vec<_> = a.iter().chain(self.chain.into_iter().flatten()).cloned().collect();
        let bits = residual_bits(&all, b, order);
        let mut proved = 0;
        // Only trees before the first failure so far are left to be proved.
        let mut open = trees;
        let mut failure = None;
        for prime in primes() {
            let residues = Residues::modulo(prime);
            let mut numbers = all.iter().flatten().chain(b).filter_map(Number::as_rational);
            if !numbers.all(|x| residues.admits(x)) {
                continue;
            }
            let mut weights = ElementaryWeights::new(residues, self.trees, a, self.chain);
            let b: Vec<_> = b.iter().map(|x| weights.arithmetic().reduce(&rational(x))).collect();
            let fails = |&tree: &usize| {
                let weight = weights.weight(&b, tree);
                let Tree { order, density, .. } = self.trees.get(tree);
                if target.is_solution(order) { weight * density % prime != 1 } else { weight != 0 }
            };
            if let Some(tree) = open.clone().find(fails) {
                (failure, open) = (Some(tree), open.start..tree);
            }
            proved += 30;
            if proved > bits || open.is_empty() {
                break;
            }
        }
        failure
    }

    fn first_failure_rounded(
        &self,
        a: &[Vec<Number>],
        b: &[Number],
        trees: Range<usize>,
        target: Target,
        digits: u32,
    ) -> Option<usize> {
        let absolute = |row: &[Number]| row.iter().map(Number::abs).collect::<Vec<_>>();
        let fixed = |row: &[Number]| row.iter().map(Number::to_fixed).collect::<Vec<_>>();
        let absolute_rows =
            |a: &[Vec<Number>]| a.iter().map(|row| absolute(row)).collect::<Vec<_>>();
        let (absolute_a, absolute_chain) = (absolute_rows(a), self.chain.map(absolute_rows));
        let mut weights = ElementaryWeights::new(FixedPoint, self.trees, a, self.chain);
        let chain = absolute_chain.as_deref();
        let mut bounds = ElementaryWeights::new(FixedPoint, self.trees, &absolute_a, chain);
        let (b, absolute_b) = (fixed(b), fixed(&absolute(b)));
        let scale = IBig::from(10u8).pow(digits as usize);
        for tree in trees {
            let vertices = IBig::from(self.trees.get(tree).order);
            let weight = weights.weight(&b, tree);
            let residual = (&weight - self.expected_fixed(tree, target)).abs() * &scale;
            // `|Φ(τ)| ≤ |Φ|(τ)`: most conditions need no more than the weight itself.
            if residual <= &weight.abs() * &vertices {
                continue;
            }
            if residual > bounds.weight(&absolute_b, tree) * vertices {
                return Some(tree);
            }
        }
        None
    }

    fn expected_fixed(&self, tree: usize, target: Target) -> IBig {
        let Tree { order, density, .. } = self.trees.get(tree);
        if target.is_solution(order) {
            (IBig::ONE << FRACTION_BITS) / IBig::from(density)
        } else {
            IBig::ZERO
        }
    }

    /// The elementary weight of one tree and what it should be.
    pub(super) fn weight(
        &self,
        a: &[Vec<Number>],
        b: &[Number],
        tree: usize,
        target: Target,
    ) -> (Number, Number) {
        let mut weights = ElementaryWeights::new(Rational, self.trees, a, self.chain);
        let b: Vec<_> = b.iter().map(rational).collect();
        let (p, q) = weights.weight(&b, tree).into_parts();
        let Tree { order, density, .. } = self.trees.get(tree);
        let expected = if target.is_solution(order) {
            Number::ratio(1, UBig::from(density))
        } else {
            Number::ZERO
        };
        (Number::ratio(p, q), expected)
    }

    /// Whether numbers sum to another one, as exactly as the coefficients are known.
    pub(super) fn sums_to(&self, numbers: &[Number], sum: &Number) -> bool {
        let residual = (&numbers.iter().sum::<Number>() - sum).abs();
        let Precision::Digits(digits) = self.precision else {
            return residual.is_zero();
        };
        let magnitudes: Vec<_> = numbers.iter().chain([sum]).map(Number::abs).collect();
        let bound: Number = magnitudes.iter().sum();
        let scale = IBig::from(10u8).pow(digits as usize);
        residual.to_fixed() * scale <= bound.to_fixed()
    }

    /// The stages whose rows of `a` enter the condition of a tree, counted from 0.
    pub(super) fn rows(&self, a: &[Vec<Number>], b: &[Number], tree: usize) -> Vec<usize> {
        let mut weights = ElementaryWeights::new(Rational, self.trees, a, self.chain);
        let mut rows = vec![false; a.len()];
        let roots: Vec<bool> = b.iter().map(|x| !x.is_zero()).collect();
        self.visit(&mut weights, a, tree, &roots, &mut rows);
        (0..a.len()).filter(|&i| rows[i]).collect()
    }

    /// Marks the rows that vertices with subtrees can stand for, from the root outwards.
    fn visit(
        &self,
        weights: &mut ElementaryWeights<'_, Rational>,
        a: &[Vec<Number>],
        tree: usize,
        candidates: &[bool],
        rows: &mut [bool],
    ) {
        let subtrees = self.trees.subtrees(tree);
        if subtrees.is_empty() {
            return;
        }
        let contributes = weights.derivative(tree).iter().map(|x| !x.is_zero());
        let here: Vec<_> = contributes.zip(candidates).map(|(x, y)| x && *y).collect();
        rows.iter_mut().zip(&here).for_each(|(row, used)| *row |= used);
        let next: Vec<_> =
            (0..a.len()).map(|j| (j + 1..a.len()).any(|i| here[i] && !a[i][j].is_zero())).collect();
        for subtree in subtrees {
            self.visit(weights, a, subtree, &next, rows);
        }
    }
}

fn rational(x: &Number) -> RBig {
    use super::weights::Arithmetic as _;
    Rational.convert(x)
}
