//! Reverse differentiation: from a program for `f` to one for its vector–Jacobian product.

use std::collections::{BTreeMap, BTreeSet};

use super::{chain, partials};
use crate::ir::{Dim, Graph, Id, Input, Op, Role, Shape, Sink, Target};

/// Appends to `g` the vector–Jacobian product of the program `outputs` (one for each state's
/// derivative) and returns its sinks: a write for each state, additions for the parameters, and
/// the derivative by time.
pub fn vjp(g: &mut Graph, outputs: &[Sink], states: &[Shape]) -> Vec<Sink> {
    vjp_from(g, Role::DerivativeBar, outputs, states)
}

/// [`vjp`] of outputs whose cotangents are inputs of the role `seed`.
pub fn vjp_from(g: &mut Graph, seed: Role, outputs: &[Sink], states: &[Shape]) -> Vec<Sink> {
    let mut bars = Cotangents::default();
    for output in outputs {
        let index = match output.target {
            Target::State(index) => index,
            Target::Return => 0,
            _ => continue,
        };
        let bar = g.input(Input { role: seed, index }, g.shape(output.value).clone());
        bars.add(output.value, Contribution::whole(bar));
    }
    let live = g.live(outputs.iter().map(|output| output.value), &BTreeSet::new());
    let mut state_bars = vec![None; states.len()];
    let mut time_bar = None;
    let mut parameter_sinks = Vec::new();
    for &id in live.iter().rev() {
        let Some(contributions) = bars.take(id) else { continue };
        match g.op(id) {
            Op::Const(_) | Op::Input(Input { role: Role::Side, .. }) => {}
            Op::Input(Input { role: Role::Param, index }) => {
                let index = *index;
                parameter_sinks.push(accumulate(g, index, contributions));
            }
            op => {
                let op = op.clone();
                let shape = g.shape(id).clone();
                let bar = total(g, contributions, &shape);
                match op {
                    Op::Input(Input { role: Role::State, index }) => state_bars[index] = Some(bar),
                    Op::Input(Input { role: Role::Time, .. }) => time_bar = Some(bar),
                    // A tangent, along which the output was differentiated.
                    Op::Input(_) => {}
                    _ if op.is_elementwise() => elementwise(g, &mut bars, id, bar),
                    _ => structural(g, &mut bars, &op, bar),
                }
            }
        }
    }
    let zero = g.constant(0.0);
    let mut sinks = Vec::new();
    for (index, bar) in state_bars.into_iter().enumerate() {
        let value = bar.unwrap_or_else(|| g.fill(zero, states[index].clone()));
        sinks.push(Sink { target: Target::State(index), value });
    }
    parameter_sinks.reverse();
    sinks.extend(parameter_sinks.into_iter().flatten());
    sinks.push(Sink { target: Target::Return, value: time_bar.unwrap_or(zero) });
    sinks
}

/// Hands the cotangent of an elementwise node to its operands.
fn elementwise(g: &mut Graph, bars: &mut Cotangents, id: Id, bar: Id) {
    let operands = g.op(id).operands();
    for (operand, partial) in operands.into_iter().zip(partials(g, id)) {
        let Some(partial) = partial else { continue };
        if g.constant_of(operand).is_some() {
            continue;
        }
        let product = chain(g, bar, partial);
        // What was broadcast is summed.
        let contribution = if g.shape(operand).is_scalar() { g.sum(product) } else { product };
        bars.add(operand, Contribution::whole(contribution));
    }
}

