//! The code of an increment's VJP, and of the embedded increment's through the same stages.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::coefficients::Coefficients;
use super::emit::{Code, functions, inline, number};
use super::interpolant::Stages;
use super::scope::Scope;
use crate::generated::attributes;
use crate::number::Number;

/// The stages of the increment and of the embedded increment, by their numbers.
pub(super) struct Used {
    /// Those that the increment needs.
    method: Vec<usize>,
    /// Those that the embedded increment needs.
    embedded: Vec<usize>,
    /// Those that only the embedded increment needs.
    pub(super) further: Vec<usize>,
    /// All of them and those that the interpolant needs, in order: they have a place among the taped stages.
    pub(super) places: Vec<usize>,
}

/// A cotangent that goes back through the stages: its weights, the letter of their products with `h`, and how its
/// names end.
struct Cotangent<'m> {
    weights: &'m [Number],
    letter: char,
    suffix: &'static str,
    /// Whether the cotangent of time is added up too.
    adds_time: bool,
}

impl Cotangent<'_> {
    /// The name of the cotangent of a stage's state.
    fn of_stage(&self, i: usize) -> Ident {
        format_ident!("y{}_{}", i + 1, self.suffix)
    }
}

/// What an increment's VJP goes back through besides the increment.
#[derive(Clone, Copy)]
pub(super) struct Through<'m> {
    /// The embedded increment, by its weights.
    pub(super) embedded: Option<&'m Vec<Number>>,
    /// The interpolant, whose values have left cotangents of its stages.
    pub(super) interpolant: Option<&'m Stages>,
}

