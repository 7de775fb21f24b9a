//! Statements as Rust.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::names::Names;
use super::{Assign, Expr, Fill, Function, Place, Root, Source, States, Stmt, Storage, functions};
use crate::field::sizes::{count, part_offset, size, state_count, state_offset};
use crate::field::types::buffer;
use crate::ir::{Dim, Id, Shape};

/// Writes the statements of a function.
pub(super) struct Printer<'a> {
    pub(super) function: Function<'a>,
    pub(super) names: Names,
}

impl Printer<'_> {
    /// The body of the function: what it imports, `bases`, statements.
    pub(super) fn body(&self, bases: &TokenStream, statements: &[Stmt]) -> TokenStream {
        let mut names = BTreeSet::new();
        functions(statements, &mut names);
        let names: Vec<Ident> = names.iter().map(|name| format_ident!("{name}")).collect();
        let import = match &names[..] {
            [] => None,
            [name] => Some(quote!(use ::revode::support::#name;)),
            _ => Some(quote!(use ::revode::support::{#(#names),*};)),
        };
        let statements = self.statements(statements);
        quote!(#import #bases #statements)
    }

    fn statements(&self, statements: &[Stmt]) -> TokenStream {
        statements.iter().map(|statement| self.statement(statement)).collect()
    }

    fn statement(&self, statement: &Stmt) -> TokenStream {
        match statement {
            Stmt::States(states, bound) => self.states(*states, bound),
            Stmt::Let(id, value) => {
                let (name, value) = (self.names.of(*id), self.expr(value));
                quote!(let #name = #value;)
            }
            Stmt::Slice(id, source) => {
                let (name, source) = (self.names.of(*id), self.source(*id, source));
                quote!(let #name = #source;)
            }
            Stmt::Buffer(id, storage) => self.buffer(*id, *storage),
            Stmt::Store(Place { root: Root::Sides(jump), .. }, _, value) => {
                let (jump, value) = (Literal::usize_unsuffixed(*jump), self.expr(value));
                quote!(sides = sides.with(#jump, #value);)
            }
            Stmt::Store(place, assign, value) => {
                let (place, value) = (self.path(place), self.expr(value));
                let assign = operator(*assign);
                quote!(#place #assign #value;)
            }
            Stmt::Loop(place, body, assign, value) => self.elementwise(place, body, *assign, value),
            Stmt::Call(fill, place, operands) => self.call(fill, place, operands),
            Stmt::Clear(place) => {
                let place = self.path(place);
                quote!(#place.fill(T::ZERO);)
            }
            Stmt::Columns(body) => self.columns(body),
            Stmt::Return(value) => self.expr(value),
        }
    }

    fn states(&self, states: States, bound: &[(Id, usize)]) -> TokenStream {
        let model = self.function.model;
        let base = format_ident!("{}", states.name());
        let names = bound.iter().map(|(id, _)| self.names.of(*id));
        let values = bound.iter().map(|&(_, index)| {
            let start = state_offset(model, index, &Dim::default());
            if model.states[index].shape.is_scalar() {
                quote!(#base[#start])
            } else if model.states.len() == 1 {
                quote!(#base)
            } else {
                let end = state_offset(model, index + 1, &Dim::default());
                quote!(&#base[#start..#end])
            }
        });
        if bound.len() == 1 {
            quote!(#(let #names = #values;)*)
        } else {
            quote!(let (#(#names),*) = (#(#values),*);)
        }
    }

    fn source(&self, id: Id, source: &Source) -> TokenStream {
        let shape = self.function.g.shape(id);
        match source {
            Source::Param { tangent, index } => {
                let param = self.param(*tangent, *index);
                quote!(#param.as_slice())
            }
            Source::Slot(slot) => {
                let slot = Literal::usize_unsuffixed(*slot);
                match (self.function.model.is_dynamic(), shape) {
                    (true, _) => quote!(&tape.#slot[..]),
                    (false, Shape::Matrix(..)) => quote!(tape.#slot.as_flattened()),
                    (false, _) => quote!(&tape.#slot),
                }
            }
            Source::Part(whole, offset) => {
                let (whole, range) = (self.names.of(*whole), self.range(offset, shape));
                quote!(&#whole[#range])
            }
        }
    }

    fn buffer(&self, id: Id, storage: Storage) -> TokenStream {
        let (name, shape) = (self.names.of(id), self.function.g.shape(id));
        let flattened = matches!(shape, Shape::Matrix(..)) && !self.function.model.is_dynamic();
        match storage {
            Storage::Local => {
                let (_, zeros) = buffer(self.function.model, shape);
                let flatten = flattened.then(|| quote!(let #name = #name.as_flattened_mut();));
                quote!(let mut #name = #zeros; #flatten)
            }
            Storage::Slot(slot) => {
                let slot = Literal::usize_unsuffixed(slot);
                let all = self.function.model.is_dynamic().then(|| quote!([..]));
                if flattened {
                    quote!(let #name = tape.#slot.as_flattened_mut();)
                } else {
                    quote!(let #name = &mut tape.#slot #all;)
                }
            }
        }
    }

    /// A loop over the components of a place. On the heap it runs over slices of one length, so that
    /// no bounds are checked.
    fn elementwise(
        &self,
        place: &Place,
        body: &[Stmt],
        assign: Assign,
        value: &Expr,
    ) -> TokenStream {
        let n = count(self.function.model, &place.shape);
        if let Root::Sides(first) = place.root {
            return self.sides(&n, first, body, value);
        }
        let is_part = self.function.is_part(place);
        let out = match place.root {
            Root::Buffer(id) if !is_part => self.names.of(id).clone(),
            Root::Result(_) if !is_part => format_ident!("{}", self.function.result),
            _ => format_ident!("out"),
        };
        let inside = self.statements(body);
        let (result, assign) = (self.expr(value), operator(assign));
        let inside = quote!(#inside #out[i] #assign #result;);
        if self.function.model.is_dynamic() {
            let path = self.path(place);
            let read = reads(body, value).into_iter().map(|id| self.names.of(id));
            return quote!({
                let n = #n;
                let #out = &mut #path[..n];
                #(let #read = &#read[..n];)*
                for i in 0..n { #inside }
            });
        }
        if is_part {
            let slice = self.slice_mut(place);
            quote!({ let out = #slice; for i in 0..#n { #inside } })
        } else {
            quote!(for i in 0..#n { #inside })
        }
    }

    /// A loop over the components whose signs are sides.
    fn sides(&self, n: &TokenStream, first: usize, body: &[Stmt], value: &Expr) -> TokenStream {
        let (jump, inside) = (component(first), self.statements(body));
        let result = self.expr(value);
        let inside = quote!(#inside sides = sides.with(#jump, #result););
        if !self.function.model.is_dynamic() {
            return quote!(for i in 0..#n { #inside });
        }
        let read = reads(body, value).into_iter().map(|id| self.names.of(id));
        quote!({
            let n = #n;
            #(let #read = &#read[..n];)*
            for i in 0..n { #inside }
        })
    }

    fn call(&self, fill: &Fill, place: &Place, operands: &[Id]) -> TokenStream {
        let out = self.slice_mut(place);
        let operands = operands.iter().map(|id| self.slice(*id));
        match fill {
            Fill::Support(name) => {
                let name = format_ident!("{name}");
                quote!(#name(#out, #(#operands),*);)
            }
            Fill::MatMul(name, [ta, tb], sizes) => {
                let name = format_ident!("{name}");
                let sizes = sizes.iter().map(|n| size(self.function.model, n));
                quote!(#name::<T, #ta, #tb>(#out, #(#operands,)* [#(#sizes),*]);)
            }
            Fill::Transpose(rows) => {
                let rows = size(self.function.model, rows);
                quote!(transpose(#out, #(#operands,)* #rows);)
            }
            Fill::Elementwise(name) => {
                let name = format_ident!("{name}_slice");
                quote!(T::#name(#(#operands,)* #out);)
            }
        }
    }

    /// The columns of the Jacobian one after the other.
    fn columns(&self, body: &[Stmt]) -> TokenStream {
        let n = state_count(self.function.model);
        let seed = if self.function.model.is_dynamic() {
            quote!(let y_dot = &mut ::std::vec![T::ZERO; n][..];)
        } else {
            quote!(let y_dot = &mut [T::ZERO; #n][..];)
        };
        let body = self.statements(body);
        quote! {
            let n = #n;
            #seed
            for column in 0..n {
                y_dot.fill(T::ZERO);
                y_dot[column] = T::ONE;
                let y_dot = &y_dot[..n];
                let dy_dot = &mut jacobian[column * n..(column + 1) * n];
                #body
            }
        }
    }

    /// A vector or matrix that is read.
    pub(super) fn slice(&self, id: Id) -> TokenStream {
        let name = self.names.of(id);
        if self.names.is_owned(id) { quote!(&#name) } else { quote!(#name) }
    }

    /// A place with several components as a reference.
    fn slice_mut(&self, place: &Place) -> TokenStream {
        let path = self.path(place);
        let is_reference = match place.root {
            Root::Buffer(id) => place.offset.is_none() && !self.names.is_owned(id),
            Root::Result(_) => !self.function.is_part(place),
            _ => place.offset.is_none(),
        };
        if is_reference { path } else { quote!(&mut #path) }
    }

    /// A place where it is assigned to.
    fn path(&self, place: &Place) -> TokenStream {
        let model = self.function.model;
        let base = match place.root {
            Root::Buffer(id) => {
                let name = self.names.of(id);
                quote!(#name)
            }
            Root::Result(index) => {
                let result = format_ident!("{}", self.function.result);
                if !self.function.is_part(place) && !place.shape.is_scalar() {
                    return quote!(#result);
                }
                let offset = place.offset.clone().unwrap_or_default();
                let at = |offset: &Dim| part_offset(model, self.function.parts, index, offset);
                let start = at(&offset);
                let end = place.shape.length().map(|length| at(&offset.plus(&length)));
                let range = range(start, end, &place.shape, || count(model, &place.shape));
                return quote!(#result[#range]);
            }
            Root::ParamBar(index) => {
                let name = &model.params[index].name;
                let components =
                    (!model.params[index].shape.is_scalar()).then(|| quote!(.as_mut_slice()));
                quote!(model_bar.#name #components)
            }
            Root::Slot(slot) => {
                let slot = Literal::usize_unsuffixed(slot);
                quote!(tape.#slot)
            }
            Root::Jacobian => quote!(jacobian),
            Root::Sides(_) => quote!(sides),
        };
        let range = place.offset.as_ref().map(|offset| self.range(offset, &place.shape));
        let range = range.map(|range| quote!([#range]));
        quote!(#base #range)
    }

    /// The components from an offset on, or the one there.
    fn range(&self, offset: &Dim, shape: &Shape) -> TokenStream {
        let model = self.function.model;
        let end = shape.length().map(|length| size(model, &offset.plus(&length)));
        range(size(model, offset), end, shape, || count(model, shape))
    }

    pub(super) fn param(&self, tangent: bool, index: usize) -> TokenStream {
        let name = &self.function.model.params[index].name;
        if tangent { quote!(model_dot.#name) } else { quote!(self.#name) }
    }
}

/// The jump of component `i`, where that of the first one is given.
pub(super) fn component(first: usize) -> TokenStream {
    if first == 0 {
        return quote!(i);
    }
    let first = Literal::usize_unsuffixed(first);
    quote!(#first + i)
}

fn operator(assign: Assign) -> TokenStream {
    match assign {
        Assign::Set => quote!(=),
        Assign::Add => quote!(+=),
        Assign::Subtract => quote!(-=),
    }
}

/// The index of a scalar, or the range of a slice, whose end is given where it is linear in the sizes.
fn range(
    start: TokenStream,
    end: Option<TokenStream>,
    shape: &Shape,
    count: impl Fn() -> TokenStream,
) -> TokenStream {
    if shape.is_scalar() {
        return start;
    }
    let end = end.unwrap_or_else(|| {
        let count = count();
        quote!(#start + #count)
    });
    quote!(#start..#end)
}

/// The slices that a loop reads component by component.
fn reads(body: &[Stmt], value: &Expr) -> BTreeSet<Id> {
    let mut slices = BTreeSet::new();
    value.components(&mut slices);
    for statement in body {
        if let Stmt::Let(_, value) = statement {
            value.components(&mut slices);
        }
    }
    slices
}
