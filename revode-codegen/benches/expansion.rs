//! How long the macros take to expand, the proofs of the tableaus included.
//!
//! `cargo bench -p revode-codegen --bench expansion`; in a debug build of the compiler
//! `cargo bench -p revode-codegen --bench expansion --profile dev`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use proc_macro2::TokenStream;
use revode_codegen::{field, tableau};
use syn::{Item, Meta};

/// A shipped method: the arguments of its attribute and its struct, read from its file.
fn method(name: &str) -> (TokenStream, TokenStream) {
    let path = format!("{}/../revode-runtime/src/methods/{name}.rs", env!("CARGO_MANIFEST_DIR"));
    let file =
        syn::parse_file(&std::fs::read_to_string(&path).expect("a method's file")).expect("Rust");
    let declared = file.items.into_iter().find_map(|item| match item {
        Item::Struct(item) => Some(item),
        _ => None,
    });
    let mut item = declared.expect("a declared method");
    let is_tableau =
        |meta: &Meta| meta.path().segments.last().is_some_and(|s| s.ident == "tableau");
    let position = item.attrs.iter().position(|a| is_tableau(&a.meta)).expect("#[tableau]");
    let arguments =
        item.attrs.remove(position).meta.require_list().expect("arguments").tokens.clone();
    (arguments, quote::quote!(#item))
}

fn expansion(c: &mut Criterion) {
    let mut group = c.benchmark_group("expansion");
    for name in ["rk4", "bosh3", "tsit5", "dopri8", "vern8"] {
        let (arguments, item) = method(name);
        group.bench_function(format!("#[tableau] {name}"), |b| {
            b.iter(|| tableau::expand(black_box(arguments.clone()), item.clone()));
        });
    }
    let lorenz: TokenStream = "pub struct Lorenz { state { x, y, z } params { sigma, rho, beta } }
        dx/dt = sigma * (y - x); dy/dt = x * (rho - z) - y; dz/dt = x * y - beta * z;"
        .parse()
        .expect("tokens");
    let network: TokenStream = "pub struct Network<const N: usize, const H: usize> {
            state { y: [N] } params { w1: [H, N], b1: [H], w2: [N, H], b2: [N] }
        }
        dy/dt = w2 @ tanh(w1 @ y + b1) + b2;"
        .parse()
        .expect("tokens");
    for (name, block) in [("Lorenz", lorenz), ("network", network)] {
        group.bench_function(format!("ode! {name}"), |b| {
            b.iter(|| field::expand(black_box(block.clone())));
        });
    }
    group.finish();
}

criterion_group!(benches, expansion);
criterion_main!(benches);
