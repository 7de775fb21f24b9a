//! Products and reductions on column-major slices of known lengths.
//!
//! Sums have a fixed order, the same on every machine: along columns from the first to the last,
//! down a column in [`LANES`] interleaved partial sums, which are then added pairwise. Large
//! products of two matrices on the heap are the exception where the feature `faer` is on.

use crate::Real;

/// The number of multiplications in a product of two matrices from which on `faer` is faster.
/// (Measured, f64, `benches/products.rs`, AVX-512 machine: as fast at 8³, 2.6 times at 16³, 6 to 7
/// times at 64³ and 256³.)
#[cfg(feature = "faer")]
const LARGE: usize = 16 * 16 * 16;

/// The number of partial sums of a reduction.
const LANES: usize = 8;

/// `out = A x`
#[inline(always)]
pub fn mat_vec<T: Real>(out: &mut [T], a: &[T], x: &[T]) {
    out.fill(T::ZERO);
    add_mat_vec(out, a, x);
}

/// `out += A x`, four columns a pass so that `out` is read and written a quarter as often.
#[inline(always)]
pub fn add_mat_vec<T: Real>(out: &mut [T], a: &[T], x: &[T]) {
    let rows = out.len();
    if rows == 0 {
        return;
    }
    let blocks = x.len() / 4 * 4;
    let (x4, x1) = x.split_at(blocks);
    let (a4, a1) = a.split_at(blocks * rows);
    for (columns, x) in a4.chunks_exact(4 * rows).zip(x4.chunks_exact(4)) {
        let (c0, rest) = columns.split_at(rows);
        let (c1, rest) = rest.split_at(rows);
        let (c2, c3) = rest.split_at(rows);
        let (c0, c1, c2, c3) = (&c0[..rows], &c1[..rows], &c2[..rows], &c3[..rows]);
        for i in 0..rows {
            out[i] = out[i] + c0[i] * x[0] + c1[i] * x[1] + c2[i] * x[2] + c3[i] * x[3];
        }
    }
    for (column, &x) in a1.chunks_exact(rows).zip(x1) {
        for (out, &a) in out.iter_mut().zip(column) {
            *out += a * x;
        }
    }
}

/// `out = Aᵀ x`
#[inline(always)]
pub fn mat_vec_transposed<T: Real>(out: &mut [T], a: &[T], x: &[T]) {
    let rows = x.len();
    if rows == 0 {
        return out.fill(T::ZERO);
    }
    for (out, column) in out.iter_mut().zip(a.chunks_exact(rows)) {
        *out = dot(column, x);
    }
}

/// `out = a bᵀ`
#[inline(always)]
pub fn outer<T: Real>(out: &mut [T], a: &[T], b: &[T]) {
    out.fill(T::ZERO);
    add_outer(out, a, b);
}

/// `out += a bᵀ`
#[inline(always)]
pub fn add_outer<T: Real>(out: &mut [T], a: &[T], b: &[T]) {
    let rows = a.len();
    if rows == 0 {
        return;
    }
    for (column, &b) in out.chunks_exact_mut(rows).zip(b) {
        for (out, &a) in column.iter_mut().zip(a) {
            *out += a * b;
        }
    }
}

/// `out = Aᵀ`, where `A` has `rows` rows.
pub fn transpose<T: Real>(out: &mut [T], a: &[T], rows: usize) {
    if rows == 0 {
        return;
    }
    let columns = a.len() / rows;
    for (j, column) in a.chunks_exact(rows).enumerate() {
        for (out, &a) in out[j..].iter_mut().step_by(columns).zip(column) {
            *out = a;
        }
    }
}

/// `out = A B`, where `A` has `m` rows and `k` columns and `B` has `n` columns, each after it was
/// transposed if its flag is set.
#[inline(always)]
pub fn mat_mul<T: Real, const A_TRANSPOSED: bool, const B_TRANSPOSED: bool>(
    out: &mut [T],
    a: &[T],
    b: &[T],
    [m, k, n]: [usize; 3],
) {
    out.fill(T::ZERO);
    add_mat_mul::<T, A_TRANSPOSED, B_TRANSPOSED>(out, a, b, [m, k, n]);
}

