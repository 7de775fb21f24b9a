//! The block: header, sections, statements.

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::token::Bracket;
use syn::{Attribute, Ident, Token, Visibility, braced, bracketed};

use super::ast::{Block, Declaration, Expr, ExprKind, Range, Statement};
use super::{events, hints};
use crate::diagnostics::Diagnostics;

/// Parses a block. After an error in a statement or section, parsing goes on behind it.
///
/// # Errors
/// All syntax errors.
pub(super) fn parse(input: TokenStream) -> syn::Result<Block> {
    let mut errors = Diagnostics::new();
    let block = (|input: ParseStream<'_>| block(input, &mut errors)).parse2(input);
    let block = errors.take(block);
    errors.finish()?;
    Ok(block.expect("without a block there is an error"))
}

/// What could be read of a block, whatever is wrong with it; none where its header or a section could
/// not be told apart.
pub(super) fn parse_lossy(input: TokenStream) -> Option<Block> {
    let mut errors = Diagnostics::new();
    (|input: ParseStream<'_>| block(input, &mut errors)).parse2(input).ok()
}

fn block(input: ParseStream<'_>, errors: &mut Diagnostics) -> syn::Result<Block> {
    let attributes = input.call(Attribute::parse_outer)?;
    let visibility = input.parse()?;
    if !input.peek(Token![struct]) {
        return Err(input.error("expected `struct Name { … }` with the sections in its braces"));
    }
    input.parse::<Token![struct]>()?;
    let mut block = Block {
        attributes,
        visibility,
        name: input.parse()?,
        generics: generics(input)?,
        dims: vec![],
        states: vec![],
        params: vec![],
        constants: vec![],
        statements: vec![],
    };
    let content;
    braced!(content in input);
    while !content.is_empty() {
        section(&content, &mut block, errors)?;
    }
    block.statements = statements(input, statement, errors)?;
    Ok(block)
}

/// Statements, each with `;` or a block behind it. After an error in a statement, parsing goes on behind it.
pub(super) fn statements<V>(
    input: ParseStream<'_>,
    statement: fn(ParseStream<'_>) -> syn::Result<V>,
    errors: &mut Diagnostics,
) -> syn::Result<Vec<V>> {
    let mut statements = Vec::new();
    while !input.is_empty() {
        // Each statement is parsed from its own tokens, so that an error ends with it.
        let start = input.span();
        let (tokens, terminated) = statement_tokens(input)?;
        if tokens.is_empty() {
            continue;
        }
        let last = tokens.clone().into_iter().last().map_or(start, |token| token.span());
        match errors.take(statement.parse2(tokens)) {
            Some(_) if !terminated => {
                errors.push(syn::Error::new(last, "expected `;` behind this statement"));
            }
            Some(statement) => statements.push(statement),
            None => {}
        }
    }
    Ok(statements)
}

/// The tokens up to the next `;`, or to the end of a block, and whether there was one of them.
fn statement_tokens(input: ParseStream<'_>) -> syn::Result<(TokenStream, bool)> {
    // Only what has a block ends with it: an equation with braces in it is one statement, and wrong.
    let has_block = input.fork().call(Ident::parse_any).is_ok_and(|word| {
        word == "event" || word == "at" || hints::statement(&word.to_string()).is_some()
    });
    let mut tokens = TokenStream::new();
    while !input.is_empty() {
        match input.parse::<TokenTree>()? {
            TokenTree::Punct(punct) if punct.as_char() == ';' => return Ok((tokens, true)),
            token => {
                let is_block = matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
                tokens.extend([token]);
                if has_block && is_block {
                    return Ok((tokens, true));
                }
            }
        }
    }
    Ok((tokens, false))
}

/// `<const H: usize, …>`
fn generics(input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    let generics: syn::Generics = input.parse()?;
    let mut errors = Diagnostics::new();
    let mut names = Vec::new();
    for parameter in &generics.params {
        match parameter {
            syn::GenericParam::Const(parameter) if is_usize(&parameter.ty) => {
                names.push(parameter.ident.clone());
            }
            other => errors.error(
                other,
                "expected `const NAME: usize`; the scalar type is added by `ode!` itself",
            ),
        }
    }
    errors.finish()?;
    Ok(names)
}

fn is_usize(ty: &syn::Type) -> bool {
    matches!(ty, syn::Type::Path(path) if path.path.is_ident("usize"))
}

fn section(input: ParseStream<'_>, block: &mut Block, errors: &mut Diagnostics) -> syn::Result<()> {
    let name = input.call(Ident::parse_any)?;
    let content;
    braced!(content in input);
    match name.to_string().as_str() {
        "state" => block.states.extend(list(&content, declaration, errors)),
        "params" => block.params.extend(list(&content, declaration, errors)),
        "dims" => block.dims.extend(list(&content, identifier, errors)),
        "const" => block.constants.extend(list(&content, constant, errors)),
        "input" => {
            errors.error(
                &name,
                "`input` is not supported yet; make the function of time part of the equations \
                 (`t` is the time), or implement `VectorField` by hand",
            );
            content.parse::<TokenStream>()?;
        }
        other => {
            errors.error(
                &name,
                match hints::statement(other) {
                    Some(hint) => format!("`{other}` is no section; {hint}"),
                    None => format!(
                        "unknown section `{other}`; there are `state`, `params`, `const`, `dims`"
                    ),
                },
            );
            content.parse::<TokenStream>()?;
        }
    }
    if input.peek(Token![,]) {
        input.parse::<Token![,]>()?;
    }
    Ok(())
}

/// Items with commas between them. After an error in an item, parsing goes on behind the next comma.
fn list<V>(
    input: ParseStream<'_>,
    item: impl Fn(ParseStream<'_>) -> syn::Result<V>,
    errors: &mut Diagnostics,
) -> Vec<V> {
    let mut items = Vec::new();
    while !input.is_empty() {
        match item(input) {
            Ok(item) => {
                items.push(item);
                if !input.is_empty() && !input.peek(Token![,]) {
                    errors.push(input.error("expected `,` between two items"));
                }
            }
            Err(error) => errors.push(error),
        }
        skip_past_comma(input);
    }
    items
}

/// Skips the rest of an item, and the comma behind it.
fn skip_past_comma(input: ParseStream<'_>) {
    while let Ok(token) = input.parse::<TokenTree>() {
        if matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',') {
            return;
        }
    }
}

/// A name; that a word of Rust is none is told with the other names, by the check.
fn identifier(input: ParseStream<'_>) -> syn::Result<Ident> {
    input.call(Ident::parse_any).map_err(|_| input.error("expected a name"))
}

fn constant(input: ParseStream<'_>) -> syn::Result<(Ident, Expr)> {
    let name = identifier(input)?;
    input.parse::<Token![=]>()?;
    Ok((name, input.parse()?))
}

fn declaration(input: ParseStream<'_>) -> syn::Result<Declaration> {
    let attributes = input.call(Attribute::parse_outer)?;
    let name = identifier(input)?;
    let mut sizes = Vec::new();
    if input.peek(Token![:]) {
        input.parse::<Token![:]>()?;
        if !input.peek(Bracket) {
            let message = format!(
                "expected sizes in brackets, as in `{name}: [3]` or `{name}: [2, 3]`; a scalar has \
                 neither sizes nor a type"
            );
            return Err(input.error(message));
        }
        let content;
        let brackets = bracketed!(content in input);
        let mut errors = Diagnostics::new();
        sizes = list(&content, Expr::parse, &mut errors);
        errors.finish()?;
        match &sizes[..] {
            [] => {
                let message = "expected a size, as in `[3]` or `[2, 3]`";
                return Err(syn::Error::new(brackets.span.join(), message));
            }
            [first, _, .., last] => {
                let range = Range { start: first.range.start, end: last.range.end };
                let message = "expected one size (a vector) or two (a matrix)";
                return Err(syn::Error::new_spanned(range, message));
            }
            _ => {}
        }
    }
    Ok(Declaration { attributes, name, sizes })
}

fn statement(input: ParseStream<'_>) -> syn::Result<Statement> {
    if input.peek(Token![let]) {
        input.parse::<Token![let]>()?;
        let name = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        return Ok(Statement::Let { name, value: value(input)? });
    }
    let form = "expected `let name = …;` or an equation `dx/dt = …;`";
    if !input.peek(Ident::peek_any) {
        return Err(input.error(form));
    }
    let word = input.fork().call(Ident::parse_any)?;
    if word == "event" || word == "at" {
        return Ok(Statement::Event(Box::new(events::parse::event(input)?)));
    }
    let token = input.call(Ident::parse_any)?;
    let state = token.to_string().strip_prefix('d').map(str::to_owned);
    let by_time = input.peek(Token![/]) && {
        input.parse::<Token![/]>()?;
        input.peek(Ident::peek_any) && input.call(Ident::parse_any)? == "dt"
    };
    match state {
        Some(state) if by_time && !state.is_empty() => {
            input.parse::<Token![=]>()?;
            Ok(Statement::Equation { token, state, value: value(input)? })
        }
        _ => {
            let hint = hints::statement(&word.to_string()).map(|hint| format!("; {hint}"));
            Err(syn::Error::new(token.span(), format!("{form}{}", hint.unwrap_or_default())))
        }
    }
}

/// The expression to the end of a statement.
pub(super) fn value(input: ParseStream<'_>) -> syn::Result<Expr> {
    let value: Expr = input.parse()?;
    if input.is_empty() {
        return Ok(value);
    }
    let message = match value.kind {
        ExprKind::Number(_) | ExprKind::Name(_) => {
            format!("expected an operator or `;` behind `{value}`")
        }
        _ => "expected an operator or `;`".to_owned(),
    };
    Err(input.error(message))
}

/// A struct in place of the one that could not be made, if its name can be found.
pub(super) fn dummy(input: TokenStream) -> TokenStream {
    let header = |input: ParseStream<'_>| {
        input.call(Attribute::parse_outer)?;
        let visibility: Visibility = input.parse()?;
        input.parse::<Token![struct]>()?;
        let name: Ident = input.parse()?;
        let generics = generics(input).unwrap_or_default();
        input.parse::<TokenStream>()?;
        Ok((visibility, name, generics))
    };
    header.parse2(input).map_or_else(
        |_: syn::Error| TokenStream::new(),
        |(visibility, name, generics)| {
            let t = if generics.iter().any(|name| name == "T") { "Scalar" } else { "T" };
            let t = Ident::new(t, Span::call_site());
            quote! {
                #[allow(missing_docs, missing_debug_implementations)]
                #visibility struct #name<#(const #generics: usize,)* #t = f64>(
                    ::core::marker::PhantomData<#t>,
                );
            }
        },
    )
}
