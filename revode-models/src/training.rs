//! The training loop.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use revode::{FieldVjp, Problem, SaveAt, SolveError, VectorField};
use serde::Serialize;

use crate::adamw::{AdamW, AdamWSettings};
use crate::solver::Differentiate;

/// What is fitted: a model, and the data that its solution is to follow.
#[derive(Debug, Clone)]
pub struct Task<F: VectorField<f64>> {
    /// The model as it is at first, with the start and the time span of the solution.
    pub problem: Problem<f64, F>,
    /// The times of the data, within the time span.
    pub times: Vec<f64>,
    /// The data, one state for each time.
    pub data: Vec<F::State>,
}

impl<F: VectorField<f64>> Task<F> {
    /// The save points of a solve: steps end on the times of the data, as in the paper, so that the numbers of steps compare.
    pub(crate) fn save(&self) -> SaveAt {
        SaveAt::times(self.times.as_slice()).landed()
    }
}

/// One iteration of a training.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: u64,
    /// The loss before the iteration's step.
    pub loss: f64,
    /// The accepted steps of the solve.
    pub accepted_steps: u64,
    /// The rejected steps of the solve.
    pub rejected_steps: u64,
    /// The estimated error of the gradient, relative to its largest component; none where it was not estimated.
    pub gradient_error: Option<f64>,
}

/// The first gradient and every so many after it are checked against the equation: an estimate of their error in each
/// would take time, and weights change little in so many iterations.
pub const CHECKED_EVERY: u64 = 100;

/// What a training has come to.
#[derive(Debug, Clone)]
pub struct Training<F> {
    /// The iterations.
    pub epochs: Vec<Epoch>,
    /// The model with the smallest loss.
    pub best: F,
    /// The smallest loss; infinite before the first iteration.
    pub best_loss: f64,
    /// The time that the iterations took.
    pub elapsed: Duration,
    /// Why it has ended.
    pub end: End,
}

/// Why a training has ended.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// All iterations are done.
    Completed,
    /// It was told to stop.
    Interrupted,
    /// A solve has failed. Another attempt from the same weights would fail again, and any other
    /// weights would be another training: what was reached is kept, and the failure told.
    Failed(SolveError),
}

/// Trains the model of `task` for `epochs` iterations of [`AdamW`] on the mean squared error over all
/// data; `observe` sees every iteration and may end the training.
///
/// The estimated error of every [`CHECKED_EVERY`]th gradient must be small, with adaptive steps. Equal arguments give
/// equal losses, to the last bit.
pub fn train<F: FieldVjp<f64>>(
    task: &Task<F>,
    solver: &dyn Differentiate<F>,
    optimiser: AdamWSettings,
    epochs: u64,
    mut observe: impl FnMut(&Epoch, f64) -> ControlFlow<()>,
) -> Training<F> {
    let mut task = task.clone();
    let mut optimiser = AdamW::new(optimiser, &task.problem.field);
    let mut training = Training {
        epochs: Vec::new(),
        best: task.problem.field.clone(),
        best_loss: f64::INFINITY,
        elapsed: Duration::ZERO,
        end: End::Completed,
    };
    let begin = Instant::now();
    for epoch in 1..=epochs {
        let gradient = match solver.gradient(&task, epoch % CHECKED_EVERY == 1) {
            Ok(gradient) => gradient,
            Err(error) => {
                training.end = End::Failed(error);
                break;
            }
        };
        let entry = Epoch {
            epoch,
            loss: gradient.loss,
            accepted_steps: gradient.stats.accepted,
            rejected_steps: gradient.stats.rejected,
            gradient_error: gradient.stats.gradient_error,
        };
        training.epochs.push(entry);
        if gradient.loss < training.best_loss {
            training.best_loss = gradient.loss;
            training.best.clone_from(&task.problem.field);
        }
        optimiser.step(&mut task.problem.field, &gradient.model);
        if observe(&entry, training.best_loss).is_break() {
            if epoch < epochs {
                training.end = End::Interrupted;
            }
            break;
        }
    }
    training.elapsed = begin.elapsed();
    training
}
