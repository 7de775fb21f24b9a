//! The names of a generated function: products of `h` and coefficients, times of stages.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};

use super::coefficients::Coefficients;
use crate::number::Number;

/// The names of a function: each product `h · coefficient` and each time once.
pub(super) struct Scope<'m> {
    coefficients: &'m Coefficients,
    products: Vec<(f64, Ident)>,
    times: Vec<(f64, Ident)>,
}

impl<'m> Scope<'m> {
    pub(super) fn new(coefficients: &'m Coefficients) -> Self {
        Self { coefficients, products: Vec::new(), times: Vec::new() }
    }

    /// The name of `h · x`: `ha32` for the entry of `a` in row 3 and column 2, `hb1` for a weight.
    /// Equal coefficients share the name of the first of them.
    pub(super) fn product(
        &mut self,
        x: &Number,
        letter: char,
        i: usize,
        j: Option<usize>,
    ) -> TokenStream {
        let value = x.to_f64();
        if value == 1.0 {
            return quote!(h);
        }
        if let Some((_, name)) = self.products.iter().find(|(known, _)| *known == value) {
            return name.to_token_stream();
        }
        let separator = if self.coefficients.stages() < 10 { "" } else { "_" };
        let name = match j {
            Some(j) => format!("h{letter}{}{separator}{}", i + 1, j + 1),
            None => format!("h{letter}{}", i + 1),
        };
        let name = Ident::new(&name, Span::call_site());
        self.products.push((value, name.clone()));
        name.into_token_stream()
    }

    /// The time of a stage, `t + h c_i`: at a node of 1 the end of the step as the clock has it, and between 0 and 1
    /// never beyond that. Nodes outside the step are taken as they are.
    pub(super) fn time(&mut self, i: usize) -> TokenStream {
        let node = self.coefficients.c[i].to_f64();
        if node == 0.0 {
            return quote!(t);
        }
        if let Some((_, name)) = self.times.iter().find(|(known, _)| *known == node) {
            return name.to_token_stream();
        }
        let name = format_ident!("t{}", i + 1);
        self.times.push((node, name.clone()));
        name.into_token_stream()
    }

    /// The terms of a stage's state.
    pub(super) fn row(&mut self, i: usize) -> TokenStream {
        let row = &self.coefficients.a[i];
        let terms: Vec<_> = (0..i)
            .filter(|&j| !row[j].is_zero())
            .map(|j| {
                let (factor, k) =
                    (self.product(&row[j], 'a', i, Some(j)), format_ident!("k{}", j + 1));
                quote!((#factor, #k))
            })
            .collect();
        quote!([#(#terms),*])
    }

    /// `target = h Σ weights_i k_i`.
    pub(super) fn combine(
        &mut self,
        target: &TokenStream,
        weights: &[Number],
        letter: char,
    ) -> TokenStream {
        let terms: Vec<_> = (0..weights.len())
            .filter(|&i| !weights[i].is_zero())
            .map(|i| {
                let (factor, k) =
                    (self.product(&weights[i], letter, i, None), format_ident!("k{}", i + 1));
                quote!((#factor, #k))
            })
            .collect();
        quote!(combine(#target, [#(#terms),*]);)
    }

    /// The state and the derivative of a stage, kept for its VJP.
    pub(super) fn taped_stage(&mut self, i: usize) -> TokenStream {
        let (k, y, tape) = (
            format_ident!("k{}", i + 1),
            format_ident!("y{}", i + 1),
            format_ident!("tape{}", i + 1),
        );
        let time = self.time(i);
        let state = if i == 0 {
            quote!(::revode::State::assign(#y, u);)
        } else {
            let terms = self.row(i);
            quote!(stage(#y, u, #terms);)
        };
        quote! {
            #state
            field.eval_taped_on(step.sides, #time, #y, #k, #tape);
        }
    }

    /// The definitions of the names.
    pub(super) fn lets(&self) -> TokenStream {
        let times = self.times.iter().map(|(node, name)| {
            let value = float(*node);
            if *node == 1.0 {
                quote!(let #name = step.end;)
            } else if (0.0..1.0).contains(node) {
                quote!(let #name = step.stage_time(T::from_f64(#value));)
            } else {
                quote!(let #name = t + h * T::from_f64(#value);)
            }
        });
        let products = self.products.iter().map(|(value, name)| {
            let value = float(*value);
            quote!(let #name = h * T::from_f64(#value);)
        });
        quote!(#(#times)* #(#products)*)
    }
}

/// A number as it stands in generated code.
pub(super) fn float(x: f64) -> TokenStream {
    let magnitude = Literal::f64_unsuffixed(x.abs());
    if x < 0.0 { quote!(-#magnitude) } else { magnitude.into_token_stream() }
}
