//! Reads `event name = value, …` and `at (time)`, and what may follow both.

use proc_macro2::Span;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::token::{Brace, Paren};
use syn::{Ident, Token};

use super::{Direction, Event, Repeat, When, block};
use crate::field::ast::Expr;

/// What may stand behind the comma of an event.
const WORDS: &str = "`rising`, `falling`, `either` (the default) or `terminal`";

/// An event, where the next token is `event` or `at`.
pub(in crate::field) fn event(input: ParseStream<'_>) -> syn::Result<Event> {
    let keyword = input.call(Ident::parse_any)?;
    let when = if keyword == "at" { at(input)? } else { crossing(input)? };
    let repeat = if input.peek(Token![for]) { Some(repeat(input)?) } else { None };
    let block = if input.peek(Brace) { Some(block::block(input)?) } else { None };
    match (&when, &block) {
        (When::Time(_), None) if input.is_empty() => {
            let message = "an `at` needs a block that says what changes: `at (time) { x += 1; }`";
            Err(syn::Error::new(keyword.span(), message))
        }
        _ if input.is_empty() => Ok(Event { when, repeat, block }),
        _ if input.peek(Token![,]) && repeat.is_some() => {
            Err(input.error(format!("{WORDS} stand before `for`")))
        }
        (When::Time(_), _) if input.peek(Token![,]) => Err(input.error(
            "an `at` has no direction; a solve ends at a time with `event name = t - time, terminal;`",
        )),
        (When::Time(_), _) => Err(input.error("expected `for i in 0..n` or `{ … }`")),
        _ => Err(unexpected(input)),
    }
}

fn at(input: ParseStream<'_>) -> syn::Result<When> {
    if !input.peek(Paren) {
        return Err(input.error("expected the time in parentheses: `at (time) { x += 1; }`"));
    }
    Ok(When::Time(input.parse()?))
}

fn crossing(input: ParseStream<'_>) -> syn::Result<When> {
    if !input.peek(Ident::peek_any) {
        return Err(input.error("expected a name: `event name = x - 1;`"));
    }
    let name = input.call(Ident::parse_any)?;
    if !input.peek(Token![=]) || input.peek(Token![==]) {
        return Err(input.error(format!("expected `=`: `event {name} = x - 1;`")));
    }
    input.parse::<Token![=]>()?;
    let value = input.parse()?;
    let (mut direction, mut terminal) = (None, None);
    while input.peek(Token![,]) {
        let comma = input.parse::<Token![,]>()?;
        word(input, comma.span, &mut direction, &mut terminal)?;
    }
    let direction = direction.unwrap_or(Direction::Either);
    Ok(When::Crossing { name, value, direction, terminal })
}

/// A word behind a comma.
fn word(
    input: ParseStream<'_>,
    comma: Span,
    direction: &mut Option<Direction>,
    terminal: &mut Option<Ident>,
) -> syn::Result<()> {
    if !input.peek(Ident::peek_any) {
        return Err(missing(input, comma, &format!("expected {WORDS}")));
    }
    let word = input.call(Ident::parse_any)?;
    let new = match word.to_string().as_str() {
        "rising" => direction.replace(Direction::Rising).is_none(),
        "falling" => direction.replace(Direction::Falling).is_none(),
        "either" => direction.replace(Direction::Either).is_none(),
        "terminal" => terminal.replace(word.clone()).is_none(),
        other => {
            let message = format!("expected {WORDS}, not `{other}`");
            return Err(syn::Error::new(word.span(), message));
        }
    };
    if new {
        return Ok(());
    }
    let message = match &*word.to_string() {
        "terminal" => "`terminal` is there already",
        _ => "an event has one direction; it is `either` if it may be both",
    };
    Err(syn::Error::new(word.span(), message))
}

/// `for i in a..b`
fn repeat(input: ParseStream<'_>) -> syn::Result<Repeat> {
    let form = "expected `for i in 0..n`";
    let keyword = input.parse::<Token![for]>()?.span;
    if !input.peek(Ident::peek_any) {
        return Err(missing(input, keyword, form));
    }
    let variable = input.call(Ident::parse_any)?;
    if !input.peek(Token![in]) {
        return Err(missing(input, variable.span(), form));
    }
    input.parse::<Token![in]>()?;
    let start = Expr::parse(input)?;
    if input.peek(Token![..=]) {
        return Err(input.error("write `for i in first..end`, where `end` is left out of it"));
    }
    if !input.peek(Token![..]) {
        return Err(missing(input, start.range.end, form));
    }
    input.parse::<Token![..]>()?;
    Ok(Repeat { variable, start, end: input.parse()? })
}

/// An error at the next token or, where there is none, at the last one.
fn missing(input: ParseStream<'_>, last: Span, message: &str) -> syn::Error {
    if input.is_empty() { syn::Error::new(last, message) } else { input.error(message) }
}

/// What is wrong with what follows an event.
fn unexpected(input: ParseStream<'_>) -> syn::Error {
    if input.peek(Token![<]) || input.peek(Token![>]) || input.peek(Token![==]) {
        return input.error(
            "an event happens where a function reaches 0: write the difference, as in \
             `event low = x - 0.1, falling;`",
        );
    }
    if input.peek(Ident::peek_any) {
        return input
            .error(format!("expected `;`, `{{ … }}`, `for i in 0..n`, or a comma before {WORDS}"));
    }
    input.error("expected an operator, a comma, `for i in 0..n`, `{ … }` or `;`")
}
