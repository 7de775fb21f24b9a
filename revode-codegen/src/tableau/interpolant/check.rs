//! Proves what a declaration claims of its interpolant.
//!
//! In phases, as for the method itself: shapes; then the row sums of the extra stages, the ends, the order, the
//! smoothness. Order and smoothness are claimed exactly.
//!
//! The interpolant has order `p` if `Σ_i b_i(θ) Φ_i(τ) = θ^n/γ(τ)` for all trees `τ` with `n ≤ p` vertices, as an
//! identity of polynomials in `θ`. So the coefficients of each power of `θ` are weights with conditions of their own
//! ([`Target::Term`]), which are proved as those of the method are.

use std::fmt::Write as _;

use syn::Error;

use super::super::check::{MAX_STAGES, Proof, count, suspicion};
use super::super::coefficients::Coefficients;
use super::super::order::{Conditions, Target};
use super::super::parse::{Claim, Coefficient, DeclaredInterpolant, Row};
use super::super::trees::Trees;
use super::{Interpolant, suspect};
use crate::diagnostics::Diagnostics;
use crate::number::Number;

/// The largest degree of a weight.
const MAX_DEGREE: usize = 16;

/// Checks that the rows of an interpolant fit the method and each other.
///
/// # Errors
/// Every row that has the wrong length, at the row.
pub(in super::super) fn shapes(
    declared: &DeclaredInterpolant,
    method: &Coefficients,
) -> syn::Result<Interpolant> {
    let mut errors = Diagnostics::new();
    let stages = method.stages();
    let rows: &[Row] = declared.a.as_ref().map_or(&[], |(rows, _)| rows);
    if let Some((_, place)) = declared.a.as_ref().filter(|_| stages + rows.len() > MAX_STAGES) {
        let message = format!("a method and its interpolant have at most {MAX_STAGES} stages");
        errors.error(place, message);
    }
    for (k, row) in rows.iter().enumerate().filter(|(k, row)| row.entries.len() != stages + k) {
        let message = format!(
            "row {} of `a_interpolant` has {}, but its stage comes after {}: {}",
            k + 1,
            count(row.entries.len(), "entry"),
            count(stages + k, "stage"),
            if row.entries.len() < stages + k { "write zeros too" } else { "leave out the others" },
        );
        errors.error(&row.place, message);
    }
    if let Some(row) = declared.c.as_ref().filter(|row| row.entries.len() != rows.len()) {
        let message = format!(
            "`c_interpolant` has {}, but `a_interpolant` has {}",
            count(row.entries.len(), "entry"),
            count(rows.len(), "row"),
        );
        errors.error(&row.place, message);
    }
    weights(declared, stages + rows.len(), &mut errors);
    errors.finish()?;
    let a: Vec<_> = rows.iter().map(Row::values).collect();
    let sums = || a.iter().map(|row| row.iter().sum()).collect();
    let c = declared.c.as_ref().map_or_else(sums, Row::values);
    let b = declared.b.0.iter().map(Row::values).collect();
    Ok(Interpolant::new(method, a, c, b))
}

/// Checks the rows of `b_interpolant`: one a stage, all of one length but for `[]`.
fn weights(declared: &DeclaredInterpolant, stages: usize, errors: &mut Diagnostics) {
    let (rows, place) = &declared.b;
    let lengths = || rows.iter().map(|row| row.entries.len());
    let degree = lengths().max().unwrap_or(0);
    if rows.len() != stages {
        let transposed = degree == stages && lengths().all(|length| length == stages);
        let message = format!(
            "`b_interpolant` has {}, but there are {}: {}",
            count(rows.len(), "row"),
            count(stages, "stage"),
            if transposed {
                "it seems to be transposed; each row holds the coefficients of θ, θ², … of one stage"
            } else {
                "each has one, with the coefficients of θ, θ², …; `[]` is 0"
            }
        );
        return errors.error(place, message);
    }
    if degree == 0 || degree > MAX_DEGREE {
        let message = format!(
            "a row of `b_interpolant` has at most {MAX_DEGREE} coefficients, and not all are `[]`"
        );
        return errors.error(place, message);
    }
    for (i, row) in rows.iter().enumerate().filter(|(_, row)| !row.entries.is_empty()) {
        if row.entries.len() != degree {
            let message = format!(
                "row {} of `b_interpolant` has {}, others have {degree}: write zeros too, or `[]` where all are 0",
                i + 1,
                count(row.entries.len(), "entry"),
            );
            errors.error(&row.place, message);
        }
    }
}

