//! Rows that do not sum to their nodes.

use revode::tableau;

/// 3/5 for 3/4: the order conditions tell which entry is wrong.
#[tableau(
    order = 3,
    c = [0, 1/2, 3/4],
    a = [[], [1/2], [0, 3/5]],
    b = [2/9, 1/3, 4/9],
)]
pub struct Row;

/// The node is wrong, not the row.
#[tableau(
    order = 3,
    c = [0, 1/2, 4/3],
    a = [[], [1/2], [0, 3/4]],
    b = [2/9, 1/3, 4/9],
)]
pub struct Node;

fn main() {}
