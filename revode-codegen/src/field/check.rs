//! Checks a block: names, sizes, equations.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::Ident;

use super::ast::{Block, Declaration, Expr, Statement};
use super::events;
use super::events::When;
use super::hints::suggestion;
use super::model::{Model, Variable};
use super::shapes::{Meaning, Scope};
use super::sizes;
use crate::diagnostics::Diagnostics;
use crate::functions::{CONSTANTS, FUNCTIONS, STRUCTURAL};
use crate::ir::{Dim, Shape};

/// Checks a block.
///
/// # Errors
/// All errors of the block, each at its token.
pub(super) fn check(block: Block) -> syn::Result<Model> {
    let mut errors = Diagnostics::new();
    declared_names(&block, &mut errors);
    let sizes: Vec<String> =
        block.generics.iter().chain(&block.dims).map(ToString::to_string).collect();
    if let (Some(_), Some(dim)) = (block.generics.first(), block.dims.first()) {
        errors.error(dim, "a model has const parameters or `dims`, not both");
    }
    if block.states.is_empty() {
        errors.error(&block.name, "a model needs a state: `state { x }`");
    }
    let built_in = built_in_constants(&block);
    let names = events::check::Names::new(&block);
    let mut scope = Scope::new(built_in.clone(), sizes.clone(), !block.dims.is_empty());
    scope.define("t", Meaning::Value(Some(Shape::Scalar)));
    let states = variables(block.states, &sizes, &mut scope, &mut errors);
    let params = variables(block.params, &sizes, &mut scope, &mut errors);
    constants(&block.constants, built_in, &mut scope, &mut errors);
    state_length(&states, &block.dims, &mut errors);
    statements(&block.statements, &states, &names, &mut scope, &mut errors);
    errors.finish()?;
    Ok(Model {
        attributes: block.attributes,
        visibility: block.visibility,
        name: block.name,
        generics: block.generics,
        dims: block.dims,
        states,
        params,
        constants: block.constants,
        statements: block.statements,
        constraints: scope.into_constraints(),
    })
}

/// The constants of the language that the block does not declare as something else, anywhere: `pi`
/// has one meaning in a block.
fn built_in_constants(block: &Block) -> Vec<&'static str> {
    let variables = block.states.iter().chain(&block.params).map(|variable| &variable.name);
    let constants = block.constants.iter().map(|(name, _)| name);
    let lets = block.statements.iter().flat_map(|statement| match statement {
        Statement::Let { name, .. } => vec![name],
        Statement::Equation { .. } => vec![],
        Statement::Event(event) => event.lets().collect(),
    });
    let sizes = block.generics.iter().chain(&block.dims);
    let declared: Vec<&Ident> = sizes.chain(variables).chain(constants).chain(lets).collect();
    let names = CONSTANTS.iter().map(|constant| constant.0);
    names.filter(|name| !declared.iter().any(|declared| declared == name)).collect()
}

/// Every name means one thing, and none that is taken.
fn declared_names(block: &Block, errors: &mut Diagnostics) {
    let mut seen = Seen::new();
    let events = || {
        block.statements.iter().filter_map(|statement| match statement {
            Statement::Event(event) => Some(&**event),
            _ => None,
        })
    };
    let is_repeated = events().any(|event| event.repeat.is_some());
    for name in &block.generics {
        declare(name, "const parameter", &mut seen, errors);
        used_by_generated_code(name, is_repeated, errors);
    }
    for name in &block.dims {
        declare(name, "size", &mut seen, errors);
        used_by_generated_code(name, false, errors);
    }
    for state in &block.states {
        declare(&state.name, "state", &mut seen, errors);
    }
    for param in &block.params {
        declare(&param.name, "parameter", &mut seen, errors);
    }
    for (name, _) in &block.constants {
        declare(name, "constant", &mut seen, errors);
    }
    for statement in &block.statements {
        match statement {
            Statement::Let { name, .. } => declare(name, "`let`", &mut seen, errors),
            Statement::Event(event) => {
                if let When::Crossing { name, .. } = &event.when {
                    declare(name, "event", &mut seen, errors);
                }
            }
            Statement::Equation { .. } => {}
        }
    }
    for event in events() {
        // What an event declares is known in it alone.
        let mut seen = seen.clone();
        if let Some(repeat) = &event.repeat {
            declare(&repeat.variable, "variable", &mut seen, errors);
        }
        for name in event.lets() {
            declare(name, "`let`", &mut seen, errors);
        }
    }
}

/// The names so far, and what they are names of.
type Seen = BTreeMap<String, &'static str>;

fn declare(name: &Ident, what: &'static str, seen: &mut Seen, errors: &mut Diagnostics) {
    let text = name.to_string();
    if let Some(reason) = reserved(&text) {
        let what = with_article(what);
        errors.error(name, format!("`{text}` cannot be the name of {what}: it is {reason}"));
    }
    match seen.get(&text) {
        Some(other) => errors.error(
            name,
            format!(
                "`{text}` is declared twice: it already is the name of {}",
                with_article(other)
            ),
        ),
        None => {
            seen.insert(text, what);
        }
    }
}

fn with_article(what: &str) -> String {
    let article = if what.starts_with('e') { "an" } else { "a" };
    format!("{article} {what}")
}