impl Code<'_> {
    /// The implementation of `MethodVjp`.
    pub(super) fn vjp(&self) -> TokenStream {
        let used = self.used();
        let list = |prefix: &str, suffix: &str| pattern(&used.places, prefix, suffix);
        let (k, y, tape) = (list("k", ""), list("y", ""), list("tape", ""));

        let coefficients = &self.method.coefficients;
        let mut scope = Scope::new(coefficients);
        let forward: Vec<_> = used.method.iter().map(|&i| scope.taped_stage(i)).collect();
        let psi = scope.combine(&quote!(psi), &coefficients.b, 'b');
        let forward_lets = scope.lets();
        let functions = functions(used.method.len() > 1);
        let count = Literal::usize_unsuffixed(used.method.len());

        let start_derivative = used.method.contains(&0).then(|| {
            quote! {
                #[inline(always)]
                fn start_derivative<'a>(
                    &self,
                    taped: &'a Self::Taped,
                ) -> ::core::option::Option<&'a F::State> {
                    ::core::option::Option::Some(&taped.k[0])
                }
            }
        });
        let body = self.increment_vjp(&used, Through { embedded: None, interpolant: None });
        let forget = self.has_further_stages().then(|| quote!(taped.further_known = false;));
        let embedded = self.embedded_vjp(&used);
        let (name, stages) = (self.name, Literal::usize_unsuffixed(used.places.len()));
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
                    #forget
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
                #start_derivative
                #[inline]
                fn dense_output_vjp<'a>(
                    &'a self,
                    field: &'a F,
                    u: &F::State,
                ) -> ::revode::BoxedDenseOutputVjp<'a, T, F> {
                    ::revode::support::of_interpolant_vjp(self, field, u)
                }
                #embedded
            }
        }
    }

    /// What the estimate of a gradient's error needs, where there is an embedded method.
    fn embedded_vjp(&self, used: &Used) -> Option<TokenStream> {
        let weights = self.method.coefficients.b_embedded.as_ref()?;
        let list = |prefix: &str, suffix: &str| pattern(&used.places, prefix, suffix);
        let (k, y, tape) = (list("k", ""), list("y", ""), list("tape", ""));
        let body = self.increment_vjp(used, Through { embedded: Some(weights), interpolant: None });
        let (order, inline) = (number(self.method.embedded_order?), inline(self.method));
        let last = [self.method.coefficients.stages() - 1];
        let continues = self.method.fsal && used.further == last;
        // A last stage that is known from the step after this one has its state and tape, and no derivative any more.
        let (know, know_last) = self.tape_knows_further_stages(used);
        let unless_known = continues.then(|| {
            quote!(if ::core::mem::take(&mut taped.last_known) {
                #know_last
                return;
            })
        });
        let precede = continues.then(|| {
            quote! {
                #[inline]
                fn precede(&self, taped: &mut Self::Taped) {
                    taped.first_becomes_last();
                }
            }
        });
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
                    #unless_known
                    #know
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
            #precede
            #tape_further
            #inline
            fn vjp_with_embedded(
                &self,
                field: &F,
                step: ::revode::Step<T>,
                taped: &mut Self::Taped,
                [psi_bar, psi_hat]: [&F::State; 2],
                [u_bar, u_hat]: [&mut F::State; 2],
                [model_bar, model_hat]: [&mut F; 2],
            ) -> T {
                #body
            }
        })
    }

    /// The VJP of the increment, and those of the embedded increment and of interpolated values: stage by stage, so
    /// that what all need of a stage is computed once.
    pub(super) fn increment_vjp(&self, used: &Used, through: Through<'_>) -> TokenStream {
        let main = Cotangent {
            weights: &self.method.coefficients.b,
            letter: 'b',
            suffix: "bar",
            adds_time: true,
        };
        let hat = through.embedded.map(|weights| Cotangent {
            weights,
            letter: 'e',
            suffix: "hat",
            adds_time: false,
        });
        let coefficients = match through.interpolant {
            Some(_) => &self.method.interpolant.extended,
            None => &self.method.coefficients,
        };
        let seeds = through.interpolant.map_or(vec![], Stages::all);
        let with_seeds = |stages: &[usize]| {
            let mut all = [stages, &seeds].concat();
            all.sort_unstable();
            all.dedup();
            all
        };
        let of_main = with_seeds(&used.method);
        let of_hat = hat.as_ref().map_or(vec![], |_| with_seeds(&used.embedded));
        let mut scope = Scope::new(coefficients);
        let mut backward = TokenStream::new();
        for i in (0..coefficients.stages()).rev() {
            let seed = seeds.contains(&i);
            if of_main.contains(&i) {
                backward.extend(stage_vjp(&mut scope, coefficients, &main, &of_main, i, seed));
            }
            if let Some(hat) = hat.as_ref().filter(|_| of_hat.contains(&i)) {
                backward.extend(stage_vjp(&mut scope, coefficients, hat, &of_hat, i, seed));
            }
        }
        let lets = scope.lets();
        let list = |prefix: &str, suffix: &str| pattern(&used.places, prefix, suffix);
        let (y, tape, y_bar) = (list("y", ""), list("tape", ""), list("y", "_bar"));
        let bars = of_main.iter().map(|&i| main.of_stage(i));
        let y_hat = list("y", "_hat");
        let hats = hat.as_ref().map(|_| quote!(embedded: #y_hat,));
        let add_hats = hat.as_ref().map(|hat| {
            let hats = of_hat.iter().map(|&i| hat.of_stage(i));
            quote!(add(u_hat, [#(#hats),*]);)
        });
        let count = Literal::usize_unsuffixed(of_main.len() + of_hat.len());
        let extra = through.interpolant.map(|stages| stages.taped_extra(hat.is_some()));
        let clear = through.interpolant.map(|_| quote!(extra.clear();));
        quote! {
            use ::revode::support::{TapedStages, add, combine};
            let ::revode::Step { t, h, .. } = step;
            #lets
            let TapedStages { k: #y_bar, #hats y: #y, tape: #tape, k_bar, vjps, .. } = taped;
            #extra
            let mut t_bar = T::ZERO;
            #backward
            add(u_bar, [#(#bars),*]);
            #add_hats
            *vjps += #count;
            #clear
            t_bar
        }
    }

    pub(super) fn used(&self) -> Used {
        let needed = self.needed();
        let coefficients = &self.method.coefficients;
        let embedded = coefficients.b_embedded.as_ref();
        let embedded = embedded.map_or(needed.clone(), |weights| coefficients.reaching(weights));
        let interpolant = self.method.interpolant.used();
        let those = |is: &dyn Fn(usize) -> bool| (0..needed.len()).filter(|&i| is(i)).collect();
        Used {
            method: those(&|i| needed[i]),
            embedded: those(&|i| embedded[i]),
            further: those(&|i| embedded[i] && !needed[i]),
            places: those(&|i| needed[i] || embedded[i] || interpolant[i]),
        }
    }
}

/// `k_i_bar = h b_i psi_bar + h Σ_{j>i} a_ji y_j_bar`, with what interpolated values add to it where there is a `seed`,
/// and `y_i_bar = (∂f/∂y|_i)ᵀ k_i_bar`.
fn stage_vjp(
    scope: &mut Scope<'_>,
    coefficients: &Coefficients,
    cotangent: &Cotangent<'_>,
    used: &[usize],
    i: usize,
    seed: bool,
) -> TokenStream {
    let Cotangent { weights, letter, suffix, .. } = *cotangent;
    let a = &coefficients.a;
    let mut terms = Vec::new();
    if let Some(weight) = weights.get(i).filter(|weight| !weight.is_zero()) {
        let factor = scope.product(weight, letter, i, None);
        let psi_bar = format_ident!("psi_{suffix}");
        terms.push(quote!((#factor, #psi_bar)));
    }
    if seed {
        let seed = format_ident!("seed{}", i + 1);
        terms.push(quote!((T::ONE, #seed)));
    }
    for &j in used.iter().filter(|&&j| j > i && !a[j][i].is_zero()) {
        let factor = scope.product(&a[j][i], 'a', j, Some(i));
        let y_bar = cotangent.of_stage(j);
        terms.push(quote!((#factor, #y_bar)));
    }
    let (time, y_bar) = (scope.time(i), cotangent.of_stage(i));
    let (y, tape) = (format_ident!("y{}", i + 1), format_ident!("tape{}", i + 1));
    let model_bar = format_ident!("model_{suffix}");
    let t_bar = cotangent.adds_time.then(|| quote!(t_bar +=));
    quote! {
        combine(k_bar, [#(#terms),*]);
        #t_bar field.vjp_on(step.sides, #time, #y, #tape, k_bar, #y_bar, #model_bar);
    }
}

/// `[k1, k2]`.
pub(super) fn pattern(stages: &[usize], prefix: &str, suffix: &str) -> TokenStream {
    let names: Vec<Ident> =
        stages.iter().map(|i| format_ident!("{prefix}{}{suffix}", i + 1)).collect();
    quote!([#(#names),*])
}
