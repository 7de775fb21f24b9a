/// The strong-stability-preserving method of order 3 with three stages, coefficient 1.
///
/// Shu and Osher, J. Comput. Phys. 77 (1988) 439–471.
#[crate::tableau(
    order = 3,
    c = [0, 1, 1/2],
    a = [[], [1], [1/4, 1/4]],
    b = [1/6, 1/6, 2/3],
)]
pub struct Ssprk33;
