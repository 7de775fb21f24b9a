//! The command `revode`.

mod cli;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use revode_models::experiments::{DoublePendulum, Experiment};
use revode_models::run::{RunError, run};

use cli::{Command, ExperimentName, TrainArguments};

fn main() -> ExitCode {
    let result = match cli::Cli::of_process().command {
        Command::Train(arguments) => train(&arguments),
        Command::Methods => {
            print!("{}", cli::methods_table());
            Ok(())
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            if let Some(hint) = error.hint() {
                eprintln!("hint: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}

fn train(arguments: &TrainArguments) -> Result<(), RunError> {
    let stop = stop_on_interrupt();
    match arguments.experiment {
        ExperimentName::DoublePendulum => train_experiment::<DoublePendulum>(arguments, &stop),
    }
}

fn train_experiment<E: Experiment>(
    arguments: &TrainArguments,
    stop: &AtomicBool,
) -> Result<(), RunError> {
    let options = arguments.options(E::NAME);
    let source =
        options.data.as_ref().map_or("simulated data".into(), |path| path.display().to_string());
    println!(
        "{}: {}, {} on {source}, seed {}, {} iterations",
        E::NAME,
        options.solver.method,
        options.solver.strategy,
        options.seed,
        options.epochs
    );
    let result = run::<E>(&options, stop)?;
    println!("{}", result.summary);
    let names = result.files.iter().filter_map(|path| path.file_name()?.to_str());
    println!("  results     {}: {}", options.out.display(), names.collect::<Vec<_>>().join(", "));
    Ok(())
}

/// A flag that Ctrl-C or a request to terminate raises; the second one ends the process at once.
fn stop_on_interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let handler = move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        eprintln!("warning: an interrupt will lose the run: {error}");
    }
    stop
}
