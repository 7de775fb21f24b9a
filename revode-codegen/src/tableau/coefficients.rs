//! The coefficients of an explicit Runge–Kutta method.

use crate::number::Number;

/// Coefficients of `s` stages, without the places where they were written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Coefficients {
    /// The strictly lower triangle: row `i` has `i` entries.
    pub a: Vec<Vec<Number>>,
    /// The weights.
    pub b: Vec<Number>,
    /// The weights of the embedded method.
    pub b_embedded: Option<Vec<Number>>,
    /// The nodes.
    pub c: Vec<Number>,
}

impl Coefficients {
    /// The number of stages.
    pub(super) fn stages(&self) -> usize {
        self.b.len()
    }

    /// The explicit Euler method: what stands in for a tableau that could not be read.
    pub(super) fn euler(embedded: bool) -> Self {
        Self {
            a: vec![vec![]],
            b: vec![Number::ONE],
            b_embedded: embedded.then(|| vec![Number::ZERO]),
            c: vec![Number::ZERO],
        }
    }

    /// Which stages the sum with these weights needs, directly or through other stages. The first
    /// stage always counts: it is where a step begins.
    pub(super) fn reaching(&self, weights: &[Number]) -> Vec<bool> {
        let mut needed: Vec<bool> = weights.iter().map(|b| !b.is_zero()).collect();
        for i in (0..needed.len()).rev() {
            if needed[i] {
                for (j, a) in self.a[i].iter().enumerate() {
                    needed[j] |= !a.is_zero();
                }
            }
        }
        needed[0] = true;
        needed
    }

    /// Whether the last stage is the first one of the next step.
    pub(super) fn is_fsal(&self) -> bool {
        let last = self.stages() - 1;
        last > 0
            && self.b[last].is_zero()
            && self.a[last].iter().zip(&self.b).all(|(a, b)| a.same(b))
    }

    /// The stage that is `f(t1, y1)`, the derivative at the end of the step: its row is `b`.
    pub(super) fn end_stage(&self) -> Option<usize> {
        (1..self.stages()).find(|&i| {
            let row = self.a[i].iter().zip(&self.b);
            row.clone().all(|(a, b)| a.same(b)) && self.b[i..].iter().all(Number::is_zero)
        })
    }

    /// `Phi_{-h} ∘ Phi_h` as one method with `2s` stages: the matrix and the weights.
    ///
    /// The second half starts at `u + h Σ b_j k_j` and goes back by `-h`.
    pub(super) fn there_and_back(&self) -> (Vec<Vec<Number>>, Vec<Number>) {
        let back = |row: &[Number]| row.iter().map(|x| -x).collect::<Vec<_>>();
        let there = self.a.iter().cloned();
        let and_back = self.a.iter().map(|row| [self.b.clone(), back(row)].concat());
        (there.chain(and_back).collect(), [self.b.clone(), back(&self.b)].concat())
    }
}
