//! The generated items.

use std::collections::BTreeSet;

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::body::Bodies;
use super::events;
use super::jumps::{self, Declared};
use super::model::{Model, Variable};
use super::program::Program;
use super::runtime_checks;
use super::sizes::{local_size, size};
use super::statements::Tape;
use super::switches;
use super::types::{buffer, field_type, state_type};
use crate::generated::attributes;
use crate::ir::{Input, Op, Role, Shape};

/// The struct and its implementations.
pub(super) fn emit(model: &Model, program: &Program) -> TokenStream {
    let declaration = declaration(model);
    let fields = fields(model, program);
    let parameters = parameters(model);
    let inherent = inherent(model);
    quote! {
        #declaration
        #inherent
        #fields
        #parameters
    }
}

/// `impl<const H: usize, T: Real> path for Name<H, T>`
pub(super) fn header(model: &Model, path: Option<TokenStream>) -> TokenStream {
    let (name, generics) = (&model.name, &model.generics);
    let path = path.map(|path| quote!(::revode::#path for));
    quote!(impl<#(const #generics: usize,)* T: ::revode::Real> #path #name<#(#generics,)* T>)
}

fn declaration(model: &Model) -> TokenStream {
    let Model { attributes, visibility, name, generics, dims, .. } = model;
    let default_doc = undocumented(attributes)
        .then(|| quote!(#[doc = " A vector field, declared by its equations."]));
    let fields = model.params.iter().map(|Variable { attributes, name, shape }| {
        let ty = field_type(model, shape);
        let doc = format!(" The parameter `{name}`.");
        let doc = undocumented(attributes).then(|| quote!(#[doc = #doc]));
        quote!(#(#attributes)* #doc pub #name: #ty,)
    });
    let marker = model.params.is_empty().then(|| quote!(scalar: ::core::marker::PhantomData<T>,));
    quote! {
        #(#attributes)*
        #default_doc
        #[derive(Debug, Clone, PartialEq)]
        #[allow(non_snake_case)]
        #visibility struct #name<#(const #generics: usize,)* T = f64> {
            #(#fields)*
            #(#dims: usize,)*
            #marker
        }
    }
}

fn undocumented(attributes: &[syn::Attribute]) -> bool {
    !attributes.iter().any(|attribute| attribute.path().is_ident("doc"))
}

/// The vector field and its derivatives.
fn fields(model: &Model, program: &Program) -> TokenStream {
    let attributes = attributes();
    let inline = inline(program);
    let state = state_type(model);
    let check = runtime_checks::check(model);
    let mut bodies = Bodies { model, program, tape: Tape::default() };
    let constraints = runtime_checks::static_constraints(model);
    let (eval, jvp, jacobian) = (bodies.eval(), bodies.jvp(), bodies.jacobian());
    let (eval_taped, vjp) = (bodies.eval_taped(), bodies.vjp());
    let Declared { names, sides, field, vjp: of_vjp, inherent } = jumps::declare(&bodies, &inline);
    let [eval_name, eval_taped_name, vjp_name] = names;
    let switches = switches::emit(&bodies);
    let (events, events_vjp) = events::emit::emit(&bodies).unzip();
    let (types, zeros): (Vec<_>, Vec<_>) =
        bodies.tape.shapes().map(|shape| buffer(model, shape)).unzip();
    let vector_field = header(model, Some(quote!(VectorField<T>)));
    let field_vjp = header(model, Some(quote!(FieldVjp<T>)));
    let field_jvp = header(model, Some(quote!(FieldJvp<T>)));
    let autonomous = is_autonomous(program);
    let time_derivative = bodies.time_derivative();
    let of_jacobian_vjp = header(model, Some(quote!(JacobianVjp<T>)));
    let jacobian_vjp = bodies.jacobian_vjp();
    let field_jacobian = header(model, Some(quote!(FieldJacobian<T>)));
    quote! {
        #inherent
        #attributes
        #vector_field {
            type State = #state;
            #field
            #inline
            fn #eval_name(&self, #sides t: T, y: &Self::State, dy: &mut Self::State) {
                #constraints
                #eval
            }
            #check
            #switches
            #events
        }
        #attributes
        #field_vjp {
            type Tape = (#(#types,)*);
            #[inline]
            fn tape(&self) -> Self::Tape {
                (#(#zeros,)*)
            }
            #of_vjp
            #inline
            fn #eval_taped_name(
                &self,
                #sides
                t: T,
                y: &Self::State,
                dy: &mut Self::State,
                tape: &mut Self::Tape,
            ) {
                #eval_taped
            }
            #inline
            fn #vjp_name(
                &self,
                #sides
                t: T,
                y: &Self::State,
                tape: &mut Self::Tape,
                dy_bar: &Self::State,
                y_bar: &mut Self::State,
                model_bar: &mut Self,
            ) -> T {
                #vjp
            }
            #events_vjp
        }
        #attributes
        #field_jvp {
            #[inline]
            fn jvp(
                &self,
                t: T,
                y: &Self::State,
                t_dot: T,
                y_dot: &Self::State,
                model_dot: &Self,
                dy_dot: &mut Self::State,
            ) {
                #jvp
            }
        }
        #attributes
        #field_jacobian {
            const AUTONOMOUS: bool = #autonomous;
            #[inline]
            fn time_derivative(
                &self,
                sides: ::revode::Sides,
                t: T,
                y: &Self::State,
                dy_dot: &mut Self::State,
            ) {
                #time_derivative
            }
            #[inline]
            fn jacobian(
                &self,
                sides: ::revode::Sides,
                t: T,
                y: &Self::State,
                jacobian: &mut <Self::State as ::revode::State<T>>::Square,
            ) {
                #jacobian
            }
        }
        #attributes
        #of_jacobian_vjp {
            #[inline]
            fn jacobian_vjp(
                &self,
                sides: ::revode::Sides,
                t: T,
                y: &Self::State,
                t_dot: T,
                y_dot: &Self::State,
                dy_bar: &Self::State,
                y_bar: &mut Self::State,
                model_bar: &mut Self,
            ) -> T {
                #jacobian_vjp
            }
        }
    }
}

/// Whether the equations do not depend on time.
fn is_autonomous(Program { graph, eval, .. }: &Program) -> bool {
    let live = graph.live(eval.iter().map(|sink| sink.value), &BTreeSet::new());
    !live.iter().any(|id| matches!(graph.op(*id), Op::Input(Input { role: Role::Time, .. })))
}

/// How a field is inlined into the increments. Straight-line code of few operations always is: kept in
/// registers through all stages of a step it costs less than its calls would. Loops and long code are left to
/// LLVM, for a method has up to 13 stages.
fn inline(program: &Program) -> TokenStream {
    let roots = program.eval.iter().chain(&program.vjp).map(|sink| sink.value);
    let live = program.graph.live(roots, &BTreeSet::new());
    let scalar = live.iter().all(|id| program.graph.shape(*id).is_scalar());
    if scalar && live.len() <= 100 { quote!(#[inline(always)]) } else { quote!(#[inline]) }
}

fn parameters(model: &Model) -> TokenStream {
    let (attributes, header) = (attributes(), header(model, Some(quote!(Parameters<T>))));
    let count = Literal::usize_unsuffixed(model.params.len());
    let names = model.params.iter().map(|param| param.name.to_string());
    let slices = |from: &str, method: &str, reference: TokenStream| {
        let (from, method) = (format_ident!("{from}"), format_ident!("{method}"));
        let slice = move |param: &Variable| {
            let name = &param.name;
            if param.shape.is_scalar() {
                quote!(::core::slice::#from(#reference self.#name))
            } else {
                quote!(self.#name.#method())
            }
        };
        model.params.iter().map(slice).collect::<Vec<_>>()
    };
    let shared = slices("from_ref", "as_slice", quote!(&));
    let exclusive = slices("from_mut", "as_mut_slice", quote!(&mut));
    quote! {
        #attributes
        #header {
            #[inline]
            fn names() -> &'static [&'static str] {
                &[#(#names),*]
            }
            #[inline]
            fn slices(&self) -> impl Iterator<Item = &[T]> {
                let slices: [&[T]; #count] = [#(#shared),*];
                slices.into_iter()
            }
            #[inline]
            fn slices_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
                let slices: [&mut [T]; #count] = [#(#exclusive),*];
                slices.into_iter()
            }
        }
    }
}

/// `zeros`, `state_names`, and `new` for models on the heap.
fn inherent(model: &Model) -> TokenStream {
    let (attributes, header) = (attributes(), header(model, None));
    let Model { visibility, dims, .. } = model;
    let zeros = model.params.iter().map(|Variable { name, shape, .. }| {
        let sizes = shape.sizes();
        let sizes = sizes.iter().map(|n| local_size(model, n));
        match (shape, model.is_dynamic()) {
            (Shape::Scalar, _) => quote!(#name: T::ZERO,),
            (Shape::Vector(_), true) => {
                quote!(#name: ::revode::nalgebra::DVector::repeat(#(#sizes,)* T::ZERO),)
            }
            (Shape::Matrix(..), true) => {
                quote!(#name: ::revode::nalgebra::DMatrix::repeat(#(#sizes,)* T::ZERO),)
            }
            (Shape::Vector(_), false) => {
                quote!(#name: ::revode::nalgebra::SVector::repeat(T::ZERO),)
            }
            (Shape::Matrix(..), false) => {
                quote!(#name: ::revode::nalgebra::SMatrix::repeat(T::ZERO),)
            }
        }
    });
    let marker = model.params.is_empty().then(|| quote!(scalar: ::core::marker::PhantomData,));
    let names = model.states.iter().map(|state| {
        let name = state.name.to_string();
        let sizes: Vec<_> = state.shape.sizes().iter().map(|n| size(model, n)).collect();
        match &sizes[..] {
            [] => quote!(names.push(::std::string::String::from(#name));),
            [n] => quote!(names.extend((0..#n).map(|i| ::std::format!("{}[{i}]", #name)));),
            [rows, columns, ..] => quote! {
                for j in 0..#columns {
                    names.extend((0..#rows).map(|i| ::std::format!("{}[{i}, {j}]", #name)));
                }
            },
        }
    });
    let new = model.is_dynamic().then(|| runtime_checks::new(model));
    quote! {
        #attributes
        #header {
            #new
            /// The model with all parameters zero.
            #[must_use]
            #visibility fn zeros(#(#dims: usize),*) -> Self {
                Self { #(#zeros)* #(#dims,)* #marker }
            }
            /// The names of the state's components, in their order.
            #[must_use]
            #visibility fn state_names(&self) -> ::std::vec::Vec<::std::string::String> {
                let mut names = ::std::vec::Vec::new();
                #(#names)*
                names
            }
        }
    }
}
