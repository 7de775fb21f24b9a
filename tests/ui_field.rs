//! What `ode!` answers to mistakes: each file in `ui/field` with the messages beside it.

#[test]
fn mistakes_are_reported_at_their_tokens() {
    trybuild::TestCases::new().compile_fail("tests/ui/field/*.rs");
}
