//! The problems. `../references/problems.py` has them a second time.

mod jumps;
mod kinks;
mod no_steps;
mod ordinary;
mod parabolic;
pub(crate) mod second;
mod small;
mod stability;
mod van_der_pol;

use crate::entry::Entry;

/// All problems, kind by kind.
pub(crate) fn all() -> Vec<Entry> {
    let mut all: Vec<_> = [
        stability::problems(),
        van_der_pol::problems(),
        parabolic::problems(),
        no_steps::problems(),
        kinks::problems(),
        jumps::problems(),
        small::problems(),
        ordinary::problems(),
    ]
    .into_iter()
    .flatten()
    .collect();
    all.sort_by_key(|entry: &Entry| entry.kind);
    all
}
