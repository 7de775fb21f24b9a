//! The shape of an expression, and everything that can be wrong with it.

use std::collections::BTreeMap;

use proc_macro2::{Ident, Span};

use super::ast::{Expr, ExprKind, Operator, Range};
use super::hints;
use super::model::Constraint;
use super::sizes;
use crate::diagnostics::Diagnostics;
use crate::functions::{self, STRUCTURAL};
use crate::ir::{Dim, Shape};

/// What a name means at a place.
#[derive(Debug, Clone)]
pub(super) enum Meaning {
    /// A value; its shape is unknown where its definition has an error.
    Value(Option<Shape>),
    /// The `let` that is being defined.
    Now,
    /// A `let` that comes later.
    Later,
}

/// The variable of `for i in start..end`, which indices are made of.
#[derive(Debug)]
pub(super) struct Counter {
    pub(super) name: String,
    pub(super) start: Dim,
    pub(super) end: Dim,
}

/// The names that expressions can use.
#[derive(Debug)]
pub(super) struct Scope {
    names: BTreeMap<String, Meaning>,
    /// The constants of the language among the names.
    built_in: Vec<&'static str>,
    sizes: Vec<String>,
    counter: Option<Counter>,
    dynamic: bool,
    constraints: Vec<Constraint>,
}

impl Scope {
    pub(super) fn new(built_in: Vec<&'static str>, sizes: Vec<String>, dynamic: bool) -> Self {
        let number = |name: &&str| ((*name).to_owned(), Meaning::Value(Some(Shape::Scalar)));
        let names = built_in.iter().map(number).collect();
        Self { names, built_in, sizes, counter: None, dynamic, constraints: vec![] }
    }

    pub(super) fn define(&mut self, name: &str, meaning: Meaning) {
        self.names.insert(name.to_owned(), meaning);
    }

