/// The explicit midpoint method, order 2.
///
/// Runge, Math. Ann. 46 (1895) 167–178.
#[crate::tableau(order = 2, c = [0, 1/2], a = [[], [1/2]], b = [0, 1])]
pub struct Midpoint;
