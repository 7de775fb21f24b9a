//! Sizes known at run time: how generated code infers and checks them.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::model::{Constraint, Model, Variable};
use super::sizes::{size, state_count};
use super::types::field_type;
use crate::ir::{Dim, Shape};

/// `VectorField::check`, for models on the heap.
pub(super) fn check(model: &Model) -> Option<TokenStream> {
    if !model.is_dynamic() {
        return None;
    }
    let total = state_count(model);
    let declared = model.states.iter().map(Variable::declared).collect::<Vec<_>>().join(", ");
    Some(quote! {
        fn check(&self, y: &Self::State) -> ::core::result::Result<(), ::revode::ShapeError> {
            self.check_parameters()?;
            if y.len() != #total {
                return Err(::revode::ShapeError {
                    name: "y",
                    declared: #declared,
                    expected: ::std::vec![#total],
                    found: ::std::vec![y.len()],
                });
            }
            Ok(())
        }
    })
}

/// Checks an index or slice, now that the sizes are known.
fn check_constraint(model: &Model, Constraint { written, margin }: &Constraint) -> TokenStream {
    let (needs, has) = sides(model, margin);
    quote! {
        if #has < #needs {
            return Err(::revode::ShapeError {
                name: #written,
                declared: "the least size it needs",
                expected: ::std::vec![#needs],
                found: ::std::vec![#has],
            });
        }
    }
}

/// `margin >= 0` as `needs <= has`, both sums of positive terms.
fn sides(model: &Model, margin: &Dim) -> (TokenStream, TokenStream) {
    let mut sides = [Dim::default(), Dim::default()];
    let constant = margin.constant();
    sides[usize::from(constant > 0)] = Dim::literal(constant.abs());
    for (name, factor) in margin.terms() {
        let side = &mut sides[usize::from(factor > 0)];
        *side = side.plus(&Dim::symbol(name).times(factor.abs()));
    }
    (size(model, &sides[0]), size(model, &sides[1]))
}

/// Assertions at compile time, for indices into vectors with a const parameter's length.
pub(super) fn static_constraints(model: &Model) -> TokenStream {
    if model.is_dynamic() {
        return TokenStream::new();
    }
    let assertions = model.constraints.iter().map(|Constraint { written, margin }| {
        let (needs, has) = sides(model, margin);
        let message = format!("`{written}` is out of range for this size");
        quote!(const { assert!(#needs <= #has, #message) };)
    });
    quote!(#(#assertions)*)
}

fn check_parameter(model: &Model, param: &Variable) -> Option<TokenStream> {
    let (name, declared) = (param.name.to_string(), param.declared());
    let field = &param.name;
    let sizes: Vec<_> = param.shape.sizes().iter().map(|n| size(model, n)).collect();
    let found = match &param.shape {
        Shape::Scalar => return None,
        Shape::Vector(_) => quote!(::std::vec![self.#field.nrows()]),
        Shape::Matrix(..) => quote!(::std::vec![self.#field.nrows(), self.#field.ncols()]),
    };
    Some(quote! {
        if #found != [#(#sizes),*] {
            return Err(::revode::ShapeError {
                name: #name,
                declared: #declared,
                expected: ::std::vec![#(#sizes),*],
                found: #found,
            });
        }
    })
}

/// `new`: takes the sizes that no parameter shows, then the parameters.
pub(super) fn new(model: &Model) -> TokenStream {
    let Model { visibility, dims, .. } = model;
    let shown: Vec<Option<TokenStream>> = dims.iter().map(|dim| shown_by(model, dim)).collect();
    let asked: Vec<&Ident> =
        dims.iter().zip(&shown).filter(|(_, s)| s.is_none()).map(|(dim, _)| dim).collect();
    let names: Vec<&Ident> = model.params.iter().map(|param| &param.name).collect();
    let types = model.params.iter().map(|param| field_type(model, &param.shape));
    let inferred =
        dims.iter().zip(shown).filter_map(|(dim, s)| s.map(|size| quote!(let #dim = #size;)));
    let checks = model.params.iter().filter_map(|param| check_parameter(model, param));
    let constraints = model.constraints.iter().map(|all| check_constraint(model, all));
    let marker = model.params.is_empty().then(|| quote!(scalar: ::core::marker::PhantomData,));
    quote! {
        /// The model with these parameters, after the sizes that no parameter shows.
        ///
        /// # Errors
        /// [`ShapeError`](::revode::ShapeError) names the first parameter whose shape does not fit
        /// the others'.
        #visibility fn new(
            #(#asked: usize,)*
            #(#names: #types,)*
        ) -> ::core::result::Result<Self, ::revode::ShapeError> {
            #(#inferred)*
            let model = Self { #(#names,)* #(#dims,)* #marker };
            model.check_parameters()?;
            Ok(model)
        }
        fn check_parameters(&self) -> ::core::result::Result<(), ::revode::ShapeError> {
            #(#checks)*
            #(#constraints)*
            Ok(())
        }
    }
}

/// Where a parameter's shape shows a size.
fn shown_by(model: &Model, dim: &Ident) -> Option<TokenStream> {
    model.params.iter().find_map(|param| {
        let at =
            param.shape.sizes().iter().position(|n| n.as_symbol().is_some_and(|n| dim == n))?;
        let (name, method) = (&param.name, format_ident!("{}", ["nrows", "ncols"][at]));
        Some(quote!(#name.#method()))
    })
}
