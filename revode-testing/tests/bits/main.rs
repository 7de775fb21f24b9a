//! The bits of states and gradients, against those recorded in `hashes.txt`.
//!
//! A change of the code that is not to change results must leave every line as it is. Where results are
//! to change, `REVODE_RECORD_BITS=1 cargo test -p revode-testing --test bits` records them again; the lines that differ say where.

mod model;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use model::{Case, cases};
use revode::control::StepControl;
use revode::gradient::Strategy;
use revode::nalgebra::{DMatrix, DVector};
use revode::prelude::*;
use revode::{MethodVjp, Real};

revode::any_method! {
    fixed { Heun, Rk4 }
    adaptive { Bosh3, Tsit5, Dopri5, Vern6 }
}

/// Runs every strategy of the test: this alone is to change with how strategies are made.
macro_rules! every_strategy {
    ($record:expr, $case:expr, $problem:expr, $save:expr, $solver:expr) => {
        let (record, case, problem, save): (&mut Record, &str, _, _) =
            ($record, $case, $problem, $save);
        let solver = $solver;
        macro_rules! run {
            ($name:expr, $strategy:expr) => {
                record.run(case, $name, &solver.strategy($strategy), problem, save)
            };
        }
        run!("auto", Auto::default());
        run!("auto, short of memory", Auto::memory(3_000));
        run!("guarded", Guarded::default());
        run!("guarded, short of memory", Guarded::default().memory(1_000));
        run!("exact", Exact::default());
        run!("exact by rate", Exact::default().rate(5.0));
        run!("reversible by coupling", Reversible::coupling(0.999));
        run!("reversible by rate", Reversible::rate(0.1));
        run!("stored", StoreAll);
        run!("checkpointed", Checkpointed::slots(5));
        run!("stored along guarded", StoreAll.along(Guarded::default()));
        run!("stored along exact", StoreAll.along(Exact::default()));
        run!("stored along reversible", StoreAll.along(Reversible::default()));
        run!("checkpointed along guarded", Checkpointed::slots(5).along(Guarded::default()));
        run!("checkpointed along exact", Checkpointed::slots(3).along(Exact::default()));
    };
}

/// The 64-bit hash of Fowler, Noll and Vo, variant 1a.
struct Hash(u64);

impl Hash {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
    fn number(&mut self, x: u64) {
        self.bytes(&x.to_le_bytes());
    }
    /// An `f32` is one `f64`, so that nothing is lost.
    fn reals<'a, T: Real>(&mut self, values: impl IntoIterator<Item = &'a T>) {
        for value in values {
            self.number(value.to_f64().to_bits());
        }
    }
    fn steps(&mut self, stats: &Stats) {
        self.number(stats.accepted);
        self.number(stats.rejected);
    }
    /// Only which error it is: texts and what they tell may change.
    fn error(&mut self, error: &SolveError) {
        let text = format!("{error:?}");
        let name = text.split([' ', '{', '(']).next().unwrap_or_default();
        self.bytes(name.as_bytes());
    }
}

/// A loss that differs from save point to save point.
struct Distance;

impl Distance {
    fn weight<T: Real>(index: usize) -> T {
        T::from_f64(1.0 + 0.125 * (index % 7) as f64)
    }
}

impl<T: Real, S: State<T>> Loss<T, S> for Distance {
    fn value(&self, index: usize, t: T, y: &S) -> Result<T, SolveError> {
        let sum: T = y.as_slice().iter().map(|y| (*y - t) * (*y - t)).sum();
        Ok(sum * Self::weight(index))
    }
    fn cotangent(&self, index: usize, t: T, y: &S, y_bar: &mut S) {
        let weight = Self::weight::<T>(index) * T::from_f64(2.0);
        for (y_bar, y) in y_bar.as_mut_slice().iter_mut().zip(y.as_slice()) {
            *y_bar += weight * (*y - t);
        }
    }
}

