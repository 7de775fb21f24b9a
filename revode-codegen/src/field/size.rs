//! Sizes and indices: integers, named sizes, and sums and multiples of them.

use super::ast::{Expr, ExprKind, Operator};
use crate::diagnostics::Diagnostics;
use crate::ir::Dim;

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
