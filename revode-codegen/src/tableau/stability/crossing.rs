//! Where a polynomial first becomes positive, proved.
//!
//! By Descartes' rule of signs and bisection: the roots of `p` in the open unit interval are at most as
//! many as the sign changes of `(1 + x)^d p(1 / (1 + x))`, and their number has the same parity; so
//! no change proves that there is none and one change that there is one. For simple roots bisection
//! ends, by the theorem of two circles. It proves what a Sturm sequence does, whose
//! coefficients would have tens of thousands of bits here.
//!
//! Source: Collins and Akritas, *Polynomial real root isolation using Descartes' rule of signs*,
//! SYMSAC 1976; Krandick and Mehlhorn, *New bounds for the Descartes method*, J. Symb. Comput. 41
//! (2006) 49–66.

use dashu_base::{BitTest, Signed};
use dashu_int::UBig;

use super::polynomial::Polynomial;

/// The bracket's width is at most `2^-BITS` of its lower end, which so is an `f64` exactly.
const BITS: usize = 40;

/// The interval from `m · 2^e` to `(m + 1) · 2^e`, or its lower end.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Bracket {
    m: UBig,
    e: i32,
    /// Whether the root is the lower end; otherwise it is inside the open interval.
    exact: bool,
}

/// The largest `x` such that `p ≤ 0` from 0 to `x`, for a `p` with `p(0) = 0`: a lower bound that is
/// less than `2^-40` of it too small. Infinite if `p` is never positive. A root at which `p` does not
/// change its sign does not count.
pub(super) fn last_not_positive(p: Polynomial) -> f64 {
    let p = p.without_root_at_zero();
    if p.is_zero() {
        return f64::INFINITY;
    }
    if p.constant().is_positive() {
        return 0.0;
    }
    // Negative at first, it becomes positive at the first change of sign, which is a simple root of:
    let p = p.sign_part();
    first_root(&p).map_or(f64::INFINITY, |bracket| refined(&p, bracket).lower_end())
}

/// The smallest positive root of a polynomial with simple roots and none at 0.
fn first_root(p: &Polynomial) -> Option<Bracket> {
    if p.is_constant() {
        return None;
    }
    let mut found = first_in_unit(p, &UBig::ZERO, 0);
    for e in 0.. {
        if found.is_some() {
            break;
        }
        // From 2^e to 2^(e+1) as from 0 to 1.
        let beyond = p.stretched(e).shifted();
        if beyond.constant().is_zero() {
            return Some(Bracket { m: UBig::ONE, e: e as i32, exact: true });
        }
        if beyond.sign_changes() == 0 {
            return None;
        }
        found = first_in_unit(&beyond, &UBig::ONE, e as i32);
    }
    found
}

/// The smallest root inside the open unit interval, which stands for that from `m · 2^e` on.
fn first_in_unit(p: &Polynomial, m: &UBig, e: i32) -> Option<Bracket> {
    match p.reversed().shifted().sign_changes() {
        0 => None,
        1 => Some(Bracket { m: m.clone(), e, exact: false }),
        _ => {
            let (left, middle) = (p.halved(), (m << 1) + UBig::ONE);
            first_in_unit(&left, &(m << 1), e - 1).or_else(|| {
                let right = left.shifted();
                if right.constant().is_zero() {
                    return Some(Bracket { m: middle.clone(), e: e - 1, exact: true });
                }
                first_in_unit(&right, &middle, e - 1)
            })
        }
    }
}

/// A bracket of the same root as narrow as it has to be, by bisection.
fn refined(p: &Polynomial, mut bracket: Bracket) -> Bracket {
    let below = p.constant().is_negative();
    while !bracket.exact && bracket.m.bit_len() <= BITS {
        let middle = (&bracket.m << 1) + UBig::ONE;
        bracket.e -= 1;
        bracket.m <<= 1;
        let value = if bracket.e < 0 {
            p.scaled_value(&middle, bracket.e.unsigned_abs() as usize)
        } else {
            p.scaled_value(&(&middle << bracket.e as usize), 0)
        };
        bracket.exact = value.is_zero();
        if bracket.exact || value.is_negative() == below {
            bracket.m = middle;
        }
    }
    bracket
}

impl Bracket {
    /// The lower end, rounded down where it has more than 53 bits.
    fn lower_end(&self) -> f64 {
        let surplus = self.m.bit_len().saturating_sub(53);
        let m = u64::try_from(&self.m >> surplus).unwrap_or(u64::MAX);
        m as f64 * f64::from(self.e + surplus as i32).exp2()
    }
}

#[cfg(test)]
mod tests {
    use dashu_int::IBig;

    use super::*;

    fn limit(coefficients: &[i64]) -> f64 {
        last_not_positive(Polynomial::new(coefficients.iter().map(|&c| IBig::from(c)).collect()))
    }

    #[test]
    fn never_positive() {
        assert_eq!(limit(&[]), f64::INFINITY);
        assert_eq!(limit(&[0, -1]), f64::INFINITY);
        assert_eq!(limit(&[0, -2, 3, -2]), f64::INFINITY);
    }

    #[test]
    fn positive_at_once() {
        assert_eq!(limit(&[0, 0, 1, -100]), 0.0);
    }

    #[test]
    fn dyadic_roots_are_exact() {
        assert_eq!(limit(&[0, -2, 1]), 2.0);
        assert_eq!(limit(&[0, -3, 4]), 0.75);
        assert_eq!(limit(&[0, -1_000_000, 1]), 1_000_000.0);
    }

    #[test]
    fn other_roots_are_bracketed_from_below() {
        for n in [3_i64, 10, 12_345_678] {
            let (found, root) = (limit(&[0, -1, 0, n * n]), 1.0 / n as f64);
            assert!(found <= root && root * (1.0 - 1e-12) < found, "{found:e}");
        }
        let found = limit(&[0, -2, 0, 1]);
        assert!(found < 2.0_f64.sqrt() && 2.0_f64.sqrt() * (1.0 - 1e-12) < found);
    }

    /// `x (x − 1)² (x − 3)`, `x (3x − 1)² (x − 3)`: positive from 3 on only.
    #[test]
    fn a_root_that_touches_is_no_limit() {
        assert_eq!(limit(&[0, -3, 7, -5, 1]), 3.0);
        assert_eq!(limit(&[0, -3, 19, -33, 9]), 3.0);
    }

    /// `x (x − 3) ((1000x − 1234)² + 1)` touches almost; with `− 1` it is positive in between.
    #[test]
    fn a_pair_of_close_roots() {
        let p = |d: i64| {
            let (c, b, a) = (1234 * 1234 + d, -2 * 1234 * 1000, 1_000_000);
            limit(&[0, -3 * c, c - 3 * b, b - 3 * a, a])
        };
        assert_eq!(p(1), 3.0);
        assert!((p(-1) - 1.233).abs() < 1e-9);
    }
}
