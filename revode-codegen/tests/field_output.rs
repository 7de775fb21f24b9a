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

#[test]
fn expansion_is_deterministic() {
    let source = "struct M { state { u: [n] } params { a, w: [n, n] } dims { n } }
        du/dt = w @ sin(u) - a * u ^ 3 + concat(u[1..n], u[0]);";
    assert_eq!(pretty(source), pretty(source));
}
