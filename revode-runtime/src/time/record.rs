//! The record of the accepted steps, which the backward pass replays.

use super::codes::Codes;
use super::ladder::{Ladder, step_ticks};
use crate::{Real, Sides, Step};

/// The accepted steps, from which sizes and times come out exactly as they went in.
///
/// Steps whose sizes are rungs of a ladder are a run, in which only changes of the size take
/// memory: half a byte each in most cases, see `docs/record.md`. The record of a solve with fixed steps
/// has constant size, that of an adaptive one takes 1 to 2 bits a step. Any other step is a run of
/// its own (32 bytes in f64), as is one cut short by a save point.
#[derive(Debug, Clone)]
pub(crate) struct StepRecord<T> {
    runs: Vec<Run<T>>,
    codes: Codes,
    len: u64,
    /// The steps since the last change of the size, which are in no code yet.
    stretch: u64,
    /// The time at which the last step ends.
    end: T,
    /// The sides of the field's jumps on which all steps were.
    sides: Sides,
}

/// How a step continues a run.
#[derive(Debug, Clone, Copy)]
pub(super) enum Advance<T> {
    /// At the level of the last step.
    Same,
    /// So many levels above it.
    Change(i32),
    /// Not at all: it is the first of a run on this ladder, at level 0.
    Start(Ladder<T>),
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
    pub(crate) fn new() -> Self {
        let (runs, codes, sides) = (Vec::new(), Codes::default(), Sides::default());
        Self { runs, codes, len: 0, stretch: 0, end: T::ZERO, sides }
    }

