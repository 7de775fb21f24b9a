//! The switching functions of a program: what changes sign where a function changes branches, and is continuous there.
//!
//! A divisor switches where it changes sign, too: there the field has no value, and a step across it does not see that.
//!
//! `abs(x)`, `relu(x)` and `signum(x)` switch where `x` changes sign, `min(a, b)` and `max(a, b)` where `a - b` does. A
//! solution that crosses such a place within a step is as smooth as its method assumes on either side only.

use std::collections::{BTreeMap, BTreeSet};

use crate::functions::Break;
use crate::ir::{Graph, Id, Input, Op, Role, Sink, Target};

/// A call in the text of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The function.
    pub function: &'static str,
    /// Its argument as it is written; of two arguments their difference.
    pub argument: String,
}

/// A switching function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// The first call that it switches; where it switches one that jumps, the first such call.
    pub call: Call,
    /// What happens where it changes sign.
    pub kind: Break,
    /// Whether it depends on a state or a parameter, and not on time alone.
    pub moves: bool,
    /// Its value and where that goes.
    pub sink: Sink,
}

/// The switching functions of the program `outputs`, in the order of its nodes; `calls` are the calls in its text by
/// the nodes that they became. What differs in its sign only is one switching function, and what depends on no input
/// is none. Appends the differences of two arguments to `g`.
pub fn switches(g: &mut Graph, outputs: &[Sink], calls: &BTreeMap<Id, Call>) -> Vec<Switch> {
    let mut switches: Vec<Switch> = Vec::new();
    for id in g.live(outputs.iter().map(|output| output.value), &BTreeSet::new()) {
        let Some((name, kind, [a, b])) = branch(g, id) else { continue };
        let Some(moves) = moves(g, [a, b], kind) else { continue };
        let value = g.sub(a, b);
        let unknown = || Call { function: name, argument: name.to_owned() };
        let call = calls.get(&id).cloned().unwrap_or_else(unknown);
        let known = switches.iter_mut().find(|known| is_same(g, known.sink.value, value));
        match known {
            None => {
                let sink = Sink { target: Target::Switch(switches.len()), value };
                switches.push(Switch { call, kind, moves, sink });
            }
            Some(known) if known.kind < kind => {
                // Value and text belong together: they may differ from those before in their sign.
                (known.call, known.kind, known.sink.value) = (call, kind, value);
            }
            Some(_) => {}
        }
    }
    switches
}

/// The function that a node is, how it breaks, and what it compares; `None` where it is smooth.
fn branch(g: &mut Graph, id: Id) -> Option<(&'static str, Break, [Id; 2])> {
    match g.op(id).clone() {
        Op::Apply(function, arguments) => {
            let kind = function.switch?;
            let b = arguments.get(1).copied().unwrap_or_else(|| g.constant(0.0));
            Some((function.name, kind, [arguments[0], b]))
        }
        Op::Select([a, b, then, otherwise]) => {
            // Continuous if the branches agree where the two compared do. `relu` compares 0 with its argument.
            let continuous = [[a, b], [b, a]].contains(&[then, otherwise]);
            let kind = if continuous { Break::Kink } else { Break::Jump };
            Some(("select", kind, [b, a]))
        }
        Op::Div(_, divisor) => Some(("/", Break::Pole, [divisor, g.constant(0.0)])),
        Op::Power(base, exponent) if exponent < 0 => {
            Some(("/", Break::Pole, [base, g.constant(0.0)]))
        }
        _ => None,
    }
}

/// Whether the difference of two values depends on a state or a parameter, and not on time alone; `None` if on nothing,
/// or if they are one value. A divisor without a state counts as nothing: it is constant, or a pole at a time that the
/// model's author knows.
fn moves(g: &Graph, [a, b]: [Id; 2], kind: Break) -> Option<bool> {
    let live = g.live([a, b], &BTreeSet::new());
    let roles = live.into_iter().filter_map(|id| match *g.op(id) {
        Op::Input(Input { role, .. }) => Some(role),
        _ => None,
    });
    let roles: BTreeSet<Role> = roles.collect();
    let counts = match kind {
        Break::Pole => roles.contains(&Role::State),
        Break::Kink | Break::Jump => !roles.is_empty(),
    };
    (a != b && counts).then(|| roles.iter().any(|role| *role != Role::Time))
}

/// Whether two values are one, or one is the other with its sign changed.
pub(super) fn is_same(g: &Graph, a: Id, b: Id) -> bool {
    a == b
        || match (g.op(a), g.op(b)) {
            (Op::Neg(x), _) => *x == b,
            (_, Op::Neg(x)) => *x == a,
            (Op::Sub(x, y), Op::Sub(v, w)) => (x, y) == (w, v),
            _ => false,
        }
}
