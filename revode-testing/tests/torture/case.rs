//! A random case: what is solved, how, and what its gradient is compared with.

use proptest::prelude::*;
use proptest::sample::select;
use revode::Real;
use revode::control::StepControl;
use revode::gradient::Strategy as GradientStrategy;
use revode::nalgebra::DVector;
use revode::prelude::*;
use revode_testing::compare::{difference, largest_size};

use crate::fields::{Draw, Linear, Network, Random, Swing, Units};

#[derive(Debug, Clone)]
pub(crate) struct Case {
    field: Field,
    /// Numbers in `f64`, whatever the precision of the solve.
    draw: Draw,
    units: Units,
    single: bool,
    /// In units of 1.
    horizon: f64,
    /// The number of fixed steps; adaptive ones of this tolerance where there is none.
    steps: Option<u32>,
    tolerance: f64,
    /// Whether the absolute tolerance belongs to the smallest unit; otherwise to the largest.
    fine: bool,
    /// The accuracy asked for; the default where there is none.
    accuracy: Option<f64>,
    method: AnyMethod,
    pub(crate) strategy: Choice,
    at_steps: bool,
    memory: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
enum Field {
    Linear,
    Rotation,
    Network,
    Swing,
}

revode::any_method! {
    fixed { Heun, Rk4 }
    adaptive { Bosh3, Tsit5, Dopri5 }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Choice {
    Guarded,
    Exact,
    ExactRate(f64),
    Auto,
    Published(f64),
    Rate(f64),
    Checkpointed,
}

impl Choice {
    /// The name of the strategy.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Guarded => "guarded",
            Self::Exact => "exact",
            Self::ExactRate(_) => "exact by rate",
            Self::Auto => "auto",
            Self::Published(_) => "published",
            Self::Rate(_) => "published by rate",
            Self::Checkpointed => "checkpointed",
        }
    }

    /// Whether the gradient is always that of the stored states, to the last bit.
    pub(crate) fn is_exact(self) -> bool {
        !matches!(self, Self::Published(_) | Self::Rate(_))
    }
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    let field = select(vec![Field::Linear, Field::Rotation, Field::Network, Field::Swing]);
    let field = (field, any::<bool>(), 1_usize..6, prop::collection::vec(-1.0..1.0, 80));
    let flow = (-2.0..30.0, 0.1..10.0, -1.0..1.7);
    let zero = prop::option::weighted(0.3, prop::collection::vec(any::<bool>(), 5));
    let powers = prop::option::weighted(0.6, prop::collection::vec(-40.0..40.0, 5));
    let units = (zero, powers, prop::option::of(-20.0..20.0), any::<bool>());
    let steps = prop::option::of(10_u32..800);
    let method = select(vec![
        AnyMethod::Heun,
        AnyMethod::Bosh3,
        AnyMethod::Rk4,
        AnyMethod::Tsit5,
        AnyMethod::Dopri5,
    ]);
    let strategy = prop_oneof![
        3 => Just(Choice::Guarded),
        3 => Just(Choice::Exact),
        1 => (0.0..40.0).prop_map(Choice::ExactRate),
        1 => Just(Choice::Auto),
        2 => select(vec![0.9, 0.99, 0.999, 1.0]).prop_map(Choice::Published),
        1 => (0.0..40.0).prop_map(Choice::Rate),
        1 => Just(Choice::Checkpointed),
    ];
    let memory = prop::option::weighted(0.3, 0_usize..4000);
    let accuracy = prop::option::weighted(0.3, -10.0..-1.0);
    let solve =
        (steps, -9.0..-3.0, any::<bool>(), accuracy, method, strategy, any::<bool>(), memory);
    (field, flow, units, solve).prop_map(|(field, flow, units, solve)| {
        let (field, single, n, numbers) = field;
        let (contraction, strength, horizon) = flow;
        let (zero, powers, time, backward) = units;
        let (steps, tolerance, fine, accuracy, method, strategy, at_steps, memory) = solve;
        let zero = zero.unwrap_or_else(|| vec![false; 5]);
        // Up to 2¹⁰ in single precision, in which the gradients of `k` have the fourth power.
        let unit = |power: f64| (if single { 0.25 * power } else { power }).round().exp2();
        let state = powers.unwrap_or_else(|| vec![0.0; 5]).into_iter().map(unit).collect();
        let time = unit(time.unwrap_or(0.0)) * if backward { -1.0 } else { 1.0 };
        Case {
            field,
            draw: Draw { n, numbers, contraction, strength, zero },
            units: Units { state, time },
            single,
            horizon: 10_f64.powf(horizon),
            steps,
            tolerance: 10_f64.powf(if single { 0.5 * tolerance - 1.0 } else { tolerance }),
            fine,
            accuracy: accuracy.map(|accuracy| 10_f64.powf(accuracy)),
            method,
            strategy,
            at_steps,
            memory,
        }
    })
}

