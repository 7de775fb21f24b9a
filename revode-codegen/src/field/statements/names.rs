//! The names of variables: what the user called them; a number only where two names clash.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Ident, Span};

use super::{Function, Stmt, Storage, functions};
use crate::field::model::{Model, Variable};
use crate::ir::{Id, Input, Op, Role, Shape};

/// The names of the variables of a function.
#[derive(Debug)]
pub(super) struct Names {
    locals: BTreeMap<Id, Local>,
}

#[derive(Debug)]
struct Local {
    name: Ident,
    /// Whether the variable is a buffer and not a reference to one.
    owned: bool,
}

impl Names {
    /// Names all variables: first those that the user has named, so that they keep their names.
    pub(super) fn new(function: Function<'_>, statements: &[Stmt]) -> Self {
        let mut naming = Naming {
            function,
            own: BTreeSet::new(),
            given: BTreeSet::new(),
            numbers: BTreeMap::new(),
            locals: BTreeMap::new(),
        };
        for named in [true, false] {
            naming.own.extend(function.arguments);
            naming.own_names(statements);
            naming.statements(statements, named);
        }
        Self { locals: naming.locals }
    }

    /// The name of a variable.
    pub(super) fn of(&self, id: Id) -> &Ident {
        &self.locals[&id].name
    }

    /// Whether the variable is a buffer and not a reference to one.
    pub(super) fn is_owned(&self, id: Id) -> bool {
        self.locals[&id].owned
    }
}

struct Naming<'a> {
    function: Function<'a>,
    /// The names that the function uses beside its variables, as long as it does.
    own: BTreeSet<&'static str>,
    /// The names of variables.
    given: BTreeSet<String>,
    /// The last number of each name.
    numbers: BTreeMap<String, usize>,
    locals: BTreeMap<Id, Local>,
}

impl Naming<'_> {
    /// Collects the names that the function uses beside its variables.
    fn own_names(&mut self, statements: &[Stmt]) {
        for statement in statements {
            match statement {
                Stmt::Loop(place, ..) => {
                    self.own.insert("i");
                    if self.function.model.is_dynamic() {
                        self.own.insert("n");
                    }
                    if self.function.is_part(place) {
                        self.own.insert("out");
                    }
                }
                Stmt::Columns(body) => {
                    self.own.extend(["n", "column", "y_dot", "dy_dot"]);
                    self.own_names(body);
                }
                _ => {}
            }
        }
        functions(statements, &mut self.own);
    }

    /// Names the variables that the user has named, or the others. A slice of states is not needed
    /// any more once the states are bound, so that a state may have its name.
    fn statements(&mut self, statements: &[Stmt], named: bool) {
        for statement in statements {
            match statement {
                Stmt::States(states, bound) => {
                    self.own.remove(states.name());
                    for (id, _) in bound {
                        self.define(*id, named, false);
                    }
                }
                Stmt::Let(id, _) | Stmt::Slice(id, _) => self.define(*id, named, false),
                Stmt::Buffer(id, storage) => {
                    let matrix = matches!(self.function.g.shape(*id), Shape::Matrix(..));
                    let flattened = matrix && !self.function.model.is_dynamic();
                    self.define(*id, named, *storage == Storage::Local && !flattened);
                }
                Stmt::Loop(_, body, ..) | Stmt::Columns(body) => self.statements(body, named),
                _ => {}
            }
        }
    }

    fn define(&mut self, id: Id, named: bool, owned: bool) {
        let name = self.function.g.name_of(id);
        if name.is_some() != named {
            return;
        }
        let name = match name {
            // A pattern with the name of a constant around the model would mean the constant.
            Some(name) if name.starts_with(char::is_uppercase) => {
                self.numbered(&format!("{name}_"))
            }
            Some(name) => self.free(name.trim_start_matches("r#").to_owned()),
            None => match derived(self.function, id) {
                Some(name) => self.free(name),
                None => self.numbered("v"),
            },
        };
        self.given.insert(name.clone());
        let name = Ident::new(&name, Span::call_site());
        self.locals.insert(id, Local { name, owned });
    }

    fn is_free(&self, name: &str) -> bool {
        let taken = self.own.contains(name) || self.given.contains(name);
        !taken && syn::parse_str::<Ident>(name).is_ok()
    }

    /// The name, with a number if it is taken.
    fn free(&mut self, name: String) -> String {
        if self.is_free(&name) { name } else { self.numbered(&format!("{name}_")) }
    }

    fn numbered(&mut self, name: &str) -> String {
        let mut number = self.numbers.get(name).map_or(1, |last| last + 1);
        while !self.is_free(&format!("{name}{number}")) {
            number += 1;
        }
        self.numbers.insert(name.to_owned(), number);
        format!("{name}{number}")
    }
}

/// The name of a tangent or cotangent by what it belongs to.
fn derived(function: Function<'_>, id: Id) -> Option<String> {
    let Op::Input(Input { role, index }) = *function.g.op(id) else { return None };
    let of = |variables: &[Variable]| {
        variables[index].name.to_string().trim_start_matches("r#").to_owned()
    };
    let Model { states, params, .. } = function.model;
    match role {
        Role::DerivativeBar => Some(format!("d{}_bar", of(states))),
        Role::AfterBar => Some(format!("{}_after_bar", of(states))),
        Role::StateDot => Some(format!("{}_dot", of(states))),
        Role::ParamDot => Some(format!("{}_dot", of(params))),
        _ => None,
    }
}