    /// The number of steps.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// The memory that grows with the record, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.runs.as_slice()) + self.codes.bytes()
    }

    /// Adds the next step.
    #[inline]
    pub(super) fn push(&mut self, advance: Advance<T>) {
        match advance {
            Advance::Same => self.stretch += 1,
            Advance::Change(levels) => {
                self.codes.push(self.stretch, levels);
                self.stretch = 1;
            }
            Advance::Start(ladder) => {
                self.runs.push(Run { ladder, first: self.len, codes: self.codes.len() });
                self.stretch = 1;
            }
        }
        self.len += 1;
    }

    /// Takes the time at which the last step ends, and the sides of the field's jumps on which all were.
    pub(super) fn finish(&mut self, end: T, sides: Sides) {
        (self.end, self.sides) = (end, sides);
    }

    /// The sides of the field's jumps on which all steps were.
    pub(crate) fn sides(&self) -> Sides {
        self.sides
    }

    /// The steps from number `first` on, in order.
    pub(crate) fn from(&self, first: u64) -> impl Iterator<Item = Step<T>> {
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
            let index = place.index;
            let (t, h) = self.runs[place.run].ladder.step(place.level, place.ticks);
            place.ticks += step_ticks(place.level);
            place.index += 1;
            Some(Step { index, t, h, end: self.time(&place), sides: self.sides })
        })
    }

    /// The steps from the last one to the first.
    pub(crate) fn rev(&self) -> impl Iterator<Item = Step<T>> {
        self.back(self.len())
    }

    /// The steps before number `index`, backwards. Each run is walked forward once when it is
    /// entered at its end; otherwise a step back takes constant time.
    fn back(&self, index: u64) -> impl Iterator<Item = Step<T>> {
        let (mut place, mut since) = self.seek(index);
        let mut end = self.time(&place);
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
            let (t, h) = self.runs[place.run].ladder.step(place.level, place.ticks);
            let end = std::mem::replace(&mut end, t);
            Some(Step { index: place.index, t, h, end, sides: self.sides })
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
        self.run_end(place.run) - place.index
    }

    /// The number of the first step after a run.
    #[inline]
    fn run_end(&self, run: usize) -> u64 {
        self.runs.get(run + 1).map_or(self.len(), |next| next.first)
    }

    #[inline]
    fn codes_end(&self, run: usize) -> u64 {
        self.runs.get(run + 1).map_or(self.codes.len(), |next| next.codes)
    }

    /// The time of a place, which is where a step ends. A run ends where the next one starts, and the last run where
    /// the solve ends: its last step may have landed on a stop that the ladder misses by rounding.
    #[inline(always)]
    fn time(&self, place: &Place) -> T {
        if place.index == self.run_end(place.run) {
            self.runs.get(place.run + 1).map_or(self.end, |next| next.ladder.t)
        } else {
            self.runs[place.run].ladder.time(place.ticks)
        }
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
    use super::super::steps::Steps;
    use super::Run;
    use crate::Real;
    use proptest::prelude::*;

    /// What happens to the step size, in factors to the last one.
    #[derive(Debug, Clone, Copy)]
    enum Event {
        /// Steps are accepted, so many times, and a controller asks for a size after each.
        Wish(f64, usize),
        /// Rejections before a step.
        Reject(f64, usize),
        /// A stop that a step misses by rounding.
        Land,
        /// A stop after a part of a step.
        Cut(f64),
        /// A controller asks for any size, on the ladder or not.
        Any(f64),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            4 => (0.2..5.0, 1..20_usize).prop_map(|(factor, n)| Event::Wish(factor, n)),
            4 => (0.8..1.25, 1..20_usize).prop_map(|(factor, n)| Event::Wish(factor, n)),
            1 => (1..3000_usize).prop_map(|n| Event::Wish(1.0, n)),
            2 => (0.2..0.9, 1..4_usize).prop_map(|(factor, n)| Event::Reject(factor, n)),
            1 => Just(Event::Land),
            1 => (0.01..0.99).prop_map(Event::Cut),
            1 => (1e-6..1e4).prop_map(Event::Any),
        ]
    }

    /// Compares the record of these events with the steps that were taken, from any place in both directions.
    /// `bits` are the bits of a number.
    fn check<T: Real>(t0: f64, h0: f64, events: &[Event], probes: &[f64], bits: fn(T) -> u64) {
        let number = T::from_f64;
        let mut steps = Steps::new(number(t0), number(h0), true);
        let mut taken = Vec::new();
        let mut take = |steps: &mut Steps<T>, stop: T, factor: f64| {
            let step = steps.next(stop);
            // Within numbers whose sums mean something.
            let size = (step.h.to_f64() * factor).abs().clamp(1e-9, 1e9);
            taken.push((step.index, bits(step.t), bits(step.h), bits(step.end)));
            steps.accept(number(h0.signum() * size), f64::INFINITY);
        };
        let far = number(1e30 * h0.signum());
        for event in events {
            match *event {
                Event::Wish(factor, n) => (0..n).for_each(|_| take(&mut steps, far, factor)),
                Event::Reject(factor, n) => {
                    for _ in 0..n {
                        steps.next(far);
                        steps.reject(steps.h() * number(factor));
                    }
                    take(&mut steps, far, 1.0);
                }
                Event::Land => {
                    let end = steps.t() + steps.h();
                    take(&mut steps, end + number(3.0) * T::EPSILON * end.abs(), 1.0);
                }
                Event::Cut(part) => {
                    let stop = steps.t() + number(part) * steps.h();
                    take(&mut steps, stop, 1.0);
                }
                Event::Any(factor) => take(&mut steps, far, factor),
            }
        }
        let record = steps.into_record();
        assert_eq!(record.len(), taken.len() as u64);
        let found = |step: crate::Step<T>| (step.index, bits(step.t), bits(step.h), bits(step.end));
        let ends = [0, 1, taken.len(), taken.len() + 1, usize::MAX];
        let inside = probes.iter().map(|p| (p * taken.len() as f64) as usize);
        for k in inside.chain(ends) {
            let forward: Vec<_> = record.from(k as u64).map(found).collect();
            assert_eq!(forward, taken[k.min(taken.len())..], "from {k}");
        }
        let mut back: Vec<_> = record.rev().map(found).collect();
        back.reverse();
        assert_eq!(back, taken);
    }

    proptest! {
        #[test]
        fn steps_come_out_as_they_went_in(
            (t0, h0) in (-1e3..1e3, prop_oneof![1e-4..10.0, -1.0..-1e-4]),
            events in proptest::collection::vec(event(), 0..60),
            probes in proptest::collection::vec(0.0..1.0, 8),
        ) {
            check::<f64>(t0, h0, &events, &probes, f64::to_bits);
            check::<f32>(t0, h0, &events, &probes, |x| x.to_bits().into());
        }
    }

    #[test]
    fn fixed_steps_are_one_run() {
        let mut steps = Steps::new(0.3, 0.1, true);
        for _ in 0..10_000 {
            steps.next(1e6);
            steps.accept(0.1, f64::INFINITY);
        }
        assert_eq!(steps.into_record().bytes(), size_of::<Run<f64>>());
    }

    #[test]
    fn changes_take_half_a_byte() {
        let mut steps = Steps::new(0.0_f64, 0.01, true);
        for _ in 0..2000 {
            steps.next(1e6);
            let end = steps.t() + steps.h();
            steps.accept(0.01 + 0.009 * end.sin(), f64::INFINITY);
        }
        let bytes = steps.into_record().bytes();
        assert!(bytes < size_of::<Run<f64>>() + 250, "{bytes} bytes");
    }
}
