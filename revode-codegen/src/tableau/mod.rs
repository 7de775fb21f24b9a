//! `#[tableau]`: parse → check → emit.

mod check;
mod coefficients;
mod emit;
mod interpolant;
mod order;
mod parse;
mod rosenbrock;
mod scope;
mod stability;
mod suspect;
mod trees;
mod vjp;
mod weights;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Fields, ItemStruct};

use crate::diagnostics::{Diagnostics, with_dummy};
use check::Method;
use coefficients::Coefficients;
pub use rosenbrock::expand as expand_rosenbrock;

/// Expands `#[tableau(arguments)] item`.
///
/// After an error the struct is emitted all the same, with the implementations of the traits: of
/// the tableau as it stands when only a claim is false, otherwise of the Euler method. So nothing
/// that uses the method adds messages of its own.
pub fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let Ok(item) = syn::parse2::<ItemStruct>(item.clone()) else {
        let message = "`#[tableau]` goes on a struct without fields: `pub struct Name;`";
        return with_dummy(&syn::Error::new_spanned(&item, message), item);
    };
    if let Err(error) = unit_struct(&item) {
        return with_dummy(&error, &item);
    }
    // What the arguments say is needed for the stand-in, even if they cannot be read.
    let embedded = arguments.clone().into_iter().any(|token| token.to_string() == "embedded");
    let (method, error) = compile(arguments, &item, embedded);
    let mut expanded = emit::emit(&item, &method);
    if let Some(error) = error {
        error.to_compile_error().to_tokens(&mut expanded);
    }
    expanded
}

/// The method, and what is wrong with it.
fn compile(
    arguments: TokenStream,
    item: &ItemStruct,
    embedded: bool,
) -> (Method, Option<syn::Error>) {
    let euler = Coefficients::euler(embedded);
    let stand_in = || Method {
        interpolant: interpolant::Interpolant::hermite(&euler),
        coefficients: euler.clone(),
        order: 1,
        embedded_order: embedded.then_some(1),
        symmetry_order: 1,
        fsal: false,
        proof: check::Proof::Exact,
    };
    let declaration = match parse::parse(arguments, item) {
        Ok(declaration) => declaration,
        Err(error) => return (stand_in(), Some(error)),
    };
    let coefficients = match check::shapes(&declaration) {
        Ok(coefficients) => coefficients,
        Err(error) => return (stand_in(), Some(error)),
    };
    match check::prove(&declaration, coefficients.clone()) {
        Ok(method) => (method, None),
        Err(error) => (check::unproved(&declaration, coefficients), Some(error)),
    }
}

fn unit_struct(item: &ItemStruct) -> syn::Result<()> {
    let mut errors = Diagnostics::new();
    if !matches!(item.fields, Fields::Unit) {
        errors.error(&item.fields, "the struct of a method has no fields: `pub struct Name;`");
    }
    if !item.generics.params.is_empty() {
        errors
            .error(&item.generics, "the struct of a method has no parameters: `pub struct Name;`");
    }
    errors.finish()
}
