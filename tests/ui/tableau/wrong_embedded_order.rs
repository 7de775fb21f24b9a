//! Embedded orders that the embedded weights do not have.

use revode::tableau;

#[tableau(
    order = 3, embedded = 3,
    a = [[], [1/2], [0, 3/4], [2/9, 1/3, 4/9]],
    b = [2/9, 1/3, 4/9, 0],
    b_embedded = [7/24, 1/4, 1/3, 1/8],
)]
pub struct Immodest;

#[tableau(
    order = 2, embedded = 2,
    a = [[], [1]],
    b = [1/2, 1/2],
    b_embedded = [1/2, 1/2],
)]
pub struct Equal;

fn main() {}
