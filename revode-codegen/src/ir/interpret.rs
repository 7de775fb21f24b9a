//! Evaluates a graph in `f64`: what generated code is compared with.

use std::collections::BTreeMap;

use super::{Dim, Graph, Id, Input, Op};
use crate::functions::Rule;

/// The values of all nodes in `roots` and below, column-major, where `input` gives the inputs and
/// `sizes` the named sizes.
pub fn interpret(
    g: &Graph,
    roots: &[Id],
    sizes: &BTreeMap<String, usize>,
    input: impl Fn(Input) -> Vec<f64>,
) -> BTreeMap<Id, Vec<f64>> {
    let mut values: BTreeMap<Id, Vec<f64>> = BTreeMap::new();
    for id in g.live(roots.iter().copied(), &std::collections::BTreeSet::new()) {
        let value = match g.op(id) {
            Op::Input(at) => input(*at),
            op if op.is_elementwise() => {
                let n = g.shape(id).count(sizes);
                let operands = op.operands();
                (0..n)
                    .map(|i| {
                        let x: Vec<f64> =
                            operands.iter().map(|operand| component(&values[operand], i)).collect();
                        elementwise(op, &x)
                    })
                    .collect()
            }
            op => structural(g, id, op, sizes, &values),
        };
        values.insert(id, value);
    }
    values
}

/// Component `i` of a vector; a scalar is broadcast.
fn component(value: &[f64], i: usize) -> f64 {
    if value.len() == 1 { value[0] } else { value[i] }
}

fn elementwise(op: &Op, x: &[f64]) -> f64 {
    match op {
        Op::Neg(_) => -x[0],
        Op::Add(..) => x[0] + x[1],
        Op::Sub(..) => x[0] - x[1],
        Op::Mul(..) => x[0] * x[1],
        Op::Div(..) => x[0] / x[1],
        Op::Power(_, n) => x[0].powi(*n),
        Op::Apply(function, _) => match function.rule {
            Rule::Method(value, _) => value(x),
            Rule::Expansion(_) => unreachable!("expansions are not nodes"),
        },
        Op::Select(_) => {
            if x[0] >= x[1] {
                x[2]
            } else {
                x[3]
            }
        }
        _ => x[0],
    }
}

fn structural(
    g: &Graph,
    id: Id,
    op: &Op,
    sizes: &BTreeMap<String, usize>,
    values: &BTreeMap<Id, Vec<f64>>,
) -> Vec<f64> {
    let n = g.shape(id).count(sizes);
    let at = |offset: &Dim| offset.value(sizes);
    match op {
        Op::Const(bits) => vec![f64::from_bits(*bits)],
        Op::Slice(a, offset) => values[a][at(offset)..][..n].to_vec(),
        Op::Index(a, offset) => vec![values[a][at(offset)]],
        Op::Concat(parts) => parts.iter().flat_map(|part| values[part].clone()).collect(),
        Op::Scatter(parts) => {
            let mut sum = vec![0.0; n];
            for (offset, part) in parts {
                for (x, y) in sum[at(offset)..].iter_mut().zip(&values[part]) {
                    *x += y;
                }
            }
            sum
        }
        Op::Replace(a, parts) => {
            let mut all = values[a].clone();
            for (offset, part) in parts {
                all[at(offset)] = values[part][0];
            }
            all
        }
        Op::Dot(a, b) => vec![values[a].iter().zip(&values[b]).map(|(x, y)| x * y).sum()],
        Op::Sum(a) => vec![values[a].iter().sum()],
        Op::MatVec(a, transposed, x) => product(g, sizes, values, (*a, *transposed), (*x, false)),
        Op::MatMul(a, ta, b, tb) => product(g, sizes, values, (*a, *ta), (*b, *tb)),
        Op::Outer(a, b) => product(g, sizes, values, (*a, false), (*b, true)),
        Op::Transpose(a) => {
            let rows = g.shape(*a).sizes()[0].value(sizes);
            (0..rows).flat_map(|i| values[a][i..].iter().step_by(rows).copied()).collect()
        }
        _ => unreachable!("elementwise and input nodes are evaluated by the caller"),
    }
}

/// `A B`, column-major, a vector as one column, each transposed where its flag is set.
fn product(
    g: &Graph,
    sizes: &BTreeMap<String, usize>,
    values: &BTreeMap<Id, Vec<f64>>,
    a: (Id, bool),
    b: (Id, bool),
) -> Vec<f64> {
    let entry = |(id, transposed): (Id, bool)| {
        let mut shape: Vec<usize> = g.shape(id).sizes().iter().map(|n| n.value(sizes)).collect();
        shape.resize(2, 1);
        let (rows, values) = (shape[0], &values[&id]);
        if transposed {
            shape.reverse();
        }
        (
            shape,
            move |i: usize, j: usize| {
                if transposed { values[j + rows * i] } else { values[i + rows * j] }
            },
        )
    };
    let ((a_shape, a), (b_shape, b)) = (entry(a), entry(b));
    let mut result = Vec::new();
    for j in 0..b_shape[1] {
        for i in 0..a_shape[0] {
            result.push((0..a_shape[1]).map(|k| a(i, k) * b(k, j)).sum());
        }
    }
    result
}
