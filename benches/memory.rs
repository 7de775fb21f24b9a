//! Memory of gradients for a field of 100,000 components, in states, beside the bounds that it must keep. A state
//! is a vector of the field's components: a pair is two.
//!
//! `cargo bench --bench memory`

use allocation_counter::measure;
use revode::gradient::Strategy;
use revode::prelude::*;
use revode_testing::loss::squared_length;

/// A ring whose components relax to 1 and diffuse to their neighbours.
#[derive(Debug, Clone)]
struct Ring {
    diffusion: f64,
    rate: f64,
}

const COMPONENTS: usize = 100_000;
const STATE_BYTES: f64 = (COMPONENTS * size_of::<f64>()) as f64;
const H: f64 = 0.01;

/// Calls `f` with each component's number and the second difference there.
#[inline(always)]
fn second_differences(y: &[f64], mut f: impl FnMut(usize, f64)) {
    let n = y.len();
    f(0, y[n - 1] - 2.0 * y[0] + y[1]);
    (1..n - 1).for_each(|i| f(i, y[i - 1] - 2.0 * y[i] + y[i + 1]));
    f(n - 1, y[n - 2] - 2.0 * y[n - 1] + y[0]);
}

impl VectorField<f64> for Ring {
    type State = DVector<f64>;

    fn eval(&self, _: f64, y: &DVector<f64>, dy: &mut DVector<f64>) {
        let (y, dy) = (y.as_slice(), dy.as_mut_slice());
        second_differences(y, |i, d| dy[i] = self.diffusion * d + self.rate * (1.0 - y[i]));
    }
}

revode_testing::parameters!(Ring: diffusion, rate);

impl FieldVjp<f64> for Ring {
    type Tape = ();

    fn tape(&self) {}

    fn vjp(
        &self,
        _: f64,
        y: &DVector<f64>,
        (): &mut (),
        dy_bar: &DVector<f64>,
        y_bar: &mut DVector<f64>,
        model_bar: &mut Self,
    ) -> f64 {
        let (y, dy_bar, y_bar) = (y.as_slice(), dy_bar.as_slice(), y_bar.as_mut_slice());
        second_differences(dy_bar, |i, d| y_bar[i] = self.diffusion * d - self.rate * dy_bar[i]);
        second_differences(y, |i, d| model_bar.diffusion += dy_bar[i] * d);
        model_bar.rate += y.iter().zip(dy_bar).map(|(y, bar)| bar * (1.0 - y)).sum::<f64>();
        0.0
    }
}

fn problem(steps: u32) -> Problem<f64, Ring> {
    let y0: DVector<f64> = DVector::from_fn(COMPONENTS, |i, _| 1.5 + 0.4 * (0.37 * i as f64).sin());
    Problem::new(Ring { diffusion: 0.002, rate: 0.005 }, y0, 0.0..H * f64::from(steps))
}

/// The bytes that the closure holds at a time, at the most, in states, and its result.
fn peak<R>(run: impl FnOnce() -> R) -> (f64, R) {
    let mut result = None;
    let info = measure(|| result = Some(run()));
    (info.bytes_max as f64 / STATE_BYTES, result.expect("of a closure that has run"))
}

/// Prints what a strategy keeps, what is allocated at a time beyond what a solve allocates, and the bound on what is
/// kept, which belongs to the strategy's statistics.
fn row<G: Strategy>(steps: u32, strategy: G, bound: impl FnOnce(StrategyStats) -> Option<f64>) {
    let problem = problem(steps);
    let solver = Solver::new(Euler).fixed_step(H);
    let solve = peak(|| solver.solve(&problem, SaveAt::end()).expect("solvable")).0;
    let solver = solver.strategy(strategy);
    let start = std::time::Instant::now();
    let (peak, found) = peak(|| solver.gradient(&problem, SaveAt::end(), &squared_length()));
    let seconds = start.elapsed().as_secs_f64();
    match found {
        Ok(Gradient { stats: Stats { bytes_kept, strategy, .. }, .. }) => {
            let bound = bound(strategy).map_or("none".into(), |bound| format!("{bound:.0}"));
            let (kept, beyond) = (bytes_kept as f64 / STATE_BYTES, peak - solve);
            println!(
                "{steps:>6} {kept:>8.2} {beyond:>8.2} {bound:>6} {seconds:>6.1} s  {strategy}"
            );
        }
        Err(error) => println!("{steps:>6}          {:>8.2}                {error}", peak - solve),
    }
}

fn main() {
    println!("{:>6} {:>8} {:>8} {:>6}", "steps", "kept", "beyond", "bound");
    row(200, StoreAll, |_| Some(201.0));
    for steps in [200, 20_000] {
        row(steps, Reversible::default(), |_| Some(10.0));
        row(steps, Guarded::default(), |stats| Some(6.0 + 2.0 * stats.anchors() as f64));
        row(steps, Exact::default(), |_| None);
        row(steps, Checkpointed::slots(20), |_| Some(21.0));
    }
}
