//! What `ode!` emits.

use revode_codegen::field::expand;

fn pretty(source: &str) -> String {
    let tokens = expand(source.parse().expect("tokens"));
    prettyplease::unparse(&syn::parse2(tokens).expect("items"))
}

#[test]
fn lorenz() {
    insta::assert_snapshot!(pretty(
        "/// Lorenz 1963.
        pub struct Lorenz { state { x, y, z } params { sigma, rho, beta } }
        dx/dt = sigma * (y - x); dy/dt = x * (rho - z) - y; dz/dt = x * y - beta * z;"
    ));
}

#[test]
fn network() {
    insta::assert_snapshot!(pretty(
        "/// A network.
        pub struct Network<const H: usize> {
            state { u: [4] }
            params { w1: [H, 4], b1: [H], w2: [4, H], b2: [4] }
        }
        let hidden = tanh(w1 @ u + b1);
        du/dt = w2 @ hidden + b2;"
    ));
}

/// The body of `eval`.
fn eval(source: &str) -> String {
    let code = pretty(source);
    let (_, body) = code.split_once("fn eval(").expect("every field has it");
    let (body, _) = body.split_once("\n    }\n").expect("it ends");
    body.lines().skip(1).map(|line| line.trim_start().to_owned() + "\n").collect()
}

/// The operations keep their order: only what groups to the left goes without parentheses.
#[test]
fn parentheses() {
    insta::assert_snapshot!(eval(
        "struct M { state { x } params { a, b } }
        dx/dt = a - (x - (b - x)) + (x + (b + 1)) * -x / (a / (b * x)) - tanh(-x)
            + max(x + a, b) - -(a * b) * sqrt(x + 2);"
    ));
}

/// A choice is a function of its operands, which a pack of lanes can have: no branch.
#[test]
fn choices() {
    insta::assert_snapshot!(eval(
        "struct M { state { x, u: [3] } params { a } }
        dx/dt = a * relu(x - a);
        du/dt = relu(u) - a;"
    ));
}

/// What does not depend on the component is computed before the loop, what has two users once.
#[test]
fn loops() {
    insta::assert_snapshot!(eval(
        "struct M { state { u: [3], x } params { a, b: [3] } }
        let named = x * a;
        du/dt = exp(x) * u + b * named - exp(u) / (1 + exp(u));
        dx/dt = a * sum(u) + u[1] * exp(x);"
    ));
}

/// The activations do not depend on the column of the Jacobian, the products with a unit vector do.
#[test]
fn the_loop_over_columns_has_only_what_depends_on_the_column() {
    let code = pretty(
        "struct M { state { u: [4] } params { w: [8, 4], v: [4, 8], a } }
        du/dt = v @ tanh(w @ u) - exp(a * u) * u;",
    );
    let (_, jacobian) = code.split_once("fn jacobian(").expect("every field has it");
    let (jacobian, _) = jacobian.split_once("fn jacobian_vjp(").expect("it comes next");
    let (before, inside) = jacobian.split_once("for column in 0..n").expect("a vector state");
    for function in [".tanh()", ".exp()"] {
        assert_eq!((before.matches(function).count(), inside.matches(function).count()), (1, 0));
    }
}

#[test]
fn expansion_is_deterministic() {
    let source = "struct M { state { u: [n] } params { a, w: [n, n] } dims { n } }
        du/dt = w @ sin(u) - a * u ^ 3 + concat(u[1..n], u[0]);";
    assert_eq!(pretty(source), pretty(source));
}
