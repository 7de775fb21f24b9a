//! Where checkpoints are placed: indices of steps and numbers of slots, no states.

/// The checkpoints that are stored, in the order of time.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    stored: Vec<Stored>,
    /// How many checkpoints there may be.
    slots: usize,
    /// Slots that had a checkpoint and have none now; those never used follow them.
    free: Vec<usize>,
}

/// A checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    /// The number of steps before it.
    pub(crate) index: u64,
    /// Where its state is kept.
    pub(crate) slot: usize,
    /// Its level in the sense of Wang, Moin and Iaccarino; the start's is above all others.
    level: u32,
}

impl Schedule {
    /// `slots` free slots, at least one.
    pub(crate) fn new(slots: usize) -> Self {
        Self { stored: Vec::new(), slots, free: Vec::new() }
    }

    /// The memory that a checkpoint takes in the schedule, in bytes.
    pub(crate) const ENTRY_BYTES: usize = size_of::<Stored>();

    /// The last checkpoint.
    fn last(&self) -> Option<Stored> {
        self.stored.last().copied()
    }

    /// The last checkpoint up to step `index`; those after it are dropped.
    pub(crate) fn last_before(&mut self, index: u64) -> Option<Stored> {
        while let Some(last) = self.stored.pop_if(|last| last.index > index) {
            self.free.push(last.slot);
        }
        self.last()
    }

    /// Places a checkpoint at step `index` of a forward pass whose end is not known and returns its
    /// slot: Wang, Moin and Iaccarino (2009), Algorithm 1. `None` where the start has the only slot.
    pub(crate) fn place_online(&mut self, index: u64) -> Option<usize> {
        let level = if self.stored.is_empty() {
            u32::MAX
        } else if self.stored.len() < self.slots {
            0
        } else if let Some(dispensable) = self.dispensable() {
            self.free.push(self.stored.remove(dispensable).slot);
            0
        } else if self.stored.len() > 1 {
            let last = self.stored.pop()?;
            self.free.push(last.slot);
            last.level + 1
        } else {
            return None;
        };
        self.push(index, level)
    }

    /// Places the next checkpoint on the way from the last one to `target`, whose distance is known,
    /// and returns its index and its slot; `None` where there is nothing to gain or no slot free.
    pub(crate) fn place_binomial(&mut self, target: u64) -> Option<(u64, usize)> {
        let last = self.last()?;
        let length = target - last.index + 1;
        let free = self.slots - self.stored.len();
        if free == 0 || length < 2 {
            return None;
        }
        let index = last.index + first_advance(length, free as u64 + 1);
        (index < target).then(|| self.push(index, 0).map(|slot| (index, slot)))?
    }

    /// A checkpoint before one of a higher level.
    fn dispensable(&self) -> Option<usize> {
        let mut highest = 0;
        for (i, stored) in self.stored.iter().enumerate().rev() {
            if stored.level < highest {
                return Some(i);
            }
            highest = stored.level;
        }
        None
    }

    fn push(&mut self, index: u64, level: u32) -> Option<usize> {
        if self.stored.len() == self.slots {
            return None;
        }
        let slot = self.free.pop().unwrap_or(self.stored.len());
        self.stored.push(Stored { index, slot, level });
        Some(slot)
    }
}

/// How far to advance before the next checkpoint when `length` steps are to be reversed with
/// `checkpoints` ones, the first of them at the start: Griewank and Walther (2000), section 2.
///
/// With `β(c, r) = C(c + r, r)` the longest range that `c` checkpoints reverse with no step taken
/// more than `r` times, any advance for which both parts stay within their `β` is optimal.
fn first_advance(length: u64, checkpoints: u64) -> u64 {
    // β grows by at least one with r, so that the search ends.
    let repetitions = (1..=length).find(|&r| beta(checkpoints, r) >= length).unwrap_or(1);
    beta(checkpoints, repetitions - 1)
        .min(length.saturating_sub(beta(checkpoints - 1, repetitions - 1)))
        .max(1)
}

/// `C(c + r, r)`, or the largest number where that is larger.
fn beta(c: u64, r: u64) -> u64 {
    let mut value = 1_u128;
    for i in 1..=u128::from(c.min(r)) {
        value = value * (u128::from(c.max(r)) + i) / i;
        if value > u128::from(u64::MAX) {
            return u64::MAX;
        }
    }
    u64::try_from(value).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Schedule, beta};

    /// Reverses `steps` steps with `slots` slots; returns the number of steps taken again and the
    /// most often that one step was.
    fn reverse(steps: u64, slots: usize, online: bool) -> (u64, u64) {
        let mut schedule = Schedule::new(slots);
        for index in 0..if online { steps } else { 1 } {
            schedule.place_online(index);
            assert!(schedule.stored.len() <= slots);
        }
        let mut repetitions = vec![0; steps as usize];
        for target in (0..steps).rev() {
            let mut at = schedule.last_before(target).unwrap().index;
            while at < target {
                let next = schedule.place_binomial(target).map_or(target, |(index, _)| index);
                assert!(next > at && next <= target && schedule.stored.len() <= slots);
                (at..next).for_each(|step| repetitions[step as usize] += 1);
                at = next;
            }
        }
        (repetitions.iter().sum(), repetitions.iter().copied().max().unwrap_or(0))
    }

    #[test]
    fn known_lengths_are_reversed_with_the_optimal_number_of_steps() {
        for slots in 1..=12 {
            for steps in 1..=300_u64 {
                let c = slots as u64;
                let r = (0..=steps).find(|&r| beta(c, r) >= steps).unwrap();
                // Griewank and Walther (2000), equation (4), counts the forward sweep's steps too;
                // the steps before the last are taken once there.
                let optimum = r * steps - if r == 0 { 0 } else { beta(c + 1, r - 1) };
                let (found, most) = reverse(steps, slots, false);
                assert_eq!(found, optimum, "{steps} steps, {slots} slots");
                assert!(most <= r);
            }
        }
    }

    #[test]
    fn unknown_lengths_repeat_no_step_more_often_than_needed() {
        for slots in 2..=12 {
            for steps in (1..=40).chain((50..2000).step_by(37)) {
                let c = slots as u64;
                let r = (0..=steps).find(|&r| beta(c, r) >= steps).unwrap();
                let (_, most) = reverse(steps, slots, true);
                assert!(most <= r, "{steps} steps, {slots} slots: {most} repetitions, optimum {r}");
            }
        }
    }
}
