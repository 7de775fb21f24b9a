//! The record of the accepted steps, which the backward pass replays.

mod codes;

use crate::Real;
use crate::ladder::{Advance, Clock, Ladder, step_ticks};
use crate::scheme::Step;
use codes::Codes;

/// The accepted steps, from which sizes and times come out exactly as they went in.
///
/// Steps whose sizes are rungs of a ladder are a run, in which only changes of the size take
/// memory: half a byte each in most cases, see `docs/record.md`. The record of a solve with fixed steps
/// has constant size, that of an adaptive one takes 1 to 2 bits a step. Any other step is a run of
/// its own (32 bytes in f64), as is one cut short by a save point.
#[derive(Debug, Clone)]
pub struct StepRecord<T> {
    runs: Vec<Run<T>>,
    codes: Codes,
    clock: Clock<T>,
    /// The steps since the last change of the size, which are in no code yet.
    stretch: u64,
}

/// Steps of one ladder; the first has level 0.
#[derive(Debug, Clone, Copy)]
struct Run<T> {
    ladder: Ladder<T>,
    /// The number of its first step.
    first: u64,
    /// Where its codes start.
    codes: u64,
}

impl<T: Real> Default for StepRecord<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Real> StepRecord<T> {
    /// No steps yet.
    pub fn new() -> Self {
        Self { runs: Vec::new(), codes: Codes::default(), clock: Clock::new(), stretch: 0 }
    }

    /// The number of steps.
    pub fn len(&self) -> u64 {
        self.clock.index()
    }

    /// Whether there are no steps.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The memory that grows with the record, in bytes.
    pub fn bytes(&self) -> usize {
        size_of_val(self.runs.as_slice()) + self.codes.bytes()
    }

    /// Adds the next step, of size `h` from `t`.
    #[inline]
    pub fn push(&mut self, t: T, h: T) {
        let index = self.len();
        match self.clock.advance(t, h) {
            Advance::Same => self.stretch += 1,
            Advance::Change(levels) => {
                self.codes.push(self.stretch, levels);
                self.stretch = 1;
            }
            Advance::Start => {
                let (ladder, codes) = (self.clock.ladder(), self.codes.len());
                self.runs.push(Run { ladder, first: index, codes });
                self.stretch = 1;
            }
        }
    }

    /// The steps from number `first` on, in order.
    pub fn from(&self, first: u64) -> impl Iterator<Item = Step<T>> {
        let (mut place, since) = self.seek(first.min(self.len()));
        let mut left = self.left(&place, since);
        std::iter::from_fn(move || {
            while left == 0 {
                if place.index == self.len() {
                    return None;
                }
                if place.code < self.codes_end(place.run) {
                    place.level += self.codes.get(place.code).levels;
                    place.code += 1;
                } else {
                    place = self.start_of(place.run + 1);
                }
                left = self.left(&place, 0);
            }
            left -= 1;
            let step = self.step(&place);
            place.ticks += step_ticks(place.level);
            place.index += 1;
            Some(step)
        })
    }

    /// The steps from the last one to the first.
    pub fn rev(&self) -> impl Iterator<Item = Step<T>> {
        self.back(self.len())
    }

    /// The steps from number `last` back to the first; from the last one where there are fewer.
    pub fn rev_from(&self, last: u64) -> impl Iterator<Item = Step<T>> {
        self.back(last.saturating_add(1).min(self.len()))
    }

    /// The steps before number `index`, backwards. Each run is walked forward once when it is
    /// entered at its end; otherwise a step back takes constant time.
    fn back(&self, index: u64) -> impl Iterator<Item = Step<T>> {
        let (mut place, mut since) = self.seek(index);
        std::iter::from_fn(move || {
            while since == 0 {
                if place.index == 0 {
                    return None;
                }
                if place.code > self.runs[place.run].codes {
                    place.code -= 1;
                    let code = self.codes.get(place.code);
                    place.level -= code.levels;
                    since = code.steps;
                } else {
                    (place, since) = self.seek(place.index);
                }
            }
            since -= 1;
            place.ticks -= step_ticks(place.level);
            place.index -= 1;
            Some(self.step(&place))
        })
    }

