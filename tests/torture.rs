//! Random fields, over stiffness, horizon, precision, method, step-size control and strategy: every
//! gradient is as accurate as was asked for, or an error.
//!
//! `REVODE_TORTURE=100000 cargo test --release --test torture -- --nocapture` runs more cases than CI does
//! and prints the factor between certificate and error that the safety factor rests on.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use revode::gradient::{Along, GradientStrategy};
use revode::nalgebra::{DMatrix, DVector};
use revode::prelude::*;
use revode::{EmbeddedMethod, MethodVjp, Real};

ode! {
    struct Linear {
        dims   { n }
        state  { u: [n] }
        params { a: [n, n], b: [n] }
    }
    du/dt = a @ u + b;
}

ode! {
    struct Network {
        dims   { n, m }
        state  { u: [n] }
        params { w1: [m, n], b1: [m], w2: [n, m], b2: [n] }
    }
    du/dt = w2 @ tanh(w1 @ u + b1 + sin(t)) + b2;
}

/// What a case is made of; numbers in `f64`, whatever the precision of the solve.
#[derive(Debug, Clone)]
struct Case {
    linear: bool,
    single: bool,
    n: usize,
    numbers: Vec<f64>,
    /// How fast the field contracts on average, and how large it is.
    contraction: f64,
    strength: f64,
    horizon: f64,
    /// The number of fixed steps; adaptive ones of this tolerance where there is none.
    steps: Option<u32>,
    tolerance: f64,
    /// The accuracy asked for; the default where there is none.
    accuracy: Option<f64>,
    method: Method,
    strategy: Choice,
    at_steps: bool,
    memory: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
enum Method {
    Heun,
    Bosh3,
    Rk4,
    Tsit5,
    Dopri5,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Choice {
    Guarded,
    Exact,
    ExactRate(f64),
    Auto,
    Published(f64),
    Rate(f64),
    Checkpointed,
}

fn case() -> impl Strategy<Value = Case> {
    let field = (any::<bool>(), any::<bool>(), 1_usize..6, prop::collection::vec(-1.0..1.0, 80));
    let flow = (-2.0..30.0, 0.1..10.0, -1.0..1.7);
    let steps = prop::option::of(10_u32..800);
    let method =
        select(vec![Method::Heun, Method::Bosh3, Method::Rk4, Method::Tsit5, Method::Dopri5]);
    let strategy = prop_oneof![
        3 => Just(Choice::Guarded),
        2 => Just(Choice::Exact),
        1 => (0.0..40.0).prop_map(Choice::ExactRate),
        1 => Just(Choice::Auto),
        2 => select(vec![0.9, 0.99, 0.999, 1.0]).prop_map(Choice::Published),
        1 => (0.0..40.0).prop_map(Choice::Rate),
        1 => Just(Choice::Checkpointed),
    ];
    let memory = prop::option::weighted(0.3, 0_usize..4000);
    let accuracy = prop::option::weighted(0.3, -10.0..-1.0);
    let solve = (steps, -9.0..-3.0, accuracy, method, strategy, any::<bool>(), memory);
    (field, flow, solve).prop_map(|(field, flow, solve)| {
        let (linear, single, n, numbers) = field;
        let (contraction, strength, horizon) = flow;
        let (steps, tolerance, accuracy, method, strategy, at_steps, memory) = solve;
        Case {
            linear,
            single,
            n,
            numbers,
            contraction,
            strength,
            horizon: 10_f64.powf(horizon),
            steps,
            tolerance: 10_f64.powf(if single { 0.5 * tolerance - 1.0 } else { tolerance }),
            accuracy: accuracy.map(|accuracy| 10_f64.powf(accuracy)),
            method,
            strategy,
            at_steps,
            memory,
        }
    })
}

/// What came of a case.
enum Outcome {
    /// The difference from the stored states' gradient, relative to its largest component; the
    /// certificate; and the accuracy asked for.
    Answer {
        difference: f64,
        certificate: f64,
        asked: f64,
    },
    Error(SolveError),
}

impl Case {
    fn run(&self) -> Outcome {
        match (self.linear, self.single) {
            (true, false) => self.method(&self.linear::<f64>()),
            (true, true) => self.method(&self.linear::<f32>()),
            (false, false) => self.method(&self.network::<f64>()),
            (false, true) => self.method(&self.network::<f32>()),
        }
    }

    fn number<T: Real>(&self, i: usize) -> T {
        T::from_f64(self.numbers[i % self.numbers.len()])
    }

    fn problem<T: Real, F: VectorField<T, State = DVector<T>>>(&self, field: F) -> Problem<T, F> {
        let y0 = DVector::from_fn(self.n, |i, _| self.number::<T>(i + 60));
        Problem::new(field, y0, T::ZERO..T::from_f64(self.horizon))
    }