/// What one strategy came to in all cases.
#[derive(Debug, Default, Clone, Copy)]
struct Count {
    answered: u32,
    /// With anchors.
    anchored: u32,
    /// With 10 anchors or more: 1,000 bytes hold at most 8.
    thinned: u32,
    /// With halvings.
    halved: u32,
    /// The gradient is not that of the first solution: the way back had asked for another one.
    revised: u32,
    /// By the strategy `guarded`.
    guarded: u32,
    /// With steps whose start was stored.
    stored: u32,
    /// With rejected steps.
    rejected: u32,
}

/// The lines of the record, and what happened.
#[derive(Default)]
struct Record {
    lines: Vec<String>,
    counts: BTreeMap<&'static str, Count>,
}

impl Record {
    fn run<T, F, M, C, G>(
        &mut self,
        case: &str,
        strategy: &'static str,
        solver: &Solver<M, C, G>,
        problem: &Problem<T, F>,
        save: &SaveAt,
    ) where
        T: Real,
        F: FieldVjp<T>,
        M: MethodVjp<T, F>,
        C: StepControl<T, F, M>,
        G: Strategy,
    {
        let count = self.counts.entry(strategy).or_default();
        let mut hash = Hash::new();
        let mut first = None;
        match solver.forward(problem, save.clone()) {
            Ok(Solution { t, y, stats, .. }) => {
                hash.reals(&t);
                hash.reals(y.iter().flat_map(State::as_slice));
                hash.steps(&stats);
                let points = t.iter().zip(&y).enumerate();
                let value = |(i, (t, y)): (usize, (&T, &F::State))| Distance.value(i, *t, y);
                first = points.map(value).sum::<Result<T, _>>().ok();
            }
            Err(error) => hash.error(&error),
        }
        match solver.gradient(problem, save.clone(), &Distance) {
            Ok(Gradient { loss, y0, model, stats, .. }) => {
                hash.reals([&loss]);
                hash.reals(y0.as_slice());
                hash.reals(model.slices().flatten());
                hash.steps(&stats);
                count.answered += 1;
                count.anchored += u32::from(stats.strategy.anchors() > 0);
                count.thinned += u32::from(stats.strategy.anchors() >= 10);
                count.halved += u32::from(stats.strategy.bits() > 0.0);
                count.revised += u32::from(first != Some(loss));
                count.guarded += u32::from(stats.strategy.name() == "guarded");
                let stored =
                    matches!(stats.strategy, StrategyStats::Guarded { stored_steps: 1.., .. });
                count.stored += u32::from(stored);
                count.rejected += u32::from(stats.rejected > 0);
            }
            Err(error) => hash.error(&error),
        }
        self.lines.push(format!("{case} {strategy}: {:016x}", hash.0));
    }

    /// The corners of the strategies do occur, in about as many cases as were counted (f64 and f32 together,
    /// of 242 cases a strategy).
    fn check_counts(&self) {
        let at_least = |strategy: &str, what: &str, found: u32, least: u32| {
            assert!(found >= least, "{strategy}: {found} {what}, {least} expected");
        };
        for (strategy, count) in &self.counts {
            let reversible = strategy.contains("reversible");
            at_least(strategy, "answered", count.answered, if reversible { 40 } else { 220 });
            at_least(strategy, "with rejections", count.rejected, if reversible { 8 } else { 60 });
        }
        for strategy in ["guarded", "guarded, short of memory"] {
            let count = &self.counts[strategy];
            at_least(strategy, "anchored", count.anchored, 220);
            at_least(strategy, "thinned", count.thinned, 150);
            at_least(strategy, "revised", count.revised, 8);
            at_least(strategy, "stored", count.stored, 8);
        }
        let auto = &self.counts["auto, short of memory"];
        at_least("auto", "guarded", auto.guarded, 140);
        at_least("auto", "stored", auto.answered - auto.guarded, 60);
        for strategy in ["exact", "exact by rate"] {
            at_least(strategy, "halved", self.counts[strategy].halved, 220);
        }
        at_least("exact", "revised", self.counts["exact"].revised, 8);
    }

