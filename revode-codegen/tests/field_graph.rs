//! The programs of `ode!` on the interpreter: derivatives against finite differences and against
//! each other, and what they cost.

#[path = "field/support.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};

use revode_codegen::field::program::Program;
use revode_codegen::functions::{FUNCTIONS, Rule};
use revode_codegen::ir::interpret::interpret;
use revode_codegen::ir::schedule::{Operations, Schedule};
use revode_codegen::ir::{Dim, Graph, Input, Role, Shape, Sink, Target};
use revode_codegen::passes::vjp::vjp;
use support::Case;

const LORENZ: &str = "struct Lorenz { state { x, y, z } params { sigma, rho, beta } }
    dx/dt = sigma * (y - x); dy/dt = x * (rho - z) - y; dz/dt = x * y - beta * z;";
const LOTKA_VOLTERRA: &str =
    "struct LotkaVolterra { state { x, y } params { alpha, beta, delta, gamma } }
    dx/dt = alpha * x - beta * x * y; dy/dt = delta * x * y - gamma * y;";
const NETWORK: &str =
    "struct Network { state { u: [4] } params { w1: [10, 4], b1: [10], w2: [4, 10], b2: [4] } }
    let hidden = tanh(w1 @ u + b1); du/dt = w2 @ hidden + b2;";

/// Central differences with step 6e-6 ≈ ε^(1/3) have an error near 1e-10 where third derivatives
/// are of order 1; the functions' reach 2e3 at the ends of their domains.
const DIFFERENCES: f64 = 1e-6;

#[test]
fn partial_derivatives_of_every_function_match_central_differences() {
    for function in FUNCTIONS {
        let (low, high) = function.domain;
        let mut g = Graph::default();
        let inputs: Vec<_> = (0..function.arity)
            .map(|index| g.input(Input { role: Role::State, index }, Shape::Scalar))
            .collect();
        let value = g.apply(function, inputs);
        let output = Sink { target: Target::State(0), value };
        let states = vec![Shape::Scalar; function.arity];
        let bars = vjp(&mut g, &[output], &states);
        let at = |x: &[f64], id| {
            let sizes = BTreeMap::new();
            let values = interpret(&g, &[id], &sizes, |input| {
                vec![if input.role == Role::State { x[input.index] } else { 1.0 }]
            });
            values[&id][0]
        };
        // The offsets keep the points off the jumps of derivatives.
        for k in 0..20 {
            let x: Vec<f64> = (0..function.arity)
                .map(|j| {
                    low + (high - low) * (f64::from(k * 7 % 20) + 0.31 + 0.4 * j as f64) / 21.0
                })
                .collect();
            for j in 0..function.arity {
                let h = 6e-6;
                let shifted = |d: f64| {
                    let mut x = x.clone();
                    x[j] += d;
                    at(&x, value)
                };
                let expected = (shifted(h) - shifted(-h)) / (2.0 * h);
                let found = at(&x, bars[j].value);
                assert!(
                    (found - expected).abs() <= DIFFERENCES * expected.abs().max(1.0),
                    "{} by argument {j} at {x:?}: {found}, by differences {expected}",
                    function.name
                );
            }
        }
        assert!(matches!(function.rule, Rule::Method(..) | Rule::Expansion(_)));
    }
}

/// What `reset` of an event is made of, as if it were a field: assignments to components, also where two may be one.
#[test]
fn derivatives_of_replaced_components_agree() {
    let sizes = [("j", 1), ("k", 1), ("n", 4)];
    let source =
        "struct M { state { u: [n], x } params { a } dims { n, j, k } } du/dt = u; dx/dt = a;";
    let states = [Shape::Vector(Dim::symbol("n")), Shape::Scalar];
    for [first, second] in [["j", "k"], ["j", "j"], ["k", "n"]] {
        let mut g = Graph::default();
        let u = g.input(Input { role: Role::State, index: 0 }, states[0].clone());
        let x = g.input(Input { role: Role::State, index: 1 }, Shape::Scalar);
        let first = Dim::symbol(first);
        let second = if second == "n" { Dim::literal(3) } else { Dim::symbol(second) };
        let sin = g.call("sin", vec![u]);
        let replaced = g.replace(sin, first, x);
        let there = g.index(replaced, second.clone());
        let (sum, square) = (g.sum(replaced), g.power(there, 2));
        let new = g.mul(sum, square);
        let replaced = g.replace(replaced, second, new);
        let part = g.slice(replaced, Dim::literal(0), Dim::literal(1));
        let part = g.sum(part);
        let whole = g.mul(replaced, part);
        let values = [(0, whole), (1, part)];
        let eval = values.map(|(state, value)| Sink { target: Target::State(state), value });
        let mut case = Case::with_sizes(source, &sizes);
        case.program = Program::new(g, &eval, &states, &BTreeMap::new());
        case.check();
    }
}

#[test]
fn derivatives_agree() {
    for source in [LORENZ, LOTKA_VOLTERRA, NETWORK] {
        Case::new(source).check();
    }
}

/// What the taped evaluation has left is not counted.
fn operations(case: &Case) -> Operations {
    let program = &case.program;
    let schedule =
        Schedule::new(&program.graph, program.vjp.clone(), &BTreeSet::new(), &program.tape);
    schedule.operations(&program.graph, &case.sizes)
}

/// By hand: 8 multiplications (σa, b(ρ−z), cv, cx, bx, βc, a(v−x), cz) and 10 additions, three of
/// them into the parameters' cotangents.
#[test]
fn the_vjp_of_lorenz_costs_what_it_costs_by_hand() {
    let case = Case::new(LORENZ);
    assert!(case.program.tape.is_empty());
    let counted = operations(&case);
    assert_eq!((counted.multiplications, counted.additions), (8, 10), "{counted:?}");
    assert_eq!((counted.divisions, counted.calls), (0, 0));
}

#[test]
fn the_vjp_of_lotka_volterra() {
    let case = Case::new(LOTKA_VOLTERRA);
    assert!(case.program.tape.is_empty());
    let counted = operations(&case);
    assert_eq!((counted.multiplications, counted.additions), (13, 8), "{counted:?}");
}

#[test]
fn the_vjp_of_a_network() {
    let case = Case::new(NETWORK);
    assert_eq!(case.program.tape.len(), 1, "the activations");
    let counted = operations(&case);
    // Products with both matrices and both outer products are 40 each; (1 − h²) h_bar is 20.
    assert_eq!(counted.multiplications, 4 * 40 + 20, "{counted:?}");
    assert_eq!(counted.calls, 0);
}
