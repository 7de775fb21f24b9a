/// Kutta's 3/8 rule, order 4.
///
/// Kutta, Z. Math. Phys. 46 (1901) 435–453.
#[crate::tableau(
    order = 4,
    c = [0, 1/3, 2/3, 1],
    a = [[], [1/3], [-1/3, 1], [1, -1, 1]],
    b = [1/8, 3/8, 3/8, 1/8],
)]
pub struct ThreeEighths;
