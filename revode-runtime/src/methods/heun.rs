/// Heun's method of order 2: the explicit trapezoidal rule.
///
/// Heun, Z. Math. Phys. 45 (1900) 23–38.
#[crate::tableau(order = 2, c = [0, 1], a = [[], [1]], b = [1/2, 1/2])]
pub struct Heun;
