//! The code of a method: the formula with its zeros gone.
//!
//! Stages are written as in `y_i = u + Σ h a_ij k_j`, `k_i = f(t + h c_i, y_i)`; products of `h` and
//! a coefficient are computed once for each value, and so are the times of the stages.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{ItemStruct, parse_quote};

use super::check::{Method, Proof};
use super::interpolant::Interpolant;
use super::scope::Scope;
pub(super) use super::scope::float;
use super::stability::{Limits, Stability};
use crate::generated::attributes;
use crate::number::Number;

/// The struct, and the implementations of `Method`, `EmbeddedMethod`, `Interpolant`, `MethodVjp`, `InterpolantVjp` and
/// `Tableau`.
pub(super) fn emit(item: &ItemStruct, method: &Method) -> TokenStream {
    let mut item = item.clone();
    if !item.attrs.iter().any(|attribute| attribute.path().is_ident("derive")) {
        item.attrs.push(parse_quote!(#[derive(Debug, Clone, Copy, Default)]));
    }
    let code = Code { name: &item.ident, method };
    let (plain, embedded, vjp, facts) =
        (code.method(), code.embedded(), code.vjp(), code.tableau());
    let (interpolant, interpolant_vjp) = (code.interpolant(), code.interpolant_vjp());
    quote! {
        #item
        #plain
        #embedded
        #interpolant
        #vjp
        #interpolant_vjp
        #facts
    }
}

/// How increments are inlined into the step loops. With few stages always, so that stages stay in
/// registers; with many, LLVM decides.
pub(super) fn inline(method: &Method) -> TokenStream {
    if method.coefficients.stages() <= 4 { quote!(#[inline(always)]) } else { quote!(#[inline]) }
}

pub(super) struct Code<'m> {
    pub(super) name: &'m Ident,
    pub(super) method: &'m Method,
}

impl Code<'_> {
    fn method(&self) -> TokenStream {
        let (name, order) = (self.name, number(self.method.order));
        let stages = self.method.coefficients.stages();
        let needed = self.needed();
        let mut scope = Scope::new(&self.method.coefficients);
        let body = self.stages(&mut scope, &needed, &vec![false; stages]);
        let (stages, functions) = (Literal::usize_unsuffixed(stages), functions(!body.is_empty()));
        let psi = scope.combine(&quote!(psi), &self.method.coefficients.b, 'b');
        let pattern = pattern("k", &needed);
        let others = needed.iter().filter(|needed| **needed).count() as u64 - 1;
        let (rest, count) = if others > 0 {
            let others = Literal::u64_unsuffixed(others);
            (quote!(y, evaluations,), quote!(*evaluations += #others;))
        } else {
            (quote!(), quote!())
        };
        let (attributes, inline) = (attributes(), inline(self.method));
        let proceed = self.method.fsal.then(|| {
            quote! {
                #[inline]
                fn proceed(&self, stages: &mut Self::Stages) {
                    stages.last_becomes_first();
                }
            }
        });
        let lets = scope.lets();
        let forget = self.has_further_stages().then(|| quote!(stages.further_known = false;));
        quote! {
            #attributes
            impl<T: ::revode::Real, F: ::revode::VectorField<T>> ::revode::Method<T, F> for #name {
                type Stages = ::revode::support::Stages<F::State, #stages>;

                #[inline]
                fn order(&self) -> u32 {
                    #order
                }
                #[inline]
                fn stability(&self) -> ::core::option::Option<&'static ::revode::Stability> {
                    ::core::option::Option::Some(&<Self as ::revode::Tableau>::STABILITY)
                }
                #[inline]
                fn stages(&self, _field: &F, u: &F::State) -> Self::Stages {
                    Self::Stages::new(u)
                }
                #[inline]
                fn evaluations(&self, stages: &Self::Stages) -> u64 {
                    stages.evaluations
                }
                #[inline]
                fn restart(&self, stages: &mut Self::Stages) {
                    stages.first_known = true;
                }
                #proceed
                #[inline]
                fn dense_order(&self) -> u32 {
                    <Self as ::revode::Tableau>::INTERPOLANT.order
                }
                #[inline]
                fn dense_output<'a>(
                    &'a self,
                    field: &F,
                    u: &F::State,
                ) -> ::revode::BoxedDenseOutput<'a, T, F, Self::Stages> {
                    ::revode::support::of_interpolant(self, field, u)
                }
                #inline
                fn increment(
                    &self,
                    field: &F,
                    step: ::revode::Step<T>,
                    u: &F::State,
                    stages: &mut Self::Stages,
                    psi: &mut F::State,
                ) -> ::core::result::Result<(), ::revode::StepFailure> {
                    use ::revode::support::{Stages, #functions};
                    let ::revode::Step { t, h, .. } = step;
                    #lets
                    stages.first(field, step, u);
                    #forget
                    let Stages { k: #pattern, #rest .. } = stages;
                    #body
                    #psi
                    #count
                    ::core::result::Result::Ok(())
                }
            }
        }
    }

    fn embedded(&self) -> Option<TokenStream> {
        let (name, order) = (self.name, number(self.method.embedded_order?));
        let coefficients = &self.method.coefficients;
        let weights = coefficients.b_embedded.as_ref()?;
        let known = self.needed();
        let all: Vec<_> =
            coefficients.reaching(weights).iter().zip(&known).map(|(x, y)| *x || *y).collect();
        let mut scope = Scope::new(&self.method.coefficients);
        let body = self.stages(&mut scope, &all, &known);
        let functions = functions(!body.is_empty());
        let differences: Vec<_> = coefficients.b.iter().zip(weights).map(|(b, e)| b - e).collect();
        let error = scope.combine(&quote!(error), &differences, 'e');
        let pattern = pattern("k", &all);
        let others = all.iter().zip(&known).filter(|(all, known)| **all && !**known).count() as u64;
        let (rest, count) = if others > 0 {
            let others = Literal::u64_unsuffixed(others);
            (quote!(y, evaluations,), quote!(*evaluations += #others;))
        } else {
            (quote!(), quote!())
        };
        let (attributes, inline, lets) = (attributes(), inline(self.method), scope.lets());
        let know = self.error_knows_further_stages().then(|| quote!(stages.further_known = true;));
        Some(quote! {
            #attributes
            impl<T: ::revode::Real, F: ::revode::VectorField<T>> ::revode::EmbeddedMethod<T, F>
                for #name
            {
                #[inline]
                fn embedded_order(&self) -> u32 {
                    #order
                }
                #inline
                fn increment_with_error(
                    &self,
                    field: &F,
                    step: ::revode::Step<T>,
                    u: &F::State,
                    stages: &mut Self::Stages,
                    psi: &mut F::State,
                    error: &mut F::State,
                ) -> ::core::result::Result<(), ::revode::StepFailure> {
                    use ::revode::support::{Stages, #functions};
                    ::revode::Method::increment(self, field, step, u, stages, psi)?;
                    #know
                    let ::revode::Step { t, h, .. } = step;
                    #lets
                    let Stages { k: #pattern, #rest .. } = stages;
                    #body
                    #error
                    #count
                    ::core::result::Result::Ok(())
                }
            }
        })
    }

    fn tableau(&self) -> TokenStream {
        let Method { order, embedded_order, symmetry_order, fsal, coefficients, .. } = self.method;
        let (name, stages) = (self.name, Literal::usize_unsuffixed(coefficients.stages()));
        let text = name.to_string();
        let (order, symmetry_order) = (number(*order), number(*symmetry_order));
        let embedded_order = optional(embedded_order.map(number));
        let proof = proof(self.method.proof);
        let interpolant = self.continuous_extension();
        let rows = coefficients.a.iter().map(|row| list(row));
        let (b, c) = (list(&coefficients.b), list(&coefficients.c));
        let b_embedded = optional(coefficients.b_embedded.as_ref().map(|row| list(row)));
        let stability = Stability::of(self.method);
        let limits = |limits: &Limits| {
            let numbers = limits.iter().map(|x| limit(*x));
            quote!([#(#numbers),*])
        };
        let (stable, stable_pair) = (limits(&stability.method), limits(&stability.pair));
        let stable_embedded = optional(stability.embedded.as_ref().map(limits));
        let attributes = attributes();
        quote! {
            #attributes
            impl ::revode::Tableau for #name {
                const NAME: &'static str = #text;
                const ORDER: u32 = #order;
                const EMBEDDED_ORDER: ::core::option::Option<u32> = #embedded_order;
                const SYMMETRY_ORDER: u32 = #symmetry_order;
                const STAGES: usize = #stages;
                const FSAL: bool = #fsal;
                const STABILITY: ::revode::Stability = ::revode::Stability {
                    method: #stable,
                    embedded: #stable_embedded,
                    pair: #stable_pair,
                };
                const PROOF: ::revode::Proof = #proof;
                const INTERPOLANT: ::revode::ContinuousExtension = #interpolant;
                const A: &'static [&'static [f64]] = &[#(#rows),*];
                const B: &'static [f64] = #b;
                const B_EMBEDDED: ::core::option::Option<&'static [f64]> = #b_embedded;
                const C: &'static [f64] = #c;
            }
        }
    }

    /// What is known of the interpolant.
    fn continuous_extension(&self) -> TokenStream {
        let Interpolant { extended, extra, b, order, smoothness, proof: proved } =
            &self.method.interpolant;
        let own = self.method.coefficients.stages();
        let (order, smoothness, proof) = (number(*order), number(*smoothness), proof(*proved));
        let end = optional(extended.end_stage().map(Literal::usize_unsuffixed));
        let extra = Literal::usize_unsuffixed(*extra);
        let (rows, c) = (extended.a[own..].iter().map(|row| list(row)), list(&extended.c[own..]));
        let weights = b.iter().map(|row| list(row));
        quote! {
            ::revode::ContinuousExtension {
                order: #order,
                smoothness: #smoothness,
                proof: #proof,
                extra_stages: #extra,
                end_stage: #end,
                a: &[#(#rows),*],
                b: &[#(#weights),*],
                c: #c,
            }
        }
    }

    /// The stages that the increment needs.
    pub(super) fn needed(&self) -> Vec<bool> {
        self.method.coefficients.reaching(&self.method.coefficients.b)
    }

    /// The states and derivatives of the stages that are needed and not yet known, after the first.
    fn stages(&self, scope: &mut Scope<'_>, needed: &[bool], known: &[bool]) -> TokenStream {
        let last = needed.len() - 1;
        (1..needed.len())
            .filter(|&i| needed[i] && !known[i])
            .map(|i| {
                // First same as last: the stage's row is `b`, so its state is `u + psi`.
                let terms = if self.method.fsal && i == last {
                    quote!([(T::ONE, psi)])
                } else {
                    scope.row(i)
                };
                let (time, k) = (scope.time(i), format_ident!("k{}", i + 1));
                quote! {
                    stage(y, u, #terms);
                    field.eval_on(step.sides, #time, y, #k);
                }
            })
            .collect()
    }
}

/// The functions of the support layer that a function calls; `stage` only where there is a stage
/// after the first.
pub(super) fn functions(has_stages: bool) -> TokenStream {
    let stage = has_stages.then(|| quote!(, stage));
    quote!(combine #stage)
}

pub(super) fn proof(proof: Proof) -> TokenStream {
    match proof {
        Proof::Exact => quote!(::revode::Proof::Exact),
        Proof::Digits40 => quote!(::revode::Proof::Digits40),
        Proof::Rounded(digits) => {
            let digits = number(digits);
            quote!(::revode::Proof::Rounded { digits: #digits })
        }
    }
}

pub(super) fn list(row: &[Number]) -> TokenStream {
    let numbers = row.iter().map(|x| float(x.to_f64()));
    quote!(&[#(#numbers),*])
}

/// A limit of stability, which may be infinite.
fn limit(x: f64) -> TokenStream {
    if x.is_finite() { float(x) } else { quote!(::core::f64::INFINITY) }
}

pub(super) fn number(n: u32) -> Literal {
    Literal::u32_unsuffixed(n)
}

/// `[k1, k2, _]`.
fn pattern(letter: &str, used: &[bool]) -> TokenStream {
    let slots = used.iter().enumerate().map(|(i, used)| {
        if *used { format_ident!("{letter}{}", i + 1).into_token_stream() } else { quote!(_) }
    });
    quote!([#(#slots),*])
}

pub(super) fn optional(value: Option<impl ToTokens>) -> TokenStream {
    value.map_or_else(
        || quote!(::core::option::Option::None),
        |value| quote!(::core::option::Option::Some(#value)),
    )
}
