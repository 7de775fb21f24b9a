//! The code of an interpolant: its extra stages, its value and its derivative.
//!
//! The weights are not evaluated in powers of `θ`, which would cancel (those of Verner's 8(7) reach 1.4e6, and lose five
//! digits at the end of the step), but as
//!
//! ```text
//! b_i(θ)  = θ b_i + θ (1 − θ) r_i(x),                       x = 2θ − 1,
//! b_i'(θ) = (1 − θ) b_i'(0) + θ b_i'(1) + θ (1 − θ) q_i(x).
//! ```
//!
//! So the ends of the step are met to the last bit, and between them the error is rounding: 2e-16 `Σ |b_i(θ)|`.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::super::emit::{Code, float, inline, number};
use super::super::scope::Scope;
use super::Interpolant;
use crate::generated::attributes;
use crate::number::Number;

/// The stages that an interpolant needs, by their numbers.
pub(in super::super) struct Stages {
    /// Those of the method.
    pub(super) own: Vec<usize>,
    /// Those of the method that the increment does not compute.
    pub(super) further: Vec<usize>,
    /// The extra ones.
    pub(super) extra: Vec<usize>,
}

impl Stages {
    /// All of them, in order.
    pub(in super::super) fn all(&self) -> Vec<usize> {
        [self.own.clone(), self.extra.clone()].concat()
    }
}

