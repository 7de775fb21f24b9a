//! Reads the block of an event: `let`s and assignments.

use proc_macro2::Punct;
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Ident, Token, braced};

use super::Change;
use crate::diagnostics::Diagnostics;
use crate::field::ast::{ExprKind, Operator};
use crate::field::expression;
use crate::field::parse::{statements, value};

/// The statements between braces.
pub(super) fn block(input: ParseStream<'_>) -> syn::Result<Vec<Change>> {
    let content;
    braced!(content in input);
    let mut errors = Diagnostics::new();
    let changes = statements(&content, change, &mut errors);
    let changes = errors.take(changes);
    errors.finish()?;
    Ok(changes.unwrap_or_default())
}

fn change(input: ParseStream<'_>) -> syn::Result<Change> {
    if input.peek(Token![let]) {
        input.parse::<Token![let]>()?;
        let name = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        return Ok(Change::Let { name, value: value(input)? });
    }
    let form = "expected `let name = …;` or an assignment to a state, `x = …;` or `x += …;`";
    if !input.peek(Ident::peek_any) || input.peek(Token![if]) || input.peek(Token![for]) {
        return Err(input.error(form));
    }
    let target = expression::operand(input)?;
    let is_place =
        matches!(target.kind, ExprKind::Name(_) | ExprKind::Index(..) | ExprKind::Slice(..));
    if !is_place || !is_assignment(input) {
        let is_equation = input.peek(Token![/]) && target.to_string().starts_with('d');
        let message =
            if is_equation { "equations stand outside the blocks of events" } else { form };
        return Err(syn::Error::new_spanned(target.range, message));
    }
    let operator = operator(input)?;
    Ok(Change::Assign { target, operator, value: value(input)? })
}

/// Whether `=`, `+=`, `-=`, `*=` or `/=` comes next.
fn is_assignment(input: ParseStream<'_>) -> bool {
    (input.peek(Token![=]) && !input.peek(Token![==])) || compound(input).is_some()
}

/// Takes the tokens of an assignment; the operator before the `=`, if there is one.
fn operator(input: ParseStream<'_>) -> syn::Result<Option<Operator>> {
    let operator = compound(input);
    if operator.is_some() {
        input.parse::<Punct>()?;
    }
    input.parse::<Punct>()?;
    Ok(operator)
}

/// The operator of `+=`, `-=`, `*=` or `/=`.
fn compound(input: ParseStream<'_>) -> Option<Operator> {
    let operators = [
        (input.peek(Token![+=]), Operator::Add),
        (input.peek(Token![-=]), Operator::Sub),
        (input.peek(Token![*=]), Operator::Mul),
        (input.peek(Token![/=]), Operator::Div),
    ];
    operators.into_iter().find_map(|(is_next, operator)| is_next.then_some(operator))
}
