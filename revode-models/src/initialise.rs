//! Random numbers and the initialisation of networks.

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, RngExt, SeedableRng};

/// The random numbers of a seed: xoshiro256++ (Blackman and Vigna, ACM TOMS 47, 2021), its state
/// filled from the seed by SplitMix64. The same seed gives the same numbers on every machine.
pub fn random_numbers(seed: u64) -> Xoshiro256PlusPlus {
    Xoshiro256PlusPlus::seed_from_u64(seed)
}

/// Fills the weights or biases of a layer with `fan_in` inputs, uniformly from ±1/√`fan_in`.
pub fn uniform(random: &mut impl Rng, values: &mut [f64], fan_in: usize) {
    let bound = 1.0 / (fan_in as f64).sqrt();
    for value in values {
        // 53 random bits in [0, 1), whatever way a library has of drawing from an interval.
        *value = bound * (2.0 * random.random::<f64>() - 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::{random_numbers, uniform};
    use rand::Rng;

    #[test]
    fn the_generator_is_the_published_one() {
        // xoshiro256++ from the state that SplitMix64 makes of 0, computed from the two published
        // algorithms in Python's integers.
        let mut random = random_numbers(0);
        let found: [u64; 3] = std::array::from_fn(|_| random.next_u64());
        assert_eq!(
            found,
            [5_987_356_902_031_041_503, 7_051_070_477_665_621_255, 6_633_766_593_972_829_180]
        );
    }

    #[test]
    fn values_fill_the_interval_evenly() {
        let mut values = vec![0.0; 10_000];
        uniform(&mut random_numbers(1), &mut values, 4);
        let mean = values.iter().sum::<f64>() / 1e4;
        let variance = values.iter().map(|v| v * v).sum::<f64>() / 1e4;
        assert!(values.iter().all(|v| (-0.5..0.5).contains(v)));
        // Five standard deviations of the mean and of the mean square of 10,000 uniform numbers.
        assert!(mean.abs() < 5.0 * (1.0 / 12.0_f64).sqrt() / 100.0, "{mean}");
        assert!((variance - 1.0 / 12.0).abs() < 5.0 * (1.0 / 180.0_f64).sqrt() / 100.0);
    }
}
