//! Adam with decoupled weight decay.

use revode::{Parameters, Real};

/// Adam with decoupled weight decay: Loshchilov and Hutter, *Decoupled Weight Decay
/// Regularization*, arXiv 1711.05101, algorithm 2.
///
/// With the gradient `g`, the moments `m ← β₁ m + (1 − β₁) g`, `v ← β₂ v + (1 − β₂) g²` and step
/// number `n`,
///
/// ```text
/// θ ← θ − α ( m̂ / (√v̂ + ε) + w θ ),     m̂ = m / (1 − β₁ⁿ),  v̂ = v / (1 − β₂ⁿ)
/// ```
///
/// The decay `w` is multiplied by the learning rate `α`, as in PyTorch and optax. (In the paper it
/// is multiplied by a schedule `η` only, which is 1 unless there is one; its `λ` is `α w` here.)
#[derive(Debug, Clone)]
pub struct AdamW<P> {
    settings: AdamWSettings,
    first_moment: P,
    second_moment: P,
    steps: i32,
}

/// What [`AdamW`] is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdamWSettings {
    /// The learning rate `α`.
    pub learning_rate: f64,
    /// The weight decay `w`.
    pub weight_decay: f64,
    /// The decay of the first moment, `β₁`: 0.9.
    pub beta1: f64,
    /// The decay of the second moment, `β₂`: 0.999.
    pub beta2: f64,
    /// The `ε` that keeps the quotient finite: 1e-8.
    pub epsilon: f64,
}

impl AdamWSettings {
    /// A learning rate, a weight decay, and the paper's values for the rest.
    pub fn new(learning_rate: f64, weight_decay: f64) -> Self {
        Self { learning_rate, weight_decay, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

impl<P> AdamW<P> {
    /// An optimiser for models of the shape of `model`, at rest.
    pub fn new<T: Real>(settings: AdamWSettings, model: &P) -> Self
    where
        P: Parameters<T>,
    {
        let (first_moment, second_moment) = (model.zeros_like(), model.zeros_like());
        Self { settings, first_moment, second_moment, steps: 0 }
    }

    /// Moves the parameters of `model` by one step against `gradient`.
    pub fn step<T: Real>(&mut self, model: &mut P, gradient: &P)
    where
        P: Parameters<T>,
    {
        let AdamWSettings { learning_rate, weight_decay, beta1, beta2, epsilon } = self.settings;
        let real = T::from_f64;
        self.steps = self.steps.saturating_add(1);
        let (b1, b2) = (real(beta1), real(beta2));
        let correction1 = real(1.0 - beta1.powi(self.steps));
        let correction2 = real(1.0 - beta2.powi(self.steps));
        let moments = self.first_moment.slices_mut().zip(self.second_moment.slices_mut());
        for ((theta, g), (m, v)) in model.slices_mut().zip(gradient.slices()).zip(moments) {
            let values = theta.iter_mut().zip(g).zip(m.iter_mut().zip(v));
            for ((theta, &g), (m, v)) in values {
                *m = b1 * *m + (T::ONE - b1) * g;
                *v = b2 * *v + (T::ONE - b2) * g * g;
                let direction = *m / correction1 / ((*v / correction2).sqrt() + real(epsilon));
                *theta += -real(learning_rate) * (direction + real(weight_decay) * *theta);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AdamW, AdamWSettings};
    use approx::assert_relative_eq;
    use revode::Parameters;

    /// Two parameters, of one and of two values.
    #[derive(Debug, Clone, PartialEq)]
    struct Numbers(f64, [f64; 2]);

    impl Parameters<f64> for Numbers {
        fn names() -> &'static [&'static str] {
            &["scalar", "vector"]
        }
        fn slices(&self) -> impl Iterator<Item = &[f64]> {
            [std::slice::from_ref(&self.0), &self.1].into_iter()
        }
        fn slices_mut(&mut self) -> impl Iterator<Item = &mut [f64]> {
            [std::slice::from_mut(&mut self.0), &mut self.1[..]].into_iter()
        }
    }

    #[test]
    fn three_steps_are_those_of_the_algorithm_in_decimal_arithmetic() {
        // Computed with 40 decimal digits from the formulas of algorithm 2.
        let expected = [
            [0.989_000_000_2, -1.988_000_000_1, 0.489_500_000_4],
            [0.978_689_204_047_546_2, -1.989_673_035_347_107_5, 0.482_309_918_237_371_56],
            [0.979_774_085_084_293_5, -1.990_865_700_753_147, 0.475_129_117_106_610_5],
        ];
        let gradients =
            [Numbers(0.5, [-1.0, 0.25]), Numbers(0.25, [2.0, 0.0]), Numbers(-1.0, [0.125, 4.0])];
        let mut model = Numbers(1.0, [-2.0, 0.5]);
        let mut optimiser = AdamW::new(AdamWSettings::new(0.01, 0.1), &model);
        for (gradient, expected) in gradients.iter().zip(expected) {
            optimiser.step(&mut model, gradient);
            let found = [model.0, model.1[0], model.1[1]];
            for (found, expected) in found.into_iter().zip(expected) {
                // A dozen roundings of quantities of order 1.
                assert_relative_eq!(found, expected, max_relative = 5e-15);
            }
        }
    }

    #[test]
    fn it_finds_the_bottom_of_a_bowl() {
        let mut model = Numbers(3.0, [-4.0, 0.3]);
        let mut optimiser = AdamW::new(AdamWSettings::new(0.05, 0.0), &model);
        for _ in 0..4_000 {
            let gradient = Numbers(model.0 - 1.0, [100.0 * (model.1[0] + 1.0), 0.01 * model.1[1]]);
            optimiser.step(&mut model, &gradient);
        }
        for (found, expected) in [(model.0, 1.0), (model.1[0], -1.0), (model.1[1], 0.0)] {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn decay_alone_shrinks_by_the_learning_rate_times_the_decay() {
        let mut model = Numbers(2.0, [-1.0, 0.0]);
        let still = model.zeros_like();
        let mut optimiser = AdamW::new(AdamWSettings::new(0.1, 0.5), &model);
        optimiser.step(&mut model, &still);
        assert_eq!(model, Numbers(1.9, [-0.95, 0.0]));
    }
}
