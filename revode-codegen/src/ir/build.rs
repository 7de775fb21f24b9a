//! How elementwise nodes are made: simplified as they are made.
//!
//! Every rule keeps the value to the bit, with two exceptions: the sign of a zero may change
//! (`x + 0` is `x`; signs are pulled out of sums), and `x ^ 0` is 1. No rule removes a NaN: `x * 0`
//! stays. Derivatives that vanish for structural reasons are never made in the first place.

use super::{Graph, Id, Input, Op, Shape};
use crate::functions::{Function, Rule};

impl Graph {
    /// A constant.
    pub fn constant(&mut self, x: f64) -> Id {
        self.intern(Op::Const(x.to_bits()), Shape::Scalar)
    }

    /// An input.
    pub fn input(&mut self, input: Input, shape: Shape) -> Id {
        self.intern(Op::Input(input), shape)
    }

    /// `-a`
    pub fn neg(&mut self, a: Id) -> Id {
        match *self.op(a) {
            Op::Const(bits) => self.constant(-f64::from_bits(bits)),
            Op::Neg(x) => x,
            Op::Sub(x, y) => self.sub(y, x),
            Op::Outer(x, y) => {
                let x = self.neg(x);
                self.outer(x, y)
            }
            Op::Fill(x) => {
                let shape = self.shape(a).clone();
                let x = self.neg(x);
                self.fill(x, shape)
            }
            _ => self.intern(Op::Neg(a), self.shape(a).clone()),
        }
    }

    /// `a + b`
    pub fn add(&mut self, a: Id, b: Id) -> Id {
        if self.is_constant(a, 0.0) && self.broadcasts_into(a, b) {
            return b;
        }
        if self.is_constant(b, 0.0) && self.broadcasts_into(b, a) {
            return a;
        }
        if let Some(sum) = self.fold(a, b, exact_sum) {
            return sum;
        }
        match (self.negated(a), self.negated(b)) {
            (Some(x), Some(y)) => {
                let sum = self.add(x, y);
                self.neg(sum)
            }
            (Some(x), None) => self.sub(b, x),
            (None, Some(y)) => self.sub(a, y),
            (None, None) => self.binary(Op::Add(a.min(b), a.max(b)), a, b),
        }
    }

    /// `a - b`
    pub fn sub(&mut self, a: Id, b: Id) -> Id {
        if self.is_constant(b, 0.0) && self.broadcasts_into(b, a) {
            return a;
        }
        if self.is_constant(a, 0.0) && self.broadcasts_into(a, b) {
            return self.neg(b);
        }
        if let Some(difference) = self.fold(a, b, |x, y| exact_sum(x, -y)) {
            return difference;
        }
        match (self.negated(a), self.negated(b)) {
            (Some(x), Some(y)) => self.sub(y, x),
            (Some(x), None) => {
                let sum = self.add(x, b);
                self.neg(sum)
            }
            (None, Some(y)) => self.add(a, y),
            (None, None) => self.binary(Op::Sub(a, b), a, b),
        }
    }

    /// `a * b`
    pub fn mul(&mut self, a: Id, b: Id) -> Id {
        if self.is_constant(a, 1.0) && self.broadcasts_into(a, b) {
            return b;
        }
        if self.is_constant(b, 1.0) && self.broadcasts_into(b, a) {
            return a;
        }
        if self.is_constant(a, -1.0) && self.broadcasts_into(a, b) {
            return self.neg(b);
        }
        if self.is_constant(b, -1.0) && self.broadcasts_into(b, a) {
            return self.neg(a);
        }
        if let Some(product) = self.fold(a, b, exact_product) {
            return product;
        }
        match (self.negated(a), self.negated(b)) {
            (Some(x), Some(y)) => self.mul(x, y),
            (Some(x), None) => {
                let product = self.mul(x, b);
                self.neg(product)
            }
            (None, Some(y)) => {
                let product = self.mul(a, y);
                self.neg(product)
            }
            (None, None) if a == b => self.power(a, 2),
            (None, None) => self.binary(Op::Mul(a.min(b), a.max(b)), a, b),
        }
    }

    /// `a / b`
    pub fn div(&mut self, a: Id, b: Id) -> Id {
        if self.is_constant(b, 1.0) && self.broadcasts_into(b, a) {
            return a;
        }
        if let Some(quotient) = self.fold(a, b, exact_quotient) {
            return quotient;
        }
        match (self.negated(a), self.negated(b)) {
            (Some(x), Some(y)) => self.div(x, y),
            (Some(x), None) => {
                let quotient = self.div(x, b);
                self.neg(quotient)
            }
            (None, Some(y)) => {
                let quotient = self.div(a, y);
                self.neg(quotient)
            }
            (None, None) => self.binary(Op::Div(a, b), a, b),
        }
    }

