//! The record of the accepted steps, which the backward pass replays.

use crate::Real;
use crate::scheme::Step;

/// Steps of one size, one after the other: step `i` of the run starts at `t + i h`.
#[derive(Debug, Clone, Copy)]
struct Run<T> {
    t: T,
    h: T,
    /// The index of the first step of the run.
    first: u64,
}

/// Where the steps of a solve end: counted from the start of each run of equal steps, so that their
/// rounding does not add up.
#[derive(Debug, Clone)]
pub struct Clock<T> {
    run: Run<T>,
    index: u64,
}

impl<T: Real> Clock<T> {
    /// No step yet.
    pub fn new(t0: T) -> Self {
        Self { run: Run { t: t0, h: T::ZERO, first: 0 }, index: 0 }
    }

    /// The number of steps so far.
    #[inline(always)]
    pub fn index(&self) -> u64 {
        self.index
    }

    /// Counts a step of size `h` from `t` and returns its end.
    #[inline(always)]
    pub fn advance(&mut self, t: T, h: T) -> T {
        if self.run.h != h || self.run.time(self.index) != t {
            self.run = Run { t, h, first: self.index };
        }
        self.index += 1;
        self.run.time(self.index)
    }
}

/// The accepted steps as runs of equal ones: the record of a solve with fixed steps has constant
/// size, that of an adaptive one grows by a run a step.
///
/// Times come out of it exactly as they went in.
#[derive(Debug, Clone, Default)]
pub struct StepRecord<T> {
    runs: Vec<Run<T>>,
    len: u64,
}

impl<T: Real> StepRecord<T> {
    /// No steps yet.
    pub fn new() -> Self {
        Self { runs: Vec::new(), len: 0 }
    }

    /// The number of steps.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are no steps.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The memory that the record takes, in bytes.
    pub fn bytes(&self) -> usize {
        size_of_val(self.runs.as_slice())
    }

    /// Adds the next step.
    #[inline]
    pub fn push(&mut self, t: T, h: T) {
        let continues = self.runs.last().is_some_and(|run| run.h == h && run.time(self.len) == t);
        if !continues {
            self.runs.push(Run { t, h, first: self.len });
        }
        self.len += 1;
    }

    /// The steps from number `first` on, in order.
    pub fn from(&self, first: u64) -> impl Iterator<Item = Step<T>> {
        let run = self.runs.partition_point(|run| run.first <= first).saturating_sub(1);
        (run..self.runs.len()).flat_map(move |run| {
            let indices = self.indices(run);
            (indices.start.max(first)..indices.end).map(move |index| self.step(run, index))
        })
    }

    /// The steps from the last one to the first.
    pub fn rev(&self) -> impl Iterator<Item = Step<T>> {
        (0..self.runs.len())
            .rev()
            .flat_map(move |run| self.indices(run).rev().map(move |index| self.step(run, index)))
    }

    /// The steps from number `last` to the first.
    pub fn rev_from(&self, last: u64) -> impl Iterator<Item = Step<T>> {
        let runs = self.runs.partition_point(|run| run.first <= last);
        (0..runs).rev().flat_map(move |run| {
            let indices = self.indices(run);
            let end = indices.end.min(last + 1);
            (indices.start..end).rev().map(move |index| self.step(run, index))
        })
    }

    /// The indices of the steps in a run.
    fn indices(&self, run: usize) -> std::ops::Range<u64> {
        self.runs[run].first..self.runs.get(run + 1).map_or(self.len, |next| next.first)
    }

    fn step(&self, run: usize, index: u64) -> Step<T> {
        let run = self.runs[run];
        Step { index, t: run.time(index), h: run.h }
    }
}

impl<T: Real> Run<T> {
    /// Where step `index` starts. Every reader of the record goes through this one expression.
    #[inline(always)]
    fn time(&self, index: u64) -> T {
        self.t + T::from_f64((index - self.first) as f64) * self.h
    }
}

#[cfg(test)]
mod tests {
    use super::{Clock, StepRecord};

    fn record(steps: &[(f64, f64)]) -> StepRecord<f64> {
        let mut record = StepRecord::new();
        for (t, h) in steps {
            record.push(*t, *h);
        }
        record
    }

    #[test]
    fn equal_steps_are_one_run_and_come_out_as_they_went_in() {
        let h = 0.1;
        let mut t = 0.0;
        let mut times = Vec::new();
        let mut clock = Clock::new(t);
        let mut record = StepRecord::new();
        for _ in 0..1000 {
            times.push(t);
            record.push(t, h);
            t = clock.advance(t, h);
        }
        assert_eq!(record.bytes(), size_of::<super::Run<f64>>());
        assert_eq!(t, 100.0, "1000 steps of 0.1 counted, not added");
        let forward: Vec<f64> = record.from(0).map(|step| step.t).collect();
        let mut backward: Vec<f64> = record.rev().map(|step| step.t).collect();
        backward.reverse();
        assert_eq!(forward, times);
        assert_eq!(backward, times);
    }

    #[test]
    fn steps_from_a_number_on() {
        let steps = [(0.0, 0.5), (0.5, 0.5), (1.0, 0.25), (1.25, 0.5), (1.75, 0.5)];
        let record = record(&steps);
        for first in 0..=5 {
            let tail: Vec<(f64, f64)> = record.from(first).map(|s| (s.t, s.h)).collect();
            assert_eq!(tail, steps[first as usize..]);
        }
        assert_eq!(record.rev().map(|step| step.index).collect::<Vec<_>>(), [4, 3, 2, 1, 0]);
    }
}
