//! The progress of a training on the screen.

use std::fmt::Write;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::training::Epoch;

/// A bar with the loss and the iterations per second on the standard error stream; silent where
/// that is not a terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar of `epochs` iterations.
    pub(crate) fn new(epochs: u64) -> Self {
        let template = "{bar:30} {pos}/{len}  {rate}/s  {msg}  {eta} left";
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        // `per_sec` of the template has four decimals, whatever its width.
        let style = style.with_key("rate", |state: &ProgressState, text: &mut dyn Write| {
            // There is nothing to do about a text that cannot be written.
            let _ = write!(text, "{:.0}", state.per_sec());
        });
        Self { bar: ProgressBar::new(epochs).with_style(style) }
    }

    /// Shows an iteration, and the smallest loss so far.
    pub(crate) fn show(&self, epoch: &Epoch, best: f64) {
        // Text is formatted as often as the eye can follow, not thousands of times a second.
        if !self.bar.is_hidden()
            && (epoch.epoch % 32 == 1 || Some(epoch.epoch) == self.bar.length())
        {
            self.bar.set_message(format!("loss {:.3e}, best {best:.3e}", epoch.loss));
        }
        self.bar.set_position(epoch.epoch);
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
