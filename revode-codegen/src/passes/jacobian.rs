//! The Jacobian: symbolic where all states are scalars, by columns otherwise.

use super::jvp::jvp;
use crate::ir::{Graph, Id, Input, Role, Shape, Sink};

/// A program for a Jacobian.
#[derive(Debug, Clone)]
pub enum Jacobian {
    /// The entries that do not vanish identically: row, column, value.
    Entries(Vec<(usize, usize, Id)>),
    /// A program for one column, where `Role::StateDot` is a unit vector.
    Column(Vec<Sink>),
}

/// Appends to `g` the Jacobian of the program `outputs` with respect to the states.
pub fn jacobian(g: &mut Graph, outputs: &[Sink], states: &[Shape]) -> Jacobian {
    if !states.iter().all(Shape::is_scalar) {
        return Jacobian::Column(jvp(g, outputs, |g, input, id| {
            let shape = g.shape(id).clone();
            (input.role == Role::State)
                .then(|| g.input(Input { role: Role::StateDot, ..input }, shape))
        }));
    }
    let mut entries = Vec::new();
    for column in 0..states.len() {
        let seed = Input { role: Role::State, index: column };
        let derivatives = jvp(g, outputs, |g, input, _| (input == seed).then(|| g.constant(1.0)));
        for (row, derivative) in derivatives.iter().enumerate() {
            if g.constant_of(derivative.value) != Some(0.0) {
                entries.push((row, column, derivative.value));
            }
        }
    }
    Jacobian::Entries(entries)
}
