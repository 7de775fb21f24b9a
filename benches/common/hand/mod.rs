//! Kernels written by hand, and the comparison with them.

#![allow(missing_docs, dead_code, unreachable_pub)]

pub mod lorenz;
pub mod network;

use std::hint::black_box;
use std::time::{Duration, Instant};

/// Times two ways to the same numbers in turns and prints nanoseconds a step of each, the fastest of
/// 60 rounds, and their ratio. Turns, because the machine's speed drifts; the fastest, because noise only adds.
pub fn compare<A, B>(name: &str, steps: usize, ours: impl Fn() -> A, by_hand: impl Fn() -> B) {
    let repetitions = repetitions(&ours);
    let mut best = [Duration::MAX; 2];
    for _ in 0..60 {
        best[0] = best[0].min(time(repetitions, &ours));
        best[1] = best[1].min(time(repetitions, &by_hand));
    }
    let [ours, by_hand] = best.map(|best| best.as_secs_f64() * 1e9 / (repetitions * steps) as f64);
    println!(
        "{name:<44} ours {ours:8.1} ns/step   by hand {by_hand:8.1} ns/step   ratio {:.2}",
        ours / by_hand
    );
}

/// As many calls as take about 5 ms.
fn repetitions<A>(f: impl Fn() -> A) -> usize {
    let once = time(3, &f) / 3;
    ((5e-3 / once.as_secs_f64().max(1e-9)) as usize).max(1)
}

fn time<A>(repetitions: usize, f: impl Fn() -> A) -> Duration {
    let start = Instant::now();
    for _ in 0..repetitions {
        black_box(f());
    }
    start.elapsed()
}
