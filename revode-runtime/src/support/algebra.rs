//! Products and reductions on column-major slices of known lengths.
//!
//! Sums have a fixed order, the same on every machine: along columns from the first to the last,
//! down a column in [`LANES`] interleaved partial sums, which are then added pairwise.

use crate::Real;

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
fn add_mat_vec<T: Real>(out: &mut [T], a: &[T], x: &[T]) {
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
