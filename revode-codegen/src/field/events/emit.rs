//! The events in generated code: how many, which, when they happen, what they change, and the products with the
//! derivatives of both.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::Direction;
use super::lower::{Action, EventProgram};
use crate::field::body::Bodies;
use crate::field::sizes::size;
use crate::ir::Dim;

/// The methods of `VectorField` and of `FieldVjp`; nothing for a field without events, which the traits take for
/// granted.
pub(in crate::field) fn emit(bodies: &Bodies<'_>) -> Option<(TokenStream, TokenStream)> {
    let events = &bodies.program.events[..];
    if events.is_empty() {
        return None;
    }
    let trigger = arms(events, None, |event| Some(bodies.trigger(&event.trigger)));
    let trigger_vjp = arms(events, None, |event| Some(bodies.trigger_vjp(&event.trigger_vjp)));
    let (of, count) = (family(bodies, events), count(bodies, events));
    let rows = events.iter().map(|event| row(bodies, event));
    let trigger_on = trigger_on(bodies, events, &of);
    let (reset, reset_vjp) = reset(bodies, events, &of).unzip();
    let vector_field = quote! {
        fn event_count(&self) -> usize {
            #count
        }
        fn event(&self, i: usize) -> ::revode::Event {
            ::revode::support::event(i, &[#(#rows),*])
        }
        #[inline]
        fn trigger(&self, i: usize, t: T, y: &Self::State) -> T {
            match #of { #trigger }
        }
        #trigger_on
        #reset
    };
    let field_vjp = quote! {
        #[inline]
        fn trigger_vjp(
            &self,
            i: usize,
            t: T,
            y: &Self::State,
            bar: T,
            y_bar: &mut Self::State,
            model_bar: &mut Self,
        ) -> ::core::option::Option<T> {
            let t_bar = match #of { #trigger_vjp };
            Some(t_bar)
        }
        #reset_vjp
    };
    Some((vector_field, field_vjp))
}

/// `trigger_on`, where the place of a jump moves with another one.
fn trigger_on(
    bodies: &Bodies<'_>,
    events: &[EventProgram],
    of: &TokenStream,
) -> Option<TokenStream> {
    if events.iter().all(|event| event.trigger_on.is_none()) {
        return None;
    }
    let others = Some(quote!(::revode::VectorField::trigger(self, i, t, y)));
    let arms = arms(events, others, |event| Some(bodies.trigger_on(event.trigger_on.as_ref()?)));
    Some(quote! {
        fn trigger_on(&self, sides: ::revode::Sides, i: usize, t: T, y: &Self::State) -> T {
            match #of { #arms }
        }
    })
}

/// `reset` and `reset_vjp`, where an event changes the state.
fn reset(
    bodies: &Bodies<'_>,
    events: &[EventProgram],
    of: &TokenStream,
) -> Option<(TokenStream, TokenStream)> {
    if events.iter().all(|event| event.reset.is_none()) {
        return None;
    }
    let nothing = Some(quote!({}));
    let reset = arms(events, nothing, |event| Some(bodies.reset(event.reset.as_ref()?)));
    let same = Some(quote!({
        y_bar.copy_from(after_bar);
        T::ZERO
    }));
    let reset_vjp = arms(events, same, |event| {
        event.reset.as_ref().map(|_| bodies.reset_vjp(&event.reset_vjp))
    });
    let reset = quote! {
        fn reset(&self, i: usize, t: T, y: &mut Self::State) {
            match #of { #reset }
        }
    };
    let reset_vjp = quote! {
        fn reset_vjp(
            &self,
            i: usize,
            t: T,
            y: &Self::State,
            after_bar: &Self::State,
            y_bar: &mut Self::State,
            model_bar: &mut Self,
        ) -> ::core::option::Option<T> {
            let t_bar = match #of { #reset_vjp };
            Some(t_bar)
        }
    };
    Some((reset, reset_vjp))
}

/// An arm for each event that has a body, then one for the others.
fn arms(
    events: &[EventProgram],
    others: Option<TokenStream>,
    body: impl Fn(&EventProgram) -> Option<TokenStream>,
) -> TokenStream {
    let bodies: Vec<_> = events.iter().map(body).collect();
    let others = others.filter(|_| bodies.iter().any(Option::is_none));
    let last = others.is_none().then_some(events.len() - 1);
    let arms = events.iter().zip(bodies).enumerate().filter_map(|(k, (event, body))| {
        let body = body?;
        let number = Literal::usize_unsuffixed(k);
        let number = if Some(k) == last { quote!(_) } else { quote!(#number) };
        let index = if event.indices.is_some() { quote!(index) } else { quote!(_) };
        Some(quote!((#number, #index) => { #body }))
    });
    let arms: TokenStream = arms.collect();
    let others = others.map(|body| quote!(_ => #body));
    quote!(#arms #others)
}

/// Which declaration event `i` belongs to, and its index there.
fn family(bodies: &Bodies<'_>, events: &[EventProgram]) -> TokenStream {
    let ranges = events.iter().map(|event| indices(bodies, event).unwrap_or_else(|| quote!(0..1)));
    quote!(::revode::support::family(i, &[#(#ranges),*]))
}

/// The indices of the events of a `for`.
fn indices(bodies: &Bodies<'_>, event: &EventProgram) -> Option<TokenStream> {
    let [start, end] = event.indices.as_ref()?;
    let (start, end) = (size(bodies.model, start), size(bodies.model, end));
    Some(quote!(#start..#end))
}

/// The number of all events.
fn count(bodies: &Bodies<'_>, events: &[EventProgram]) -> TokenStream {
    let lengths = events.iter().map(|event| match &event.indices {
        Some([start, end]) => end.minus(start),
        None => Dim::literal(1),
    });
    size(bodies.model, &lengths.fold(Dim::default(), |sum, length| sum.plus(&length)))
}

/// Name, indices, trigger and action.
fn row(bodies: &Bodies<'_>, event: &EventProgram) -> TokenStream {
    let name = Literal::string(&event.name);
    let indices = indices(bodies, event);
    let indices = indices.map_or_else(|| quote!(None), |indices| quote!(Some(#indices)));
    let trigger = match event.direction {
        None => quote!(Time),
        Some(Direction::Rising) => quote!(Rising),
        Some(Direction::Falling) => quote!(Falling),
        Some(Direction::Either) => quote!(Either),
    };
    let action = match event.action {
        Action::Note => quote!(Note),
        Action::Reset => quote!(Reset),
        Action::Switch => quote!(Switch),
        Action::End => quote!(End),
    };
    quote!((#name, #indices, ::revode::Trigger::#trigger, ::revode::Action::#action))
}
