//! A neural field that follows a double pendulum.

use std::path::Path;

use rand_distr::{Distribution, StandardNormal};
use revode::methods::Dopri5;
use revode::nalgebra::SVector;
use revode::{Problem, SaveAt, SolveError, Solver};

use super::{Experiment, TaskError};
use crate::data::{Recording, Trial};
use crate::initialise::random_numbers;
use crate::models;
use crate::report::{Panel, Tensor};
use crate::training::Task;

/// An experiment of McCallum and Foster, arXiv 2410.11648: a network 4-10-4 with `tanh`
/// fitted to 2 seconds of a double pendulum, 500 points interpolated from a recording whose angles
/// (radians) and angular velocities (radians per second) are divided by 10.
///
/// The recording is that of Schmidt and Lipson, Science 324 (2009), or a simulated one.
#[derive(Debug, Clone, Copy)]
pub struct DoublePendulum;

/// The duration of the fit in seconds.
const DURATION: f64 = 2.0;
/// The number of data points.
const POINTS: usize = 500;
/// What the angles and angular velocities are divided by.
const SCALE: f64 = 10.0;

impl Experiment for DoublePendulum {
    type Model = models::Mlp<4, 10>;

    const NAME: &'static str = "double-pendulum";
    const LEARNING_RATE: f64 = 1e-2;
    const WEIGHT_DECAY: f64 = 1e-5;
    const PANELS: &'static [Panel] = &[
        Panel { label: "angle (rad)", curves: &[(0, "θ₁"), (1, "θ₂")], scale: SCALE },
        Panel {
            label: "angular velocity (rad/s)", curves: &[(2, "ω₁"), (3, "ω₂")], scale: SCALE
        },
    ];

    fn task(data: Option<&Path>, seed: u64) -> Result<Task<Self::Model>, TaskError> {
        let recording = data
            .map_or_else(|| Ok(simulated()?), |path| Ok::<_, TaskError>(Recording::read(path)?))?;
        let times: Vec<f64> =
            (0..POINTS).map(|i| DURATION * i as f64 / (POINTS - 1) as f64).collect();
        let rows = recording.resample::<4>(SCALE, &times)?;
        let data: Vec<SVector<f64, 4>> = rows.into_iter().map(SVector::from).collect();
        let problem = Problem::new(models::Mlp::random(seed), data[0], 0.0..DURATION);
        Ok(Task { problem, times, data })
    }

    fn tensors(model: &Self::Model) -> Vec<Tensor> {
        vec![
            Tensor::matrix("w1", 10, model.w1.as_slice()),
            Tensor::vector("b1", model.b1.as_slice()),
            Tensor::matrix("w2", 4, model.w2.as_slice()),
            Tensor::vector("b2", model.b2.as_slice()),
        ]
    }
}

/// A recording made of the true equations: rods of 0.18 m and equal masses released much like the real
/// system, seen every 10 ms with normally distributed errors of 0.01 rad and 0.1 rad/s. Always the
/// same one, whatever the seed of the training.
fn simulated() -> Result<Recording, SolveError> {
    let pendulum = models::DoublePendulum {
        length1: 0.18,
        length2: 0.18,
        mass1: 0.1,
        mass2: 0.1,
        gravity: 9.81,
    };
    let start = [-1.13, -1.30, -0.54, -6.16];
    let problem = Problem::new(pendulum, start, 0.0..DURATION);
    let solution =
        Solver::new(Dopri5).tolerance(1e-9, 1e-9).solve(&problem, SaveAt::every(0.01))?;
    let mut random = random_numbers(2009);
    let noise = [0.01, 0.01, 0.1, 0.1];
    let mut measure = |(y, sigma): (&f64, f64)| {
        let error: f64 = StandardNormal.sample(&mut random);
        y + sigma * error
    };
    let rows = solution.y.iter().map(|y| y.iter().zip(noise).map(&mut measure).collect()).collect();
    let columns = ["theta1", "theta2", "omega1", "omega2"].map(str::to_owned).to_vec();
    Ok(Recording::of_trial(
        "simulated data",
        columns,
        Trial { number: 0.0, times: solution.t, rows },
    ))
}
