//! Products of matrices too large for plain loops, by `faer`: compiled with the feature of that name
//! only.
//!
//! Only products of two matrices come here. For a matrix and a vector plain loops are as fast
//! (measured, f64, AVX-512 machine, 64 to 512 rows: 0.115 ns a multiplication against 0.117), and
//! give the same bits on every machine, which `faer`'s kernels, chosen at run time, do not.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

/// A column-major matrix, or the transpose of one.
#[derive(Debug, Clone, Copy)]
pub struct Factor<'a, T> {
    /// The components as stored.
    pub values: &'a [T],
    /// The number of rows, after the transposition.
    pub rows: usize,
    /// The number of columns, after the transposition.
    pub columns: usize,
    /// Whether the stored matrix is the transpose.
    pub transposed: bool,
}

/// A scalar with large products.
pub trait Products: Sized {
    /// `out = A B`, or `out += A B`; `out` is column-major. Sequential. Equal inputs give equal bits
    /// on one machine, but not on all.
    ///
    /// # Panics
    /// Where the lengths do not fit the shapes.
    fn large_product(out: &mut [Self], add: bool, a: Factor<'_, Self>, b: Factor<'_, Self>);
}

macro_rules! products {
    ($($t:ident)*) => {$(
        impl Products for $t {
            fn large_product(out: &mut [Self], add: bool, a: Factor<'_, Self>, b: Factor<'_, Self>) {
                let accumulate = if add { Accum::Add } else { Accum::Replace };
                let out = MatMut::from_column_major_slice_mut(out, a.rows, b.columns);
                matmul(out, accumulate, view(a), view(b), 1.0, Par::Seq);
                settle::<$t>();
            }
        }
    )*};
}
products!(f32 f64);

fn view<T>(Factor { values, rows, columns, transposed }: Factor<'_, T>) -> MatRef<'_, T> {
    if transposed {
        MatRef::from_column_major_slice(values, columns, rows).transpose()
    } else {
        MatRef::from_column_major_slice(values, rows, columns)
    }
}

/// Leaves the vector registers as other code expects them.
///
/// `faer`'s kernels for products of two matrices return with the upper halves of the AVX registers
/// in use, which slows all SSE code that follows down (measured: 4.4 times, until the next AVX
/// function that clears them). Its kernels for matrix times vector do clear them.
fn settle<T: faer::traits::ComplexField + Copy + From<f32>>() {
    let x = [T::from(0.0); 8];
    let mut y = x;
    let out = MatMut::from_column_major_slice_mut(&mut y, 8, 1);
    let (a, one) =
        (MatRef::from_column_major_slice(&x, 8, 1), MatRef::from_column_major_slice(&x[..1], 1, 1));
    matmul(out, Accum::Replace, a, one, T::from(1.0), Par::Seq);
}