    /// `A = strength · random − contraction`
    fn linear<T: Real>(&self) -> Problem<T, Linear<T>> {
        let n = self.n;
        let (strength, contraction) = (T::from_f64(self.strength), T::from_f64(self.contraction));
        let a = DMatrix::from_fn(n, n, |i, j| {
            let diagonal = if i == j { contraction } else { T::ZERO };
            strength * self.number::<T>(i * n + j) - diagonal
        });
        self.problem(Linear { n, a, b: DVector::from_fn(n, |i, _| self.number::<T>(i + 40)) })
    }

    fn network<T: Real>(&self) -> Problem<T, Network<T>> {
        let (n, m) = (self.n, 7);
        let strength = T::from_f64(self.strength);
        self.problem(Network {
            n,
            m,
            w1: DMatrix::from_fn(m, n, |i, j| self.number::<T>(i * n + j)),
            b1: DVector::from_fn(m, |i, _| self.number::<T>(i + 35)),
            w2: DMatrix::from_fn(n, m, |i, j| strength * self.number::<T>(i * m + j + 17)),
            b2: DVector::from_fn(n, |i, _| self.number::<T>(i + 50)),
        })
    }

    fn method<T: Real, F>(&self, problem: &Problem<T, F>) -> Outcome
    where
        F: FieldVjp<T, State = DVector<T>>,
    {
        match self.method {
            Method::Heun => self.fixed(Heun, problem),
            Method::Rk4 => self.fixed(Rk4, problem),
            Method::Bosh3 => self.control(Bosh3, problem),
            Method::Tsit5 => self.control(Tsit5, problem),
            Method::Dopri5 => self.control(Dopri5, problem),
        }
    }

    fn fixed<T: Real, F, M>(&self, method: M, problem: &Problem<T, F>) -> Outcome
    where
        F: FieldVjp<T, State = DVector<T>>,
        M: MethodVjp<T, F> + Copy,
    {
        let h = self.horizon / f64::from(self.steps.unwrap_or(100));
        self.strategy(Solver::new(method).fixed_step(h), problem)
    }

    fn control<T: Real, F, M>(&self, method: M, problem: &Problem<T, F>) -> Outcome
    where
        F: FieldVjp<T, State = DVector<T>>,
        M: EmbeddedMethod<T, F> + MethodVjp<T, F> + Copy,
    {
        if self.steps.is_some() {
            return self.fixed(method, problem);
        }
        let solver = Solver::new(method).tolerance(self.tolerance, self.tolerance);
        self.strategy(solver.max_steps(20_000), problem)
    }

    fn strategy<T: Real, F, M, C>(&self, solver: Solver<M, C>, problem: &Problem<T, F>) -> Outcome
    where
        F: FieldVjp<T, State = DVector<T>>,
        M: Copy,
        C: Copy,
        Auto: GradientStrategy<T, F, M, C>,
        Guarded: GradientStrategy<T, F, M, C>,
        Exact: GradientStrategy<T, F, M, C>,
        Reversible: GradientStrategy<T, F, M, C>,
        StoreAll: GradientStrategy<T, F, M, C>,
        Checkpointed: GradientStrategy<T, F, M, C>,
        Along<StoreAll, Guarded>: GradientStrategy<T, F, M, C>,
        Along<StoreAll, Exact>: GradientStrategy<T, F, M, C>,
        Along<StoreAll, Reversible>: GradientStrategy<T, F, M, C>,
    {
        let exact = |rate: Option<f64>| rate.map_or(Exact::default(), |r| Exact::default().rate(r));
        let reversible = |strategy: Reversible| {
            self.compare(&solver, strategy, StoreAll.along(strategy), problem)
        };
        match self.strategy {
            Choice::Guarded => self.compare(&solver, Guarded, StoreAll.along(Guarded), problem),
            Choice::Exact => {
                self.compare(&solver, exact(None), StoreAll.along(exact(None)), problem)
            }
            Choice::ExactRate(rate) => {
                let strategy = exact(Some(rate));
                self.compare(&solver, strategy, StoreAll.along(strategy), problem)
            }
            Choice::Auto => self.auto(&solver, problem),
            Choice::Published(lambda) => reversible(Reversible::coupling(lambda)),
            Choice::Rate(kappa) => reversible(Reversible::rate(kappa)),
            Choice::Checkpointed => {
                self.compare(&solver, Checkpointed::slots(5), StoreAll, problem)
            }
        }
    }

