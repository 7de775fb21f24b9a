/// Kutta's method of order 3.
///
/// Kutta, Z. Math. Phys. 46 (1901) 435–453.
#[crate::tableau(
    order = 3,
    c = [0, 1/2, 1],
    a = [[], [1/2], [-1, 2]],
    b = [1/6, 2/3, 1/6],
)]
pub struct Kutta3;
