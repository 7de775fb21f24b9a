//! The elementary functions of `f64` against arbitrary-precision arithmetic.
//!
//! `REVODE_SPECIAL_SAMPLES=100` takes a hundred times the samples; with `--nocapture` the measured
//! maxima are printed as they stand in `docs/special.md`.

use std::f64::consts::{FRAC_PI_2, LN_2};
use std::ops::Range;

use dashu_float::FBig;
use dashu_float::round::mode::HalfEven;
use revode_runtime::special::f64 as special;

type Big = FBig<HalfEven, 2>;

/// Working precision of the reference in bits: its own rounding is below 2^−70 ulp. Nothing cancels
/// in the compositions below.
const PRECISION: usize = 128;

#[test]
fn exp() {
    let mut inputs = Inputs::new(1);
    inputs.every_binade(2).uniform(-745.2..709.8, 6000).uniform(-745.2..-708.0, 2000);
    inputs.uniform(-1.0..1.0, 2000).around(709.782_712_893_384).around(745.133_219_101_941_2);
    inputs.around(708.396_418_532_264_1).around_multiples(LN_2 / 2.0, 1000);
    inputs.keep(|x| x.abs() < 1000.0);
    check("exp", 0.8, special::exp, Big::exp, &inputs);
}

#[test]
fn expm1() {
    let mut inputs = Inputs::new(2);
    inputs.every_binade(2).uniform(-40.0..40.0, 4000).uniform(-1.0..1.0, 4000);
    inputs.uniform(-0.35..-0.25, 2000).uniform(30.0..40.0, 1000).uniform(40.0..709.8, 1000);
    inputs.around(709.782_712_893_384).around(37.5).around_multiples(LN_2 / 2.0, 100);
    inputs.keep(|x| x.abs() < 1000.0);
    check("expm1", 1.0, special::expm1, Big::exp_m1, &inputs);
}

#[test]
fn ln() {
    let mut inputs = Inputs::new(3);
    inputs.every_binade(3).uniform(0.5..2.0, 6000).uniform(0.99..1.01, 2000);
    inputs.around(1.0).around(f64::MIN_POSITIVE).around(0.5f64.sqrt()).around(2f64.sqrt());
    inputs.keep(|x| x > 0.0);
    check("ln", 0.9, special::ln, Big::ln, &inputs);
}

#[test]
fn log1p() {
    let mut inputs = Inputs::new(4);
    inputs.every_binade(2).uniform(-1.0..1.0, 6000).uniform(-0.3..-0.28, 1000);
    inputs.uniform(0.40..0.43, 1000).around(1.0).around(1e16);
    inputs.around(1.0 - 0.5f64.sqrt()).around(2f64.sqrt() - 1.0).keep(|x| x > -1.0);
    check("log1p", 0.9, special::log1p, Big::ln_1p, &inputs);
}

#[test]
fn tanh() {
    let mut inputs = Inputs::new(5);
    inputs.every_binade(2).uniform(-1.0..1.0, 5000).uniform(-20.0..20.0, 3000);
    inputs.around(19.061_547_465_398_5).around(22.0).around_multiples(LN_2 / 4.0, 100);
    inputs.keep(|x| x.abs() < 100.0);
    let reference = |x: &Big| {
        let t = (x * big(2.0)).exp_m1();
        &t / (&t + big(2.0))
    };
    check("tanh", 1.25, special::tanh, reference, &inputs);
}

#[test]
fn sigmoid() {
    check("sigmoid", 1.1, special::sigmoid, logistic, &logistic_inputs(6));
}

#[test]
fn softplus() {
    check("softplus", 1.1, special::softplus, |x| x.exp().ln_1p(), &logistic_inputs(7));
}

#[test]
fn silu() {
    check("silu", 1.9, special::silu, |x| logistic(x) * x, &logistic_inputs(8));
}

#[test]
fn sin() {
    check("sin", 0.85, special::sin, Big::sin, &trigonometric_inputs(9));
}

#[test]
fn cos() {
    check("cos", 0.85, special::cos, Big::cos, &trigonometric_inputs(10));
}

#[test]
fn log2() {
    check("log2", 0.8, special::log2, Big::log2, &logarithm_inputs(11));
}

