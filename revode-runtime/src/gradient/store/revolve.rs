//! Where checkpoints are placed: indices of steps and numbers of slots, no states.
//!
//! Placing or dropping a checkpoint takes constant time, amortised, whatever the number of slots: the
//! checkpoints are a list linked backward in time, and a stack knows the last one that the online
//! algorithm can dispense with.

/// The checkpoints that are stored, in the order of time.
#[derive(Debug, Clone)]
pub(crate) struct Schedule {
    /// The checkpoints by slot, those of free slots included; as long as slots were ever used.
    nodes: Vec<Node>,
    /// The slot of the last checkpoint in time.
    last: Option<usize>,
    /// How many checkpoints are stored.
    stored: usize,
    /// How many checkpoints there may be.
    slots: usize,
    /// Slots that had a checkpoint and have none now, the next one to use last.
    free: Vec<usize>,
    /// The slots of all checkpoints whose level is above that of the checkpoint before them, in the
    /// order of time.
    rises: Vec<usize>,
}

/// A checkpoint and its place in the list.
#[derive(Debug, Clone, Copy)]
struct Node {
    /// The number of steps before it.
    index: u64,
    /// The slot of the checkpoint before it; that of the start is never read.
    before: usize,
    /// Its level in the sense of Wang, Moin and Iaccarino; the start's is above all others.
    level: u32,
}

/// A checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    /// The number of steps before it.
    pub(crate) index: u64,
    /// Where its state is kept.
    pub(crate) slot: usize,
}

impl Schedule {
    /// `slots` free slots, at least one.
    pub(crate) fn new(slots: usize) -> Self {
        let (nodes, free, rises) = (Vec::new(), Vec::new(), Vec::new());
        Self { nodes, last: None, stored: 0, slots, free, rises }
    }

    /// The memory that a checkpoint takes in the schedule, in bytes.
    pub(crate) const ENTRY_BYTES: usize = size_of::<Node>();

    /// The last checkpoint.
    fn last(&self) -> Option<Stored> {
        self.last.map(|slot| Stored { index: self.nodes[slot].index, slot })
    }

    /// The last checkpoint up to step `index`; those after it are dropped.
    pub(crate) fn last_before(&mut self, index: u64) -> Option<Stored> {
        while self.last().is_some_and(|last| last.index > index) {
            self.pop();
        }
        self.last()
    }

    /// Drops the last checkpoint.
    fn pop(&mut self) {
        let Some(last) = self.last else { return };
        if self.rises.last() == Some(&last) {
            self.rises.pop();
        }
        self.stored -= 1;
        self.last = (self.stored > 0).then_some(self.nodes[last].before);
        self.free.push(last);
    }

