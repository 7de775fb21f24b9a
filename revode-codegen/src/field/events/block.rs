//! Reads the block of an event: `let`s and assignments.

use proc_macro2::Span;
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
    let fine = matches!(target.kind, ExprKind::Name(_) | ExprKind::Index(..) | ExprKind::Slice(..));
    let operator = operator(input)?.filter(|_| fine);
    let Some(operator) = operator else {
        let name = target.to_string();
        let is_equation = input.peek(Token![/]) && name.starts_with('d');
        let message =
            if is_equation { "equations stand outside the blocks of events" } else { form };
        return Err(syn::Error::new_spanned(target.range, message));
    };
    Ok(Change::Assign { target, operator, value: value(input)? })
}

/// `=`, `+=`, `-=`, `*=` or `/=`, as the operator before the `=`; `None` if there is none of them.
fn operator(input: ParseStream<'_>) -> syn::Result<Option<Option<Operator>>> {
    let operators = [
        (input.peek(Token![+=]), Operator::Add),
        (input.peek(Token![-=]), Operator::Sub),
        (input.peek(Token![*=]), Operator::Mul),
        (input.peek(Token![/=]), Operator::Div),
    ];
    if let Some((_, operator)) = operators.into_iter().find(|(is_next, _)| *is_next) {
        punctuation(input)?;
        punctuation(input)?;
        return Ok(Some(Some(operator)));
    }
    if input.peek(Token![=]) && !input.peek(Token![==]) {
        punctuation(input)?;
        return Ok(Some(None));
    }
    Ok(None)
}

fn punctuation(input: ParseStream<'_>) -> syn::Result<Span> {
    Ok(input.parse::<proc_macro2::Punct>()?.span())
}
