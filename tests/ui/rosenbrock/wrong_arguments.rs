use revode::rosenbrock;

#[rosenbrock(order = 3, gama = 1/2)]
pub struct Incomplete;

#[rosenbrock(
    order = 1, stability = B, gamma = 1,
    a = [[]], c = [[]], m = [1],
)]
pub struct Class;

#[rosenbrock(
    order = 1, stability = L, gamma = 0,
    a = [[]], c = [[]], m = [1],
)]
pub struct Explicit;

#[rosenbrock(
    order = 3, stability = L, gamma = 1/2,
    a = [[], [0], [2], [2, 0, 1]],
    c = [[], [4], [1, -1]],
    m = [2, 0, 1, 1],
)]
pub struct Shapes;

#[rosenbrock(
    order = 1, stability = L, gamma = 1,
    a = [[]], c = [[]], m = [1], b = [1],
)]
pub struct TwoForms;

#[rosenbrock(
    order = 1, embedded = 1, stability = L, gamma = 1, interpolant = 1,
    a = [[]], c = [[]], m = [1],
)]
pub struct Halves;

#[rosenbrock(order = 1, stability = L, gamma = 1, a = [[]], c = [[]], m = [1])]
pub struct Fields {
    x: f64,
}

#[rosenbrock(order = 1)]
fn function() {}

fn main() {}
