//! The jumps of a program, and the program where the side of each is given: between two of its jumps, and a little
//! beyond either, it is as smooth as its formulas.

use std::collections::{BTreeMap, BTreeSet};

use super::switches::{Call, is_same};
use crate::functions::{Break, Function, on_side};
use crate::ir::{Graph, Id, Input, Op, Role, Sink, Target};

/// The number of jumps that the runtime has room for: its `Sides::MOST`.
pub const MOST: usize = 64;

/// Where functions that jump change sign: at the zeros of the components of their argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jump {
    /// The first call that jumps there.
    pub call: Call,
    /// The argument.
    pub argument: Id,
    /// The number of its first component among the components of all jumps.
    pub first: usize,
}

impl Jump {
    /// The argument, whose signs are the sides.
    pub fn sink(&self) -> Sink {
        Sink { target: Target::Side(self.first), value: self.argument }
    }
}

/// The jumps of the program `outputs` that a solution can cross, in the order of its nodes; `calls` are the calls in
/// its text by the nodes that they became. What differs in its sign only is one. None if there are more than [`MOST`],
/// or as many as are known at run time only.
pub fn jumps(g: &Graph, outputs: &[Sink], calls: &BTreeMap<Id, Call>) -> Vec<Jump> {
    let mut jumps: Vec<Jump> = Vec::new();
    let mut count = 0;
    for id in g.live(outputs.iter().map(|output| output.value), &BTreeSet::new()) {
        let Some((function, argument)) = jumping(g, id) else { continue };
        if !varies(g, argument) || jumps.iter().any(|jump| is_same(g, jump.argument, argument)) {
            continue;
        }
        let unknown = || Call { function: function.name, argument: function.name.to_owned() };
        let call = calls.get(&id).cloned().unwrap_or_else(unknown);
        jumps.push(Jump { call, argument, first: count });
        let sizes = g.shape(argument).sizes();
        let sizes = sizes.iter().map(|n| n.as_literal().and_then(|n| usize::try_from(n).ok()));
        match sizes.product::<Option<usize>>() {
            Some(n) if count.saturating_add(n) <= MOST => count += n,
            _ => return vec![],
        }
    }
    jumps
}

/// Appends to `g` the program `outputs` with the sides of these jumps as inputs, and returns its sinks. Arguments of
/// jumps are part of it only where they are used otherwise.
pub fn on_sides(g: &mut Graph, outputs: &[Sink], jumps: &[Jump]) -> Vec<Sink> {
    if jumps.is_empty() {
        return outputs.to_vec();
    }
    let mut new: BTreeMap<Id, Id> = BTreeMap::new();
    for id in g.live(outputs.iter().map(|output| output.value), &BTreeSet::new()) {
        let jump = jumping(g, id).and_then(|(function, argument)| {
            let jump = jumps.iter().find(|jump| is_same(g, jump.argument, argument))?;
            Some((function, argument, jump))
        });
        let replaced = if let Some((function, argument, jump)) = jump {
            let shape = g.shape(argument).clone();
            let side = g.input(Input { role: Role::Side, index: jump.first }, shape);
            let side = if argument == jump.argument { side } else { g.neg(side) };
            on_side(g, function, side)
        } else {
            let op = g.op(id).map(|operand| new[&operand]);
            g.intern(op, g.shape(id).clone())
        };
        if let Some(name) = g.name_of(id).map(str::to_owned) {
            g.name(replaced, name);
        }
        new.insert(id, replaced);
    }
    let output = |output: &Sink| Sink { value: new[&output.value], ..output.clone() };
    outputs.iter().map(output).collect()
}

/// The function that a node is and its argument, if it jumps where that changes sign.
fn jumping(g: &Graph, id: Id) -> Option<(&'static Function, Id)> {
    match g.op(id) {
        Op::Apply(function, arguments) if function.switch == Some(Break::Jump) => {
            Some((function, arguments[0]))
        }
        _ => None,
    }
}

/// Whether a value changes along a solution.
fn varies(g: &Graph, id: Id) -> bool {
    let varies = |role| matches!(role, Role::State | Role::Time);
    let live = g.live([id], &BTreeSet::new());
    live.into_iter().any(|id| matches!(g.op(id), Op::Input(input) if varies(input.role)))
}
