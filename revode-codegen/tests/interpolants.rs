//! Interpolants of `#[tableau]`: what is proved of them, and what is refused.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use revode_codegen::tableau::expand;

const BOSH3: &str = "order = 3, embedded = 2, a = [[], [1/2], [0, 3/4], [2/9, 1/3, 4/9]],
    b = [2/9, 1/3, 4/9, 0], b_embedded = [7/24, 1/4, 1/3, 1/8]";
const RK4: &str = "order = 4, a = [[], [1/2], [0, 1/2], [0, 0, 1]], b = [1/6, 1/3, 1/3, 1/6]";

fn items(arguments: TokenStream) -> Vec<syn::Item> {
    let item = quote!(
        pub struct Test;
    );
    syn::parse2::<syn::File>(expand(arguments, item)).expect("items").items
}

/// The messages that the expansion holds.
fn messages(arguments: &str) -> Vec<String> {
    let message = |item| match item {
        syn::Item::Macro(call) => {
            Some(call.mac.parse_body::<syn::LitStr>().expect("a string").value())
        }
        _ => None,
    };
    items(arguments.parse().expect("tokens")).into_iter().filter_map(message).collect()
}

fn message(arguments: &str) -> String {
    let [message] = <[String; 1]>::try_from(messages(arguments)).expect("one message");
    message
}

/// The constant `INTERPOLANT` up to its coefficients, without spaces.
fn facts(arguments: &str) -> String {
    assert_eq!(messages(arguments), [""; 0]);
    let text = method(arguments);
    let (_, rest) = text.split_once("const INTERPOLANT").expect("the constant");
    let (_, rest) = rest.split_once("order").expect("its order");
    let (facts, _) = rest.split_once(", a :").expect("its coefficients");
    format!("order{facts}")
        .replace(' ', "")
        .replace("::revode::", "")
        .replace("::core::option::", "")
}

fn method(arguments: &str) -> String {
    items(arguments.parse().expect("tokens"))
        .iter()
        .map(|i| i.to_token_stream().to_string())
        .collect()
}

/// The arguments of a method that comes with the runtime.
fn shipped(name: &str) -> String {
    let path = format!("{}/../revode-runtime/src/methods/{name}.rs", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).expect("the method");
    let (_, rest) = text.split_once("#[crate::tableau(").expect("its arguments");
    rest.split_once(")]").expect("their end").0.to_owned()
}

/// The rows of `b_interpolant` of a method, and the arguments without them.
fn weights(name: &str) -> (String, Vec<Vec<String>>) {
    let text = shipped(name);
    let (others, rows) = text.split_once("b_interpolant =").expect("weights");
    let entries = |row: &str| {
        let entries = row.split(',').map(|x| x.trim().to_owned());
        entries.filter(|x| !x.is_empty()).collect()
    };
    let rows = rows.trim().trim_start_matches('[').split(']');
    let rows = rows.filter_map(|row| row.split_once('[')).map(|(_, row)| entries(row));
    (others.to_owned(), rows.collect())
}

fn with(others: &str, rows: &[Vec<String>]) -> String {
    let rows: Vec<_> = rows.iter().map(|row| format!("[{}]", row.join(", "))).collect();
    format!("{others} b_interpolant = [{}]", rows.join(", "))
}

#[test]
fn cubic_hermite_has_the_order_that_it_can() {
    let exact = |order: u32, extra: usize, end: usize| {
        format!(
            "order:{order},smoothness:1,proof:Proof::Exact,extra_stages:{extra},end_stage:Option::Some({end})"
        )
    };
    assert_eq!(facts("order = 1, a = [[]], b = [1]"), exact(1, 1, 1));
    assert_eq!(facts("order = 2, a = [[], [1/2]], b = [0, 1]"), exact(2, 1, 2));
    assert_eq!(facts(BOSH3), exact(3, 0, 3));
    assert_eq!(facts(RK4), exact(3, 1, 4));
}

/// Declared in full it is the same to the last token.
#[test]
fn cubic_hermite_can_be_declared() {
    let cubic = "interpolant = 3, smoothness = 1, b_interpolant = [
        [1, -2 + 3*2/9, 1 - 2*2/9], [0, 3*1/3, -2*1/3], [0, 3*4/9, -2*4/9], [0, -1, 1]]";
    assert_eq!(method(&format!("{BOSH3}, {cubic}")), method(BOSH3));
}

#[test]
fn published_interpolants_are_proved() {
    let proofs = ["Proof::Exact", "Proof::Rounded{digits:36}", "Proof::Rounded{digits:26}"];
    for (name, order, extra, end, proof) in [
        ("dopri5", 4, 0, 6, proofs[0]),
        ("tsit5", 4, 0, 6, "Proof::Rounded{digits:35}"),
        ("vern6", 6, 3, 8, proofs[0]),
        ("vern7", 6, 6, 10, proofs[1]),
        ("vern8", 8, 8, 13, proofs[1]),
        ("dopri8", 7, 4, 12, proofs[2]),
    ] {
        let wanted = format!(
            "order:{order},smoothness:1,proof:{proof},extra_stages:{extra},end_stage:Option::Some({end})"
        );
        assert_eq!(facts(&shipped(name)), wanted, "{name}");
    }
}

