//! Checks events: what they depend on, what they change.

use std::collections::BTreeMap;

use proc_macro2::Ident;

use super::{Change, Event, Repeat, When};
use crate::diagnostics::Diagnostics;
use crate::field::ast::{Block, Expr, ExprKind, Range, Statement};
use crate::field::hints::suggestion;
use crate::field::model::Variable;
use crate::field::shapes::{Counter, Meaning, Scope};
use crate::field::sizes;
use crate::ir::Shape;

/// What the names of a model vary with.
#[derive(Debug)]
pub(in crate::field) struct Names {
    kinds: BTreeMap<String, Kind>,
}

/// What a name is to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    State,
    Time,
    Parameter,
    Constant,
    /// A `let`, and whether it depends on a state or on the time.
    Let {
        varies: bool,
    },
}

impl Kind {
    fn varies(self) -> bool {
        matches!(self, Self::State | Self::Time | Self::Let { varies: true })
    }
}

impl Names {
    /// The names of a block.
    pub(in crate::field) fn new(block: &Block) -> Self {
        let mut names = Self { kinds: BTreeMap::from([("t".to_owned(), Kind::Time)]) };
        let mut declare = |name: &Ident, kind| names.kinds.insert(name.to_string(), kind);
        for state in &block.states {
            declare(&state.name, Kind::State);
        }
        for param in &block.params {
            declare(&param.name, Kind::Parameter);
        }
        for (name, _) in &block.constants {
            declare(name, Kind::Constant);
        }
        for statement in &block.statements {
            if let Statement::Let { name, value } = statement {
                names.define(name, value);
            }
        }
        names
    }

    fn define(&mut self, name: &Ident, value: &Expr) {
        let varies = self.varying(value).is_some();
        self.kinds.entry(name.to_string()).or_insert(Kind::Let { varies });
    }

    fn kind(&self, name: &Ident) -> Option<Kind> {
        self.kinds.get(&name.to_string()).copied()
    }

    /// The first name in an expression that varies along a solve.
    fn varying<'a>(&self, value: &'a Expr) -> Option<&'a Ident> {
        value.find_name(&mut |name| self.kind(name).is_some_and(Kind::varies))
    }
}

/// Checks an event, where all that comes before it is in scope.
pub(in crate::field) fn check(
    event: &Event,
    names: &Names,
    states: &[Variable],
    scope: &mut Scope,
    errors: &mut Diagnostics,
) {
    let counter = match &event.repeat {
        None => None,
        Some(repeat) => match range(repeat, scope, errors) {
            Some(counter) => Some(counter),
            // Nothing can be said of what uses the variable.
            None => return,
        },
    };
    scope.within(counter, |scope| {
        when(&event.when, names, event.repeat.is_some(), scope, errors);
        if let (When::Crossing { terminal: Some(terminal), .. }, Some(_)) = (&event.when, &event.block) {
            let message = "the solve ends at a `terminal` event, and nothing would see what its block changes; \
                 remove one of them";
            errors.error(terminal, message);
        }
        let Some(changes) = &event.block else { return };
        let is_change = |change: &Change| matches!(change, Change::Assign { .. });
        if !changes.iter().any(is_change) {
            let message = "the block of this event changes no state: write `x = …;` or `x += …;` in it";
            errors.error(place(&event.when), message);
        }
        for name in event.lets().map(ToString::to_string) {
            if !scope.knows(&name) {
                scope.define(&name, Meaning::Later);
            }
        }
        for change in changes {
            self::change(change, names, states, scope, errors);
        }
    });
}

/// Where an event is, for messages about it as a whole.
fn place(when: &When) -> Range {
    match when {
        When::Time(time) => time.range,
        When::Crossing { name, .. } => Range::at(name.span()),
    }
}

/// The values of the variable, if they are sizes.
fn range(repeat: &Repeat, scope: &mut Scope, errors: &mut Diagnostics) -> Option<Counter> {
    let Repeat { variable, start, end } = repeat;
    let first = sizes::evaluate(start, scope.sizes(), errors);
    let behind = sizes::evaluate(end, scope.sizes(), errors);
    let (first, behind) = (first?, behind?);
    let length = behind.minus(&first);
    let is_empty = length.as_literal().is_some_and(|n| n < 1);
    let written = format!("{start}..{end}");
    if is_empty || first.as_literal().is_some_and(|n| n < 0) {
        let range = Range { start: start.range.start, end: end.range.end };
        let what = if is_empty { "empty" } else { "out of range: the first index is 0" };
        errors.error(range, format!("`{written}` is {what}"));
        return None;
    }
    scope.require(&written, &first);
    scope.require(&written, &length);
    Some(Counter { name: variable.to_string(), start: first, end: behind })
}

