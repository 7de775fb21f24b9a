//! The elementary functions at special values, of `f32`, and over slices.
//!
//! `REVODE_SPECIAL_STRIDE=1` tests all 2³² numbers of `f32` (half an hour, in release mode).

use std::f64::consts::{FRAC_PI_2, LN_2};

use revode_runtime::special::{f32 as single, f64 as double};

type Function = fn(f64) -> f64;
type SingleFunction = fn(f32) -> f32;

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;
const MIN: f64 = f64::from_bits(1);
const NORMAL: f64 = f64::MIN_POSITIVE;

/// Function, argument, value: exact, to the sign of zero.
#[rustfmt::skip]
const VALUES: &[(&str, Function, f64, f64)] = &[
    ("exp", double::exp, 0.0, 1.0), ("exp", double::exp, -0.0, 1.0),
    ("exp", double::exp, MIN, 1.0), ("exp", double::exp, -MIN, 1.0),
    ("exp", double::exp, INF, INF), ("exp", double::exp, -INF, 0.0),
    ("exp", double::exp, 709.782_712_893_384_1, INF), ("exp", double::exp, f64::MAX, INF),
    ("exp", double::exp, -745.133_219_101_941_1, MIN),
    ("exp", double::exp, -745.133_219_101_941_3, 0.0), ("exp", double::exp, f64::MIN, 0.0),
    ("expm1", double::expm1, 0.0, 0.0), ("expm1", double::expm1, -0.0, -0.0),
    ("expm1", double::expm1, MIN, MIN), ("expm1", double::expm1, -MIN, -MIN),
    ("expm1", double::expm1, NORMAL, NORMAL), ("expm1", double::expm1, -NORMAL, -NORMAL),
    ("expm1", double::expm1, INF, INF), ("expm1", double::expm1, -INF, -1.0),
    ("expm1", double::expm1, f64::MAX, INF), ("expm1", double::expm1, f64::MIN, -1.0),
    ("ln", double::ln, 1.0, 0.0), ("ln", double::ln, 0.0, -INF), ("ln", double::ln, -0.0, -INF),
    ("ln", double::ln, INF, INF), ("ln", double::ln, -1.0, NAN), ("ln", double::ln, -INF, NAN),
    ("ln", double::ln, -MIN, NAN), ("ln", double::ln, 2.0, LN_2),
    ("log1p", double::log1p, 0.0, 0.0), ("log1p", double::log1p, -0.0, -0.0),
    ("log1p", double::log1p, MIN, MIN), ("log1p", double::log1p, -MIN, -MIN),
    ("log1p", double::log1p, NORMAL, NORMAL), ("log1p", double::log1p, -NORMAL, -NORMAL),
    ("log1p", double::log1p, -1.0, -INF), ("log1p", double::log1p, -1.5, NAN),
    ("log1p", double::log1p, INF, INF), ("log1p", double::log1p, -INF, NAN),
    ("log1p", double::log1p, 1.0, LN_2),
    ("tanh", double::tanh, 0.0, 0.0), ("tanh", double::tanh, -0.0, -0.0),
    ("tanh", double::tanh, MIN, MIN), ("tanh", double::tanh, -MIN, -MIN),
    ("tanh", double::tanh, NORMAL, NORMAL), ("tanh", double::tanh, -NORMAL, -NORMAL),
    ("tanh", double::tanh, INF, 1.0), ("tanh", double::tanh, -INF, -1.0),
    ("tanh", double::tanh, 20.0, 1.0), ("tanh", double::tanh, f64::MIN, -1.0),
    ("sigmoid", double::sigmoid, 0.0, 0.5), ("sigmoid", double::sigmoid, -0.0, 0.5),
    ("sigmoid", double::sigmoid, MIN, 0.5), ("sigmoid", double::sigmoid, INF, 1.0),
    ("sigmoid", double::sigmoid, -INF, 0.0), ("sigmoid", double::sigmoid, f64::MAX, 1.0),
    ("sigmoid", double::sigmoid, f64::MIN, 0.0),
    ("softplus", double::softplus, 0.0, LN_2), ("softplus", double::softplus, -0.0, LN_2),
    ("softplus", double::softplus, INF, INF), ("softplus", double::softplus, -INF, 0.0),
    ("softplus", double::softplus, f64::MAX, f64::MAX),
    ("softplus", double::softplus, f64::MIN, 0.0), ("softplus", double::softplus, 40.0, 40.0),
    ("silu", double::silu, 0.0, 0.0), ("silu", double::silu, -0.0, -0.0),
    ("silu", double::silu, 2.0 * MIN, MIN), ("silu", double::silu, -2.0 * MIN, -MIN),
    ("silu", double::silu, INF, INF), ("silu", double::silu, -INF, -0.0),
    ("silu", double::silu, f64::MAX, f64::MAX), ("silu", double::silu, f64::MIN, -0.0),
    ("sin", double::sin, 0.0, 0.0), ("sin", double::sin, -0.0, -0.0),
    ("sin", double::sin, MIN, MIN), ("sin", double::sin, -MIN, -MIN),
    ("sin", double::sin, NORMAL, NORMAL), ("sin", double::sin, FRAC_PI_2, 1.0),
    ("sin", double::sin, INF, NAN), ("sin", double::sin, -INF, NAN),
    ("cos", double::cos, 0.0, 1.0), ("cos", double::cos, -0.0, 1.0),
    ("cos", double::cos, MIN, 1.0), ("cos", double::cos, INF, NAN), ("cos", double::cos, -INF, NAN),
    ("log2", double::log2, 1.0, 0.0), ("log2", double::log2, 8.0, 3.0),
    ("log2", double::log2, MIN, -1074.0), ("log2", double::log2, 0.0, -INF),
    ("log2", double::log2, -1.0, NAN), ("log2", double::log2, INF, INF),
    ("log10", double::log10, 1.0, 0.0), ("log10", double::log10, 1000.0, 3.0),
    ("log10", double::log10, -0.0, -INF), ("log10", double::log10, -MIN, NAN),
    ("log10", double::log10, INF, INF),
    ("cbrt", double::cbrt, 0.0, 0.0), ("cbrt", double::cbrt, -0.0, -0.0),
    ("cbrt", double::cbrt, -27.0, -3.0), ("cbrt", double::cbrt, INF, INF),
    ("cbrt", double::cbrt, -INF, -INF),
    ("erf", double::erf, 0.0, 0.0), ("erf", double::erf, -0.0, -0.0),
    ("erf", double::erf, INF, 1.0), ("erf", double::erf, -INF, -1.0),
];

