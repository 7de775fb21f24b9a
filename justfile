# All recipes: `just --list`

# What CI runs
ci:
    bash .ci/run

# All tests
test:
    cargo test --workspace

# All benches, with the ratios to hand-written code
bench:
    cargo bench --workspace

# The README's main job
train:
    cargo run --release -p revode-models -- train double-pendulum --epochs 2000 --out target/pendulum

# Formatting and lints
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
