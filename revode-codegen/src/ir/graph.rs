//! The graph: nodes, interned, so that equal expressions are one node.

use std::collections::{BTreeSet, HashMap};

use super::{Dim, Shape};
use crate::functions::Function;

/// A node of a graph. Operands come before the nodes that use them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub usize);

/// What an input belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Time.
    Time,
    /// A declared state.
    State,
    /// A declared parameter.
    Param,
    /// The cotangent of a state's derivative.
    DerivativeBar,
    /// The cotangent of a state after an event.
    AfterBar,
    /// The cotangent of a number that is returned.
    ValueBar,
    /// The signs of the arguments of functions that jump, from the jump of the input's index on.
    Side,
    /// The tangent of time.
    TimeDot,
    /// The tangent of a state.
    StateDot,
    /// The tangent of a parameter.
    ParamDot,
}

/// An input: the `index`th variable of a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Input {
    /// What it belongs to.
    pub role: Role,
    /// Its place in the declaration.
    pub index: usize,
}

impl Input {
    /// Whether it is computed where it is used, from the sides that a program is given.
    pub fn is_side(self) -> bool {
        self.role == Role::Side
    }
}

/// What a node computes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Op {
    /// A constant, as the bits of an `f64`.
    Const(u64),
    /// An input.
    Input(Input),
    /// `-a`, elementwise like all operations down to `Fill`.
    Neg(Id),
    /// `a + b`
    Add(Id, Id),
    /// `a - b`
    Sub(Id, Id),
    /// `a * b`
    Mul(Id, Id),
    /// `a / b`
    Div(Id, Id),
    /// `a` to an integer power other than 0 and 1.
    Power(Id, i32),
    /// A function of the table.
    Apply(&'static Function, Vec<Id>),
    /// `if a >= b { c } else { d }`
    Select([Id; 4]),
    /// A scalar in every place.
    Fill(Id),
    /// The components of `a` from an offset on, as many as the node has.
    Slice(Id, Dim),
    /// The component of `a` at an offset.
    Index(Id, Dim),
    /// Scalars, vectors and matrices one after the other.
    Concat(Vec<Id>),
    /// Zeros, to which each part is added at its offset.
    Scatter(Vec<(Dim, Id)>),
    /// `a` with the component at each offset replaced by a scalar, one after the other.
    Replace(Id, Vec<(Dim, Id)>),
    /// `Σ a_i b_i`
    Dot(Id, Id),
    /// `Σ a_i`
    Sum(Id),
    /// `A x`, or `Aᵀ x` where the flag is set.
    MatVec(Id, bool, Id),
    /// `A B`, each operand transposed where its flag is set.
    MatMul(Id, bool, Id, bool),
    /// `a bᵀ`
    Outer(Id, Id),
    /// `Aᵀ`
    Transpose(Id),
}

impl Op {
    /// The operands.
    pub fn operands(&self) -> Vec<Id> {
        match self {
            Self::Const(_) | Self::Input(_) => vec![],
            Self::Neg(a)
            | Self::Power(a, _)
            | Self::Fill(a)
            | Self::Slice(a, _)
            | Self::Index(a, _)
            | Self::Sum(a)
            | Self::Transpose(a) => vec![*a],
            Self::Add(a, b)
            | Self::Sub(a, b)
            | Self::Mul(a, b)
            | Self::Div(a, b)
            | Self::Dot(a, b)
            | Self::MatVec(a, _, b)
            | Self::MatMul(a, _, b, _)
            | Self::Outer(a, b) => vec![*a, *b],
            Self::Apply(_, operands) | Self::Concat(operands) => operands.clone(),
            Self::Select(operands) => operands.to_vec(),
            Self::Scatter(parts) => parts.iter().map(|(_, part)| *part).collect(),
            Self::Replace(a, parts) => {
                std::iter::once(*a).chain(parts.iter().map(|(_, part)| *part)).collect()
            }
        }
    }

    /// The same operation on other operands.
    #[must_use]
    pub fn map(&self, f: impl Fn(Id) -> Id) -> Self {
        match *self {
            Self::Const(_) | Self::Input(_) => self.clone(),
            Self::Neg(a) => Self::Neg(f(a)),
            Self::Add(a, b) => ordered(Self::Add, f(a), f(b)),
            Self::Sub(a, b) => Self::Sub(f(a), f(b)),
            Self::Mul(a, b) => ordered(Self::Mul, f(a), f(b)),
            Self::Div(a, b) => Self::Div(f(a), f(b)),
            Self::Power(a, n) => Self::Power(f(a), n),
            Self::Apply(function, ref arguments) => {
                Self::Apply(function, arguments.iter().map(|&a| f(a)).collect())
            }
            Self::Select(operands) => Self::Select(operands.map(f)),
            Self::Fill(a) => Self::Fill(f(a)),
            Self::Slice(a, ref offset) => Self::Slice(f(a), offset.clone()),
            Self::Index(a, ref offset) => Self::Index(f(a), offset.clone()),
            Self::Concat(ref parts) => Self::Concat(parts.iter().map(|&a| f(a)).collect()),
            Self::Scatter(ref parts) => {
                Self::Scatter(parts.iter().map(|(at, a)| (at.clone(), f(*a))).collect())
            }
            Self::Replace(a, ref parts) => {
                Self::Replace(f(a), parts.iter().map(|(at, a)| (at.clone(), f(*a))).collect())
            }
            Self::Dot(a, b) => ordered(Self::Dot, f(a), f(b)),
            Self::Sum(a) => Self::Sum(f(a)),
            Self::MatVec(a, transposed, x) => Self::MatVec(f(a), transposed, f(x)),
            Self::MatMul(a, ta, b, tb) => Self::MatMul(f(a), ta, f(b), tb),
            Self::Outer(a, b) => Self::Outer(f(a), f(b)),
            Self::Transpose(a) => Self::Transpose(f(a)),
        }
    }

