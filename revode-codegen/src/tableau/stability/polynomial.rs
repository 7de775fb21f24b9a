//! Polynomials in one real variable with integer coefficients.

use std::ops::Mul;

use dashu_base::{Gcd, Signed, UnsignedAbs};
use dashu_int::{IBig, UBig};

/// The prime `2^61 − 1`, modulo which polynomials are compared first.
const PRIME: u64 = (1 << 61) - 1;

/// `Σ_k c_k x^k`, without zeros at the end; the polynomial 0 has no coefficients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Polynomial(Vec<IBig>);

impl Polynomial {
    /// The polynomial with these coefficients, that of `x^0` first.
    pub(super) fn new(mut coefficients: Vec<IBig>) -> Self {
        while coefficients.last().is_some_and(IBig::is_zero) {
            coefficients.pop();
        }
        Self(coefficients)
    }

    /// The coefficients, that of `x^0` first.
    pub(super) fn coefficients(&self) -> &[IBig] {
        &self.0
    }

    /// Whether this is the polynomial 0.
    pub(super) fn is_zero(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether this is a number.
    pub(super) fn is_constant(&self) -> bool {
        self.0.len() <= 1
    }

    /// The value at 0.
    pub(super) fn constant(&self) -> IBig {
        self.0.first().cloned().unwrap_or_default()
    }

    /// The quotient by the largest power of `x` that divides the polynomial.
    pub(super) fn without_root_at_zero(self) -> Self {
        Self(self.0.into_iter().skip_while(IBig::is_zero).collect())
    }

    /// `p(x + 1)`.
    pub(super) fn shifted(mut self) -> Self {
        let degree = self.0.len().saturating_sub(1);
        for i in 0..degree {
            for j in (i..degree).rev() {
                let (low, high) = self.0.split_at_mut(j + 1);
                low[j] += &high[0];
            }
        }
        self
    }

    /// `p(2^n x)`.
    pub(super) fn stretched(&self, n: usize) -> Self {
        Self(self.0.iter().enumerate().map(|(k, c)| c << (n * k)).collect())
    }

    /// `2^d p(x / 2)`, where `d` is the degree.
    pub(super) fn halved(&self) -> Self {
        let degree = self.0.len().saturating_sub(1);
        Self(self.0.iter().enumerate().map(|(k, c)| c << (degree - k)).collect())
    }

    /// `x^d p(1 / x)`, where `d` is the degree.
    pub(super) fn reversed(&self) -> Self {
        Self::new(self.0.iter().rev().cloned().collect())
    }

    /// How often the sign changes along the coefficients: by Descartes' rule the number of positive
    /// roots, each as often as its multiplicity, or more by an even number.
    pub(super) fn sign_changes(&self) -> usize {
        let signs = self.0.iter().filter(|c| !c.is_zero()).map(Signed::is_negative);
        signs.clone().zip(signs.skip(1)).filter(|(x, y)| x != y).count()
    }

    /// `2^(d n) p(m / 2^n)`, where `d` is the degree: the sign is that of the value.
    pub(super) fn scaled_value(&self, m: &UBig, n: usize) -> IBig {
        let (m, mut shift) = (IBig::from(m.clone()), 0);
        let mut value = IBig::ZERO;
        for c in self.0.iter().rev() {
            value = value * &m + (c << shift);
            shift += n;
        }
        value
    }

    /// The product of the factors of odd multiplicity, without repetition: it changes its sign where
    /// `p` does, and all its roots are simple. It has the sign of `p` for large `x`.
    pub(super) fn sign_part(&self) -> Self {
        if self.is_constant() || self.is_squarefree_modulo_prime() {
            return self.clone();
        }
        // With p = Π a_i^i: gcd(p, p') = Π a_i^(i-1), whose factors of odd multiplicity are those
        // of even multiplicity in p, and the quotient is Π a_i.
        let repeated = self.gcd(&self.derivative());
        if repeated.is_constant() {
            return self.clone();
        }
        let part = self.quotient(&repeated).quotient(&repeated.sign_part());
        let negative = |p: &Self| p.0.last().is_some_and(Signed::is_negative);
        if negative(&part) == negative(self) {
            part
        } else {
            Self(part.0.into_iter().map(|c| -c).collect())
        }
    }

    fn derivative(&self) -> Self {
        Self(self.0.iter().enumerate().skip(1).map(|(k, c)| c * IBig::from(k)).collect())
    }

    /// Whether the polynomial is seen to have no repeated factor: it has none modulo a prime that
    /// does not divide its leading coefficient. Most have none, and this is far cheaper than a
    /// greatest common divisor over the integers.
    fn is_squarefree_modulo_prime(&self) -> bool {
        let reduce = |p: &Self| -> Vec<u64> {
            let residue = |c: &IBig| {
                let r = c.clone().unsigned_abs() % PRIME;
                if c.is_negative() && r > 0 { PRIME - r } else { r }
            };
            p.0.iter().map(residue).collect()
        };
        let (mut p, mut q) = (reduce(self), reduce(&self.derivative()));
        // The degree is below the prime, so the derivative keeps its leading coefficient too.
        if p.last() == Some(&0) {
            return false;
        }
        while !q.is_empty() {
            remainder_modulo_prime(&mut p, &q);
            std::mem::swap(&mut p, &mut q);
        }
        p.len() == 1
    }

    /// The greatest common divisor of two polynomials that are not 0, by primitive remainders.
    fn gcd(&self, other: &Self) -> Self {
        let (mut p, mut q) = (self.clone().primitive(), other.clone().primitive());
        while !q.is_zero() {
            let rest = p.pseudo_division(&q).1.primitive();
            p = std::mem::replace(&mut q, rest);
        }
        p
    }

    /// The quotient by a divisor, up to a positive factor.
    fn quotient(&self, divisor: &Self) -> Self {
        self.pseudo_division(divisor).0.primitive()
    }

    /// Quotient and remainder of the product with a power of the divisor's leading coefficient.
    fn pseudo_division(&self, divisor: &Self) -> (Self, Self) {
        let (mut rest, lead) = (self.0.clone(), &divisor.0[divisor.0.len() - 1]);
        let mut quotient = Vec::new();
        while rest.len() >= divisor.0.len() {
            let top = rest.pop().unwrap_or_default();
            for c in rest.iter_mut().chain(&mut quotient) {
                *c *= lead;
            }
            let offset = rest.len() + 1 - divisor.0.len();
            for (c, d) in rest[offset..].iter_mut().zip(&divisor.0) {
                *c -= &top * d;
            }
            quotient.push(top);
        }
        quotient.reverse();
        (Self::new(quotient), Self::new(rest))
    }

    /// The quotient by the greatest common divisor of the coefficients.
    fn primitive(self) -> Self {
        let nonzero = self.0.iter().filter(|c| !c.is_zero()).map(|c| c.clone().unsigned_abs());
        match nonzero.reduce(Gcd::gcd) {
            Some(content) if !content.is_one() => {
                let content = IBig::from(content);
                Self(self.0.iter().map(|c| c / &content).collect())
            }
            _ => self,
        }
    }
}

impl Mul for &Polynomial {
    type Output = Polynomial;
    fn mul(self, other: Self) -> Polynomial {
        let mut product = vec![IBig::ZERO; self.0.len() + other.0.len()];
        for (i, x) in self.0.iter().enumerate() {
            for (j, y) in other.0.iter().enumerate() {
                product[i + j] += x * y;
            }
        }
        Polynomial::new(product)
    }
}

/// Replaces `p` by a multiple of its remainder modulo `q` and the prime; `q` is not 0.
fn remainder_modulo_prime(p: &mut Vec<u64>, q: &[u64]) {
    let product = |x: u64, y: u64| (u128::from(x) * u128::from(y) % u128::from(PRIME)) as u64;
    let lead = q[q.len() - 1];
    while p.len() >= q.len() {
        let top = p.pop().unwrap_or_default();
        for c in &mut *p {
            *c = product(*c, lead);
        }
        let offset = p.len() + 1 - q.len();
        for (c, d) in p[offset..].iter_mut().zip(q) {
            *c = (*c + PRIME - product(top, *d)) % PRIME;
        }
        while p.last() == Some(&0) {
            p.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polynomial(coefficients: &[i32]) -> Polynomial {
        Polynomial::new(coefficients.iter().map(|&c| IBig::from(c)).collect())
    }

    #[test]
    fn shift_and_halving() {
        assert_eq!(polynomial(&[1, 2, 3]).shifted(), polynomial(&[6, 8, 3]));
        assert_eq!(polynomial(&[1, 2, 3]).halved(), polynomial(&[4, 4, 3]));
        assert_eq!(polynomial(&[1, 2, 3]).stretched(2), polynomial(&[1, 8, 48]));
    }

    #[test]
    fn value_at_a_dyadic_number() {
        // 4 (1 + 2·3/2 + 3·9/4)
        assert_eq!(polynomial(&[1, 2, 3]).scaled_value(&UBig::from(3u8), 1), IBig::from(43));
    }

    #[test]
    fn sign_part_drops_what_is_squared() {
        let (one, two, three) =
            (polynomial(&[-1, 1]), polynomial(&[-2, 1]), polynomial(&[-3, 0, 1]));
        let product = |factors: &[&Polynomial]| {
            factors.iter().fold(polynomial(&[1]), |product, factor| &product * factor)
        };
        let p = product(&[&one, &one, &two, &two, &two, &three]);
        assert!(!p.is_squarefree_modulo_prime());
        assert_eq!(p.sign_part(), product(&[&two, &three]));
        let p = product(&[&one, &one, &three, &three, &three, &three]);
        assert_eq!(p.sign_part(), polynomial(&[1]));
        let p = product(&[&polynomial(&[-1]), &two, &one, &one]);
        assert_eq!(p.sign_part(), polynomial(&[2, -1]));
        let p = product(&[&one, &two, &three]);
        assert!(p.is_squarefree_modulo_prime());
        assert_eq!(p.sign_part(), p);
    }
}
