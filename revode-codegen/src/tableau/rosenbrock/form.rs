//! The two forms of a Rosenbrock method: `α`, `γ` and `b`, in which conditions are stated, and `a`, `c` and `m`, in which a
//! step takes no product with the Jacobian.
//!
//! With the lower triangular matrix `Γ = (γ_ij)`, whose diagonal is `γ`: `(a_ij) = (α_ij) Γ⁻¹`, `(c_ij) = diag(γ⁻¹) − Γ⁻¹` and
//! `m = b Γ⁻¹`. Source: Hairer and Wanner II, (7.24).

use super::parse::{Declaration, Entries, Weights};
use crate::diagnostics::Diagnostics;
use crate::number::Number;
use crate::tableau::check::{MAX_STAGES, count};
use crate::tableau::parse::Row;

type Matrix = Vec<Vec<Number>>;

/// A method in both forms. Strictly lower matrices have `i` entries in row `i`, `Γ` one more.
#[derive(Debug, Clone)]
pub(super) struct Form {
    pub(super) gamma: Number,
    pub(super) alpha: Matrix,
    pub(super) gammas: Matrix,
    pub(super) b: Vec<Number>,
    pub(super) b_embedded: Option<Vec<Number>>,
    pub(super) a: Matrix,
    pub(super) c: Matrix,
    pub(super) m: Vec<Number>,
    pub(super) m_embedded: Option<Vec<Number>>,
}

impl Form {
    /// The number of stages.
    pub(super) fn stages(&self) -> usize {
        self.b.len()
    }

    /// The linearly implicit Euler method.
    pub(super) fn euler(embedded: bool) -> Self {
        let one = || vec![Number::ONE];
        let zero = || embedded.then(|| vec![Number::ZERO]);
        Self {
            gamma: Number::ONE,
            alpha: vec![vec![]],
            gammas: vec![one()],
            b: one(),
            b_embedded: zero(),
            a: vec![vec![]],
            c: vec![vec![]],
            m: one(),
            m_embedded: zero(),
        }
    }

    /// `β_ij = α_ij + γ_ij`, with the diagonal.
    pub(super) fn beta(&self) -> Matrix {
        let row = |(alpha, gammas): (&Vec<Number>, &Vec<Number>)| {
            let last = gammas.last().cloned();
            alpha.iter().zip(gammas).map(|(a, g)| a + g).chain(last).collect()
        };
        self.alpha.iter().zip(&self.gammas).map(row).collect()
    }

    /// The weights of stage derivatives from those of the `K_i`.
    pub(super) fn weights(&self, of_k: &[Number]) -> Vec<Number> {
        row_times(of_k, &self.gammas)
    }

    /// All coefficients as they were written.
    pub(super) fn written(&self, transformed: bool) -> impl Iterator<Item = &Number> {
        let (rows, weights, embedded) = if transformed {
            ([&self.a, &self.c], &self.m, &self.m_embedded)
        } else {
            ([&self.alpha, &self.gammas], &self.b, &self.b_embedded)
        };
        let rows = rows.into_iter().flatten().flatten();
        rows.chain(weights).chain(embedded.iter().flatten()).chain([&self.gamma])
    }
}

/// The method as declared, in both forms.
///
/// # Errors
/// Every row that has the wrong length, at the row; a diagonal that is 0.
pub(super) fn read(declaration: &Declaration) -> syn::Result<Form> {
    shapes(declaration)?;
    let gamma = declaration.gamma.value.clone();
    let Some(inverse) = Number::ONE.checked_div(&gamma) else {
        let message = "`gamma` is 0: that is no implicit method";
        return Err(syn::Error::new_spanned(&declaration.gamma.place, message));
    };
    let Entries { left, right, transformed, .. } = &declaration.entries;
    let rows = |rows: &[Row]| rows.iter().map(Row::values).collect::<Matrix>();
    let (left, right) = (rows(&left.0), rows(&right.0));
    let Weights { main, embedded } = &declaration.weights;
    let weights = (main.values(), embedded.as_ref().map(Row::values));
    Ok(if *transformed {
        // Γ⁻¹ has `−c` below its diagonal.
        let gammas = inverse_of(&right, &gamma, |x, gamma| x * gamma);
        let product = |row: &[Number]| row_times(row, &gammas);
        let alpha = left.iter().map(|row| product(row)).collect();
        let (b, b_embedded) = (product(&weights.0), weights.1.as_deref().map(product));
        let (m, m_embedded) = weights;
        Form { gamma, alpha, gammas, b, b_embedded, a: left, c: right, m, m_embedded }
    } else {
        let inverted = inverse_of(&right, &inverse, |x, inverse| -&(x * inverse));
        let product = |row: &[Number]| row_times(row, &inverted);
        let a = left.iter().map(|row| product(row)).collect();
        let below = |(i, row): (usize, &Vec<Number>)| row[..i].iter().map(|x| -x).collect();
        let c = inverted.iter().enumerate().map(below).collect();
        let with_diagonal = |row: Vec<Number>| row.into_iter().chain([gamma.clone()]).collect();
        let gammas = right.into_iter().map(with_diagonal).collect();
        let (m, m_embedded) = (product(&weights.0), weights.1.as_deref().map(product));
        let (b, b_embedded) = weights;
        Form { gamma, alpha: left, gammas, b, b_embedded, a, c, m, m_embedded }
    })
}

