//! Forward differentiation: from a program for `f` to one for its Jacobian–vector product.

use std::collections::{BTreeMap, BTreeSet};

use super::{chain, partials};
use crate::ir::{Dim, Graph, Id, Input, Op, Role, Sink};

/// Appends to `g` the derivative of the program `outputs` along the inputs' tangents that `seed`
/// gives, and returns its sinks.
pub fn jvp(
    g: &mut Graph,
    outputs: &[Sink],
    seed: impl Fn(&mut Graph, Input, Id) -> Option<Id>,
) -> Vec<Sink> {
    let live = g.live(outputs.iter().map(|output| output.value), &BTreeSet::new());
    let mut dots: BTreeMap<Id, Id> = BTreeMap::new();
    for id in live {
        let op = g.op(id).clone();
        let dot = match op {
            Op::Input(input) => seed(g, input, id),
            _ if op.is_elementwise() => elementwise(g, &dots, id),
            _ => structural(g, &dots, id, &op),
        };
        if let Some(dot) = dot {
            let dot = g.fill(dot, g.shape(id).clone());
            dots.insert(id, dot);
        }
    }
    let mut sinks = outputs.to_vec();
    for sink in &mut sinks {
        let zero = g.constant(0.0);
        let shape = g.shape(sink.value).clone();
        sink.value = dots.get(&sink.value).map_or_else(|| g.fill(zero, shape), |&dot| dot);
    }
    sinks
}

/// The tangent along time, states and parameters, as inputs.
pub fn all_tangents(g: &mut Graph, input: Input, id: Id) -> Option<Id> {
    let role = match input.role {
        Role::Time => Role::TimeDot,
        Role::State => Role::StateDot,
        Role::Param => Role::ParamDot,
        _ => return None,
    };
    let shape = g.shape(id).clone();
    Some(g.input(Input { role, index: input.index }, shape))
}

/// The tangent along time alone, 1.
pub fn time(g: &mut Graph, input: Input, _: Id) -> Option<Id> {
    (input.role == Role::Time).then(|| g.constant(1.0))
}

/// The tangent along time and states, as inputs; parameters stay.
pub fn tangents_of_states(g: &mut Graph, input: Input, id: Id) -> Option<Id> {
    if input.role == Role::Param { None } else { all_tangents(g, input, id) }
}

fn elementwise(g: &mut Graph, dots: &BTreeMap<Id, Id>, id: Id) -> Option<Id> {
    let operands = g.op(id).operands();
    if !operands.iter().any(|operand| dots.contains_key(operand)) {
        return None;
    }
    let terms: Vec<Id> = operands
        .into_iter()
        .zip(partials(g, id))
        .filter_map(|(operand, partial)| Some(chain(g, *dots.get(&operand)?, partial?)))
        .collect();
    terms.into_iter().reduce(|a, b| g.add(a, b))
}

fn structural(g: &mut Graph, dots: &BTreeMap<Id, Id>, id: Id, op: &Op) -> Option<Id> {
    let dot = |id: &Id| dots.get(id).copied();
    let shape = g.shape(id).clone();
    match op {
        Op::Slice(a, offset) => Some(g.slice(dot(a)?, offset.clone(), shape.length()?)),
        Op::Index(a, offset) => Some(g.index(dot(a)?, offset.clone())),
        Op::Sum(a) => Some(g.sum(dot(a)?)),
        Op::Transpose(a) => Some(g.transpose(dot(a)?)),
        Op::Concat(parts) => {
            parts.iter().find_map(dot)?;
            let parts = parts.iter().map(|part| dot_or_zero(g, dots, *part)).collect();
            Some(g.concat(parts, shape))
        }
        Op::Scatter(parts) => {
            let parts: Vec<(Dim, Id)> =
                parts.iter().filter_map(|(at, part)| Some((at.clone(), dot(part)?))).collect();
            (!parts.is_empty()).then(|| g.scatter(parts, shape))
        }
        Op::Replace(a, parts) => {
            std::iter::once(a).chain(parts.iter().map(|(_, part)| part)).find_map(dot)?;
            let a_dot = dot_or_zero(g, dots, *a);
            Some(parts.iter().fold(a_dot, |result, (offset, part)| {
                let part = dot_or_zero(g, dots, *part);
                g.replace(result, offset.clone(), part)
            }))
        }
        &Op::Dot(a, b) => bilinear(g, dots, a, b, Graph::dot),
        &Op::MatVec(a, transposed, x) => {
            bilinear(g, dots, a, x, |g, a, x| g.mat_vec(a, transposed, x))
        }
        &Op::MatMul(a, ta, b, tb) => bilinear(g, dots, a, b, |g, a, b| g.mat_mul(a, ta, b, tb)),
        &Op::Outer(a, b) => bilinear(g, dots, a, b, Graph::outer),
        _ => None,
    }
}

/// The product rule.
fn bilinear(
    g: &mut Graph,
    dots: &BTreeMap<Id, Id>,
    a: Id,
    b: Id,
    product: impl Fn(&mut Graph, Id, Id) -> Id,
) -> Option<Id> {
    let first = dots.get(&a).map(|&a_dot| product(g, a_dot, b));
    let second = dots.get(&b).map(|&b_dot| product(g, a, b_dot));
    first.into_iter().chain(second).reduce(|x, y| g.add(x, y))
}

fn dot_or_zero(g: &mut Graph, dots: &BTreeMap<Id, Id>, id: Id) -> Id {
    let zero = g.constant(0.0);
    dots.get(&id).copied().unwrap_or_else(|| g.fill(zero, g.shape(id).clone()))
}
