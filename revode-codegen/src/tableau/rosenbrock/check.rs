//! Proves what a declaration claims: order conditions, stability, the interpolant.
//!
//! The order conditions are those of Runge–Kutta methods but for the matrix: a vertex with one child has `β = α + Γ`, all
//! others `α`. Hairer and Wanner II, section IV.7, theorem 7.4 and table 7.1.

use std::fmt::Write as _;

use super::form::Form;
use super::parse::{Declaration, Declared};
use super::{Class, Interpolant, Method};
use crate::number::Number;
use crate::tableau::check::Proof;
use crate::tableau::order::{Conditions, Target};
use crate::tableau::parse::{Claim, Row};
use crate::tableau::stability::RationalStability;
use crate::tableau::trees::Trees;

/// Proves the claims.
///
/// # Errors
/// An order, an embedded order, a stability or an order of the interpolant that is not what is claimed.
pub(super) fn prove(declaration: &Declaration, form: Form) -> syn::Result<Method> {
    let value = |claim: Option<&Claim>| claim.map_or(0, |claim| claim.value as usize);
    let between = value(declaration.interpolant.as_ref().map(|declared| &declared.order));
    let order = value(Some(&declaration.order));
    let most = order.max(value(declaration.embedded.as_ref())).max(between);
    let trees = Trees::up_to(most + 1);
    let rows = declaration.interpolant.iter().flat_map(|declared| &declared.rows);
    let rows = rows.map(Row::values).collect::<Vec<_>>();
    let all = form.written(declaration.entries.transformed).chain(rows.iter().flatten());
    let proof = Proof::of(all, declaration.digits.as_ref());
    let beta = form.beta();
    let conditions = Conditions { trees: &trees, precision: proof.precision(), chain: Some(&beta) };
    let check = Check { declaration, form: &form, conditions };
    check.order("order", &declaration.order, &form.b)?;
    check.embedded_order()?;
    let stability = check.stability(&beta)?;
    let interpolant = match &declaration.interpolant {
        Some(declared) => check.interpolant(declared, rows)?,
        None => Interpolant { order: 1, rows: vec![] },
    };
    // What sums to 0 or 1 as exactly as the method is known does so.
    let sum = |row: &Vec<Number>| {
        let whole = [Number::ZERO, Number::ONE];
        let whole = whole.into_iter().find(|whole| conditions.sums_to(row, whole));
        whole.unwrap_or_else(|| row.iter().sum())
    };
    let sums = |rows: &[Vec<Number>]| rows.iter().map(sum).collect();
    Ok(Method {
        nodes: sums(&form.alpha),
        time_factors: sums(&form.gammas),
        order: declaration.order.value,
        embedded_order: declaration.embedded.as_ref().map(|claim| claim.value),
        stability,
        interpolant,
        proof,
        form,
    })
}

struct Check<'d> {
    declaration: &'d Declaration,
    form: &'d Form,
    conditions: Conditions<'d>,
}

