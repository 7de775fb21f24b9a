//! The bodies of the generated functions.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};

use super::kernel::{Kernel, Tape};
use super::layout::{count, size, state_offset};
use super::model::Model;
use super::program::Program;
use crate::ir::schedule::{Place, Schedule};
use crate::ir::{Dim, Id, Input, Op, Role, Sink, Target};
use crate::passes::jacobian::Jacobian;

/// Emits the bodies of the functions of one model.
pub(super) struct Bodies<'a> {
    pub(super) model: &'a Model,
    pub(super) program: &'a Program,
    /// The tape; complete when all functions that use it are emitted.
    pub(super) tape: Tape,
}

impl Bodies<'_> {
    /// `eval`: reads `t`, `y`, `self`; writes `dy`.
    pub(super) fn eval(&self) -> TokenStream {
        let (bases, nothing) = (self.slices(&["y"], &["dy"]), BTreeSet::new());
        let schedule =
            Schedule::new(&self.program.graph, self.program.eval.clone(), &nothing, &nothing);
        let body = self.straight(schedule, "dy", None);
        quote!(#bases #body)
    }

    /// `eval_taped`: `eval` that also fills `tape`.
    pub(super) fn eval_taped(&mut self) -> TokenStream {
        let bases = self.slices(&["y"], &["dy"]);
        let Program { graph, eval, tape: kept, .. } = self.program;
        let schedule = Schedule::new(graph, eval.clone(), kept, &BTreeSet::new());
        let mut tape = std::mem::take(&mut self.tape);
        let body = self.straight(schedule, "dy", Some((&mut tape, kept)));
        self.tape = tape;
        quote!(#bases #body)
    }

    /// `vjp`: reads `t`, `y`, `self`, `tape`, `dy_bar`; writes `y_bar`, adds to `model_bar`; ends in
    /// the derivative by time.
    pub(super) fn vjp(&mut self) -> TokenStream {
        let bases = self.slices(&["y", "dy_bar"], &["y_bar"]);
        let Program { graph, vjp, tape: given, .. } = self.program;
        let schedule = Schedule::new(graph, vjp.clone(), &BTreeSet::new(), given);
        let mut tape = std::mem::take(&mut self.tape);
        let body = self.straight(schedule, "y_bar", Some((&mut tape, &BTreeSet::new())));
        self.tape = tape;
        quote!(#bases #body)
    }

    /// `jvp`: reads `t`, `y`, `self` and their tangents; writes `dy_dot`.
    pub(super) fn jvp(&self) -> TokenStream {
        let (bases, nothing) = (self.slices(&["y", "y_dot"], &["dy_dot"]), BTreeSet::new());
        let schedule =
            Schedule::new(&self.program.graph, self.program.jvp.clone(), &nothing, &nothing);
        let body = self.straight(schedule, "dy_dot", None);
        quote!(#bases #body)
    }

    /// `jacobian`: reads `t`, `y`, `self`; writes `jacobian`.
    pub(super) fn jacobian(&self) -> TokenStream {
        let bases = self.slices(&["y"], &[]);
        let body = match &self.program.jacobian {
            Jacobian::Entries(entries) => self.entries(entries),
            Jacobian::Column(sinks) => self.columns(sinks),
        };
        quote! {
            #bases
            let jacobian = jacobian.as_mut_slice();
            #body
        }
    }

    /// The entries that do not vanish identically.
    fn entries(&self, entries: &[(usize, usize, Id)]) -> TokenStream {
        let sinks = entries.iter().map(|entry| Sink { target: Target::Return, value: entry.2 });
        let nothing = BTreeSet::new();
        let g = &self.program.graph;
        let schedule = Schedule::new(g, sinks.collect(), &nothing, &nothing);
        let mut kernel = Kernel::new(g, self.model, schedule, None);
        kernel.nodes(|_| true);
        let rows = self.model.states.len();
        let writes = entries.iter().map(|&(row, column, value)| {
            let at = Literal::usize_unsuffixed(column * rows + row);
            let value = kernel.number(value);
            quote!(jacobian[#at] = #value;)
        });
        let writes: Vec<TokenStream> = writes.collect();
        let code = kernel.code;
        let zero = (entries.len() < rows * rows).then(|| quote!(jacobian.fill(T::ZERO);));
        quote!(#code #zero #(#writes)*)
    }

    /// One column after the other; what does not depend on the column is computed once.
    fn columns(&self, sinks: &[Sink]) -> TokenStream {
        let g = &self.program.graph;
        let nothing = BTreeSet::new();
        let schedule = Schedule::new(g, sinks.to_vec(), &nothing, &nothing);
        let mut tangent = BTreeSet::new();
        for &id in schedule.places.keys() {
            let op = g.op(id);
            let seed = matches!(op, Op::Input(Input { role: Role::StateDot, .. }));
            if seed || op.operands().iter().any(|operand| tangent.contains(operand)) {
                tangent.insert(id);
            }
        }
        let mut kernel = Kernel::new(g, self.model, schedule, None);
        kernel.nodes(|id| !tangent.contains(&id));
        let before = std::mem::take(&mut kernel.code);
        kernel.nodes(|id| tangent.contains(&id));
        let result = self.sinks(&mut kernel, "dy_dot");
        let inside = kernel.code;
        let n = state_offset(self.model, self.model.states.len());
        let seed = if self.model.is_dynamic() {
            quote!(let y_dot = &mut ::std::vec![T::ZERO; n][..];)
        } else {
            quote!(let y_dot = &mut [T::ZERO; #n][..];)
        };
        quote! {
            #before
            let n = #n;
            #seed
            for column in 0..n {
                y_dot.fill(T::ZERO);
                y_dot[column] = T::ONE;
                let y_dot = &y_dot[..n];
                let dy_dot = &mut jacobian[column * n..(column + 1) * n];
                #inside
                #result
            }
        }
    }

    /// Nodes, then results.
    fn straight(
        &self,
        schedule: Schedule,
        out: &str,
        tape: Option<(&mut Tape, &BTreeSet<Id>)>,
    ) -> TokenStream {
        let mut kernel = Kernel::new(&self.program.graph, self.model, schedule, tape);
        kernel.nodes(|_| true);
        let result = self.sinks(&mut kernel, out);
        let code = kernel.code;
        quote!(#code #result)
    }

    /// Writes and accumulates the results; answers what is returned.
    fn sinks(&self, kernel: &mut Kernel<'_>, out: &str) -> Option<TokenStream> {
        let mut result = None;
        for Sink { target, value } in kernel.schedule.sinks.clone() {
            match target {
                Target::State(index) => self.write(kernel, out, index, value),
                Target::Param { index, offset, negative } => {
                    let assign = if negative { "-=" } else { "+=" };
                    self.accumulate(kernel, index, &offset, assign, value);
                }
                Target::Return => result = Some(kernel.number(value)),
            }
        }
        result
    }

    fn write(&self, kernel: &mut Kernel<'_>, base: &str, index: usize, value: Id) {
        let base = format_ident!("{base}");
        let start = state_offset(self.model, index);
        if self.model.states[index].shape.is_scalar() {
            let value = kernel.number(value);
            kernel.code.extend(quote!(#base[#start] = #value;));
            return;
        }
        let end = state_offset(self.model, index + 1);
        in_block(kernel, &quote!(&mut #base[#start..#end]), |kernel, out| {
            if kernel.schedule.places[&value] == Place::Direct {
                kernel.fill(out, value);
            } else {
                kernel.elementwise(out, value, "=");
            }
        });
    }

    fn accumulate(
        &self,
        kernel: &mut Kernel<'_>,
        index: usize,
        offset: &Dim,
        assign: &str,
        value: Id,
    ) {
        let g = &self.program.graph;
        let parameter = &self.model.params[index];
        let name = &parameter.name;
        let token: TokenStream = assign.parse().expect("an operator is a token");
        let (whole, part) = (&parameter.shape, g.shape(value).clone());
        if part.is_scalar() {
            let number = kernel.number(value);
            kernel.code.extend(if whole.is_scalar() {
                quote!(model_bar.#name #token #number;)
            } else {
                let at = size(self.model, offset);
                quote!(model_bar.#name.as_mut_slice()[#at] #token #number;)
            });
            return;
        }
        let out = if *whole == part {
            quote!(model_bar.#name.as_mut_slice())
        } else {
            let (start, n) = (size(self.model, offset), count(self.model, &part));
            quote!(&mut model_bar.#name.as_mut_slice()[#start..][..#n])
        };
        in_block(kernel, &out, |kernel, out| {
            if kernel.schedule.places[&value] == Place::Direct {
                let product = kernel.product(out, value, true);
                kernel.code.extend(product);
            } else {
                kernel.elementwise(out, value, assign);
            }
        });
    }

    /// The states as slices of known lengths.
    fn slices(&self, read: &[&str], written: &[&str]) -> TokenStream {
        let n = state_offset(self.model, self.model.states.len());
        let cut = self.model.is_dynamic().then(|| quote!([..#n]));
        let read = read.iter().map(|name| format_ident!("{name}"));
        let written = written.iter().map(|name| format_ident!("{name}"));
        if cut.is_some() {
            return quote! {
                #(let #read = &#read.as_slice() #cut;)*
                #(let #written = &mut #written.as_mut_slice() #cut;)*
            };
        }
        quote! {
            #(let #read = #read.as_slice();)*
            #(let #written = #written.as_mut_slice();)*
        }
    }
}

/// What `emit` emits, in a block where `out` is the slice `place`.
fn in_block(kernel: &mut Kernel<'_>, place: &TokenStream, emit: impl Fn(&mut Kernel<'_>, &Ident)) {
    let out = Ident::new("out", Span::call_site());
    let before = std::mem::take(&mut kernel.code);
    emit(kernel, &out);
    let body = std::mem::replace(&mut kernel.code, before);
    kernel.code.extend(quote!({ let #out = #place; #body }));
}
