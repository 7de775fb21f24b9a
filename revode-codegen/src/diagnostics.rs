//! Errors at the user's tokens, collected so that one run reports them all.

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The errors of a phase of the compiler.
#[derive(Debug, Default)]
pub struct Diagnostics {
    errors: Vec<syn::Error>,
}

impl Diagnostics {
    /// No errors yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an error at the span of `tokens`.
    pub fn error(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Adds an error.
    pub fn push(&mut self, error: syn::Error) {
        self.errors.push(error);
    }

    /// Keeps a result's value, or its error.
    pub fn take<V>(&mut self, result: syn::Result<V>) -> Option<V> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// The end of a phase.
    ///
    /// # Errors
    /// All errors of the phase in one, if there were any.
    pub fn finish(self) -> syn::Result<()> {
        self.errors
            .into_iter()
            .reduce(|mut all, error| {
                all.combine(error);
                all
            })
            .map_or(Ok(()), Err)
    }
}

/// What a macro expands to after errors: the messages, and a dummy item, so that one mistake is one
/// message.
pub fn with_dummy(error: &syn::Error, dummy: impl ToTokens) -> TokenStream {
    let mut tokens = error.to_compile_error();
    dummy.to_tokens(&mut tokens);
    tokens
}
