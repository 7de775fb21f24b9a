//! What `#[rosenbrock]` says about bad input: one file a kind of mistake, the messages beside it.

#[test]
fn messages() {
    trybuild::TestCases::new().compile_fail("tests/ui/rosenbrock/*.rs");
}
