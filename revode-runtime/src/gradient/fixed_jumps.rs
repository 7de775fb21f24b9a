//! The jumps of a field at times that nothing moves: there the cotangent is right as it is, and `λᵀ f` jumps with `f`.

use crate::slices::sign_of;
use crate::{Real, SwitchKind, VectorField};

/// Follows their signs along the way back.
#[derive(Debug)]
pub(super) struct FixedJumps<T> {
    /// Which switching functions they belong to.
    indices: Vec<usize>,
    /// The values of all switching functions at the state to which the way back has come.
    values: Vec<T>,
    /// The signs of those, 0 where one is 0: a step that ends there and the one that starts there have different ones at
    /// their ends, whatever side the field is evaluated on.
    signs: Vec<f64>,
}

impl<T: Real> FixedJumps<T> {
    pub(super) fn new<F: VectorField<T>>(field: &F) -> Self {
        let fixed = |i: &usize| field.switch(*i).kind == SwitchKind::Jump { moves: false };
        // A field that knows its jumps has legs end at them.
        let count = if F::JUMPS { 0 } else { field.switch_count() };
        let indices: Vec<_> = (0..count).filter(fixed).collect();
        let values = vec![T::ZERO; if indices.is_empty() { 0 } else { field.switch_count() }];
        let signs = vec![0.0; indices.len()];
        Self { indices, values, signs }
    }

    /// Whether there is one between the state to which the way back had come and `y` at `t`, to which it comes now, ends
    /// included.
    #[inline]
    pub(super) fn one_is_in_step<F: VectorField<T>>(
        &mut self,
        field: &F,
        (t, y): (T, &F::State),
    ) -> bool {
        if self.indices.is_empty() {
            return false;
        }
        field.switches(t, y, &mut self.values);
        let mut one = false;
        for (index, sign) in self.indices.iter().zip(&mut self.signs) {
            let now = sign_of(self.values[*index].to_f64());
            one |= now != *sign;
            *sign = now;
        }
        one
    }
}
