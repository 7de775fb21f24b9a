//! Proves what a declaration claims.
//!
//! In phases, each of which ends the check if it finds errors, so that one mistake is one message:
//! shapes, row sums, order, embedded order. Both orders are claimed exactly: a claim that is too
//! modest is refused as well, because step-size control and order tests rely on it.

use std::fmt::Write as _;

use quote::ToTokens;

use super::coefficients::Coefficients;
use super::interpolant::{self, Interpolant};
use super::order::{Conditions, Precision, Target};
use super::parse::{Claim, Coefficient, Declaration, Row};
use super::suspect;
use super::trees::Trees;
use crate::diagnostics::Diagnostics;
use crate::number::Number;

/// The largest number of stages.
pub(super) const MAX_STAGES: usize = 40;

/// The symmetry order is looked for up to this order, or two more than the order of the method.
const SYMMETRY_CAP: usize = 8;

/// A method and what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Method {
    /// The coefficients.
    pub coefficients: Coefficients,
    /// The order.
    pub order: u32,
    /// The order of the embedded method.
    pub embedded_order: Option<u32>,
    /// The order to which `Phi_{-h} ∘ Phi_h` is the identity.
    pub symmetry_order: u32,
    /// Whether the last stage is the first one of the next step.
    pub fsal: bool,
    /// How all this was proved.
    pub proof: Proof,
    /// The interpolant.
    pub interpolant: Interpolant,
}

/// The arithmetic of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// Exact.
    Exact,
    /// To 40 digits.
    Digits40,
    /// To the declared digits.
    Rounded(u32),
}

impl Proof {
    /// What can be proved of these coefficients, which may be right to a declared number of digits.
    pub(super) fn of<'n>(
        all: impl IntoIterator<Item = &'n Number>,
        digits: Option<&Claim>,
    ) -> Self {
        match digits {
            Some(claim) => Self::Rounded(claim.value),
            None if all.into_iter().all(|x| x.as_rational().is_some()) => Self::Exact,
            None => Self::Digits40,
        }
    }

    /// How exactly the conditions have to hold.
    pub(super) fn precision(self) -> Precision {
        match self {
            Self::Exact => Precision::Exact,
            Self::Digits40 => Precision::Digits(40),
            Self::Rounded(digits) => Precision::Digits(digits),
        }
    }
}

/// Checks that rows and columns fit each other.
///
/// # Errors
/// Every row that has the wrong length, at the row.
pub(super) fn shapes(declaration: &Declaration) -> syn::Result<Coefficients> {
    let mut errors = Diagnostics::new();
    let (rows, matrix) = &declaration.a;
    let stages = declaration.b.entries.len();
    if stages == 0 || stages > MAX_STAGES {
        let message = format!("a method has 1 to {MAX_STAGES} stages, one weight in `b` for each");
        errors.error(&declaration.b.place, message);
    }
    if rows.len() != stages {
        let message = format!(
            "`a` has {}, but `b` has {}: each stage has one of both, the first stage the empty row `[]`",
            count(rows.len(), "row"),
            count(stages, "weight"),
        );
        errors.error(matrix, message);
    }
    if let Some((entry, message)) = implicit(rows) {
        errors.error(&entry.place, message);
    } else {
        for (i, row) in rows.iter().enumerate().filter(|(i, row)| row.entries.len() != *i) {
            errors.error(&row.place, row_length(i, row));
        }
    }
    for (name, row) in [("c", &declaration.c), ("b_embedded", &declaration.b_embedded)] {
        if let Some(row) = row
            && row.entries.len() != stages
        {
            let found = count(row.entries.len(), "entry");
            let message = format!("`{name}` has {found}, but `b` has {}", count(stages, "weight"));
            errors.error(&row.place, message);
        }
    }
    errors.finish()?;
    let a: Vec<_> = rows.iter().map(Row::values).collect();
    let sums = || a.iter().map(|row| row.iter().sum()).collect();
    let c = declaration.c.as_ref().map_or_else(sums, Row::values);
    let b_embedded = declaration.b_embedded.as_ref().map(Row::values);
    Ok(Coefficients { a, b: declaration.b.values(), b_embedded, c })
}