#[test]
fn log10() {
    check("log10", 0.7, special::log10, Big::log10, &logarithm_inputs(12));
}

#[test]
fn cbrt() {
    let mut inputs = Inputs::new(13);
    inputs.every_binade(3).uniform(-8.0..8.0, 6000).around(1.0).around(8.0).around(27.0);
    inputs.around(f64::MIN_POSITIVE).keep(|x| x != 0.0 && x.is_finite());
    // Correctly rounded: half an ulp, but for the rounding of the reference.
    check("cbrt", 0.500_001, special::cbrt, |x| x.nth_root(3), &inputs);
}

#[test]
fn hypot() {
    check_pairs("hypot", 1.0, special::hypot, Big::hypot, 14);
}

#[test]
fn atan2() {
    check_pairs("atan2", 1.4, special::atan2, Big::atan2, 15);
}

fn logarithm_inputs(seed: u64) -> Inputs {
    let mut inputs = Inputs::new(seed);
    inputs.every_binade(3).uniform(0.5..2.0, 6000).uniform(0.99..1.01, 2000);
    inputs.around(1.0).around(f64::MIN_POSITIVE).around(0.5f64.sqrt()).around(2f64.sqrt());
    inputs.around(1000.0).keep(|x| x > 0.0 && x != 1.0);
    inputs
}

/// e^x/(1 + e^x) for negative x, so that nothing is lost to the 1.
fn logistic(x: &Big) -> Big {
    let e = x.exp();
    &e / (&e + big(1.0))
}

fn logistic_inputs(seed: u64) -> Inputs {
    let mut inputs = Inputs::new(seed);
    inputs.every_binade(1).uniform(-753.0..40.0, 3000).uniform(-5.0..5.0, 4000);
    inputs.uniform(-753.0..-700.0, 3000).around(745.133_219_101_941_2).around(36.7).around(64.0);
    inputs.around(708.396_418_532_264_1).around(751.7).around_multiples(LN_2 / 2.0, 60);
    inputs.keep(|x| x.abs() < 1000.0);
    inputs
}

fn trigonometric_inputs(seed: u64) -> Inputs {
    let mut inputs = Inputs::new(seed);
    inputs.every_binade(1).uniform(-8.0..8.0, 4000).uniform(-1e5..1e5, 4000);
    inputs.around_multiples(FRAC_PI_2, 63_662).around_multiples(FRAC_PI_2, 64).around(1e5);
    inputs.around_multiples(FRAC_PI_2 / 2.0, 64);
    // The nearest that a double up to the limit comes to a multiple of π/2.
    inputs.values.extend([1, 2, 4, 8, 16].map(|k| f64::from(29 * k) * FRAC_PI_2));
    inputs.keep(|x| x.abs() <= 1e5);
    inputs
}

/// Demands that `f` is at most `bound` ulp from `reference` at all inputs. The promise is 2 ulp from
/// the *correctly rounded* value; the bounds here, on the distance from the *exact* one, are the
/// maxima measured with 100 times the samples (`docs/special.md`), rounded up a little.
fn check(
    name: &str,
    bound: f64,
    f: fn(f64) -> f64,
    reference: impl Fn(&Big) -> Big,
    inputs: &Inputs,
) {
    let (mut worst, mut at) = (0.0, f64::NAN);
    for &x in &inputs.values {
        let error = ulps(f(x), &reference(&big(x))).abs();
        if error > worst || error.is_nan() {
            (worst, at) = (error, x);
        }
    }
    println!("| `{name}` | {worst:.3} | {at:e} | {} |", inputs.values.len());
    assert!(worst <= bound, "{name}({at:e}) is off by {worst} ulp");
}

