//! What was declared, checked.

use proc_macro2::Ident;
use syn::{Attribute, Visibility};

use super::ast::{Expr, Statement};
use crate::ir::{Dim, Shape};

/// A checked block.
#[derive(Debug)]
pub struct Model {
    /// Attributes of the struct.
    pub attributes: Vec<Attribute>,
    /// Visibility of the struct.
    pub visibility: Visibility,
    /// Name of the struct.
    pub name: Ident,
    /// The const parameters.
    pub generics: Vec<Ident>,
    /// The sizes known at run time.
    pub dims: Vec<Ident>,
    /// The states.
    pub states: Vec<Variable>,
    /// The parameters.
    pub params: Vec<Variable>,
    /// The constants.
    pub constants: Vec<(Ident, Expr)>,
    /// `let`s and equations, as they come.
    pub statements: Vec<Statement>,
    /// What must hold of the sizes.
    pub constraints: Vec<Constraint>,
}

impl Model {
    /// Whether the model lives on the heap.
    pub fn is_dynamic(&self) -> bool {
        !self.dims.is_empty()
    }

    /// The shapes of the states.
    pub fn state_shapes(&self) -> Vec<Shape> {
        self.states.iter().map(|state| state.shape.clone()).collect()
    }
}

/// A state or parameter.
#[derive(Debug)]
pub struct Variable {
    /// Attributes, documentation among them.
    pub attributes: Vec<Attribute>,
    /// The name.
    pub name: Ident,
    /// The shape.
    pub shape: Shape,
}

impl Variable {
    /// The declaration as written, such as `w: [n, 4]`.
    pub fn declared(&self) -> String {
        match &self.shape {
            Shape::Scalar => self.name.to_string(),
            shape => format!("{}: {shape}", self.name),
        }
    }
}

/// An index or slice that is in range only for some values of the named sizes.
#[derive(Debug, Clone)]
pub struct Constraint {
    /// The expression as written.
    pub written: String,
    /// What may not be negative.
    pub margin: Dim,
}