impl Code<'_> {
    /// The implementation of `Interpolant`.
    pub(in super::super) fn interpolant(&self) -> TokenStream {
        let interpolant = &self.method.interpolant;
        let (name, attributes) = (self.name, attributes());
        let order = number(interpolant.order);
        let is_smooth = interpolant.smoothness > 0;
        let extra = Literal::usize_unsuffixed(interpolant.extra);
        let stages = self.interpolant_stages();
        let extend = self.extend(&stages);
        let proceed = self.proceed_extended();
        let (value, slope) = (self.value(&stages), self.slope(&stages));
        quote! {
            #attributes
            impl<T: ::revode::Real, F: ::revode::VectorField<T>> ::revode::Interpolant<T, F>
                for #name
            {
                type Extra = ::revode::support::ExtraStages<F::State, #extra>;

                #[inline]
                fn interpolant_order(&self) -> u32 {
                    #order
                }
                #[inline]
                fn is_smooth(&self) -> bool {
                    #is_smooth
                }
                #[inline]
                fn extra(&self, _field: &F, u: &F::State) -> Self::Extra {
                    Self::Extra::new(u)
                }
                #extend
                #proceed
                #value
                #slope
            }
        }
    }

    /// Whether the increment has to say that stages which the interpolant needs are not those of this increment.
    pub(in super::super) fn has_further_stages(&self) -> bool {
        !self.interpolant_stages().further.is_empty()
    }

    /// Whether the increment with error computes all further stages.
    pub(in super::super) fn error_knows_further_stages(&self) -> bool {
        let coefficients = &self.method.coefficients;
        let Some(weights) = &coefficients.b_embedded else { return false };
        let embedded = coefficients.reaching(weights);
        let further = self.interpolant_stages().further;
        !further.is_empty() && further.iter().all(|&i| embedded[i])
    }

    pub(super) fn interpolant_stages(&self) -> Stages {
        let (own, needed) = (self.method.coefficients.stages(), self.needed());
        let used = self.method.interpolant.used();
        let all = || (0..used.len()).filter(|&i| used[i]);
        Stages {
            own: all().filter(|&i| i < own).collect(),
            further: all().filter(|&i| i < own && !needed[i]).collect(),
            extra: all().filter(|&i| i >= own).collect(),
        }
    }

    /// Evaluates the stages that the increment has not.
    fn extend(&self, stages: &Stages) -> Option<TokenStream> {
        if stages.further.is_empty() && stages.extra.is_empty() {
            return None;
        }
        let mut scope = Scope::new(&self.method.interpolant.extended);
        let mut evaluate = |list: &[usize]| -> TokenStream {
            list.iter()
                .map(|&i| {
                    let (terms, time, k) = (scope.row(i), scope.time(i), of_stage("k", i));
                    quote! {
                        stage(y, u, #terms);
                        field.eval_on(step.sides, #time, y, #k);
                    }
                })
                .collect()
        };
        let (further, extra) = (evaluate(&stages.further), evaluate(&stages.extra));
        let counted = |list: &[usize]| {
            let count = Literal::usize_unsuffixed(list.len());
            (!list.is_empty()).then(|| quote!(*evaluations += #count;))
        };
        let (count_further, count_extra) = (counted(&stages.further), counted(&stages.extra));
        let further = (!stages.further.is_empty()).then(|| {
            quote! {
                if !::core::mem::replace(further_known, true) {
                    #further
                    #count_further
                }
            }
        });
        let flag = further.as_ref().map(|_| quote!(further_known,));
        let (own_list, extra_list) = self.lists(stages);
        let (lets, inline) = (scope.lets(), inline(self.method));
        Some(quote! {
            #inline
            fn extend(
                &self,
                field: &F,
                step: ::revode::Step<T>,
                u: &F::State,
                stages: &mut Self::Stages,
                extra: &mut Self::Extra,
            ) {
                use ::revode::support::{ExtraStages, Stages, stage};
                let ::revode::Step { t, h, .. } = step;
                #lets
                let Stages { k: #own_list, y, evaluations, #flag .. } = stages;
                let ExtraStages { k: #extra_list } = extra;
                #further
                #extra
                #count_extra
            }
        })
    }

    /// Hands the derivative at the end on to the next increment.
    fn proceed_extended(&self) -> Option<TokenStream> {
        let own = self.method.coefficients.stages();
        let end = self.method.interpolant.extended.end_stage()?;
        if !self.method.interpolant.used()[end] {
            return None;
        }
        let first = if end < own {
            let end = Literal::usize_unsuffixed(end);
            quote!(stages.k.swap(0, #end);)
        } else {
            let end = Literal::usize_unsuffixed(end - own);
            quote!(::core::mem::swap(&mut stages.k[0], &mut extra.k[#end]);)
        };
        Some(quote! {
            #[inline]
            fn proceed_extended(&self, stages: &mut Self::Stages, extra: &mut Self::Extra) {
                #first
                stages.first_known = true;
            }
        })
    }

    /// `y(t + θh)`.
    fn value(&self, stages: &Stages) -> TokenStream {
        let (lets, terms) = weights(stages, |i| self.weight(i), &quote!(h *));
        let (own, extra) = self.lists(stages);
        quote! {
            #[inline]
            fn interpolate(
                &self,
                _field: &F,
                step: ::revode::Step<T>,
                theta: T,
                u: &F::State,
                stages: &Self::Stages,
                extra: &Self::Extra,
                y: &mut F::State,
            ) {
                use ::revode::support::{ExtraStages, Stages, stage};
                let ::revode::Step { h, .. } = step;
                let Stages { k: #own, .. } = stages;
                let ExtraStages { k: #extra } = extra;
                let (x, between) = (theta + theta - T::ONE, theta * (T::ONE - theta));
                #lets
                stage(y, u, [#(#terms),*]);
            }
        }
    }

    /// `b_i(θ)`, unless it is 0.
    pub(super) fn weight(&self, i: usize) -> Option<TokenStream> {
        let interpolant = &self.method.interpolant;
        let end = &interpolant.extended.b[i];
        let between = centred(&divided(&interpolant.b[i], end));
        sum(&[scaled(&quote!(theta), end), bubble(&between)])
    }

    /// `y'(t + θh)`.
    fn slope(&self, stages: &Stages) -> TokenStream {
        let interpolant = &self.method.interpolant;
        let weight = |i: usize| {
            let [start, end] = interpolant.end_slopes(i);
            let slopes: Vec<_> = derivative(&interpolant.b[i]);
            let between = match slopes.split_first() {
                Some((first, higher)) => centred(&divided(higher, &(&end - first))),
                None => vec![],
            };
            let ends = [scaled(&quote!((T::ONE - theta)), &start), scaled(&quote!(theta), &end)];
            sum(&[sum(&ends), bubble(&between)])
        };
        let (lets, terms) = weights(stages, weight, &quote!());
        let (own, extra) = self.lists(stages);
        quote! {
            #[inline]
            fn derivative(
                &self,
                _field: &F,
                theta: T,
                stages: &Self::Stages,
                extra: &Self::Extra,
                dy: &mut F::State,
            ) {
                use ::revode::support::{ExtraStages, Stages, combine};
                let Stages { k: #own, .. } = stages;
                let ExtraStages { k: #extra } = extra;
                let (x, between) = (theta + theta - T::ONE, theta * (T::ONE - theta));
                #lets
                combine(dy, [#(#terms),*]);
            }
        }
    }

    /// The names of the stage derivatives, those of the method and the extra ones.
    fn lists(&self, stages: &Stages) -> (TokenStream, TokenStream) {
        let Interpolant { extra, .. } = self.method.interpolant;
        let own = self.method.coefficients.stages();
        let list = |range: std::ops::Range<usize>, used: &[usize]| {
            let names = range.map(|i| {
                let k = of_stage("k", i);
                if used.contains(&i) { quote!(#k) } else { quote!(_) }
            });
            quote!([#(#names),*])
        };
        (list(0..own, &stages.own), list(own..own + extra, &stages.extra))
    }
}

/// The definitions of the weights, and the terms of the sum that they make.
fn weights(
    stages: &Stages,
    weight: impl Fn(usize) -> Option<TokenStream>,
    factor: &TokenStream,
) -> (TokenStream, Vec<TokenStream>) {
    let mut lets = TokenStream::new();
    let mut terms = Vec::new();
    for &i in stages.own.iter().chain(&stages.extra) {
        let (b, k) = (of_stage("b", i), of_stage("k", i));
        if let Some(value) = weight(i) {
            lets.extend(quote!(let #b = #value;));
            terms.push(quote!((#factor #b, #k)));
        }
    }
    (lets, terms)
}

/// `k3`.
pub(super) fn of_stage(letter: &str, i: usize) -> Ident {
    format_ident!("{letter}{}", i + 1)
}

/// The coefficients of `(p(θ)/θ − end)/(1 − θ)`, where `p` has these coefficients of `θ`, `θ²`, … and `p(1) = end`.
fn divided(p: &[Number], end: &Number) -> Vec<Number> {
    let mut sum = -end;
    let sums: Vec<_> = p
        .iter()
        .map(|x| {
            sum = &sum + x;
            sum.clone()
        })
        .collect();
    // The last of them is 0, or the rounding of the coefficients.
    sums.split_last().map_or_else(Vec::new, |(_, rest)| rest.to_vec())
}

/// The coefficients of the same polynomial in `x = 2θ − 1`.
fn centred(p: &[Number]) -> Vec<Number> {
    let half = Number::ratio(1, 2u8);
    // Horner's scheme with `θ = (1 + x)/2`.
    p.iter().rev().fold(vec![], |sum: Vec<Number>, coefficient| {
        let mut product = vec![Number::ZERO; sum.len() + 1];
        for (k, x) in sum.iter().enumerate() {
            let part = x * &half;
            product[k] = &product[k] + &part;
            product[k + 1] = &product[k + 1] + &part;
        }
        product[0] = &product[0] + coefficient;
        product
    })
}

/// The coefficients of `1`, `θ`, … in the derivative.
fn derivative(p: &[Number]) -> Vec<Number> {
    p.iter().zip(1u64..).map(|(x, power)| x * &Number::ratio(power, 1u8)).collect()
}

/// `factor · x`, unless it is 0.
fn scaled(factor: &TokenStream, x: &Number) -> Option<TokenStream> {
    let value = x.to_f64();
    let literal = float(value);
    match value {
        0.0 => None,
        1.0 => Some(quote!(#factor)),
        _ => Some(quote!(#factor * T::from_f64(#literal))),
    }
}

/// `θ (1 − θ) p(x)` by Horner's scheme, unless it is 0.
fn bubble(p: &[Number]) -> Option<TokenStream> {
    let last = p.iter().rposition(|x| x.to_f64() != 0.0)?;
    let coefficient = |k: usize| {
        let literal = float(p[k].to_f64());
        quote!(T::from_f64(#literal))
    };
    let horner = (0..last).rev().fold(coefficient(last), |sum, k| {
        let c = coefficient(k);
        quote!((#c + x * #sum))
    });
    Some(quote!(between * #horner))
}

fn sum(terms: &[Option<TokenStream>]) -> Option<TokenStream> {
    let terms: Vec<_> = terms.iter().flatten().collect();
    (!terms.is_empty()).then(|| quote!(#(#terms)+*))
}
