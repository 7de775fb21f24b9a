//! The elementary functions of `ode!`: one row each.

use std::hash::{Hash, Hasher};

use crate::ir::{Graph, Id};

/// A function of the language.
#[derive(Debug)]
pub struct Function {
    /// Its name, in the language and, where it is a method, of `Real`.
    pub name: &'static str,
    /// The number of arguments.
    pub arity: usize,
    /// What it is made of.
    pub rule: Rule,
    /// Whether computing it again costs no more than keeping it.
    pub cheap: bool,
    /// Whether `Real` has a form of it for slices, `name_slice(x, y)`: a scalar form with a branch for
    /// large arguments does not vectorise in a loop.
    pub sliced: bool,
    /// The interval that tests take every argument from.
    pub domain: (f64, f64),
    /// What happens where the argument, or the first minus the second one, changes sign; `None` where the function
    /// is smooth. Singular points that a solution does not cross (`hypot` at the origin, `sqrt` at 0) do not count, nor
    /// does the cut of `atan2`: no function of the point changes sign there and nowhere else.
    pub switch: Option<Break>,
}

/// How a function is not smooth where it changes branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Break {
    /// Its derivative jumps.
    Kink,
    /// It has no value: a divisor is 0.
    Pole,
    /// Its value jumps.
    Jump,
}

/// What a function is made of.
#[derive(Debug)]
pub enum Rule {
    /// A method of `Real`: its value, for the interpreter, and its partial derivatives with respect
    /// to each argument, built from the arguments and the result.
    Method(Value, Partials),
    /// An expression in other functions, which are differentiated in its place.
    Expansion(Expand),
}

/// The value of a function.
pub type Value = fn(&[f64]) -> f64;
/// Builds the partial derivatives of a function from its arguments and its result.
pub type Partials = fn(&mut Graph, &[Id], Id) -> Vec<Id>;
/// Builds a function of its arguments.
pub type Expand = fn(&mut Graph, &[Id]) -> Id;

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
impl Eq for Function {}
impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// The function of this name.
pub fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// `name(x)` as a method of `Real`.
const fn method(
    name: &'static str,
    domain: (f64, f64),
    value: Value,
    partials: Partials,
) -> Function {
    Function {
        name,
        arity: 1,
        rule: Rule::Method(value, partials),
        cheap: false,
        sliced: false,
        domain,
        switch: None,
    }
}

/// `name(x)` as a method of `Real` that has a form for slices.
const fn sliced(name: &'static str, value: Value, partials: Partials) -> Function {
    Function { sliced: true, ..method(name, ANY, value, partials) }
}

/// `name(x, y)` as a method of `Real`.
const fn binary(
    name: &'static str,
    domain: (f64, f64),
    value: Value,
    partials: Partials,
) -> Function {
    Function { arity: 2, ..method(name, domain, value, partials) }
}

/// A method of `Real` that changes branches and costs as much as an addition.
const fn branching(
    name: &'static str,
    switch: Break,
    arity: usize,
    value: Value,
    partials: Partials,
) -> Function {
    Function {
        name,
        arity,
        rule: Rule::Method(value, partials),
        cheap: true,
        sliced: false,
        domain: ANY,
        switch: Some(switch),
    }
}

/// `name(x)` as an expression in other functions.
const fn expansion(name: &'static str, expand: Expand) -> Function {
    Function {
        name,
        arity: 1,
        rule: Rule::Expansion(expand),
        cheap: true,
        sliced: false,
        domain: ANY,
        switch: None,
    }
}

const ANY: (f64, f64) = (-3.0, 3.0);
const POSITIVE: (f64, f64) = (0.1, 3.0);
const UNIT: (f64, f64) = (-0.9, 0.9);

/// The functions that take vectors or matrices as a whole; `field/lower.rs` builds them.
pub const STRUCTURAL: [&str; 5] = ["concat", "dot", "sum", "norm2", "transpose"];

/// The constants of the language. What a model declares under such a name is meant instead: `e` is
/// an eccentricity or an enzyme as often as Euler's number.
pub const CONSTANTS: [(&str, f64); 2] = [("pi", std::f64::consts::PI), ("e", std::f64::consts::E)];

