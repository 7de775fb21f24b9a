//! The body of a generated function as a tree of statements, between the schedule of its nodes and
//! the tokens: made by `build`, made readable by `inline`, named by `names`, written by `print` and
//! `scalars`.

mod build;
mod inline;
mod names;
mod print;
mod scalars;

use std::collections::BTreeSet;

use proc_macro2::TokenStream;

use super::model::Model;
use crate::ir::{Dim, Graph, Id, Shape};

pub(super) use build::{Builder, Tape};

/// A statement. A variable is called by the node whose value it holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stmt {
    /// `let (x, u) = (y[0], &y[1..4]);`: the states of a slice of all states, with their indices.
    States(States, Vec<(Id, usize)>),
    /// `let x = value;`
    Let(Id, Expr),
    /// `let u = slice;`
    Slice(Id, Source),
    /// `let mut u = [T::ZERO; n];`, or a place on the tape.
    Buffer(Id, Storage),
    /// `place = value;`, `place += value;` or `place -= value;`
    Store(Place, Assign, Expr),
    /// `place[i] = value;` for every component of the place, after the statements before it.
    Loop(Place, Vec<Stmt>, Assign, Expr),
    /// A function that fills a place.
    Call(Fill, Place, Vec<Id>),
    /// `place.fill(T::ZERO);`
    Clear(Place),
    /// The statements once for each column of the Jacobian.
    Columns(Vec<Stmt>),
    /// The value of the function.
    Return(Expr),
}

/// The slices of all states that a function reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum States {
    /// The states, `y`.
    Values,
    /// Their tangents, `y_dot`.
    Tangents,
    /// The cotangents of their derivatives, `dy_bar`.
    Cotangents,
    /// The cotangents of the states after an event, `after_bar`.
    AfterCotangents,
}

/// Where a slice that is only read comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    /// The components of a parameter of the model or of its tangent.
    Param { tangent: bool, index: usize },
    /// The tape's place.
    Slot(usize),
    /// The components of another slice from an offset on.
    Part(Id, Dim),
}

/// Where a buffer lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Storage {
    /// In a variable of its own, filled with zeros.
    Local,
    /// In the tape's place.
    Slot(usize),
}

/// What is written to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub(super) root: Root,
    /// The first component of the root; `None` where the place is the root as a whole.
    pub(super) offset: Option<Dim>,
    /// Of this many components.
    pub(super) shape: Shape,
}

/// What a place is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    /// A buffer.
    Buffer(Id),
    /// A part of the result: a state or a switching function.
    Result(usize),
    /// A parameter of the model's cotangent.
    ParamBar(usize),
    /// The tape's place.
    Slot(usize),
    /// The Jacobian.
    Jacobian,
    /// The sides of jumps, from this one on.
    Sides(usize),
}

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Assign {
    /// `=`
    Set,
    /// `+=`
    Add,
    /// `-=`
    Subtract,
}

/// A function of slices that fills one.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fill {
    /// A function of the support layer.
    Support(&'static str),
    /// A product of matrices: the function, which operands are transposed, and the sizes.
    MatMul(&'static str, [bool; 2], [Dim; 3]),
    /// `transpose`, with the number of rows of its operand.
    Transpose(Dim),
    /// The form for slices of a function of the table.
    Elementwise(&'static str),
}

/// A scalar.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    /// A number.
    Const(f64),
    /// A variable.
    Var(Id),
    /// A parameter of the model or of its tangent.
    Param { tangent: bool, index: usize },
    /// A scalar on the tape.
    Slot(usize),
    /// The side of a jump; in a loop over components, of as many behind it as the loop has come to.
    Side { jump: usize, is_looped: bool },
    /// A component of a slice.
    At(Id, Dim),
    /// The component of a slice that the loop is at.
    Component(Id),
    /// A function of slices in the support layer.
    Reduce(&'static str, Vec<Id>),
    /// An operation on scalars.
    Operation(Operation, Vec<Expr>),
}

/// An operation on scalars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// `-a`
    Neg,
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
    /// `a / b`
    Div,
    /// `a.powi(n)`
    Power(i32),
    /// `a.name(b, …)`
    Method(&'static str),
    /// `T::select_ge(a, b, c, d)`: `c` where `a >= b`, else `d`
    Select,
}

impl States {
    /// The argument's name.
    fn name(self) -> &'static str {
        match self {
            Self::Values => "y",
            Self::Tangents => "y_dot",
            Self::Cotangents => "dy_bar",
            Self::AfterCotangents => "after_bar",
        }
    }
}

/// Collects the functions of the support layer that statements call.
fn functions(statements: &[Stmt], names: &mut BTreeSet<&'static str>) {
    for statement in statements {
        match statement {
            Stmt::Let(_, value) | Stmt::Store(_, _, value) | Stmt::Return(value) => {
                value.functions(names);
            }
            Stmt::Loop(_, body, _, value) => {
                functions(body, names);
                value.functions(names);
            }
            Stmt::Columns(body) => functions(body, names),
            Stmt::Call(Fill::Support(name) | Fill::MatMul(name, ..), ..) => {
                names.insert(name);
            }
            Stmt::Call(Fill::Transpose(_), ..) => {
                names.insert("transpose");
            }
            _ => {}
        }
    }
}

impl Expr {
    /// The operands of an operation.
    fn operands(&self) -> &[Self] {
        match self {
            Self::Operation(_, operands) => operands,
            _ => &[],
        }
    }

    /// Collects the functions of the support layer that are called.
    fn functions(&self, names: &mut BTreeSet<&'static str>) {
        if let Self::Reduce(name, _) = self {
            names.insert(name);
        }
        for operand in self.operands() {
            operand.functions(names);
        }
    }

    /// Collects the slices that are read component by component.
    fn components(&self, slices: &mut BTreeSet<Id>) {
        if let Self::Component(id) = self {
            slices.insert(*id);
        }
        for operand in self.operands() {
            operand.components(slices);
        }
    }
}

/// A function to write.
#[derive(Debug, Clone, Copy)]
pub(super) struct Function<'a> {
    pub(super) g: &'a Graph,
    pub(super) model: &'a Model,
    /// The names of all arguments.
    pub(super) arguments: &'static [&'static str],
    /// The slice of the whole result.
    pub(super) result: &'static str,
    /// The shapes of its parts, which come one after the other.
    pub(super) parts: &'a [Shape],
}

impl Function<'_> {
    /// Whether a place is part of something that has a name, or has none.
    fn is_part(self, place: &Place) -> bool {
        match place.root {
            Root::Buffer(_) => place.offset.is_some(),
            Root::Result(_) => place.offset.is_some() || self.parts.len() > 1,
            Root::Sides(_) => false,
            _ => true,
        }
    }
}

/// Makes the statements of a function readable and writes them, behind its `bases`.
pub(super) fn write(
    function: Function<'_>,
    bases: &TokenStream,
    statements: Vec<Stmt>,
) -> TokenStream {
    let statements = inline::inline(function.g, statements);
    let names = names::Names::new(function, &statements);
    print::Printer { function, names }.body(bases, &statements)
}