/// Hands the cotangent of any other node to its operands.
fn structural(g: &mut Graph, bars: &mut Cotangents, op: &Op, bar: Id) {
    match *op {
        Op::Slice(a, ref offset) | Op::Index(a, ref offset) => {
            bars.add(a, Contribution { offset: Some(offset.clone()), value: bar });
        }
        Op::Concat(ref parts) => {
            let mut offset = Dim::literal(0);
            for &part in parts {
                let shape = g.shape(part).clone();
                let length = shape.length().expect("parts of a concatenation are vectors");
                let value = if shape.is_scalar() {
                    g.index(bar, offset.clone())
                } else {
                    g.slice(bar, offset.clone(), length.clone())
                };
                bars.add(part, Contribution::whole(value));
                offset = offset.plus(&length);
            }
        }
        Op::Sum(a) => {
            let value = g.fill(bar, g.shape(a).clone());
            bars.add(a, Contribution::whole(value));
        }
        Op::Dot(a, b) => {
            for (operand, other) in [(a, b), (b, a)] {
                let value = g.mul(bar, other);
                bars.add(operand, Contribution::whole(value));
            }
        }
        Op::MatVec(a, transposed, x) => {
            let a_bar = if transposed { g.outer(x, bar) } else { g.outer(bar, x) };
            let x_bar = g.mat_vec(a, !transposed, bar);
            bars.add(a, Contribution::whole(a_bar));
            bars.add(x, Contribution::whole(x_bar));
        }
        Op::MatMul(a, ta, b, tb) => {
            let a_bar =
                if ta { g.mat_mul(b, tb, bar, true) } else { g.mat_mul(bar, false, b, !tb) };
            let b_bar =
                if tb { g.mat_mul(bar, true, a, ta) } else { g.mat_mul(a, !ta, bar, false) };
            bars.add(a, Contribution::whole(a_bar));
            bars.add(b, Contribution::whole(b_bar));
        }
        Op::Outer(a, b) => {
            let (a_bar, b_bar) = (g.mat_vec(bar, false, b), g.mat_vec(bar, true, a));
            bars.add(a, Contribution::whole(a_bar));
            bars.add(b, Contribution::whole(b_bar));
        }
        Op::Transpose(a) => {
            let value = g.transpose(bar);
            bars.add(a, Contribution::whole(value));
        }
        Op::Scatter(ref parts) => {
            for (offset, part) in parts {
                let shape = g.shape(*part).clone();
                let length = shape.length().expect("parts of a sum are vectors");
                let value = g.slice(bar, offset.clone(), length);
                bars.add(*part, Contribution::whole(value));
            }
        }
        Op::Replace(a, ref parts) => {
            // The last part comes first, since it hides what the others and `a` are there.
            let (mut bar, zero) = (bar, g.constant(0.0));
            for (offset, part) in parts.iter().rev() {
                let value = g.index(bar, offset.clone());
                bars.add(*part, Contribution::whole(value));
                bar = g.replace(bar, offset.clone(), zero);
            }
            bars.add(a, Contribution::whole(bar));
        }
        _ => {}
    }
}

/// A term of a cotangent: of the whole value, or of the components from an offset on.
#[derive(Debug, Clone)]
struct Contribution {
    offset: Option<Dim>,
    value: Id,
}

impl Contribution {
    fn whole(value: Id) -> Self {
        Self { offset: None, value }
    }
}

#[derive(Debug, Default)]
struct Cotangents {
    terms: BTreeMap<Id, Vec<Contribution>>,
}

impl Cotangents {
    fn add(&mut self, id: Id, contribution: Contribution) {
        self.terms.entry(id).or_default().push(contribution);
    }

    fn take(&mut self, id: Id) -> Option<Vec<Contribution>> {
        self.terms.remove(&id)
    }
}

/// The sinks of a parameter's cotangent. Products of matrices are accumulated one by one, without
/// a temporary; so are the parts; all the rest is one sum.
fn accumulate(g: &mut Graph, index: usize, contributions: Vec<Contribution>) -> Vec<Sink> {
    let mut sinks = Vec::new();
    let mut rest: Option<Id> = None;
    for Contribution { offset, value } in contributions {
        let product = matches!(g.op(value), Op::Outer(..) | Op::MatMul(..));
        match offset {
            None if !product => rest = Some(rest.map_or(value, |rest| g.add(rest, value))),
            offset => sinks.push(addition(g, index, offset.unwrap_or_default(), value)),
        }
    }
    let rest = rest.map(|value| addition(g, index, Dim::default(), value));
    rest.into_iter().chain(sinks).collect()
}