/// Refuses a size with a name that generated code has for something else.
fn used_by_generated_code(name: &Ident, is_repeated: bool, errors: &mut Diagnostics) {
    let text = name.to_string();
    if matches!(&*text, "T" | "i") || (text == "index" && is_repeated) {
        let message = format!("`{text}` is used by the generated code; choose another name");
        errors.error(name, message);
    }
}

/// Why a name cannot be used, if so.
fn reserved(name: &str) -> Option<&'static str> {
    if name == "t" {
        Some("the time")
    } else if STRUCTURAL.contains(&name) || FUNCTIONS.iter().any(|f| f.name == name) {
        Some("a function")
    } else if name == "_" || syn::parse_str::<Ident>(name).is_err() {
        Some("a word of Rust")
    } else {
        None
    }
}

fn variables(
    declarations: Vec<Declaration>,
    sizes: &[String],
    scope: &mut Scope,
    errors: &mut Diagnostics,
) -> Vec<Variable> {
    let mut variables = Vec::new();
    for Declaration { attributes, name, sizes: written } in declarations {
        let mut shape = Vec::new();
        for expr in &written {
            let size = sizes::evaluate(expr, sizes, errors);
            if size.as_ref().and_then(Dim::as_literal).is_some_and(|n| n < 1) {
                errors.error(expr.range, format!("`{expr}` is not a size: it must be at least 1"));
                continue;
            }
            let size = size.filter(|size| scope.is_expressible(size, expr, errors));
            shape.extend(size);
        }
        let shape = match (written.len(), &shape[..]) {
            (0, _) => Some(Shape::Scalar),
            (1, [n]) => Some(Shape::Vector(n.clone())),
            (2, [rows, columns]) => Some(Shape::Matrix(rows.clone(), columns.clone())),
            _ => None,
        };
        scope.define(&name.to_string(), Meaning::Value(shape.clone()));
        variables.push(Variable { attributes, name, shape: shape.unwrap_or(Shape::Scalar) });
    }
    variables
}

fn constants(
    constants: &[(Ident, Expr)],
    built_in: Vec<&'static str>,
    scope: &mut Scope,
    errors: &mut Diagnostics,
) {
    let mut known = Scope::new(built_in, vec![], false);
    for (name, value) in constants {
        match known.shape(value, errors) {
            Some(shape) if !shape.is_scalar() => {
                errors.error(value.range, "a constant is a number");
            }
            _ => {}
        }
        for scope in [&mut known, &mut *scope] {
            scope.define(&name.to_string(), Meaning::Value(Some(Shape::Scalar)));
        }
    }
}

/// The state's total length must be a type's parameter on stable Rust.
fn state_length(states: &[Variable], dims: &[Ident], errors: &mut Diagnostics) {
    let total = states
        .iter()
        .map(|state| state.shape.length())
        .try_fold(Dim::literal(0), |sum, length| Some(sum.plus(&length?)));
    let expressible =
        total.is_some_and(|total| total.as_literal().is_some() || total.as_symbol().is_some());
    if expressible || !dims.is_empty() {
        return;
    }
    let named = |state: &&Variable| state.shape.sizes().iter().any(|n| n.as_literal().is_none());
    for state in states.iter().filter(named) {
        errors.error(
            &state.name,
            "the length of all states together is a sum or product with a const parameter, which \
             stable Rust cannot express; make the sizes literals, or declare them in `dims`",
        );
    }
}

fn statements(
    statements: &[Statement],
    states: &[Variable],
    names: &events::check::Names,
    scope: &mut Scope,
    errors: &mut Diagnostics,
) {
    for statement in statements {
        if let Statement::Let { name, .. } = statement
            && !scope.knows(&name.to_string())
        {
            scope.define(&name.to_string(), Meaning::Later);
        }
    }
    let mut solved = BTreeSet::new();
    for statement in statements {
        match statement {
            Statement::Let { name, value } => {
                let text = name.to_string();
                let new = scope.is_later(&text);
                if new {
                    scope.define(&text, Meaning::Now);
                }
                let shape = scope.shape(value, errors);
                if new {
                    scope.define(&text, Meaning::Value(shape));
                }
            }
            Statement::Equation { token, state, value } => {
                let shape = scope.shape(value, errors);
                let Some(variable) = states.iter().find(|variable| variable.name == state) else {
                    let names = states.iter().map(|variable| variable.name.to_string());
                    let hint = suggestion(state, names);
                    errors.error(token, format!("`{state}` is not a state{hint}"));
                    continue;
                };
                if !solved.insert(state.clone()) {
                    errors.error(token, format!("`{state}` has two equations"));
                }
                if let Some(shape) = shape.filter(|s| !s.is_scalar() && *s != variable.shape) {
                    errors.error(
                        value.range,
                        format!(
                            "the right-hand side has shape {shape}, but the state `{state}` has \
                             shape {}",
                            variable.shape
                        ),
                    );
                }
            }
            Statement::Event(event) => events::check::check(event, names, states, scope, errors),
        }
    }
    let unsolved = |state: &&Variable| {
        let name = state.name.to_string();
        !solved.contains(&name) && reserved(&name).is_none()
    };
    for Variable { name, .. } in states.iter().filter(unsolved) {
        errors.error(name, format!("the state `{name}` has no equation; add `d{name}/dt = …;`"));
    }
}
