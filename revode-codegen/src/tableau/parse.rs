//! The arguments of `#[tableau(…)]`.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, ExprArray, Ident, ItemStruct, Lit, LitInt, Token};

use crate::diagnostics::Diagnostics;
use crate::number::Number;

/// The largest order that can be claimed: trees are listed up to two orders more.
pub(super) const MAX_ORDER: u32 = 10;

const KEYS: &str = "`order`, `embedded`, `digits`, `c`, `a`, `b` and `b_embedded`, and for dense output `interpolant`, \
    `smoothness`, `digits_interpolant`, `c_interpolant`, `a_interpolant` and `b_interpolant`";

/// A tableau as it was written, its numbers evaluated.
#[derive(Debug)]
pub(super) struct Declaration {
    /// The claimed order.
    pub order: Claim,
    /// The claimed order of the embedded method.
    pub embedded: Option<Claim>,
    /// The number of digits to which rounded coefficients are right.
    pub digits: Option<Claim>,
    /// The nodes.
    pub c: Option<Row>,
    /// The rows of `a`, and where they stand.
    pub a: (Vec<Row>, ExprArray),
    /// The weights.
    pub b: Row,
    /// The weights of the embedded method.
    pub b_embedded: Option<Row>,
    /// The interpolant, where one is declared.
    pub interpolant: Option<DeclaredInterpolant>,
}

/// An interpolant `u + h Σ_i b_i(θ) k_i` as it was written.
#[derive(Debug)]
pub(super) struct DeclaredInterpolant {
    /// The claimed order.
    pub order: Claim,
    /// How many continuous derivatives it is claimed to have from step to step.
    pub smoothness: Option<Claim>,
    /// The number of digits to which its rounded coefficients are right.
    pub digits: Option<Claim>,
    /// The nodes of the extra stages.
    pub c: Option<Row>,
    /// The rows of the extra stages, and where they stand.
    pub a: Option<(Vec<Row>, ExprArray)>,
    /// For each stage the coefficients of `θ`, `θ²`, … in its weight, and where they stand.
    pub b: (Vec<Row>, ExprArray),
}

/// A number that is claimed of the tableau, and where.
#[derive(Debug)]
pub(super) struct Claim {
    /// The number.
    pub value: u32,
    /// Its token.
    pub place: LitInt,
}

/// Coefficients in brackets.
#[derive(Debug)]
pub(super) struct Row {
    /// The coefficients and their tokens.
    pub entries: Vec<Coefficient>,
    /// The whole row.
    pub place: ExprArray,
}

/// A coefficient, and where it was written.
#[derive(Debug)]
pub(super) struct Coefficient {
    /// The value.
    pub value: Number,
    /// The expression.
    pub place: Expr,
}

impl Row {
    /// The values.
    pub(super) fn values(&self) -> Vec<Number> {
        self.entries.iter().map(|entry| entry.value.clone()).collect()
    }
}

/// Reads the arguments of the attribute on `item`.
///
/// # Errors
/// Every argument that is not of its form, at its tokens; arguments that are missing, at the name
/// of the struct.
pub(super) fn parse(arguments: TokenStream, item: &ItemStruct) -> syn::Result<Declaration> {
    let mut errors = Diagnostics::new();
    let mut read = Arguments::default();
    let arguments = Punctuated::<Argument, Token![,]>::parse_terminated.parse2(arguments)?;
    for argument in arguments {
        read.take(argument, &mut errors);
    }
    read.complete(item, errors)
}

/// `key = value`.
pub(super) struct Argument {
    pub(super) key: Ident,
    pub(super) value: Expr,
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(Ident::peek_any) {
            let form = "expected `name = …`; lists are in brackets, as in `c = [0, 1/2]`";
            return Err(input.error(form));
        }
        let key = input.parse()?;
        input.parse::<Token![=]>()?;
        Ok(Self { key, value: input.parse()? })
    }
}

/// What has been read.
#[derive(Default)]
struct Arguments {
    /// The names of all arguments, those with errors too.
    given: Vec<String>,
    order: Option<Claim>,
    embedded: Option<Claim>,
    digits: Option<Claim>,
    c: Option<Row>,
    a: Option<(Vec<Row>, ExprArray)>,
    b: Option<Row>,
    b_embedded: Option<Row>,
    interpolant: Option<Claim>,
    smoothness: Option<Claim>,
    digits_interpolant: Option<Claim>,
    c_interpolant: Option<Row>,
    a_interpolant: Option<(Vec<Row>, ExprArray)>,
    b_interpolant: Option<(Vec<Row>, ExprArray)>,
}

impl Arguments {
    fn take(&mut self, argument: Argument, errors: &mut Diagnostics) {
        let Argument { key, value } = argument;
        let name = key.to_string();
        match name.as_str() {
            "order" => self.order = claim(&key, &value, 1, MAX_ORDER, errors),
            "embedded" => self.embedded = claim(&key, &value, 1, MAX_ORDER, errors),
            "digits" => self.digits = claim(&key, &value, 6, 40, errors),
            "c" => self.c = row(&key, &value, errors),
            "a" => self.a = matrix(&key, &value, errors),
            "b" => self.b = row(&key, &value, errors),
            "b_embedded" => self.b_embedded = row(&key, &value, errors),
            "interpolant" => self.interpolant = claim(&key, &value, 1, MAX_ORDER, errors),
            "smoothness" => self.smoothness = claim(&key, &value, 0, 1, errors),
            "digits_interpolant" => {
                self.digits_interpolant = claim(&key, &value, 6, 40, errors);
            }
            "c_interpolant" => self.c_interpolant = row(&key, &value, errors),
            "a_interpolant" => self.a_interpolant = matrix(&key, &value, errors),
            "b_interpolant" => self.b_interpolant = matrix(&key, &value, errors),
            _ => errors.error(&key, format!("unknown argument `{key}`: a tableau has {KEYS}")),
        }
        if self.given.contains(&name) {
            errors.error(&key, format!("`{key}` is given twice"));
        }
        self.given.push(name);
    }

