//! What `ode!` makes of `event` and `at`.

use revode_codegen::field::expand;

fn pretty(source: &str) -> String {
    let tokens = expand(source.parse().expect("tokens"));
    prettyplease::unparse(&syn::parse2(tokens).expect("items"))
}

/// The events in the code of a model: those of its `VectorField`, then those of its `FieldVjp`.
fn events(source: &str) -> String {
    let code = pretty(source);
    let part = |start: &str| {
        let (_, items) = code.split_once(start).unwrap_or_else(|| panic!("no {start}"));
        let (items, _) = items.split_once("\n}\n").expect("it ends");
        format!("{start}{items}\n")
    };
    part("    fn event_count") + "\n" + &part("    #[inline]\n    fn trigger_vjp")
}

#[test]
fn a_ball() {
    insta::assert_snapshot!(events(
        "struct Ball { state { x, v } params { e, g, edge } }
        dx/dt = v; dv/dt = -g;
        event bounce = x, falling { v = -e * v; }
        event out = hypot(x, v) - edge ^ 2, terminal, rising;"
    ));
}

#[test]
fn spikes_and_doses() {
    insta::assert_snapshot!(events(
        "struct Net<const N: usize> { state { v: [N] } params { threshold, reset, time: [3], amount: [3], lag } }
        dv/dt = -v;
        event spike = v[i] - threshold for i in 0..N { v[i] = reset * v[i]; }
        event pair = v[k] - v[k + 1], falling for k in 0..N - 1;
        at (time[i] + lag) for i in 0..3 { v += amount[i]; v[0] *= 2; let total = sum(v); v[N - 1] = total; }
        at (5) { v = reset; }"
    ));
}

#[test]
fn sizes_known_at_run_time() {
    insta::assert_snapshot!(events(
        "struct Net { state { v: [n], m: [n, 2], count } params { w: [n, n], jump: [n], start } dims { n } }
        dv/dt = w @ v; dm/dt = m; dcount/dt = 0;
        let drive = w @ v;
        event spike = drive[i] - m[i, 1], rising for i in 1..n {
            v[i] = 0;
            m[i, 0] = v[i - 1] * drive[i];
            count += 1;
        }
        at (start) { v = -v + jump; }"
    ));
}

/// The code of a model without that of its events.
fn without_events(source: &str) -> String {
    let code = pretty(source);
    let Some((before, rest)) = code.split_once("    fn event_count") else { return code };
    let (_, rest) = rest.split_once("\n}\n").expect("it ends");
    let (between, rest) =
        rest.split_once("    #[inline]\n    fn trigger_vjp").expect("both halves");
    let (_, after) = rest.split_once("\n}\n").expect("it ends");
    format!("{before}}}\n{between}}}\n{after}")
}

/// Not even in what they share with the equations, and what these do not use.
#[test]
fn events_change_nothing_of_the_equations() {
    let model = "struct M { state { x, u: [3] } params { a, b: [3] }  }
        let unused = a ^ 5 * x; let wave = sin(x) ^ 4;
        dx/dt = wave + (x - a) ^ 3 * u[0] / relu(x); du/dt = b * u ^ 2 - tanh(u) * exp(x);";
    let events = "event first = unused ^ 2 - x ^ 2, rising { let grown = exp(x); x = grown; u[1] = wave ^ 3; }
        event each = u[i] ^ 2 - (x - a) for i in 0..3 { u = tanh(u); u[i] = sum(u); }
        at (a ^ 5) { let cube = (x - a) ^ 3; x = cube; }";
    assert_eq!(without_events(&format!("{model} {events}")), pretty(model));
    assert_eq!(without_events(&format!("{model} {events}")).matches("event").count(), 0);
}
