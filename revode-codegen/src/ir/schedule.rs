//! Which nodes a program computes, in which order, and where vectors are kept.

use std::collections::{BTreeMap, BTreeSet};

use super::{Graph, Id, Op, Sink, Target};

/// A program in order.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// The nodes, operands first, and where each is kept.
    pub places: BTreeMap<Id, Place>,
    /// The results.
    pub sinks: Vec<Sink>,
}

/// Where a node is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A local variable, or a literal.
    Scalar,
    /// An input, or on the tape that an earlier program has left.
    Given,
    /// Part of another node's place.
    View,
    /// A buffer of its own.
    Buffer,
    /// Nowhere: computed inside the only loop that uses it.
    Inline,
    /// Where its only user wants it.
    Direct,
}

/// The loop that a vector is used in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    /// The loop that fills this node's buffer.
    Node(Id),
    /// The loop that fills a part of this node.
    Part(Id, usize),
    /// The loop that writes this sink.
    Sink(usize),
    /// Needed as a whole.
    Whole,
}

impl Schedule {
    /// The order in which the values of `sinks` and `kept` are computed, where those of `given`
    /// are there already.
    pub fn new(g: &Graph, sinks: Vec<Sink>, kept: &BTreeSet<Id>, given: &BTreeSet<Id>) -> Self {
        let roots = sinks.iter().map(|sink| sink.value).chain(kept.iter().copied());
        let live = g.live(roots, given);
        let mut uses: BTreeMap<Id, BTreeSet<Use>> = BTreeMap::new();
        for (k, sink) in sinks.iter().enumerate() {
            uses.entry(sink.value).or_default().insert(Use::Sink(k));
        }
        for id in kept {
            uses.entry(*id).or_default().insert(Use::Whole);
        }
        let mut places = BTreeMap::new();
        for &id in live.iter().rev() {
            let uses_here = uses.get(&id).cloned().unwrap_or_default();
            let place = place(g, &sinks, id, &uses_here, given);
            places.insert(id, place);
            if place == Place::Given {
                continue;
            }
            let op = g.op(id);
            let looped = g.is_looped(id);
            for (k, operand) in op.operands().into_iter().enumerate() {
                let entry = uses.entry(operand).or_default();
                match op {
                    Op::Concat(_) | Op::Scatter(_) | Op::Replace(..) => {
                        entry.insert(Use::Part(id, k));
                    }
                    _ if looped && place == Place::Inline => entry.extend(&uses_here),
                    _ if looped => {
                        entry.insert(Use::Node(id));
                    }
                    _ => {
                        entry.insert(Use::Whole);
                    }
                }
            }
        }
        Self { places, sinks }
    }

    /// Counts the operations of the program, where the named sizes have the given values.
    pub fn operations(&self, g: &Graph, sizes: &BTreeMap<String, usize>) -> Operations {
        let mut total = Operations::default();
        for (id, place) in &self.places {
            if *place != Place::Given {
                total.count(g, *id, sizes);
            }
        }
        for sink in &self.sinks {
            if matches!(sink.target, Target::Param { .. }) {
                total.additions += g.shape(sink.value).count(sizes);
            }
        }
        total
    }
}

/// A number of operations, each component counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Operations {
    /// Additions, subtractions and accumulations.
    pub additions: usize,
    /// Changes of sign.
    pub negations: usize,
    /// Multiplications.
    pub multiplications: usize,
    /// Divisions.
    pub divisions: usize,
    /// Functions and choices.
    pub calls: usize,
}

impl Operations {
    fn count(&mut self, g: &Graph, id: Id, sizes: &BTreeMap<String, usize>) {
        let n = g.shape(id).count(sizes);
        let products = |inner: usize| (n * inner, n * inner.saturating_sub(1));
        let (multiplications, additions) = match g.op(id) {
            Op::Neg(_) => {
                self.negations += n;
                return;
            }
            Op::Add(..) | Op::Sub(..) => (0, n),
            Op::Mul(..) | Op::Outer(..) => (n, 0),
            Op::Power(_, exponent) => (n * exponent.unsigned_abs().ilog2() as usize, 0),
            Op::Div(..) => {
                self.divisions += n;
                return;
            }
            Op::Apply(..) | Op::Select(_) => {
                self.calls += n;
                return;
            }
            Op::Dot(a, _) => products(g.shape(*a).count(sizes)),
            Op::Sum(a) => (0, g.shape(*a).count(sizes).saturating_sub(1)),
            Op::MatVec(_, _, x) => products(g.shape(*x).count(sizes)),
            Op::MatMul(a, transposed, ..) => {
                products(g.shape(*a).sizes()[usize::from(!transposed)].value(sizes))
            }
            Op::Scatter(parts) => (0, parts.iter().map(|(_, p)| g.shape(*p).count(sizes)).sum()),
            _ => (0, 0),
        };
        self.multiplications += multiplications;
        self.additions += additions;
    }
}

fn place(g: &Graph, sinks: &[Sink], id: Id, uses: &BTreeSet<Use>, given: &BTreeSet<Id>) -> Place {
    let op = g.op(id);
    if given.contains(&id) || matches!(op, Op::Input(input) if !input.is_side()) {
        return Place::Given;
    }
    if g.shape(id).is_scalar() {
        return Place::Scalar;
    }
    if matches!(op, Op::Slice(..)) {
        return Place::View;
    }
    let only = uses.first().filter(|_| uses.len() == 1);
    if g.is_looped(id) {
        let free = matches!(op, Op::Fill(_)) && !uses.contains(&Use::Whole);
        let inline = free || only.is_some_and(|only| *only != Use::Whole);
        return if inline { Place::Inline } else { Place::Buffer };
    }
    // A product is written to where it goes, or accumulated there.
    let direct = match only {
        Some(&Use::Sink(k)) if sinks[k].value == id => match sinks[k].target {
            Target::State(_) | Target::Component(..) | Target::Switch(_) => true,
            _ => matches!(op, Op::Outer(..) | Op::MatMul(..)),
        },
        Some(&Use::Part(user, k)) => match g.op(user) {
            Op::Concat(parts) => parts[k] == id,
            Op::Replace(base, _) => *base == id,
            _ => false,
        },
        _ => false,
    };
    if direct { Place::Direct } else { Place::Buffer }
}