/// `out += A B`, see [`mat_mul`].
#[inline(always)]
pub fn add_mat_mul<T: Real, const A_TRANSPOSED: bool, const B_TRANSPOSED: bool>(
    out: &mut [T],
    a: &[T],
    b: &[T],
    [m, k, n]: [usize; 3],
) {
    if m == 0 || k == 0 {
        return;
    }
    for (j, out) in out.chunks_exact_mut(m).take(n).enumerate() {
        if A_TRANSPOSED {
            for (out, a) in out.iter_mut().zip(a.chunks_exact(k)) {
                *out += if B_TRANSPOSED {
                    let row = b[j..].iter().step_by(n);
                    a.iter().zip(row).fold(T::ZERO, |sum, (&a, &b)| sum + a * b)
                } else {
                    dot(a, &b[j * k..(j + 1) * k])
                };
            }
        } else if B_TRANSPOSED {
            for (a, &b) in a.chunks_exact(m).zip(b[j..].iter().step_by(n)) {
                for (out, &a) in out.iter_mut().zip(a) {
                    *out += a * b;
                }
            }
        } else {
            add_mat_vec(out, a, &b[j * k..(j + 1) * k]);
        }
    }
}

/// [`mat_mul`], for matrices on the heap.
pub fn heap_mat_mul<T: Real, const A_TRANSPOSED: bool, const B_TRANSPOSED: bool>(
    out: &mut [T],
    a: &[T],
    b: &[T],
    sizes: [usize; 3],
) {
    if !large::<T, A_TRANSPOSED, B_TRANSPOSED>(out, false, a, b, sizes) {
        mat_mul::<T, A_TRANSPOSED, B_TRANSPOSED>(out, a, b, sizes);
    }
}

/// [`add_mat_mul`], for matrices on the heap.
pub fn add_heap_mat_mul<T: Real, const A_TRANSPOSED: bool, const B_TRANSPOSED: bool>(
    out: &mut [T],
    a: &[T],
    b: &[T],
    sizes: [usize; 3],
) {
    if !large::<T, A_TRANSPOSED, B_TRANSPOSED>(out, true, a, b, sizes) {
        add_mat_mul::<T, A_TRANSPOSED, B_TRANSPOSED>(out, a, b, sizes);
    }
}

/// The product by `faer`, or `false` where plain loops are as fast.
#[cfg(feature = "faer")]
fn large<T: Real, const A_TRANSPOSED: bool, const B_TRANSPOSED: bool>(
    out: &mut [T],
    add: bool,
    a: &[T],
    b: &[T],
    [m, k, n]: [usize; 3],
) -> bool {
    use crate::linear::Factor;
    if m * k * n < LARGE {
        return false;
    }
    let a = Factor { values: a, rows: m, columns: k, transposed: A_TRANSPOSED };
    let b = Factor { values: b, rows: k, columns: n, transposed: B_TRANSPOSED };
    T::large_product(out, add, a, b);
    true
}

/// Without `faer` plain loops do all products.
#[cfg(not(feature = "faer"))]
#[inline(always)]
fn large<T: Real, const A_TRANSPOSED: bool, const B_TRANSPOSED: bool>(
    _: &mut [T],
    _: bool,
    _: &[T],
    _: &[T],
    _: [usize; 3],
) -> bool {
    false
}

/// `Σ a_i b_i`
#[inline(always)]
pub fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let mut lanes = [T::ZERO; LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = a_chunks.remainder().iter().zip(b_chunks.remainder());
    for (a, b) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    for (lane, (&a, &b)) in rest.enumerate() {
        lanes[lane] += a * b;
    }
    pairwise(lanes, a.len())
}

/// `Σ a_i`
#[inline(always)]
pub fn sum<T: Real>(a: &[T]) -> T {
    let mut lanes = [T::ZERO; LANES];
    let chunks = a.chunks_exact(LANES);
    let rest = chunks.remainder();
    for a in chunks {
        for lane in 0..LANES {
            lanes[lane] += a[lane];
        }
    }
    for (lane, &a) in rest.iter().enumerate() {
        lanes[lane] += a;
    }
    pairwise(lanes, a.len())
}

