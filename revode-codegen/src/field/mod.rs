//! `ode!`: parse → check → lower to IR → passes → statements → emit.

pub mod ast;
mod body;
mod check;
mod emit;
pub mod events;
mod expression;
mod hints;
mod jumps;
mod lower;
pub mod model;
mod parse;
pub mod program;
mod runtime_checks;
mod shapes;
mod sizes;
mod statements;
mod switches;
mod types;

use proc_macro2::TokenStream;

use crate::diagnostics::with_dummy;
use model::Model;
use program::Program;

/// Expands `ode!`.
pub fn expand(input: TokenStream) -> TokenStream {
    match compile(input.clone()) {
        Ok((model, program)) => emit::emit(&model, &program),
        Err(error) => with_dummy(&error, stand_in(input)),
    }
}

/// What stands in for a block with errors, so that nothing which uses the model adds messages of its
/// own: the model with the states and parameters that were declared, all of them at rest; where the
/// declarations themselves are wrong, a struct without fields.
fn stand_in(input: TokenStream) -> TokenStream {
    let block = parse::parse_lossy(input.clone());
    let model = block.and_then(|block| check::check(block.at_rest()).ok());
    model.map_or_else(|| parse::dummy(input), |model| emit::emit(&model, &lower::lower(&model)))
}

/// The checked model and its program.
///
/// # Errors
/// All errors of the block, each at its token.
pub fn compile(input: TokenStream) -> syn::Result<(Model, Program)> {
    let block = parse::parse(input)?;
    let model = check::check(block)?;
    let program = lower::lower(&model);
    Ok((model, program))
}
