use revode::rosenbrock;

// A sign of `c`.
#[rosenbrock(
    order = 3, embedded = 2, stability = L,
    gamma = 1/2,
    a = [[], [0], [2, 0], [2, 0, 1]],
    c = [[], [4], [1, -1], [1, 1, -8/3]],
    m = [2, 0, 1, 1],
    m_embedded = [2, 0, 1, 0],
)]
pub struct Sign;

// A digit of `a`.
#[rosenbrock(
    order = 3, embedded = 2, stability = L,
    gamma = 1/2,
    a = [[], [0], [2.1, 0], [2, 0, 1]],
    c = [[], [4], [1, -1], [1, -1, -8/3]],
    m = [2, 0, 1, 1],
    m_embedded = [2, 0, 1, 0],
)]
pub struct Digit;

// Another `gamma`.
#[rosenbrock(
    order = 3, embedded = 2, stability = L,
    gamma = 1/3,
    a = [[], [0], [2, 0], [2, 0, 1]],
    c = [[], [4], [1, -1], [1, -1, -8/3]],
    m = [2, 0, 1, 1],
    m_embedded = [2, 0, 1, 0],
)]
pub struct Gamma;

// Weights in another sequence.
#[rosenbrock(
    order = 3, embedded = 2, stability = L,
    gamma = 1/2,
    a = [[], [0], [2, 0], [2, 0, 1]],
    c = [[], [4], [1, -1], [1, -1, -8/3]],
    m = [2, 1, 0, 1],
    m_embedded = [2, 0, 1, 0],
)]
pub struct Weights;

// A weight.
#[rosenbrock(
    order = 3, stability = L,
    gamma = 1/2,
    a = [[], [0], [2, 0], [2, 0, 1]],
    c = [[], [4], [1, -1], [1, -1, -8/3]],
    m = [2, 0, 1, 2],
)]
pub struct Weight;

// The embedded weights are the weights.
#[rosenbrock(
    order = 3, embedded = 2, stability = L,
    gamma = 1/2,
    a = [[], [0], [2, 0], [2, 0, 1]],
    c = [[], [4], [1, -1], [1, -1, -8/3]],
    m = [2, 0, 1, 1],
    m_embedded = [2, 0, 1, 1],
)]
pub struct Same;

// The embedded order is claimed too high.
#[rosenbrock(
    order = 3, embedded = 3, stability = L,
    gamma = 1/2,
    a = [[], [0], [2, 0], [2, 0, 1]],
    c = [[], [4], [1, -1], [1, -1, -8/3]],
    m = [2, 0, 1, 1],
    m_embedded = [2, 0, 1, 0],
)]
pub struct Embedded;

// Too modest.
#[rosenbrock(
    order = 2, stability = L,
    gamma = 1/2,
    a = [[], [0], [2, 0], [2, 0, 1]],
    c = [[], [4], [1, -1], [1, -1, -8/3]],
    m = [2, 0, 1, 1],
)]
pub struct Modest;

// Another root.
#[rosenbrock(
    order = 3, stability = A,
    gamma = 1/2 + sqrt(2)/6,
    alpha = [[], [1], [1, 0]],
    gamma_ij = [[], [-1], [-(1/2 + sqrt(2)/6), 1/2 - 2*(1/2 + sqrt(2)/6)]],
    b = [2/3, 0, 1/3],
)]
pub struct Root;

// A-stable only.
#[rosenbrock(
    order = 3, stability = L,
    gamma = 1/2 + sqrt(3)/6,
    alpha = [[], [1], [1, 0]],
    gamma_ij = [[], [-1], [-(1/2 + sqrt(3)/6), 1/2 - 2*(1/2 + sqrt(3)/6)]],
    b = [2/3, 0, 1/3],
)]
pub struct OnlyA;

// L-stable too.
#[rosenbrock(
    order = 3, stability = A,
    gamma = 1/2,
    a = [[], [0], [2, 0], [2, 0, 1]],
    c = [[], [4], [1, -1], [1, -1, -8/3]],
    m = [2, 0, 1, 1],
)]
pub struct AlsoL;

// The linearly implicit θ method with θ below 1/2.
#[rosenbrock(
    order = 1, stability = A,
    gamma = 2/5,
    alpha = [[]], gamma_ij = [[]], b = [1],
)]
pub struct Unstable;

// An interpolant with a wrong sign.
#[rosenbrock(
    order = 2, stability = A,
    gamma = 1/2,
    alpha = [[]], gamma_ij = [[]], b = [1],
    interpolant = 2, h = [[1/3]],
)]
pub struct Between;

fn main() {}
