/// EES(2,5; 1/10): order 2, symmetry order 5, so that `Phi_{-h}` undoes `Phi_h` far better than the
/// order suggests.
///
/// Shmelev, Foster and Salvi, arXiv 2507.21006, with the free parameter 1/10.
#[crate::tableau(
    order = 2,
    a = [[], [1/3], [-5/48, 15/16]],
    b = [1/10, 1/2, 2/5],
)]
pub struct Ees25;