#[test]
fn values_are_exact() {
    for &(name, f, x, expected) in VALUES {
        let y = f(x);
        let is_equal = y.to_bits() == expected.to_bits() || y.is_nan() && expected.is_nan();
        assert!(is_equal, "{name}({x:e}) is {y:e}, not {expected:e}");
        assert!(f(NAN).is_nan(), "{name}(NaN) is {}", f(NAN));
    }
}

/// Axes, quadrants, zeros of either sign and infinities, as IEEE 754 wants them; no overflow and no
/// underflow on the way.
#[test]
fn functions_of_two_arguments() {
    use std::f64::consts::PI;
    let large = 2f64.powi(700);
    for (y, x, angle) in [
        (0.0, 1.0, 0.0),
        (-0.0, 1.0, -0.0),
        (0.0, -1.0, PI),
        (-0.0, -1.0, -PI),
        (0.0, 0.0, 0.0),
        (-0.0, 0.0, -0.0),
        (0.0, -0.0, PI),
        (-0.0, -0.0, -PI),
        (1.0, 0.0, FRAC_PI_2),
        (-1.0, 0.0, -FRAC_PI_2),
        (1.0, 1.0, PI / 4.0),
        (-1.0, -1.0, -0.75 * PI),
        (INF, -INF, 0.75 * PI),
        (1.0, INF, 0.0),
        (1.0, -INF, PI),
    ] {
        assert_eq!(double::atan2(y, x).to_bits(), angle.to_bits(), "atan2({y}, {x})");
        assert_eq!(single::atan2(y as f32, x as f32).to_bits(), (angle as f32).to_bits());
    }
    for (x, y, distance) in [
        (3.0, 4.0, 5.0),
        (-3.0, 4.0, 5.0),
        (0.0, -2.0, 2.0),
        (-0.0, 0.0, 0.0),
        (3.0 * large, 4.0 * large, 5.0 * large),
        (3.0 / large, 4.0 / large, 5.0 / large),
        (INF, NAN, INF),
        (NAN, -INF, INF),
        (MIN, 0.0, MIN),
        (f64::MAX, f64::MAX, INF),
    ] {
        assert_eq!(double::hypot(x, y).to_bits(), distance.to_bits(), "hypot({x}, {y})");
    }
    assert!(double::hypot(NAN, 1.0).is_nan() && double::atan2(1.0, NAN).is_nan());
    assert_eq!((single::hypot(3e30, 4e30), single::hypot(3e38, 3e38)), (5e30, f32::INFINITY));
}

/// The published value erf(1) = 0.84270 07929 49714 86934… (Abramowitz and Stegun, table 7.1),
/// which a mixed-up function would miss.
#[test]
fn erf_is_the_error_function() {
    approx::assert_relative_eq!(double::erf(1.0), 0.842_700_792_949_714_9, max_relative = 3e-16);
    approx::assert_relative_eq!(single::erf(1.0), 0.842_700_8, max_relative = 1e-7);
}

