//! Checks what every pass relies on.

use super::{Graph, Id, Op, Shape};

/// Checks that operands come before their users and that shapes fit.
///
/// # Errors
/// A description of the first node that does not.
pub fn verify(g: &Graph) -> Result<(), String> {
    for id in (0..g.len()).map(Id) {
        let op = g.op(id);
        if op.operands().iter().any(|operand| *operand >= id) {
            return Err(format!("node {} uses a later one: {op:?}", id.0));
        }
        if !fits(g, op, g.shape(id)) {
            let operands: Vec<String> =
                op.operands().iter().map(|operand| g.shape(*operand).to_string()).collect();
            return Err(format!(
                "node {} has shape {}, operands {operands:?}: {op:?}",
                id.0,
                g.shape(id)
            ));
        }
    }
    Ok(())
}

fn fits(g: &Graph, op: &Op, shape: &Shape) -> bool {
    let of = |id: &Id| g.shape(*id);
    let sizes = |id: &Id, transposed: bool| {
        let mut sizes = g.shape(*id).sizes();
        if transposed {
            sizes.reverse();
        }
        sizes
    };
    match op {
        Op::Const(_) => shape.is_scalar(),
        Op::Input(_) => true,
        Op::Fill(a) => of(a).is_scalar(),
        op if op.is_elementwise() => {
            let operands = op.operands();
            operands.iter().all(|id| of(id).is_scalar() || of(id) == shape)
                && (shape.is_scalar() || operands.iter().any(|id| of(id) == shape))
        }
        Op::Slice(a, _) => !of(a).is_scalar() && matches!(shape, Shape::Vector(_)),
        Op::Index(a, _) => !of(a).is_scalar() && shape.is_scalar(),
        Op::Concat(parts) => {
            let lengths: Option<Vec<_>> = parts.iter().map(|part| of(part).length()).collect();
            let sum = lengths.and_then(|all| all.into_iter().reduce(|a, b| a.plus(&b)));
            sum.is_some() && sum == shape.length()
        }
        Op::Scatter(parts) => !shape.is_scalar() && !parts.is_empty(),
        Op::Replace(a, parts) => {
            of(a) == shape
                && !parts.is_empty()
                && parts.iter().all(|(_, part)| of(part).is_scalar())
        }
        Op::Dot(a, b) => shape.is_scalar() && of(a) == of(b) && !of(a).is_scalar(),
        Op::Sum(a) => shape.is_scalar() && !of(a).is_scalar(),
        Op::MatVec(a, transposed, x) => {
            let a = sizes(a, *transposed);
            a.len() == 2 && sizes(x, false) == a[1..] && shape.sizes() == a[..1]
        }
        Op::MatMul(a, ta, b, tb) => {
            let (a, b) = (sizes(a, *ta), sizes(b, *tb));
            a.len() == 2
                && b.len() == 2
                && a[1] == b[0]
                && shape.sizes() == [a[0].clone(), b[1].clone()]
        }
        Op::Outer(a, b) => {
            let (a, b) = (sizes(a, false), sizes(b, false));
            a.len() == 1 && b.len() == 1 && shape.sizes() == [a, b].concat()
        }
        Op::Transpose(a) => shape.sizes().len() == 2 && sizes(a, true) == shape.sizes(),
        _ => false,
    }
}
