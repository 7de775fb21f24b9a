//! The arguments of `#[rosenbrock(…)]`.

use proc_macro2::TokenStream;
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprArray, Ident, ItemStruct, Token};

use super::Class;
use crate::diagnostics::Diagnostics;
use crate::number::Number;
use crate::tableau::parse::{Argument, Claim, Coefficient, MAX_ORDER, Row, claim, matrix, row};

const KEYS: &str = "`order`, `embedded`, `stability`, `digits` and `gamma`, then `a`, `c`, `m` and `m_embedded` or `alpha`, \
    `gamma_ij`, `b` and `b_embedded`, and for dense output `interpolant` and `h`";

/// A method as it was written, its numbers evaluated.
#[derive(Debug)]
pub(super) struct Declaration {
    pub(super) order: Claim,
    pub(super) embedded: Option<Claim>,
    pub(super) digits: Option<Claim>,
    /// The claimed stability, and its token.
    pub(super) stability: (Class, Ident),
    /// The diagonal.
    pub(super) gamma: Coefficient,
    pub(super) entries: Entries,
    pub(super) weights: Weights,
    pub(super) interpolant: Option<Declared>,
}

/// The two strictly lower matrices: `a` and `c`, or `alpha` and `gamma_ij`, and where they stand.
#[derive(Debug)]
pub(super) struct Entries {
    pub(super) transformed: bool,
    pub(super) left: (Vec<Row>, ExprArray),
    pub(super) right: (Vec<Row>, ExprArray),
}

/// `m` and `m_embedded`, or `b` and `b_embedded`.
#[derive(Debug)]
pub(super) struct Weights {
    pub(super) main: Row,
    pub(super) embedded: Option<Row>,
}

/// The interpolant as it was written.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) order: Claim,
    pub(super) rows: Vec<Row>,
}

impl Declaration {
    /// The names of the two matrices and of the weights.
    pub(super) fn names(&self) -> [&'static str; 3] {
        names(self.entries.transformed)
    }
}

fn names(transformed: bool) -> [&'static str; 3] {
    if transformed { ["a", "c", "m"] } else { ["alpha", "gamma_ij", "b"] }
}

/// Reads the arguments of the attribute on `item`.
///
/// # Errors
/// Every argument that is not of its form, at its tokens; arguments that are missing, at the name of the struct.
pub(super) fn parse(arguments: TokenStream, item: &ItemStruct) -> syn::Result<Declaration> {
    let mut errors = Diagnostics::new();
    let mut read = Arguments::default();
    let arguments = Punctuated::<Argument, Token![,]>::parse_terminated.parse2(arguments)?;
    for argument in arguments {
        read.take(argument, &mut errors);
    }
    read.complete(item, errors)
}

/// What has been read.
#[derive(Default)]
struct Arguments {
    /// The names of all arguments, those with errors too.
    given: Vec<String>,
    order: Option<Claim>,
    embedded: Option<Claim>,
    digits: Option<Claim>,
    interpolant: Option<Claim>,
    stability: Option<(Class, Ident)>,
    gamma: Option<Coefficient>,
    /// By name.
    matrices: Vec<(String, (Vec<Row>, ExprArray))>,
    rows: Vec<(String, Row)>,
}

impl Arguments {
    fn take(&mut self, Argument { key, value }: Argument, errors: &mut Diagnostics) {
        let name = key.to_string();
        match name.as_str() {
            "order" => self.order = claim(&key, &value, 1, MAX_ORDER, errors),
            "embedded" => self.embedded = claim(&key, &value, 1, MAX_ORDER, errors),
            "digits" => self.digits = claim(&key, &value, 6, 40, errors),
            "interpolant" => self.interpolant = claim(&key, &value, 1, MAX_ORDER, errors),
            "stability" => self.stability = class(&value, errors),
            "gamma" => {
                self.gamma = Number::parse(&value, errors)
                    .map(|number| Coefficient { value: number, place: value });
            }
            "a" | "c" | "alpha" | "gamma_ij" | "h" => {
                let rows = matrix(&key, &value, errors);
                self.matrices.extend(rows.map(|rows| (name.clone(), rows)));
            }
            "m" | "m_embedded" | "b" | "b_embedded" => {
                let row = row(&key, &value, errors);
                self.rows.extend(row.map(|row| (name.clone(), row)));
            }
            _ => errors
                .error(&key, format!("unknown argument `{key}`: a Rosenbrock method has {KEYS}")),
        }
        if self.given.contains(&name) {
            errors.error(&key, format!("`{key}` is given twice"));
        }
        self.given.push(name);
    }