/// What came of a case.
pub(crate) enum Outcome {
    /// The difference from the stored states' gradient, relative to its largest component in units of 1; the
    /// certificate; and the accuracy asked for.
    Answer {
        difference: f64,
        certificate: f64,
        asked: f64,
        /// Guarded, in double precision with fixed steps: how far the gradient is from the plain method's, and
        /// how far that is from the one of half the step.
        beside_plain: Option<[f64; 2]>,
    },
    Error(SolveError),
}

impl Case {
    pub(crate) fn run(&self) -> Outcome {
        if self.single { self.field::<f32>() } else { self.field::<f64>() }
    }

    fn field<T: Real>(&self) -> Outcome
    where
        Linear<T>: FieldVjp<T, State = DVector<T>>,
        Network<T>: FieldVjp<T, State = DVector<T>>,
        Swing<T>: FieldVjp<T, State = DVector<T>>,
    {
        let Self { draw, units, .. } = self;
        match self.field {
            Field::Linear => self.method::<T, _>(draw.linear(units)),
            Field::Rotation => self.method::<T, _>(draw.rotation(units)),
            Field::Network => self.method::<T, _>(draw.network(units)),
            Field::Swing => self.method::<T, _>(draw.swing(units)),
        }
    }

    fn method<T: Real, F>(&self, field: (F, F)) -> Outcome
    where
        F: FieldVjp<T, State = DVector<T>>,
    {
        let random = self.draw.problem(field, &self.units, self.horizon);
        if self.adapts() { self.control(&random) } else { self.fixed(&random) }
    }

    fn fixed<T: Real, F>(&self, random: &Random<T, F>) -> Outcome
    where
        F: FieldVjp<T, State = DVector<T>>,
    {
        let h = self.horizon * self.units.time.abs() / f64::from(self.steps.unwrap_or(100));
        let solver = Solver::new(self.method).fixed_step(h);
        let outcome = self.strategy(solver, random);
        if self.strategy == Choice::Guarded
            && !self.single
            && let Outcome::Answer { difference, certificate, asked, .. } = outcome
        {
            let finer = Solver::new(self.method).fixed_step(0.5 * h);
            let beside_plain = beside_plain(&solver, &finer, random);
            return Outcome::Answer { difference, certificate, asked, beside_plain };
        }
        outcome
    }

    fn control<T: Real, F>(&self, random: &Random<T, F>) -> Outcome
    where
        F: FieldVjp<T, State = DVector<T>>,
    {
        let units = &self.units.state[..self.draw.n];
        let extreme = if self.fine { f64::min } else { f64::max };
        let atol = self.tolerance * units.iter().copied().reduce(extreme).unwrap();
        self.strategy(
            Solver::new(self.method).tolerance(self.tolerance, atol).max_steps(20_000).unchecked(),
            random,
        )
    }

    fn strategy<T: Real, F, C>(
        &self,
        solver: Solver<AnyMethod, C>,
        random: &Random<T, F>,
    ) -> Outcome
    where
        F: FieldVjp<T, State = DVector<T>>,
        C: StepControl<T, F, AnyMethod> + Copy,
    {
        let exact =
            |strategy: Exact| self.compare(&solver, strategy, StoreAll.along(strategy), random);
        let reversible = |strategy: Reversible| {
            self.compare(&solver, self.certified(strategy), StoreAll.along(strategy), random)
        };
        match self.strategy {
            Choice::Guarded => {
                self.compare(&solver, self.guarded(), StoreAll.along(Guarded::default()), random)
            }
            Choice::Exact => exact(Exact::default()),
            Choice::ExactRate(kappa) => exact(Exact::default().rate(kappa / self.units.time.abs())),
            Choice::Auto => self.auto(&solver, random),
            Choice::Published(lambda) => reversible(Reversible::coupling(lambda)),
            Choice::Rate(kappa) => reversible(Reversible::rate(kappa / self.units.time.abs())),
            Choice::Checkpointed => self.compare(&solver, Checkpointed::slots(5), StoreAll, random),
        }
    }