/// Where a function levels off there must be no step back: an increasing function, sampled near
/// saturation at neighbouring numbers, may fall by its error of 1 ulp at most, and never passes its
/// limit.
#[test]
fn saturation_is_monotone() {
    let cases: [(Function, f64, f64, f64); 6] = [
        (double::tanh, 18.0, 23.0, 1.0),
        (double::sigmoid, 35.0, 41.0, 1.0),
        (double::expm1, -42.0, -35.0, INF),
        (double::exp, -750.0, -740.0, INF),
        (double::sigmoid, -750.0, -740.0, 1.0),
        (double::softplus, -750.0, -740.0, INF),
    ];
    for (f, from, to, limit) in cases {
        let values: Vec<f64> =
            (0..=100_000).map(|i| f(from + (to - from) * f64::from(i) / 1e5)).collect();
        for pair in values.windows(2) {
            assert!(pair[1] >= pair[0].next_down() && pair[1] <= limit, "{pair:?}");
        }
    }
}

/// `f64` arithmetic of the standard library, good to some 2⁻⁵⁰, rounded to `f32`: the correctly
/// rounded value except very near the middle of two. One ulp is allowed to the two together.
#[test]
fn f32_is_within_one_ulp() {
    let cases: [(&str, SingleFunction, Function); 13] = [
        ("exp", single::exp, f64::exp),
        ("expm1", single::expm1, f64::exp_m1),
        ("ln", single::ln, f64::ln),
        ("log1p", single::log1p, f64::ln_1p),
        ("tanh", single::tanh, f64::tanh),
        ("sigmoid", single::sigmoid, |x| 1.0 / (1.0 + (-x).exp())),
        ("softplus", single::softplus, |x| if x > 40.0 { x } else { x.exp().ln_1p() }),
        ("silu", single::silu, |x| if x < -1e3 { -0.0 } else { x / (1.0 + (-x).exp()) }),
        ("sin", single::sin, f64::sin),
        ("cos", single::cos, f64::cos),
        ("log2", single::log2, f64::log2),
        ("log10", single::log10, f64::log10),
        ("cbrt", single::cbrt, f64::cbrt),
    ];
    // An odd stride, so that mantissas of all kinds occur in each binade.
    let stride = std::env::var("REVODE_SPECIAL_STRIDE");
    let stride = stride.map_or(1999, |stride| stride.parse().expect("a stride"));
    for (name, f, reference) in cases {
        let mut wrong = 0u64;
        for bits in (0..=u32::MAX).step_by(stride) {
            let x = f32::from_bits(bits);
            let (y, expected) = (f(x), reference(f64::from(x)) as f32);
            let is_equal = y.to_bits() == expected.to_bits() || y.is_nan() && expected.is_nan();
            wrong += u64::from(!is_equal);
            let is_near = y == expected.next_up() || y == expected.next_down();
            assert!(is_equal || is_near, "{name}({x:e}) is {y:e}, not {expected:e}");
        }
        println!("| `{name}` | {wrong} |");
    }
}

#[test]
fn slices_have_the_bits_of_scalars() {
    // Beyond 10⁵ the two take different ways. A length that leaves a rest in every vector width.
    let mut x: Vec<f64> = (0..1003).map(|i| (f64::from(i) - 500.0) * 1.234_567).collect();
    for special in [vec![], vec![0.0, -0.0, NAN, 1e5, -1e5], vec![INF, -INF, 1e5 + 1e-10, -3e300]] {
        x.extend(special);
        check_slice(&x, double::sin_slice, double::sin, f64::to_bits);
        check_slice(&x, double::cos_slice, double::cos, f64::to_bits);
        let x: Vec<f32> = x.iter().map(|&x| x as f32).collect();
        check_slice(&x, single::sin_slice, single::sin, f32::to_bits);
        check_slice(&x, single::cos_slice, single::cos, f32::to_bits);
    }
}

#[test]
fn slices_of_different_length_share_the_shorter() {
    let mut y = [7.0; 3];
    double::sin_slice(&[0.0, 1e6], &mut y);
    assert_eq!(y, [0.0, 1e6f64.sin(), 7.0]);
    double::cos_slice(&[0.0, 1.0, 1e6, 1e7], &mut y[..1]);
    assert_eq!(y, [1.0, 1e6f64.sin(), 7.0]);
}

fn check_slice<T: Copy + Default, B: PartialEq + std::fmt::Debug>(
    x: &[T],
    slice: impl Fn(&[T], &mut [T]),
    scalar: impl Fn(T) -> T,
    bits: impl Fn(T) -> B,
) {
    let mut y = vec![T::default(); x.len()];
    slice(x, &mut y);
    for (i, (&x, &y)) in x.iter().zip(&y).enumerate() {
        assert_eq!(bits(y), bits(scalar(x)), "element {i}");
    }
}
