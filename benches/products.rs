//! Products of two matrices on the heap: plain loops against `faer`'s kernels.
//!
//! `cargo bench --bench products --features faer`

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use revode::support::{heap_mat_mul, mat_mul};

/// `A B` and `Aᵀ B` of square matrices, which the VJP of `A B` takes too.
fn products(c: &mut Criterion) {
    let mut group = c.benchmark_group("products, f64, a multiplication");
    for n in [8_usize, 16, 32, 64, 256] {
        let matrix = |seed: usize| -> Vec<f64> {
            (0..n * n).map(|i| ((i * 7 + seed) % 11) as f64 - 5.0).collect()
        };
        let (a, b, mut out) = (matrix(1), matrix(5), matrix(0));
        group.throughput(Throughput::Elements((n * n * n) as u64));
        macro_rules! product {
            ($($name:literal: $product:ident $transposed:literal;)*) => {$(
                group.bench_function(BenchmarkId::new($name, n), |bench| {
                    bench.iter(|| {
                        let (a, b) = (black_box(&a), black_box(&b));
                        $product::<f64, $transposed, false>(black_box(&mut out), a, b, [n; 3]);
                    });
                });
            )*};
        }
        product! {
            "A B, plain": mat_mul false;
            "A B, faer": heap_mat_mul false;
            "A' B, plain": mat_mul true;
            "A' B, faer": heap_mat_mul true;
        }
    }
    group.finish();
}

criterion_group!(benches, products);
criterion_main!(benches);