    /// The reference of `Auto` is that of the strategy that it took.
    fn auto<T: Real, F, C>(&self, solver: &Solver<AnyMethod, C>, random: &Random<T, F>) -> Outcome
    where
        F: FieldVjp<T, State = DVector<T>>,
        C: StepControl<T, F, AnyMethod> + Copy,
    {
        let auto = self.memory.map_or_else(Auto::default, Auto::memory);
        match solver.strategy(auto).gradient(&random.problem, SaveAt::end(), &random.loss()) {
            Ok(fit) if fit.stats.strategy.name() == "guarded" => {
                self.compare(solver, auto, StoreAll.along(Guarded::default()), random)
            }
            _ => self.compare(solver, auto, StoreAll, random),
        }
    }

    /// With the memory of the case.
    fn guarded(&self) -> Guarded {
        self.memory.map_or_else(Guarded::default, |bytes| Guarded::default().memory(bytes))
    }

    /// With the accuracy of the case.
    fn certified(&self, strategy: Reversible) -> Reversible {
        self.accuracy.map_or(strategy, |accuracy| strategy.accuracy(accuracy))
    }

    fn compare<T: Real, F, C, G, H>(
        &self,
        solver: &Solver<AnyMethod, C>,
        strategy: G,
        reference: H,
        random: &Random<T, F>,
    ) -> Outcome
    where
        F: FieldVjp<T, State = DVector<T>>,
        C: StepControl<T, F, AnyMethod> + Copy,
        G: GradientStrategy,
        H: GradientStrategy,
    {
        let (problem, loss) = (&random.problem, random.loss());
        let save = || if self.at_steps { SaveAt::steps() } else { SaveAt::end() };
        let found = solver.strategy(strategy).gradient(problem, save(), &loss);
        let found = match found {
            Ok(found) => found,
            Err(error) => return Outcome::Error(error),
        };
        let stored = solver.strategy(reference).gradient(problem, save(), &loss).expect("stored");
        // (What is finite may not be so in units of 1.)
        let (flat, stored) = (random.flat(&found), random.flat(&stored));
        // As the documentation of `Reversible::accuracy` has it.
        let epsilon = T::EPSILON.to_f64();
        let half = 0.5 * epsilon.sqrt();
        let tolerance = if self.adapts() { self.tolerance } else { half };
        let default = tolerance.min(half).max(1_600.0 * epsilon);
        Outcome::Answer {
            difference: difference(&flat, &stored),
            certificate: found.stats.strategy.certificate().unwrap_or(0.0),
            beside_plain: None,
            asked: if self.strategy.is_exact() { 0.0 } else { self.accuracy.unwrap_or(default) },
        }
    }

    /// Whether the steps are adaptive.
    fn adapts(&self) -> bool {
        self.steps.is_none() && !matches!(self.method, AnyMethod::Heun | AnyMethod::Rk4)
    }
}

/// How far the guarded gradient is from the plain method's, and that from the one of a `finer` solve.
fn beside_plain<T: Real, F>(
    solver: &Solver<AnyMethod, FixedStep>,
    finer: &Solver<AnyMethod, FixedStep>,
    random: &Random<T, F>,
) -> Option<[f64; 2]>
where
    F: FieldVjp<T, State = DVector<T>>,
{
    let (problem, loss) = (&random.problem, random.loss());
    let gradient = |found: Result<Gradient<F, _, T>, _>| found.ok().map(|fit| random.flat(&fit));
    let guarded = solver.strategy(Guarded::default()).gradient(problem, SaveAt::end(), &loss);
    let plain = gradient(solver.strategy(StoreAll).gradient(problem, SaveAt::end(), &loss))?;
    let finer = gradient(finer.strategy(StoreAll).gradient(problem, SaveAt::end(), &loss))?;
    let guarded = gradient(guarded)?;
    // (What is finite may not be so in units of 1.)
    largest_size(&plain)
        .is_normal()
        .then(|| [difference(&guarded, &plain), difference(&finer, &plain)])
}
