//! From a schedule to statements: where values lie, and what is computed in which loop.

use std::collections::BTreeSet;

use super::{Assign, Expr, Fill, Operation, Place, Root, Source, States, Stmt, Storage};
use crate::field::model::Model;
use crate::ir::schedule::{Place as Kept, Schedule};
use crate::ir::{Dim, Graph, Id, Input, Op, Role, Shape, Sink, Target};

/// The tape: the values in it and their places.
#[derive(Debug, Default)]
pub(in crate::field) struct Tape {
    slots: Vec<(Id, Shape)>,
}

impl Tape {
    /// The place of a node; a new one if it has none.
    fn slot(&mut self, id: Id, shape: &Shape) -> usize {
        let known = self.slots.iter().position(|(other, _)| *other == id);
        known.unwrap_or_else(|| {
            self.slots.push((id, shape.clone()));
            self.slots.len() - 1
        })
    }

    /// The shapes of the places.
    pub(in crate::field) fn shapes(&self) -> impl Iterator<Item = &Shape> {
        self.slots.iter().map(|(_, shape)| shape)
    }
}

/// Builds the statements of a scheduled program.
pub(in crate::field) struct Builder<'a> {
    g: &'a Graph,
    schedule: &'a Schedule,
    model: &'a Model,
    /// The tape, in functions that have one, and the values that are to be left there.
    tape: Option<(&'a mut Tape, &'a BTreeSet<Id>)>,
    /// The buffers that are declared with zeros in them.
    zeros: BTreeSet<Id>,
    pub(in crate::field) statements: Vec<Stmt>,
}

impl<'a> Builder<'a> {
    pub(in crate::field) fn new(
        g: &'a Graph,
        model: &'a Model,
        schedule: &'a Schedule,
        tape: Option<(&'a mut Tape, &'a BTreeSet<Id>)>,
    ) -> Self {
        Self { g, schedule, model, tape, zeros: BTreeSet::new(), statements: Vec::new() }
    }

    /// Computes the nodes for which `wanted` holds: what is given first, then operands first.
    pub(in crate::field) fn nodes(&mut self, wanted: impl Fn(Id) -> bool) {
        let nodes = self.schedule.places.iter().filter(|(id, _)| wanted(**id));
        let (given, computed): (Vec<_>, Vec<_>) =
            nodes.partition(|(_, place)| **place == Kept::Given);
        let given: Vec<Id> = given.into_iter().map(|(id, _)| *id).collect();
        self.given(&given);
        for (&id, &place) in computed {
            match place {
                Kept::Scalar if self.g.constant_of(id).is_some() => {}
                Kept::Scalar => self.scalar(id),
                Kept::View => {
                    let Op::Slice(a, offset) = self.g.op(id) else { continue };
                    self.statements.push(Stmt::Slice(id, Source::Part(*a, offset.clone())));
                }
                Kept::Buffer => self.buffer(id),
                Kept::Given | Kept::Inline | Kept::Direct => {}
            }
        }
    }

    /// Binds inputs and values that are on the tape.
    fn given(&mut self, nodes: &[Id]) {
        for (states, role) in [
            (States::Values, Role::State),
            (States::Tangents, Role::StateDot),
            (States::Cotangents, Role::DerivativeBar),
            (States::AfterCotangents, Role::AfterBar),
        ] {
            let bound = nodes.iter().filter_map(|&id| match *self.g.op(id) {
                Op::Input(input) if input.role == role => Some((id, input.index)),
                _ => None,
            });
            let bound: Vec<_> = bound.collect();
            if !bound.is_empty() {
                self.statements.push(Stmt::States(states, bound));
            }
        }
        for &id in nodes {
            let shape = self.g.shape(id);
            let statement = match *self.g.op(id) {
                Op::Input(Input { role: role @ (Role::Param | Role::ParamDot), index }) => {
                    let tangent = role == Role::ParamDot;
                    if shape.is_scalar() {
                        Stmt::Let(id, Expr::Param { tangent, index })
                    } else {
                        Stmt::Slice(id, Source::Param { tangent, index })
                    }
                }
                Op::Input(_) => continue,
                _ => {
                    let Some((tape, _)) = &mut self.tape else { continue };
                    let slot = tape.slot(id, shape);
                    if shape.is_scalar() {
                        Stmt::Let(id, Expr::Slot(slot))
                    } else {
                        Stmt::Slice(id, Source::Slot(slot))
                    }
                }
            };
            self.statements.push(statement);
        }
    }