    pub(super) fn knows(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    pub(super) fn is_later(&self, name: &str) -> bool {
        matches!(self.names.get(name), Some(Meaning::Later))
    }

    /// The names of sizes, and of the variable that indices are made of.
    pub(super) fn sizes(&self) -> &[String] {
        &self.sizes
    }

    /// Does something where there is a `counter`; what is defined there is not known after it.
    pub(super) fn within(&mut self, counter: Option<Counter>, f: impl FnOnce(&mut Self)) {
        let (names, sizes) = (self.names.clone(), self.sizes.clone());
        self.sizes.extend(counter.as_ref().map(|counter| counter.name.clone()));
        self.counter = counter;
        f(self);
        (self.names, self.sizes, self.counter) = (names, sizes, None);
    }

    pub(super) fn into_constraints(self) -> Vec<Constraint> {
        self.constraints
    }

    /// Whether a size can be that of an array on stable Rust; reports it if not.
    pub(super) fn is_expressible(&self, n: &Dim, expr: &Expr, errors: &mut Diagnostics) -> bool {
        let fine = self.dynamic || n.as_literal().is_some() || n.as_symbol().is_some();
        if !fine {
            errors.error(
                expr.range,
                format!(
                    "the size here is `{n}`, a sum or multiple of const parameters, which stable \
                     Rust cannot express; make the sizes literals, or declare them in `dims`"
                ),
            );
        }
        fine
    }

    /// The shape of an expression; `None` after an error.
    pub(super) fn shape(&mut self, expr: &Expr, errors: &mut Diagnostics) -> Option<Shape> {
        match &expr.kind {
            ExprKind::Number(_) => Some(Shape::Scalar),
            ExprKind::Name(name) => self.name(name, errors),
            ExprKind::Neg(a) | ExprKind::Group(a) => self.shape(a, errors),
            ExprKind::Binary(operator, span, a, b) => {
                let (a_shape, b_shape) = (self.shape(a, errors), self.shape(b, errors));
                let (a, b) = ((&**a, a_shape?), (&**b, b_shape?));
                match operator {
                    Operator::Product => product(*span, a, b, errors),
                    _ => broadcast(&operator.to_string(), Range::at(*span), &[a, b], errors),
                }
            }
            ExprKind::Call(name, arguments) => self.call(expr, name, arguments, errors),
            ExprKind::Index(a, indices) => self.index(expr, a, indices, errors),
            ExprKind::Slice(a, start, end) => {
                self.slice(expr, a, start.as_deref(), end.as_deref(), errors)
            }
        }
    }

    fn name(&self, name: &Ident, errors: &mut Diagnostics) -> Option<Shape> {
        let text = name.to_string();
        let message = match self.names.get(&text) {
            Some(Meaning::Value(shape)) => return shape.clone(),
            Some(Meaning::Now) => {
                format!("`{text}` is defined by itself; equations cannot be recursive")
            }
            Some(Meaning::Later) => {
                format!("`{text}` is used before its definition; move its `let` up")
            }
            None if self.counter.as_ref().is_some_and(|counter| counter.name == text) => {
                format!(
                    "`{text}` is an index, as in `u[{text}]`, not a value; what differs from one event to \
                     the next is a vector parameter"
                )
            }
            None if self.sizes.contains(&text) => {
                format!("`{text}` is a size, not a value; declare a constant or parameter for it")
            }
            None if functions::find(&text).is_some() || STRUCTURAL.contains(&&*text) => {
                format!("`{text}` is a function; write `{text}(…)`")
            }
            None => {
                // A constant of the language is not what was declared and then misspelt.
                let declared = self.names.keys().filter(|name| !self.built_in.contains(&&***name));
                let hint = hints::value(&text, declared.cloned());
                format!("unknown name `{text}`{hint}")
            }
        };
        errors.error(name, message);
        None
    }

    fn call(
        &mut self,
        expr: &Expr,
        name: &Ident,
        arguments: &[Expr],
        errors: &mut Diagnostics,
    ) -> Option<Shape> {
        let shapes: Vec<Option<Shape>> =
            arguments.iter().map(|argument| self.shape(argument, errors)).collect();
        let text = name.to_string();
        let arity = match &*text {
            "concat" => None,
            "dot" => Some(2),
            "sum" | "norm2" | "transpose" => Some(1),
            _ => {
                let Some(function) = functions::find(&text) else {
                    let hint = match self.names.get(&text) {
                        Some(_) => "; a product is written with `*`".to_owned(),
                        None => hints::function(&text),
                    };
                    errors.error(name, format!("unknown function `{text}`{hint}"));
                    return None;
                };
                Some(function.arity)
            }
        };
        match arity {
            Some(n) if n != arguments.len() => {
                let s = if n == 1 { "" } else { "s" };
                errors.error(
                    expr.range,
                    format!("`{text}` takes {n} argument{s}, not {}", arguments.len()),
                );
                return None;
            }
            None if arguments.is_empty() => {
                errors.error(expr.range, "`concat` needs an argument");
                return None;
            }
            _ => {}
        }
        let shapes: Option<Vec<Shape>> = shapes.into_iter().collect();
        let operands: Vec<(&Expr, Shape)> = arguments.iter().zip(shapes?).collect();
        match &*text {
            "concat" => self.concat(expr, &operands, errors),
            "transpose" => transpose(&operands[0], errors),
            "sum" | "norm2" | "dot" => {
                let scalar = operands.iter().find(|(_, shape)| shape.is_scalar());
                if let Some((operand, _)) = scalar {
                    let message = format!("`{text}` takes vectors, but `{operand}` is a scalar");
                    errors.error(operand.range, message);
                    return None;
                }
                broadcast(&text, Range::at(name.span()), &operands, errors)?;
                Some(Shape::Scalar)
            }
            _ => broadcast(&text, Range::at(name.span()), &operands, errors),
        }
    }

    fn concat(
        &self,
        expr: &Expr,
        operands: &[(&Expr, Shape)],
        errors: &mut Diagnostics,
    ) -> Option<Shape> {
        let mut length = Dim::literal(0);
        let mut fine = true;
        for (operand, shape) in operands {
            if let Shape::Matrix(..) = shape {
                let message = format!(
                    "`concat` takes scalars and vectors, but `{operand}` has shape {shape}"
                );
                errors.error(operand.range, message);
                fine = false;
            }
            length = length.plus(&shape.length().unwrap_or_default());
        }
        (fine && self.is_expressible(&length, expr, errors)).then_some(Shape::Vector(length))
    }

    fn index(
        &mut self,
        expr: &Expr,
        a: &Expr,
        indices: &[Expr],
        errors: &mut Diagnostics,
    ) -> Option<Shape> {
        let shape = self.shape(a, errors)?;
        let sizes = shape.sizes();
        if sizes.len() != indices.len() {
            let message = match sizes.len() {
                0 => format!("`{a}` is a scalar and cannot be indexed"),
                1 => format!("`{a}` has shape {shape}: it needs one index"),
                _ => format!("`{a}` has shape {shape}: it needs two indices, row and column"),
            };
            errors.error(expr.range, message);
            return None;
        }
        for (k, (index, size)) in indices.iter().zip(&sizes).enumerate() {
            let at = sizes::evaluate(index, &self.sizes, errors)?;
            if k == 1 && at.as_literal().is_none() && sizes[0].as_literal().is_none() {
                let message = "the column must be an integer, since the number of rows is not one";
                errors.error(index.range, message);
                return None;
            }
            let inside = self.require(expr, &at)
                && self.require(expr, &size.minus(&at).minus(&Dim::literal(1)));
            if !inside {
                let values = self.counter.as_ref().filter(|counter| at.factor(&counter.name) != 0);
                let values = values.map(|Counter { name, start, end }| {
                    format!(" for some `{name}` in {start}..{end}")
                });
                let values = values.unwrap_or_default();
                let message = format!(
                    "index {at} is out of range{values}: `{a}` has shape {shape}, and the first index is 0"
                );
                errors.error(index.range, message);
                return None;
            }
        }
        Some(Shape::Scalar)
    }

    fn slice(
        &mut self,
        expr: &Expr,
        a: &Expr,
        start: Option<&Expr>,
        end: Option<&Expr>,
        errors: &mut Diagnostics,
    ) -> Option<Shape> {
        let shape = self.shape(a, errors)?;
        let Shape::Vector(n) = &shape else {
            let what = if shape.is_scalar() { "a scalar" } else { "a matrix" };
            errors.error(expr.range, format!("`{a}` is {what}: only vectors have slices"));
            return None;
        };
        let bound = |bound: Option<&Expr>, default: Dim, errors: &mut Diagnostics| match bound {
            Some(bound) => sizes::evaluate(bound, &self.sizes, errors),
            None => Some(default),
        };
        let start = bound(start, Dim::literal(0), errors)?;
        let end = bound(end, n.clone(), errors)?;
        let length = end.minus(&start);
        if self.counter.as_ref().is_some_and(|counter| length.factor(&counter.name) != 0) {
            let message = format!("the length of this slice is {length}: slices have one length");
            errors.error(expr.range, message);
            return None;
        }
        let inside = self.require(expr, &start)
            && self.require(expr, &n.minus(&end))
            && self.require(expr, &length.minus(&Dim::literal(1)));
        if !inside {
            errors.error(
                expr.range,
                format!(
                    "the slice {start}..{end} is empty or out of range: `{a}` has shape {shape}"
                ),
            );
            return None;
        }
        self.is_expressible(&length, expr, errors).then_some(Shape::Vector(length))
    }

    /// Whether `margin` may be non-negative, for all values of the counter; what depends on a named size is noted for
    /// later.
    pub(super) fn require(&mut self, written: &impl ToString, margin: &Dim) -> bool {
        let margin = &self.least(margin);
        if let Some(margin) = margin.as_literal() {
            return margin >= 0;
        }
        // Sizes are at least 1.
        let least: i64 = margin.terms().map(|(_, factor)| factor).sum();
        if margin.terms().any(|(_, factor)| factor < 0) || least + margin.constant() < 0 {
            let (written, margin) = (written.to_string(), margin.clone());
            self.constraints.push(Constraint { written, margin });
        }
        true
    }

    /// The least value of a size, or index, over those of the counter.
    fn least(&self, size: &Dim) -> Dim {
        let Some(Counter { name, start, end }) = &self.counter else { return size.clone() };
        let last = end.minus(&Dim::literal(1));
        size.with(name, if size.factor(name) > 0 { start } else { &last })
    }
}

/// The shape of an elementwise result.
fn broadcast(
    what: &str,
    range: Range,
    operands: &[(&Expr, Shape)],
    errors: &mut Diagnostics,
) -> Option<Shape> {
    let mut vectors = operands.iter().filter(|(_, shape)| !shape.is_scalar());
    let Some((first, shape)) = vectors.next() else { return Some(Shape::Scalar) };
    if let Some((other, different)) = vectors.find(|(_, other)| other != shape) {
        errors.error(
            range,
            format!(
                "`{what}` needs equal shapes: `{first}` has shape {shape}, \
                 `{other}` has shape {different}"
            ),
        );
        return None;
    }
    Some(shape.clone())
}

/// The shape of `transpose(a)`.
fn transpose((a, shape): &(&Expr, Shape), errors: &mut Diagnostics) -> Option<Shape> {
    let hint = match shape {
        Shape::Matrix(rows, columns) => return Some(Shape::Matrix(columns.clone(), rows.clone())),
        Shape::Vector(n) => {
            format!(
                "has shape [{n}]; `@` takes a vector on its left as a row and on its right as a column"
            )
        }
        Shape::Scalar => "is a scalar".to_owned(),
    };
    errors.error(a.range, format!("`transpose` takes a matrix, but `{a}` {hint}"));
    None
}

/// The shape of `a @ b`.
fn product(
    span: Span,
    (a, a_shape): (&Expr, Shape),
    (b, b_shape): (&Expr, Shape),
    errors: &mut Diagnostics,
) -> Option<Shape> {
    let (m, n) = (a_shape.sizes(), b_shape.sizes());
    let message = match (m.last(), n.first()) {
        (Some(inner), Some(other)) if inner == other => {
            return Some(match [&m[..m.len() - 1], &n[1..]].concat().as_slice() {
                [] => Shape::Scalar,
                [n] => Shape::Vector(n.clone()),
                [rows, columns, ..] => Shape::Matrix(rows.clone(), columns.clone()),
            });
        }
        (Some(inner), Some(other)) => format!(
            "`@` needs equal inner sizes, not {inner} and {other}: `{a}` has shape {a_shape}, \
             `{b}` has shape {b_shape}"
        ),
        (inner, _) => {
            let scalar = if inner.is_none() { a } else { b };
            format!("`@` multiplies vectors and matrices, but `{scalar}` is a scalar; use `*`")
        }
    };
    errors.error(Range::at(span), message);
    None
}