    fn complete(mut self, item: &ItemStruct, mut errors: Diagnostics) -> syn::Result<Declaration> {
        let given = |name: &str| self.given.iter().any(|given| given == name);
        let transformed = ["a", "c", "m", "m_embedded"].into_iter().any(given)
            || !["alpha", "gamma_ij", "b", "b_embedded"].into_iter().any(given);
        let names @ [left, right, weights] = names(transformed);
        let embedded = format!("{weights}_embedded");
        for (name, form) in [("order", "…"), ("stability", "L"), ("gamma", "…")]
            .into_iter()
            .chain(names.map(|name| (name, "[…]")))
        {
            if !given(name) {
                let message = format!("the method has no `{name} = {form}`");
                errors.error(&item.ident, message);
            }
        }
        let [.., of_other] = self::names(!transformed);
        let others = self::names(!transformed).map(str::to_owned);
        let others = others.into_iter().chain([format!("{of_other}_embedded")]);
        if let Some(name) = others.into_iter().find(|name| given(name)) {
            let [left, right, weights] = names;
            let message = format!(
                "the coefficients are given in two forms, `{left}`, `{right}`, `{weights}` and `{name}`: choose one"
            );
            errors.error(&item.ident, message);
        }
        if given("embedded") != given(&embedded) {
            let message = format!(
                "`embedded = …` claims the order of the weights `{embedded} = […]`: give both"
            );
            errors.error(&item.ident, message);
        }
        if given("interpolant") != given("h") {
            let message =
                "`interpolant = …` claims the order of the rows `h = [[…], …]`: give both";
            errors.error(&item.ident, message);
        }
        errors.finish()?;
        let mut matrix = |name: &str| {
            let place = self.matrices.iter().position(|(found, _)| found == name);
            place.map(|place| self.matrices.swap_remove(place).1)
        };
        let (left, right, h) = (matrix(left), matrix(right), matrix("h"));
        let mut row = |name: &str| {
            let place = self.rows.iter().position(|(found, _)| found == name);
            place.map(|place| self.rows.swap_remove(place).1)
        };
        let (main, embedded) = (row(weights), row(&embedded));
        let claims = (self.order, self.stability, self.gamma);
        // Every argument that is present has been read, or there would have been an error.
        let (Some(left), Some(right), Some(main), (Some(order), Some(stability), Some(gamma))) =
            (left, right, main, claims)
        else {
            return Err(syn::Error::new_spanned(&item.ident, "the method is incomplete"));
        };
        let interpolant = self.interpolant.zip(h);
        Ok(Declaration {
            order,
            embedded: self.embedded,
            digits: self.digits,
            stability,
            gamma,
            entries: Entries { transformed, left, right },
            weights: Weights { main, embedded },
            interpolant: interpolant.map(|(order, (rows, _))| Declared { order, rows }),
        })
    }
}

fn class(value: &Expr, errors: &mut Diagnostics) -> Option<(Class, Ident)> {
    if let Expr::Path(path) = value
        && let Some(ident) = path.path.get_ident()
    {
        match ident.to_string().as_str() {
            "A" => return Some((Class::A, ident.clone())),
            "L" => return Some((Class::L, ident.clone())),
            _ => {}
        }
    }
    errors.error(value, "`stability` is `A` or `L`");
    None
}
