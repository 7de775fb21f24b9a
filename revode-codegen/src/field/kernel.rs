//! The body of a function: a scheduled program as straight-line code and loops.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};

use super::layout::{buffer, count, size, state_offset};
use super::model::{Model, Variable};
use crate::ir::schedule::{Place, Schedule};
use crate::ir::{Dim, Graph, Id, Input, Op, Role, Shape};

/// The tape: the values in it and their places.
#[derive(Debug, Default)]
pub(super) struct Tape {
    slots: Vec<(Id, Shape)>,
}

impl Tape {
    /// The place of a node; a new one if it has none.
    pub(super) fn slot(&mut self, id: Id, shape: &Shape) -> Literal {
        let known = self.slots.iter().position(|(other, _)| *other == id);
        let k = known.unwrap_or_else(|| {
            self.slots.push((id, shape.clone()));
            self.slots.len() - 1
        });
        Literal::usize_unsuffixed(k)
    }

    /// The shapes of the places.
    pub(super) fn shapes(&self) -> impl Iterator<Item = &Shape> {
        self.slots.iter().map(|(_, shape)| shape)
    }
}

/// Emits a scheduled program.
pub(super) struct Kernel<'a> {
    pub(super) g: &'a Graph,
    pub(super) model: &'a Model,
    pub(super) schedule: Schedule,
    /// The tape, in functions that have one, and the values that are to be left there.
    pub(super) tape: Option<(&'a mut Tape, &'a BTreeSet<Id>)>,
    /// Numbers for the local variables.
    names: BTreeMap<Id, Ident>,
    pub(super) code: TokenStream,
}

impl<'a> Kernel<'a> {
    pub(super) fn new(
        g: &'a Graph,
        model: &'a Model,
        schedule: Schedule,
        tape: Option<(&'a mut Tape, &'a BTreeSet<Id>)>,
    ) -> Self {
        let names = schedule.places.keys().enumerate();
        let names = names.map(|(k, &id)| (id, local(g, id, k))).collect();
        Self { g, model, schedule, tape, names, code: TokenStream::new() }
    }

