//! A gallery of problems on which gradients of the discrete solution go wrong in silence, or are known not to, with
//! reference gradients of the equation itself (`references/make.py`, two independent ways each).
//!
//! What is to hold: every gradient is within ten times its stated tolerance of that of the equation, or an error. The
//! table of what holds today, for all problems, tolerances and strategies (one of them, or names with a part, if
//! `REVODE_GALLERY=auto,heat` says so):
//!
//! ```text
//! cargo test --release --test gallery table -- --ignored --nocapture
//! ```

mod entry;
mod problems;
mod reference;
mod second;
mod table;

use std::collections::BTreeMap;

use entry::{Answer, Choice, Entry, Expected, Kind};
use reference::Reference;
use revode::SolveError;
use revode_testing::compare::difference;

/// Relative and absolute tolerances of the steps.
const TOLERANCES: [f64; 4] = [1e-3, 1e-4, 1e-6, 1e-8];

/// The accuracy of a gradient, relative to its largest component, that a solver with these tolerances states and beyond
/// which it must return an error: a stated multiple of the solver's tolerance.
///
/// To be the library's own default once `gradient_tolerance` exists; until then a placeholder.
fn stated_tolerance(tolerance: f64) -> f64 {
    tolerance.sqrt().max(100.0 * tolerance).min(0.1)
}

/// How far beyond the stated tolerance a gradient may be: what is stated rests on an estimate.
const SLACK: f64 = 10.0;

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
            // (NaN is not within anything.)
            let within = error <= allowed + right.accuracy;
            let estimate = answer.estimate;
            (!within).then(|| format!("off by {error:.1e}, allowed {allowed:.1e} ({estimate:?})"))
        }
        Err(error) if entry.expected == Expected::Answer => Some(format!("refused: {error}")),
        Err(_) => None,
    }
}

/// Of each problem what came of it, with each tolerance and strategy.
fn every_case(mut each: impl FnMut(&Entry, &Reference, f64, Choice, Result<Answer, SolveError>)) {
    let references = reference::read();
    for entry in problems::all() {
        for choice in Choice::ALL {
            for tolerance in TOLERANCES {
                let right = &references[entry.name];
                each(&entry, right, tolerance, choice, entry.gradient(tolerance, choice));
            }
        }
    }
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
    let mut faults = Vec::new();
    every_case(|entry, right, tolerance, choice, outcome| {
        if let Some(fault) = fault(entry, right, tolerance, &outcome) {
            faults.push(format!("{} at {tolerance:e}, {choice:?}: {fault}", entry.name));
        }
    });
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// Both programs have the same problems, and the references are accurate.
#[test]
fn references_are_those_of_the_problems() {
    use revode::prelude::*;

    let references = reference::read();
    let mut kinds = BTreeMap::<_, u32>::new();
    let all = problems::all();
    for entry in &all {
        let right = references.get(entry.name).unwrap_or_else(|| panic!("{} has none", entry.name));
        let Problem { field, y0, t0, t1, .. } = &entry.problem;
        let params: Vec<_> = field.slices().flatten().copied().collect();
        for (here, there) in [
            (&params[..], &right.params),
            (y0.as_slice(), &right.y0),
            (&[*t0, *t1], &right.span.to_vec()),
        ] {
            let apart = difference(here, there);
            assert!(apart < 1e-15, "{}: {here:?} {there:?}", entry.name);
        }
        let lengths = (right.dy0.len(), right.dparams.len());
        assert_eq!(lengths, (y0.len(), params.len()), "{}", entry.name);
        assert!(right.accuracy < 1e-9, "{}: {:e}", entry.name, right.accuracy);
        *kinds.entry(format!("{:?}", entry.kind)).or_default() += 1;
    }
    let names: std::collections::BTreeSet<_> = all.iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), all.len(), "names are unique");
    assert_eq!(references.len(), all.len(), "problems that only the references have");
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