    /// `a` to the integer power `n`.
    pub fn power(&mut self, a: Id, n: i32) -> Id {
        match n {
            0 => {
                let shape = self.shape(a).clone();
                let one = self.constant(1.0);
                self.fill(one, shape)
            }
            1 => a,
            _ => self.intern(Op::Power(a, n), self.shape(a).clone()),
        }
    }

    /// `a ^ b`: repeated multiplication where `b` is a small integer, `sqrt` where it is 1/2.
    pub fn raise(&mut self, a: Id, b: Id) -> Id {
        match self.constant_of(b).or_else(|| self.constant_quotient(b)) {
            Some(p) if p.fract() == 0.0 && p.abs() <= 64.0 => self.power(a, p as i32),
            Some(0.5) => self.call("sqrt", vec![a]),
            _ => self.call("pow", vec![a, b]),
        }
    }

    /// The function of this name in the table, or what it expands to.
    ///
    /// # Panics
    /// If there is no such function.
    pub fn call(&mut self, name: &str, arguments: Vec<Id>) -> Id {
        let function = crate::functions::find(name).expect("called by a name of the table");
        self.apply(function, arguments)
    }

    /// A function of the table, or what it expands to.
    pub fn apply(&mut self, function: &'static Function, arguments: Vec<Id>) -> Id {
        match function.rule {
            Rule::Expansion(expand) => expand(self, &arguments),
            Rule::Method(..) => {
                let shape = self.broadcast(&arguments);
                self.intern(Op::Apply(function, arguments), shape)
            }
        }
    }

    /// `if a >= b { c } else { d }`
    pub fn select(&mut self, operands: [Id; 4]) -> Id {
        if operands[2] == operands[3] {
            return operands[2];
        }
        let shape = self.broadcast(&operands);
        self.intern(Op::Select(operands), shape)
    }

    /// A scalar in every place of a shape; a value that has the shape already as it is.
    pub fn fill(&mut self, a: Id, shape: Shape) -> Id {
        if *self.shape(a) == shape {
            return a;
        }
        self.intern(Op::Fill(a), shape)
    }

    /// The shape of an elementwise result: that of the operands that are not scalars.
    pub fn broadcast(&self, operands: &[Id]) -> Shape {
        let shapes = operands.iter().map(|&id| self.shape(id));
        shapes.into_iter().find(|shape| !shape.is_scalar()).cloned().unwrap_or(Shape::Scalar)
    }

    fn binary(&mut self, op: Op, a: Id, b: Id) -> Id {
        let shape = self.broadcast(&[a, b]);
        self.intern(op, shape)
    }

    /// Whether an operation on `a` and `b` has the shape of `b`.
    fn broadcasts_into(&self, a: Id, b: Id) -> bool {
        self.shape(a).is_scalar() || self.shape(a) == self.shape(b)
    }

    fn is_constant(&self, id: Id, value: f64) -> bool {
        match *self.op(id) {
            Op::Fill(x) => self.is_constant(x, value),
            _ => self.constant_of(id) == Some(value),
        }
    }

    fn negated(&self, id: Id) -> Option<Id> {
        match *self.op(id) {
            Op::Neg(x) => Some(x),
            _ => None,
        }
    }

    /// A quotient of constants, which is kept as a node unless it is exact.
    fn constant_quotient(&self, id: Id) -> Option<f64> {
        match *self.op(id) {
            Op::Div(a, b) => Some(self.constant_of(a)? / self.constant_of(b)?),
            _ => None,
        }
    }

    fn fold(&mut self, a: Id, b: Id, f: impl Fn(f64, f64) -> Option<f64>) -> Option<Id> {
        let value = f(self.constant_of(a)?, self.constant_of(b)?)?;
        Some(self.constant(value))
    }
}

/// `a + b`, if it is a floating-point number. (Two-sum: the rounding error is computed exactly.)
fn exact_sum(a: f64, b: f64) -> Option<f64> {
    let sum = a + b;
    let b_virtual = sum - a;
    let error = (a - (sum - b_virtual)) + (b - b_virtual);
    (error == 0.0).then_some(sum)
}

/// `a b`, if it is a floating-point number.
fn exact_product(a: f64, b: f64) -> Option<f64> {
    let product = a * b;
    let exact = product.is_normal() && a.mul_add(b, -product) == 0.0;
    (exact || (product == 0.0 && (a == 0.0 || b == 0.0))).then_some(product)
}

/// `a / b`, if it is a floating-point number.
fn exact_quotient(a: f64, b: f64) -> Option<f64> {
    let quotient = a / b;
    (quotient.is_normal() && a.is_normal() && quotient.mul_add(b, -a) == 0.0).then_some(quotient)
}
