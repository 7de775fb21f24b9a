//! Elementary weights of trees, in whatever arithmetic a proof needs.

use dashu_base::{BitTest, RemEuclid};
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;

use super::trees::Trees;
use crate::number::{FRACTION_BITS, Number};

/// The arithmetic that weights are computed in.
pub(super) trait Arithmetic {
    /// A number.
    type Element: Clone;

    /// The image of a coefficient.
    fn convert(&self, x: &Number) -> Self::Element;
    /// `x · y`.
    fn product(&self, x: &Self::Element, y: &Self::Element) -> Self::Element;
    /// `x + y`.
    fn sum(&self, x: &Self::Element, y: &Self::Element) -> Self::Element;
}

/// Rational numbers.
#[derive(Debug)]
pub(super) struct Rational;

impl Arithmetic for Rational {
    type Element = RBig;

    /// Roots have no rational value: their fixed-point value stands for them.
    fn convert(&self, x: &Number) -> RBig {
        x.as_rational()
            .cloned()
            .unwrap_or_else(|| RBig::from_parts(x.to_fixed(), UBig::ONE << FRACTION_BITS))
    }
    fn product(&self, x: &RBig, y: &RBig) -> RBig {
        x * y
    }
    fn sum(&self, x: &RBig, y: &RBig) -> RBig {
        x + y
    }
}

/// Fixed-point numbers with [`FRACTION_BITS`].
#[derive(Debug)]
pub(super) struct FixedPoint;

impl Arithmetic for FixedPoint {
    type Element = IBig;

    fn convert(&self, x: &Number) -> IBig {
        x.to_fixed()
    }
    fn product(&self, x: &IBig, y: &IBig) -> IBig {
        (x * y) >> FRACTION_BITS
    }
    fn sum(&self, x: &IBig, y: &IBig) -> IBig {
        x + y
    }
}

/// Residues of rational numbers modulo a prime below 2³¹ that divides none of their denominators.
#[derive(Debug)]
pub(super) struct Residues {
    prime: u64,
}

impl Residues {
    /// Residues modulo `prime`.
    pub(super) fn modulo(prime: u64) -> Self {
        Self { prime }
    }

    /// Whether the number has a residue.
    pub(super) fn admits(&self, x: &RBig) -> bool {
        x.denominator().rem_euclid(&UBig::from(self.prime)) != UBig::ZERO
    }

    /// The residue of `x`.
    pub(super) fn reduce(&self, x: &RBig) -> u64 {
        let p = UBig::from(self.prime);
        let residue = |n: UBig| u64::try_from(n).unwrap_or(0);
        let numerator = residue(x.numerator().rem_euclid(IBig::from(p.clone())));
        let denominator = residue(x.denominator().rem_euclid(&p));
        numerator * power(denominator, self.prime - 2, self.prime) % self.prime
    }
}

impl Arithmetic for Residues {
    type Element = u64;

    fn convert(&self, x: &Number) -> u64 {
        self.reduce(&Rational.convert(x))
    }
    fn product(&self, x: &u64, y: &u64) -> u64 {
        x * y % self.prime
    }
    fn sum(&self, x: &u64, y: &u64) -> u64 {
        let sum = x + y;
        if sum < self.prime { sum } else { sum - self.prime }
    }
}

/// The primes below 2³¹, from the largest downwards.
pub(super) fn primes() -> impl Iterator<Item = u64> {
    (0..1u64 << 29).map(|k| (1 << 31) - 1 - 2 * k).filter(|&n| is_prime(n))
}

/// Miller and Rabin's test; these bases decide every `n` below 3·10⁹ (Jaeschke 1993).
fn is_prime(n: u64) -> bool {
    let twos = (n - 1).trailing_zeros();
    [2, 3, 5, 7].iter().all(|&base| {
        let mut x = power(base, (n - 1) >> twos, n);
        if x == 1 || x == n - 1 {
            return true;
        }
        (1..twos).any(|_| {
            x = x * x % n;
            x == n - 1
        })
    })
}

fn power(base: u64, exponent: u64, modulus: u64) -> u64 {
    let (mut result, mut square, mut exponent) = (1, base % modulus, exponent);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result * square % modulus;
        }
        square = square * square % modulus;
        exponent >>= 1;
    }
    result
}

/// The bits that the numerator of any elementary weight's residual can have, for trees of this
/// order: a residual whose residues vanish modulo primes of more bits in all is zero.
///
/// With `D` the common denominator of `a` and `E` that of `b`, the weight is a multiple of
/// `1 / (E D^(n-1))` and at most `β α^(n-1)`, where `β = Σ |b_i|` and `α = max_i Σ_j |a_ij|`.
pub(super) fn residual_bits(a: &[Vec<Number>], b: &[Number], order: usize) -> usize {
    let bits = |numbers: &[&Number]| {
        let denominators = numbers.iter().fold(UBig::ONE, |lcm, x| {
            let d = Rational.convert(x).denominator().clone();
            let gcd = dashu_base::Gcd::gcd(&lcm, &d);
            lcm / gcd * d
        });
        denominators.bit_len()
    };
    let magnitude = |row: &[Number]| {
        let sum: Number = row.iter().map(Number::abs).collect::<Vec<_>>().iter().sum();
        Rational.convert(&sum).ceil().bit_len()
    };
    let alpha = a.iter().map(|row| magnitude(row)).max().unwrap_or(0);
    let per_edge = bits(&a.iter().flatten().collect::<Vec<_>>()) + alpha;
    let root = bits(&b.iter().collect::<Vec<_>>()) + magnitude(b);
    // 40 bits for the density, which is at most 14! < 2^37, and the subtraction.
    root + (order - 1) * per_edge + 40
}

