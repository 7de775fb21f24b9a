//! The switching functions that `ode!` finds, and the code for their values.

use revode_codegen::field::{compile, expand};
use revode_codegen::functions::Break::{self, Jump, Kink};

fn pretty(source: &str) -> String {
    let tokens = expand(source.parse().expect("tokens"));
    prettyplease::unparse(&syn::parse2(tokens).expect("items"))
}

/// The code of a model from `switch_count` to the end of `switch`.
fn switches(source: &str) -> String {
    let code = pretty(source);
    let (_, items) = code.split_once("fn switch_count").expect("it has switches");
    let (items, _) = items.split_once("\n}\n").expect("it ends");
    let items = items.split("\n    fn event_count").next().expect("it is a part");
    format!("fn switch_count{items}")
}

/// Function, argument, kind and whether it moves, of each switching function.
fn found(equations: &str) -> Vec<(&'static str, String, Break, bool)> {
    let source = format!(
        "struct M {{ state {{ x, y, u: [3] }} params {{ a, b: [3] }} }} {equations} dy/dt = x;"
    );
    let (_, program) = compile(source.parse().expect("tokens")).expect("a model");
    let switches = program.switches.into_iter();
    switches.map(|s| (s.call.function, s.call.argument, s.kind, s.moves)).collect()
}

#[test]
fn fixed_sizes() {
    insta::assert_snapshot!(switches(
        "struct M<const H: usize> {
            state { x, u: [3] }
            params { a, w: [H, 3], b: [H], v: [3, H] }
            const { limit = 2 }
        }
        let rate = min(a * x, x ^ 2 + 1);
        dx/dt = rate + abs(x - a) - relu(a - x) * signum(t - 5) + abs(limit - 3) + sum(abs(u));
        du/dt = v @ relu(w @ u + b) - rate * u;"
    ));
}

#[test]
fn sizes_known_at_run_time() {
    insta::assert_snapshot!(switches(
        "struct M { state { u: [n], m: [n, k] } params { w: [n, n] } dims { n, k } }
        du/dt = relu(w @ u) - max(u, 0.5);
        dm/dt = abs(m) + signum(u[0]);"
    ));
}

#[test]
fn a_single_vector() {
    insta::assert_snapshot!(switches(
        "struct M { state { u: [3] } params { w: [3, 3], values } }
        du/dt = values * abs(w @ u);"
    ));
}

/// What is the same up to its sign is one; where something jumps there, that is what is said.
#[test]
fn equal_arguments_are_one() {
    let one = |kind, function, argument: &str| vec![(function, argument.to_owned(), kind, true)];
    assert_eq!(
        found("dx/dt = relu(x - y) - a * relu(y - x) + min(x, y) + max(y, x); du/dt = u;"),
        one(Kink, "relu", "x - y")
    );
    assert_eq!(
        found("dx/dt = abs(x) - abs(-x) + relu(x) + max(0, x); du/dt = u;"),
        one(Kink, "abs", "x")
    );
    assert_eq!(
        found("dx/dt = abs(y - x) + signum(x - y); du/dt = u;"),
        one(Jump, "signum", "x - y")
    );
    assert_eq!(
        found("dx/dt = max(-x - 1, -(y + a)); du/dt = u;"),
        one(Kink, "max", "-x - 1 - (-(y + a))")
    );
    assert_eq!(
        found("dx/dt = min(x, y - 1); du/dt = min(u, x);")[1],
        (one(Kink, "min", "u - x")[0]).clone()
    );
}

/// What depends on time alone does not move; what depends on nothing is none, nor is a comparison with itself, nor what
/// is not used.
#[test]
fn what_moves_and_what_is_constant() {
    let switch =
        |function, argument: &str, kind, moves| (function, argument.to_owned(), kind, moves);
    assert_eq!(
        found(
            "let unused = abs(y);
            dx/dt = signum(sin(t)) + signum(t - a) + abs(2 / 3 - pi) + min(x, x) + signum(-1);
            du/dt = max(concat(1, 2, 3), 2) + u + relu(b);"
        ),
        [
            switch("signum", "sin(t)", Jump, false),
            switch("signum", "t - a", Jump, true),
            switch("relu", "b", Kink, true),
        ]
    );
}

/// Functions with another place where they are not smooth than a change of sign are left alone.
#[test]
fn smooth_fields_have_none() {
    let equations = "dx/dt = norm2(u) + hypot(x, y) + atan2(y, x) + sqrt(x) + cbrt(x) + softplus(x) + pow(x, a);
        du/dt = gelu(u) + silu(u) + tanh(u);";
    assert_eq!(found(equations), []);
    let source = "struct M { state { x } } dx/dt = -x;";
    assert!(!pretty(source).contains("switch"));
}
