/// EES(2,7): order 2, symmetry order 7, so that `Phi_{-h}` undoes `Phi_h` far better than the order
/// suggests.
///
/// Shmelev, Foster and Salvi, arXiv 2507.21006.
#[crate::tableau(
    order = 2,
    c = [0, (2 - sqrt(2))/3, (2 + sqrt(2))/6, (4 + sqrt(2))/6],
    a = [
        [],
        [(2 - sqrt(2))/3],
        [(-4 + sqrt(2))/24, (4 + sqrt(2))/8],
        [(-176 + 145*sqrt(2))/168, 3*(8 - 5*sqrt(2))/56, 3*(3 - sqrt(2))/7],
    ],
    b = [(5 - 3*sqrt(2))/14, (3 + sqrt(2))/14, 3*(-1 + 2*sqrt(2))/14, (9 - 4*sqrt(2))/14],
)]
pub struct Ees27;