    fn scalar(&mut self, id: Id) {
        let value = match self.g.op(id) {
            Op::Input(Input { index, .. }) => Expr::Side { jump: *index, is_looped: false },
            Op::Index(a, offset) => Expr::At(*a, offset.clone()),
            Op::Dot(a, b) => Expr::Reduce("dot", vec![*a, *b]),
            Op::Sum(a) => Expr::Reduce("sum", vec![*a]),
            op => operation(op, |id| self.number(id)),
        };
        self.statements.push(Stmt::Let(id, value));
        if let Some((tape, kept)) = &mut self.tape
            && kept.contains(&id)
        {
            let root = Root::Slot(tape.slot(id, &Shape::Scalar));
            let place = Place { root, offset: None, shape: Shape::Scalar };
            self.statements.push(Stmt::Store(place, Assign::Set, Expr::Var(id)));
        }
    }

    /// A vector or matrix in a buffer: on the tape where it is kept there or where the tape is
    /// scratch space of a model on the heap.
    fn buffer(&mut self, id: Id) {
        let shape = self.g.shape(id);
        let storage = match &mut self.tape {
            Some((tape, kept)) if self.model.is_dynamic() || kept.contains(&id) => {
                Storage::Slot(tape.slot(id, shape))
            }
            _ => {
                self.zeros.insert(id);
                Storage::Local
            }
        };
        self.statements.push(Stmt::Buffer(id, storage));
        let place = Place { root: Root::Buffer(id), offset: None, shape: shape.clone() };
        self.fill(place, id);
    }

    /// Writes and accumulates the results.
    pub(in crate::field) fn sinks(&mut self) {
        for Sink { target, value } in &self.schedule.sinks {
            let shape = self.g.shape(*value).clone();
            match target {
                Target::State(index) | Target::Switch(index) => {
                    let place = Place { root: Root::Result(*index), offset: None, shape };
                    self.write(place, *value, Assign::Set);
                }
                Target::Component(index, offset) => {
                    let offset = Some(offset.clone());
                    let place = Place { root: Root::Result(*index), offset, shape };
                    self.write(place, *value, Assign::Set);
                }
                Target::Side(first) => {
                    let place = Place { root: Root::Sides(*first), offset: None, shape };
                    self.write(place, *value, Assign::Set);
                }
                Target::Param { index, offset, negative } => {
                    let assign = if *negative { Assign::Subtract } else { Assign::Add };
                    let is_part = self.model.params[*index].shape != shape;
                    let offset = is_part.then(|| offset.clone());
                    let place = Place { root: Root::ParamBar(*index), offset, shape };
                    self.write(place, *value, assign);
                }
                Target::Return => {
                    let value = self.number(*value);
                    self.statements.push(Stmt::Return(value));
                }
            }
        }
    }

    /// Writes entries of the Jacobian, each at its offset, and zeros between them.
    pub(in crate::field) fn entries(&mut self, entries: &[(usize, Id)]) {
        let n = self.model.states.len();
        if entries.len() < n * n {
            let n = Dim::literal(n as i64);
            let shape = Shape::Matrix(n.clone(), n);
            self.statements.push(Stmt::Clear(Place { root: Root::Jacobian, offset: None, shape }));
        }
        for &(offset, value) in entries {
            let offset = Some(Dim::literal(offset as i64));
            let place = Place { root: Root::Jacobian, offset, shape: Shape::Scalar };
            self.write(place, value, Assign::Set);
        }
    }

    /// Writes, adds or subtracts a value, wherever it is kept.
    fn write(&mut self, place: Place, value: Id, assign: Assign) {
        if place.shape.is_scalar() {
            let value = self.number(value);
            self.statements.push(Stmt::Store(place, assign, value));
        } else if self.schedule.places[&value] != Kept::Direct {
            self.elementwise(place, value, assign);
        } else if assign == Assign::Set {
            self.fill(place, value);
        } else {
            self.product(place, value, true);
        }
    }

    /// Writes a node that is not kept elsewhere to a place.
    fn fill(&mut self, place: Place, id: Id) {
        match self.g.op(id) {
            Op::Concat(parts) => {
                let mut offset = Dim::default();
                for &part in parts {
                    let length = self.g.shape(part).length().unwrap_or_default();
                    self.part(&place, &offset, part, Assign::Set);
                    offset = offset.plus(&length);
                }
            }
            Op::Scatter(parts) => {
                if !self.is_zero(&place) {
                    self.statements.push(Stmt::Clear(place.clone()));
                }
                for (offset, part) in parts {
                    self.part(&place, offset, *part, Assign::Add);
                }
            }
            Op::Replace(a, parts) => {
                self.write(place.clone(), *a, Assign::Set);
                for (offset, part) in parts {
                    self.part(&place, offset, *part, Assign::Set);
                }
            }
            Op::MatVec(..) | Op::MatMul(..) | Op::Outer(..) => {
                let add = self.is_zero(&place);
                self.product(place, id, add);
            }
            Op::Transpose(a) => {
                let fill = Fill::Transpose(self.g.shape(*a).sizes()[0].clone());
                self.statements.push(Stmt::Call(fill, place, vec![*a]));
            }
            Op::Apply(function, x) if function.sliced => {
                self.statements.push(Stmt::Call(
                    Fill::Elementwise(function.name),
                    place,
                    x.clone(),
                ));
            }
            _ => self.elementwise(place, id, Assign::Set),
        }
    }