/// Proves the claims of a declared interpolant; finds out those of cubic Hermite where none is declared.
///
/// # Errors
/// A row sum, an end, an order or a smoothness that is not what is claimed.
pub(in super::super) fn prove(
    declared: Option<&DeclaredInterpolant>,
    interpolant: Interpolant,
    trees: &Trees,
    of_method: Proof,
) -> syn::Result<Interpolant> {
    let Coefficients { a, b, c, .. } = &interpolant.extended;
    let all = a.iter().flatten().chain(b).chain(c).chain(interpolant.b.iter().flatten());
    let proof = match (declared.and_then(|declared| declared.digits.as_ref()), of_method) {
        (None, Proof::Rounded(_)) => of_method,
        (digits, _) => Proof::of(all, digits),
    };
    let conditions = Conditions { trees, precision: proof.precision(), chain: None };
    let order = match declared {
        Some(declared) => {
            let check = Check { declared, interpolant: &interpolant, conditions };
            check.row_sums()?;
            check.ends()?;
            check.order()?;
            check.smoothness()?;
            check.stages()?;
            declared.order.value
        }
        // A cubic misses the term of θ⁴.
        None => interpolant.proved_order(&conditions, trees.max_order().min(4)) as u32,
    };
    let smoothness = u32::from(interpolant.is_smooth(&conditions));
    Ok(Interpolant { order, smoothness, proof, ..interpolant })
}

struct Check<'d> {
    declared: &'d DeclaredInterpolant,
    interpolant: &'d Interpolant,
    conditions: Conditions<'d>,
}

