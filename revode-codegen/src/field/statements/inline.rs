//! Prints scalars inside their only user: `dy[0] = sigma * (y - x);`.
//!
//! No operation is done twice and none moves into a loop, and the tree of operations, hence every
//! bit, stays: what is moved reads inputs and buffers, which nothing after their definition changes.

use std::collections::BTreeMap;

use super::{Expr, Stmt};
use crate::ir::{Graph, Id};

/// How deep expressions may become: what is deeper is hard to read, and the parsers of Rust recurse.
const MAX_DEPTH: usize = 16;

/// Removes the variables that have no name and one user in the same loop.
pub(super) fn inline(g: &Graph, statements: Vec<Stmt>) -> Vec<Stmt> {
    let mut uses = Uses::default();
    uses.statements(&statements, 0);
    let single = uses.count.into_iter().filter(|&(id, n)| n == 1 && g.name_of(id).is_none());
    let mut inliner = Inliner { values: single.map(|(id, _)| (id, None)).collect() };
    inliner.statements(statements)
}

/// How often variables are used. A use in a loop that the definition is not in counts as two.
#[derive(Debug, Default)]
struct Uses {
    count: BTreeMap<Id, usize>,
    defined: BTreeMap<Id, usize>,
}

impl Uses {
    fn statements(&mut self, statements: &[Stmt], depth: usize) {
        for statement in statements {
            match statement {
                Stmt::Let(id, value) => {
                    self.expression(value, depth);
                    self.defined.insert(*id, depth);
                }
                Stmt::Store(_, _, value) | Stmt::Return(value) => self.expression(value, depth),
                Stmt::Loop(_, body, _, value) => {
                    self.statements(body, depth + 1);
                    self.expression(value, depth + 1);
                }
                Stmt::Columns(body) => self.statements(body, depth + 1),
                _ => {}
            }
        }
    }

    fn expression(&mut self, value: &Expr, depth: usize) {
        if let Expr::Var(id) = value
            && let Some(defined) = self.defined.get(id)
        {
            *self.count.entry(*id).or_default() += if *defined == depth { 1 } else { 2 };
        }
        for operand in value.operands() {
            self.expression(operand, depth);
        }
    }
}

/// Replaces variables by their values, once these are known.
#[derive(Debug)]
struct Inliner {
    values: BTreeMap<Id, Option<Expr>>,
}

impl Inliner {
    fn statements(&mut self, statements: Vec<Stmt>) -> Vec<Stmt> {
        statements.into_iter().filter_map(|statement| self.statement(statement)).collect()
    }

    /// The statement with its variables replaced; `None` if it defines a variable that will be.
    fn statement(&mut self, statement: Stmt) -> Option<Stmt> {
        Some(match statement {
            Stmt::Let(id, value) => {
                let value = self.expression(value);
                if let Some(known) = self.values.get_mut(&id)
                    && depth(&value) < MAX_DEPTH
                {
                    *known = Some(value);
                    return None;
                }
                Stmt::Let(id, value)
            }
            Stmt::Store(place, assign, value) => Stmt::Store(place, assign, self.expression(value)),
            Stmt::Return(value) => Stmt::Return(self.expression(value)),
            Stmt::Loop(place, body, assign, value) => {
                let body = self.statements(body);
                Stmt::Loop(place, body, assign, self.expression(value))
            }
            Stmt::Columns(body) => Stmt::Columns(self.statements(body)),
            other => other,
        })
    }

    fn expression(&mut self, value: Expr) -> Expr {
        match value {
            Expr::Var(id) => match self.values.get_mut(&id).and_then(Option::take) {
                Some(value) => value,
                None => Expr::Var(id),
            },
            Expr::Operation(operation, operands) => {
                let operands = operands.into_iter().map(|operand| self.expression(operand));
                Expr::Operation(operation, operands.collect())
            }
            other => other,
        }
    }
}

fn depth(value: &Expr) -> usize {
    1 + value.operands().iter().map(depth).max().unwrap_or(0)
}
