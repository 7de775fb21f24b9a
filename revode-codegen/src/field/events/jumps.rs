//! The jumps of the equations as events: a solve ends a step where an argument of `signum` or `heaviside` is 0.

use super::Direction;
use super::lower::{Action, EventProgram};
use crate::ir::{Dim, Graph, Id, Op, Role, Shape, Sink, Target};
use crate::passes::sides::{Jump, on_sides};
use crate::passes::vjp::vjp_from;

/// The index of an event among those of one argument, as the size that it is in a program; no name of a model.
const COMPONENT: &str = "component of a jump";

/// The programs of the jumps, one for each argument.
pub(super) fn lower(g: &mut Graph, states: &[Shape], jumps: &[Jump]) -> Vec<EventProgram> {
    jumps.iter().map(|jump| self::jump(g, states, jump, jumps)).collect()
}

fn jump(g: &mut Graph, states: &[Shape], jump: &Jump, jumps: &[Jump]) -> EventProgram {
    let Jump { call, argument, .. } = jump;
    let (value, indices) = match g.shape(*argument).sizes().as_slice() {
        [] => (*argument, None),
        sizes => {
            let literals = sizes.iter().map(|n| n.as_literal().expect("jumps are counted"));
            let indices = [Dim::literal(0), Dim::literal(literals.product())];
            (component(g, *argument), Some(indices))
        }
    };
    let trigger = vec![Sink { target: Target::Return, value }];
    let trigger_on = on_sides(g, &trigger, jumps);
    let trigger_vjp = vjp_from(g, Role::ValueBar, &trigger, states);
    EventProgram {
        name: format!("{}({})", call.function, call.argument),
        direction: Some(Direction::Either),
        action: Action::Switch,
        indices,
        trigger_on: (trigger_on != trigger).then_some(trigger_on),
        trigger,
        trigger_vjp,
        reset: None,
        reset_vjp: vec![],
    }
}

/// The component of a value whose index the event has: of what is computed component by component, no other.
fn component(g: &mut Graph, id: Id) -> Id {
    if g.shape(id).is_scalar() {
        return id;
    }
    let op = g.op(id).clone();
    if !op.is_elementwise() {
        return g.index(id, Dim::symbol(COMPONENT));
    }
    let components: Vec<(Id, Id)> =
        op.operands().into_iter().map(|operand| (operand, component(g, operand))).collect();
    let of = |operand| components.iter().find(|known| known.0 == operand).expect("it is one").1;
    match op.map(of) {
        Op::Fill(a) => a,
        op => g.intern(op, Shape::Scalar),
    }
}
