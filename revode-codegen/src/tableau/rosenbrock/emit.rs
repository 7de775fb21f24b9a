//! The code of a method: its coefficients, and the delegation to the one step of the runtime.

use proc_macro2::{Literal, TokenStream};
use quote::quote;
use syn::{ItemStruct, parse_quote};

use super::form::Form;
use super::{Class, Method};
use crate::generated::attributes;
use crate::number::Number;
use crate::tableau::emit::{list, number, optional, proof};
use crate::tableau::scope::float;

/// The struct, and the implementations of `Rosenbrock`, `Method`, `EmbeddedMethod` and `MethodVjp`.
pub(super) fn emit(item: &ItemStruct, method: &Method) -> TokenStream {
    let mut item = item.clone();
    if !item.attrs.iter().any(|attribute| attribute.path().is_ident("derive")) {
        item.attrs.push(parse_quote!(#[derive(Debug, Clone, Copy, Default)]));
    }
    let (attributes, name) = (attributes(), &item.ident);
    let facts = facts(name, method);
    let embedded = method.embedded_order.map(|order| {
        let order = number(order);
        quote! {
            #attributes
            impl<T: ::revode::Real, F: ::revode::FieldJacobian<T>> ::revode::EmbeddedMethod<T, F> for #name {
                fn embedded_order(&self) -> u32 {
                    #order
                }
                fn increment_with_error(
                    &self,
                    field: &F,
                    step: ::revode::Step<T>,
                    u: &F::State,
                    stages: &mut Self::Stages,
                    psi: &mut F::State,
                    error: &mut F::State,
                ) -> ::core::result::Result<(), ::revode::StepFailure> {
                    stages.increment(field, step, u, psi)?;
                    stages.error(error);
                    ::core::result::Result::Ok(())
                }
            }
        }
    });
    let (order, vjp) = (number(method.order), vjp(name, method));
    quote! {
        #item
        #facts
        #attributes
        impl<T: ::revode::Real, F: ::revode::FieldJacobian<T>> ::revode::Method<T, F> for #name {
            type Stages = ::revode::support::RosenbrockStages<T, F::State, Self>;

            fn order(&self) -> u32 {
                #order
            }
            fn is_for_stiff(&self) -> bool {
                true
            }
            fn stages(&self, _field: &F, u: &F::State) -> Self::Stages {
                Self::Stages::new(u)
            }
            fn increment(
                &self,
                field: &F,
                step: ::revode::Step<T>,
                u: &F::State,
                stages: &mut Self::Stages,
                psi: &mut F::State,
            ) -> ::core::result::Result<(), ::revode::StepFailure> {
                stages.increment(field, step, u, psi)
            }
            fn evaluations(&self, stages: &Self::Stages) -> u64 {
                stages.evaluations()
            }
            fn restart(&self, stages: &mut Self::Stages) {
                stages.restart();
            }
            fn dense_output<'a>(
                &'a self,
                field: &F,
                u: &F::State,
            ) -> ::revode::BoxedDenseOutput<'a, T, F, Self::Stages> {
                ::revode::support::of_rosenbrock::<Self, T, F>(u)
            }
        }
        #embedded
        #vjp
    }
}

