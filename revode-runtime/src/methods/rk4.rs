/// The classical Runge–Kutta method, order 4.
///
/// Kutta, Z. Math. Phys. 46 (1901) 435–453.
#[crate::tableau(
    order = 4,
    c = [0, 1/2, 1/2, 1],
    a = [[], [1/2], [0, 1/2], [0, 0, 1]],
    b = [1/6, 1/3, 1/3, 1/6],
)]
pub struct Rk4;