fn shapes(declaration: &Declaration) -> syn::Result<()> {
    let mut errors = Diagnostics::new();
    let Weights { main, embedded } = &declaration.weights;
    let Entries { left, right, .. } = &declaration.entries;
    let (names, stages) = (declaration.names(), main.entries.len());
    if stages == 0 || stages > MAX_STAGES {
        let message =
            format!("a method has 1 to {MAX_STAGES} stages, one weight in `{}` each", names[2]);
        errors.error(&main.place, message);
    }
    for (name, (rows, place)) in names.into_iter().zip([left, right]) {
        if rows.len() != stages {
            let message = format!(
                "`{name}` has {}, but `{}` has {}: each stage has one of both, the first stage the empty row `[]`",
                count(rows.len(), "row"),
                names[2],
                count(stages, "weight"),
            );
            errors.error(place, message);
            continue;
        }
        for (i, row) in rows.iter().enumerate().filter(|(i, row)| row.entries.len() != *i) {
            let message = format!(
                "row {} of `{name}` has {}, and needs {i}: one for each stage before its own",
                i + 1,
                count(row.entries.len(), "entry"),
            );
            errors.error(&row.place, message);
        }
    }
    let interpolant = declaration.interpolant.iter().flat_map(|interpolant| &interpolant.rows);
    for row in embedded.iter().chain(interpolant) {
        if row.entries.len() != stages {
            let (found, needed) = (count(row.entries.len(), "entry"), count(stages, "weight"));
            let message = format!("there are {found}, but `{}` has {needed}", names[2]);
            errors.error(&row.place, message);
        }
    }
    errors.finish()
}

/// The inverse of a lower triangular matrix with equal entries on its diagonal, whose inverse is `diagonal`; `step` is what an
/// entry below the diagonal contributes to a product.
fn inverse_of(
    below: &[Vec<Number>],
    diagonal: &Number,
    step: impl Fn(&Number, &Number) -> Number,
) -> Matrix {
    let mut inverse: Matrix = Vec::with_capacity(below.len());
    for (i, row) in below.iter().enumerate() {
        let entry = |j: usize| {
            let products = (j..i).map(|k| &row[k] * &inverse[k][j]).collect::<Vec<_>>();
            step(&products.iter().sum(), diagonal)
        };
        let entries = (0..i).map(entry).chain([diagonal.clone()]).collect();
        inverse.push(entries);
    }
    inverse
}

/// The product of a row with a lower triangular matrix: as many entries as the row has.
fn row_times(row: &[Number], matrix: &[Vec<Number>]) -> Vec<Number> {
    let entry = |j: usize| {
        let products = (j..row.len()).map(|i| &row[i] * &matrix[i][j]).collect::<Vec<_>>();
        products.iter().sum()
    };
    (0..row.len()).map(entry).collect()
}

#[cfg(test)]
mod tests {
    use super::{inverse_of, row_times};
    use crate::number::Number;

    #[test]
    fn an_inverse_undoes_its_matrix() {
        let number = |p: i32| Number::ratio(p, 7u8);
        let below = vec![vec![], vec![number(3)], vec![number(-2), number(5)]];
        let gamma = Number::ratio(1, 4u8);
        let four = Number::ratio(4, 1u8);
        // Γ with the diagonal 1/4, and its inverse with the diagonal 4.
        let inverse = inverse_of(&below, &four, |x, inverse| -&(x * inverse));
        for (i, below) in below.iter().enumerate() {
            let row: Vec<_> = below.iter().cloned().chain([gamma.clone()]).collect();
            let product = row_times(&row, &inverse);
            for (j, entry) in product.iter().enumerate() {
                let expected = if i == j { Number::ONE } else { Number::ZERO };
                assert!(entry.same(&expected), "{i} {j} {entry}");
            }
        }
    }
}