/// What is claimed, without proof: what is emitted beside the error when a claim is false.
pub(super) fn unproved(declaration: &Declaration, coefficients: Coefficients) -> Method {
    Method {
        order: declaration.order.value,
        embedded_order: declaration.embedded.as_ref().map(|claim| claim.value),
        symmetry_order: declaration.order.value,
        fsal: false,
        proof: Proof::Exact,
        interpolant: Interpolant::hermite(&coefficients),
        coefficients,
    }
}

/// Proves the claims.
///
/// # Errors
/// A row sum, an order or an embedded order that is not what is claimed.
pub(super) fn prove(declaration: &Declaration, coefficients: Coefficients) -> syn::Result<Method> {
    let claimed = declaration.order.value as usize;
    let embedded = declaration.embedded.as_ref().map_or(0, |claim| claim.value as usize);
    let interpolant = declaration.interpolant.as_ref();
    let between = interpolant.map_or(0, |declared| declared.order.value as usize);
    let trees = Trees::up_to(SYMMETRY_CAP.max(claimed + 2).max(embedded + 1).max(between + 1));
    let proof = proof(declaration, &coefficients);
    let check = Check {
        declaration,
        coefficients: &coefficients,
        conditions: Conditions { trees: &trees, precision: proof.precision(), chain: None },
    };
    check.row_sums()?;
    check.order()?;
    check.embedded_order()?;
    let shaped = match interpolant {
        Some(declared) => Some(interpolant::shapes(declared, &coefficients)?),
        None => None,
    };
    check.stages(shaped.as_ref())?;
    let symmetry_order = check.symmetry_order();
    let shaped = shaped.unwrap_or_else(|| Interpolant::hermite(&coefficients));
    let interpolant = interpolant::prove(interpolant, shaped, &trees, proof)?;
    Ok(Method {
        order: declaration.order.value,
        embedded_order: declaration.embedded.as_ref().map(|claim| claim.value),
        symmetry_order,
        fsal: coefficients.is_fsal(),
        proof,
        interpolant,
        coefficients,
    })
}

fn proof(declaration: &Declaration, coefficients: &Coefficients) -> Proof {
    let Coefficients { a, b, b_embedded, c } = coefficients;
    let all = a.iter().flatten().chain(b).chain(b_embedded.iter().flatten()).chain(c);
    Proof::of(all, declaration.digits.as_ref())
}

/// The first entry on or above the diagonal that is not 0, and what it means.
fn implicit(rows: &[Row]) -> Option<(&Coefficient, &'static str)> {
    let nonzero = |i: usize, from: usize| {
        rows[i].entries.iter().skip(from).find(|entry| !entry.value.is_zero())
    };
    let above = (0..rows.len()).find_map(|i| nonzero(i, i + 1));
    let diagonal = (0..rows.len()).find_map(|i| nonzero(i, i));
    match (above, diagonal) {
        (Some(entry), _) => Some((
            entry,
            "an entry of `a` above the diagonal makes the method fully implicit; Runge–Kutta methods are explicit so far (`#[rosenbrock]` declares methods for stiff equations): row i has the i - 1 entries before the diagonal",
        )),
        (None, Some(entry)) => Some((
            entry,
            "an entry of `a` on the diagonal makes the method implicit (SDIRK); Runge–Kutta methods are explicit so far (`#[rosenbrock]` declares methods for stiff equations): row i has the i - 1 entries before the diagonal",
        )),
        (None, None) => None,
    }
}

/// What is wrong with a row that has not one entry for each stage before its own.
fn row_length(i: usize, row: &Row) -> String {
    let (found, number) = (count(row.entries.len(), "entry"), i + 1);
    let advice = if row.entries.len() < i {
        "write zeros too"
    } else {
        "leave out the zeros on and above the diagonal"
    };
    let stages = if i == 1 { "is 1 stage".to_owned() } else { format!("are {i} stages") };
    format!("row {number} of `a` has {found}, but there {stages} before stage {number}: {advice}")
}

struct Check<'d> {
    declaration: &'d Declaration,
    coefficients: &'d Coefficients,
    conditions: Conditions<'d>,
}

