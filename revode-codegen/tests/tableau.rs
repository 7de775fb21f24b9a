//! `#[tableau]` as a function of token streams.

use proc_macro2::TokenStream;
use proptest::prelude::*;
use quote::quote;
use revode_codegen::diagnostics::Diagnostics;
use revode_codegen::number::Number;
use revode_codegen::tableau::expand;

fn method(arguments: &str) -> TokenStream {
    expand(
        arguments.parse().expect("tokens"),
        quote!(
            pub struct Test;
        ),
    )
}

/// The messages that the expansion holds.
fn messages(arguments: &str) -> Vec<String> {
    let file: syn::File = syn::parse2(method(arguments)).expect("items");
    let message = |item| match item {
        syn::Item::Macro(call) => {
            Some(call.mac.parse_body::<syn::LitStr>().expect("a string").value())
        }
        _ => None,
    };
    file.items.into_iter().filter_map(message).collect()
}

fn number(text: &str) -> Option<Number> {
    let mut errors = Diagnostics::new();
    Number::parse(&syn::parse_str(text).expect("an expression"), &mut errors)
}

#[test]
fn bosh3_expands_to_its_formula() {
    let arguments = quote! {
        order = 3, embedded = 2,
        c = [0, 1/2, 3/4, 1],
        a = [[], [1/2], [0, 3/4], [2/9, 1/3, 4/9]],
        b = [2/9, 1/3, 4/9, 0],
        b_embedded = [7/24, 1/4, 1/3, 1/8],
    };
    let item = quote! {
        /// Bogacki–Shampine 3(2).
        pub struct Bosh3;
    };
    let file = syn::parse2(expand(arguments, item)).expect("items");
    insta::assert_snapshot!(prettyplease::unparse(&file));
}

/// With `digits = d` a coefficient may be off by about `10^-d` of itself, and not by more.
#[test]
fn digits_are_a_tolerance() {
    let heun = |third: &str, digits: &str| {
        format!("order = 3, {digits} a = [[], [{third}], [0, 2/3]], b = [1/4, 0, 3/4]")
    };
    assert!(messages(&heun("1/3", "")).is_empty());
    assert!(messages(&heun("0.33333333", "digits = 8,")).is_empty());
    assert_eq!(messages(&heun("0.33333333", "digits = 10,")).len(), 1);
    assert_eq!(messages(&heun("0.33333333", "")).len(), 1);
}

/// An error far below the resolution of `f64` is seen.
#[test]
fn the_proof_is_exact() {
    let midpoint = |last: &str| format!("order = 2, a = [[], [1/2]], b = [0, 1 + {last}]");
    assert!(messages(&midpoint("0")).is_empty());
    assert_eq!(messages(&midpoint("1e-60")).len(), 1);
    let roots = |last: &str| {
        format!("order = 2, a = [[], [sqrt(2)/2]], b = [1 - 1/sqrt(2), sqrt(1/2) + {last}]")
    };
    assert!(messages(&roots("0")).is_empty());
    assert_eq!(messages(&roots("1e-39")).len(), 1);
}

#[test]
fn coefficients_round_correctly() {
    let cases = [
        ("1/3", 1.0 / 3.0),
        ("-355/33", -355.0 / 33.0),
        ("0.1", 0.1),
        ("1e-3", 1e-3),
        ("9007199254740993", 9_007_199_254_740_992.0),
        ("9007199254740993 + 1e-30", 9_007_199_254_740_994.0),
        ("sqrt(2)", std::f64::consts::SQRT_2),
        ("sqrt(9/4)", 1.5),
        ("(2 - sqrt(2))/3 * 3 + sqrt(2)", 2.0),
        ("-(1 - 3) * 2", 4.0),
    ];
    for (text, value) in cases {
        assert_eq!(number(text).expect(text).to_f64(), value, "{text}");
    }
    for text in ["1/0", "sqrt(0 - 1)", "sqrt(1, 2)", "exp(1)", "1f64", "x", "1 % 2", "1e999"] {
        assert!(number(text).is_none(), "{text}");
    }
}

/// Stages that do not reach `b` and zeros are gone: the increment of Bogacki–Shampine has three
/// evaluations of the field and six products.
#[test]
fn nothing_superfluous_is_emitted() {
    let text = method(
        "order = 3, embedded = 2, a = [[], [1/2], [0, 3/4], [2/9, 1/3, 4/9]],
         b = [2/9, 1/3, 4/9, 0], b_embedded = [7/24, 1/4, 1/3, 1/8]",
    )
    .to_string();
    let increment = text.split("fn increment").nth(1).expect("increment");
    assert_eq!(increment.matches("field . eval").count(), 2, "besides the first stage");
    assert_eq!(increment.matches("h * T :: from_f64").count(), 5, "products");
    assert_eq!(increment.matches("step . stage_time").count(), 2, "times");
}

fn random_tokens() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "order",
        "embedded",
        "digits",
        "a",
        "b",
        "c",
        "b_embedded",
        "interpolant",
        "smoothness",
        "digits_interpolant",
        "a_interpolant",
        "b_interpolant",
        "c_interpolant",
        "=",
        ",",
        "[",
        "]",
        "[]",
        "1",
        "0",
        "1/2",
        "2",
        "-",
        "*",
        "/",
        "(",
        ")",
        "sqrt(2)",
        "sqrt",
        "1e9",
        "0.5",
        "x",
    ]);
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.join(" "))
}

proptest! {
    /// Whatever is written, the macro answers with items or messages.
    #[test]
    fn random_arguments_never_panic(text in random_tokens()) {
        if let Ok(tokens) = text.parse::<TokenStream>() {
            let expanded = expand(tokens, quote!(pub struct Test;));
            prop_assert!(syn::parse2::<syn::File>(expanded).is_ok());
        }
    }

    /// Random tableaus of the right form never panic, and are refused unless they are consistent.
    #[test]
    fn random_coefficients_are_refused(x in prop::collection::vec(-9i32..9, 6), q in 1u32..9) {
        let n = |i: usize| format!("{}/{q}", x[i]);
        let text = format!(
            "order = 3, a = [[], [{}], [{}, {}]], b = [{}, {}, {}]",
            n(0), n(1), n(2), n(3), n(4), n(5),
        );
        let sum = x[3] + x[4] + x[5];
        prop_assert!(sum == q.cast_signed() || !messages(&text).is_empty());
    }

    /// Sums and products of fractions are exact.
    #[test]
    fn arithmetic_is_exact(p in -999i64..999, q in 1i64..999, r in -999i64..999, s in 1i64..999) {
        let sum = number(&format!("({p})/{q} + ({r})/{s}")).expect("a number");
        prop_assert_eq!(sum, Number::ratio(p * s + r * q, u64::try_from(q * s).expect("positive")));
        let product = number(&format!("({p})/{q} * ({r})/{s}")).expect("a number");
        prop_assert_eq!(product, Number::ratio(p * r, u64::try_from(q * s).expect("positive")));
    }
}