/// The VJP of the increment.
fn vjp(name: &syn::Ident, method: &Method) -> TokenStream {
    let estimate = method.embedded_order.map(|order| {
        let order = number(order);
        quote! {
            fn estimate_order(&self) -> ::core::option::Option<u32> {
                ::core::option::Option::Some(#order)
            }
            fn vjp_with_embedded(
                &self,
                field: &F,
                step: ::revode::Step<T>,
                taped: &mut Self::Taped,
                [psi_bar, psi_hat]: [&F::State; 2],
                [u_bar, u_hat]: [&mut F::State; 2],
                [model_bar, model_hat]: [&mut F; 2],
            ) -> T {
                let t_bar = taped.vjp(field, step, false, psi_bar, (u_bar, model_bar));
                taped.vjp(field, step, true, psi_hat, (u_hat, model_hat));
                t_bar
            }
        }
    });
    let attributes = attributes();
    quote! {
        #attributes
        impl<T: ::revode::Real, F: ::revode::JacobianVjp<T>> ::revode::MethodVjp<T, F> for #name {
            type Taped = ::revode::support::RosenbrockTaped<T, F, Self>;

            fn taped(&self, field: &F, u: &F::State) -> Self::Taped {
                Self::Taped::new(field, u)
            }
            fn increment_taped(
                &self,
                field: &F,
                step: ::revode::Step<T>,
                u: &F::State,
                taped: &mut Self::Taped,
                psi: &mut F::State,
            ) -> ::core::result::Result<(), ::revode::StepFailure> {
                taped.increment(field, step, u, psi)
            }
            fn increment_vjp(
                &self,
                field: &F,
                step: ::revode::Step<T>,
                taped: &mut Self::Taped,
                psi_bar: &F::State,
                u_bar: &mut F::State,
                model_bar: &mut F,
            ) -> T {
                taped.vjp(field, step, false, psi_bar, (u_bar, model_bar))
            }
            #estimate
            fn start_derivative<'a>(&self, taped: &'a Self::Taped) -> ::core::option::Option<&'a F::State> {
                ::core::option::Option::Some(taped.start_derivative())
            }
            fn dense_output_vjp<'a>(
                &'a self,
                field: &'a F,
                u: &F::State,
            ) -> ::revode::BoxedDenseOutputVjp<'a, T, F> {
                ::revode::support::of_rosenbrock_vjp::<Self, T, F>(field, u)
            }
            fn taped_evaluations(&self, taped: &Self::Taped) -> u64 {
                taped.counts().0
            }
            fn vjps(&self, taped: &Self::Taped) -> u64 {
                taped.counts().1
            }
        }
    }
}

fn facts(name: &syn::Ident, method: &Method) -> TokenStream {
    let Method { form, order, embedded_order, stability, interpolant, proof: proved, .. } = method;
    let Form { gamma, a, c, m, m_embedded, .. } = form;
    let rows = |rows: &[Vec<Number>]| {
        let rows = rows.iter().map(|row| list(row));
        quote!(&[#(#rows),*])
    };
    let error = m_embedded.as_ref().map(|weights| {
        let difference: Vec<_> = m.iter().zip(weights).map(|(m, weight)| m - weight).collect();
        list(&difference)
    });
    let class = match stability {
        Class::A => quote!(::revode::ImplicitStability::A),
        Class::L => quote!(::revode::ImplicitStability::L),
    };
    let (text, stages) = (name.to_string(), Literal::usize_unsuffixed(form.stages()));
    let (order, embedded_order) = (number(*order), optional(embedded_order.map(number)));
    let (nodes, gammas) = (list(&method.nodes), list(&method.time_factors));
    let (a, c, h, m) = (rows(a), rows(c), rows(&interpolant.rows), list(m));
    let dense = number(interpolant.order);
    let (gamma, error, proof) = (float(gamma.to_f64()), optional(error), proof(*proved));
    let attributes = attributes();
    quote! {
        #attributes
        impl ::revode::Rosenbrock for #name {
            const NAME: &'static str = #text;
            const ORDER: u32 = #order;
            const EMBEDDED_ORDER: ::core::option::Option<u32> = #embedded_order;
            const STAGES: usize = #stages;
            const STABILITY: ::revode::ImplicitStability = #class;
            const PROOF: ::revode::Proof = #proof;
            const GAMMA: f64 = #gamma;
            const NODES: &'static [f64] = #nodes;
            const TIME_FACTORS: &'static [f64] = #gammas;
            const A: &'static [&'static [f64]] = #a;
            const C: &'static [&'static [f64]] = #c;
            const M: &'static [f64] = #m;
            const ERROR: ::core::option::Option<&'static [f64]> = #error;
            const DENSE_ORDER: u32 = #dense;
            const H: &'static [&'static [f64]] = #h;
        }
    }
}
