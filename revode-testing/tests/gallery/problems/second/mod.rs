//! The problems of the second gallery. `../../references/second/` has them again.

mod extremes;
mod fields;
mod quiet;
mod science;
mod sensitive;
mod steep;
mod units;

use crate::entry::Entry;

/// All problems, kind by kind.
pub(crate) fn all() -> Vec<Entry> {
    let mut all: Vec<_> = [
        sensitive::problems(),
        steep::problems(),
        quiet::problems(),
        units::problems(),
        extremes::problems(),
        science::problems(),
        fields::problems(),
    ]
    .into_iter()
    .flatten()
    .collect();
    all.sort_by_key(|entry: &Entry| entry.kind);
    all
}