    /// Places a checkpoint at step `index` of a forward pass whose end is not known and returns its
    /// slot: Wang, Moin and Iaccarino (2009), Algorithm 1. `None` where the start has the only slot.
    pub(crate) fn place_online(&mut self, index: u64) -> Option<usize> {
        let Some(last) = self.last else { return self.push(index, u32::MAX) };
        let level = if self.stored < self.slots || self.drop_dispensable() {
            0
        } else if self.stored > 1 {
            let level = self.nodes[last].level + 1;
            self.pop();
            level
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
        let free = self.slots - self.stored;
        if free == 0 || length < 2 {
            return None;
        }
        let index = last.index + first_advance(length, free as u64 + 1);
        (index < target).then(|| self.push(index, 0).map(|slot| (index, slot)))?
    }

    /// Drops the last checkpoint that a later one of a higher level makes dispensable; `false` where
    /// there is none.
    ///
    /// No level rises after that checkpoint's successor, or a later checkpoint would be dispensable.
    /// So the highest level after it is its successor's, which is the last of the rises.
    fn drop_dispensable(&mut self) -> bool {
        let Some(after) = self.rises.pop() else { return false };
        let dropped = self.nodes[after].before;
        // It is not the start, whose level no other exceeds, and so has a predecessor.
        let before = self.nodes[dropped].before;
        self.nodes[after].before = before;
        let risen = self.rises.pop_if(|slot| *slot == dropped).is_some();
        if risen || self.nodes[before].level < self.nodes[after].level {
            self.rises.push(after);
        }
        self.stored -= 1;
        self.free.push(dropped);
        true
    }

    fn push(&mut self, index: u64, level: u32) -> Option<usize> {
        if self.stored == self.slots {
            return None;
        }
        let slot = self.free.pop().unwrap_or(self.nodes.len());
        let before = self.last.unwrap_or(slot);
        let node = Node { index, before, level };
        match self.nodes.get_mut(slot) {
            Some(free) => *free = node,
            None => self.nodes.push(node),
        }
        if self.nodes[before].level < level {
            self.rises.push(slot);
        }
        self.last = Some(slot);
        self.stored += 1;
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
    use proptest::prelude::*;

    use super::{Schedule, beta, first_advance};

    /// The schedule as it is defined: a list that is searched from its end.
    #[derive(Debug, Clone)]
    struct Scanned {
        stored: Vec<Checkpoint>,
        /// How many checkpoints there may be.
        slots: usize,
        /// Slots that had a checkpoint and have none now; those never used follow them.
        free: Vec<usize>,
    }

    /// A checkpoint.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    struct Checkpoint {
        /// The number of steps before it.
        index: u64,
        /// Where its state is kept.
        slot: usize,
        /// Its level in the sense of Wang, Moin and Iaccarino; the start's is above all others.
        level: u32,
    }

    impl Scanned {
        /// `slots` free slots, at least one.
        fn new(slots: usize) -> Self {
            Self { stored: Vec::new(), slots, free: Vec::new() }
        }

        /// The last checkpoint.
        fn last(&self) -> Option<Checkpoint> {
            self.stored.last().copied()
        }

        /// Drops the last checkpoint.
        fn pop(&mut self) {
            if let Some(last) = self.stored.pop() {
                self.free.push(last.slot);
            }
        }

        /// Places a checkpoint at step `index` of a forward pass whose end is not known and returns its
        /// slot: Wang, Moin and Iaccarino (2009), Algorithm 1. `None` where the start has the only slot.
        fn place_online(&mut self, index: u64) -> Option<usize> {
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
        fn place_binomial(&mut self, target: u64) -> Option<(u64, usize)> {
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
            self.stored.push(Checkpoint { index, slot, level });
            Some(slot)
        }
    }

    /// Reverses `steps` steps with `slots` slots; returns the number of steps taken again and the
    /// most often that one step was.
    fn reverse(steps: u64, slots: usize, online: bool) -> (u64, u64) {
        let mut schedule = Schedule::new(slots);
        for index in 0..if online { steps } else { 1 } {
            schedule.place_online(index);
            assert!(schedule.stored <= slots);
        }
        let mut repetitions = vec![0; steps as usize];
        for target in (0..steps).rev() {
            let mut at = schedule.last_before(target).unwrap().index;
            while at < target {
                let next = schedule.place_binomial(target).map_or(target, |(index, _)| index);
                assert!(next > at && next <= target && schedule.stored <= slots);
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

    /// All checkpoints in the order of time: index, slot and level.
    fn listed(schedule: &Schedule) -> Vec<(u64, usize, u32)> {
        let mut listed = Vec::new();
        let mut at = schedule.last;
        while listed.len() < schedule.stored {
            let slot = at.unwrap();
            let node = schedule.nodes[slot];
            listed.push((node.index, slot, node.level));
            at = Some(node.before);
        }
        listed.reverse();
        listed
    }

    /// What a forward and a backward pass do with a schedule.
    #[derive(Debug, Clone)]
    enum Act {
        Forward(u64),
        Pop(usize),
        Binomial(u64),
    }

    fn act() -> impl Strategy<Value = Act> {
        prop_oneof![
            6 => (1_u64..200).prop_map(Act::Forward),
            3 => (1_usize..20).prop_map(Act::Pop),
            3 => (0_u64..100).prop_map(Act::Binomial),
        ]
    }

    proptest! {
        #[test]
        fn placements_are_those_of_the_definition(
            slots in 1_usize..40,
            acts in prop::collection::vec(act(), 1..40),
        ) {
            let (mut schedule, mut scanned) = (Schedule::new(slots), Scanned::new(slots));
            let mut index = 0;
            for act in acts {
                match act {
                    Act::Forward(steps) => for _ in 0..steps {
                        prop_assert_eq!(schedule.place_online(index), scanned.place_online(index));
                        index += 1;
                    },
                    Act::Pop(count) => for _ in 0..count {
                        schedule.pop();
                        scanned.pop();
                    },
                    Act::Binomial(distance) => {
                        let Some(last) = schedule.last() else { continue };
                        let target = last.index + distance;
                        let placed = schedule.place_binomial(target);
                        prop_assert_eq!(placed, scanned.place_binomial(target));
                    }
                }
                let expected: Vec<_> =
                    scanned.stored.iter().map(|c| (c.index, c.slot, c.level)).collect();
                prop_assert_eq!(listed(&schedule), expected);
                prop_assert_eq!(&schedule.free, &scanned.free);
            }
        }
    }

    #[test]
    fn many_slots_place_as_defined() {
        // Long enough for levels up to 3 with 100 slots, 2 with 1,000.
        for slots in [2, 3, 10, 100, 1_000] {
            let (mut schedule, mut scanned) = (Schedule::new(slots), Scanned::new(slots));
            for index in 0..20_000 {
                assert_eq!(schedule.place_online(index), scanned.place_online(index));
            }
            let expected: Vec<_> =
                scanned.stored.iter().map(|c| (c.index, c.slot, c.level)).collect();
            assert_eq!(listed(&schedule), expected, "{slots} slots");
        }
    }
}
