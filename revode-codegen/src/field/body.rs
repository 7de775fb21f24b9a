//! The bodies of the generated functions.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::model::Model;
use super::program::Program;
use super::sizes::{part_offset, state_count};
use super::statements::{Builder, Function, Stmt, Tape, write};
use crate::ir::schedule::Schedule;
use crate::ir::{Dim, Id, Input, Op, Role, Shape, Sink, Target};
use crate::passes::jacobian::Jacobian;

/// Emits the bodies of the functions of one model.
pub(super) struct Bodies<'a> {
    pub(super) model: &'a Model,
    pub(super) program: &'a Program,
    /// The tape; complete when all functions that use it are emitted.
    pub(super) tape: Tape,
}

const NOTHING: &BTreeSet<Id> = &BTreeSet::new();

impl Bodies<'_> {
    /// `eval`, or `eval_on`: reads `sides`, `t`, `y`, `self`; writes `dy`.
    pub(super) fn eval(&self) -> TokenStream {
        let schedule = self.schedule(&self.program.eval, NOTHING, NOTHING);
        let statements = straight(Builder::new(&self.program.graph, self.model, &schedule, None));
        let bases = self.slices(&["y"], &["dy"]);
        let arguments = self.on_sides(&["sides", "t", "y", "dy"]);
        self.function(arguments, "dy", &bases, statements)
    }

    /// `eval_taped`: `eval` that also fills `tape`.
    pub(super) fn eval_taped(&mut self) -> TokenStream {
        let Program { graph, eval, tape: kept, .. } = self.program;
        let schedule = self.schedule(eval, kept, NOTHING);
        let tape = Some((&mut self.tape, kept));
        let statements = straight(Builder::new(graph, self.model, &schedule, tape));
        let bases = self.slices(&["y"], &["dy"]);
        let arguments = self.on_sides(&["sides", "t", "y", "dy", "tape"]);
        self.function(arguments, "dy", &bases, statements)
    }

    /// `vjp`: reads `t`, `y`, `self`, `tape`, `dy_bar`; writes `y_bar`, adds to `model_bar`; ends in
    /// the derivative by time.
    pub(super) fn vjp(&mut self) -> TokenStream {
        let Program { graph, vjp, tape: given, .. } = self.program;
        let schedule = self.schedule(vjp, NOTHING, given);
        let tape = Some((&mut self.tape, NOTHING));
        let statements = straight(Builder::new(graph, self.model, &schedule, tape));
        let bases = self.slices(&["y", "dy_bar"], &["y_bar"]);
        let arguments = self.on_sides(&["sides", "t", "y", "tape", "dy_bar", "y_bar", "model_bar"]);
        self.function(arguments, "y_bar", &bases, statements)
    }

    /// The arguments of a function that is given the sides of jumps where there are jumps, as the first one.
    fn on_sides(&self, arguments: &'static [&'static str]) -> &'static [&'static str] {
        if self.program.jumps.is_empty() { &arguments[1..] } else { arguments }
    }

    /// `sides`: reads `t`, `y`, `self`; ends in the sides of the jumps.
    pub(super) fn sides(&self) -> TokenStream {
        let bases = self.slices(&["y"], &[]);
        let bases = quote!(#bases let mut sides = ::revode::Sides::default(););
        let body = self.program(&["t", "y", "sides"], "", &bases, &self.program.sides);
        quote!(#body sides)
    }

    /// `jvp`: reads `t`, `y`, `self` and their tangents; writes `dy_dot`.
    pub(super) fn jvp(&self) -> TokenStream {
        let schedule = self.schedule(&self.program.jvp, NOTHING, NOTHING);
        let statements = straight(Builder::new(&self.program.graph, self.model, &schedule, None));
        let bases = self.slices(&["y", "y_dot"], &["dy_dot"]);
        let arguments = &["t", "y", "t_dot", "y_dot", "model_dot", "dy_dot"];
        self.function(arguments, "dy_dot", &bases, statements)
    }

    /// `jacobian`: reads `sides`, `t`, `y`, `self`; writes `jacobian`.
    pub(super) fn jacobian(&self) -> TokenStream {
        let statements = match &self.program.jacobian {
            Jacobian::Entries(entries) => self.entries(entries),
            Jacobian::Column(sinks) => self.columns(sinks),
        };
        let y = self.slices(&["y"], &[]);
        let bases = quote!(#y let jacobian = jacobian.as_mut_slice(););
        self.function(&["sides", "t", "y", "jacobian"], "dy_dot", &bases, statements)
    }

    /// `time_derivative`: reads `sides`, `t`, `y`, `self`; writes `dy_dot`.
    pub(super) fn time_derivative(&self) -> TokenStream {
        let bases = self.slices(&["y"], &["dy_dot"]);
        self.program(
            &["sides", "t", "y", "dy_dot"],
            "dy_dot",
            &bases,
            &self.program.time_derivative,
        )
    }

    /// `jacobian_vjp`: reads `sides`, `t`, `y`, `self`, `t_dot`, `y_dot`, `dy_bar`; writes `y_bar`, adds to `model_bar`; ends in the
    /// derivative by time.
    pub(super) fn jacobian_vjp(&self) -> TokenStream {
        let bases = self.slices(&["y", "y_dot", "dy_bar"], &["y_bar"]);
        let arguments = &["sides", "t", "y", "t_dot", "y_dot", "dy_bar", "y_bar", "model_bar"];
        self.program(arguments, "y_bar", &bases, &self.program.jacobian_vjp)
    }

    /// `switches`: reads `t`, `y`, `self`; writes `values`.
    pub(super) fn switches(&self) -> TokenStream {
        let sinks = self.program.switches.iter().map(|switch| switch.sink.clone());
        let schedule = self.schedule(&sinks.collect::<Vec<_>>(), NOTHING, NOTHING);
        let statements = straight(Builder::new(&self.program.graph, self.model, &schedule, None));
        let (y, n) = (self.slices(&["y"], &[]), self.switch_count());
        let bases = quote!(#y let values = &mut values[..#n];);
        let result = ("values", &self.switch_shapes()[..]);
        self.function_of(&["t", "y", "values"], result, &bases, statements)
    }

    /// `trigger` of an event: reads `t`, `y`, `self`; ends in its value.
    pub(super) fn trigger(&self, sinks: &[Sink]) -> TokenStream {
        let bases = self.slices(&["y"], &[]);
        self.program(&["i", "index", "t", "y"], "", &bases, sinks)
    }

    /// `trigger_on` of an event: reads `sides`, `t`, `y`, `self`; ends in its value.
    pub(super) fn trigger_on(&self, sinks: &[Sink]) -> TokenStream {
        let bases = self.slices(&["y"], &[]);
        self.program(&["sides", "i", "index", "t", "y"], "", &bases, sinks)
    }

    /// `trigger_vjp` of an event: reads `t`, `y`, `self`, `bar`; writes `y_bar`, adds to `model_bar`; ends in the
    /// derivative by time.
    pub(super) fn trigger_vjp(&self, sinks: &[Sink]) -> TokenStream {
        let bases = self.slices(&["y"], &["y_bar"]);
        let arguments = &["i", "index", "t", "y", "bar", "y_bar", "model_bar"];
        self.program(arguments, "y_bar", &bases, sinks)
    }

    /// `reset` of an event: reads `t`, `y`, `self`; writes to `y`, which it reads from a copy.
    pub(super) fn reset(&self, sinks: &[Sink]) -> TokenStream {
        let g = &self.program.graph;
        let reads = |id| matches!(g.op(id), Op::Input(Input { role: Role::State, .. }));
        let live = g.live(sinks.iter().map(|sink| sink.value), NOTHING);
        let (y, after) = (self.slices(&["y"], &[]), self.slices(&[], &["after"]));
        let bases = if live.into_iter().any(reads) {
            quote!(let (y, after) = (y.clone(), y); #y #after)
        } else {
            quote!(let after = y; #after)
        };
        self.program(&["i", "index", "t", "y", "after"], "after", &bases, sinks)
    }

    /// `reset_vjp` of an event: reads `t`, `y`, `self`, `after_bar`; writes `y_bar`, adds to `model_bar`; ends in the
    /// derivative by time.
    pub(super) fn reset_vjp(&self, sinks: &[Sink]) -> TokenStream {
        let bases = self.slices(&["y", "after_bar"], &["y_bar"]);
        let arguments = &["i", "index", "t", "y", "after_bar", "y_bar", "model_bar"];
        self.program(arguments, "y_bar", &bases, sinks)
    }

    /// The body of a function with these results that has no tape.
    fn program(
        &self,
        arguments: &'static [&'static str],
        result: &'static str,
        bases: &TokenStream,
        sinks: &[Sink],
    ) -> TokenStream {
        let schedule = self.schedule(sinks, NOTHING, NOTHING);
        let statements = straight(Builder::new(&self.program.graph, self.model, &schedule, None));
        self.function(arguments, result, bases, statements)
    }

    /// The number of components of all switching functions.
    pub(super) fn switch_count(&self) -> TokenStream {
        let shapes = self.switch_shapes();
        part_offset(self.model, &shapes, shapes.len(), &Dim::default())
    }

    fn switch_shapes(&self) -> Vec<Shape> {
        let values = self.program.switches.iter().map(|switch| switch.sink.value);
        values.map(|value| self.program.graph.shape(value).clone()).collect()
    }

    /// The entries that do not vanish identically.
    fn entries(&self, entries: &[(usize, usize, Id)]) -> Vec<Stmt> {
        let sinks = entries.iter().map(|entry| Sink { target: Target::Return, value: entry.2 });
        let schedule = self.schedule(&sinks.collect::<Vec<_>>(), NOTHING, NOTHING);
        let mut builder = Builder::new(&self.program.graph, self.model, &schedule, None);
        builder.nodes(|_| true);
        let rows = self.model.states.len();
        let entries = entries.iter().map(|&(row, column, value)| (column * rows + row, value));
        builder.entries(&entries.collect::<Vec<_>>());
        builder.statements
    }

    /// One column after the other; what does not depend on the column is computed once.
    fn columns(&self, sinks: &[Sink]) -> Vec<Stmt> {
        let g = &self.program.graph;
        let mut tangent = BTreeSet::new();
        for id in g.live(sinks.iter().map(|sink| sink.value), NOTHING) {
            let op = g.op(id);
            let seed = matches!(op, Op::Input(Input { role: Role::StateDot, .. }));
            if seed || op.operands().iter().any(|operand| tangent.contains(operand)) {
                tangent.insert(id);
            }
        }
        // A vector that is computed inside the loop over components that uses it would be computed
        // for each column: it is kept instead.
        let used = tangent.iter().flat_map(|id| g.op(*id).operands());
        let kept = used.filter(|id| {
            let is_computed = g.is_looped(*id) && !matches!(g.op(*id), Op::Fill(_));
            is_computed && !g.shape(*id).is_scalar() && !tangent.contains(id)
        });
        let schedule = self.schedule(sinks, &kept.collect(), NOTHING);
        let mut builder = Builder::new(g, self.model, &schedule, None);
        builder.nodes(|id| !tangent.contains(&id));
        let mut statements = std::mem::take(&mut builder.statements);
        builder.nodes(|id| tangent.contains(&id));
        builder.sinks();
        statements.push(Stmt::Columns(builder.statements));
        statements
    }

    fn schedule(&self, sinks: &[Sink], kept: &BTreeSet<Id>, given: &BTreeSet<Id>) -> Schedule {
        Schedule::new(&self.program.graph, sinks.to_vec(), kept, given)
    }

    /// The body of a function: `bases` are its states as slices, `result` those that it writes.
    fn function(
        &self,
        arguments: &'static [&'static str],
        result: &'static str,
        bases: &TokenStream,
        statements: Vec<Stmt>,
    ) -> TokenStream {
        self.function_of(arguments, (result, &self.model.state_shapes()), bases, statements)
    }

    /// The body of a function whose result has parts of these shapes.
    fn function_of(
        &self,
        arguments: &'static [&'static str],
        (result, parts): (&'static str, &[Shape]),
        bases: &TokenStream,
        statements: Vec<Stmt>,
    ) -> TokenStream {
        let (g, model) = (&self.program.graph, self.model);
        write(Function { g, model, arguments, result, parts }, bases, statements)
    }

    /// The states as slices of known lengths.
    fn slices(&self, read: &[&str], written: &[&str]) -> TokenStream {
        let read = read.iter().map(|name| format_ident!("{name}"));
        let written = written.iter().map(|name| format_ident!("{name}"));
        if self.model.is_dynamic() {
            let n = state_count(self.model);
            return quote! {
                #(let #read = &#read.as_slice()[..#n];)*
                #(let #written = &mut #written.as_mut_slice()[..#n];)*
            };
        }
        quote! {
            #(let #read = #read.as_slice();)*
            #(let #written = #written.as_mut_slice();)*
        }
    }
}

/// Nodes, then results.
fn straight(mut builder: Builder<'_>) -> Vec<Stmt> {
    builder.nodes(|_| true);
    builder.sinks();
    builder.statements
}
