//! The switching functions in generated code: how many, which, and their values.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::body::Bodies;
use super::sizes::size;
use crate::functions::Break;
use crate::passes::switches::Switch;

/// `VectorField::switch_count`, `switch` and `switches`; nothing for a field that is smooth, which the trait takes for
/// granted.
pub(super) fn emit(bodies: &Bodies<'_>) -> Option<TokenStream> {
    if bodies.program.switches.is_empty() {
        return None;
    }
    let (count, values) = (bodies.switch_count(), bodies.switches());
    let rows = bodies.program.switches.iter().map(|switch| row(bodies, switch));
    Some(quote! {
        #[inline]
        fn switch_count(&self) -> usize {
            #count
        }
        #[inline]
        fn switches(&self, t: T, y: &Self::State, values: &mut [T]) {
            #values
        }
        fn switch(&self, i: usize) -> ::revode::Switch {
            ::revode::support::switch(i, &[#(#rows),*])
        }
    })
}

/// Function, argument, kind, and the argument's shape.
fn row(bodies: &Bodies<'_>, Switch { call, kind, moves, sink }: &Switch) -> TokenStream {
    let (function, argument) = (Literal::string(call.function), Literal::string(&call.argument));
    let kind = match kind {
        Break::Kink => quote!(Kink),
        Break::Pole => quote!(Pole),
        Break::Jump => quote!(Jump { moves: #moves }),
    };
    let sizes = bodies.program.graph.shape(sink.value).sizes();
    let sizes = sizes.iter().map(|n| size(bodies.model, n));
    quote!((#function, #argument, ::revode::SwitchKind::#kind, &[#(#sizes),*]))
}
