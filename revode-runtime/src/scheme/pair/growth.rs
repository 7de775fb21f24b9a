//! The cotangents of a pair without damping, and how far they grow in its parasitic mode.
//!
//! Where the field contracts, the difference of the two cotangents grows on the way back as fast as the field
//! contracts, until the place comes at which the gap was closed. Only their sum goes on from there. The
//! difference leaves in it a part of the size of the method's error; where it has grown for too long, that part
//! is what the gradient consists of.
//!
//! The gap monitor (`gap.rs`) is there to prevent that. But it sees the gap of the solution, in which a mode
//! that grows from rounding can hide behind what the solution itself contributes. This looks at the cotangents
//! themselves: nothing that matters to the gradient hides in them. Derivation: `docs/guarded.md`.

use super::Pair;
use crate::stop::{Finding, Stop};
use crate::{Real, State, Step};

/// The cotangent of a pair.
#[derive(Debug, Clone)]
pub struct PairCotangent<S> {
    pub(crate) pair: Pair<S>,
    /// Scratch space, from the first time on that a loss adds: what it has added to the cotangent of the read-out, and
    /// the read-out.
    scratch: Option<[S; 2]>,
    growth: Growth,
}

/// How far the difference of the cotangents has grown.
#[derive(Debug, Clone, Copy, Default)]
struct Growth {
    /// What the cotangents came to where the gap was closed, and what the loss has added to them since, on the
    /// way back.
    seed: f64,
    /// Steps since then.
    steps: u64,
    /// The largest growth so far, and in how many steps.
    factor: f64,
    in_steps: u64,
}

/// How far the difference may grow.
const MOST: f64 = 100.0;

/// How far it is to grow where the gap is closed more often.
const WANTED: f64 = 5.0;

/// The cotangents are looked at where the gap is closed, and at the steps whose number is a multiple of
/// this.
const STRIDE: u64 = 8;

impl<S> PairCotangent<S> {
    pub(crate) fn zeros_like<T: Real>(y0: &S) -> Self
    where
        S: State<T>,
    {
        Self { pair: Pair::zeros_like(y0), scratch: None, growth: Growth::default() }
    }

    /// The cotangents of `y` and `z`, and scratch space for what a loss adds and for the read-out.
    pub(crate) fn with_scratch<T: Real>(&mut self) -> (&mut Pair<S>, &mut [S; 2])
    where
        S: State<T>,
    {
        let Self { pair, scratch, .. } = self;
        let scratch = scratch.get_or_insert_with(|| [pair.y.zeros_like(), pair.y.zeros_like()]);
        (pair, scratch)
    }

    /// Counts what a loss has added, each component in the unit that its quantum is.
    pub(crate) fn count<T: Real, D: Real>(&mut self, quanta: &[D])
    where
        S: State<T>,
    {
        if let Some([added, _]) = &self.scratch {
            self.growth.seed += largest_in_quanta(added, added, quanta, |added, _| added);
        }
    }

    /// Looks at the cotangents before `step`, each in the unit that its component's quantum is. Growth is counted
    /// from where the gap was closed; where it is not closed but `damped` all the time, from the largest sum.
    ///
    /// # Errors
    /// [`Finding::CotangentsGrown`] where they have grown too far.
    #[inline(always)]
    pub(crate) fn watch<T: Real, D: Real>(
        &mut self,
        step: Step<T>,
        quanta: &[D],
        damped: bool,
    ) -> Result<(), Stop>
    where
        S: State<T>,
    {
        self.growth.steps += 1;
        if step.index.is_multiple_of(STRIDE) {
            let (sum, difference) = self.largest(quanta);
            if damped {
                self.growth.seed = self.growth.seed.max(sum);
            }
            self.growth.add(sum, difference);
        }
        if self.growth.factor <= MOST { Ok(()) } else { Err(self.growth.error(step)) }
    }

    /// Looks at the cotangents where the gap was closed, and starts again with their sum. The quanta are those
    /// that the way back comes from, and those that it goes on with.
    #[inline]
    pub(crate) fn closed<T: Real, D: Real>(&mut self, from: &[D], to: &[D])
    where
        S: State<T>,
    {
        let (sum, difference) = self.largest(from);
        self.growth.add(sum, difference);
        (self.growth.seed, self.growth.steps) = (self.largest(to).0, 0);
    }

    /// The sum and the difference of the cotangents.
    #[inline(always)]
    fn largest<T: Real, D: Real>(&self, quanta: &[D]) -> (f64, f64)
    where
        S: State<T>,
    {
        let Pair { y, z } = &self.pair;
        let sum = largest_in_quanta(y, z, quanta, |y, z| y + z);
        (sum, largest_in_quanta(y, z, quanta, |y, z| y - z))
    }
}

/// The largest component of `f(x, y)`, in the unit that its quantum is.
#[inline(always)]
fn largest_in_quanta<T: Real, S: State<T>, D: Real>(
    x: &S,
    y: &S,
    quanta: &[D],
    f: impl Fn(f64, f64) -> f64,
) -> f64 {
    let n = quanta.len();
    let (x, y) = (&x.as_slice()[..n], &y.as_slice()[..n]);
    let mut largest = 0.0_f64;
    for i in 0..n {
        largest = largest.max(f(x[i].to_f64(), y[i].to_f64()).abs() * quanta[i].to_f64());
    }
    largest
}

