//! The summary of a run.

use std::fmt;

use serde::Serialize;

use crate::training::CHECKED_EVERY;

/// What `summary.json` holds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The experiment.
    pub experiment: &'static str,
    /// The method.
    pub method: String,
    /// The gradient strategy.
    pub strategy: &'static str,
    /// The scheme whose discrete solution is differentiated; none where `auto` chooses it in each solve.
    pub scheme: Option<&'static str>,
    /// The coupling of the published pair; none with other schemes.
    pub lambda: Option<f64>,
    /// The stored states of a checkpointed gradient.
    pub slots: Option<usize>,
    /// The data file; none for simulated data.
    pub data: Option<String>,
    /// The iterations done.
    pub epochs: u64,
    /// The seed of the initial weights.
    pub seed: u64,
    /// The relative tolerance; none with fixed steps.
    pub rtol: Option<f64>,
    /// The absolute tolerance; none with fixed steps.
    pub atol: Option<f64>,
    /// The fixed step size in seconds.
    pub step: Option<f64>,
    /// The learning rate.
    pub learning_rate: f64,
    /// The weight decay.
    pub weight_decay: f64,
    /// The loss of the last iteration.
    pub loss: f64,
    /// The smallest loss, that of the weights which are saved.
    pub best_loss: f64,
    /// The time that the iterations took.
    pub seconds: f64,
    /// The accepted steps of a solve, the mean over the iterations.
    pub mean_accepted_steps: f64,
    /// The largest estimated error of a gradient that was checked, relative to the gradient's largest component; none
    /// with fixed steps.
    pub gradient_error: Option<f64>,
    /// How it ended: `completed`, `interrupted`, or `failed: ` and why.
    pub end: String,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { epochs, seconds, loss, best_loss, mean_accepted_steps, .. } = self;
        let rate = *epochs as f64 / seconds.max(f64::MIN_POSITIVE);
        writeln!(f, "  iterations  {epochs} in {seconds:.2} s ({rate:.0}/s), {}", self.end)?;
        writeln!(f, "  loss        {loss:.4e}, best {best_loss:.4e}")?;
        write!(f, "  solve       {mean_accepted_steps:.1} accepted steps on average")?;
        if let Some(error) = self.gradient_error {
            write!(
                f,
                "\n  gradient    off by {error:.1e} at most in every {CHECKED_EVERY}th iteration, estimated"
            )?;
        }
        Ok(())
    }
}
