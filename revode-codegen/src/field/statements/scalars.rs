//! Scalars as Rust, in parentheses only where precedence asks for them.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::print::{Printer, component};
use super::{Expr, Operation};
use crate::field::sizes::size;
use crate::ir::{Op, Role};

impl Printer<'_> {
    /// A scalar.
    pub(super) fn expr(&self, value: &Expr) -> TokenStream {
        match value {
            Expr::Const(0.0) => quote!(T::ZERO),
            Expr::Const(1.0) => quote!(T::ONE),
            Expr::Const(x) => {
                let magnitude = Literal::f64_unsuffixed(x.abs());
                let sign = x.is_sign_negative().then(|| quote!(-));
                quote!(T::from_f64(#sign #magnitude))
            }
            Expr::Var(id) => match self.function.g.op(*id) {
                Op::Input(input) if input.role == Role::Time => quote!(t),
                Op::Input(input) if input.role == Role::TimeDot => quote!(t_dot),
                Op::Input(input) if input.role == Role::ValueBar => quote!(bar),
                _ => {
                    let name = self.names.of(*id);
                    quote!(#name)
                }
            },
            Expr::Param { tangent, index } => self.param(*tangent, *index),
            Expr::Slot(slot) => {
                let slot = Literal::usize_unsuffixed(*slot);
                quote!(tape.#slot)
            }
            Expr::Side { jump, is_looped: true } => {
                let jump = component(*jump);
                quote!(sides.sign::<T>(#jump))
            }
            Expr::Side { jump, is_looped: false } => {
                let jump = Literal::usize_unsuffixed(*jump);
                quote!(sides.sign::<T>(#jump))
            }
            Expr::At(id, offset) => {
                let (name, offset) = (self.names.of(*id), size(self.function.model, offset));
                quote!(#name[#offset])
            }
            Expr::Component(id) => {
                let name = self.names.of(*id);
                quote!(#name[i])
            }
            Expr::Reduce(name, operands) => {
                let name = format_ident!("{name}");
                let operands = operands.iter().map(|id| self.slice(*id));
                quote!(#name(#(#operands),*))
            }
            Expr::Operation(operation, operands) => self.operation(*operation, operands),
        }
    }

    fn operation(&self, operation: Operation, operands: &[Expr]) -> TokenStream {
        let infix = |operator: TokenStream, own: u8| {
            // All operators group to the left.
            let (a, b) = (self.operand(&operands[0], own), self.operand(&operands[1], own + 1));
            quote!(#a #operator #b)
        };
        let own = precedence(operation);
        match operation {
            Operation::Add => infix(quote!(+), own),
            Operation::Sub => infix(quote!(-), own),
            Operation::Mul => infix(quote!(*), own),
            Operation::Div => infix(quote!(/), own),
            Operation::Neg => {
                let a = self.operand(&operands[0], own);
                quote!(-#a)
            }
            Operation::Power(n) => {
                let (a, n) = (self.operand(&operands[0], own), Literal::i32_unsuffixed(n));
                quote!(#a.powi(#n))
            }
            Operation::Method(name) => {
                let (first, name) = (self.operand(&operands[0], own), format_ident!("{name}"));
                let rest = operands[1..].iter().map(|operand| self.expr(operand));
                quote!(#first.#name(#(#rest),*))
            }
            Operation::Select => {
                let operands = operands.iter().map(|operand| self.expr(operand));
                quote!(T::select_ge(#(#operands),*))
            }
        }
    }

    /// An operand of what binds as tightly as `least`, in parentheses if it binds less tightly.
    fn operand(&self, value: &Expr, least: u8) -> TokenStream {
        let written = self.expr(value);
        match value {
            Expr::Operation(operation, _) if precedence(*operation) < least => quote!((#written)),
            _ => written,
        }
    }
}

/// How tightly an operation binds its operands.
fn precedence(operation: Operation) -> u8 {
    match operation {
        Operation::Add | Operation::Sub => 1,
        Operation::Mul | Operation::Div => 2,
        Operation::Neg => 3,
        Operation::Power(_) | Operation::Method(_) | Operation::Select => 4,
    }
}