impl Check<'_> {
    /// Whether each row of `a` sums to its node, if nodes are given.
    fn row_sums(&self) -> syn::Result<()> {
        let mut errors = Diagnostics::new();
        let Some(nodes) = &self.declaration.c else { return Ok(()) };
        for (i, node) in nodes.entries.iter().enumerate() {
            let sum: Number = self.coefficients.a[i].iter().sum();
            if !self.conditions.sums_to(&self.coefficients.a[i], &node.value) {
                self.report_row_sum(i, &sum, node, &mut errors);
            }
        }
        errors.finish()
    }

    fn report_row_sum(&self, i: usize, sum: &Number, node: &Coefficient, errors: &mut Diagnostics) {
        let Coefficients { a, b, .. } = self.coefficients;
        let (number, order) = (i + 1, self.declaration.order.value as usize);
        let row = &self.declaration.a.0[i];
        let (wanted, off) = (&node.value, (sum - &node.value).abs());
        let mut message = if i == 0 {
            format!(
                "entry 1 of `c` is {wanted}, but the first stage of an explicit method has node 0"
            )
        } else {
            format!(
                "row {number} of `a` sums to {sum}, but entry {number} of `c` is {wanted} (off by {off})"
            )
        };
        // `a` fulfils the claim by itself: then it is the node that is wrong.
        if i == 0 || self.conditions.has_order(a, b, order) {
            if i > 0 {
                let _ =
                    write!(message, "; the order conditions hold with {sum}: the node is wrong");
            }
            return errors.error(&node.place, message);
        }
        match suspect::entry(&self.conditions, a, b, order, i, wanted) {
            Some((j, value)) => {
                let entry = &row.entries[j];
                let _ = write!(
                    message,
                    "; with {value} instead of {} as entry {} of the row, the sum and `order = {order}` are met",
                    written(entry),
                    j + 1,
                );
                errors.error(&entry.place, message);
            }
            None => errors.error(&row.place, message),
        }
    }

    fn order(&self) -> syn::Result<()> {
        let Coefficients { a, b, .. } = self.coefficients;
        let claim = &self.declaration.order;
        let order = claim.value as usize;
        let Some(message) = self.refute("order", claim, "b", b) else { return Ok(()) };
        let suspected_entry = || {
            if self.declaration.c.is_some() {
                return None;
            }
            suspect::matrix(&self.conditions, a, b, order)
        };
        if let Some((j, value)) = suspect::weight(&self.conditions, a, b, order) {
            let entry = &self.declaration.b.entries[j];
            Err(suspicion(&message, entry, &format!("entry {} of `b`", j + 1), &value))
        } else if let Some((i, j, value)) = suspected_entry() {
            let entry = &self.declaration.a.0[i].entries[j];
            let place = format!("entry {} of row {} of `a`", j + 1, i + 1);
            Err(suspicion(&message, entry, &place, &value))
        } else {
            Err(syn::Error::new_spanned(&claim.place, message))
        }
    }

    fn embedded_order(&self) -> syn::Result<()> {
        let Coefficients { a, b, b_embedded, .. } = self.coefficients;
        let (Some(claim), Some(weights), Some(row)) =
            (&self.declaration.embedded, b_embedded, &self.declaration.b_embedded)
        else {
            return Ok(());
        };
        if b.iter().zip(weights).all(|(x, y)| x.same(y)) {
            let message = "`b_embedded` equals `b`: the error estimate would always be 0";
            return Err(syn::Error::new_spanned(&row.place, message));
        }
        let order = claim.value as usize;
        let Some(mut message) = self.refute("embedded", claim, "b_embedded", weights) else {
            return Ok(());
        };
        if suspect::is_difference(weights) {
            message.push_str("\n  `b_embedded` seems to hold the differences between the two rows of weights: write the embedded weights themselves");
            return Err(syn::Error::new_spanned(&row.place, message));
        }
        match suspect::weight(&self.conditions, a, weights, order) {
            Some((j, value)) => {
                let place = format!("entry {} of `b_embedded`", j + 1);
                Err(suspicion(&message, &row.entries[j], &place, &value))
            }
            None => Err(syn::Error::new_spanned(&claim.place, message)),
        }
    }

    /// Every stage has to be of some use: to the method, the embedded one or a declared interpolant.
    fn stages(&self, interpolant: Option<&Interpolant>) -> syn::Result<()> {
        let mut errors = Diagnostics::new();
        let Coefficients { b, b_embedded, .. } = self.coefficients;
        let reaching = self.coefficients.reaching(b);
        let embedded = b_embedded.as_ref().map(|weights| self.coefficients.reaching(weights));
        let others = [embedded, interpolant.map(Interpolant::used)];
        for (i, needed) in reaching.iter().enumerate() {
            if !needed && !others.iter().flatten().any(|used| used[i]) {
                let message = format!("stage {} enters no sum: leave it out", i + 1);
                errors.error(&self.declaration.a.0[i].place, message);
            }
        }
        errors.finish()
    }

    /// A method of order `p` has at least the symmetry order `p`, and `p + 1` if `p` is even,
    /// because the leading errors of the two halves cancel; the rest is tried out.
    fn symmetry_order(&self) -> u32 {
        let order = self.declaration.order.value;
        let proved = order + u32::from(order.is_multiple_of(2));
        let trees = self.conditions.trees;
        let beyond = trees.of_at_most(proved as usize).end
            ..trees.of_at_most(SYMMETRY_CAP.max(order as usize + 2)).end;
        let (a, b) = self.coefficients.there_and_back();
        match self.conditions.first_failure(&a, &b, beyond.clone(), Target::Identity) {
            Some(tree) => trees.get(tree).order as u32 - 1,
            None => trees.get(beyond.end - 1).order as u32,
        }
    }

    /// Why the claim is false, if it is.
    fn refute(&self, name: &str, claim: &Claim, weights: &str, b: &[Number]) -> Option<String> {
        let (a, trees) = (&self.coefficients.a, self.conditions.trees);
        let order = claim.value as usize;
        let all = trees.of_at_most(order + 1);
        let tree = self.conditions.first_failure(a, b, all, Target::Solution);
        let Some(tree) = tree.filter(|&tree| trees.get(tree).order <= order) else {
            tree.is_none().then_some(())?;
            let real = self.conditions.order(a, b);
            return Some(format!(
                "`{name} = {order}` is too modest: the order conditions hold up to order {real}; claim `{name} = {real}`"
            ));
        };
        let (found, expected) = self.conditions.weight(a, b, tree, Target::Solution);
        let off = (&found - &expected).abs();
        let real = trees.get(tree).order - 1;
        let mut message = format!("`{name} = {order}` is not met: ");
        let _ = if real == 0 {
            write!(message, "the weights `{weights}` sum to {found}, not to 1. ")
        } else {
            write!(
                message,
                "the order condition of the tree {} is off by {off}\n  ({} = {found}, should be {expected}{}){}. ",
                trees.brackets(tree),
                trees.formula(tree),
                if weights == "b" { "" } else { ", with `b_embedded` for b" },
                entering(&self.conditions.rows(a, b, tree)),
            )
        };
        let _ = match real {
            0 => write!(message, "The method is not consistent"),
            _ if weights == "b" => write!(message, "The method has order {real}"),
            _ => write!(message, "The embedded method has order {real}"),
        };
        Some(message)
    }
}

