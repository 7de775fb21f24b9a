//! The codes of a run: how its step size changes.

/// Steps of one level, then a change of the level by one, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Code {
    pub(super) steps: u64,
    pub(super) levels: i32,
}

/// Codes of four bits, two a byte. Each stands for itself, so that they are read in both directions:
///
/// ```text
/// 0 ..= 6    0 to 6 steps, then a level up      7    7 steps, no change
/// 8 ..= 14   0 to 6 steps, then a level down    15   63 steps, no change
/// ```
#[derive(Debug, Clone, Default)]
pub(super) struct Codes {
    bytes: Vec<u8>,
    len: u64,
}

const TABLE: [Code; 16] = {
    let mut table = [Code { steps: 7, levels: 0 }; 16];
    let mut steps = 0;
    while steps < 7 {
        table[steps] = Code { steps: steps as u64, levels: 1 };
        table[steps + DOWN as usize] = Code { steps: steps as u64, levels: -1 };
        steps += 1;
    }
    table[LONG as usize].steps = 63;
    table
};
const DOWN: u8 = 8;
const SHORT: u8 = 7;
const LONG: u8 = 15;

impl Codes {
    /// The number of codes.
    #[inline(always)]
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The memory that they take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }

    #[inline(always)]
    pub(super) fn get(&self, index: u64) -> Code {
        let byte = self.bytes[(index / 2) as usize];
        TABLE[usize::from(byte >> (4 * (index % 2)) & 15)]
    }

    /// Adds so many steps of one level and a change by so many levels.
    pub(super) fn push(&mut self, mut steps: u64, levels: i32) {
        for code in [LONG, SHORT] {
            let each = TABLE[usize::from(code)].steps;
            for _ in 0..steps / each {
                self.push_code(code);
            }
            steps %= each;
        }
        for _ in 0..levels.unsigned_abs() {
            self.push_code(steps as u8 + if levels < 0 { DOWN } else { 0 });
            steps = 0;
        }
    }

    fn push_code(&mut self, code: u8) {
        if self.len.is_multiple_of(2) {
            self.bytes.push(code);
        } else if let Some(last) = self.bytes.last_mut() {
            *last |= code << 4;
        }
        self.len += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::Codes;

    #[test]
    fn steps_and_levels_add_up() {
        let mut codes = Codes::default();
        let mut from = 0;
        for steps in (0..200).chain([2047, 2048]) {
            for levels in [-80, -3, -1, 1, 2, 17] {
                codes.push(steps, levels);
                let found = (from..codes.len()).map(|code| codes.get(code));
                let sum = found.fold((0, 0), |sum, code| (sum.0 + code.steps, sum.1 + code.levels));
                assert_eq!(sum, (steps, levels));
                from = codes.len();
            }
        }
        assert_eq!(codes.bytes() as u64, codes.len().div_ceil(2));
    }

    #[test]
    fn a_change_by_one_after_few_steps_is_half_a_byte() {
        let mut codes = Codes::default();
        for steps in 0..7 {
            codes.push(steps, 1);
            codes.push(steps, -1);
        }
        assert_eq!(codes.bytes(), 7);
    }
}
