/// Bogacki–Shampine 3(2), first same as last.
///
/// Bogacki and Shampine, Appl. Math. Lett. 2 (1989) 321–325. The interpolant is theirs, cubic Hermite.
#[crate::tableau(
    order = 3, embedded = 2,
    c = [0, 1/2, 3/4, 1],
    a = [[], [1/2], [0, 3/4], [2/9, 1/3, 4/9]],
    b = [2/9, 1/3, 4/9, 0],
    b_embedded = [7/24, 1/4, 1/3, 1/8],
)]
pub struct Bosh3;