    fn complete(self, item: &ItemStruct, mut errors: Diagnostics) -> syn::Result<Declaration> {
        let given = |name: &str| self.given.iter().any(|given| given == name);
        for (name, form) in [("order", "order = …"), ("a", "a = [[], …]"), ("b", "b = […]")] {
            if !given(name) {
                errors.error(&item.ident, format!("the tableau has no `{form}`"));
            }
        }
        if let Some(claim) = self.embedded.as_ref().filter(|_| !given("b_embedded")) {
            let message = "`embedded` claims an order, but there are no weights `b_embedded = […]`";
            errors.error(&claim.place, message);
        }
        if let Some(row) = self.b_embedded.as_ref().filter(|_| !given("embedded")) {
            let message = "`b_embedded` needs the claim of its order: `embedded = …`";
            errors.error(&row.place, message);
        }
        self.interpolant_is_complete(&mut errors);
        errors.finish()?;
        // Every argument that is present has been read, or there would have been an error.
        let interpolant =
            self.interpolant.zip(self.b_interpolant).map(|(order, b)| DeclaredInterpolant {
                order,
                smoothness: self.smoothness,
                digits: self.digits_interpolant,
                c: self.c_interpolant,
                a: self.a_interpolant,
                b,
            });
        match (self.order, self.a, self.b) {
            (Some(order), Some(a), Some(b)) => Ok(Declaration {
                order,
                embedded: self.embedded,
                digits: self.digits,
                c: self.c,
                a,
                b,
                b_embedded: self.b_embedded,
                interpolant,
            }),
            _ => Err(syn::Error::new_spanned(&item.ident, "the tableau is incomplete")),
        }
    }

    /// Whether what belongs to an interpolant comes with its weights and its claim.
    fn interpolant_is_complete(&self, errors: &mut Diagnostics) {
        let given = |name: &str| self.given.iter().any(|given| given == name);
        if let Some(claim) = self.interpolant.as_ref().filter(|_| !given("b_interpolant")) {
            let message = "`interpolant` claims an order, but there are no weights `b_interpolant = [[…], …]`; \
                a tableau without either has cubic Hermite interpolation";
            errors.error(&claim.place, message);
        }
        if let Some((_, place)) = self.b_interpolant.as_ref().filter(|_| !given("interpolant")) {
            let message = "`b_interpolant` needs the claim of its order: `interpolant = …`";
            errors.error(place, message);
        }
        if given("interpolant") || given("b_interpolant") {
            return;
        }
        let message =
            "this belongs to an interpolant, and there are no weights `b_interpolant = [[…], …]`";
        for claim in [&self.smoothness, &self.digits_interpolant].into_iter().flatten() {
            errors.error(&claim.place, message);
        }
        if let Some((_, place)) = &self.a_interpolant {
            errors.error(place, message);
        }
        if let Some(row) = &self.c_interpolant {
            errors.error(&row.place, message);
        }
    }
}

pub(super) fn claim(
    key: &Ident,
    value: &Expr,
    least: u32,
    most: u32,
    errors: &mut Diagnostics,
) -> Option<Claim> {
    if let Expr::Lit(literal) = value
        && let Lit::Int(place) = &literal.lit
        && let Ok(number) = place.base10_parse::<u32>()
        && (least..=most).contains(&number)
    {
        return Some(Claim { value: number, place: place.clone() });
    }
    errors.error(value, format!("`{key}` is an integer from {least} to {most}"));
    None
}

pub(super) fn row(key: &Ident, value: &Expr, errors: &mut Diagnostics) -> Option<Row> {
    let Expr::Array(place) = ungrouped(value.clone()) else {
        errors.error(value, format!("`{key}` is a list of coefficients: `{key} = [0, 1/2, 1]`"));
        return None;
    };
    coefficients(place, errors)
}

pub(super) fn matrix(
    key: &Ident,
    value: &Expr,
    errors: &mut Diagnostics,
) -> Option<(Vec<Row>, ExprArray)> {
    let Expr::Array(place) = ungrouped(value.clone()) else {
        errors.error(value, format!("`{key}` is a list of rows: `{key} = [[], [1/2], [0, 1]]`"));
        return None;
    };
    let mut rows = Vec::new();
    for element in place.elems.clone() {
        match ungrouped(element) {
            Expr::Array(entries) => rows.push(coefficients(entries, errors)),
            other => {
                let message = format!("`{key}` is a list of rows, each in its own brackets: `[…]`");
                errors.error(other, message);
                rows.push(None);
            }
        }
    }
    Some((rows.into_iter().collect::<Option<_>>()?, place))
}

fn coefficients(place: ExprArray, errors: &mut Diagnostics) -> Option<Row> {
    // All entries are evaluated before the first `None` ends the row, so that all errors are seen.
    let values: Vec<_> = place.elems.iter().map(|x| Number::parse(x, errors)).collect();
    let entries = values
        .into_iter()
        .zip(&place.elems)
        .map(|(value, place)| Some(Coefficient { value: value?, place: place.clone() }))
        .collect::<Option<_>>()?;
    Some(Row { entries, place })
}

/// The expression without the invisible groups of `macro_rules!`.
fn ungrouped(expression: Expr) -> Expr {
    match expression {
        Expr::Group(group) => ungrouped(*group.expr),
        other => other,
    }
}
