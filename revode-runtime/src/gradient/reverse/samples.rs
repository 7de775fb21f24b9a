//! Pairs of the forward pass, which a reversal is compared with and goes on from.

use crate::scheme::pair::Pair;
use crate::{Real, State};

/// The largest number of sampled pairs.
pub(super) const MOST: usize = 64;

/// The smallest upper limit on the number of sampled pairs, for states of any size.
const FEWEST: usize = 2;

/// The memory that more than [`FEWEST`] sampled pairs may take: [`MOST`] pairs of states of 4 KB.
const BYTES: usize = 512 * 1024;

/// The size of a component is its largest value in this part of the way before a sample and after it.
const NEARBY: f64 = 3.0 / 64.0;

/// The pairs after every `stride`-th step. The start of the solve is sample 0 and not stored.
///
/// An error may be largest in the middle of the way: where the field contracts it grows backward, and
/// where it expands it is lost again.
#[derive(Debug)]
pub(super) struct Samples<S> {
    /// Those of the last `len` samples that are in use, and unused ones.
    pairs: Vec<Pair<S>>,
    len: usize,
    /// The upper limit on `len`, a power of two.
    limit: usize,
    /// A power of two.
    stride: u64,
}

impl<S> Samples<S> {
    /// The number of the start.
    pub(super) const START: usize = 0;

    pub(super) fn new<T: Real>(y0: &S) -> Self
    where
        S: State<T>,
    {
        let fit = (BYTES / (2 * size_of_val(y0.as_slice()))).clamp(FEWEST, MOST);
        let limit = 1 << fit.ilog2();
        Self { pairs: Vec::with_capacity(limit), len: 0, limit, stride: 1 }
    }

    /// Takes the pair after that many steps where it is a sample. Where there are too many samples, every
    /// second one is dropped.
    #[inline(always)]
    pub(super) fn offer<T: Real>(&mut self, steps: u64, pair: &Pair<S>)
    where
        S: State<T>,
    {
        if steps & (self.stride - 1) == 0 {
            self.keep(steps, pair);
        }
    }

    #[inline(never)]
    fn keep<T: Real>(&mut self, steps: u64, pair: &Pair<S>)
    where
        S: State<T>,
    {
        if self.len == self.limit {
            // After an odd multiple of the stride: at twice the stride this pair is no sample.
            self.len /= 2;
            (0..self.len).for_each(|i| self.pairs.swap(i, 2 * i + 1));
            self.stride *= 2;
            return;
        }
        debug_assert_eq!(self.len as u64 + 1, steps / self.stride);
        match self.pairs.get_mut(self.len) {
            Some(stored) => stored.assign(pair),
            None => self.pairs.push(pair.clone()),
        }
        self.len += 1;
    }

    /// The number of the sample after that many steps, if there is one.
    #[inline(always)]
    pub(super) fn number(&self, steps: u64) -> Option<usize> {
        (steps & (self.stride - 1) == 0).then_some((steps / self.stride) as usize)
    }

    /// A sample after the start.
    pub(super) fn pair(&self, number: usize) -> &Pair<S> {
        &self.pairs[number - 1]
    }

    /// For one of about eight samples, evenly distributed: the number of steps from one to the next.
    pub(super) fn looks(&self, number: usize) -> Option<u64> {
        let every = (self.limit / 8).max(1);
        number.is_multiple_of(every).then_some(every as u64 * self.stride)
    }

    /// The largest difference of the reversed pair from a sample, each component relative to
    /// its size thereabouts; infinite where one is not finite.
    pub(super) fn error<T: Real>(&self, number: usize, reversed: &Pair<S>, y0: &S) -> f64
    where
        S: State<T>,
    {
        let near = ((self.limit as f64 * NEARBY) as usize).max(1);
        let y = |number: usize| match number {
            Self::START => y0.as_slice(),
            _ => self.pair(number).y.as_slice(),
        };
        let z = if number == Self::START { y0 } else { &self.pair(number).z }.as_slice();
        let nearby = number.saturating_sub(near)..=self.len.min(number + near);
        let larger = |x: T, y: T| if x > y { x } else { y };
        let mut largest = T::ZERO;
        // 0 unless a difference is infinite or NaN.
        let mut zero = T::ZERO;
        for (i, (reversed_y, reversed_z)) in
            reversed.y.as_slice().iter().zip(reversed.z.as_slice()).enumerate()
        {
            let size = nearby.clone().fold(T::ZERO, |size, near| larger(y(near)[i].abs(), size));
            let (of_y, of_z) = ((*reversed_y - y(number)[i]).abs(), (*reversed_z - z[i]).abs());
            let difference = larger(of_y, of_z);
            if difference > largest * size {
                largest = difference / size;
            }
            zero += T::ZERO * (of_y + of_z);
        }
        if zero == T::ZERO { largest.to_f64() } else { f64::INFINITY }
    }

    /// The memory that they take, in bytes.
    pub(super) fn bytes<T: Real>(&self) -> usize
    where
        S: State<T>,
    {
        self.pairs.iter().map(|pair| 2 * size_of_val(pair.y.as_slice())).sum()
    }
}
