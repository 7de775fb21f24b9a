//! Rosenbrock methods: their orders, stiff problems with known answers, and gradients.

mod gradients;
mod steps;
mod stiff;

use std::f64::consts::LN_2;

use revode::prelude::*;

ode! {
    /// `x = cos t`, `v = −sin t` solve it from (1, 0), whatever `k`: nonlinear, and dependent on time.
    struct Driven {
        state  { x, v }
        params { k }
    }
    dx/dt = v + k * (x^2 + v^2 - 1);
    dv/dt = -x + k * (x * v + sin(t) * cos(t));
}

/// Declared here: the method of order 4 of Hairer and Wanner's code ROS4, which has a node beyond 1. It is called L-stable; with
/// five digits of `γ` it is that to 1.6e-6 only.
#[rosenbrock(
    order = 4, embedded = 3, stability = A, digits = 12,
    gamma = 0.57282,
    a = [
        [],
        [2],
        [1.867943637803922, 0.2344449711399156],
        [1.867943637803922, 0.2344449711399156, 0],
    ],
    c = [
        [],
        [-7.137615036412310],
        [2.580708087951457, 0.6515950076447975],
        [-2.137148994382534, -0.3214669691237626, -0.6949742501781779],
    ],
    m = [2.255570073418735, 0.2870493262186792, 0.4353179431840180, 1.093502252409163],
    m_embedded = [2.537_113_266_632_850_5, 0.359_811_317_468_028_4, 0.543_537_563_333_549_1, 2.187_004_504_818_326],
)]
pub struct Ros4;

/// Calls a macro with each method.
macro_rules! each_method {
    ($check:ident $(, $argument:expr)*) => {
        $check!(Rodas3 $(, $argument)*);
        $check!(Ros3P $(, $argument)*);
        $check!(Rodas4 $(, $argument)*);
        $check!(Rodas5P $(, $argument)*);
    };
}

use each_method;

/// The slope of the logarithm of the error over that of the step, at steps of `1/n` and `1/2n`.
fn slope(error: impl Fn(f64) -> f64, n: f64) -> f64 {
    (error(1.0 / n) / error(0.5 / n)).ln() / LN_2
}