    /// Emits the nodes for which `wanted` holds, operands first.
    pub(super) fn nodes(&mut self, wanted: impl Fn(Id) -> bool) {
        let places: Vec<(Id, Place)> =
            self.schedule.places.iter().map(|(id, place)| (*id, *place)).collect();
        for (id, place) in places {
            if !wanted(id) {
                continue;
            }
            let name = self.names[&id].clone();
            match place {
                Place::Given => self.given(id, &name),
                Place::Scalar if self.g.constant_of(id).is_some() => {}
                Place::Scalar => self.scalar(id, &name),
                Place::View => {
                    let Op::Slice(a, offset) = self.g.op(id) else { continue };
                    let a = self.slice(*a);
                    let range = self.range(offset, self.g.shape(id));
                    self.code.extend(quote!(let #name = &#a[#range];));
                }
                Place::Buffer => {
                    self.declare(id, &name);
                    self.fill(&name, id);
                }
                Place::Inline | Place::Direct => {}
            }
        }
    }

    /// Binds an input, or a value that is on the tape.
    fn given(&mut self, id: Id, name: &Ident) {
        let shape = self.g.shape(id).clone();
        let value = if let Op::Input(Input { role, index }) = *self.g.op(id) {
            match role {
                Role::Time => quote!(t),
                Role::TimeDot => quote!(t_dot),
                Role::State => self.state("y", index),
                Role::StateDot => self.state("y_dot", index),
                Role::DerivativeBar => self.state("dy_bar", index),
                Role::Param => parameter("self", &self.model.params[index]),
                Role::ParamDot => parameter("model_dot", &self.model.params[index]),
            }
        } else {
            let slot = self.tape.as_mut().map(|(tape, _)| tape.slot(id, &shape));
            match shape {
                Shape::Scalar => quote!(tape.#slot),
                Shape::Matrix(..) if !self.model.is_dynamic() => quote!(tape.#slot.as_flattened()),
                _ => quote!(&tape.#slot[..]),
            }
        };
        self.code.extend(quote!(let #name = #value;));
    }

    /// The components of a state in the slice `base`.
    fn state(&self, base: &str, index: usize) -> TokenStream {
        let base = format_ident!("{base}");
        let start = state_offset(self.model, index);
        if self.model.states[index].shape.is_scalar() {
            return quote!(#base[#start]);
        }
        let end = state_offset(self.model, index + 1);
        quote!(&#base[#start..#end])
    }

    fn scalar(&mut self, id: Id, name: &Ident) {
        let value = match self.g.op(id) {
            Op::Index(a, offset) => {
                let (a, offset) = (self.slice(*a), size(self.model, offset));
                quote!(#a[#offset])
            }
            Op::Dot(a, b) => {
                let (a, b) = (self.slice(*a), self.slice(*b));
                quote!(::revode::support::dot(#a, #b))
            }
            Op::Sum(a) => {
                let a = self.slice(*a);
                quote!(::revode::support::sum(#a))
            }
            op => operation(op, |id| self.number(id)),
        };
        self.code.extend(quote!(let #name = #value;));
        if let Some((tape, kept)) = &mut self.tape
            && kept.contains(&id)
        {
            let slot = tape.slot(id, &Shape::Scalar);
            self.code.extend(quote!(tape.#slot = #name;));
        }
    }

    /// Declares the buffer of a vector or matrix: on the tape where it is kept there or where the
    /// tape is scratch space of a model on the heap.
    fn declare(&mut self, id: Id, name: &Ident) {
        let shape = self.g.shape(id);
        let dynamic = self.model.is_dynamic();
        let storage = match &mut self.tape {
            Some((tape, kept)) if dynamic || kept.contains(&id) => {
                let slot = tape.slot(id, shape);
                quote!(tape.#slot)
            }
            _ => {
                let (_, zeros) = buffer(self.model, shape);
                self.code.extend(quote!(let mut #name = #zeros;));
                quote!(#name)
            }
        };
        self.code.extend(match shape {
            Shape::Matrix(..) if !dynamic => quote!(let #name = #storage.as_flattened_mut();),
            _ => quote!(let #name = &mut #storage[..];),
        });
    }

    /// Writes a node that is not kept elsewhere to the slice `out`.
    pub(super) fn fill(&mut self, out: &Ident, id: Id) {
        let g = self.g;
        match g.op(id) {
            Op::Concat(parts) => self.parts(out, parts.iter().map(|part| (None, *part)), "="),
            Op::Scatter(parts) => {
                self.code.extend(quote!(#out.fill(T::ZERO);));
                self.parts(out, parts.iter().map(|(at, part)| (Some(at.clone()), *part)), "+=");
            }
            Op::MatVec(..) | Op::MatMul(..) | Op::Outer(..) => {
                let product = self.product(out, id, false);
                self.code.extend(product);
            }
            Op::Apply(function, x) if function.sliced => {
                let (f, x) = (format_ident!("{}_slice", function.name), self.slice(x[0]));
                self.code.extend(quote!(T::#f(#x, #out);));
            }
            _ => self.elementwise(out, id, "="),
        }
    }

    /// Writes (or adds) values to `out`, each at its offset or behind the one before.
    fn parts(&mut self, out: &Ident, parts: impl Iterator<Item = (Option<Dim>, Id)>, assign: &str) {
        let assign_token = operator(assign);
        let mut next = Dim::default();
        for (offset, part) in parts {
            let shape = self.g.shape(part);
            let offset = offset.unwrap_or_else(|| next.clone());
            next = offset.plus(&shape.length().unwrap_or_default());
            if shape.is_scalar() {
                let (at, value) = (size(self.model, &offset), self.number(part));
                self.code.extend(quote!(#out[#at] #assign_token #value;));
                continue;
            }
            let range = self.range(&offset, shape);
            let inner = Ident::new("part", Span::call_site());
            let before = std::mem::take(&mut self.code);
            if self.schedule.places[&part] == Place::Direct {
                self.fill(&inner, part);
            } else {
                self.elementwise(&inner, part, assign);
            }
            let body = std::mem::replace(&mut self.code, before);
            self.code.extend(quote!({ let #inner = &mut #out[#range]; #body }));
        }
    }

    /// `out = product`, or `out += product`.
    pub(super) fn product(&self, out: &Ident, id: Id, add: bool) -> TokenStream {
        match self.g.op(id) {
            Op::MatVec(a, transposed, x) => {
                let (a, x) = (self.slice(*a), self.slice(*x));
                let f = if *transposed { "mat_vec_transposed" } else { "mat_vec" };
                let f = format_ident!("{f}");
                quote!(::revode::support::#f(#out, #a, #x);)
            }
            Op::MatMul(a, ta, b, tb) => {
                let inner = self.g.shape(*a).sizes()[usize::from(!*ta)].clone();
                let sizes = self.g.shape(id).sizes();
                let sizes = [&sizes[0], &inner, &sizes[1]].map(|n| size(self.model, n));
                let (a, b) = (self.slice(*a), self.slice(*b));
                let f = match (self.model.is_dynamic(), add) {
                    (false, false) => "mat_mul",
                    (false, true) => "add_mat_mul",
                    (true, false) => "heap_mat_mul",
                    (true, true) => "add_heap_mat_mul",
                };
                let f = format_ident!("{f}");
                quote!(::revode::support::#f::<T, #ta, #tb>(#out, #a, #b, [#(#sizes),*]);)
            }
            Op::Outer(a, b) => {
                let (a, b) = (self.slice(*a), self.slice(*b));
                let f = format_ident!("{}", if add { "add_outer" } else { "outer" });
                quote!(::revode::support::#f(#out, #a, #b);)
            }
            _ => TokenStream::new(),
        }
    }

    /// A loop that writes (or adds, or subtracts) a node to `out`, component by component; what only
    /// this loop uses is computed inside.
    pub(super) fn elementwise(&mut self, out: &Ident, id: Id, assign: &str) {
        let (mut inside, mut stack) = (BTreeSet::new(), vec![id]);
        let mut read = BTreeSet::new();
        while let Some(node) = stack.pop() {
            let inline = self.schedule.places.get(&node) == Some(&Place::Inline);
            if (node == id && out == &self.names[&id]) || inline {
                if inside.insert(node) {
                    stack.extend(self.g.op(node).operands());
                }
            } else if !self.g.shape(node).is_scalar() {
                read.insert(node);
            }
        }
        let shape = self.g.shape(id).clone();
        let n = count(self.model, &shape);
        let mut body = TokenStream::new();
        for &node in &inside {
            let value = operation(self.g.op(node), |operand| self.component(operand));
            if node != id {
                let name = &self.names[&node];
                body.extend(quote!(let #name = #value;));
                continue;
            }
            let assign = operator(assign);
            body.extend(quote!(#out[i] #assign #value;));
        }
        if inside.is_empty() {
            let (assign, value) = (operator(assign), self.component(id));
            body.extend(quote!(#out[i] #assign #value;));
        }
        if !self.model.is_dynamic() {
            self.code.extend(quote!(for i in 0..#n { #body }));
            return;
        }
        // Slices of one length, so that no bounds are checked.
        let read: Vec<Ident> = read.iter().map(|node| self.names[node].clone()).collect();
        self.code.extend(quote!({
            let n = #n;
            let #out = &mut #out[..n];
            #(let #read = &#read[..n];)*
            for i in 0..n { #body }
        }));
    }

    /// A component of a value inside a loop.
    fn component(&self, id: Id) -> TokenStream {
        if self.g.shape(id).is_scalar() {
            return self.number(id);
        }
        let name = &self.names[&id];
        let inline = self.schedule.places[&id] == Place::Inline;
        if inline { quote!(#name) } else { quote!(#name[i]) }
    }

    /// A vector or matrix that is kept somewhere.
    pub(super) fn slice(&self, id: Id) -> TokenStream {
        let name = &self.names[&id];
        quote!(#name)
    }

    /// A scalar.
    pub(super) fn number(&self, id: Id) -> TokenStream {
        match self.g.constant_of(id) {
            Some(0.0) => quote!(T::ZERO),
            Some(1.0) => quote!(T::ONE),
            Some(x) => {
                let magnitude = Literal::f64_unsuffixed(x.abs());
                let sign = x.is_sign_negative().then(|| quote!(-));
                quote!(T::from_f64(#sign #magnitude))
            }
            None => self.slice(id),
        }
    }

    fn range(&self, offset: &Dim, shape: &Shape) -> TokenStream {
        let start = size(self.model, offset);
        let end = if let Some(length) = shape.length() {
            size(self.model, &offset.plus(&length))
        } else {
            let count = count(self.model, shape);
            quote!(#start + #count)
        };
        quote!(#start..#end)
    }
}

/// A parameter of `model`: a number or a slice.
fn parameter(model: &str, variable: &Variable) -> TokenStream {
    let (model, name) = (format_ident!("{model}"), &variable.name);
    if variable.shape.is_scalar() { quote!(#model.#name) } else { quote!(#model.#name.as_slice()) }
}

/// An elementwise operation on operands that `at` writes.
fn operation(op: &Op, at: impl Fn(Id) -> TokenStream) -> TokenStream {
    let x: Vec<TokenStream> = op.operands().into_iter().map(at).collect();
    match op {
        Op::Neg(_) => quote!(-#(#x)*),
        Op::Add(..) => infix(&x, &quote!(+)),
        Op::Sub(..) => infix(&x, &quote!(-)),
        Op::Mul(..) => infix(&x, &quote!(*)),
        Op::Div(..) => infix(&x, &quote!(/)),
        Op::Power(_, n) => {
            let n = Literal::i32_unsuffixed(*n);
            quote!(#(#x)*.powi(#n))
        }
        Op::Apply(function, _) => {
            let (name, first, rest) = (format_ident!("{}", function.name), &x[0], &x[1..]);
            quote!(#first.#name(#(#rest),*))
        }
        Op::Select(_) => {
            let [a, b, then, otherwise] = &x[..] else { return TokenStream::new() };
            quote!(if #a >= #b { #then } else { #otherwise })
        }
        _ => quote!(#(#x)*),
    }
}

fn infix(operands: &[TokenStream], operator: &TokenStream) -> TokenStream {
    let (a, b) = (&operands[0], &operands[1]);
    quote!(#a #operator #b)
}

fn operator(text: &str) -> TokenStream {
    text.parse().expect("an operator is a token")
}

/// The name of a node's variable: what the user called it, with a number.
fn local(g: &Graph, id: Id, number: usize) -> Ident {
    let base = match (g.op(id), g.name_of(id)) {
        (_, Some(name)) => name.trim_start_matches("r#").to_owned(),
        (Op::Input(input), None) => match input.role {
            Role::DerivativeBar => "bar".to_owned(),
            Role::TimeDot | Role::StateDot | Role::ParamDot => "dot".to_owned(),
            _ => "t".to_owned(),
        },
        _ => "v".to_owned(),
    };
    Ident::new(&format!("{base}_{number}"), Span::call_site())
}
