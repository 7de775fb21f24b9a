//! What all generated items have in common.

use proc_macro2::TokenStream;
use quote::quote;

/// The attributes of a generated `impl`. The lints of the user's crate are about the user's code.
pub(crate) fn attributes() -> TokenStream {
    quote! {
        #[automatically_derived]
        #[allow(
            clippy::all,
            clippy::pedantic,
            clippy::nursery,
            non_snake_case,
            unused_variables
        )]
    }
}
