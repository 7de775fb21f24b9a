//! Implicit methods, which are not supported yet.

use revode::tableau;

/// The implicit midpoint method.
#[tableau(order = 2, c = [1/2], a = [[1/2]], b = [1])]
pub struct ImplicitMidpoint;

/// Gauss, two stages.
#[tableau(
    order = 4,
    a = [[1/4, 1/4 - sqrt(3)/6], [1/4 + sqrt(3)/6, 1/4]],
    b = [1/2, 1/2],
)]
pub struct Gauss2;

fn main() {}
