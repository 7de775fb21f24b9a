//! The events of a generated field, one by one.

use std::ops::Range;

use crate::{Action, Event, Trigger};

/// Which declaration event `i` belongs to, and its index there, where each declaration has the indices of a range.
///
/// # Panics
/// If there are not that many events.
#[inline]
pub fn family(i: usize, declared: &[Range<usize>]) -> (usize, usize) {
    let mut k = i;
    for (number, indices) in declared.iter().enumerate() {
        if k < indices.len() {
            return (number, indices.start + k);
        }
        k -= indices.len();
    }
    panic!("there is no event {i}")
}

/// Event `i` of those that are declared with these names, indices, triggers and actions; one without indices is a
/// single event.
///
/// # Panics
/// If there are not that many events.
pub fn event(
    i: usize,
    declared: &[(&'static str, Option<Range<usize>>, Trigger, Action)],
) -> Event {
    let indices: Vec<_> = declared.iter().map(|row| row.1.clone().unwrap_or(0..1)).collect();
    let (number, index) = family(i, &indices);
    let (name, ref several, trigger, action) = declared[number];
    Event { name, index: several.as_ref().map(|_| index), trigger, action }
}
