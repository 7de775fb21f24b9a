/// The explicit Euler method, order 1.
///
/// Euler, *Institutionum calculi integralis* I (1768).
#[crate::tableau(order = 1, c = [0], a = [[]], b = [1])]
pub struct Euler;
