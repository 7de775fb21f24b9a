//! The problems, kind by kind. `../references/problems.py` has them a second time.

mod jumps;
mod kinks;
mod no_steps;
mod ordinary;
mod parabolic;
mod small;
mod stability;
mod van_der_pol;

use crate::entry::Entry;

/// All problems.
pub(crate) fn all() -> Vec<Entry> {
    [
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
    .collect()
}