/// The elementary weights of a tableau: each intermediate result is computed when it is first
/// needed, and kept.
#[derive(Debug)]
pub(super) struct ElementaryWeights<'t, A: Arithmetic> {
    arithmetic: A,
    trees: &'t Trees,
    /// The nonzero entries of each row.
    a: Sparse<A::Element>,
    /// Those of the matrix of the vertices with one child, where that is another one.
    chain: Option<Sparse<A::Element>>,
    zero: A::Element,
    one: A::Element,
    /// For each tree and stage: the product of the stage's internal weights over the subtrees.
    derivative: Vec<Option<Vec<A::Element>>>,
    /// The same as if the root had one child more.
    branch: Vec<Option<Vec<A::Element>>>,
    /// For each tree and stage: `Σ_j a_ij derivative_j`, below a vertex with other children.
    internal: Vec<Option<Vec<A::Element>>>,
}

/// For each row its columns and entries that are not 0.
type Sparse<E> = Vec<Vec<(usize, E)>>;

impl<'t, A: Arithmetic> ElementaryWeights<'t, A> {
    /// The weights of the tableau with the lower matrix `a`, and the matrix of a `chain` where that is another one.
    pub(super) fn new(
        arithmetic: A,
        trees: &'t Trees,
        a: &[Vec<Number>],
        chain: Option<&[Vec<Number>]>,
    ) -> Self {
        let sparse_row = |row: &Vec<Number>| {
            let nonzero = row.iter().enumerate().filter(|(_, x)| !x.is_zero());
            nonzero.map(|(j, x)| (j, arithmetic.convert(x))).collect()
        };
        let sparse = |a: &[Vec<Number>]| a.iter().map(sparse_row).collect();
        let (a, chain) = (sparse(a), chain.map(sparse));
        let (zero, one) = (arithmetic.convert(&Number::ZERO), arithmetic.convert(&Number::ONE));
        let count = trees.of_at_most(trees.max_order()).len();
        let none = || vec![None; count];
        let (derivative, branch, internal) = (none(), none(), none());
        Self { arithmetic, trees, a, chain, zero, one, derivative, branch, internal }
    }

    /// The arithmetic.
    pub(super) fn arithmetic(&self) -> &A {
        &self.arithmetic
    }

    /// The elementary weight `Φ(τ)` for these weights of the stages.
    pub(super) fn weight(&mut self, b: &[A::Element], tree: usize) -> A::Element {
        self.prepare(tree);
        let derivative = self.derivative[tree].as_deref().unwrap_or_default();
        b.iter().zip(derivative).fold(self.zero.clone(), |sum, (b, d)| {
            self.arithmetic.sum(&sum, &self.arithmetic.product(b, d))
        })
    }

    /// The derivative weights of the stages for a tree.
    pub(super) fn derivative(&mut self, tree: usize) -> &[A::Element] {
        self.prepare(tree);
        self.derivative[tree].as_deref().unwrap_or_default()
    }

    /// Computes `derivative` of the tree, and what it is made of.
    fn prepare(&mut self, tree: usize) {
        if self.derivative[tree].is_some() {
            return;
        }
        let stages = match (self.trees.get(tree).parts, &self.chain) {
            (None, _) => vec![self.one.clone(); self.a.len()],
            (Some((0, last)), Some(_)) => {
                self.prepare(last);
                let derivative = self.derivative[last].as_deref().unwrap_or_default();
                self.chain.iter().flat_map(|chain| self.sums(chain, derivative)).collect()
            }
            (Some(_), _) => self.branch(tree),
        };
        self.derivative[tree] = Some(stages);
    }

    /// The product of the internal weights below a vertex that has these subtrees, and others too where it is one.
    fn branch(&mut self, tree: usize) -> Vec<A::Element> {
        if let Some(stages) = &self.branch[tree] {
            return stages.clone();
        }
        let stages = match self.trees.get(tree).parts {
            None => vec![self.one.clone(); self.a.len()],
            Some((rest, last)) => {
                let rest = self.branch(rest);
                self.prepare_internal(last);
                let last = self.internal[last].as_deref().unwrap_or_default();
                rest.iter().zip(last).map(|(x, y)| self.arithmetic.product(x, y)).collect()
            }
        };
        self.branch[tree] = Some(stages.clone());
        stages
    }

    fn prepare_internal(&mut self, tree: usize) {
        if self.internal[tree].is_some() {
            return;
        }
        self.prepare(tree);
        let derivative = self.derivative[tree].as_deref().unwrap_or_default();
        self.internal[tree] = Some(self.sums(&self.a, derivative));
    }

    /// `Σ_j a_ij derivative_j`.
    fn sums(&self, a: &Sparse<A::Element>, derivative: &[A::Element]) -> Vec<A::Element> {
        let row = |row: &Vec<(usize, A::Element)>| {
            row.iter().fold(self.zero.clone(), |sum, (j, a)| {
                self.arithmetic.sum(&sum, &self.arithmetic.product(a, &derivative[*j]))
            })
        };
        a.iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_are_prime() {
        for p in primes().take(20) {
            assert!((2..p).take_while(|d| d * d <= p).all(|d| p % d != 0), "{p}");
        }
        assert_eq!(primes().next(), Some((1 << 31) - 1));
    }

    #[test]
    fn residues_are_homomorphic() {
        let residues = Residues::modulo(2_147_483_647);
        let (x, y) = (Number::ratio(-355, 33u8), Number::ratio(46732, 5247u32));
        let convert = |x: &Number| residues.convert(x);
        assert_eq!(convert(&(&x * &y)), residues.product(&convert(&x), &convert(&y)));
        assert_eq!(convert(&(&x + &y)), residues.sum(&convert(&x), &convert(&y)));
    }
}
