//! `#[rosenbrock]`: parse → check → emit.
//!
//! Rosenbrock methods are linearly implicit: with `W = I/(hγ) − J`, `J` the Jacobian at the start of a step,
//!
//! ```text
//! W K_i = f(t + α_i h, y + Σ_{j<i} a_ij K_j) + Σ_{j<i} (c_ij/h) K_j + γ_i h ∂f/∂t,      y' = y + Σ m_i K_i
//! ```
//!
//! Source: Hairer and Wanner, *Solving Ordinary Differential Equations II*, section IV.7, (7.25).

mod check;
mod emit;
mod form;
mod parse;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::ItemStruct;

use super::check::Proof;
use super::unit_struct;
use crate::diagnostics::with_dummy;
use crate::number::Number;
use form::Form;

/// A method and what is known of it.
#[derive(Debug, Clone)]
struct Method {
    form: Form,
    order: u32,
    embedded_order: Option<u32>,
    stability: Class,
    interpolant: Interpolant,
    proof: Proof,
    /// `α_i` and `γ_i`.
    nodes: Vec<Number>,
    time_factors: Vec<Number>,
}

/// How far a method is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// `|R(z)| ≤ 1` in the left half plane.
    A,
    /// And `R(∞) = 0`.
    L,
}

/// The rows `h_r` of `y(t + θh) = y + θ Σ m_i K_i + θ (1 − θ) Σ_r θ^r Σ_i h_ri K_i`; none for the chord.
#[derive(Debug, Clone)]
struct Interpolant {
    order: u32,
    rows: Vec<Vec<Number>>,
}

/// Expands `#[rosenbrock(arguments)] item`. After an error the struct is emitted all the same, with the implementations of
/// the traits, so that nothing that uses the method adds messages of its own.
pub fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let Ok(item) = syn::parse2::<ItemStruct>(item.clone()) else {
        let message = "`#[rosenbrock]` goes on a struct without fields: `pub struct Name;`";
        return with_dummy(&syn::Error::new_spanned(&item, message), item);
    };
    if let Err(error) = unit_struct(&item) {
        return with_dummy(&error, &item);
    }
    let embedded = arguments.clone().into_iter().any(|token| token.to_string() == "embedded");
    let (method, error) = match compile(arguments, &item) {
        Ok(method) => (method, None),
        Err(error) => (Method::stand_in(embedded), Some(error)),
    };
    let mut expanded = emit::emit(&item, &method);
    if let Some(error) = error {
        error.to_compile_error().to_tokens(&mut expanded);
    }
    expanded
}

fn compile(arguments: TokenStream, item: &ItemStruct) -> syn::Result<Method> {
    let declaration = parse::parse(arguments, item)?;
    let form = form::read(&declaration)?;
    check::prove(&declaration, form)
}

impl Method {
    /// The linearly implicit Euler method: what stands in for one that could not be read or proved.
    fn stand_in(embedded: bool) -> Self {
        Self {
            form: Form::euler(embedded),
            order: 1,
            embedded_order: embedded.then_some(1),
            stability: Class::L,
            interpolant: Interpolant { order: 1, rows: vec![] },
            proof: Proof::Exact,
            nodes: vec![Number::ZERO],
            time_factors: vec![Number::ONE],
        }
    }
}