/// The addition of a value to a parameter's cotangent; of `-x`, as the subtraction of `x`.
fn addition(g: &Graph, index: usize, offset: Dim, value: Id) -> Sink {
    let (negative, value) = match *g.op(value) {
        // Products of matrices are accumulated by a function that only adds.
        Op::Neg(x) if !matches!(g.op(x), Op::MatMul(..)) => (true, x),
        _ => (false, value),
    };
    Sink { target: Target::Param { index, offset, negative }, value }
}

/// The sum of contributions to a value.
fn total(g: &mut Graph, contributions: Vec<Contribution>, shape: &Shape) -> Id {
    if contributions.iter().all(|contribution| contribution.offset.is_none()) {
        let values = contributions.into_iter().map(|contribution| contribution.value);
        return values.reduce(|a, b| g.add(a, b)).expect("there is a contribution");
    }
    if let Some(whole) = replaced(g, &contributions) {
        return whole;
    }
    if let Some(parts) = segments(g, &contributions, shape) {
        return g.concat(parts, shape.clone());
    }
    let parts = contributions.into_iter().map(|c| (c.offset.unwrap_or_default(), c.value));
    g.scatter(parts.collect(), shape.clone())
}

/// The sum of one contribution with components replaced and others that are one of these components each; `None` where
/// it is anything else.
fn replaced(g: &mut Graph, contributions: &[Contribution]) -> Option<Id> {
    let (wholes, parts): (Vec<_>, Vec<_>) = contributions.iter().partition(|c| c.offset.is_none());
    let [whole] = wholes[..] else { return None };
    let mut sum = whole.value;
    for Contribution { offset, value } in parts {
        let offset = offset.as_ref()?;
        let Op::Replace(_, replaced) = g.op(sum) else { return None };
        if !g.shape(*value).is_scalar() || !replaced.iter().any(|(at, _)| at == offset) {
            return None;
        }
        let there = g.index(sum, offset.clone());
        let component = g.add(there, *value);
        sum = g.replace(sum, offset.clone(), component);
    }
    Some(sum)
}

/// The value cut where contributions begin and end, with the sum of what covers each segment; or
/// `None` where the cuts are not literal.
fn segments(g: &mut Graph, contributions: &[Contribution], shape: &Shape) -> Option<Vec<Id>> {
    let length = shape.length()?.as_literal()?;
    let mut ranges = Vec::new();
    for contribution in contributions {
        let start = contribution.offset.as_ref().map_or(Some(0), Dim::as_literal)?;
        let count = g.shape(contribution.value).length()?.as_literal()?;
        ranges.push((start, start + count, contribution.value));
    }
    let cuts: BTreeSet<i64> =
        ranges.iter().flat_map(|&(start, end, _)| [start, end]).chain([0, length]).collect();
    let cuts: Vec<i64> = cuts.into_iter().collect();
    let mut parts = Vec::new();
    for cut in cuts.windows(2) {
        let count = cut[1] - cut[0];
        let mut part: Option<Id> = None;
        for &(start, end, value) in &ranges {
            if start <= cut[0] && cut[1] <= end {
                let offset = Dim::literal(cut[0] - start);
                let piece = match count {
                    1 => g.index(value, offset),
                    _ => g.slice(value, offset, Dim::literal(count)),
                };
                part = Some(part.map_or(piece, |part| g.add(part, piece)));
            }
        }
        parts.push(part.unwrap_or_else(|| {
            let zero = g.constant(0.0);
            if count == 1 { zero } else { g.fill(zero, Shape::Vector(Dim::literal(count))) }
        }));
    }
    Some(parts)
}