    /// Writes or adds a value to the components of a place from an offset on.
    fn part(&mut self, place: &Place, offset: &Dim, part: Id, assign: Assign) {
        let offset = place.offset.clone().unwrap_or_default().plus(offset);
        let shape = self.g.shape(part).clone();
        self.write(Place { root: place.root, offset: Some(offset), shape }, part, assign);
    }

    /// Writes a product to a place, or adds it.
    fn product(&mut self, place: Place, id: Id, add: bool) {
        let (fill, operands) = match self.g.op(id) {
            Op::MatVec(a, transposed, x) => {
                let name = match (transposed, add) {
                    (true, _) => "mat_vec_transposed",
                    (false, false) => "mat_vec",
                    (false, true) => "add_mat_vec",
                };
                (Fill::Support(name), vec![*a, *x])
            }
            Op::MatMul(a, ta, b, tb) => {
                let inner = self.g.shape(*a).sizes()[usize::from(!*ta)].clone();
                let [rows, columns] = &self.g.shape(id).sizes()[..] else { return };
                let name = match (self.model.is_dynamic(), add) {
                    (false, false) => "mat_mul",
                    (false, true) => "add_mat_mul",
                    (true, false) => "heap_mat_mul",
                    (true, true) => "add_heap_mat_mul",
                };
                let sizes = [rows.clone(), inner, columns.clone()];
                (Fill::MatMul(name, [*ta, *tb], sizes), vec![*a, *b])
            }
            Op::Outer(a, b) => {
                (Fill::Support(if add { "add_outer" } else { "outer" }), vec![*a, *b])
            }
            _ => return,
        };
        self.statements.push(Stmt::Call(fill, place, operands));
    }

    /// Whether a place is part of a buffer with zeros in it, each component of which is written once:
    /// what is added is what is there.
    fn is_zero(&self, place: &Place) -> bool {
        matches!(place.root, Root::Buffer(id) if self.zeros.contains(&id))
    }

    /// A loop that writes (or adds, or subtracts) a node to a place, component by component; what
    /// only this loop uses is computed inside.
    fn elementwise(&mut self, place: Place, id: Id, assign: Assign) {
        let (mut inside, mut stack) = (BTreeSet::new(), vec![id]);
        while let Some(node) = stack.pop() {
            let filled = node == id && place.root == Root::Buffer(id);
            if (filled || self.is_inline(node)) && inside.insert(node) {
                stack.extend(self.g.op(node).operands());
            }
        }
        let value = |node: Id| match self.g.op(node) {
            Op::Input(Input { index, .. }) => Expr::Side { jump: *index, is_looped: true },
            op => operation(op, |operand| self.component(operand)),
        };
        let computed = |node: &&Id| **node != id && !matches!(self.g.op(**node), Op::Fill(_));
        let body = inside.iter().filter(computed).map(|&node| Stmt::Let(node, value(node)));
        let body: Vec<Stmt> = body.collect();
        let value = if inside.contains(&id) { value(id) } else { self.component(id) };
        self.statements.push(Stmt::Loop(place, body, assign, value));
    }

    fn is_inline(&self, id: Id) -> bool {
        self.schedule.places.get(&id) == Some(&Kept::Inline)
    }

    /// A component of a value inside a loop.
    fn component(&self, id: Id) -> Expr {
        match *self.g.op(id) {
            _ if self.g.shape(id).is_scalar() => self.number(id),
            Op::Fill(x) if self.is_inline(id) => self.number(x),
            _ if self.is_inline(id) => Expr::Var(id),
            _ => Expr::Component(id),
        }
    }

    /// A scalar.
    fn number(&self, id: Id) -> Expr {
        self.g.constant_of(id).map_or(Expr::Var(id), Expr::Const)
    }
}

/// An elementwise operation on operands that `at` gives.
fn operation(op: &Op, at: impl Fn(Id) -> Expr) -> Expr {
    let mut operands: Vec<Expr> = op.operands().into_iter().map(at).collect();
    let operation = match op {
        Op::Neg(_) => Operation::Neg,
        Op::Add(..) => Operation::Add,
        Op::Sub(..) => Operation::Sub,
        Op::Mul(..) => Operation::Mul,
        Op::Div(..) => Operation::Div,
        Op::Power(_, n) => Operation::Power(*n),
        Op::Apply(function, _) => Operation::Method(function.name),
        Op::Select(_) => Operation::Select,
        // A scalar in every place.
        _ => return operands.remove(0),
    };
    Expr::Operation(operation, operands)
}
