//! The proc macros of `revode`: `#[tableau]` and `ode!`. All work is done in `revode-codegen`.

use proc_macro::TokenStream;

/// Declares a Runge–Kutta method and proves what is claimed of it.
#[proc_macro_attribute]
pub fn tableau(arguments: TokenStream, item: TokenStream) -> TokenStream {
    revode_codegen::tableau::expand(arguments.into(), item.into()).into()
}

/// Declares a vector field by its equations.
#[proc_macro]
pub fn ode(input: TokenStream) -> TokenStream {
    revode_codegen::field::expand(input.into()).into()
}
