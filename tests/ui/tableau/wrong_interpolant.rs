//! Interpolants that are not what is claimed of them.

use revode::tableau;

/// Bogacki and Shampine's method with cubic Hermite interpolation, as it should be.
#[tableau(
    order = 3, interpolant = 3, smoothness = 1,
    a = [[], [1/2], [0, 3/4], [2/9, 1/3, 4/9]],
    b = [2/9, 1/3, 4/9, 0],
    b_interpolant = [[1, -4/3, 5/9], [0, 1, -2/3], [0, 4/3, -8/9], [0, -1, 1]],
)]
pub struct Right;

/// A sign.
#[tableau(
    order = 3, interpolant = 3, smoothness = 1,
    a = [[], [1/2], [0, 3/4], [2/9, 1/3, 4/9]],
    b = [2/9, 1/3, 4/9, 0],
    b_interpolant = [[1, -4/3, 5/9], [0, 1, -2/3], [0, -4/3, -8/9], [0, -1, 1]],
)]
pub struct Sign;

/// The weights of stages 2 and 3 exchanged.
#[tableau(
    order = 3, interpolant = 3, smoothness = 1,
    a = [[], [1/2], [0, 3/4], [2/9, 1/3, 4/9]],
    b = [2/9, 1/3, 4/9, 0],
    b_interpolant = [[1, -4/3, 5/9], [0, 4/3, -8/9], [0, 1, -2/3], [0, -1, 1]],
)]
pub struct Exchanged;

/// The whole matrix transposed: powers of θ as rows.
#[tableau(
    order = 3, interpolant = 3,
    a = [[], [1/2], [0, 3/4], [2/9, 1/3, 4/9]],
    b = [2/9, 1/3, 4/9, 0],
    b_interpolant = [[1, 0, 0, 0], [-4/3, 1, 4/3, -1], [5/9, -2/3, -8/9, 1]],
)]
pub struct Transposed;

/// Two powers of θ exchanged, which keeps the end of the step.
#[tableau(
    order = 3, interpolant = 3,
    a = [[], [1/2], [0, 3/4], [2/9, 1/3, 4/9]],
    b = [2/9, 1/3, 4/9, 0],
    b_interpolant = [[1, -4/3, 5/9], [0, -2/3, 1], [0, 4/3, -8/9], [0, -1, 1]],
)]
pub struct Powers;

/// Too much is claimed.
#[tableau(
    order = 3, interpolant = 4, smoothness = 1,
    a = [[], [1/2], [0, 3/4], [2/9, 1/3, 4/9]],
    b = [2/9, 1/3, 4/9, 0],
    b_interpolant = [[1, -4/3, 5/9], [0, 1, -2/3], [0, 4/3, -8/9], [0, -1, 1]],
)]
pub struct Immodest;

/// Too little is claimed.
#[tableau(
    order = 3, interpolant = 2, smoothness = 1,
    a = [[], [1/2], [0, 3/4], [2/9, 1/3, 4/9]],
    b = [2/9, 1/3, 4/9, 0],
    b_interpolant = [[1, -4/3, 5/9], [0, 1, -2/3], [0, 4/3, -8/9], [0, -1, 1]],
)]
pub struct Modest;

/// The derivative jumps: order 2 without the last stage.
#[tableau(
    order = 3, embedded = 2, interpolant = 2, smoothness = 1,
    a = [[], [1/2], [0, 3/4], [2/9, 1/3, 4/9]],
    b = [2/9, 1/3, 4/9, 0],
    b_embedded = [7/24, 1/4, 1/3, 1/8],
    b_interpolant = [[1, -7/9], [0, 1/3], [0, 4/9], []],
)]
pub struct Rough;

/// An extra stage with a wrong entry: 1/3 for 1/6.
#[tableau(
    order = 4, interpolant = 3,
    a = [[], [1/2], [0, 1/2], [0, 0, 1]],
    b = [1/6, 1/3, 1/3, 1/6],
    c_interpolant = [1],
    a_interpolant = [[1/6, 1/3, 1/3, 1/3]],
    b_interpolant = [[1, -3/2, 2/3], [0, 1, -2/3], [0, 1, -2/3], [0, 1/2, -1/3], [0, -1, 1]],
)]
pub struct ExtraStage;

/// Extra stages without weights, and rows that do not fit.
#[tableau(order = 1, a = [[]], b = [1], a_interpolant = [[1]], smoothness = 1)]
pub struct NoWeights;

#[tableau(
    order = 1, interpolant = 1, a = [[]], b = [1],
    a_interpolant = [[1, 0]], b_interpolant = [[1, 1, -1], [0, -1]],
)]
pub struct Rows;

fn main() {}