/// Checks when an event happens.
fn when(
    when: &When,
    names: &Names,
    is_repeated: bool,
    scope: &mut Scope,
    errors: &mut Diagnostics,
) {
    let (value, what) = match when {
        When::Time(value) => (value, "the time"),
        When::Crossing { value, .. } => (value, "the function"),
    };
    let Some(shape) = scope.shape(value, errors) else { return };
    if !shape.is_scalar() {
        let hint = if is_repeated {
            "index it with the variable of `for`"
        } else {
            "write one event for each component: `… u[i] … for i in 0..n`"
        };
        let message = format!("{what} of an event is a number, but this has shape {shape}; {hint}");
        errors.error(value.range, message);
        return;
    }
    match (when, names.varying(value)) {
        (When::Time(_), Some(name)) => {
            let what = match names.kind(name) {
                Some(Kind::State) => "is a state",
                Some(Kind::Time) => "is the time itself",
                _ => "varies with a state or with the time",
            };
            let message = format!(
                "`{name}` {what}, but the time of an `at` depends on parameters only; what happens where a \
                 function reaches 0 is an `event name = …`"
            );
            errors.error(name, message);
        }
        (When::Crossing { .. }, None) => {
            let message = format!(
                "`{value}` does not change along a solve: it depends neither on a state nor on the time `t`"
            );
            errors.error(value.range, message);
        }
        _ => {}
    }
}

/// Checks a statement of a block.
fn change(
    change: &Change,
    names: &Names,
    states: &[Variable],
    scope: &mut Scope,
    errors: &mut Diagnostics,
) {
    let (target, value) = match change {
        Change::Let { name, value } => {
            scope.define(&name.to_string(), Meaning::Now);
            let shape = scope.shape(value, errors);
            scope.define(&name.to_string(), Meaning::Value(shape));
            return;
        }
        Change::Assign { target, value, .. } => (target, value),
    };
    let value_shape = scope.shape(value, errors);
    let root = match &target.kind {
        ExprKind::Index(root, _) | ExprKind::Slice(root, ..) => root,
        _ => target,
    };
    let ExprKind::Name(name) = &root.kind else {
        errors.error(root.range, format!("`{root}` is not a state"));
        return;
    };
    if !states.iter().any(|state| state.name == *name) {
        errors.error(name, no_state(name, names, states, scope));
        return;
    }
    if let ExprKind::Slice(..) = target.kind {
        let message = format!(
            "a slice cannot be assigned to: assign its components, `{name}[0] = …;`, or all of `{name}`, as in \
             `{name} = concat(…);`"
        );
        errors.error(target.range, message);
        return;
    }
    let (Some(shape), Some(value_shape)) = (scope.shape(target, errors), value_shape) else {
        return;
    };
    if !value_shape.is_scalar() && value_shape != shape {
        let message =
            format!("the value has shape {value_shape}, but `{target}` {}", is_or_has(&shape));
        errors.error(value.range, message);
    }
}

fn is_or_has(shape: &Shape) -> String {
    if shape.is_scalar() { "is a scalar".to_owned() } else { format!("has shape {shape}") }
}

/// Why a name cannot be assigned to.
fn no_state(name: &Ident, names: &Names, states: &[Variable], scope: &Scope) -> String {
    match names.kind(name) {
        Some(Kind::Parameter) => format!(
            "`{name}` is a parameter, which is constant along a solve: declare a state with `d{name}/dt = 0`"
        ),
        Some(Kind::Constant) => {
            format!("`{name}` is a constant: declare a state with `d{name}/dt = 0`")
        }
        Some(Kind::Time) => "the time cannot be changed".to_owned(),
        Some(_) => format!("`{name}` is a `let`, which follows from the states: change these"),
        None if scope.knows(&name.to_string()) => {
            format!(
                "`{name}` is a `let`; write its value where it is defined, or give this one another name"
            )
        }
        None => {
            let hint =
                suggestion(&name.to_string(), states.iter().map(|state| state.name.to_string()));
            format!("`{name}` is not a state{hint}")
        }
    }
}
