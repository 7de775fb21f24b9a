//! How nodes are made that are not elementwise: products, reductions, slices.

use super::{Dim, Graph, Id, Op, Shape};

impl Graph {
    /// `length` components of `a` from `offset` on.
    pub fn slice(&mut self, a: Id, offset: Dim, length: Dim) -> Id {
        if offset.as_literal() == Some(0) && *self.shape(a) == Shape::Vector(length.clone()) {
            return a;
        }
        if let Op::Fill(x) = *self.op(a) {
            return self.fill(x, Shape::Vector(length));
        }
        if let Op::Slice(x, start) = self.op(a) {
            let (x, offset) = (*x, start.plus(&offset));
            return self.slice(x, offset, length);
        }
        if let Op::Replace(x, parts) = self.op(a) {
            let is_outside = |at: &Dim| {
                let before = at.minus(&offset).as_literal().is_some_and(|n| n < 0);
                before || at.minus(&offset).minus(&length).as_literal().is_some_and(|n| n >= 0)
            };
            if parts.iter().all(|(at, _)| is_outside(at)) {
                return self.slice(*x, offset, length);
            }
        }
        self.intern(Op::Slice(a, offset), Shape::Vector(length))
    }

    /// The component of `a` at `offset`; of a matrix, in column-major order.
    pub fn index(&mut self, a: Id, offset: Dim) -> Id {
        match self.op(a).clone() {
            _ if self.shape(a).is_scalar() => a,
            Op::Fill(x) => x,
            Op::Slice(x, start) => self.index(x, start.plus(&offset)),
            Op::Replace(x, parts) => {
                // The last part that may be there, if it surely is.
                let last = parts.iter().rfind(|(at, _)| !differ(at, &offset));
                match last {
                    Some((at, part)) if *at == offset => *part,
                    Some(_) => self.intern(Op::Index(a, offset), Shape::Scalar),
                    None => self.index(x, offset),
                }
            }
            Op::Concat(parts) => match self.part_at(&parts, &offset) {
                Some((part, offset)) => self.index(part, offset),
                None => self.intern(Op::Index(a, offset), Shape::Scalar),
            },
            _ => self.intern(Op::Index(a, offset), Shape::Scalar),
        }
    }

    /// The part of a concatenation that holds an offset, if all sizes before it are literals.
    fn part_at(&self, parts: &[Id], offset: &Dim) -> Option<(Id, Dim)> {
        let mut rest = offset.as_literal()?;
        for &part in parts {
            let length = self.shape(part).length()?.as_literal()?;
            if rest < length {
                return Some((part, Dim::literal(rest)));
            }
            rest -= length;
        }
        None
    }

    /// Scalars and vectors one after the other, as a value of the given shape.
    pub fn concat(&mut self, parts: Vec<Id>, shape: Shape) -> Id {
        match parts[..] {
            [part] => self.fill(part, shape),
            _ => self.intern(Op::Concat(parts), shape),
        }
    }

    /// Zeros, to which each part is added at its offset.
    pub fn scatter(&mut self, parts: Vec<(Dim, Id)>, shape: Shape) -> Id {
        self.intern(Op::Scatter(parts), shape)
    }

    /// `a` with the component at an offset replaced.
    pub fn replace(&mut self, a: Id, offset: Dim, value: Id) -> Id {
        let (base, mut parts) = match self.op(a) {
            Op::Replace(base, parts) => (*base, parts.clone()),
            _ => (a, vec![]),
        };
        parts.retain(|(at, _)| *at != offset);
        parts.push((offset, value));
        self.intern(Op::Replace(base, parts), self.shape(a).clone())
    }

    /// `Σ a_i b_i`
    pub fn dot(&mut self, a: Id, b: Id) -> Id {
        self.intern(Op::Dot(a.min(b), a.max(b)), Shape::Scalar)
    }

    /// `Σ a_i`; a sum of products is a dot product.
    pub fn sum(&mut self, a: Id) -> Id {
        match *self.op(a) {
            _ if self.shape(a).is_scalar() => a,
            Op::Neg(x) => {
                let sum = self.sum(x);
                self.neg(sum)
            }
            Op::Power(x, 2) => self.dot(x, x),
            Op::Mul(x, y) => match (self.shape(x).is_scalar(), self.shape(y).is_scalar()) {
                (false, false) => self.dot(x, y),
                (scalar, _) => {
                    let (factor, vector) = if scalar { (x, y) } else { (y, x) };
                    let sum = self.sum(vector);
                    self.mul(factor, sum)
                }
            },
            _ => self.intern(Op::Sum(a), Shape::Scalar),
        }
    }

    /// `A x`, or `Aᵀ x` where `transposed`.
    pub fn mat_vec(&mut self, a: Id, transposed: bool, x: Id) -> Id {
        let (a, transposed) = self.untransposed(a, transposed);
        let sizes = self.shape(a).sizes();
        let rows = sizes[usize::from(transposed)].clone();
        self.intern(Op::MatVec(a, transposed, x), Shape::Vector(rows))
    }

    /// `A B`, each operand transposed where its flag is set.
    pub fn mat_mul(&mut self, a: Id, a_transposed: bool, b: Id, b_transposed: bool) -> Id {
        let (a, a_transposed) = self.untransposed(a, a_transposed);
        let (b, b_transposed) = self.untransposed(b, b_transposed);
        let rows = self.shape(a).sizes()[usize::from(a_transposed)].clone();
        let columns = self.shape(b).sizes()[usize::from(!b_transposed)].clone();
        self.intern(Op::MatMul(a, a_transposed, b, b_transposed), Shape::Matrix(rows, columns))
    }

    /// `a bᵀ`
    pub fn outer(&mut self, a: Id, b: Id) -> Id {
        let (rows, columns) = (self.shape(a).sizes(), self.shape(b).sizes());
        self.intern(Op::Outer(a, b), Shape::Matrix(rows[0].clone(), columns[0].clone()))
    }

    /// `Aᵀ`; a product takes it as its operand with the flag set.
    pub fn transpose(&mut self, a: Id) -> Id {
        let Shape::Matrix(rows, columns) = self.shape(a).clone() else { return a };
        let shape = Shape::Matrix(columns, rows);
        match *self.op(a) {
            Op::Transpose(x) => x,
            Op::Fill(x) => self.fill(x, shape),
            Op::Outer(x, y) => self.outer(y, x),
            Op::Neg(x) => {
                let x = self.transpose(x);
                self.neg(x)
            }
            _ => self.intern(Op::Transpose(a), shape),
        }
    }

    /// The matrix and the flag of `a`, transposed if the flag is set.
    fn untransposed(&self, a: Id, transposed: bool) -> (Id, bool) {
        match *self.op(a) {
            Op::Transpose(x) => (x, !transposed),
            _ => (a, transposed),
        }
    }
}

/// Whether two offsets differ for all sizes.
fn differ(a: &Dim, b: &Dim) -> bool {
    a.minus(b).as_literal().is_some_and(|difference| difference != 0)
}
