//! Expressions: a precedence-climbing parser over Rust tokens.
//!
//! From the loosest to the tightest: `+ -`, then `* / @`, then unary minus, then `^` (to the right),
//! then indexing and calls.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Ident, Lit, Token, bracketed, parenthesized, token};

use super::ast::{Expr, ExprKind, Operator, Range};
use super::hints;

/// How deep parentheses, brackets and signs may be nested: far beyond any formula, well below the
/// compiler's stack.
const MAX_DEPTH: usize = 128;

impl Parse for Expr {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        sum(input, 0)
    }
}

/// An operand: what may stand before `=` is one.
pub(super) fn operand(input: ParseStream<'_>) -> syn::Result<Expr> {
    postfix(input, 0)
}

fn sum(input: ParseStream<'_>, depth: usize) -> syn::Result<Expr> {
    let mut left = term(input, depth)?;
    loop {
        let operator = if input.peek(Token![+]) {
            Operator::Add
        } else if input.peek(Token![-]) {
            Operator::Sub
        } else {
            return Ok(left);
        };
        let span = punctuation(input)?;
        left = binary(operator, span, left, term(input, depth)?);
    }
}

fn term(input: ParseStream<'_>, depth: usize) -> syn::Result<Expr> {
    let mut left = signed(input, depth)?;
    loop {
        let operator = if input.peek(Token![*]) {
            Operator::Mul
        } else if input.peek(Token![/]) {
            Operator::Div
        } else if input.peek(Token![@]) {
            Operator::Product
        } else {
            return Ok(left);
        };
        let span = punctuation(input)?;
        if operator == Operator::Mul && input.peek(Token![*]) {
            return Err(input.error("a power is written with `^`, as in `x ^ 2`"));
        }
        left = binary(operator, span, left, signed(input, depth)?);
    }
}

fn signed(input: ParseStream<'_>, depth: usize) -> syn::Result<Expr> {
    if depth > MAX_DEPTH {
        return Err(input.error("this expression is nested too deeply; name a part of it by `let`"));
    }
    if !input.peek(Token![-]) {
        return power(input, depth);
    }
    let start = punctuation(input)?;
    let operand = signed(input, depth + 1)?;
    let range = Range { start, end: operand.range.end };
    Ok(Expr { kind: ExprKind::Neg(Box::new(operand)), range })
}

fn power(input: ParseStream<'_>, depth: usize) -> syn::Result<Expr> {
    let base = postfix(input, depth)?;
    if !input.peek(Token![^]) {
        return Ok(base);
    }
    let span = punctuation(input)?;
    Ok(binary(Operator::Power, span, base, signed(input, depth + 1)?))
}

fn postfix(input: ParseStream<'_>, depth: usize) -> syn::Result<Expr> {
    let mut operand = atom(input, depth)?;
    while input.peek(token::Bracket) {
        let content;
        let end = bracketed!(content in input).span.close();
        let range = Range { start: operand.range.start, end };
        let kind = subscript(&content, operand, depth + 1)?;
        operand = Expr { kind, range };
    }
    Ok(operand)
}

/// What stands between the brackets behind `operand`.
fn subscript(content: ParseStream<'_>, operand: Expr, depth: usize) -> syn::Result<ExprKind> {
    let operand = Box::new(operand);
    let start = if content.peek(Token![..]) { None } else { Some(Box::new(sum(content, depth)?)) };
    if content.peek(Token![..=]) {
        return Err(
            content.error("write a slice as `u[first..end]`, where `end` is left out of it")
        );
    }
    if content.peek(Token![..]) {
        content.parse::<Token![..]>()?;
        let end = if content.is_empty() { None } else { Some(Box::new(sum(content, depth)?)) };
        expect_end(content, "expected `]`")?;
        return Ok(ExprKind::Slice(operand, start, end));
    }
    let mut indices: Vec<Expr> = start.into_iter().map(|first| *first).collect();
    while !content.is_empty() {
        content.parse::<Token![,]>()?;
        if !content.is_empty() {
            indices.push(sum(content, depth)?);
        }
    }
    Ok(ExprKind::Index(operand, indices))
}

