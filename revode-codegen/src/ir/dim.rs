//! Sizes and shapes.

use std::collections::BTreeMap;
use std::fmt;

/// A size: an integer plus multiples of named sizes (const parameters or `dims`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Dim {
    constant: i64,
    terms: BTreeMap<String, i64>,
}

impl Dim {
    /// A literal size.
    pub fn literal(n: i64) -> Self {
        Self { constant: n, terms: BTreeMap::new() }
    }

    /// A named size.
    pub fn symbol(name: impl Into<String>) -> Self {
        Self { constant: 0, terms: BTreeMap::from([(name.into(), 1)]) }
    }

    /// The size as an integer, if it is one.
    pub fn as_literal(&self) -> Option<i64> {
        self.terms.is_empty().then_some(self.constant)
    }

    /// The name of the size, if it is just a name.
    pub fn as_symbol(&self) -> Option<&str> {
        match self.terms.iter().next() {
            Some((name, 1)) if self.terms.len() == 1 && self.constant == 0 => Some(name),
            _ => None,
        }
    }

    /// The integer part.
    pub fn constant(&self) -> i64 {
        self.constant
    }

    /// The named sizes and their factors.
    pub fn terms(&self) -> impl Iterator<Item = (&str, i64)> {
        self.terms.iter().map(|(name, &factor)| (name.as_str(), factor))
    }

    /// The sum of two sizes.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        sum.constant = sum.constant.saturating_add(other.constant);
        for (name, factor) in &other.terms {
            let entry = sum.terms.entry(name.clone()).or_default();
            *entry = entry.saturating_add(*factor);
        }
        sum.terms.retain(|_, factor| *factor != 0);
        sum
    }

    /// The difference of two sizes.
    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        self.plus(&other.times(-1))
    }

    /// A multiple of the size.
    #[must_use]
    pub fn times(&self, factor: i64) -> Self {
        let terms = self.terms.iter().map(|(name, f)| (name.clone(), f.saturating_mul(factor)));
        Self {
            constant: self.constant.saturating_mul(factor),
            terms: terms.filter(|(_, f)| *f != 0).collect(),
        }
    }

    /// How often a named size is in it.
    pub fn factor(&self, name: &str) -> i64 {
        self.terms.get(name).copied().unwrap_or(0)
    }

    /// The size where a named size has the given value.
    #[must_use]
    pub fn with(&self, name: &str, value: &Self) -> Self {
        let factor = self.factor(name);
        self.minus(&Self::symbol(name).times(factor)).plus(&value.times(factor))
    }

    /// The value of the size where the named sizes have the given values.
    ///
    /// # Panics
    /// If a name has no value, or the size is negative.
    pub fn value(&self, sizes: &BTreeMap<String, usize>) -> usize {
        let named = |name: &String| i64::try_from(sizes[name]).expect("a size fits an `i64`");
        let terms = self.terms.iter().map(|(name, factor)| factor * named(name));
        usize::try_from(self.constant + terms.sum::<i64>()).expect("a size is not negative")
    }
}

impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for (name, factor) in self.terms() {
            let sign = match (first, factor < 0) {
                (true, false) => "",
                (true, true) => "-",
                (false, false) => " + ",
                (false, true) => " - ",
            };
            first = false;
            match factor.abs() {
                1 => write!(f, "{sign}{name}")?,
                factor => write!(f, "{sign}{factor} * {name}")?,
            }
        }
        match self.constant {
            n if first => write!(f, "{n}"),
            0 => Ok(()),
            n if n < 0 => write!(f, " - {}", n.abs()),
            n => write!(f, " + {n}"),
        }
    }
}

/// The shape of a value. Matrices are stored column-major.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Shape {
    /// One number.
    Scalar,
    /// A vector of a length.
    Vector(Dim),
    /// A matrix with rows and columns.
    Matrix(Dim, Dim),
}

impl Shape {
    /// Whether this is one number.
    pub fn is_scalar(&self) -> bool {
        *self == Self::Scalar
    }

    /// The length in storage, if it is linear in the named sizes.
    pub fn length(&self) -> Option<Dim> {
        match self {
            Self::Scalar => Some(Dim::literal(1)),
            Self::Vector(n) => Some(n.clone()),
            Self::Matrix(rows, columns) => match (rows.as_literal(), columns.as_literal()) {
                (_, Some(columns)) => Some(rows.times(columns)),
                (Some(rows), None) => Some(columns.times(rows)),
                (None, None) => None,
            },
        }
    }

    /// The sizes: none, one or two.
    pub fn sizes(&self) -> Vec<Dim> {
        match self {
            Self::Scalar => vec![],
            Self::Vector(n) => vec![n.clone()],
            Self::Matrix(rows, columns) => vec![rows.clone(), columns.clone()],
        }
    }

    /// The number of components where the named sizes have the given values.
    pub fn count(&self, sizes: &BTreeMap<String, usize>) -> usize {
        self.sizes().iter().map(|size| size.value(sizes)).product()
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar => write!(f, "scalar"),
            Self::Vector(n) => write!(f, "[{n}]"),
            Self::Matrix(rows, columns) => write!(f, "[{rows}, {columns}]"),
        }
    }
}