/// The sum of the lanes that are in use when `length` numbers were added to them in turn.
#[inline(always)]
fn pairwise<T: Real>(mut lanes: [T; LANES], length: usize) -> T {
    let mut width = LANES;
    while width > 1 {
        width /= 2;
        if length > width {
            for lane in 0..width {
                let other = lanes[lane + width];
                lanes[lane] += other;
            }
        }
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Column-major `A B` by its definition.
    fn product(
        [m, k, n]: [usize; 3],
        a: impl Fn(usize, usize) -> f64,
        b: impl Fn(usize, usize) -> f64,
    ) -> Vec<f64> {
        let entry = |i, j| (0..k).map(|l| a(i, l) * b(l, j)).sum();
        (0..n).flat_map(|j| (0..m).map(move |i| (i, j))).map(|(i, j)| entry(i, j)).collect()
    }

    /// Small integers, so that every sum is exact in any order.
    fn integers(count: usize, seed: usize) -> Vec<f64> {
        (0..count).map(|i| ((i * 7 + seed) % 11) as f64 - 5.0).collect()
    }

    fn check_products<const TA: bool, const TB: bool>(sizes @ [m, k, n]: [usize; 3]) {
        let (a, b) = (integers(m * k, 1), integers(k * n, 5));
        let expected = product(
            sizes,
            |i, l| if TA { a[l + k * i] } else { a[i + m * l] },
            |l, j| if TB { b[j + n * l] } else { b[l + k * j] },
        );
        let doubled: Vec<f64> = expected.iter().map(|x| 2.0 * x).collect();
        for [write, add] in [
            [mat_mul::<f64, TA, TB>, add_mat_mul::<f64, TA, TB>],
            [heap_mat_mul::<f64, TA, TB>, add_heap_mat_mul::<f64, TA, TB>],
        ] {
            let mut out = integers(m * n, 3);
            write(&mut out, &a, &b, sizes);
            assert_eq!(out, expected, "{sizes:?} {TA} {TB}");
            add(&mut out, &a, &b, sizes);
            assert_eq!(out, doubled, "{sizes:?} {TA} {TB}");
        }
    }

    #[test]
    fn products_are_exact_on_integers() {
        for sizes in [[1, 1, 1], [2, 3, 4], [5, 9, 2], [17, 33, 20], [40, 13, 31]] {
            check_products::<false, false>(sizes);
            check_products::<false, true>(sizes);
            check_products::<true, false>(sizes);
            check_products::<true, true>(sizes);
        }
    }

    #[test]
    fn matrices_times_vectors_are_exact_on_integers() {
        for (m, n) in [(1, 1), (3, 2), (4, 4), (9, 5), (16, 7), (33, 40)] {
            let (a, x, v) = (integers(m * n, 2), integers(n, 4), integers(m, 6));
            let (mut out, mut back) = (vec![7.0; m], vec![7.0; n]);
            mat_vec(&mut out, &a, &x);
            assert_eq!(out, product([m, n, 1], |i, j| a[i + m * j], |j, _| x[j]));
            mat_vec_transposed(&mut back, &a, &v);
            assert_eq!(back, product([n, m, 1], |j, i| a[i + m * j], |i, _| v[i]));
            let expected = product([m, 1, n], |i, _| v[i], |_, j| x[j]);
            let mut matrix = vec![7.0; m * n];
            outer(&mut matrix, &v, &x);
            assert_eq!(matrix, expected);
        }
    }

    #[test]
    fn transposed() {
        let mut out = vec![7.0; 6];
        transpose(&mut out, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 2);
        assert_eq!(out, [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
    }

    #[test]
    fn reductions_are_exact_on_integers() {
        for n in 0..40 {
            let (a, b) = (integers(n, 1), integers(n, 8));
            assert_eq!(dot(&a, &b), a.iter().zip(&b).map(|(a, b)| a * b).sum::<f64>());
            assert_eq!(sum(&a), a.iter().sum::<f64>());
        }
    }
}
