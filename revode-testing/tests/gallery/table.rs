//! The table of the gallery: what holds today.

use revode::SolveError;

use crate::entry::{Answer, Choice, Kind};
use crate::{TOLERANCES, problems, reference, stated_tolerance};

/// The start of an error's message that a cell has room for.
const ROOM: usize = 60;

/// Prints a line for each problem and strategy with a column for each tolerance: steps and rejections, the gradient's
/// error, and the library's estimate of it where there is one. A `!` is a wrong answer given in silence.
///
/// `filter` is a list of strategies and of parts of names, with commas between; empty for all.
pub(crate) fn print(filter: &str) {
    let filter = filter.to_lowercase();
    let parts: Vec<_> = filter.split(',').filter(|part| !part.is_empty() && *part != "1").collect();
    let choices = Choice::ALL.map(|choice| (choice, format!("{choice:?}").to_lowercase()));
    let chosen = |name: &str| parts.contains(&name);
    let some_chosen = choices.iter().any(|(_, name)| chosen(name));
    let is_strategy = |part: &str| choices.iter().any(|(_, name)| name == part);
    let names: Vec<_> = parts.iter().filter(|part| !is_strategy(part)).collect();
    let references = reference::read();
    let mut ratios = Vec::new();
    for (choice, strategy) in choices.iter().filter(|(_, name)| !some_chosen || chosen(name)) {
        let mut counts = [Counts::default(); TOLERANCES.len()];
        println!("\n{strategy}: steps + rejected, gradient off (value off, estimate)");
        let mut kind = None;
        for entry in problems::all() {
            if !(names.is_empty() || names.iter().any(|part| entry.name.contains(**part))) {
                continue;
            }
            if kind != Some(entry.kind) {
                println!("  {}", title(entry.kind));
                kind = Some(entry.kind);
            }
            let right = &references[entry.name];
            let cells: Vec<_> = TOLERANCES
                .iter()
                .zip(&mut counts)
                .map(|(&tolerance, counts)| {
                    let outcome = entry.gradient(tolerance, *choice);
                    let error = outcome.as_ref().ok().map(|answer| answer.error(right));
                    let mark = counts.add(error, tolerance);
                    if let Ok(answer) = &outcome {
                        ratios.extend(crate::ratio(answer, right));
                    }
                    let loss_error = outcome.as_ref().ok().map(|answer| answer.loss_error(right));
                    cell(&outcome, error, loss_error, mark)
                })
                .collect();
            println!("    {:34}{}", entry.name, cells.join(" | "));
        }
        for (tolerance, Counts { right, refused, wrong }) in TOLERANCES.iter().zip(counts) {
            println!("  {tolerance:e}: {right} right, {refused} refused, {wrong} wrong in silence");
        }
    }
    let part = |is: &dyn Fn(f64) -> bool| {
        let those = ratios.iter().filter(|ratio| is(**ratio)).count();
        100.0 * those as f64 / ratios.len() as f64
    };
    println!(
        "\n{} estimates: true error below 10 times the estimate in {:.1} %, below 100 times in {:.1} %; estimate below \
         100 times the true error in {:.1} %",
        ratios.len(),
        part(&|ratio| ratio <= 10.0),
        part(&|ratio| ratio <= 100.0),
        part(&|ratio| ratio >= 0.01),
    );
}

/// What came of the problems with one tolerance.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    right: u32,
    refused: u32,
    wrong: u32,
}

impl Counts {
    /// Counts an answer with this error, or an error; returns the mark of it.
    fn add(&mut self, error: Option<f64>, tolerance: f64) -> char {
        let (count, mark) = match error {
            None => (&mut self.refused, ' '),
            Some(error) if error <= crate::SLACK * stated_tolerance(tolerance) => {
                (&mut self.right, ' ')
            }
            Some(_) => (&mut self.wrong, '!'),
        };
        *count += 1;
        mark
    }
}

fn cell(
    outcome: &Result<Answer, SolveError>,
    error: Option<f64>,
    loss_error: Option<f64>,
    mark: char,
) -> String {
    match (outcome, error, loss_error) {
        (Ok(answer), Some(error), Some(loss_error)) => {
            let steps = format!("{}+{}", answer.stats.accepted, answer.stats.rejected);
            let estimate = answer.estimate.map_or_else(|| "-".into(), |x| format!("{x:.0e}"));
            format!("{steps:>11} {error:7.0e}{mark} ({loss_error:.0e}, {estimate})")
        }
        (Err(error), ..) => {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            format!("error: {}", line.chars().take(ROOM).collect::<String>())
        }
        _ => unreachable!("an answer has errors"),
    }
}

fn title(kind: Kind) -> &'static str {
    match kind {
        Kind::Stability => "at the limit of stability",
        Kind::NoSteps => "no steps asked for",
        Kind::Kink => "kinks",
        Kind::Jump => "jumps",
        Kind::Small => "small beside the tolerance",
        Kind::Pulse => "pulses",
        Kind::Steep => "steep",
        Kind::Sensitive => "sensitive",
        Kind::Ordinary => "ordinary",
    }
}
