/// Ralston's method of order 2: the smallest bound of the local error among two stages.
///
/// Ralston, Math. Comp. 16 (1962) 431–437.
#[crate::tableau(order = 2, c = [0, 2/3], a = [[], [2/3]], b = [1/4, 3/4])]
pub struct Ralston2;
