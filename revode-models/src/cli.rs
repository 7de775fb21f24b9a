//! The command line.

use std::fmt::Write;
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use revode::methods::METHODS;
use revode_models::run::RunOptions;
use revode_models::solver::{SolverChoice, Strategy};

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
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum StrategyName {
    /// The fastest that fits in the memory.
    Auto,
    /// Invert the steps from anchor to anchor, certified.
    Guarded,
    /// Invert the steps on an integer grid, to the last bit.
    Exact,
    /// Invert the steps as published: constant memory, for conservative problems and short times.
    Reversible,
    /// Keep some states, compute the others again.
    Checkpointed,
    /// Keep all states.
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
    #[arg(long, value_enum, default_value = "reversible")]
    strategy: StrategyName,
    /// The coupling of the reversible pair, in (0, 1].
    #[arg(long, default_value = "0.999", value_parser = coupling)]
    lambda: f64,
    /// The states that a checkpointed gradient keeps.
    #[arg(long, default_value = "32", value_parser = clap::value_parser!(u32).range(1..))]
    slots: u32,
    /// Checkpointed and store-all: the plain method instead of the reversible pair.
    #[arg(long)]
    plain: bool,
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

impl TrainArguments {
    /// The options of a run of the experiment with this name.
    pub(crate) fn options(&self, experiment: &str) -> RunOptions {
        let lambda = self.lambda;
        let coupled = (!self.plain).then_some(lambda);
        let strategy = match self.strategy {
            StrategyName::Auto => Strategy::Auto,
            StrategyName::Guarded => Strategy::Guarded,
            StrategyName::Exact => Strategy::Exact,
            StrategyName::Reversible => Strategy::Reversible { lambda },
            StrategyName::Checkpointed => {
                Strategy::Checkpointed { slots: self.slots as usize, lambda: coupled }
            }
            StrategyName::StoreAll => Strategy::StoreAll { lambda: coupled },
        };
        let Self { rtol, atol, step, epochs, seed, learning_rate, .. } = *self;
        RunOptions {
            data: self.data.clone(),
            solver: SolverChoice { method: self.method.clone(), step, rtol, atol, strategy },
            epochs,
            seed,
            learning_rate,
            out: self.out.clone().unwrap_or_else(|| PathBuf::from("results").join(experiment)),
        }
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
