//! `check_loss` passes what is right and names what is wrong.

use revode_runtime::check::{LossFailure, check_loss};
use revode_runtime::nalgebra::{SVector, Vector3};
use revode_runtime::{Loss, Mse, Real, SolveError, Terminal};

type V3 = Vector3<f64>;

/// A loss that depends on the save point and on time: `(i + 1) Σ exp(y_j t)`, and how its
/// cotangent is spoiled.
struct Growth {
    spoil: fn(usize, &mut V3),
}

impl Loss<f64, V3> for Growth {
    fn value(&self, index: usize, t: f64, y: &V3) -> Result<f64, SolveError> {
        Ok((index + 1) as f64 * y.iter().map(|y| (y * t).exp()).sum::<f64>())
    }

    fn cotangent(&self, index: usize, t: f64, y: &V3, y_bar: &mut V3) {
        *y_bar += (index + 1) as f64 * t * y.map(|y| (y * t).exp());
        (self.spoil)(index, y_bar);
    }
}

fn points() -> ([f64; 3], [V3; 3]) {
    let y = [V3::new(0.3, -1.2, 0.7), V3::new(1.3, 0.2, -0.4), V3::new(-0.8, 0.9, 2.1)];
    ([0.5, 1.0, 1.5], y)
}

fn failure(spoil: fn(usize, &mut V3)) -> LossFailure {
    let (t, y) = points();
    check_loss(&Growth { spoil }, &t, &y).unwrap_err()
}

#[test]
fn right_losses_pass() {
    let (t, y) = points();
    check_loss(&Growth { spoil: |_, _| {} }, &t, &y).unwrap();
    let loss = Terminal::new(|y: &V3| y.norm_squared(), |y: &V3| 2.0 * y);
    check_loss(&loss, &t, &y).unwrap();
    let data = [V3::zeros(), V3::new(f64::NAN, 1.0, 2.0), V3::repeat(f64::NAN)];
    check_loss(&Mse::new(&data).weights([1.0, 2.0, 0.5]).skip_nan(), &t, &y).unwrap();
    // At the minimum, too.
    check_loss(&Mse::new(&y), &t, &y).unwrap();
}

#[test]
fn single_precision_passes_and_fails() {
    fn mse<T: Real>() -> ([T; 1], [SVector<T, 2>; 1], [SVector<T, 2>; 1]) {
        let number = T::from_f64;
        let vector = |a, b| SVector::from([number(a), number(b)]);
        ([number(1.0)], [vector(0.7, -1.3)], [vector(0.2, 0.4)])
    }
    let (t, y, data) = mse::<f32>();
    check_loss(&Mse::new(&data), &t, &y).unwrap();
    let loss = Terminal::new(|y: &SVector<f32, 2>| y.norm_squared(), |y| 2.01 * y);
    assert!(
        matches!(check_loss(&loss, &t, &y), Err(LossFailure::Wrong(wrong)) if wrong.len() == 2)
    );
}

#[test]
fn a_wrong_component_is_named_with_its_save_point_and_both_values() {
    let failure = failure(|index, y_bar| {
        if index == 1 {
            y_bar[2] += 1e-6;
        }
    });
    let LossFailure::Wrong(wrong) = &failure else { panic!("{failure}") };
    assert_eq!(wrong.len(), 1);
    assert_eq!((wrong[0].index, wrong[0].component, wrong[0].t), (1, 2, 1.0));
    let expected = 2.0 * (-0.4_f64).exp();
    assert!((wrong[0].expected - expected).abs() < 1e-9);
    assert!((wrong[0].found - (expected + 1e-6)).abs() < 1e-15);
    let text = failure.to_string();
    assert!(text.contains("d loss / d y[2] at save point 1 (t = 1): expected 1.34"), "{text}");
}

#[test]
fn many_wrong_components_are_counted() {
    let failure = failure(|_, y_bar| *y_bar *= 1.5);
    assert!(matches!(&failure, LossFailure::NotAdded { .. }), "{failure}");
    let (t, y) = points();
    let loss = Terminal::new(|y: &V3| y.norm_squared(), |y: &V3| 3.0 * y);
    let failure = check_loss(&loss, &t, &y).unwrap_err();
    assert!(matches!(&failure, LossFailure::Wrong(wrong) if wrong.len() == 9));
    assert!(failure.to_string().ends_with("and 1 more"), "{failure}");
}

#[test]
fn a_cotangent_that_overwrites_or_is_not_a_number_is_named() {
    struct Overwrites;
    impl Loss<f64, V3> for Overwrites {
        fn value(&self, _: usize, _: f64, y: &V3) -> Result<f64, SolveError> {
            Ok(y.sum())
        }
        fn cotangent(&self, _: usize, _: f64, _: &V3, y_bar: &mut V3) {
            y_bar.x += 1.0;
            y_bar.y = 1.0;
            y_bar.z += 1.0;
        }
    }
    let (t, y) = points();
    let failure = check_loss(&Overwrites, &t, &y).unwrap_err();
    let LossFailure::NotAdded { index: 0, component: 1, .. } = failure else { panic!("{failure}") };
    let failure = failure_of_nan();
    let LossFailure::Wrong(wrong) = &failure else { panic!("{failure}") };
    assert_eq!((wrong[0].index, wrong[0].component), (2, 0));
}

fn failure_of_nan() -> LossFailure {
    failure(|index, y_bar| {
        if index == 2 {
            y_bar[0] = f64::NAN;
        }
    })
}

#[test]
fn points_that_no_loss_fits_are_refused() {
    let (t, y) = points();
    let loss = Terminal::new(|y: &V3| y.norm(), |y: &V3| *y);
    let failure = check_loss(&loss, &t[..2], &y).unwrap_err();
    assert!(matches!(failure, LossFailure::Points { times: 2, states: 3 }), "{failure}");
    assert!(matches!(check_loss(&loss, &[], &[]), Err(LossFailure::Points { .. })));
    let failure = check_loss(&Mse::new(&y[..2]), &t, &y).unwrap_err();
    assert!(failure.to_string().contains("2 rows of data for 3 save points"), "{failure}");
    let undefined = Terminal::new(|y: &V3| y[1].ln(), |y: &V3| V3::new(0.0, 1.0 / y[1], 0.0));
    let failure = check_loss(&undefined, &t, &y).unwrap_err();
    assert!(matches!(failure, LossFailure::NotFinite { index: 0, .. }), "{failure}");
    let kink = Terminal::new(|y: &V3| (y[0] - 0.3).cbrt(), |_: &V3| V3::zeros());
    let failure = check_loss(&kink, &t, &y).unwrap_err();
    assert!(
        matches!(failure, LossFailure::Inconclusive { index: 0, component: 0, .. }),
        "{failure}"
    );
}
