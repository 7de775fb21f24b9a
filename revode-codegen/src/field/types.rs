//! The types of generated code.

use proc_macro2::TokenStream;
use quote::quote;

use super::model::Model;
use super::sizes::{count, size, state_count};
use crate::ir::Shape;

/// The state's type.
pub(super) fn state_type(model: &Model) -> TokenStream {
    if model.is_dynamic() {
        return quote!(::revode::nalgebra::DVector<T>);
    }
    let n = state_count(model);
    quote!(::revode::nalgebra::SVector<T, #n>)
}

/// A parameter's type.
pub(super) fn field_type(model: &Model, shape: &Shape) -> TokenStream {
    let sizes: Vec<_> = shape.sizes().iter().map(|n| size(model, n)).collect();
    match (&sizes[..], model.is_dynamic()) {
        ([], _) => quote!(T),
        ([_], true) => quote!(::revode::nalgebra::DVector<T>),
        ([n], false) => quote!(::revode::nalgebra::SVector<T, #n>),
        (_, true) => quote!(::revode::nalgebra::DMatrix<T>),
        ([rows, columns, ..], false) => quote!(::revode::nalgebra::SMatrix<T, #rows, #columns>),
    }
}

/// The type and a zero value of a buffer: an array, a matrix by columns, or a heap vector.
pub(super) fn buffer(model: &Model, shape: &Shape) -> (TokenStream, TokenStream) {
    let sizes: Vec<_> = shape.sizes().iter().map(|n| size(model, n)).collect();
    match &sizes[..] {
        [] => (quote!(T), quote!(T::ZERO)),
        _ if model.is_dynamic() => {
            let n = count(model, shape);
            (quote!(::std::vec::Vec<T>), quote!(::std::vec![T::ZERO; #n]))
        }
        [n] => (quote!([T; #n]), quote!([T::ZERO; #n])),
        [rows, columns, ..] => {
            (quote!([[T; #rows]; #columns]), quote!([[T::ZERO; #rows]; #columns]))
        }
    }
}