    /// The place before step `index`, in the run of the step before that, and the steps since the
    /// code before it.
    fn seek(&self, index: u64) -> (Place, u64) {
        let run = self.runs.partition_point(|run| run.first < index).saturating_sub(1);
        let mut place = self.start_of(run);
        let mut since = index - place.index;
        for code in place.code..self.codes_end(run) {
            let code = self.codes.get(code);
            if code.steps >= since {
                break;
            }
            since -= code.steps;
            place.ticks += code.steps * step_ticks(place.level);
            place.level += code.levels;
            place.code += 1;
        }
        place.ticks += since * step_ticks(place.level);
        place.index = index;
        (place, since)
    }

    /// The start of a run; of the record where it has none.
    fn start_of(&self, run: usize) -> Place {
        let (index, code) = self.runs.get(run).map_or((0, 0), |run| (run.first, run.codes));
        Place { run, code, level: 0, ticks: 0, index }
    }

    /// How many steps there are from a place, `since` steps after a code, to the next code or to the
    /// end of the run.
    #[inline]
    fn left(&self, place: &Place, since: u64) -> u64 {
        if place.code < self.codes_end(place.run) {
            return self.codes.get(place.code).steps - since;
        }
        self.runs.get(place.run + 1).map_or(self.len(), |next| next.first) - place.index
    }

    #[inline]
    fn codes_end(&self, run: usize) -> u64 {
        self.runs.get(run + 1).map_or(self.codes.len(), |next| next.codes)
    }

    #[inline(always)]
    fn step(&self, place: &Place) -> Step<T> {
        let (t, h) = self.runs[place.run].ladder.step(place.level, place.ticks);
        Step { index: place.index, t, h }
    }
}

/// A place between two steps.
#[derive(Debug, Clone, Copy)]
struct Place {
    run: usize,
    /// The next code forward.
    code: u64,
    level: i32,
    /// The ticks since the start of the run.
    ticks: u64,
    /// The number of the next step forward.
    index: u64,
}

#[cfg(test)]
mod tests {
    use super::{Clock, Run, StepRecord};
    use proptest::prelude::*;

