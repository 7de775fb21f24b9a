/// Ralston's method of order 3: the smallest bound of the local error among three stages.
///
/// Ralston, Math. Comp. 16 (1962) 431–437.
#[crate::tableau(
    order = 3,
    c = [0, 1/2, 3/4],
    a = [[], [1/2], [0, 3/4]],
    b = [2/9, 1/3, 4/9],
)]
pub struct Ralston3;
