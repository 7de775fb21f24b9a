//! The jumps that `ode!` finds, and the code that is given their sides.

#[path = "field/support.rs"]
mod support;

use revode_codegen::field::expand;
use support::Case;

fn pretty(source: &str) -> String {
    let tokens = expand(source.parse().expect("tokens"));
    prettyplease::unparse(&syn::parse2(tokens).expect("items"))
}

/// The code of a model from `sides` to the end of its `FieldVjp`.
fn jumps(source: &str) -> String {
    let code = pretty(source);
    let (_, items) = code.split_once("    /// On which sides").expect("it has jumps");
    let [parameters, jvp] = ["#[automatically_derived]", "FieldJvp<T>"];
    let (items, _) = items.split_once(jvp).expect("it ends");
    let (items, _) = items.rsplit_once(parameters).expect("it has attributes");
    format!("    /// On which sides{items}")
}

/// Call and number of each jump.
fn found(equations: &str) -> Vec<(String, usize)> {
    let source = format!(
        "struct M {{ state {{ x, y, u: [3], m: [2, 2] }} params {{ a, b: [3] }} }} {equations} dm/dt = m; dy/dt = x;"
    );
    let case = Case::new(&source);
    case.check();
    let jumps = case.program.jumps.into_iter();
    jumps.map(|j| (format!("{}({})", j.call.function, j.call.argument), j.first)).collect()
}

#[test]
fn scalars() {
    insta::assert_snapshot!(jumps(
        "struct Friction { state { x, v } params { k, mu, level, rate } }
        let on = heaviside(t - level);
        dx/dt = v + on;
        dv/dt = -k * x - mu * signum(v) + rate * on * heaviside(level - t) + signum(rate) + abs(x);
        event top = v, falling;"
    ));
}

#[test]
fn components() {
    insta::assert_snapshot!(jumps(
        "struct Gates<const N: usize> { state { u: [3], x } params { w: [3, 3], level, c: [N] } }
        let drive = w @ u;
        let gate = heaviside(u - level * x);
        du/dt = gate * drive - signum(x - level * signum(x)) * signum(drive) * u + w @ signum(-u);
        dx/dt = sum(gate) + gate[1] + sum(c);"
    ));
}

/// On the heap, and of a literal size all the same.
#[test]
fn sizes_known_at_run_time() {
    insta::assert_snapshot!(jumps(
        "struct M { state { v: [n], u: [3] } params { w: [3, n] } dims { n } }
        let gate = signum(w @ v);
        dv/dt = v * heaviside(sum(v));
        du/dt = gate * u - transpose(w)[0, 0] * gate;"
    ));
}

#[test]
fn equal_arguments_are_one() {
    let one = |call: &str, first| (call.to_owned(), first);
    assert_eq!(
        found("dx/dt = heaviside(x - y) * x + signum(y - x) * a - heaviside(y - x); du/dt = u;"),
        [one("heaviside(x - y)", 0)]
    );
    assert_eq!(
        found("let s = signum(-u); dx/dt = sum(s * heaviside(u)); du/dt = s + signum(t);"),
        [one("signum(-u)", 0), one("signum(t)", 3)]
    );
    assert_eq!(
        found("dx/dt = signum(u[0]) + sum(sum(m) * heaviside(m)); du/dt = u * signum(u);"),
        [one("signum(u[0])", 0), one("heaviside(m)", 1), one("signum(u)", 5)]
    );
}

/// What does not vary along a solution is none, nor what is not used, nor what jumps without a function that says so.
#[test]
fn what_is_a_jump() {
    let one = |call: &str, first| (call.to_owned(), first);
    let equations = "let unused = signum(y);
        dx/dt = heaviside(a) + signum(-1) + signum(a * signum(t - a)) + abs(x) * relu(x); du/dt = signum(b);";
    let expected = [one("signum(t - a)", 0), one("signum(a * signum(t - a))", 1)];
    assert_eq!(found(equations), expected);
}

/// As many as there is room for; a model with more is compiled as one that does not know its jumps.
#[test]
fn the_most() {
    let source = |n: usize, x: &str| {
        format!(
            "struct M {{ state {{ u: [{n}], x }} params {{ a }} }} du/dt = signum(u); dx/dt = {x};"
        )
    };
    assert!(pretty(&source(64, "a")).contains("JUMPS"));
    assert!(pretty(&source(63, "heaviside(x)")).contains("JUMPS"));
    for (n, x) in [(65, "a"), (64, "heaviside(x)")] {
        let code = pretty(&source(n, x));
        let is_without = ["JUMPS", "eval_on", "event_count"].iter().all(|it| !code.contains(it));
        assert!(is_without && code.contains(".signum()"));
    }
    for sizes in ["<const N: usize> { state { u: [N] }", "{ state { u: [N] } dims { N }"] {
        let code = pretty(&format!("struct M{sizes} }} du/dt = signum(u);"));
        assert!(!code.contains("JUMPS") && code.contains("Jump"));
    }
}

/// What a model calls its values does not meet what the code calls its own.
#[test]
fn names_of_a_model() {
    let code = jumps(
        "struct M { state { sides, i: [2], y } params { n, t0 } }
        dsides/dt = signum(sides) * n; di/dt = heaviside(i - n) * sides; dy/dt = signum(y);",
    );
    assert!(code.contains("let mut sides = ::revode::Sides::default();"), "{code}");
    assert!(code.contains("sides_1"), "{code}");
}
