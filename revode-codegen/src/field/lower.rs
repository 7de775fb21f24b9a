//! From a checked model to its program. Nothing can fail here.

use std::collections::BTreeMap;

use super::ast::{Expr, ExprKind, Operator, Statement};
use super::events;
use super::model::Model;
use super::program::Program;
use super::sizes;
use crate::diagnostics::Diagnostics;
use crate::functions::{self, CONSTANTS};
use crate::ir::{Dim, Graph, Id, Input, Role, Shape, Sink, Target};
use crate::passes::switches::Call;

/// Builds the graph of the equations and differentiates it.
pub(super) fn lower(model: &Model) -> Program {
    let sizes = model.generics.iter().chain(&model.dims).map(ToString::to_string).collect();
    let mut lowering =
        Lowering { g: Graph::default(), values: BTreeMap::new(), sizes, calls: BTreeMap::new() };
    for (name, value) in CONSTANTS {
        let id = lowering.g.constant(value);
        lowering.values.insert(name.to_owned(), id);
    }
    lowering.inputs(model);
    for (name, value) in &model.constants {
        let id = lowering.expr(value);
        lowering.values.insert(name.to_string(), id);
    }
    let mut equations = BTreeMap::new();
    for statement in &model.statements {
        match statement {
            Statement::Let { name, value } => {
                let id = lowering.expr(value);
                lowering.g.name(id, name.to_string());
                lowering.values.insert(name.to_string(), id);
            }
            Statement::Equation { state, value, .. } => {
                equations.insert(state.clone(), lowering.expr(value));
            }
            // Their programs come after those of the equations.
            Statement::Event(_) => {}
        }
    }
    let g = &mut lowering.g;
    let mut eval = Vec::new();
    for (index, state) in model.states.iter().enumerate() {
        let value = g.fill(equations[&state.name.to_string()], state.shape.clone());
        eval.push(Sink { target: Target::State(index), value });
    }
    let g = std::mem::take(g);
    let mut program = Program::new(g, &eval, &model.state_shapes(), &lowering.calls);
    lowering.g = program.graph;
    program.events = events::lower::lower(&mut lowering, model, &program.jumps);
    program.graph = lowering.g;
    program.verified()
}

/// The graph as it is built, and what names mean at a place.
pub(super) struct Lowering {
    pub(super) g: Graph,
    pub(super) values: BTreeMap<String, Id>,
    /// The names of sizes, and the variable of `for`.
    pub(super) sizes: Vec<String>,
    /// The calls in the text, by what they became.
    calls: BTreeMap<Id, Call>,
}

impl Lowering {
    fn inputs(&mut self, model: &Model) {
        let states = model.states.iter().enumerate().map(|(k, v)| (Role::State, k, v));
        let params = model.params.iter().enumerate().map(|(k, v)| (Role::Param, k, v));
        for (role, index, variable) in states.chain(params) {
            let name = variable.name.to_string();
            let id = self.g.input(Input { role, index }, variable.shape.clone());
            self.g.name(id, name.clone());
            self.values.insert(name, id);
        }
        let t = self.g.input(Input { role: Role::Time, index: 0 }, Shape::Scalar);
        self.values.insert("t".to_owned(), t);
    }

    pub(super) fn expr(&mut self, expr: &Expr) -> Id {
        match &expr.kind {
            ExprKind::Number(x) => self.g.constant(*x),
            ExprKind::Name(name) => self.values[&name.to_string()],
            ExprKind::Group(a) => self.expr(a),
            ExprKind::Neg(a) => {
                let a = self.expr(a);
                self.g.neg(a)
            }
            ExprKind::Binary(operator, _, a, b) => {
                let (a, b) = (self.expr(a), self.expr(b));
                match operator {
                    Operator::Add => self.g.add(a, b),
                    Operator::Sub => self.g.sub(a, b),
                    Operator::Mul => self.g.mul(a, b),
                    Operator::Div => self.g.div(a, b),
                    Operator::Power => self.g.raise(a, b),
                    Operator::Product => self.product(a, b),
                }
            }
            ExprKind::Call(name, arguments) => {
                let name = name.to_string();
                let values: Vec<Id> = arguments.iter().map(|a| self.expr(a)).collect();
                let id = self.call(&name, values);
                if let Some(function) = functions::find(&name) {
                    let call = || Call { function: function.name, argument: difference(arguments) };
                    self.calls.entry(id).or_insert_with(call);
                }
                id
            }
            ExprKind::Index(a, indices) => {
                let a = self.expr(a);
                let offset = self.offset(a, indices);
                self.g.index(a, offset)
            }
            ExprKind::Slice(a, start, end) => {
                let a = self.expr(a);
                let start = start.as_ref().map_or_else(Dim::default, |start| self.size(start));
                let end = match end {
                    Some(end) => self.size(end),
                    None => self.g.shape(a).sizes()[0].clone(),
                };
                let length = end.minus(&start);
                self.g.slice(a, start, length)
            }
        }
    }

    /// Which component row `i` and column `j` are: `i + j rows`.
    pub(super) fn offset(&self, a: Id, indices: &[Expr]) -> Dim {
        let rows = self.g.shape(a).sizes()[0].clone();
        let indices: Vec<Dim> = indices.iter().map(|index| self.size(index)).collect();
        match &indices[..] {
            [i, j] => match j.as_literal() {
                Some(j) => i.plus(&rows.times(j)),
                None => i.plus(&j.times(rows.as_literal().expect("the check has refused others"))),
            },
            _ => indices[0].clone(),
        }
    }

    fn call(&mut self, name: &str, arguments: Vec<Id>) -> Id {
        match name {
            "concat" => {
                let lengths = arguments.iter().filter_map(|a| self.g.shape(*a).length());
                let length = lengths.fold(Dim::default(), |sum, length| sum.plus(&length));
                self.g.concat(arguments, Shape::Vector(length))
            }
            "dot" => self.g.dot(arguments[0], arguments[1]),
            "sum" => self.g.sum(arguments[0]),
            "transpose" => self.g.transpose(arguments[0]),
            "norm2" => {
                let square = self.g.dot(arguments[0], arguments[0]);
                self.g.call("sqrt", vec![square])
            }
            _ => self.g.call(name, arguments),
        }
    }

    /// A vector on the left of `@` is a row, on the right a column.
    fn product(&mut self, a: Id, b: Id) -> Id {
        match (self.g.shape(a), self.g.shape(b)) {
            (Shape::Matrix(..), Shape::Matrix(..)) => self.g.mat_mul(a, false, b, false),
            (Shape::Matrix(..), _) => self.g.mat_vec(a, false, b),
            (_, Shape::Matrix(..)) => self.g.mat_vec(b, true, a),
            _ => self.g.dot(a, b),
        }
    }

    pub(super) fn size(&self, expr: &Expr) -> Dim {
        sizes::evaluate(expr, &self.sizes, &mut Diagnostics::new()).expect("sizes are checked")
    }
}

/// The argument whose sign is meant, or the first one minus the second, as it is written.
fn difference(arguments: &[Expr]) -> String {
    let written: Vec<String> = arguments
        .iter()
        .enumerate()
        .map(|(k, argument)| match argument.kind {
            ExprKind::Neg(_) | ExprKind::Binary(Operator::Add | Operator::Sub, ..) if k > 0 => {
                format!("({argument})")
            }
            _ => argument.to_string(),
        })
        .collect();
    written.join(" - ")
}