impl Check<'_> {
    /// Whether the weights have the claimed order, neither more nor less.
    fn order(&self, name: &str, claim: &Claim, b: &[Number]) -> syn::Result<()> {
        let Conditions { trees, .. } = self.conditions;
        let (order, alpha) = (claim.value as usize, &self.form.alpha);
        let all = trees.of_at_most(order + 1);
        let failure = self.conditions.first_failure(alpha, b, all, Target::Solution);
        let message = match failure.map(|tree| (tree, trees.get(tree).order)) {
            Some((_, vertices)) if vertices > order => return Ok(()),
            None => format!(
                "`{name} = {order}` is too modest: the order conditions hold up to order {0}; claim `{name} = {0}`",
                order + 1
            ),
            Some((tree, vertices)) => {
                let (found, expected) = self.conditions.weight(alpha, b, tree, Target::Solution);
                let off = (&found - &expected).abs();
                let mut message = format!("`{name} = {order}` is not met: ");
                let _ = write!(
                    message,
                    "the order condition of the tree {} is off by {off}\n  ({} = {found}, should be {expected}, with β = α + Γ). ",
                    trees.brackets(tree),
                    formula(trees, tree),
                );
                let _ = match vertices - 1 {
                    0 => write!(message, "The weights are not consistent"),
                    real => write!(message, "They have order {real}"),
                };
                message
            }
        };
        Err(syn::Error::new_spanned(&claim.place, message))
    }

    fn embedded_order(&self) -> syn::Result<()> {
        let (Some(claim), Some(weights)) = (&self.declaration.embedded, &self.form.b_embedded)
        else {
            return Ok(());
        };
        if self.form.b.iter().zip(weights).all(|(x, y)| x.same(y)) {
            let message =
                "the embedded weights equal the others: the error estimate would always be 0";
            return Err(syn::Error::new_spanned(&claim.place, message));
        }
        self.order("embedded", claim, weights)
    }

    fn stability(&self, beta: &[Vec<Number>]) -> syn::Result<Class> {
        let (class, place) = &self.declaration.stability;
        let Form { gamma, b, .. } = self.form;
        let error = |message: String| Err(syn::Error::new_spanned(place, message));
        if crate::number::is_negative(gamma) {
            let message = format!(
                "`gamma` is {gamma}: the pole 1/γ of the stability function is in the left half plane"
            );
            return Err(syn::Error::new_spanned(&self.declaration.gamma.place, message));
        }
        let order = self.declaration.order.value as usize;
        let is_solution = |k: usize, terms: &[Number], sum: &Number| {
            k <= order || self.conditions.sums_to(terms, sum)
        };
        let function = RationalStability::new(beta, b, gamma, is_solution);
        if !function.is_a_stable() {
            return error(format!(
                "the method is not A-stable: |R(iy)| exceeds 1 for some y, with R(z) = P(z)/(1 - γz)^{}",
                b.len()
            ));
        }
        let terms = function.at_infinity();
        match (class, self.conditions.sums_to(terms, &Number::ZERO)) {
            (Class::L, false) => {
                let last = terms.iter().sum::<Number>();
                error(format!(
                    "the method is A-stable, but not L-stable: R(∞) is not 0, as the highest coefficient of P is {last}; claim `A`"
                ))
            }
            (Class::A, true) => error("the method is L-stable too, as R(∞) = 0: claim `L`".into()),
            _ => Ok(*class),
        }
    }

    /// The interpolant: for each power of `θ` a row of weights.
    fn interpolant(&self, declared: &Declared, rows: Vec<Vec<Number>>) -> syn::Result<Interpolant> {
        let Conditions { trees, .. } = self.conditions;
        let Form { m, alpha, .. } = self.form;
        let order = declared.order.value as usize;
        // θ m + (θ − θ²) Σ_r θ^r h_r
        let zero = || vec![Number::ZERO; m.len()];
        let h = |r: Option<usize>| r.and_then(|r| rows.get(r).cloned()).unwrap_or_else(zero);
        let column = |power: usize| -> Vec<Number> {
            let own = if power == 1 { m.clone() } else { zero() };
            let (up, down) = (h(Some(power - 1)), h(power.checked_sub(2)));
            let parts = own.iter().zip(up.iter().zip(&down));
            parts.map(|(m, (up, down))| &(m + up) - down).collect()
        };
        let columns = (1..=rows.len() + 1).map(|power| self.form.weights(&column(power)));
        let columns = columns.collect::<Vec<_>>();
        // A power that no row has is missed by its tallest tree.
        let powers = columns.len().max(order + 1);
        let fails = |up_to: usize| {
            (1..=powers).find_map(|power| {
                let target = Target::Term(power);
                let weights = columns.get(power - 1).cloned().unwrap_or_else(zero);
                let all = trees.of_at_most(up_to);
                let tree = self.conditions.first_failure(alpha, &weights, all, target)?;
                Some((power, tree, weights, target))
            })
        };
        if let Some((power, tree, weights, target)) = fails(order) {
            let (found, expected) = self.conditions.weight(alpha, &weights, tree, target);
            let message = format!(
                "`interpolant = {order}` is not met: at θ^{power} the order condition of the tree {} is off by {}\n  ({} = {found}, should be {expected}, with β = α + Γ)",
                trees.brackets(tree),
                (&found - &expected).abs(),
                formula(trees, tree),
            );
            return Err(syn::Error::new_spanned(&declared.order.place, message));
        }
        if fails(order + 1).is_none() {
            let message = format!(
                "`interpolant = {order}` is too modest: claim `interpolant = {}`",
                order + 1
            );
            return Err(syn::Error::new_spanned(&declared.order.place, message));
        }
        Ok(Interpolant { order: declared.order.value, rows })
    }
}

/// The tree's elementary weight as a sum, such as `Σ b_i β_ij α_j^2`.
fn formula(trees: &Trees, tree: usize) -> String {
    fn factors(
        trees: &Trees,
        tree: usize,
        parent: char,
        letters: &mut std::str::Chars<'_>,
        text: &mut String,
    ) {
        let subtrees = trees.subtrees(tree);
        let letter = if subtrees.len() == 1 { 'β' } else { 'α' };
        let leaves = subtrees.iter().filter(|subtree| **subtree == 0).count();
        for subtree in subtrees.into_iter().filter(|subtree| *subtree != 0) {
            let child = letters.next().unwrap_or('?');
            let _ = write!(text, " {letter}_{parent}{child}");
            factors(trees, subtree, child, letters, text);
        }
        let _ = match leaves {
            0 => Ok(()),
            1 => write!(text, " {letter}_{parent}"),
            n => write!(text, " {letter}_{parent}^{n}"),
        };
    }
    let mut text = "Σ b_i".to_owned();
    factors(trees, tree, 'i', &mut "jklmnpqrs".chars(), &mut text);
    text
}
