//! How sizes and types are written in Rust.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use super::model::Model;
use crate::ir::{Dim, Shape};

/// A size as a `usize`: a literal, a const parameter, or a field of `self`.
pub(super) fn size(model: &Model, n: &Dim) -> TokenStream {
    let mut positive = Vec::new();
    let mut negative = Vec::new();
    for (name, factor) in n.terms() {
        let name = named(model, name);
        let count = Literal::usize_unsuffixed(factor.unsigned_abs() as usize);
        let term = if factor.abs() == 1 { name } else { quote!(#count * #name) };
        if factor > 0 { positive.push(term) } else { negative.push(term) }
    }
    let constant = Literal::usize_unsuffixed(n.constant().unsigned_abs() as usize);
    match n.constant() {
        0 if !positive.is_empty() => {}
        c if c < 0 => negative.push(quote!(#constant)),
        _ => positive.push(quote!(#constant)),
    }
    quote!(#(#positive)+* #(- #negative)*)
}

fn named(model: &Model, name: &str) -> TokenStream {
    let is = |ident: &&Ident| *ident == name;
    if let Some(parameter) = model.generics.iter().find(is) {
        return quote!(#parameter);
    }
    let field = model.dims.iter().find(is);
    quote!(self.#field)
}

/// The number of components of a shape as a `usize`.
pub(super) fn count(model: &Model, shape: &Shape) -> TokenStream {
    match (shape.length(), &shape.sizes()[..]) {
        (Some(length), _) => size(model, &length),
        (None, sizes) => {
            let (rows, columns) = (size(model, &sizes[0]), size(model, &sizes[1]));
            quote!((#rows) * (#columns))
        }
    }
}

/// The components of the first `k` states: where the next begins.
pub(super) fn state_offset(model: &Model, k: usize) -> TokenStream {
    let lengths: Option<Vec<Dim>> =
        model.states[..k].iter().map(|state| state.shape.length()).collect();
    if let Some(lengths) = lengths {
        return size(model, &lengths.into_iter().fold(Dim::default(), |sum, n| sum.plus(&n)));
    }
    let counts = model.states[..k].iter().map(|state| count(model, &state.shape));
    quote!(#(#counts)+*)
}

/// The state's type.
pub(super) fn state_type(model: &Model) -> TokenStream {
    if model.is_dynamic() {
        return quote!(::revode::nalgebra::DVector<T>);
    }
    let n = state_offset(model, model.states.len());
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
