//! A gallery of problems on which gradients of the discrete solution go wrong in silence, or are known not to, with
//! reference gradients of the equation itself (`references/make.py`, two independent ways each).
//!
//! What is to hold: every gradient is within ten times its stated tolerance of that of the equation, or an error. The
//! table of what holds today, for all problems, tolerances and strategies (one of them, or names with a part, if
//! `REVODE_GALLERY=auto,heat` says so):
//!
//! ```text
//! cargo test --release -p revode-testing --test gallery table -- --ignored --nocapture
//! ```

mod entry;
mod problems;
mod reference;
mod second;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use entry::{Answer, Choice, Entry, Expected, Kind};
use reference::Reference;
use revode::SolveError;
use revode::prelude::*;
use revode_testing::compare::difference;

/// Relative and absolute tolerances of the steps.
const TOLERANCES: [f64; 4] = [1e-3, 1e-4, 1e-6, 1e-8];

/// The accuracy of a gradient, relative to its largest component, that a solver with these tolerances states and beyond
/// which it must return an error: the library's default (`Solver::gradient_tolerance`).
fn stated_tolerance(tolerance: f64) -> f64 {
    tolerance.sqrt().max(100.0 * tolerance).min(0.1)
}

/// How far beyond the stated tolerance a gradient may be: what is stated rests on an estimate.
const SLACK: f64 = 10.0;

/// Whether a gradient is as near to the right one as it has to be. (NaN is not near to anything.)
fn is_right(answer: &Answer, right: &Reference, tolerance: f64) -> bool {
    answer.error(right) <= SLACK * stated_tolerance(tolerance) + right.accuracy
}

/// What is wrong with what came of a problem.
fn fault(
    entry: &Entry,
    right: &Reference,
    tolerance: f64,
    outcome: &Result<Answer, SolveError>,
) -> Option<String> {
    match outcome {
        Ok(answer) => {
            let (error, allowed) = (answer.error(right), SLACK * stated_tolerance(tolerance));
            let (within, estimate) = (is_right(answer, right, tolerance), answer.estimate);
            (!within).then(|| format!("off by {error:.1e}, allowed {allowed:.1e} ({estimate:?})"))
        }
        Err(error) if entry.expected == Expected::Answer => Some(format!("refused: {error}")),
        Err(_) => None,
    }
}

/// What is wrong with the gradients of these problems, and the name of the problem. A panic is wrong.
fn faults(
    all: &[Entry],
    references: &BTreeMap<String, Reference>,
    (choices, tolerances): (&[Choice], &[f64]),
) -> Vec<(&'static str, String)> {
    let mut faults = Vec::new();
    for entry in all {
        for &choice in choices {
            for &tolerance in tolerances {
                let found = match outcome(entry, tolerance, choice) {
                    Ok(outcome) => fault(entry, &references[entry.name], tolerance, &outcome),
                    Err(panic) => Some(panic),
                };
                let place = format!("{} at {tolerance:e}, {choice:?}", entry.name);
                faults.extend(found.map(|fault| (entry.name, format!("{place}: {fault}"))));
            }
        }
    }
    faults
}

/// The gradient; a panic is none.
fn outcome(
    entry: &Entry,
    tolerance: f64,
    choice: Choice,
) -> Result<Result<Answer, SolveError>, String> {
    catch_unwind(AssertUnwindSafe(|| entry.gradient(tolerance, choice)))
        .map_err(|_| "a panic".to_owned())
}

/// Demands that there is no fault.
fn assert_none(faults: &[(&str, String)]) {
    let lines: Vec<_> = faults.iter().map(|(_, fault)| fault.as_str()).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), lines.join("\n"));
}

#[test]
#[ignore = "a table to look at"]
fn table() {
    table::print(&std::env::var("REVODE_GALLERY").unwrap_or_default());
}

/// The true error of a gradient relative to its estimate; `None` where both are below what the reference or rounding
/// can tell: 1e-11 of the gradient's largest component.
fn ratio(answer: &Answer, right: &Reference) -> Option<f64> {
    const ROUNDING: f64 = 1e-11;
    let (error, estimate) = (answer.error(right), answer.estimate?);
    let least = ROUNDING.max(right.accuracy);
    (error > least || estimate > least).then(|| error.max(least) / estimate.max(least))
}

#[test]
fn every_answer_is_right_or_an_error() {
    assert_none(&faults(&problems::all(), &reference::read(), (&Choice::ALL, &TOLERANCES)));
}

/// Both programs have the same problems, and the references are this accurate.
fn assert_same(all: &[Entry], references: &BTreeMap<String, Reference>, accuracy: f64) {
    for entry in all {
        let right = references.get(entry.name).unwrap_or_else(|| panic!("{} has none", entry.name));
        let Problem { field, y0, t0, t1, .. } = &entry.problem;
        let params: Vec<_> = field.slices().flatten().copied().collect();
        for (here, there) in [
            (&params[..], &right.params),
            (y0.as_slice(), &right.y0),
            (&[*t0, *t1], &right.span.to_vec()),
        ] {
            assert_eq!(here.len(), there.len(), "{}", entry.name);
            let apart = difference(here, there);
            assert!(apart < 1e-15, "{}: {here:?} {there:?}", entry.name);
        }
        let lengths = (right.dy0.len(), right.dparams.len());
        assert_eq!(lengths, (y0.len(), params.len()), "{}", entry.name);
        assert!(right.accuracy < accuracy, "{}: {:e}", entry.name, right.accuracy);
    }
    let names: BTreeSet<_> = all.iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), all.len(), "names are unique");
    assert_eq!(references.len(), all.len(), "problems that only the references have");
}

#[test]
fn references_are_those_of_the_problems() {
    let all = problems::all();
    assert_same(&all, &reference::read(), 1e-9);
    let kinds: BTreeSet<_> = all.iter().map(|entry| entry.kind).collect();
    assert!(all.len() >= 36 && kinds.len() == 7, "{kinds:?}");
}

/// The equations here are those of the references: where steps are accurate, the losses agree, and the gradients of
/// ordinary problems. (The others' gradients are what this gallery is about.)
#[test]
fn equations_are_those_of_the_references() {
    let references = reference::read();
    for entry in problems::all() {
        let right = &references[entry.name];
        let apart = difference(&[entry.value(1e-10, 1e-14).unwrap()], &[right.loss]);
        let absolute = apart * right.loss.abs();
        assert!(apart == 0.0 || apart.min(absolute) < 1e-6, "{}: off by {apart:e}", entry.name);
        if entry.kind == Kind::Ordinary {
            let answer = entry.gradient(1e-10, Choice::Auto).unwrap();
            let error = answer.error(right);
            assert!(error < 1e-6, "{}: {answer:?} {error:e}", entry.name);
        }
    }
}
