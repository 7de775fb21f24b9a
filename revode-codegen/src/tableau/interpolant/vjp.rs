//! The code of an interpolant's VJP: values between the ends of a step leave cotangents of the stages, which the VJP of
//! the increment takes along, extra stages first.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::super::emit::{Code, inline};
use super::super::scope::Scope;
use super::super::vjp::{Through, Used, pattern};
use super::emit::{Stages, of_stage};
use crate::generated::attributes;

impl Stages {
    /// The parts of the extra stages' scratch space.
    pub(in super::super) fn taped_extra(&self, has_hats: bool) -> TokenStream {
        let list = |prefix: &str, suffix: &str| pattern(&self.extra, prefix, suffix);
        let (bars, hats, y, tape) =
            (list("y", "_bar"), list("y", "_hat"), list("y", ""), list("tape", ""));
        let hats = has_hats.then(|| quote!(embedded: #hats,));
        let seeds = pattern(&self.all(), "seed", "");
        quote! {
            let ::revode::support::TapedExtra {
                k: #bars, #hats y: #y, tape: #tape, seeds: #seeds, ..
            } = extra;
        }
    }
}

impl Code<'_> {
    /// The implementation of `InterpolantVjp`.
    pub(in super::super) fn interpolant_vjp(&self) -> TokenStream {
        let (name, attributes, inline) = (self.name, attributes(), inline(self.method));
        let (stages, used) = (self.interpolant_stages(), self.used());
        let extra = Literal::usize_unsuffixed(stages.extra.len());
        let seeds = Literal::usize_unsuffixed(stages.all().len());
        let (tape, seed) = (self.tape_extra(&stages, &used), self.seed(&stages));
        let through = Through { embedded: None, interpolant: Some(&stages) };
        let back = self.increment_vjp(&used, through);
        let embedded = self.method.coefficients.b_embedded.as_ref().map(|weights| {
            let through = Through { embedded: Some(weights), interpolant: Some(&stages) };
            let back = self.increment_vjp(&used, through);
            quote! {
                #inline
                fn extended_vjp_with_embedded(
                    &self,
                    field: &F,
                    step: ::revode::Step<T>,
                    (taped, extra): (&mut Self::Taped, &mut Self::TapedExtra),
                    [psi_bar, psi_hat]: [&F::State; 2],
                    [u_bar, u_hat]: [&mut F::State; 2],
                    [model_bar, model_hat]: [&mut F; 2],
                ) -> T {
                    #back
                }
            }
        });
        quote! {
            #attributes
            impl<T: ::revode::Real, F: ::revode::FieldVjp<T>> ::revode::InterpolantVjp<T, F>
                for #name
            {
                type TapedExtra = ::revode::support::TapedExtra<F::State, F::Tape, #extra, #seeds>;

                #[inline]
                fn taped_extra(&self, field: &F, u: &F::State) -> Self::TapedExtra {
                    Self::TapedExtra::new(field, u)
                }
                #tape
                #seed
                #inline
                fn extended_vjp(
                    &self,
                    field: &F,
                    step: ::revode::Step<T>,
                    (taped, extra): (&mut Self::Taped, &mut Self::TapedExtra),
                    psi_bar: &F::State,
                    u_bar: &mut F::State,
                    model_bar: &mut F,
                ) -> T {
                    #back
                }
                #embedded
            }
        }
    }

    /// How taping the embedded increment says that the further stages of the interpolant are taped; and where the last of
    /// them is known from the next step, without its derivative.
    pub(in super::super) fn tape_knows_further_stages(
        &self,
        used: &Used,
    ) -> (Option<TokenStream>, Option<TokenStream>) {
        let stages = self.interpolant_stages();
        let all = stages.further.iter().all(|i| used.further.contains(i));
        if stages.further.is_empty() || !all {
            return (None, None);
        }
        let a = &self.method.interpolant.extended.a;
        let enters = |i: &usize| stages.extra.iter().any(|&j| !a[j][*i].is_zero());
        let know = quote!(taped.further_known = true;);
        let know_last = (!stages.further.iter().any(enters)).then(|| know.clone());
        (Some(know), know_last)
    }

    /// Tapes the stages that the increment has not.
    fn tape_extra(&self, stages: &Stages, used: &Used) -> Option<TokenStream> {
        if stages.further.is_empty() && stages.extra.is_empty() {
            return None;
        }
        let mut scope = Scope::new(&self.method.interpolant.extended);
        let mut tape = |list: &[usize]| -> Vec<TokenStream> {
            list.iter().map(|&i| scope.taped_stage(i)).collect()
        };
        let (further, extra) = (tape(&stages.further), tape(&stages.extra));
        let counted = |list: &[usize]| {
            let count = Literal::usize_unsuffixed(list.len());
            (!list.is_empty()).then(|| quote!(*evaluations += #count;))
        };
        let (count_further, count_extra) = (counted(&stages.further), counted(&stages.extra));
        let unless_known = (!stages.further.is_empty()).then(|| {
            quote! {
                if !::core::mem::replace(further_known, true) {
                    #(#further)*
                    #count_further
                }
            }
        });
        let flag = unless_known.as_ref().map(|_| quote!(further_known,));
        let (lets, inline) = (scope.lets(), inline(self.method));
        let own = |prefix: &str| pattern(&used.places, prefix, "");
        let extra_list = |prefix: &str| pattern(&stages.extra, prefix, "");
        let (k, y, tape) = (own("k"), own("y"), own("tape"));
        let (extra_k, extra_y, extra_tape) = (extra_list("k"), extra_list("y"), extra_list("tape"));
        Some(quote! {
            #inline
            fn tape_extra(
                &self,
                field: &F,
                step: ::revode::Step<T>,
                u: &F::State,
                (taped, extra): (&mut Self::Taped, &mut Self::TapedExtra),
            ) {
                use ::revode::support::{TapedExtra, TapedStages, stage};
                let ::revode::Step { t, h, .. } = step;
                #lets
                let TapedStages { k: #k, y: #y, tape: #tape, evaluations, #flag .. } = taped;
                let TapedExtra { k: #extra_k, y: #extra_y, tape: #extra_tape, .. } = extra;
                #unless_known
                #(#extra)*
                #count_extra
            }
        })
    }

    /// Adds `h b_i(θ) y_bar` to the cotangents of the stage derivatives.
    fn seed(&self, stages: &Stages) -> TokenStream {
        let all = stages.all();
        let seeds = pattern(&all, "seed", "");
        let each = all.iter().filter_map(|&i| {
            let (weight, seed) = (self.weight(i)?, of_stage("seed", i));
            Some(quote!(add_scaled(#seed, h * (#weight), y_bar);))
        });
        quote! {
            #[inline]
            fn interpolate_vjp(
                &self,
                _field: &F,
                step: ::revode::Step<T>,
                theta: T,
                y_bar: &F::State,
                extra: &mut Self::TapedExtra,
            ) {
                use ::revode::support::{TapedExtra, add_scaled};
                let ::revode::Step { h, .. } = step;
                let TapedExtra { seeds: #seeds, .. } = extra;
                let (x, between) = (theta + theta - T::ONE, theta * (T::ONE - theta));
                #(#each)*
            }
        }
    }
}
