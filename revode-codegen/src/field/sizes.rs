//! Sizes and indices: integers, named sizes, and sums and multiples of them; how they are read from
//! the user's expressions and how they are written in Rust.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::ast::{Expr, ExprKind, Operator};
use super::model::Model;
use crate::diagnostics::Diagnostics;
use crate::ir::{Dim, Shape};

/// Evaluates a size over the names in `known`; reports what is not one.
pub(super) fn evaluate(expr: &Expr, known: &[String], errors: &mut Diagnostics) -> Option<Dim> {
    match &expr.kind {
        ExprKind::Number(x) if x.fract() == 0.0 && x.abs() < f64::from(i32::MAX) => {
            Some(Dim::literal(*x as i64))
        }
        ExprKind::Name(name) if known.contains(&name.to_string()) => {
            Some(Dim::symbol(name.to_string()))
        }
        ExprKind::Name(name) => {
            errors.error(
                name,
                format!(
                    "unknown size `{name}`; a size is an integer, a const parameter of the struct, \
                     or declared in `dims`"
                ),
            );
            None
        }
        ExprKind::Group(inner) => evaluate(inner, known, errors),
        ExprKind::Neg(inner) => Some(evaluate(inner, known, errors)?.times(-1)),
        ExprKind::Binary(operator, _, a, b) => {
            let combined = match operator {
                Operator::Add | Operator::Sub | Operator::Mul => {
                    let (a, b) = (evaluate(a, known, errors), evaluate(b, known, errors));
                    combine(*operator, &a?, &b?)
                }
                _ => None,
            };
            if combined.is_none() {
                not_a_size(expr, errors);
            }
            combined
        }
        _ => {
            not_a_size(expr, errors);
            None
        }
    }
}

fn combine(operator: Operator, a: &Dim, b: &Dim) -> Option<Dim> {
    match operator {
        Operator::Add => Some(a.plus(b)),
        Operator::Sub => Some(a.minus(b)),
        _ => match (a.as_literal(), b.as_literal()) {
            (Some(factor), _) => Some(b.times(factor)),
            (_, Some(factor)) => Some(a.times(factor)),
            _ => None,
        },
    }
}

fn not_a_size(expr: &Expr, errors: &mut Diagnostics) {
    errors.error(
        expr.range,
        format!("`{expr}` is not an integer known at compile time or a multiple of a named size"),
    );
}

/// A size as a `usize`: a literal, a const parameter, or a field of `self`; an index of events also of the argument
/// `index`.
pub(super) fn size(model: &Model, n: &Dim) -> TokenStream {
    written(model, n, &quote!(self.))
}

/// A size where the `dims` are local variables and not fields of `self`.
pub(super) fn local_size(model: &Model, n: &Dim) -> TokenStream {
    written(model, n, &TokenStream::new())
}

/// A size, where `owner` stands before each of the `dims`.
fn written(model: &Model, n: &Dim, owner: &TokenStream) -> TokenStream {
    let mut positive = Vec::new();
    let mut negative = Vec::new();
    for (text, factor) in n.terms() {
        let is = |ident: &&Ident| *ident == text;
        let dim = model.dims.iter().find(is).map(|dim| quote!(#owner #dim));
        let generic = || model.generics.iter().find(is).map(|name| quote!(#name));
        // What is no size is the variable of `for`.
        let name = dim.or_else(generic).unwrap_or_else(|| quote!(index));
        let count = Literal::usize_unsuffixed(factor.unsigned_abs() as usize);
        let term = if factor.abs() == 1 { quote!(#name) } else { quote!(#count * #name) };
        if factor > 0 { positive.push(term) } else { negative.push(term) }
    }
    let constant = Literal::usize_unsuffixed(n.constant().unsigned_abs() as usize);
    match n.constant() {
        0 if !positive.is_empty() => {}
        c if c < 0 => negative.push(quote!(#constant)),
        _ => positive.push(quote!(#constant)),
    }
    quote!(#(#positive)+* #(- #negative)*)
}

/// The number of components of a shape as a `usize`.
pub(super) fn count(model: &Model, shape: &Shape) -> TokenStream {
    match (shape.length(), &shape.sizes()[..]) {
        (Some(length), _) => size(model, &length),
        (None, sizes) => {
            let (rows, columns) = (size(model, &sizes[0]), size(model, &sizes[1]));
            quote!((#rows) * (#columns))
        }
    }
}

/// The place of component `offset` of state `k` among the components of all states.
pub(super) fn state_offset(model: &Model, k: usize, offset: &Dim) -> TokenStream {
    part_offset(model, &model.state_shapes(), k, offset)
}

/// The place of component `offset` of part `k` among the components of parts of these shapes.
pub(super) fn part_offset(model: &Model, parts: &[Shape], k: usize, offset: &Dim) -> TokenStream {
    let lengths = parts[..k].iter().map(Shape::length);
    if let Some(lengths) = lengths.collect::<Option<Vec<Dim>>>() {
        return size(model, &lengths.iter().fold(offset.clone(), |sum, n| sum.plus(n)));
    }
    let counts = parts[..k].iter().map(|shape| count(model, shape));
    let offset = (*offset != Dim::default()).then(|| size(model, offset));
    let terms = counts.chain(offset);
    quote!(#(#terms)+*)
}

/// The number of components of all states.
pub(super) fn state_count(model: &Model) -> TokenStream {
    state_offset(model, model.states.len(), &Dim::default())
}
