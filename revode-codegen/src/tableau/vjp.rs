//! The code of an increment's VJP, and of the embedded increment's through the same stages.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::emit::{Code, functions, inline, number};
use super::scope::Scope;
use crate::generated::attributes;
use crate::number::Number;

/// The stages of the increment and of the embedded increment, by their numbers.
struct Used {
    /// Those that the increment needs.
    method: Vec<usize>,
    /// Those that the embedded increment needs.
    embedded: Vec<usize>,
    /// Those that only the embedded increment needs.
    further: Vec<usize>,
}

impl Used {
    /// All of them, in order.
    fn all(&self) -> Vec<usize> {
        let mut all = [self.method.clone(), self.further.clone()].concat();
        all.sort_unstable();
        all
    }
}

impl Code<'_> {
    /// The implementation of `MethodVjp`.
    pub(super) fn vjp(&self) -> TokenStream {
        let used = self.used();
        let all = used.all();
        let list = |prefix: &str, suffix: &str| pattern(&all, prefix, suffix);
        let (k, y, tape, y_bar) =
            (list("k", ""), list("y", ""), list("tape", ""), list("y", "_bar"));

        let coefficients = &self.method.coefficients;
        let mut scope = Scope::new(coefficients);
        let forward: Vec<_> = used.method.iter().map(|&i| scope.taped_stage(i)).collect();
        let psi = scope.combine(&quote!(psi), &coefficients.b, 'b');
        let forward_lets = scope.lets();
        let functions = functions(used.method.len() > 1);
        let count = Literal::usize_unsuffixed(used.method.len());

        let body = self.increment_vjp(&coefficients.b, &used.method, &y_bar, &y, &tape);
        let embedded = self.embedded_vjp(&used);
        let (name, stages) = (self.name, Literal::usize_unsuffixed(all.len()));
        let (attributes, inline) = (attributes(), inline(self.method));
        quote! {
            #attributes
            impl<T: ::revode::Real, F: ::revode::FieldVjp<T>> ::revode::MethodVjp<T, F> for #name {
                type Taped = ::revode::support::TapedStages<F::State, F::Tape, #stages>;

                #[inline]
                fn taped(&self, field: &F, u: &F::State) -> Self::Taped {
                    Self::Taped::new(field, u)
                }
                #[inline]
                fn taped_evaluations(&self, taped: &Self::Taped) -> u64 {
                    taped.evaluations
                }
                #[inline]
                fn vjps(&self, taped: &Self::Taped) -> u64 {
                    taped.vjps
                }
                #inline
                fn increment_taped(
                    &self,
                    field: &F,
                    step: ::revode::Step<T>,
                    u: &F::State,
                    taped: &mut Self::Taped,
                    psi: &mut F::State,
                ) -> ::core::result::Result<(), ::revode::StepFailure> {
                    use ::revode::support::{TapedStages, #functions};
                    let ::revode::Step { t, h, .. } = step;
                    #forward_lets
                    let TapedStages { k: #k, y: #y, tape: #tape, evaluations, .. } = taped;
                    #(#forward)*
                    #psi
                    *evaluations += #count;
                    ::core::result::Result::Ok(())
                }
                #inline
                fn increment_vjp(
                    &self,
                    field: &F,
                    step: ::revode::Step<T>,
                    taped: &mut Self::Taped,
                    psi_bar: &F::State,
                    u_bar: &mut F::State,
                    model_bar: &mut F,
                ) -> T {
                    #body
                }
                #embedded
            }
        }
    }

    /// `tape_embedded` and `embedded_vjp`, where there is an embedded method.
    fn embedded_vjp(&self, used: &Used) -> Option<TokenStream> {
        let weights = self.method.coefficients.b_embedded.as_ref()?;
        let all = used.all();
        let list = |prefix: &str, suffix: &str| pattern(&all, prefix, suffix);
        let (k, y, tape, y_bar) =
            (list("k", ""), list("y", ""), list("tape", ""), list("y", "_bar"));
        let body = self.increment_vjp(weights, &used.embedded, &y_bar, &y, &tape);
        let (order, inline) = (number(self.method.embedded_order?), inline(self.method));
        let tape_further = (!used.further.is_empty()).then(|| {
            let mut scope = Scope::new(&self.method.coefficients);
            let further: Vec<_> = used.further.iter().map(|&i| scope.taped_stage(i)).collect();
            let (lets, count) = (scope.lets(), Literal::usize_unsuffixed(used.further.len()));
            quote! {
                #inline
                fn tape_embedded(
                    &self,
                    field: &F,
                    step: ::revode::Step<T>,
                    u: &F::State,
                    taped: &mut Self::Taped,
                ) {
                    use ::revode::support::{TapedStages, stage};
                    let ::revode::Step { t, h, .. } = step;
                    #lets
                    let TapedStages { k: #k, y: #y, tape: #tape, evaluations, .. } = taped;
                    #(#further)*
                    *evaluations += #count;
                }
            }
        });
        Some(quote! {
            #[inline]
            fn estimate_order(&self) -> ::core::option::Option<u32> {
                ::core::option::Option::Some(#order)
            }
            #tape_further
            #inline
            fn embedded_vjp(
                &self,
                field: &F,
                step: ::revode::Step<T>,
                taped: &mut Self::Taped,
                psi_bar: &F::State,
                u_bar: &mut F::State,
                model_bar: &mut F,
            ) -> T {
                #body
            }
        })
    }

    /// The VJP of the increment with these weights, through these stages.
    fn increment_vjp(
        &self,
        weights: &[Number],
        used: &[usize],
        y_bar: &TokenStream,
        y: &TokenStream,
        tape: &TokenStream,
    ) -> TokenStream {
        let mut scope = Scope::new(&self.method.coefficients);
        let backward: Vec<_> =
            used.iter().rev().map(|&i| self.stage_vjp(&mut scope, weights, used, i)).collect();
        let (lets, count) = (scope.lets(), Literal::usize_unsuffixed(used.len()));
        let added = used.iter().map(|i| format_ident!("y{}_bar", i + 1));
        quote! {
            use ::revode::support::{TapedStages, add, combine};
            let ::revode::Step { t, h, .. } = step;
            #lets
            let TapedStages { k: #y_bar, y: #y, tape: #tape, k_bar, vjps, .. } = taped;
            let mut t_bar = T::ZERO;
            #(#backward)*
            add(u_bar, [#(#added),*]);
            *vjps += #count;
            t_bar
        }
    }

    /// `k_i_bar = h b_i psi_bar + h Σ_{j>i} a_ji y_j_bar` and `y_i_bar = (∂f/∂y|_i)ᵀ k_i_bar`.
    fn stage_vjp(
        &self,
        scope: &mut Scope<'_>,
        weights: &[Number],
        used: &[usize],
        i: usize,
    ) -> TokenStream {
        let a = &self.method.coefficients.a;
        let mut terms = Vec::new();
        if !weights[i].is_zero() {
            let factor = scope.product(&weights[i], 'b', i, None);
            terms.push(quote!((#factor, psi_bar)));
        }
        for &j in used.iter().filter(|&&j| j > i && !a[j][i].is_zero()) {
            let factor = scope.product(&a[j][i], 'a', j, Some(i));
            let y_bar = format_ident!("y{}_bar", j + 1);
            terms.push(quote!((#factor, #y_bar)));
        }
        let time = scope.time(i);
        let (y, tape, y_bar) = (
            format_ident!("y{}", i + 1),
            format_ident!("tape{}", i + 1),
            format_ident!("y{}_bar", i + 1),
        );
        quote! {
            combine(k_bar, [#(#terms),*]);
            t_bar += field.vjp(#time, #y, #tape, k_bar, #y_bar, model_bar);
        }
    }

    fn used(&self) -> Used {
        let needed = self.needed();
        let coefficients = &self.method.coefficients;
        let embedded = coefficients.b_embedded.as_ref();
        let embedded = embedded.map_or(needed.clone(), |weights| coefficients.reaching(weights));
        let those = |is: &dyn Fn(usize) -> bool| (0..needed.len()).filter(|&i| is(i)).collect();
        Used {
            method: those(&|i| needed[i]),
            embedded: those(&|i| embedded[i]),
            further: those(&|i| embedded[i] && !needed[i]),
        }
    }
}

/// `[k1, k2]`.
fn pattern(stages: &[usize], prefix: &str, suffix: &str) -> TokenStream {
    let names: Vec<Ident> =
        stages.iter().map(|i| format_ident!("{prefix}{}{suffix}", i + 1)).collect();
    quote!([#(#names),*])
}