impl Growth {
    #[inline(always)]
    fn add(&mut self, sum: f64, difference: f64) {
        // (Numbers that are not normal say nothing.)
        let seed = self.seed.max(f64::MIN_POSITIVE);
        // Where cotangents grow together the difference is the smaller one. Over a single step nothing can be
        // done.
        if difference > self.factor * seed && difference > sum && self.steps > 1 {
            (self.factor, self.in_steps) = (difference / seed, self.steps);
        }
    }

    #[cold]
    fn error<T: Real>(self, step: Step<T>) -> Stop {
        let Self { factor, in_steps, .. } = self;
        let t = step.t.to_f64();
        Finding::CotangentsGrown { t, factor, steps: in_steps }.into()
    }
}

/// After how many steps the gap must be closed, at the latest, so that the cotangents grow as far as they may,
/// where they grew by `factor` in so many `steps`.
pub(crate) fn fewer_steps(factor: f64, steps: u64) -> u64 {
    let part = Real::ln(WANTED) / Real::ln(factor);
    ((steps as f64 * part) as u64).clamp(1, (steps / 2).max(1))
}

#[cfg(test)]
mod tests {
    use nalgebra::Vector2;

    use super::super::Pair;
    use super::{PairCotangent, fewer_steps};
    use crate::Step;
    use crate::stop::{Finding, Stop};

    type Bar = PairCotangent<Vector2<f64>>;

    /// Units of 1 and of 1e-6.
    const QUANTA: [f64; 2] = [1.0, 1e-6];

    /// A loss gives a cotangent of 1 in units, and the difference of the cotangents grows `rate`-fold a step for
    /// so many steps, the sum being `sum`.
    fn grow(bar: &mut Bar, rate: f64, steps: u32, sum: f64) -> Result<(), Stop> {
        let added = Vector2::new(0.0, 1e6);
        bar.with_scratch().1[0] = added;
        bar.pair.y += added;
        bar.count(&QUANTA);
        for n in 1..=steps {
            let (sum, difference) = (1e6 * sum, 1e6 * rate.powi(n as i32));
            let y = Vector2::new(0.0, 0.5 * (sum + difference));
            bar.pair = Pair { y, z: Vector2::new(0.0, 0.5 * (sum - difference)) };
            bar.watch(Step::new((steps - n).into(), 0.5, 0.1), &QUANTA, false)?;
        }
        Ok(())
    }

    fn zero() -> Bar {
        Bar::zeros_like(&Vector2::zeros())
    }

    #[test]
    fn growth_of_the_difference_is_an_error() {
        assert!(grow(&mut zero(), 2.0, 6, 0.1).is_ok());
        let error = grow(&mut zero(), 2.0, 8, 0.1).unwrap_err();
        let Stop::Finding(found) = error else { panic!("{error:?}") };
        assert_eq!(found, Finding::CotangentsGrown { t: 0.5, factor: 256.0, steps: 8 });
    }

    #[test]
    fn growth_of_the_sum_is_let_pass() {
        assert!(grow(&mut zero(), 2.0, 8, 300.0).is_ok());
    }

    #[test]
    fn a_single_step_may_grow_as_far_as_it_does() {
        assert!(grow(&mut zero(), 1e6, 1, 0.0).is_ok());
    }

    #[test]
    fn closing_the_gap_starts_again() {
        let mut bar = zero();
        for _ in 0..3 {
            grow(&mut bar, 2.0, 5, 1.0).unwrap();
            bar.closed(&QUANTA, &QUANTA);
            bar.pair.join_vjp();
        }
        // What grew unseen between two looks is seen where the gap is closed.
        bar.pair = Pair { y: Vector2::new(1e4, 0.0), z: Vector2::new(-1e4, 0.0) };
        bar.growth.steps = 3;
        bar.closed(&QUANTA, &QUANTA);
        let step = Step::new(1, 0.0, 0.1);
        assert!(matches!(
            bar.watch(step, &QUANTA, false),
            Err(Stop::Finding(Finding::CotangentsGrown { steps: 3, .. }))
        ));
    }

    #[test]
    fn damped_all_the_time_the_largest_sum_counts() {
        let mut bar = zero();
        let step = Step::new(0, 0.0, 0.1);
        bar.pair.y = Vector2::new(1e3, 0.0);
        bar.with_scratch().1[0] = bar.pair.y;
        bar.count(&QUANTA);
        bar.watch(step, &QUANTA, true).unwrap();
        bar.pair = Pair { y: Vector2::new(2e4, 0.0), z: Vector2::new(-2e4, 0.0) };
        assert!(bar.watch(step, &QUANTA, true).is_ok());
        bar.pair = Pair { y: Vector2::new(1e5, 0.0), z: Vector2::new(-1e5, 0.0) };
        assert!(bar.watch(step, &QUANTA, true).is_err());
    }

    #[test]
    fn fewer_steps_than_grew_too_far() {
        assert_eq!(
            (fewer_steps(126.0, 300), fewer_steps(1e9, 3), fewer_steps(200.0, 2)),
            (99, 1, 1)
        );
        assert_eq!(fewer_steps(101.0, 1), 1);
    }
}
