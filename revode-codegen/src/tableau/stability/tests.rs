use std::f64::consts::SQRT_2;

use syn::Item;

use super::super::check::Method;
use super::super::coefficients::Coefficients;
use super::super::{check, parse};
use super::Stability;

/// A method that comes with the runtime.
fn shipped(name: &str) -> Method {
    let path = format!("{}/../revode-runtime/src/methods/{name}.rs", env!("CARGO_MANIFEST_DIR"));
    let file = syn::parse_file(&std::fs::read_to_string(path).unwrap()).unwrap();
    let Some(Item::Struct(mut item)) = file.items.into_iter().next() else {
        panic!("the first item is the method")
    };
    let is_tableau =
        |a: &syn::Attribute| a.path().segments.last().is_some_and(|s| s.ident == "tableau");
    let position = item.attrs.iter().position(is_tableau).unwrap();
    let arguments = item.attrs.remove(position).meta.require_list().unwrap().tokens.clone();
    let declaration = parse::parse(arguments, &item).unwrap();
    check::prove(&declaration, check::shapes(&declaration).unwrap()).unwrap()
}

/// The limits of a method that comes with the runtime.
fn stability(name: &str) -> Stability {
    Stability::of(&shipped(name))
}

fn declared(text: &str) -> Method {
    let item = syn::parse_str("pub struct Mine;").unwrap();
    let declaration = parse::parse(text.parse().unwrap(), &item).unwrap();
    check::prove(&declaration, check::shapes(&declaration).unwrap()).unwrap()
}

#[track_caller]
fn assert_near(found: f64, known: f64) {
    assert!((found - known).abs() < 5e-4, "{found} is not {known}");
}

/// The limits of Hairer and Wanner II, table IV.2.1 and figure IV.2.1, and of each method's article.
#[test]
fn on_the_real_axis() {
    for (name, limit) in [
        ("euler", 2.0),
        ("midpoint", 2.0),
        ("heun", 2.0),
        ("ralston2", 2.0),
        ("ralston3", 2.5127),
        ("kutta3", 2.5127),
        ("ssprk33", 2.5127),
        ("bosh3", 2.5127),
        ("rk4", 2.7853),
        ("three_eighths", 2.7853),
        ("dopri5", 3.3066),
        ("tsit5", 3.5068),
    ] {
        assert_near(stability(name).method[0], limit);
    }
}

#[test]
fn on_the_imaginary_axis() {
    assert_near(stability("rk4").method[4], 2.0 * SQRT_2);
    assert_near(stability("kutta3").method[4], 3.0_f64.sqrt());
    for unstable in ["euler", "midpoint", "heun", "ralston2"] {
        assert_eq!(stability(unstable).method[4], 0.0, "{unstable}");
    }
}

/// `|1 + x w|² = 1 + 2 x Re w + x²`.
#[test]
fn of_euler_on_each_ray() {
    let found = stability("euler").method;
    for (found, cosine) in found.into_iter().zip([1.0, 0.8, 0.6, 0.28, 0.0]) {
        let known = 2.0 * cosine;
        assert!(found <= known && known <= found * (1.0 + 1e-12), "{found} is not {known}");
    }
}

#[test]
fn of_embedded_methods() {
    // Of Bosh3: 1 + z + z²/2 + 3z³/16 + z⁴/48.
    for (name, limit) in [("bosh3", 3.1523), ("tsit5", 4.0560), ("dopri5", 4.3848)] {
        assert_near(stability(name).embedded.unwrap()[0], limit);
    }
    assert_eq!(stability("rk4").embedded, None);
}

/// Of even order a step of the method; of odd order that, or the mean.
#[test]
fn of_pairs() {
    let rk4 = stability("rk4");
    assert_eq!(rk4.pair, rk4.method);
    for (name, limit) in [("kutta3", 1.92), ("bosh3", 1.92), ("dopri5", 2.58)] {
        let found = stability(name).pair[0];
        assert!((found - limit).abs() < 5e-3, "{name}: {found}");
    }
    // The mean is 1 + z + z²/2, which is unstable on the whole imaginary axis.
    let euler = stability("euler");
    assert_eq!((euler.pair[0], euler.pair[4]), (2.0, 0.0));
}

/// `R(z) = T_2(1 + z/4) = 1 + z + z²/8`: `|R|` touches 1 at −4.
#[test]
fn of_a_chebyshev_method() {
    let exact = declared("order = 1, a = [[], [1/4]], b = [1/2, 1/2]");
    assert_eq!(Stability::of(&exact).method[0], 8.0);
    // Of weights with roots it is rounded, and the touch with it.
    let rounded = "order = 1, a = [[], [1/(4*(2 - sqrt(2)))]], b = [sqrt(2) - 1, 2 - sqrt(2)]";
    let found = Stability::of(&declared(rounded)).method[0];
    assert!((found - 8.0).abs() < 1e-9 || (found - 4.0).abs() < 1e-9, "{found}");
}

/// The embedded weights are all 0, of no order: as in the stand-in of a tableau that has errors.
#[test]
fn of_a_step_that_stands_still() {
    let mut method = shipped("euler");
    method.coefficients = Coefficients::euler(true);
    method.embedded_order = Some(0);
    assert_eq!(Stability::of(&method).embedded, Some([f64::INFINITY; 5]));
}
