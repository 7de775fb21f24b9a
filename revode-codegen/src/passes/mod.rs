//! Passes over the graph, one a file.

pub mod jacobian;
pub mod jvp;
pub mod sides;
pub mod simplify;
pub mod switches;
pub mod vjp;

use crate::functions::Rule;
use crate::ir::{Graph, Id, Op};

/// The partial derivatives of an elementwise node with respect to its operands, in their order;
/// `None` where one vanishes identically.
fn partials(g: &mut Graph, id: Id) -> Vec<Option<Id>> {
    let one = g.constant(1.0);
    let all = match g.op(id).clone() {
        Op::Neg(_) => vec![g.constant(-1.0)],
        Op::Add(..) => vec![one, one],
        Op::Sub(..) => vec![one, g.constant(-1.0)],
        Op::Mul(a, b) => vec![b, a],
        Op::Div(_, b) => {
            let minus = g.neg(id);
            vec![g.div(one, b), g.div(minus, b)]
        }
        Op::Power(a, n) => {
            let (factor, power) = (g.constant(f64::from(n)), g.power(a, n - 1));
            vec![g.mul(factor, power)]
        }
        Op::Fill(_) => vec![one],
        Op::Apply(function, arguments) => match function.rule {
            Rule::Method(_, partials) => partials(g, &arguments, id),
            Rule::Expansion(_) => vec![],
        },
        Op::Select([a, b, ..]) => {
            let zero = g.constant(0.0);
            let (then, otherwise) = (g.select([a, b, one, zero]), g.select([a, b, zero, one]));
            vec![zero, zero, then, otherwise]
        }
        _ => vec![],
    };
    all.into_iter()
        .map(|partial| (g.constant_of(partial) != Some(0.0)).then_some(partial))
        .collect()
}

/// `partial * derivative`. A choice between constants chooses between products instead, so that the
/// branch not taken contributes nothing, even where the derivative is infinite; a division is applied to the derivative, so that the terms of
/// a quotient share it.
fn chain(g: &mut Graph, derivative: Id, partial: Id) -> Id {
    match *g.op(partial) {
        Op::Select([a, b, then, otherwise])
            if g.constant_of(then).is_some() && g.constant_of(otherwise).is_some() =>
        {
            let then = scaled(g, derivative, then);
            let otherwise = scaled(g, derivative, otherwise);
            g.select([a, b, then, otherwise])
        }
        Op::Div(a, b) => {
            let quotient = g.div(derivative, b);
            g.mul(quotient, a)
        }
        Op::Neg(partial) => {
            let product = chain(g, derivative, partial);
            g.neg(product)
        }
        _ => g.mul(derivative, partial),
    }
}

/// `derivative * factor` for a constant; zero where the factor is.
fn scaled(g: &mut Graph, derivative: Id, factor: Id) -> Id {
    if g.constant_of(factor) == Some(0.0) { factor } else { g.mul(derivative, factor) }
}
