//! Exact coefficients: rational numbers, and roots to far more digits than any claim needs.

use std::fmt;
use std::ops::{Add, Mul, Neg, Sub};

use dashu_base::{Abs, Signed, SquareRoot};
use dashu_int::{IBig, UBig};
use dashu_ratio::RBig;
use syn::{BinOp, Expr, Lit, UnOp};

use crate::diagnostics::Diagnostics;

/// The fraction bits of a number that has no exact form: 77 digits, so that 40 are left after any
/// proof.
pub const FRACTION_BITS: usize = 256;

/// Limits of a literal, so that no coefficient can keep the compiler busy.
const LITERAL_DIGITS: usize = 400;
const LITERAL_EXPONENT: u32 = 400;

/// A coefficient: a rational number, exactly, or a fixed-point number with [`FRACTION_BITS`].
///
/// Sums, differences, products and quotients of rational numbers are rational; what a root enters
/// is rounded to fixed point, and so are the results of all further operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number(Form);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Form {
    Rational(RBig),
    Fixed(IBig),
}

impl Number {
    /// 0.
    pub const ZERO: Self = Self(Form::Rational(RBig::ZERO));
    /// 1.
    pub const ONE: Self = Self(Form::Rational(RBig::ONE));

    /// The number `p / q`; `q` is positive.
    pub fn ratio(p: impl Into<IBig>, q: impl Into<UBig>) -> Self {
        Self(Form::Rational(RBig::from_parts(p.into(), q.into())))
    }

    /// The number `n / 2^FRACTION_BITS`.
    pub fn from_fixed(n: IBig) -> Self {
        Self(Form::Fixed(n))
    }

    /// The value of an expression over integers, decimals, `sqrt(…)`, `+ - * /` and parentheses.
    ///
    /// # Errors
    /// Adds to `errors`, at the token in question, whatever else the expression contains, and
    /// returns `None`.
    pub fn parse(expression: &Expr, errors: &mut Diagnostics) -> Option<Self> {
        errors.take(evaluate(expression))
    }

    /// Whether the number is 0.
    pub fn is_zero(&self) -> bool {
        match &self.0 {
            Form::Rational(x) => x.is_zero(),
            Form::Fixed(x) => x.is_zero(),
        }
    }

    /// The exact value, if the number has one.
    pub fn as_rational(&self) -> Option<&RBig> {
        match &self.0 {
            Form::Rational(x) => Some(x),
            Form::Fixed(_) => None,
        }
    }

    /// `self · 2^FRACTION_BITS`, rounded down to an integer.
    pub fn to_fixed(&self) -> IBig {
        match &self.0 {
            Form::Rational(x) => {
                (x.numerator().clone() << FRACTION_BITS) / IBig::from(x.denominator().clone())
            }
            Form::Fixed(x) => x.clone(),
        }
    }

    /// The nearest `f64`.
    pub fn to_f64(&self) -> f64 {
        match &self.0 {
            Form::Rational(x) => x.to_f64().value(),
            Form::Fixed(x) => {
                RBig::from_parts(x.clone(), UBig::ONE << FRACTION_BITS).to_f64().value()
            }
        }
    }

    /// The absolute value.
    #[must_use]
    pub fn abs(&self) -> Self {
        match &self.0 {
            Form::Rational(x) => Self(Form::Rational(x.clone().abs())),
            Form::Fixed(x) => Self(Form::Fixed(x.clone().abs())),
        }
    }

    /// The quotient, unless `divisor` is 0.
    pub fn checked_div(&self, divisor: &Self) -> Option<Self> {
        if divisor.is_zero() {
            return None;
        }
        Some(match (&self.0, &divisor.0) {
            (Form::Rational(x), Form::Rational(y)) => Self(Form::Rational(x / y)),
            _ => Self(Form::Fixed((self.to_fixed() << FRACTION_BITS) / divisor.to_fixed())),
        })
    }

    /// The square root, unless the number is negative. Exact for squares of rational numbers.
    pub fn checked_sqrt(&self) -> Option<Self> {
        if let Form::Rational(x) = &self.0 {
            let p = UBig::try_from(x.numerator().clone()).ok()?;
            let (q, root_p, root_q) = (x.denominator(), p.sqrt(), x.denominator().sqrt());
            if root_p.sqr() == p && root_q.sqr() == *q {
                return Some(Self::ratio(root_p, root_q));
            }
        }
        let scaled = UBig::try_from(self.to_fixed() << FRACTION_BITS).ok()?;
        Some(Self(Form::Fixed(scaled.sqrt().into())))
    }

    /// Whether two numbers are equal, as far as their forms can tell: exactly, or to 60 digits.
    pub fn same(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Form::Rational(x), Form::Rational(y)) => x == y,
            _ => (self.to_fixed() - other.to_fixed()).abs() < (IBig::ONE << (FRACTION_BITS - 200)),
        }
    }
}

macro_rules! arithmetic {
    ($($Trait:ident $method:ident: $x:ident $y:ident => $fixed:expr;)*) => {$(
        impl $Trait for &Number {
            type Output = Number;
            fn $method(self, other: Self) -> Number {
                Number(match (&self.0, &other.0) {
                    (Form::Rational(x), Form::Rational(y)) => Form::Rational($Trait::$method(x, y)),
                    _ => {
                        let ($x, $y) = (self.to_fixed(), other.to_fixed());
                        Form::Fixed($fixed)
                    }
                })
            }
        }
    )*};
}

