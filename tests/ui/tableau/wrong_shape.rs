//! Rows and columns that do not fit each other.

use revode::tableau;

/// A row of `a` is missing.
#[tableau(order = 2, a = [[]], b = [0, 1])]
pub struct FewRows;

/// Row 3 lacks an entry, and `c` has one too many.
#[tableau(order = 3, c = [0, 1/2, 1, 1], a = [[], [1/2], [2]], b = [1/6, 2/3, 1/6])]
pub struct ShortRow;

/// The square form, with zeros.
#[tableau(order = 2, a = [[0, 0], [1/2, 0]], b = [0, 1])]
pub struct Square;

/// The embedded weights are too few.
#[tableau(order = 2, embedded = 1, a = [[], [1]], b = [1/2, 1/2], b_embedded = [1])]
pub struct FewWeights;

fn main() {}