/// Each coefficient of Dormand and Prince's with the wrong sign or one digit changed: its row no longer ends where it
/// should, and the message is at the coefficient and says what would be right.
#[test]
fn one_wrong_coefficient_is_found() {
    let (others, rows) = weights("dopri5");
    assert!(messages(&with(&others, &rows)).is_empty());
    for (i, j) in (0..7).flat_map(|i| (0..rows[i].len()).map(move |j| (i, j))) {
        let right = &rows[i][j];
        let sign = right.strip_prefix('-').map_or(format!("-{right}"), str::to_owned);
        for wrong in [sign, right.replacen(['1', '2', '4'], "3", 1)] {
            if wrong == *right || wrong == "-0" {
                continue;
            }
            let mut rows = rows.clone();
            rows[i][j] = wrong;
            let message = message(&with(&others, &rows));
            assert!(message.contains(&format!("row {} of `b_interpolant`", i + 1)), "{message}");
            assert!(message.contains(&format!("as entry {} of the row", j + 1)), "{message}");
        }
    }
}

#[test]
fn exchanged_rows_are_found() {
    let (others, rows) = weights("dopri5");
    let full: Vec<_> = (0..7).filter(|&i| !rows[i].is_empty()).collect();
    for (n, &i) in full.iter().enumerate() {
        for &j in &full[n + 1..] {
            let mut rows = rows.clone();
            rows.swap(i, j);
            let message = message(&with(&others, &rows));
            let exchange = format!("with rows {} and {} exchanged", i + 1, j + 1);
            assert!(message.contains(&exchange), "{message}");
        }
    }
}

/// What keeps the ends is found by the order conditions; the message names the power of θ and the tree.
#[test]
fn the_ends_are_not_enough() {
    let (others, mut rows) = weights("dopri5");
    rows[3].swap(2, 3);
    let message = message(&with(&others, &rows));
    assert!(message.starts_with(
        "`interpolant = 4` is not met: at θ^3 the order condition of the tree • is off by"
    ));
    assert!(message.ends_with("The interpolant is not consistent"), "{message}");
}

#[test]
fn claims_are_exact() {
    let bosh3 = |claims: &str, weights: &str| {
        message(&format!("{BOSH3}, {claims}, b_interpolant = {weights}"))
    };
    let cubic = "[[1, -4/3, 5/9], [0, 1, -2/3], [0, 4/3, -8/9], [0, -1, 1]]";
    let modest = bosh3("interpolant = 2", cubic);
    assert!(
        modest.starts_with("`interpolant = 2` is too modest")
            && modest.ends_with("claim `interpolant = 3`")
    );
    let immodest = bosh3("interpolant = 4", cubic);
    assert!(immodest.contains("at θ^2 the order condition of the tree [[[•]]] is off by 1/6"));
    assert!(immodest.ends_with("The interpolant has order 3"), "{immodest}");
    let rough = bosh3("interpolant = 3, smoothness = 0", cubic);
    assert!(rough.ends_with("claim `smoothness = 1`"), "{rough}");
    // Order 2 without the last stage.
    let quadratic = "[[1, -7/9], [0, 1/3], [0, 4/9], []]";
    let rough = bosh3("interpolant = 2, smoothness = 1", quadratic);
    assert!(
        rough.contains("the derivative of the weight of stage 1 at θ = 1 is -5/9, not 0"),
        "{rough}"
    );
    let linear = "order = 1, a = [[]], b = [1], interpolant = 1, b_interpolant = [[1]]";
    assert_eq!(messages(linear), [""; 0]);
    let smooth = message(&format!("{linear}, smoothness = 1"));
    assert!(smooth.contains("no stage is the derivative at the end of the step"), "{smooth}");
}

/// A digit beyond those of a double: a public list of Verner's 8(7) has a 7 for the 5.
#[test]
fn the_26th_decimal_is_found() {
    let text = shipped("vern8");
    let wrong = message(&text.replace("74273158302752589638112", "74273158302752789638112"));
    assert!(wrong.starts_with("row 10 of `b_interpolant` sums to"), "{wrong}");
    let change =
        "with -559415.5490240869974273158302752789638112 + 1.999999986e-26 as entry 4 of the row";
    assert!(wrong.contains(change), "{wrong}");
}

/// A row of an extra stage with a wrong entry, or a wrong node.
#[test]
fn extra_stages_are_checked() {
    let text = shipped("vern6");
    assert_eq!(messages(&text), [""; 0]);
    let wrong = message(&text.replace("3248339841/30517578125", "3248339841/30517578126"));
    assert!(wrong.starts_with("row 2 of `a_interpolant` sums to 0.8"), "{wrong}");
    assert!(wrong.contains("as entry 10 of the row, the claim would be met"), "{wrong}");
    let wrong = message(&text.replace("207/250", "207/251"));
    assert!(wrong.contains("the order conditions hold with 207/250: the node is wrong"), "{wrong}");
    // Without nodes the order conditions find it.
    let text = text.replace("c_interpolant = [1/2, 207/250, 7/25],", "");
    assert_eq!(messages(&text), [""; 0]);
    let wrong = message(&text.replace("3248339841/30517578125", "3248339841/30517578126"));
    assert!(wrong.starts_with("`interpolant = 6` is not met: at θ^"), "{wrong}");
}

/// Between the ends no power of `θ` is computed, and the coefficients are those of `x = 2θ − 1`.
#[test]
fn weights_are_centred() {
    let text = method("order = 1, a = [[]], b = [1]").replace(' ', "");
    let (_, rest) = text.split_once("fninterpolate").expect("the value");
    // The weights are θ + θ² (1 − θ) and −θ² (1 − θ), and θ = 1/2 + x/2.
    assert!(rest.contains("letb1=theta+between*(T::from_f64(0.5)+x*T::from_f64(0.5));"), "{rest}");
    assert!(rest.contains("letb2=between*(T::from_f64(-0.5)+x*T::from_f64(-0.5));"), "{rest}");
    assert!(rest.contains("stage(y,u,[(h*b1,k1),(h*b2,k2)]);"), "{rest}");
}