arithmetic! {
    Add add: x y => x + y;
    Sub sub: x y => x - y;
    Mul mul: x y => (x * y) >> FRACTION_BITS;
}

impl Neg for &Number {
    type Output = Number;
    fn neg(self) -> Number {
        &Number::ZERO - self
    }
}

impl<'a> std::iter::Sum<&'a Number> for Number {
    fn sum<I: Iterator<Item = &'a Self>>(numbers: I) -> Self {
        numbers.fold(Self::ZERO, |sum, x| &sum + x)
    }
}

/// A short fraction as it is, a short decimal as a decimal, everything else with 12 significant
/// digits.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(x) = self.as_rational() {
            let text = x.to_string();
            let places = IBig::from(10u8).pow(12);
            let is_decimal = (x * RBig::from(places)).denominator().is_one();
            if text.len() <= 9 || (text.len() <= 18 && !is_decimal) {
                return f.write_str(&text);
            }
        }
        let (x, text) = (self.to_f64(), format!("{:.11e}", self.to_f64()));
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        match exponent.parse::<i32>() {
            Ok(e) if (-4..12).contains(&e) => {
                let digits = usize::try_from(11 - e).unwrap_or(0);
                f.write_str(trimmed(&format!("{x:.digits$}")))
            }
            _ => write!(f, "{}e{exponent}", trimmed(mantissa)),
        }
    }
}

/// A decimal without zeros at its end.
fn trimmed(decimal: &str) -> &str {
    if decimal.contains('.') {
        decimal.trim_end_matches('0').trim_end_matches('.')
    } else {
        decimal
    }
}

fn evaluate(expression: &Expr) -> syn::Result<Number> {
    let error = |message: &str| Err(syn::Error::new_spanned(expression, message));
    match expression {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(x) if x.suffix().is_empty() => decimal(x, x.base10_digits()),
            Lit::Float(x) if x.suffix().is_empty() => decimal(x, x.base10_digits()),
            Lit::Int(_) | Lit::Float(_) => {
                error("a coefficient is exact: write it without a type suffix")
            }
            _ => error("a coefficient is a number"),
        },
        Expr::Paren(inner) => evaluate(&inner.expr),
        Expr::Group(inner) => evaluate(&inner.expr),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => Ok(-&evaluate(&unary.expr)?),
        Expr::Binary(binary) => {
            let x = evaluate(&binary.left);
            let y = evaluate(&binary.right);
            let (x, y) = match (x, y) {
                (Ok(x), Ok(y)) => (x, y),
                (Err(mut x), Err(y)) => {
                    x.combine(y);
                    return Err(x);
                }
                (Err(e), _) | (_, Err(e)) => return Err(e),
            };
            match binary.op {
                BinOp::Add(_) => Ok(&x + &y),
                BinOp::Sub(_) => Ok(&x - &y),
                BinOp::Mul(_) => Ok(&x * &y),
                BinOp::Div(_) => x
                    .checked_div(&y)
                    .ok_or_else(|| syn::Error::new_spanned(&binary.right, "division by zero")),
                _ => error("a coefficient is made with `+ - * /` and `sqrt(…)`"),
            }
        }
        Expr::Call(call) => {
            let is_sqrt = matches!(&*call.func, Expr::Path(path) if path.path.is_ident("sqrt"));
            match (is_sqrt, call.args.first(), call.args.len()) {
                (true, Some(argument), 1) => match evaluate(argument)?.checked_sqrt() {
                    Some(root) => Ok(root),
                    None => error("the square root of a negative number is not a coefficient"),
                },
                (true, ..) => error("`sqrt` takes one argument"),
                (false, ..) => Err(syn::Error::new_spanned(
                    &call.func,
                    "the only function of a coefficient is `sqrt(…)`",
                )),
            }
        }
        _ => error(
            "a coefficient is an expression over integers, decimals, `sqrt(…)`, `+ - * /` and parentheses",
        ),
    }
}

/// The exact value of a literal such as `161`, `0.161` or `1.61e-1`.
fn decimal(literal: &impl quote::ToTokens, text: &str) -> syn::Result<Number> {
    let error = |message: String| syn::Error::new_spanned(literal, message);
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i32 = exponent.parse().unwrap_or(i32::MAX);
    if whole.len() + fraction.len() > LITERAL_DIGITS || exponent.unsigned_abs() > LITERAL_EXPONENT {
        return Err(error(format!(
            "a coefficient has at most {LITERAL_DIGITS} digits and an exponent of at most ±{LITERAL_EXPONENT}"
        )));
    }
    let digits: IBig = format!("{whole}{fraction}")
        .parse()
        .map_err(|_| error("a coefficient is a decimal number".to_owned()))?;
    let scale = exponent - i32::try_from(fraction.len()).unwrap_or(0);
    let power = UBig::from(10u8).pow(scale.unsigned_abs() as usize);
    Ok(if scale < 0 {
        Number::ratio(digits, power)
    } else {
        Number::ratio(digits * IBig::from(power), 1u8)
    })
}

/// Whether a number is below 0.
pub fn is_negative(x: &Number) -> bool {
    match &x.0 {
        Form::Rational(x) => x.is_negative(),
        Form::Fixed(x) => x.is_negative(),
    }
}
