//! The command line.

use std::fmt::Write;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};
use revode::methods::METHODS;
use revode_models::run::RunOptions;
use revode_models::solver::{Scheme, SolverChoice, Strategy};

/// Algebraically reversible ODE solvers: models, experiments and methods.
#[derive(Debug, Parser)]
#[command(name = "revode", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Fit a model to data.
    Train(TrainArguments),
    /// List every method and what was proved of it.
    Methods,
}

/// The experiments.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ExperimentName {
    /// A network 4-10-4 fitted to two seconds of a double pendulum.
    DoublePendulum,
}

/// The gradient strategies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StrategyName {
    /// Store all states of the plain method while they fit in 64 MB, `guarded` beyond.
    Auto,
    /// Invert the steps of the guarded pair, to the last bit: little memory, for all problems.
    Guarded,
    /// Invert the steps on an integer grid, to the last bit, whatever dissipates.
    Exact,
    /// Invert the steps of the published pair: constant memory, for conservative problems and short times.
    Reversible,
    /// Keep some states, compute the others again; along the guarded pair unless told.
    Checkpointed,
    /// Keep all states; along the guarded pair unless told.
    StoreAll,
}

#[derive(Debug, Args)]
pub(crate) struct TrainArguments {
    /// What to fit.
    #[arg(value_enum)]
    pub(crate) experiment: ExperimentName,
    /// A file of measured data; simulated data without it.
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// The method; `revode methods` lists them.
    #[arg(long, default_value = "bosh3", value_parser = method_names(), hide_possible_values = true)]
    method: String,
    /// How gradients come by the states of the forward pass.
    #[arg(long, value_enum, default_value = "guarded")]
    strategy: StrategyName,
    /// `reversible`: the coupling of the published pair, in (0, 1], 0.999 unless told. `checkpointed` and
    /// `store-all`: along the published pair with this coupling.
    #[arg(long, value_parser = coupling)]
    lambda: Option<f64>,
    /// `checkpointed` and `store-all`: along the plain method.
    #[arg(long, conflicts_with = "lambda")]
    plain: bool,
    /// `checkpointed`: the number of states kept, 32 unless told.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    slots: Option<u32>,
    /// The number of iterations.
    #[arg(long, default_value = "10000", value_parser = clap::value_parser!(u64).range(1..))]
    epochs: u64,
    /// The seed of the initial weights.
    #[arg(long, default_value = "0")]
    seed: u64,
    /// The directory of the results; results/EXPERIMENT without it.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The relative tolerance of adaptive steps.
    #[arg(long, default_value = "1e-6", value_parser = positive)]
    rtol: f64,
    /// The absolute tolerance of adaptive steps.
    #[arg(long, default_value = "1e-6", value_parser = positive)]
    atol: f64,
    /// Fixed steps of this size in seconds instead of adaptive ones.
    #[arg(long, value_parser = positive, conflicts_with_all = ["rtol", "atol"])]
    step: Option<f64>,
    /// The learning rate; the experiment's own without it.
    #[arg(long, value_parser = positive)]
    learning_rate: Option<f64>,
}

/// The coupling of the paper's experiments.
const LAMBDA: f64 = 0.999;
/// So many that of 6,000 steps none is repeated more than three times (`docs/checkpointing.md`).
const SLOTS: u32 = 32;

impl Cli {
    /// The command line of this process. On wrong usage the process ends with the exit code 2, and on
    /// `--help` with 0.
    pub(crate) fn of_process() -> Self {
        let cli = Self::parse();
        if let Command::Train(arguments) = &cli.command
            && let Some(problem) = arguments.unused_option()
        {
            // A command of its own, so that the message shows the usage of `train`.
            let mut train = TrainArguments::augment_args(clap::Command::new("revode train"));
            train.error(ErrorKind::ArgumentConflict, problem).exit();
        }
        cli
    }
}

impl TrainArguments {
    /// The options of a run of the experiment with this name.
    pub(crate) fn options(&self, experiment: &str) -> RunOptions {
        let Self { rtol, atol, step, epochs, seed, learning_rate, .. } = *self;
        let strategy = self.strategy();
        RunOptions {
            data: self.data.clone(),
            solver: SolverChoice { method: self.method.clone(), step, rtol, atol, strategy },
            epochs,
            seed,
            learning_rate,
            out: self.out.clone().unwrap_or_else(|| PathBuf::from("results").join(experiment)),
        }
    }

    fn strategy(&self) -> Strategy {
        let scheme = match self.lambda {
            _ if self.plain => Scheme::Plain,
            Some(lambda) => Scheme::Reversible { lambda },
            None => Scheme::Guarded,
        };
        match self.strategy {
            StrategyName::Auto => Strategy::Auto,
            StrategyName::Guarded => Strategy::Guarded,
            StrategyName::Exact => Strategy::Exact,
            StrategyName::Reversible => {
                Strategy::Reversible { lambda: self.lambda.unwrap_or(LAMBDA) }
            }
            StrategyName::Checkpointed => {
                Strategy::Checkpointed { slots: self.slots.unwrap_or(SLOTS) as usize, scheme }
            }
            StrategyName::StoreAll => Strategy::StoreAll { scheme },
        }
    }

    /// What is wrong where an option was given that the strategy does not use: nothing that was said is
    /// ignored.
    fn unused_option(&self) -> Option<String> {
        use StrategyName::{Checkpointed, Reversible, StoreAll};
        let options: [(_, _, &[StrategyName]); 3] = [
            ("--lambda", self.lambda.is_some(), &[Reversible, Checkpointed, StoreAll]),
            ("--plain", self.plain, &[Checkpointed, StoreAll]),
            ("--slots", self.slots.is_some(), &[Checkpointed]),
        ];
        let unused = |(_, given, users): &(_, bool, &[StrategyName])| {
            *given && !users.contains(&self.strategy)
        };
        let (option, _, users) = options.into_iter().find(unused)?;
        let users: Vec<_> = users.iter().map(|user| user.name()).collect();
        Some(format!(
            "'{option}' cannot be used with '--strategy {}', only with {}",
            self.strategy.name(),
            users.join(", ")
        ))
    }
}

impl StrategyName {
    fn name(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// The table of `revode methods`.
pub(crate) fn methods_table() -> String {
    let mut table = String::new();
    let mut line = |cells: [&str; 7]| {
        let [name, order, embedded, stages, symmetry, fsal, proof] = cells;
        // Writing to a string cannot fail.
        let _ = writeln!(
            table,
            "{name:<16}{order:>5}  {embedded:>8}  {stages:>6}  {symmetry:>14}  {fsal:<4}  {proof}"
        );
    };
    line(["method", "order", "embedded", "stages", "symmetry order", "FSAL", "proof"]);
    for method in METHODS {
        line([
            method.name,
            &method.order.to_string(),
            &method.embedded_order.map_or("-".to_owned(), |order| order.to_string()),
            &method.stages.to_string(),
            &method.symmetry_order.to_string(),
            if method.fsal { "yes" } else { "-" },
            &method.proof.to_string(),
        ]);
    }
    table
}

fn method_names() -> PossibleValuesParser {
    PossibleValuesParser::new(METHODS.iter().map(|method| method.name))
}

fn positive(text: &str) -> Result<f64, String> {
    number(text, |value| value > 0.0, "a positive number")
}

fn coupling(text: &str) -> Result<f64, String> {
    number(text, |value| value > 0.0 && value <= 1.0, "a number in (0, 1]")
}

fn number(text: &str, allowed: impl Fn(f64) -> bool, wanted: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() && allowed(value) => Ok(value),
        _ => Err(format!("it must be {wanted}")),
    }
}
