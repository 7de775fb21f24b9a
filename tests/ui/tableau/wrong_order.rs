//! Orders that the method does not have.

use revode::tableau;

/// Too much is claimed.
#[tableau(
    order = 5,
    c = [0, 1/2, 1/2, 1],
    a = [[], [1/2], [0, 1/2], [0, 0, 1]],
    b = [1/6, 1/3, 1/3, 1/6],
)]
pub struct Immodest;

/// Too little is claimed.
#[tableau(order = 1, a = [[], [1/2]], b = [0, 1])]
pub struct Modest;

/// One weight is wrong.
#[tableau(order = 3, a = [[], [1/2], [-1, 2]], b = [1/6, 1/3, 1/6])]
pub struct Weight;

/// One entry of `a` is wrong, and no nodes show the row.
#[tableau(order = 3, a = [[], [1/2], [-1, 3]], b = [1/6, 2/3, 1/6])]
pub struct Entry;

fn main() {}
