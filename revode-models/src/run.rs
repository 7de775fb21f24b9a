//! A training from its options to its results.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use revode::SolveError;

use crate::adamw::AdamWSettings;
use crate::experiments::{Experiment, TaskError};
use crate::progress::Progress;
use crate::report::{Output, ReportError, Summary, loss_plot, prediction_plot, safetensors};
use crate::solver::{ChoiceError, Differentiate, SolverChoice};
use crate::training::{End, Task, Training, train};

/// What a training is told.
#[derive(Debug, Clone, PartialEq)]
pub struct RunOptions {
    /// The data file; simulated data where there is none.
    pub data: Option<PathBuf>,
    /// The solver.
    pub solver: SolverChoice,
    /// The number of iterations.
    pub epochs: u64,
    /// The seed of the initial weights.
    pub seed: u64,
    /// The learning rate; the experiment's where there is none.
    pub learning_rate: Option<f64>,
    /// The directory of the results.
    pub out: PathBuf,
}

/// What a training has left.
#[derive(Debug, Clone, PartialEq)]
pub struct RunResult {
    /// The summary.
    pub summary: Summary,
    /// The files that were written.
    pub files: Vec<PathBuf>,
}

/// Why a run has failed.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The solver cannot be made.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// There is no data.
    #[error(transparent)]
    Task(#[from] TaskError),
    /// The results cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// The solve with the initial weights has failed: there is nothing to save.
    #[error("the first solve failed, nothing was written: {0}")]
    FirstSolve(SolveError),
    /// A later solve has failed.
    #[error(
        "the solve of iteration {} failed: {source}; the {epochs} iterations before it are saved in {}",
        epochs + 1,
        out.display()
    )]
    Solve {
        /// The iterations before it.
        epochs: u64,
        /// Where their results are.
        out: PathBuf,
        /// Why.
        source: SolveError,
    },
    /// It was told to stop before the first iteration was done.
    #[error("interrupted before the first iteration, nothing was written")]
    Interrupted,
}

impl RunError {
    /// What to change on the command line, where the error tells it in terms of the library.
    pub fn hint(&self) -> Option<&'static str> {
        let (Self::FirstSolve(error) | Self::Solve { source: error, .. }) = self else {
            return None;
        };
        match error {
            SolveError::PairDiverged { .. } => Some("`--strategy guarded` closes the gap"),
            SolveError::NotReversed { .. } => Some("`--strategy guarded` bounds the rounding"),
            _ => None,
        }
    }
}

/// Trains, and writes `summary.json`, `loss.csv`, `weights.safetensors` (those with the smallest
/// loss), `prediction.svg` and `loss.svg`. When `stop` becomes true, it ends after the current iteration
/// and writes what it has.
///
/// # Errors
/// [`RunError`]. Only where it is [`RunError::Solve`] has anything been written.
pub fn run<E: Experiment>(options: &RunOptions, stop: &AtomicBool) -> Result<RunResult, RunError> {
    let task = E::task(options.data.as_deref(), options.seed)?;
    let solver = options.solver.solver::<E::Model>()?;
    let output = Output::create(&options.out)?;
    let learning_rate = options.learning_rate.unwrap_or(E::LEARNING_RATE);
    let optimiser = AdamWSettings::new(learning_rate, E::WEIGHT_DECAY);

    let progress = Progress::new(options.epochs);
    let training = train(&task, &*solver, optimiser, options.epochs, |epoch, best| {
        progress.show(epoch, best);
        if stop.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    progress.finish();

    let Some(summary) = summary::<E>(options, optimiser, &training) else {
        return Err(match training.end {
            End::Failed(error) => RunError::FirstSolve(error),
            End::Completed | End::Interrupted => RunError::Interrupted,
        });
    };
    let files = report::<E>(output, &task, &*solver, &training, &summary)?;
    match training.end {
        End::Completed | End::Interrupted => Ok(RunResult { summary, files }),
        End::Failed(source) => {
            Err(RunError::Solve { epochs: summary.epochs, out: options.out.clone(), source })
        }
    }
}

/// The summary of a training; none where no iteration was done.
fn summary<E: Experiment>(
    options: &RunOptions,
    optimiser: AdamWSettings,
    training: &Training<E::Model>,
) -> Option<Summary> {
    let last = training.epochs.last()?;
    let accepted: u64 = training.epochs.iter().map(|epoch| epoch.accepted_steps).sum();
    let SolverChoice { method, step, rtol, atol, strategy } = options.solver.clone();
    Some(Summary {
        experiment: E::NAME,
        method,
        strategy: strategy.name(),
        scheme: strategy.scheme_name(),
        lambda: strategy.lambda(),
        slots: strategy.slots(),
        data: options.data.as_ref().map(|path| path.display().to_string()),
        epochs: last.epoch,
        seed: options.seed,
        rtol: step.is_none().then_some(rtol),
        atol: step.is_none().then_some(atol),
        step,
        learning_rate: optimiser.learning_rate,
        weight_decay: optimiser.weight_decay,
        loss: last.loss,
        best_loss: training.best_loss,
        seconds: training.elapsed.as_secs_f64(),
        mean_accepted_steps: accepted as f64 / training.epochs.len() as f64,
        gradient_error: training
            .epochs
            .iter()
            .filter_map(|epoch| epoch.gradient_error)
            .reduce(f64::max),
        end: match &training.end {
            End::Completed => "completed".to_owned(),
            End::Interrupted => "interrupted".to_owned(),
            End::Failed(error) => format!("failed: {error}"),
        },
    })
}

/// Writes all results.
fn report<E: Experiment>(
    mut output: Output,
    task: &Task<E::Model>,
    solver: &dyn Differentiate<E::Model>,
    training: &Training<E::Model>,
    summary: &Summary,
) -> Result<Vec<PathBuf>, RunError> {
    let encoding = |name| move |problem: String| ReportError::Encoding { name, problem };
    let json = serde_json::to_string_pretty(summary)
        .map_err(|error| encoding("summary.json")(error.to_string()))?;

    let mut losses = csv::Writer::from_writer(Vec::new());
    for epoch in &training.epochs {
        losses.serialize(epoch).map_err(|error| encoding("loss.csv")(error.to_string()))?;
    }
    let losses = losses.into_inner().map_err(|error| encoding("loss.csv")(error.to_string()))?;

    let weights = safetensors(&E::tensors(&training.best), E::NAME)?;

    let mut best = task.clone();
    best.problem.field.clone_from(&training.best);
    // The weights of the smallest loss have been solved with before.
    let prediction = solver.predict(&best).map_err(RunError::FirstSolve)?;
    let data: Vec<&[f64]> = task.data.iter().map(revode::State::as_slice).collect();
    let predicted: Vec<&[f64]> = prediction.y.iter().map(revode::State::as_slice).collect();
    let plot = prediction_plot(E::PANELS, &task.times, &data, &predicted)?;

    output.add("summary.json", json + "\n");
    output.add("loss.csv", losses);
    output.add("weights.safetensors", weights);
    output.add("prediction.svg", plot);
    output.add("loss.svg", loss_plot(&training.epochs)?);
    Ok(output.commit()?)
}
