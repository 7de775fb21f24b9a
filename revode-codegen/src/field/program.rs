//! The programs of a model, on one graph.

use std::collections::{BTreeMap, BTreeSet};

use super::events::lower::EventProgram;
use crate::ir::verify::verify;
use crate::ir::{Graph, Id, Op, Shape, Sink};
use crate::passes::jacobian::{Jacobian, jacobian};
use crate::passes::jvp::{all_tangents, tangents_of_states, time};
use crate::passes::sides::{Jump, jumps, on_sides};
use crate::passes::simplify::expand_powers;
use crate::passes::switches::{Call, Switch, switches};
use crate::passes::{jvp, vjp};

/// The programs of a model, on one graph.
#[derive(Debug)]
pub struct Program {
    /// The nodes of all programs.
    pub graph: Graph,
    /// `f`, one sink a state; on the sides that it is given where it has jumps.
    pub eval: Vec<Sink>,
    /// The vector–Jacobian product.
    pub vjp: Vec<Sink>,
    /// The Jacobian–vector product.
    pub jvp: Vec<Sink>,
    /// The Jacobian.
    pub jacobian: Jacobian,
    /// The derivative with respect to time.
    pub time_derivative: Vec<Sink>,
    /// The vector–Jacobian product of the Jacobian–vector product along time and states.
    pub jacobian_vjp: Vec<Sink>,
    /// The switching functions of `f`, one sink each.
    pub switches: Vec<Switch>,
    /// The places where `f` jumps.
    pub jumps: Vec<Jump>,
    /// On which sides of them a state is.
    pub sides: Vec<Sink>,
    /// The events.
    pub events: Vec<EventProgram>,
    /// The values that `f` leaves for its vector–Jacobian product.
    pub tape: BTreeSet<Id>,
}

impl Program {
    /// Differentiates `f`, given as one sink a state, and the calls in its text by what they became.
    pub fn new(
        mut graph: Graph,
        eval: &[Sink],
        states: &[Shape],
        calls: &BTreeMap<Id, Call>,
    ) -> Self {
        let g = &mut graph;
        verified(g);
        let jumps = jumps(g, eval, calls);
        let on_sides = on_sides(g, eval, &jumps);
        verified(g);
        let vjp = vjp::vjp(g, &on_sides, states);
        verified(g);
        let jvp = jvp::jvp(g, eval, all_tangents);
        verified(g);
        let jacobian = jacobian(g, &on_sides, states);
        verified(g);
        // After the others, so that what is made for them changes no number, and so no line, of those.
        let switches = switches(g, eval, calls);
        verified(g);
        let time_derivative = jvp::jvp(g, &on_sides, time);
        let along = jvp::jvp(g, &on_sides, tangents_of_states);
        let jacobian_vjp = vjp::vjp(g, &along, states);
        verified(g);
        let sides = jumps.iter().map(Jump::sink).collect();
        let (events, tape) = (vec![], BTreeSet::new());
        let eval = on_sides;
        let mut program = Self {
            graph,
            eval,
            vjp,
            jvp,
            jacobian,
            time_derivative,
            jacobian_vjp,
            switches,
            jumps,
            sides,
            events,
            tape,
        };
        program.lower_powers();
        verified(&program.graph);
        program.tape = self::tape(&program.graph, &program.eval, &program.vjp);
        program
    }

    /// The program, whose events were added to it.
    pub(super) fn verified(self) -> Self {
        verified(&self.graph);
        self
    }

    fn lower_powers(&mut self) {
        let sinks = self.eval.iter().chain(&self.vjp).chain(&self.jvp).chain(&self.sides);
        let sinks = sinks.chain(self.switches.iter().map(|switch| &switch.sink));
        let sinks = sinks.chain(&self.jacobian_vjp).chain(&self.time_derivative);
        let mut roots: Vec<Id> = sinks.map(|sink| sink.value).collect();
        match &self.jacobian {
            Jacobian::Entries(entries) => roots.extend(entries.iter().map(|entry| entry.2)),
            Jacobian::Column(sinks) => roots.extend(sinks.iter().map(|sink| sink.value)),
        }
        let new = expand_powers(&mut self.graph, &roots);
        let mut sinks: Vec<&mut Sink> =
            self.eval.iter_mut().chain(&mut self.vjp).chain(&mut self.jvp).collect();
        sinks.extend(&mut self.sides);
        match &mut self.jacobian {
            Jacobian::Entries(entries) => entries.iter_mut().for_each(|e| e.2 = new[&e.2]),
            Jacobian::Column(column) => sinks.extend(column),
        }
        sinks.extend(self.switches.iter_mut().map(|switch| &mut switch.sink));
        sinks.extend(self.jacobian_vjp.iter_mut().chain(&mut self.time_derivative));
        for sink in sinks {
            sink.value = new[&sink.value];
        }
    }
}

fn verified(g: &Graph) {
    if cfg!(debug_assertions)
        && let Err(message) = verify(g)
    {
        panic!("revode has made an invalid graph: {message}");
    }
}

/// What the products need of the evaluation and costs more to compute than to keep.
fn tape(g: &Graph, eval: &[Sink], vjp: &[Sink]) -> BTreeSet<Id> {
    let nothing = BTreeSet::new();
    let evaluated = g.live(eval.iter().map(|sink| sink.value), &nothing);
    let mut varying = BTreeSet::new();
    for id in evaluated.iter().copied() {
        let op = g.op(id);
        if matches!(op, Op::Input(_)) || op.operands().iter().any(|x| varying.contains(x)) {
            varying.insert(id);
        }
    }
    let worthwhile: BTreeSet<Id> =
        varying.into_iter().filter(|id| g.op(*id).is_expensive()).collect();
    let needed = g.live(vjp.iter().map(|sink| sink.value), &worthwhile);
    needed.intersection(&worthwhile).copied().collect()
}