fn atom(input: ParseStream<'_>, depth: usize) -> syn::Result<Expr> {
    if input.peek(token::Paren) {
        let content;
        let parens = parenthesized!(content in input);
        let inner = sum(&content, depth + 1)?;
        expect_end(&content, "expected an operator or `)`")?;
        let range = Range { start: parens.span.open(), end: parens.span.close() };
        return Ok(Expr { kind: ExprKind::Group(Box::new(inner)), range });
    }
    if input.peek(Token![if]) {
        return Err(input.error(
            "`if` is not supported yet; `min`, `max`, `abs` and `relu` express many cases",
        ));
    }
    if input.peek(Lit) {
        return number(input);
    }
    if input.peek(Ident::peek_any) {
        return name_or_call(input, depth);
    }
    Err(input.error("expected a number, a name, `(` or `-`"))
}

fn number(input: ParseStream<'_>) -> syn::Result<Expr> {
    let literal: Lit = input.parse()?;
    let (digits, suffix) = match &literal {
        Lit::Int(int) => (int.base10_digits().to_owned(), int.suffix()),
        Lit::Float(float) => (float.base10_digits().to_owned(), float.suffix()),
        _ => return Err(syn::Error::new(literal.span(), "expected a number")),
    };
    if !suffix.is_empty() {
        let message = format!("write `{digits}`: numbers have the type of the model's scalar");
        return Err(syn::Error::new(literal.span(), message));
    }
    match digits.parse::<f64>() {
        Ok(x) if x.is_finite() => {
            Ok(Expr { kind: ExprKind::Number(x), range: Range::at(literal.span()) })
        }
        _ => Err(syn::Error::new(literal.span(), "this number is too large")),
    }
}

fn name_or_call(input: ParseStream<'_>, depth: usize) -> syn::Result<Expr> {
    let name = input.call(Ident::parse_any)?;
    if input.peek(Token![::]) || (input.peek(Token![.]) && !input.peek(Token![..])) {
        return Err(member(input, &name)?);
    }
    if !input.peek(token::Paren) {
        let range = Range::at(name.span());
        return Ok(Expr { kind: ExprKind::Name(name), range });
    }
    let content;
    let end = parenthesized!(content in input).span.close();
    let mut arguments = Vec::new();
    while !content.is_empty() {
        arguments.push(sum(&content, depth + 1)?);
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    let range = Range { start: name.span(), end };
    Ok(Expr { kind: ExprKind::Call(name, arguments), range })
}

/// What is wrong with `math.pi`, `f64::consts::PI` and `x.sin()`.
fn member(input: ParseStream<'_>, of: &Ident) -> syn::Result<syn::Error> {
    let mut last = of.clone();
    while input.peek(Token![::]) || input.peek(Token![.]) {
        if input.parse::<Token![::]>().is_err() {
            input.parse::<Token![.]>()?;
        }
        last = input.call(Ident::parse_any)?;
    }
    Ok(syn::Error::new(of.span(), hints::member(&of.to_string(), &last.to_string())))
}

fn binary(operator: Operator, span: Span, left: Expr, right: Expr) -> Expr {
    let range = Range { start: left.range.start, end: right.range.end };
    Expr { kind: ExprKind::Binary(operator, span, Box::new(left), Box::new(right)), range }
}

/// Takes a token of one punctuation character. `a/-b` is such a sequence, `a-=b` is not an
/// operator followed by `=` by accident: what follows is parsed as an operand and refused there.
fn punctuation(input: ParseStream<'_>) -> syn::Result<Span> {
    Ok(input.parse::<proc_macro2::Punct>()?.span())
}

fn expect_end(content: ParseStream<'_>, message: &str) -> syn::Result<()> {
    if content.is_empty() { Ok(()) } else { Err(content.error(message)) }
}
