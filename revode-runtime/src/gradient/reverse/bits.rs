//! A stack of bits: the information buffer of the exact reversal.

/// A stack of bits.
#[derive(Debug, Clone, Default)]
pub(crate) struct BitStack {
    words: Vec<u64>,
    len: u64,
    /// Bits that were popped and had not been there.
    missing: u64,
}

impl BitStack {
    /// The number of bits; negative where more were popped than there had been.
    pub(crate) fn left(&self) -> i64 {
        self.len as i64 - self.missing as i64
    }

    /// The memory that they take, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        size_of_val(self.words.as_slice())
    }

    /// Pushes the lowest `bits` bits of `value`, at most 64; the others must be 0.
    #[inline]
    pub(crate) fn push(&mut self, value: u64, bits: u32) {
        if bits == 0 {
            return;
        }
        let used = (self.len % 64) as u32;
        if used == 0 {
            self.words.push(value);
        } else {
            if let Some(last) = self.words.last_mut() {
                *last |= value << used;
            }
            if used + bits > 64 {
                self.words.push(value >> (64 - used));
            }
        }
        self.len += u64::from(bits);
    }

    /// Pops what was pushed with as many bits; 0 where there are fewer, which [`left`](Self::left) tells.
    #[inline]
    pub(crate) fn pop(&mut self, bits: u32) -> u64 {
        if bits == 0 {
            return 0;
        }
        let Some(len) = self.len.checked_sub(u64::from(bits)) else {
            self.missing += u64::from(bits);
            return 0;
        };
        self.len = len;
        let used = (len % 64) as u32;
        let mask = u64::MAX >> (64 - bits);
        // The high part is alone in the last word where the bits do not fit in one.
        let high = if used + bits > 64 { self.words.pop() } else { None };
        let Some(last) = self.words.last_mut() else { return 0 };
        let value = (*last >> used) | high.map_or(0, |high| high << (64 - used));
        if used == 0 {
            self.words.pop();
        } else {
            *last &= u64::MAX >> (64 - used);
        }
        value & mask
    }
}

#[cfg(test)]
mod tests {
    use super::BitStack;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out(pushes in prop::collection::vec((any::<u64>(), 0_u32..=64), 0..300)) {
            let mut stack = BitStack::default();
            let value = |value: u64, bits: u32| if bits == 0 { 0 } else { value >> (64 - bits) };
            for &(random, bits) in &pushes {
                stack.push(value(random, bits), bits);
            }
            let total: u64 = pushes.iter().map(|(_, bits)| u64::from(*bits)).sum();
            prop_assert_eq!(stack.left(), total as i64);
            prop_assert_eq!(stack.bytes() as u64, total.div_ceil(64) * 8);
            for &(random, bits) in pushes.iter().rev() {
                prop_assert_eq!(stack.pop(bits), value(random, bits));
            }
            prop_assert_eq!((stack.left(), stack.bytes()), (0, 0));
            prop_assert_eq!((stack.pop(3), stack.left()), (0, -3));
        }
    }
}
