//! The last pass before emission: integer powers become products.

use std::collections::{BTreeMap, BTreeSet};

use crate::ir::{Graph, Id, Op};

/// Appends to `g` the program of `roots` with integer powers expanded to shared products, and
/// returns the new ids of its nodes.
pub fn expand_powers(g: &mut Graph, roots: &[Id]) -> BTreeMap<Id, Id> {
    let mut new: BTreeMap<Id, Id> = BTreeMap::new();
    for id in g.live(roots.iter().copied(), &BTreeSet::new()) {
        let shape = g.shape(id).clone();
        let replaced = match g.op(id).map(|operand| new[&operand]) {
            Op::Power(a, n) => power(g, a, n),
            op => g.intern(op, shape),
        };
        if let Some(name) = g.name_of(id).map(str::to_owned) {
            g.name(replaced, name);
        }
        new.insert(id, replaced);
    }
    new
}

/// `a` to the power `n` by repeated squaring.
fn power(g: &mut Graph, a: Id, n: i32) -> Id {
    let shape = g.shape(a).clone();
    if n < 0 {
        let (one, power) = (g.constant(1.0), power(g, a, -n));
        return g.intern(Op::Div(one, power), shape);
    }
    if n == 1 {
        return a;
    }
    let root = power(g, a, n / 2);
    let square = g.intern(Op::Mul(root, root), shape.clone());
    if n % 2 == 0 { square } else { g.intern(Op::Mul(a.min(square), a.max(square)), shape) }
}
