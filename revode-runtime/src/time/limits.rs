//! How long steps may be over time, beside what their error allows.

use std::rc::Rc;

use super::StepRecord;
use crate::Real;

/// The most stretches of time with a limit of their own.
const STRETCHES: u64 = 256;

/// A limit on the step size for each of some stretches of time.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StepLimits {
    /// Where each stretch ends, in the order in which a solve passes them, and its limit, positive.
    stretches: Vec<(f64, f64)>,
    /// How many times shorter the steps are than those of the first solve, with all earlier limits.
    times: f64,
}

impl StepLimits {
    /// Steps so many times `shorter` than those of the legs of a solve, on average over stretches of as many steps each
    /// (fewer at the end of a leg). That solve had the limits `before`.
    pub(crate) fn shorter<T: Real>(
        legs: &[StepRecord<T>],
        shorter: f64,
        before: Option<&Self>,
    ) -> Self {
        let steps: u64 = legs.iter().map(StepRecord::len).sum();
        let length = steps.div_ceil(STRETCHES).max(1);
        let mut stretches = Vec::new();
        for record in legs {
            let mut start = None;
            for step in record.from(0) {
                let first = *start.get_or_insert(step.t);
                let number = step.index % length + 1;
                if number == length || step.index + 1 == record.len() {
                    let end = step.end.to_f64();
                    stretches.push((end, (end - first.to_f64()).abs() / (number as f64 * shorter)));
                    start = None;
                }
            }
        }
        Self { stretches, times: shorter * before.map_or(1.0, |limits| limits.times) }
    }
}

/// Follows limits along a solve.
#[derive(Debug)]
pub(super) struct Limit {
    limits: Option<Rc<StepLimits>>,
    /// The limit that always holds.
    most: f64,
    /// The stretch in which the solve is.
    at: usize,
}

impl Limit {
    pub(super) fn new(most: f64, limits: Option<Rc<StepLimits>>) -> Self {
        Self { limits, most, at: 0 }
    }

    /// The least size of steps, of which `least` is that of a first solve.
    pub(super) fn least(&self, least: f64) -> f64 {
        self.limits.as_ref().map_or(least, |limits| least / limits.times)
    }

    /// The limit of a step from `t`, positive, on the way forward in time or backward.
    #[inline]
    pub(super) fn at<T: Real>(&mut self, t: T, backward: bool) -> f64 {
        let Some(limits) = &self.limits else { return self.most };
        let StepLimits { stretches, .. } = &**limits;
        let t = t.to_f64();
        let passed = |end: f64| if backward { t <= end } else { t >= end };
        while self.at + 1 < stretches.len() && passed(stretches[self.at].0) {
            self.at += 1;
        }
        stretches.get(self.at).map_or(self.most, |stretch| stretch.1.min(self.most))
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::steps::Steps;
    use super::{Limit, StepLimits, StepRecord};

    /// The record of a solve from 0 whose steps have these sizes, signed.
    fn limits(sizes: &[f64], shorter: f64) -> StepLimits {
        let mut steps = Steps::new(0.0, sizes[0], true);
        for i in 0..sizes.len() {
            steps.next(1e9 * sizes[0]);
            steps.accept(sizes.get(i + 1).copied().unwrap_or(1.0), f64::INFINITY);
        }
        StepLimits::shorter(&[steps.into_record()], shorter, None)
    }

    #[test]
    fn steps_are_so_many_times_shorter_where_they_were() {
        let limits = limits(&[1.0, 4.0, 16.0], 2.0);
        let mut limit = Limit::new(1e3, Some(Rc::new(limits.clone())));
        // (Sizes are rounded to rungs.)
        for (t, expected) in
            [(0.0, 0.5), (0.9, 0.5), (1.5, 2.0), (4.0, 2.0), (10.0, 8.0), (50.0, 8.0)]
        {
            let found = limit.at(t, false);
            assert!((found / expected - 1.0).abs() < 0.1, "{t}: {found} {expected}");
        }
        assert_eq!(Limit::new(0.1, Some(Rc::new(limits.clone()))).at(0.0, false), 0.1);
        // The least size is shorter as many times, with the limits that there were before.
        assert_eq!(limit.least(1.0), 0.5);
        let again = StepLimits::shorter(&[StepRecord::<f64>::new()], 4.0, Some(&limits));
        assert_eq!(Limit::new(1.0, Some(Rc::new(again))).least(1.0), 0.125);
        assert_eq!(Limit::new(1.0, None).least(0.3), 0.3);
        assert_eq!(Limit::new(0.1, None).at(0.0, false), 0.1);
    }

    #[test]
    fn backward_in_time_too_and_with_more_steps_than_stretches() {
        let limits = limits(&[-0.5; 1000], 4.0);
        assert!(limits.stretches.len() <= 256);
        let mut limit = Limit::new(1e3, Some(Rc::new(limits.clone())));
        for t in [0.0, -0.7, -400.0, -501.0] {
            assert!((limit.at(t, true) - 0.125).abs() < 1e-12);
        }
    }
}
