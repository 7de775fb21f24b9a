//! Events, `event …` and `at …`: what is written; how that is read, checked, lowered and emitted, one a file;
//! and the jumps of the equations, which are events too.

mod block;
pub(super) mod check;
pub(super) mod emit;
mod jumps;
pub(super) mod lower;
pub(super) mod parse;

use proc_macro2::Ident;

use super::ast::{Expr, Operator};

/// An event as it is written.
#[derive(Debug)]
pub struct Event {
    /// When it happens.
    pub when: When,
    /// `for i in a..b`
    pub repeat: Option<Repeat>,
    /// What the block between the braces does, if there is one.
    pub block: Option<Vec<Change>>,
}

/// When an event happens.
#[derive(Debug)]
pub enum When {
    /// `at (time)`; the parentheses are part of the expression.
    Time(Expr),
    /// `event name = value, falling, terminal`
    Crossing {
        /// The name.
        name: Ident,
        /// What becomes 0.
        value: Expr,
        /// From where.
        direction: Direction,
        /// The word `terminal`, if it is there.
        terminal: Option<Ident>,
    },
}

/// From where a function comes when it reaches 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From below.
    Rising,
    /// From above.
    Falling,
    /// From either side.
    Either,
}

/// `for i in a..b`
#[derive(Debug)]
pub struct Repeat {
    /// The variable.
    pub variable: Ident,
    /// The first value.
    pub start: Expr,
    /// The value behind the last one.
    pub end: Expr,
}

/// A statement in the block of an event.
#[derive(Debug)]
pub enum Change {
    /// `let name = value;`
    Let {
        /// The name.
        name: Ident,
        /// The value.
        value: Expr,
    },
    /// `target = value;`, or `target += value;` and the like
    Assign {
        /// A state or a component of one.
        target: Expr,
        /// The operator before the `=`.
        operator: Option<Operator>,
        /// The value.
        value: Expr,
    },
}

impl Event {
    /// The names that the block declares by `let`.
    pub(super) fn lets(&self) -> impl Iterator<Item = &Ident> {
        self.block.iter().flatten().filter_map(|change| match change {
            Change::Let { name, .. } => Some(name),
            Change::Assign { .. } => None,
        })
    }
}
