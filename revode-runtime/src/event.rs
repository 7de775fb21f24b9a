//! Events of a vector field: where its solution is changed, ended, or looked at.

use std::fmt;

/// An event of a vector field: what its solution does not do by itself, at a time (`at` in `ode!`) or where a function of
/// time and state crosses 0 (`event`).
///
/// The solve ends a step there, changes the state as the event says, and starts the method anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Its name; of `at (…)`, which has none, its text.
    pub name: &'static str,
    /// Which one it is of several that are declared together (`for i in 0..n`).
    pub index: Option<usize>,
    /// When it happens.
    pub trigger: Trigger,
    /// What happens.
    pub action: Action,
}

/// When an event happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// At a time that depends on parameters only. The time is tested for as the zero of `t` less that time.
    Time,
    /// Where the trigger comes from below and reaches 0, in the direction of the solve.
    Rising,
    /// Where the trigger comes from above and reaches 0, in the direction of the solve.
    Falling,
    /// Where the trigger reaches 0 from either side.
    Either,
}

/// What happens at an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The time and the state are noted, no more.
    Note,
    /// The state changes.
    Reset,
    /// The solve ends.
    End,
}

/// An event that has happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Occurrence<T, S> {
    /// The number of the event among those of the field.
    pub number: usize,
    /// What it is.
    pub event: Event,
    /// How often it had happened before.
    pub nth: usize,
    /// When it happened.
    pub t: T,
    /// The state before it.
    pub before: S,
    /// The state after it, the same unless the event changes it.
    pub after: S,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        self.index.map_or(Ok(()), |index| write!(f, ", number {index}"))
    }
}