/// An error at a coefficient that is probably the wrong one.
pub(super) fn suspicion(
    message: &str,
    entry: &Coefficient,
    place: &str,
    value: &Number,
) -> syn::Error {
    let (written, change) = (written(entry), value - &entry.value);
    // Where the digits that are printed would be the same, their difference tells more.
    let right = if change.to_f64().abs() < 1e-9 * value.to_f64().abs() {
        format!("{written} + {change}")
    } else {
        format!("{value} instead of {written}")
    };
    let message = format!("{message}\n  with {right} as {place}, the claim would be met");
    syn::Error::new_spanned(entry.place.to_token_stream(), message)
}

/// The coefficient as it was written.
fn written(entry: &Coefficient) -> String {
    entry.place.to_token_stream().to_string().replace(' ', "")
}

/// "; rows 3 and 4 of `a` enter it".
fn entering(rows: &[usize]) -> String {
    let numbers: Vec<_> = rows.iter().map(|i| (i + 1).to_string()).collect();
    match numbers.as_slice() {
        [] => String::new(),
        [one] => format!("; row {one} of `a` enters it"),
        [all @ .., last] => format!("; rows {} and {last} of `a` enter it", all.join(", ")),
    }
}

/// "1 row", "2 rows", "2 entries".
pub(super) fn count(n: usize, noun: &str) -> String {
    match (n, noun) {
        (1, _) => format!("1 {noun}"),
        (_, "entry") => format!("{n} entries"),
        _ => format!("{n} {noun}s"),
    }
}