/// All elementwise functions. Where a derivative has a jump, it is that of the side on which the result is
/// constant (`relu`), of the first argument (`max`, `min`), or of the sign bit (`abs`).
pub static FUNCTIONS: &[Function] = &[
    sliced("sin", |x| x[0].sin(), |g, x, _| vec![g.call("cos", vec![x[0]])]),
    sliced(
        "cos",
        |x| x[0].cos(),
        |g, x, _| {
            let sin = g.call("sin", vec![x[0]]);
            vec![g.neg(sin)]
        },
    ),
    method("tan", (-1.2, 1.2), |x| x[0].tan(), |g, _, y| vec![one_plus_square(g, y)]),
    method("asin", UNIT, |x| x[0].asin(), |g, x, _| vec![inverse_root(g, x[0])]),
    method(
        "acos",
        UNIT,
        |x| x[0].acos(),
        |g, x, _| {
            let d = inverse_root(g, x[0]);
            vec![g.neg(d)]
        },
    ),
    method(
        "atan",
        ANY,
        |x| x[0].atan(),
        |g, x, _| {
            let square = one_plus_square(g, x[0]);
            vec![reciprocal(g, square)]
        },
    ),
    method("sinh", ANY, |x| x[0].sinh(), |g, x, _| vec![g.call("cosh", vec![x[0]])]),
    method("cosh", ANY, |x| x[0].cosh(), |g, x, _| vec![g.call("sinh", vec![x[0]])]),
    method(
        "tanh",
        ANY,
        |x| x[0].tanh(),
        |g, _, y| {
            let (one, square) = (g.constant(1.0), g.power(y, 2));
            vec![g.sub(one, square)]
        },
    ),
    method("exp", ANY, |x| x[0].exp(), |_, _, y| vec![y]),
    method(
        "expm1",
        ANY,
        |x| x[0].exp_m1(),
        |g, _, y| {
            let one = g.constant(1.0);
            vec![g.add(one, y)]
        },
    ),
    method("ln", POSITIVE, |x| x[0].ln(), |g, x, _| vec![reciprocal(g, x[0])]),
    method(
        "log2",
        POSITIVE,
        |x| libm::log2(x[0]),
        |g, x, _| {
            let scale = g.constant(std::f64::consts::LOG2_E);
            vec![g.div(scale, x[0])]
        },
    ),
    method(
        "log10",
        POSITIVE,
        |x| libm::log10(x[0]),
        |g, x, _| {
            let scale = g.constant(std::f64::consts::LOG10_E);
            vec![g.div(scale, x[0])]
        },
    ),
    method(
        "log1p",
        (-0.9, 3.0),
        |x| x[0].ln_1p(),
        |g, x, _| {
            let one = g.constant(1.0);
            let sum = g.add(one, x[0]);
            vec![reciprocal(g, sum)]
        },
    ),
    method(
        "sqrt",
        POSITIVE,
        |x| x[0].sqrt(),
        |g, _, y| {
            let half = g.constant(0.5);
            vec![g.div(half, y)]
        },
    ),
    method(
        "cbrt",
        POSITIVE,
        |x| libm::cbrt(x[0]),
        |g, _, y| {
            let (three, square) = (g.constant(3.0), g.power(y, 2));
            let denominator = g.mul(three, square);
            vec![reciprocal(g, denominator)]
        },
    ),
    method(
        "sigmoid",
        ANY,
        |x| 1.0 / (1.0 + (-x[0]).exp()),
        |g, _, y| {
            let one = g.constant(1.0);
            let rest = g.sub(one, y);
            vec![g.mul(y, rest)]
        },
    ),
    method(
        "softplus",
        ANY,
        |x| x[0].max(0.0) + (-x[0].abs()).exp().ln_1p(),
        |g, x, _| vec![g.call("sigmoid", vec![x[0]])],
    ),
    method(
        "erf",
        ANY,
        |x| libm::erf(x[0]),
        |g, x, _| {
            let scale = g.constant(std::f64::consts::FRAC_2_SQRT_PI);
            let square = g.power(x[0], 2);
            let exponent = g.neg(square);
            let exp = g.call("exp", vec![exponent]);
            vec![g.mul(scale, exp)]
        },
    ),
    binary(
        "pow",
        POSITIVE,
        |x| x[0].powf(x[1]),
        |g, x, y| {
            let one = g.constant(1.0);
            let exponent = g.sub(x[1], one);
            let power = g.raise(x[0], exponent);
            let ln = g.call("ln", vec![x[0]]);
            vec![g.mul(x[1], power), g.mul(y, ln)]
        },
    ),
    // The angle of the point (x, y), of which y comes first.
    binary(
        "atan2",
        ANY,
        |x| libm::atan2(x[0], x[1]),
        |g, x, _| {
            let squares = [g.power(x[0], 2), g.power(x[1], 2)];
            let square = g.add(squares[0], squares[1]);
            let minus_y = g.neg(x[0]);
            vec![g.div(x[1], square), g.div(minus_y, square)]
        },
    ),
    binary(
        "hypot",
        ANY,
        |x| libm::hypot(x[0], x[1]),
        |g, x, y| vec![g.div(x[0], y), g.div(x[1], y)],
    ),
    branching("abs", Break::Kink, 1, |x| x[0].abs(), |g, x, _| vec![g.call("signum", vec![x[0]])]),
    branching("signum", Break::Jump, 1, |x| x[0].signum(), |g, _, _| vec![g.constant(0.0)]),
    branching("heaviside", Break::Jump, 1, |x| step(x[0]), |g, _, _| vec![g.constant(0.0)]),
    branching(
        "min",
        Break::Kink,
        2,
        |x| x[0].min(x[1]),
        |g, x, _| {
            let (zero, one) = (g.constant(0.0), g.constant(1.0));
            vec![g.select([x[1], x[0], one, zero]), g.select([x[1], x[0], zero, one])]
        },
    ),
    branching(
        "max",
        Break::Kink,
        2,
        |x| x[0].max(x[1]),
        |g, x, _| {
            let (zero, one) = (g.constant(0.0), g.constant(1.0));
            vec![g.select([x[0], x[1], one, zero]), g.select([x[0], x[1], zero, one])]
        },
    ),
    // Not max(x, 0), which would make a zero of NaN.
    expansion("relu", |g, x| {
        let zero = g.constant(0.0);
        g.select([zero, x[0], zero, x[0]])
    }),
    // x sigmoid(x), so that value and derivative share the sigmoid.
    expansion("silu", |g, x| {
        let sigmoid = g.call("sigmoid", vec![x[0]]);
        g.mul(x[0], sigmoid)
    }),
    // x/2 (1 + erf(x/√2)) (Hendrycks and Gimpel 2016, arXiv 1606.08415)
    expansion("gelu", |g, x| {
        let scale = g.constant(std::f64::consts::FRAC_1_SQRT_2);
        let (half, one) = (g.constant(0.5), g.constant(1.0));
        let scaled = g.mul(scale, x[0]);
        let erf = g.call("erf", vec![scaled]);
        let (half_x, weight) = (g.mul(half, x[0]), g.add(one, erf));
        g.mul(half_x, weight)
    }),
];

