//! What a run leaves: a summary, losses, weights and plots.

mod output;
mod plot;
mod summary;
mod weights;

pub use output::Output;
pub use plot::{Panel, loss_plot, prediction_plot};
pub use summary::Summary;
pub use weights::{Tensor, safetensors};

/// What can go wrong when results are written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// A file or directory cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Unwritable {
        /// The file or directory.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A plot cannot be drawn.
    #[error("cannot draw {name}: {problem}")]
    Plot {
        /// The plot.
        name: &'static str,
        /// Why.
        problem: String,
    },
    /// A value has no representation in a file's format.
    #[error("cannot encode {name}: {problem}")]
    Encoding {
        /// The file.
        name: &'static str,
        /// Why.
        problem: String,
    },
}