    /// The reference of `Auto` is that of the strategy that it took.
    fn auto<T: Real, F, M, C>(&self, solver: &Solver<M, C>, problem: &Problem<T, F>) -> Outcome
    where
        F: FieldVjp<T, State = DVector<T>>,
        M: Copy,
        C: Copy,
        Auto: GradientStrategy<T, F, M, C>,
        StoreAll: GradientStrategy<T, F, M, C>,
        Along<StoreAll, Guarded>: GradientStrategy<T, F, M, C>,
    {
        let limited = self.limited(solver.strategy(Auto));
        match limited.gradient(problem, SaveAt::end(), &loss()) {
            Ok(fit) if fit.stats.strategy == "guarded" => {
                self.compare(solver, Auto, StoreAll.along(Guarded), problem)
            }
            _ => self.compare(solver, Auto, StoreAll, problem),
        }
    }

    /// With the memory and the accuracy of the case.
    fn limited<M: Clone, C, G>(&self, mut solver: Solver<M, C, G>) -> Solver<M, C, G> {
        if let Some(memory) = self.memory {
            solver = solver.memory_limit(memory);
        }
        if let Some(accuracy) = self.accuracy {
            solver = solver.gradient_accuracy(accuracy);
        }
        solver
    }

    fn compare<T: Real, F, M, C, G, H>(
        &self,
        solver: &Solver<M, C>,
        strategy: G,
        reference: H,
        problem: &Problem<T, F>,
    ) -> Outcome
    where
        F: FieldVjp<T, State = DVector<T>>,
        M: Copy,
        C: Copy,
        G: GradientStrategy<T, F, M, C>,
        H: GradientStrategy<T, F, M, C>,
    {
        let save = || if self.at_steps { SaveAt::steps() } else { SaveAt::end() };
        let found = self.limited(solver.strategy(strategy)).gradient(problem, save(), &loss());
        let found = match found {
            Ok(found) => found,
            Err(error) => return Outcome::Error(error),
        };
        let stored = solver.strategy(reference).gradient(problem, save(), &loss()).expect("stored");
        let flat = |fit: &Gradient<F, DVector<T>, T>| -> Vec<f64> {
            let all = fit.y0.as_slice().iter().chain(fit.model.slices().flatten());
            all.map(|x| x.to_f64()).collect()
        };
        let (found_flat, stored) = (flat(&found), flat(&stored));
        // Both are finite, or they would be errors.
        assert!(found_flat.iter().chain(&stored).all(|x| x.is_finite()));
        let largest = stored.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        let error = found_flat.iter().zip(&stored).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        // As the documentation of `Solver::gradient_accuracy` has it.
        let epsilon = T::EPSILON.to_f64();
        let half = 0.5 * epsilon.sqrt();
        let tolerance = if self.adapts() { self.tolerance } else { half };
        let default = tolerance.min(half).max(1_600.0 * epsilon);
        Outcome::Answer {
            difference: if error == 0.0 { 0.0 } else { error / largest },
            certificate: found.stats.certificate.unwrap_or(0.0),
            asked: self.accuracy.unwrap_or(default),
        }
    }

    /// Whether the steps are adaptive.
    fn adapts(&self) -> bool {
        self.steps.is_none() && !matches!(self.method, Method::Heun | Method::Rk4)
    }
}

fn loss<T: Real>() -> impl Loss<T, DVector<T>> {
    let half = T::from_f64(0.5);
    let value = move |y: &DVector<T>| y.iter().map(|y| half * *y * *y).sum::<T>();
    Terminal::new(value, DVector::clone)
}

#[test]
fn every_answer_is_accurate_or_an_error() {
    let cases = std::env::var("REVODE_TORTURE").map_or(3000, |cases| cases.parse().unwrap());
    // The same cases in every run of CI; a new seed with each number of cases.
    let seed = [u8::try_from(cases % 251).unwrap_or(0); 32];
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let (answers, errors, factor) = (Cell::new(0), Cell::new(0), Cell::new(0.0_f64));
    let result = runner.run(&case(), |case| {
        match case.run() {
            Outcome::Answer { difference, certificate, asked } => {
                answers.set(answers.get() + 1);
                prop_assert!(
                    difference <= asked,
                    "off by {difference:e}, asked for {asked:e}, certificate {certificate:e}"
                );
                if certificate > 0.0 {
                    factor.set(factor.get().max(difference / certificate));
                }
            }
            Outcome::Error(error) => {
                errors.set(errors.get() + 1);
                let certain = !matches!(case.strategy, Choice::Published(_) | Choice::Rate(_));
                let lost = matches!(
                    error,
                    SolveError::NotReversed { .. }
                        | SolveError::NotExact { .. }
                        | SolveError::PairDiverged { .. }
                );
                prop_assert!(!(certain && lost), "{:?}: {error}", case.strategy);
            }
        }
        Ok(())
    });
    println!(
        "{} answers, {} errors, error at most {:.0} certificates",
        answers.get(),
        errors.get(),
        factor.get()
    );
    result.unwrap();
}
