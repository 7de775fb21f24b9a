//! From checked events to their programs, which are appended to those of the field: an event changes no bit of the
//! equations.

use super::{Change, Direction, Event, When};
use crate::field::ast::{Expr, ExprKind, Operator, Statement};
use crate::field::lower::Lowering;
use crate::field::model::Model;
use crate::ir::{Dim, Id, Op, Role, Sink, Target};
use crate::passes::sides::Jump;
use crate::passes::simplify::expand_powers;
use crate::passes::vjp::vjp_from;

/// The programs of an event, or of the events of one `for`.
#[derive(Debug)]
pub struct EventProgram {
    /// Its name; of `at`, its text.
    pub name: String,
    /// From where the function comes; `None` where the event has a time.
    pub direction: Option<Direction>,
    /// What happens.
    pub action: Action,
    /// The first index and the one behind the last, where there are several.
    pub indices: Option<[Dim; 2]>,
    /// The function that becomes 0.
    pub trigger: Vec<Sink>,
    /// The function of a jump on given sides of the jumps that it contains, where it contains any.
    pub trigger_on: Option<Vec<Sink>>,
    /// The vector–Jacobian product of the function.
    pub trigger_vjp: Vec<Sink>,
    /// What is written to the state, if anything is.
    pub reset: Option<Vec<Sink>>,
    /// The vector–Jacobian product of the state after the event.
    pub reset_vjp: Vec<Sink>,
}

/// What happens at an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is noted, no more.
    Note,
    /// The state changes.
    Reset,
    /// The field jumps.
    Switch,
    /// The solve ends.
    End,
}

impl EventProgram {
    /// The results of all its programs.
    fn sinks_mut(&mut self) -> impl Iterator<Item = &mut Sink> {
        let reset = self.reset.iter_mut().flatten();
        let trigger = self.trigger.iter_mut().chain(self.trigger_on.iter_mut().flatten());
        trigger.chain(&mut self.trigger_vjp).chain(reset).chain(&mut self.reset_vjp)
    }
}

/// The programs of the events of a model, of which those where its equations jump come last.
pub(in crate::field) fn lower(
    lowering: &mut Lowering,
    model: &Model,
    jumps: &[Jump],
) -> Vec<EventProgram> {
    let events = model.statements.iter().filter_map(|statement| match statement {
        Statement::Event(event) => Some(event),
        _ => None,
    });
    let mut programs: Vec<EventProgram> =
        events.map(|event| self::event(lowering, model, event)).collect();
    programs.extend(super::jumps::lower(&mut lowering.g, &model.state_shapes(), jumps));
    let sinks = programs.iter_mut().flat_map(EventProgram::sinks_mut);
    let roots: Vec<Id> = sinks.map(|sink| sink.value).collect();
    let new = expand_powers(&mut lowering.g, &roots);
    for sink in programs.iter_mut().flat_map(EventProgram::sinks_mut) {
        sink.value = new[&sink.value];
    }
    programs
}

fn event(lowering: &mut Lowering, model: &Model, event: &Event) -> EventProgram {
    let indices =
        event.repeat.as_ref().map(|repeat| [&repeat.start, &repeat.end].map(|n| lowering.size(n)));
    let outside = (lowering.values.clone(), lowering.sizes.clone());
    lowering.sizes.extend(event.repeat.as_ref().map(|repeat| repeat.variable.to_string()));
    let (name, direction, is_terminal, value) = match &event.when {
        When::Time(time) => {
            let value = lowering.expr(time);
            (format!("at {time}"), None, false, lowering.g.sub(lowering.values["t"], value))
        }
        When::Crossing { name, value, direction, terminal } => {
            let name = name.to_string().trim_start_matches("r#").to_owned();
            (name, Some(*direction), terminal.is_some(), lowering.expr(value))
        }
    };
    let states = model.state_shapes();
    let trigger = vec![Sink { target: Target::Return, value }];
    let trigger_vjp = vjp_from(&mut lowering.g, Role::ValueBar, &trigger, &states);
    let (mut reset, mut reset_vjp) = (None, vec![]);
    if let Some(changes) = &event.block {
        let before = state_values(lowering, model);
        for change in changes {
            self::change(lowering, change);
        }
        let after = state_values(lowering, model);
        let all = |(index, &value): (usize, &Id)| Sink { target: Target::State(index), value };
        let all: Vec<Sink> = after.iter().enumerate().map(all).collect();
        reset_vjp = vjp_from(&mut lowering.g, Role::AfterBar, &all, &states);
        reset = Some(writes(lowering, &before, &after));
    }
    (lowering.values, lowering.sizes) = outside;
    let action = match (&reset, is_terminal) {
        (Some(_), _) => Action::Reset,
        (None, true) => Action::End,
        (None, false) => Action::Note,
    };
    EventProgram {
        name,
        direction,
        action,
        indices,
        trigger,
        trigger_on: None,
        trigger_vjp,
        reset,
        reset_vjp,
    }
}

fn state_values(lowering: &Lowering, model: &Model) -> Vec<Id> {
    model.states.iter().map(|state| lowering.values[&state.name.to_string()]).collect()
}

/// One statement after the other: each gives a name its new value.
fn change(lowering: &mut Lowering, change: &Change) {
    let (target, operator, value) = match change {
        Change::Let { name, value } => {
            let known = lowering.g.len();
            let id = lowering.expr(value);
            // What is part of the equations looks there as if there were no event.
            if id.0 >= known {
                lowering.g.name(id, name.to_string());
            }
            lowering.values.insert(name.to_string(), id);
            return;
        }
        Change::Assign { target, operator, value } => (target, operator, value),
    };
    let mut value = lowering.expr(value);
    if let Some(operator) = operator {
        let old = lowering.expr(target);
        value = match operator {
            Operator::Add => lowering.g.add(old, value),
            Operator::Sub => lowering.g.sub(old, value),
            Operator::Mul => lowering.g.mul(old, value),
            _ => lowering.g.div(old, value),
        };
    }
    let (state, indices) = match &target.kind {
        ExprKind::Index(state, indices) => (&**state, Some(indices)),
        _ => (target, None),
    };
    let old = lowering.expr(state);
    let new = if let Some(indices) = indices {
        let offset = lowering.offset(old, indices);
        lowering.g.replace(old, offset, value)
    } else {
        let shape = lowering.g.shape(old).clone();
        lowering.g.fill(value, shape)
    };
    lowering.values.insert(name(state), new);
}

/// The name that an expression consists of.
fn name(state: &Expr) -> String {
    match &state.kind {
        ExprKind::Name(name) => name.to_string(),
        _ => unreachable!("the check has refused what is no state"),
    }
}

/// What is written where the states are those before the event: what stays is not.
fn writes(lowering: &Lowering, before: &[Id], after: &[Id]) -> Vec<Sink> {
    let mut sinks = Vec::new();
    for (index, (&before, &after)) in before.iter().zip(after).enumerate() {
        match lowering.g.op(after) {
            _ if before == after => {}
            Op::Replace(base, parts) if *base == before => {
                let part = |(offset, value): &(Dim, Id)| {
                    let target = Target::Component(index, offset.clone());
                    Sink { target, value: *value }
                };
                sinks.extend(parts.iter().map(part));
            }
            _ => sinks.push(Sink { target: Target::State(index), value: after }),
        }
    }
    sinks
}
