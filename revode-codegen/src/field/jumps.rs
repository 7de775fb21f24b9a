//! Jumps in generated code: the functions that are given the side of each, and those that look for it.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::body::Bodies;
use super::emit::header;
use super::types::state_type;
use crate::generated::attributes;

/// How the functions of a field are declared: one that has jumps is given their sides.
pub(super) struct Declared {
    /// The names of `eval`, `eval_taped` and `vjp`.
    pub(super) names: [Ident; 3],
    /// The argument in front of the others.
    pub(super) sides: Option<TokenStream>,
    /// What its `VectorField` has in addition.
    pub(super) field: Option<TokenStream>,
    /// What its `FieldVjp` has in addition.
    pub(super) vjp: Option<TokenStream>,
    /// What the struct has in addition.
    pub(super) inherent: Option<TokenStream>,
}

/// How the functions of a field are declared that is inlined as `inline` says.
pub(super) fn declare(bodies: &Bodies<'_>, inline: &TokenStream) -> Declared {
    let names = ["eval", "eval_taped", "vjp"];
    if bodies.program.jumps.is_empty() {
        let names = names.map(|name| format_ident!("{name}"));
        return Declared { names, sides: None, field: None, vjp: None, inherent: None };
    }
    Declared {
        names: names.map(|name| format_ident!("{name}_on")),
        sides: Some(quote!(sides: ::revode::Sides,)),
        field: Some(field(inline)),
        vjp: Some(vjp(inline)),
        inherent: Some(inherent(bodies, inline)),
    }
}

fn field(inline: &TokenStream) -> TokenStream {
    quote! {
        const JUMPS: bool = true;
        #inline
        fn eval(&self, t: T, y: &Self::State, dy: &mut Self::State) {
            ::revode::VectorField::eval_on(self, self.sides(t, y), t, y, dy);
        }
    }
}

fn vjp(inline: &TokenStream) -> TokenStream {
    quote! {
        #inline
        fn eval_taped(&self, t: T, y: &Self::State, dy: &mut Self::State, tape: &mut Self::Tape) {
            ::revode::FieldVjp::eval_taped_on(self, self.sides(t, y), t, y, dy, tape);
        }
        #inline
        fn vjp(
            &self,
            t: T,
            y: &Self::State,
            tape: &mut Self::Tape,
            dy_bar: &Self::State,
            y_bar: &mut Self::State,
            model_bar: &mut Self,
        ) -> T {
            let sides = self.sides(t, y);
            ::revode::FieldVjp::vjp_on(self, sides, t, y, tape, dy_bar, y_bar, model_bar)
        }
    }
}

fn inherent(bodies: &Bodies<'_>, inline: &TokenStream) -> TokenStream {
    let (attributes, header) = (attributes(), header(bodies.model, None));
    let (state, sides) = (state_type(bodies.model), bodies.sides());
    quote! {
        #attributes
        #header {
            /// On which sides of its jumps the field is.
            #inline
            fn sides(&self, t: T, y: &#state) -> ::revode::Sides {
                #sides
            }
        }
    }
}