    /// What happens to the step size, in factors to the last one.
    #[derive(Debug, Clone, Copy)]
    enum Event {
        /// A controller asks for a size, so many times.
        Wish(f64, usize),
        /// Rejections before a step.
        Reject(f64, usize),
        /// A step ends a bit off, on a stop.
        Land,
        /// A step is cut short to a part of its size, and the next one is as before.
        Cut(f64),
        /// Any size, on the ladder or not.
        Any(f64),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            4 => (0.2..5.0, 1..20_usize).prop_map(|(factor, n)| Event::Wish(factor, n)),
            4 => (0.8..1.25, 1..20_usize).prop_map(|(factor, n)| Event::Wish(factor, n)),
            1 => (1..3000_usize).prop_map(|n| Event::Wish(1.0, n)),
            2 => (0.2..0.9, 1..4_usize).prop_map(|(factor, n)| Event::Reject(factor, n)),
            1 => Just(Event::Land),
            1 => (0.0..1.0).prop_map(Event::Cut),
            1 => (1e-6..1e4).prop_map(Event::Any),
        ]
    }

    macro_rules! replay {
        ($name:ident, $T:ident) => {
            mod $name {
                use super::*;

                /// The steps that the time loop takes where these things happen.
                fn steps(t0: $T, h0: $T, events: &[Event]) -> Vec<($T, $T)> {
                    let (mut t, mut h) = (t0, h0);
                    let mut clock = Clock::new();
                    let mut steps = Vec::new();
                    let mut step = |clock: &mut Clock<$T>, t: &mut $T, h: $T| {
                        steps.push((*t, h));
                        clock.advance(*t, h);
                        *t = clock.end();
                    };
                    for event in events {
                        match *event {
                            Event::Wish(factor, n) => {
                                for _ in 0..n {
                                    step(&mut clock, &mut t, h);
                                    h = clock.next_size(t, h * factor as $T);
                                }
                            }
                            Event::Reject(factor, n) => {
                                for _ in 0..n {
                                    h = clock.smaller_size(t, h * factor as $T);
                                }
                                step(&mut clock, &mut t, h);
                            }
                            Event::Land => {
                                step(&mut clock, &mut t, h);
                                t += 3.0 * $T::EPSILON * t.abs();
                                h = clock.next_size(t, h);
                            }
                            Event::Cut(part) => step(&mut clock, &mut t, h * part as $T),
                            Event::Any(factor) => h *= factor as $T,
                        }
                        // Within numbers whose sums mean something.
                        h = h0.signum() * h.abs().clamp(1e-9, 1e9);
                    }
                    steps
                }

                fn check(steps: &[($T, $T)], probes: &[f64]) {
                    let mut record = StepRecord::new();
                    for (t, h) in steps {
                        record.push(*t, *h);
                    }
                    assert_eq!(record.len(), steps.len() as u64);
                    let bits = |t: $T, h: $T| (t.to_bits(), h.to_bits());
                    let expected: Vec<_> =
                        steps.iter().zip(0_u64..).map(|((t, h), i)| (i, bits(*t, *h))).collect();
                    let ends = [0, 1, steps.len(), steps.len() + 1, usize::MAX];
                    let inside = probes.iter().map(|p| (p * steps.len() as f64) as usize);
                    for k in inside.chain(ends) {
                        let found: Vec<_> =
                            record.from(k as u64).map(|s| (s.index, bits(s.t, s.h))).collect();
                        assert_eq!(found, expected[k.min(steps.len())..], "from {k}");
                        let mut found: Vec<_> =
                            record.rev_from(k as u64).map(|s| (s.index, bits(s.t, s.h))).collect();
                        found.reverse();
                        let len = k.saturating_add(1).min(steps.len());
                        assert_eq!(found, expected[..len], "back from {k}");
                    }
                    let mut found: Vec<_> =
                        record.rev().map(|s| (s.index, bits(s.t, s.h))).collect();
                    found.reverse();
                    assert_eq!(found, expected);
                }

                proptest! {
                    #[test]
                    fn loops(
                        (t0, h0) in (-1e3..1e3, prop_oneof![1e-4..10.0, -1.0..-1e-4]),
                        events in proptest::collection::vec(event(), 0..60),
                        probes in proptest::collection::vec(0.0..1.0, 8),
                    ) {
                        check(&steps(t0 as $T, h0 as $T, &events), &probes);
                    }

                    #[test]
                    fn anything(
                        steps in proptest::collection::vec((-1e3..1e3, -1.0..1.0), 0..20),
                        probes in proptest::collection::vec(0.0..1.0, 3),
                    ) {
                        let steps: Vec<_> =
                            steps.iter().map(|(t, h)| (*t as $T, *h as $T)).collect();
                        check(&steps, &probes);
                    }
                }
            }
        };
    }

    replay!(replay_f64, f64);
    replay!(replay_f32, f32);

    #[test]
    fn fixed_steps_are_one_run() {
        let mut record = StepRecord::new();
        let (h, t0) = (0.1, 0.3);
        for i in 0..10_000 {
            record.push(t0 + f64::from(i) * h, h);
        }
        assert_eq!(record.bytes(), size_of::<Run<f64>>());
    }

    #[test]
    fn changes_take_half_a_byte() {
        let mut record = StepRecord::new();
        let mut clock = Clock::new();
        let (mut t, mut h) = (0.0_f64, 0.01);
        for _ in 0..2000 {
            record.push(t, h);
            clock.advance(t, h);
            t = clock.end();
            h = clock.next_size(t, 0.01 + 0.009 * t.sin());
        }
        assert!(record.bytes() < size_of::<Run<f64>>() + 250, "{} bytes", record.bytes());
    }
}