/// [`check`] for a function of two arguments: of any size and sign, and of similar ones.
fn check_pairs(
    name: &str,
    bound: f64,
    f: fn(f64, f64) -> f64,
    reference: impl Fn(&Big, &Big) -> Big,
    seed: u64,
) {
    let mut inputs = Inputs::new(seed);
    inputs.every_binade(4).uniform(-2.0..2.0, 6000).around(1.0).around(f64::MIN_POSITIVE);
    inputs.keep(|x| x != 0.0 && x.is_finite());
    let mut pairs = Vec::new();
    for k in 0..inputs.values.len() {
        let x = inputs.values[k];
        let j = inputs.random() % inputs.values.len() as u64;
        let other = inputs.values[j as usize];
        // From 2⁻⁶⁴ to 2⁶⁴ times as large.
        let exponent = (inputs.random() % 129) as i32 - 64;
        let factor = 1.0 + (inputs.random() >> 11) as f64 * 2f64.powi(-53);
        pairs.extend([(x, other), (x, x * factor * 2f64.powi(exponent))]);
    }
    let (mut worst, mut at) = (0.0, (f64::NAN, f64::NAN));
    for &(x, y) in pairs.iter().filter(|(_, y)| *y != 0.0 && y.is_finite()) {
        let error = ulps(f(x, y), &reference(&big(x), &big(y))).abs();
        if error > worst || error.is_nan() {
            (worst, at) = (error, (x, y));
        }
    }
    println!("| `{name}` | {worst:.3} | {at:?} | {} |", pairs.len());
    assert!(worst <= bound, "{name}{at:?} is off by {worst} ulp");
}

fn big(x: f64) -> Big {
    Big::try_from(x).expect("finite").with_precision(PRECISION).value()
}

/// `y − exact` in units in the last place of `exact`; an infinite `y` counts as
/// ±2^1024, and is right above that.
fn ulps(y: f64, exact: &Big) -> f64 {
    if y.is_nan() {
        return y;
    }
    let overflow = big(2f64.powi(1023)) << 1;
    if y == f64::INFINITY && *exact >= overflow {
        return 0.0;
    }
    let y = if y.is_infinite() { overflow * big(y.signum()) } else { big(y) };
    let digits = isize::try_from(exact.repr().digits()).expect("a few words");
    let last_place = (exact.repr().exponent() + digits - 53).clamp(-1074, 971);
    ((y - exact) >> last_place).to_f64().value()
}

/// The arguments of a test.
struct Inputs {
    values: Vec<f64>,
    state: u64,
    factor: usize,
}

impl Inputs {
    fn new(seed: u64) -> Self {
        let factor = std::env::var("REVODE_SPECIAL_SAMPLES");
        let factor = factor.map_or(1, |factor| factor.parse().expect("a number of samples"));
        Self { values: vec![], state: seed, factor }
    }

    /// `n` random numbers of either sign with each exponent, subnormals included.
    fn every_binade(&mut self, n: usize) -> &mut Self {
        for exponent in 0..2047u64 {
            for _ in 0..n * self.factor {
                let sign_and_mantissa = self.random() & !(0x7ff << 52);
                self.values.push(f64::from_bits(sign_and_mantissa | (exponent << 52)));
            }
        }
        self
    }

    fn uniform(&mut self, range: Range<f64>, n: usize) -> &mut Self {
        for _ in 0..n * self.factor {
            let unit = (self.random() >> 11) as f64 * 2f64.powi(-53);
            self.values.push(range.start + (range.end - range.start) * unit);
        }
        self
    }

    /// The nearest neighbours of ±`x`, and numbers at distances of every size from it.
    fn around(&mut self, x: f64) -> &mut Self {
        let bits = x.to_bits();
        for k in 0..8 {
            self.both_signs(bits + k).both_signs(bits - k);
        }
        for _ in 0..200 * self.factor {
            let random = self.random();
            let distance = (random >> 12) >> (random % 52);
            self.both_signs(if random & 64 == 0 { bits + distance } else { bits - distance });
        }
        self
    }

    /// Neighbours of a thousand of the first `n` multiples of `x`.
    fn around_multiples(&mut self, x: f64, n: u64) -> &mut Self {
        for _ in 0..1000 * self.factor {
            let multiple = (1 + self.random() % n) as f64 * x;
            let offset = self.random() % 5;
            self.both_signs(multiple.to_bits() + offset - 2);
        }
        self
    }

    fn both_signs(&mut self, bits: u64) -> &mut Self {
        self.values.extend([f64::from_bits(bits), -f64::from_bits(bits)]);
        self
    }

    fn keep(&mut self, condition: impl Fn(f64) -> bool) {
        self.values.retain(|&x| condition(x));
    }

    /// `SplitMix64` (Steele, Lea and Flood 2014).
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