/// 0 below 0, 1/2 at 0, 1 above it; NaN for NaN.
fn step(x: f64) -> f64 {
    match x.partial_cmp(&0.0) {
        Some(order) => 0.5 + 0.5 * f64::from(order as i8),
        None => x,
    }
}

/// What a function that jumps is made of where the sign of its argument, 1, 0 or −1, is given.
pub fn on_side(g: &mut Graph, function: &Function, side: Id) -> Id {
    if function.name != "heaviside" {
        return side;
    }
    let (half, one) = (g.constant(0.5), g.constant(1.0));
    let sum = g.add(one, side);
    g.mul(half, sum)
}

/// `1 + x²`
fn one_plus_square(g: &mut Graph, x: Id) -> Id {
    let (one, square) = (g.constant(1.0), g.power(x, 2));
    g.add(one, square)
}

/// `1/x`
fn reciprocal(g: &mut Graph, x: Id) -> Id {
    let one = g.constant(1.0);
    g.div(one, x)
}

/// `1/√(1 − x²)`
fn inverse_root(g: &mut Graph, x: Id) -> Id {
    let (one, square) = (g.constant(1.0), g.power(x, 2));
    let difference = g.sub(one, square);
    let root = g.call("sqrt", vec![difference]);
    g.div(one, root)
}