    /// Whether each component depends on the same component of the operands only.
    pub fn is_elementwise(&self) -> bool {
        matches!(
            self,
            Self::Neg(_)
                | Self::Add(..)
                | Self::Sub(..)
                | Self::Mul(..)
                | Self::Div(..)
                | Self::Power(..)
                | Self::Apply(..)
                | Self::Select(_)
                | Self::Fill(_)
        )
    }

    /// Whether a tape should keep the value rather than have it computed again.
    pub fn is_expensive(&self) -> bool {
        match self {
            Self::Apply(function, _) => !function.cheap,
            Self::Div(..)
            | Self::Dot(..)
            | Self::Sum(_)
            | Self::MatVec(..)
            | Self::MatMul(..)
            | Self::Outer(..) => true,
            Self::Power(_, n) => *n < 0,
            _ => false,
        }
    }
}

/// A commutative operation, its operands in the order of their ids.
pub(super) fn ordered(op: fn(Id, Id) -> Op, a: Id, b: Id) -> Op {
    op(a.min(b), a.max(b))
}

#[derive(Debug, Clone)]
struct Node {
    op: Op,
    shape: Shape,
}

/// An arena of interned nodes.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    nodes: Vec<Node>,
    interned: HashMap<(Op, Shape), Id>,
    /// The names that the user gave to values.
    names: HashMap<Id, String>,
}

impl Graph {
    /// The node with this operation and shape; a new one only if there is none.
    pub fn intern(&mut self, op: Op, shape: Shape) -> Id {
        let next = Id(self.nodes.len());
        let id = *self.interned.entry((op.clone(), shape.clone())).or_insert(next);
        if id == next {
            self.nodes.push(Node { op, shape });
        }
        id
    }

    /// What a node computes.
    pub fn op(&self, id: Id) -> &Op {
        &self.nodes[id.0].op
    }

    /// The shape of a node.
    pub fn shape(&self, id: Id) -> &Shape {
        &self.nodes[id.0].shape
    }

    /// The number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Names a node, for readable output; the first name stays.
    pub fn name(&mut self, id: Id, name: impl Into<String>) {
        self.names.entry(id).or_insert_with(|| name.into());
    }

    /// The name of a node.
    pub fn name_of(&self, id: Id) -> Option<&str> {
        self.names.get(&id).map(String::as_str)
    }

    /// The value of a constant.
    pub fn constant_of(&self, id: Id) -> Option<f64> {
        match self.op(id) {
            Op::Const(bits) => Some(f64::from_bits(*bits)),
            _ => None,
        }
    }

    /// Whether a vector is computed in a loop over its components, together with others.
    pub fn is_looped(&self, id: Id) -> bool {
        match self.op(id) {
            Op::Input(input) => input.is_side(),
            Op::Apply(function, _) if function.sliced => self.shape(id).is_scalar(),
            op => op.is_elementwise(),
        }
    }

    /// The nodes that `roots` depend on, operands first. The search ends at nodes in `known`,
    /// which are part of the answer.
    pub fn live(&self, roots: impl IntoIterator<Item = Id>, known: &BTreeSet<Id>) -> BTreeSet<Id> {
        let mut live = BTreeSet::new();
        let mut stack: Vec<Id> = roots.into_iter().collect();
        while let Some(id) = stack.pop() {
            if live.insert(id) && !known.contains(&id) {
                stack.extend(self.op(id).operands());
            }
        }
        live
    }
}

/// Where a result goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Written to the components of a state (or of its derivative).
    State(usize),
    /// Written to one component of a state.
    Component(usize, Dim),
    /// Added to the components of a parameter.
    Param {
        /// The parameter.
        index: usize,
        /// The first component.
        offset: Dim,
        /// Whether the value is subtracted instead.
        negative: bool,
    },
    /// Written to the components of a switching function.
    Switch(usize),
    /// The signs of the components are the sides of jumps, from this one on.
    Side(usize),
    /// Returned.
    Return,
}

/// A result of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sink {
    /// Where it goes.
    pub target: Target,
    /// What it is.
    pub value: Id,
}
