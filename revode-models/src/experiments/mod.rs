//! Experiments: a model, the data it is fitted to, and how. One a file.

mod double_pendulum;

pub use double_pendulum::DoublePendulum;

use std::path::Path;

use revode::{FieldVjp, SolveError};

use crate::data::DataError;
use crate::report::{Panel, Tensor};
use crate::training::Task;

/// A model that is fitted to data.
pub trait Experiment {
    /// The model.
    type Model: FieldVjp<f64> + 'static;

    /// The name on the command line.
    const NAME: &'static str;
    /// The learning rate of [`AdamW`](crate::adamw::AdamW), unless told.
    const LEARNING_RATE: f64;
    /// Its weight decay.
    const WEIGHT_DECAY: f64;
    /// How data and prediction are plotted.
    const PANELS: &'static [Panel];

    /// The model with the initial weights of `seed`, and the data of the file, or simulated ones.
    ///
    /// # Errors
    /// [`TaskError`].
    fn task(data: Option<&Path>, seed: u64) -> Result<Task<Self::Model>, TaskError>;

    /// The weights of a model, to be saved.
    fn tensors(model: &Self::Model) -> Vec<Tensor>;
}

/// Why there is no data to fit.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// The data file is not what it should be.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The simulation of data has failed.
    #[error("the simulation of data failed: {0}")]
    Simulation(#[from] SolveError),
}