impl Check<'_> {
    fn claim(&self) -> &Claim {
        &self.declared.order
    }

    /// The number of stages of the method.
    fn stages_of_method(&self) -> usize {
        self.interpolant.b.len() - self.interpolant.extra
    }

    /// Whether each extra row sums to its node, if nodes are given.
    fn row_sums(&self) -> syn::Result<()> {
        let mut errors = Diagnostics::new();
        let (Some(nodes), Some((rows, _))) = (&self.declared.c, &self.declared.a) else {
            return Ok(());
        };
        for (k, (node, row)) in nodes.entries.iter().zip(rows).enumerate() {
            if !self.conditions.sums_to(&row.values(), &node.value) {
                errors.push(self.row_sum(k, row, node));
            }
        }
        errors.finish()
    }

    fn row_sum(&self, k: usize, row: &Row, node: &Coefficient) -> Error {
        let (i, order) = (self.stages_of_method() + k, self.claim().value);
        let (sum, number) = (row.values().iter().sum::<Number>(), k + 1);
        let message = format!(
            "row {number} of `a_interpolant` sums to {sum}, but entry {number} of `c_interpolant` is {} (off by {})",
            node.value,
            (&sum - &node.value).abs(),
        );
        if self.interpolant.first_failure(&self.conditions, order as usize).is_none() {
            let message =
                format!("{message}; the order conditions hold with {sum}: the node is wrong");
            return Error::new_spanned(&node.place, message);
        }
        match suspect::entry(self.interpolant, &self.conditions, order as usize, i, &node.value) {
            Some((j, value)) => {
                let place = format!("entry {} of the row", j + 1);
                suspicion(&message, &row.entries[j], &place, &value)
            }
            None => Error::new_spanned(&row.place, message),
        }
    }

    /// Whether the interpolant ends where the step does: `b_i(1) = b_i`.
    fn ends(&self) -> syn::Result<()> {
        let Interpolant { extended, b, .. } = self.interpolant;
        let (rows, order) = (&self.declared.b.0, self.claim().value as usize);
        let misses = |&i: &usize| !self.conditions.sums_to(&b[i], &extended.b[i]);
        let missing: Vec<_> = (0..b.len()).filter(misses).collect();
        let message = |i: usize| {
            let (sum, number) = (b[i].iter().sum::<Number>(), i + 1);
            let off = (&sum - &extended.b[i]).abs();
            let wanted = if i < self.stages_of_method() {
                format!("entry {number} of `b` is {}", extended.b[i])
            } else {
                "an extra stage has no weight at θ = 1".to_owned()
            };
            format!(
                "row {number} of `b_interpolant` sums to {sum}, but {wanted} (off by {off}): \
                 the interpolant would miss the end of the step"
            )
        };
        match missing.as_slice() {
            [] => return Ok(()),
            &[i] => {
                if let Some((j, value)) =
                    suspect::weight(self.interpolant, &self.conditions, order, i)
                {
                    let place = format!("entry {} of the row", j + 1);
                    return Err(suspicion(&message(i), &rows[i].entries[j], &place, &value));
                }
            }
            &[i, j] if suspect::exchanged(self.interpolant, &self.conditions, order, i, j) => {
                let message = format!(
                    "{}\n  with rows {} and {} exchanged, the claim would be met",
                    message(i),
                    i + 1,
                    j + 1
                );
                return Err(Error::new_spanned(&rows[i].place, message));
            }
            _ => {}
        }
        let mut errors = Diagnostics::new();
        for &i in &missing {
            errors.error(&rows[i].place, message(i));
        }
        errors.finish()
    }

    fn order(&self) -> syn::Result<()> {
        let Conditions { trees, .. } = self.conditions;
        let claim = self.claim();
        let order = claim.value as usize;
        let failure = self.interpolant.first_failure(&self.conditions, order + 1);
        let message = match failure {
            Some((tree, power)) if trees.get(tree).order <= order => {
                self.refutation(order, tree, power)
            }
            Some(_) => return Ok(()),
            None => {
                let real = self.interpolant.proved_order(&self.conditions, trees.max_order());
                format!(
                    "`interpolant = {order}` is too modest: the order conditions hold for all θ up to order {real}; \
                     claim `interpolant = {real}`"
                )
            }
        };
        Err(Error::new_spanned(&claim.place, message))
    }

    /// What is wrong with the claim of an order.
    fn refutation(&self, order: usize, tree: usize, power: usize) -> String {
        let (trees, a) = (self.conditions.trees, &self.interpolant.extended.a);
        let column = self.interpolant.column(power);
        let (found, expected) = self.conditions.weight(a, &column, tree, Target::Term(power));
        let mut message = format!(
            "`interpolant = {order}` is not met: at θ^{power} the order condition of the tree {} is off by {}\n  \
             ({} = {found}, should be {expected}, with the coefficients of θ^{power} for b){}. ",
            trees.brackets(tree),
            (&found - &expected).abs(),
            trees.formula(tree),
            self.entering(&self.conditions.rows(a, &column, tree)),
        );
        let _ = match trees.get(tree).order - 1 {
            0 => write!(message, "The interpolant is not consistent"),
            real => write!(message, "The interpolant has order {real}"),
        };
        message
    }

    /// "; row 3 of `a` and row 1 of `a_interpolant` enter it".
    fn entering(&self, rows: &[usize]) -> String {
        let stages = self.stages_of_method();
        let list = |rows: Vec<usize>, matrix: &str| {
            let numbers: Vec<_> = rows.iter().map(ToString::to_string).collect();
            match numbers.as_slice() {
                [] => None,
                [one] => Some(format!("row {one} of `{matrix}`")),
                [all @ .., last] => {
                    Some(format!("rows {} and {last} of `{matrix}`", all.join(", ")))
                }
            }
        };
        let own = rows.iter().filter(|&&i| i < stages).map(|i| i + 1).collect();
        let extra = rows.iter().filter(|&&i| i >= stages).map(|i| i + 1 - stages).collect();
        let lists: Vec<_> =
            [list(own, "a"), list(extra, "a_interpolant")].into_iter().flatten().collect();
        match (lists.is_empty(), rows.len()) {
            (true, _) => String::new(),
            (_, 1) => format!("; {} enters it", lists.join(" and ")),
            _ => format!("; {} enter it", lists.join(" and ")),
        }
    }

    fn smoothness(&self) -> syn::Result<()> {
        let Some(claim) = &self.declared.smoothness else { return Ok(()) };
        let is_smooth = self.interpolant.is_smooth(&self.conditions);
        let message = match (claim.value, is_smooth) {
            (1, false) => self.roughness(),
            (0, true) => {
                "`smoothness = 0` is too modest: the derivative is continuous from step to step; \
                 claim `smoothness = 1`"
                    .to_owned()
            }
            _ => return Ok(()),
        };
        Err(Error::new_spanned(&claim.place, message))
    }

    /// Why the derivative is not continuous from step to step.
    fn roughness(&self) -> String {
        if self.interpolant.extended.end_stage().is_none() {
            return "`smoothness = 1` is not met: no stage is the derivative at the end of the step; \
                give `a_interpolant` the row `b`"
                .to_owned();
        }
        let places = (0..self.interpolant.b.len()).flat_map(|i| [(i, 0), (i, 1)]);
        let wrong = places.filter_map(|(i, end)| {
            let wanted = self.interpolant.continuous_slopes(i)[end].clone();
            let terms = if end == 0 {
                self.interpolant.b[i].first().cloned().into_iter().collect()
            } else {
                self.interpolant.slope_terms(i)
            };
            let sum: Number = terms.iter().sum();
            (!self.conditions.sums_to(&terms, &wanted)).then(|| {
                format!(
                    "the derivative of the weight of stage {} at θ = {end} is {sum}, not {wanted}",
                    i + 1
                )
            })
        });
        let wrong: Vec<_> = wrong.take(1).collect();
        format!("`smoothness = 1` is not met: {}", wrong.join(""))
    }

    /// Every extra stage has to be of some use.
    fn stages(&self) -> syn::Result<()> {
        let mut errors = Diagnostics::new();
        let used = self.interpolant.used();
        let Some((rows, _)) = &self.declared.a else { return Ok(()) };
        for (k, row) in rows.iter().enumerate().filter(|(k, _)| !used[self.stages_of_method() + k])
        {
            let message = format!("extra stage {} enters no sum: leave it out", k + 1);
            errors.error(&row.place, message);
        }
        errors.finish()
    }
}