    /// Compares with the recorded lines, or records these.
    fn finish(&self) {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bits/hashes.txt");
        let text = self.lines.iter().fold(String::new(), |mut text, line| {
            writeln!(text, "{line}").unwrap();
            text
        });
        if std::env::var_os("REVODE_RECORD_BITS").is_some_and(|value| value == "1") {
            std::fs::write(path, text).unwrap();
            return;
        }
        let recorded = std::fs::read_to_string(path).unwrap();
        let mut differ = String::new();
        let mut number = 0;
        let lines = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
        let (found, expected) = (lines(&text), lines(&recorded));
        for i in 0..found.len().max(expected.len()) {
            if found.get(i) != expected.get(i) {
                number += 1;
                if number <= 40 {
                    let of = |lines: &[String]| lines.get(i).cloned().unwrap_or("no line".into());
                    writeln!(differ, "{} instead of {}", of(&found), of(&expected)).unwrap();
                }
            }
        }
        assert!(number == 0, "{number} of {} lines differ:\n{differ}", expected.len());
    }
}

/// At which points the solution is saved: each kind in turn, the same for all strategies.
fn save(case: usize, method: usize) -> (&'static str, SaveAt) {
    match (case + method) % 4 {
        0 => ("every", SaveAt::every(0.37).landed()),
        1 => ("steps", SaveAt::steps()),
        2 => ("every, no start", SaveAt::every(1.1).without_start().landed()),
        _ => ("end", SaveAt::end()),
    }
}

/// All problems with all methods in one precision.
macro_rules! every_case {
    ($record:expr, $T:ident, $tolerance:expr) => {
        for (i, Case { name, problem, h }) in cases::<$T>().iter().enumerate() {
            let name = |method, steps, saved| {
                format!("{} {name}, {method:?}, {steps}, {saved},", stringify!($T))
            };
            for (j, method) in AnyMethod::ALL.iter().enumerate() {
                let (saved, save) = save(i, j);
                let case = name(method, "fixed", saved);
                let solver = Solver::new(*method).fixed_step(*h);
                every_strategy!($record, &case, problem, &save, solver);
            }
            for (j, method) in AnyMethod::ADAPTIVE.iter().enumerate() {
                let (saved, save) = save(i, j + 1);
                let case = name(method, "adaptive", saved);
                let solver = Solver::new(*method).tolerance($tolerance, $tolerance).unchecked();
                every_strategy!($record, &case, problem, &save, solver);
            }
        }
    };
}

ode! {
    /// A network whose size is known at run time only.
    pub(crate) struct Network {
        dims   { N, M }
        state  { u: [N] }
        params { v: [N, M], w: [M, N], b: [M] }
    }
    du/dt = v @ tanh(w @ u + b) - 0.3 * u;
}

/// A state on the heap, and methods as they are.
fn heap(record: &mut Record) {
    let number = |i: usize| ((i * 7 + 3) % 11) as f64 / 5.5 - 1.0;
    let (n, m) = (6, 9);
    let field = Network {
        N: n,
        M: m,
        v: DMatrix::from_fn(n, m, |i, j| number(i + n * j)),
        w: DMatrix::from_fn(m, n, |i, j| number(5 + 3 * i + j)),
        b: DVector::from_fn(m, |i, _| number(i)),
    };
    let y0 = DVector::from_fn(n, |i, _| number(4 + 2 * i));
    let problem = &Problem::new(field, y0, 0.0..5.0);
    let save = &SaveAt::every(0.5).landed();
    every_strategy!(
        record,
        "heap, Heun, fixed,",
        problem,
        save,
        Solver::new(Heun).fixed_step(0.02)
    );
    let solver = Solver::new(Tsit5).tolerance(1e-6, 1e-6);
    every_strategy!(record, "heap, Tsit5, adaptive,", problem, save, solver);
}

#[test]
fn states_and_gradients_keep_their_bits() {
    let mut record = Record::default();
    every_case!(&mut record, f64, 1e-6);
    every_case!(&mut record, f32, 1e-4);
    heap(&mut record);
    for (strategy, count) in &record.counts {
        println!("{strategy:28} {count:?}");
    }
    record.check_counts();
    record.finish();
}
