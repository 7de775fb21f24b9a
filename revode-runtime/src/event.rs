//! Events of a vector field: where its solution is changed, ended, or looked at.

use std::fmt;

use crate::Real;

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
    /// The field changes sides: it jumps there (`signum`, `heaviside`), see [`Sides`].
    Switch,
    /// The solve ends.
    End,
}

/// On which side of each of its jumps a field is evaluated. The jumps of a field are its events that are
/// [`Action::Switch`], in their order; the side of one is the sign of its trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sides {
    positive: u64,
    negative: u64,
}

impl Sides {
    /// The number of jumps that there is room for.
    pub const MOST: usize = 64;

    /// With jump `i` where its trigger is `g`.
    #[inline(always)]
    #[must_use]
    pub fn with<T: Real>(self, i: usize, g: T) -> Self {
        let bit = 1 << i;
        let Self { positive, negative } = self;
        Self {
            positive: if g > T::ZERO { positive | bit } else { positive & !bit },
            negative: if g < T::ZERO { negative | bit } else { negative & !bit },
        }
    }

    /// The sign of the trigger of jump `i`: 1, −1, or 0 at the place itself.
    #[inline(always)]
    pub fn sign<T: Real>(self, i: usize) -> T {
        match ((self.positive >> i) & 1, (self.negative >> i) & 1) {
            (0, 0) => T::ZERO,
            (0, _) => -T::ONE,
            _ => T::ONE,
        }
    }
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
    /// On which sides of its jumps the field is after it.
    pub sides: Sides,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        self.index.map_or(Ok(()), |index| write!(f, ", number {index}"))
    }
}
