//! What was written.

use std::fmt;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::{Attribute, Visibility};

use super::events::Event;

/// A block of `ode!`.
#[derive(Debug)]
pub struct Block {
    /// Attributes of the struct, documentation among them.
    pub attributes: Vec<Attribute>,
    /// Visibility of the struct.
    pub visibility: Visibility,
    /// Name of the struct.
    pub name: Ident,
    /// The const parameters.
    pub generics: Vec<Ident>,
    /// The sizes known at run time.
    pub dims: Vec<Ident>,
    /// The states.
    pub states: Vec<Declaration>,
    /// The parameters.
    pub params: Vec<Declaration>,
    /// The constants.
    pub constants: Vec<(Ident, Expr)>,
    /// `let`s, equations and events, as they come.
    pub statements: Vec<Statement>,
}

impl Block {
    /// The block with `dx/dt = 0 * x` for each state in place of its statements.
    pub(super) fn at_rest(self) -> Self {
        let equation = |declaration: &Declaration| {
            let name = &declaration.name;
            let range = Range::at(name.span());
            let expression = |kind| Box::new(Expr { kind, range });
            let factors =
                (expression(ExprKind::Number(0.0)), expression(ExprKind::Name(name.clone())));
            let product = ExprKind::Binary(Operator::Mul, name.span(), factors.0, factors.1);
            Statement::Equation {
                token: name.clone(),
                state: name.to_string(),
                value: Expr { kind: product, range },
            }
        };
        let statements = self.states.iter().map(equation).collect();
        Self { constants: vec![], statements, ..self }
    }
}

/// `name` or `name: [sizes]`.
#[derive(Debug)]
pub struct Declaration {
    /// Attributes, documentation among them.
    pub attributes: Vec<Attribute>,
    /// The name.
    pub name: Ident,
    /// The sizes: none, one or two.
    pub sizes: Vec<Expr>,
}

/// A statement.
#[derive(Debug)]
pub enum Statement {
    /// `let name = value;`
    Let {
        /// The name.
        name: Ident,
        /// The value.
        value: Expr,
    },
    /// `dname/dt = value;`
    Equation {
        /// The token `dname`.
        token: Ident,
        /// The name of the state.
        state: String,
        /// The value.
        value: Expr,
    },
    /// `event …` or `at …`
    Event(Box<Event>),
}

/// From one token to another.
#[derive(Debug, Clone, Copy)]
pub struct Range {
    /// The first token.
    pub start: Span,
    /// The last token.
    pub end: Span,
}

impl Range {
    /// One token.
    pub fn at(span: Span) -> Self {
        Self { start: span, end: span }
    }
}

/// Tokens with the spans of the ends, which is what errors are placed by.
impl ToTokens for Range {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(quote_spanned!(self.start=> _));
        tokens.extend(quote_spanned!(self.end=> _));
    }
}

/// An expression.
#[derive(Debug, Clone)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it is.
    pub range: Range,
}

impl Expr {
    /// The first name of a value in it for which `is` holds; indices hold none.
    pub(super) fn find_name(&self, is: &mut impl FnMut(&Ident) -> bool) -> Option<&Ident> {
        match &self.kind {
            ExprKind::Number(_) => None,
            ExprKind::Name(name) => is(name).then_some(name),
            ExprKind::Neg(a)
            | ExprKind::Group(a)
            | ExprKind::Index(a, _)
            | ExprKind::Slice(a, ..) => a.find_name(is),
            ExprKind::Binary(_, _, a, b) => a.find_name(is).or_else(|| b.find_name(is)),
            ExprKind::Call(_, arguments) => arguments.iter().find_map(|a| a.find_name(is)),
        }
    }
}

/// What an expression is.
#[derive(Debug, Clone)]
pub enum ExprKind {
    /// A number.
    Number(f64),
    /// A name.
    Name(Ident),
    /// `-a`
    Neg(Box<Expr>),
    /// `a op b`, with the operator's token
    Binary(Operator, Span, Box<Expr>, Box<Expr>),
    /// `f(a, …)`
    Call(Ident, Vec<Expr>),
    /// `a[i]` or `a[i, j]`
    Index(Box<Expr>, Vec<Expr>),
    /// `a[i..j]`; a bound may be left out
    Slice(Box<Expr>, Option<Box<Expr>>, Option<Box<Expr>>),
    /// `(a)`
    Group(Box<Expr>),
}

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Sub,
    /// `*`
    Mul,
    /// `/`
    Div,
    /// `@`
    Product,
    /// `^`
    Power,
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Product => "@",
            Self::Power => "^",
        })
    }
}

/// The expression as it is written, for messages.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bound = |bound: &Option<Box<Self>>| bound.as_ref().map(ToString::to_string);
        match &self.kind {
            ExprKind::Number(x) => write!(f, "{x}"),
            ExprKind::Name(name) => write!(f, "{name}"),
            ExprKind::Neg(a) => write!(f, "-{a}"),
            ExprKind::Binary(Operator::Power, _, a, b) => write!(f, "{a}^{b}"),
            ExprKind::Binary(operator, _, a, b) => write!(f, "{a} {operator} {b}"),
            ExprKind::Call(name, arguments) => write!(f, "{name}({})", list(arguments)),
            ExprKind::Index(a, indices) => write!(f, "{a}[{}]", list(indices)),
            ExprKind::Slice(a, start, end) => {
                let (start, end) = (bound(start), bound(end));
                write!(f, "{a}[{}..{}]", start.unwrap_or_default(), end.unwrap_or_default())
            }
            ExprKind::Group(a) => write!(f, "({a})"),
        }
    }
}

/// Expressions with commas between them.
pub fn list(expressions: &[Expr]) -> String {
    expressions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
