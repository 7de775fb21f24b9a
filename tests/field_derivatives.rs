//! Compiled `ode!` models of every kind: values against the interpreter, VJP against finite
//! differences, JVP against the VJP, Jacobian against the JVP, taped against plain evaluation.

#![allow(missing_docs)]

use std::collections::BTreeMap;

use revode::check::check_vjp;
use revode::{Action, FieldJvp, JacobianVjp, Parameters, Sides, State, VectorField, ode};
use revode_codegen::field::compile;
use revode_codegen::ir::Role;
use revode_codegen::ir::interpret::interpret;

/// Numbers between 0.2 and 1.2 that look random.
fn numbers(seed: &mut f64) -> f64 {
    *seed = (*seed * 7.13 + 0.171).fract();
    0.2 + *seed
}

fn check<F>(field: &F, y: &F::State)
where
    F: JacobianVjp<f64> + FieldJvp<f64>,
    <F::State as State<f64>>::Square: AsSlice,
{
    let t = 0.7;
    check_second(field, y, t);
    check_vjp(field, t, y).unwrap_or_else(|error| panic!("{error}"));

    // eval_taped is eval, to the bit.
    let (mut dy, mut taped) = (y.zeros_like(), y.zeros_like());
    field.eval(t, y, &mut dy);
    let mut tape = field.tape();
    field.eval_taped(t, y, &mut taped, &mut tape);
    assert_eq!(dy, taped);

    // ⟨dy_bar, J x_dot⟩ = ⟨Jᵀ dy_bar, x_dot⟩
    let mut seed = 0.37;
    let (mut y_dot, mut dy_bar) = (y.zeros_like(), y.zeros_like());
    y_dot.as_mut_slice().iter_mut().for_each(|x| *x = numbers(&mut seed));
    dy_bar.as_mut_slice().iter_mut().for_each(|x| *x = numbers(&mut seed));
    let mut model_dot = field.zeros_like();
    model_dot.slices_mut().flatten().for_each(|x| *x = numbers(&mut seed));
    let t_dot = numbers(&mut seed);
    let mut dy_dot = y.zeros_like();
    field.jvp(t, y, t_dot, &y_dot, &model_dot, &mut dy_dot);
    let (mut y_bar, mut model_bar) = (y.zeros_like(), field.zeros_like());
    let t_bar = field.vjp(t, y, &mut tape, &dy_bar, &mut y_bar, &mut model_bar);
    let forward = dot(dy_bar.as_slice(), dy_dot.as_slice());
    let params: f64 = model_bar.slices().zip(model_dot.slices()).map(|(a, b)| dot(a, b)).sum();
    let reverse = dot(y_bar.as_slice(), y_dot.as_slice()) + params + t_bar * t_dot;
    // The same terms in another order.
    assert!(
        (forward - reverse).abs() <= 1e-12 * (1.0 + forward.abs()),
        "forward {forward}, reverse {reverse}"
    );

    // The Jacobian's columns are JVPs.
    let mut jacobian = y.square();
    field.jacobian(sides_of(field, t, y), t, y, &mut jacobian);
    let zeros = field.zeros_like();
    assert_eq!(jacobian.as_slice().len(), y.len() * y.len());
    for (k, column) in jacobian.as_slice().chunks_exact(y.len()).enumerate() {
        y_dot.fill(0.0);
        y_dot.as_mut_slice()[k] = 1.0;
        field.jvp(t, y, 0.0, &y_dot, &zeros, &mut dy_dot);
        for (a, b) in column.iter().zip(dy_dot.as_slice()) {
            assert!((a - b).abs() <= 1e-13 * (1.0 + b.abs()), "column {k}: {a}, {b}");
        }
    }
}

/// The sides of the field's jumps on which a state is.
fn sides_of<F: VectorField<f64>>(field: &F, t: f64, y: &F::State) -> Sides {
    let jumps = (0..field.event_count()).filter(|i| field.event(*i).action == Action::Switch);
    jumps.enumerate().fold(Sides::default(), |sides, (k, i)| sides.with(k, field.trigger(i, t, y)))
}

/// The VJP of the JVP against central differences of the VJP, whose derivative along the tangents it is, by symmetry of second
/// derivatives; and the derivative by time against the JVP along it.
fn check_second<F>(field: &F, y: &F::State, t: f64)
where
    F: JacobianVjp<f64> + FieldJvp<f64>,
{
    let mut seed = 0.83;
    let (mut y_dot, mut dy_bar) = (y.zeros_like(), y.zeros_like());
    y_dot.as_mut_slice().iter_mut().for_each(|x| *x = numbers(&mut seed));
    dy_bar.as_mut_slice().iter_mut().for_each(|x| *x = numbers(&mut seed));
    let t_dot = numbers(&mut seed);
    let mut f_t = y.zeros_like();
    let sides = sides_of(field, t, y);
    field.time_derivative(sides, t, y, &mut f_t);
    let mut along_time = y.zeros_like();
    field.jvp(t, y, 1.0, &y.zeros_like(), &field.zeros_like(), &mut along_time);
    assert_eq!(f_t, along_time);
    assert!(!F::AUTONOMOUS || f_t.as_slice().iter().all(|x| *x == 0.0));

    let (mut y_bar, mut model_bar) = (y.zeros_like(), field.zeros_like());
    let t_bar = field.jacobian_vjp(sides, t, y, t_dot, &y_dot, &dy_bar, &mut y_bar, &mut model_bar);
    let found = y_bar.as_slice().iter().chain(model_bar.slices().flatten()).copied();
    let found: Vec<f64> = found.chain([t_bar]).collect();
    let gradient = |h: f64| -> Vec<f64> {
        let mut moved = y.clone();
        for (y, dot) in moved.as_mut_slice().iter_mut().zip(y_dot.as_slice()) {
            *y += h * dot;
        }
        let t = t + h * t_dot;
        let (mut tape, mut dy) = (field.tape(), y.zeros_like());
        field.eval_taped(t, &moved, &mut dy, &mut tape);
        let (mut y_bar, mut model_bar) = (y.zeros_like(), field.zeros_like());
        let t_bar = field.vjp(t, &moved, &mut tape, &dy_bar, &mut y_bar, &mut model_bar);
        let numbers = y_bar.as_slice().iter().chain(model_bar.slices().flatten()).copied();
        numbers.chain([t_bar]).collect()
    };
    let sides = [1e-4, -1e-4, 2e-4, -2e-4].map(gradient);
    for (i, found) in found.iter().enumerate() {
        let [a, b, c, d] = [0, 1, 2, 3].map(|k| sides[k][i]);
        let expected = (8.0 * (a - b) - (c - d)) / 12e-4;
        let off = (found - expected).abs() / (1.0 + expected.abs());
        assert!(off < 1e-7, "number {i}: {found}, differences {expected}");
    }
}

/// Square matrices of both kinds as slices.
trait AsSlice {
    fn as_slice(&self) -> &[f64];
}

impl<const N: usize> AsSlice for nalgebra::SMatrix<f64, N, N> {
    fn as_slice(&self) -> &[f64] {
        self.as_slice()
    }
}

impl AsSlice for nalgebra::DMatrix<f64> {
    fn as_slice(&self) -> &[f64] {
        self.as_slice()
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// All parameters between 0.2 and 1.2.
fn filled<F: Parameters<f64>>(mut field: F) -> F {
    let mut seed = 0.61;
    field.slices_mut().flatten().for_each(|x| *x = numbers(&mut seed));
    field
}

/// The value is that of the interpreter, up to the order of sums.
fn check_values<F>(source: &str, sizes: &[(&str, usize)], field: &F, y: &F::State)
where
    F: VectorField<f64> + Parameters<f64>,
{
    let tokens = source.parse().expect("tokens");
    let (model, program) = compile(tokens).expect("it has compiled before");
    let sizes: BTreeMap<String, usize> =
        sizes.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
    let counts: Vec<usize> = model.states.iter().map(|x| x.shape.count(&sizes)).collect();
    let t = 0.7;
    let ids: Vec<_> = program.eval.iter().map(|sink| sink.value).collect();
    let values = interpret(&program.graph, &ids, &sizes, |input| match input.role {
        Role::Time => vec![t],
        Role::State => {
            let start: usize = counts[..input.index].iter().sum();
            y.as_slice()[start..start + counts[input.index]].to_vec()
        }
        Role::Param => field.slices().nth(input.index).expect("declared").to_vec(),
        role => panic!("the field depends on {role:?}"),
    });
    let expected: Vec<f64> = ids.iter().flat_map(|id| values[id].clone()).collect();
    let mut dy = y.zeros_like();
    field.eval(t, y, &mut dy);
    assert_eq!(dy.len(), expected.len());
    for (found, expected) in dy.as_slice().iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-13 * (1.0 + expected.abs()), "{found}, {expected}");
    }
}

/// Declares a model and tests it; the sizes are those of its const parameters.
macro_rules! fixed {
    ($name:ident: $model:ty [$($size:ident = $value:literal)?]; $($block:tt)*) => {
        ode! { $($block)* }

        #[test]
        fn $name() {
            let field = filled(<$model>::zeros());
            let mut y = <$model as VectorField<f64>>::State::zeros();
            let mut seed = 0.13;
            y.iter_mut().for_each(|x| *x = numbers(&mut seed));
            assert_eq!(field.state_names().len(), y.len());
            check(&field, &y);
            let sizes: &[(&str, usize)] = &[$((stringify!($size), $value))?];
            check_values(stringify!($($block)*), sizes, &field, &y);
        }
    };
}

fixed! {
    lorenz: Lorenz [];
    pub struct Lorenz {
        state { x, y, z }
        params { sigma, rho, beta }
    }
    dx/dt = sigma * (y - x);
    dy/dt = x * (rho - z) - y;
    dz/dt = x * y - beta * z;
}

fixed! {
    lotka_volterra: LotkaVolterra [];
    pub struct LotkaVolterra {
        state { x, y }
        params { alpha, beta, delta, gamma }
    }
    dy/dt = delta * x * y - gamma * y;
    dx/dt = alpha * x - beta * x * y;
}

fixed! {
    network: Network<10> [H = 10];
    pub struct Network<const H: usize> {
        state { u: [4] }
        params { w1: [H, 4], b1: [H], w2: [4, H], b2: [4] }
    }
    let hidden = tanh(w1 @ u + b1);
    du/dt = w2 @ hidden + b2;
}

fixed! {
    functions: Functions [];
    /// Every function once.
    pub struct Functions {
        state { x, y }
        params { a, b }
    }
    dx/dt = sin(a * x) + cos(b * y) + tan(0.5 * x) + asin(0.5 * x) + acos(0.5 * y) + atan(x)
        + sinh(x) + cosh(a * y) + tanh(x * y) + exp(-x) + ln(y) + log1p(x) + expm1(y) + sqrt(x)
        + log2(x * y) + log10(a + y) + cbrt(b * x);
    dy/dt = abs(x - 2) + min(x, 3 * y) + max(a, 2 * b + 2) + pow(x, y) + sigmoid(x) + softplus(-y)
        + relu(x) + relu(-y) + gelu(x) + silu(b * y) + erf(a * x)
        + atan2(y, -x) + atan2(a - 2, x) + hypot(x, b * y);
}

fixed! {
    functions_of_vectors: VectorFunctions [];
    pub struct VectorFunctions {
        state { u: [9] }
        params { a: [9], b }
    }
    let v = sin(a * u) + b * exp(-u ^ 2) / (1 + u) + max(u, b) + pow(u, a) + u ^ b;
    du/dt = gelu(v) * softplus(u) - silu(v) + sqrt(u) * cos(v) - relu(v - 1)
        + hypot(u, b) * atan2(v, a) + cbrt(u) - log2(u) + log10(a);
}

fixed! {
    powers: Powers [];
    pub struct Powers {
        state { x }
        params { a }
        const { half = 1 / 2, k = -2.5 }
    }
    dx/dt = x ^ 2 + x ^ 3 - x ^ 7 + a * x ^ -2 + x ^ half - -x ^ 2 ^ 2 + 2 ^ x + x ^ k + x ^ a + x ^ 0
        + x ^ (1 / 3);
}

fixed! {
    pieces: Pieces [];
    /// Indexing, slices and concatenation, of inputs and of values.
    pub struct Pieces {
        state { x, u: [5], v: [2] }
        params { w: [3, 2], a: [5], g }
    }
    let both = concat(v, u[1..3], g * x, u[..2]);
    let products = w @ v;
    du/dt = a * concat(both[4..7], u[3..]) + both[0..5] * products[1];
    dx/dt = u[0] * u[4] - w[2, 1] * both[6] + a[3] + products[0];
    dv/dt = concat(u[2], sin(x)) + both[5..7] - u[1..3];
}

fixed! {
    reductions: Reductions [];
    pub struct Reductions {
        state { u: [11], x }
        params { w: [4, 11], a: [11], m: [4, 4] }
    }
    let inner = w @ u;
    du/dt = a * dot(u, a) - u * sum(u * x) / norm2(u) + (inner @ m) @ w;
    dx/dt = norm2(w @ a) + u @ a + sum(sin(u)) + dot(inner, m @ inner) - sum(m);
}

fixed! {
    matrix_state: MatrixState [];
    /// Matrix states and products of matrices, with both signs.
    pub struct MatrixState {
        state { p: [3, 3], q: [3, 2] }
        params { a: [3, 3], b: [2, 3], c: [3, 2] }
    }
    dp/dt = a @ p - p @ a + q @ b - sin(p);
    dq/dt = c - p @ q - a @ c - 2 * q;
}

fixed! {
    time_dependent: TimeDependent [];
    pub struct TimeDependent {
        state { x, u: [3] }
        params { omega, b: [3] }
        const { amplitude = 2.5 }
    }
    dx/dt = amplitude * sin(omega * t) - x / t;
    du/dt = b * exp(-t) - t * u * x;
}

fixed! {
    const_generic_state: Ring<5> [N = 5];
    /// The end of the ring is coupled back to its beginning.
    pub struct Ring<const N: usize> {
        state { u: [N] }
        params { w: [N, N], b: [N] }
    }
    du/dt = w @ u + b * u[0] - u[N - 1] * u;
}

fixed! {
    no_parameters: Pendulum [];
    pub struct Pendulum {
        state { angle, speed }
    }
    dangle/dt = speed;
    dspeed/dt = -sin(angle);
}

fixed! {
    broadcast: Broadcast [];
    pub struct Broadcast {
        state { u: [4], v: [4] }
        params { a, b: [4] }
    }
    du/dt = a;
    dv/dt = 1 - (a + b) / (a - 3) * a;
}

fixed! {
    transposed: Transposed [];
    /// Transposed matrices in products, sums and sinks.
    pub struct Transposed {
        state { p: [3, 3], q: [2, 3], u: [3], v: [2] }
        params { w: [2, 3], m: [3, 3], g }
    }
    let flipped = transpose(q);
    dp/dt = transpose(p) - g * m @ transpose(m) + flipped @ w;
    dq/dt = transpose(transpose(w) @ w @ flipped) - sin(transpose(flipped));
    du/dt = transpose(w) @ v + (transpose(m) + p) @ u - u @ transpose(p);
    dv/dt = u @ transpose(w) + transpose(w + q)[1, 0] * v - sum(transpose(m));
}

fixed! {
    constants_of_the_language: Circle [];
    pub struct Circle {
        state { x, y }
        params { a }
        const { tau = 2 * pi }
    }
    dx/dt = sin(pi * y) - x / tau;
    dy/dt = e^(-a * x) - pi;
}

fixed! {
    declared_names_come_first: Orbit [];
    /// An eccentricity, and a rough constant.
    pub struct Orbit {
        state { e, x }
        const { pi = 3 }
    }
    de/dt = -e * pi;
    dx/dt = e * x;
}

#[test]
fn constants_have_their_values() {
    let mut dy = [0.0; 2].into();
    let circle = Circle { a: 1.0 };
    circle.eval(0.0, &[-1.0, 0.5].into(), &mut dy);
    let expected = [1.0 + 0.5 / std::f64::consts::PI, std::f64::consts::E - std::f64::consts::PI];
    approx::assert_relative_eq!(dy.as_slice(), &expected[..], max_relative = 1e-15);
    Orbit::zeros().eval(0.0, &[0.5, 2.0].into(), &mut dy);
    assert_eq!(dy.as_slice(), [-1.5, 1.0]);
}

/// A pattern `K` in the generated code would mean this constant.
const K: f64 = 3.0;

fixed! {
    names_of_generated_code: Names [];
    /// Names that generated code uses itself, a word of Rust, and a constant's name.
    pub struct Names {
        state { y, dy, y_bar: [3], i, n }
        params { K, out: [3], tape, mat_vec: [3, 3], v1, column, r#type, jacobian, dt_bar }
    }
    let dy_bar = sin(y) * v1 + K * t;
    let y_dot = mat_vec @ (y_bar * dy_bar) + out;
    dy/dt = dy_bar * dy + tape;
    ddy/dt = y * r#type - column * dy_bar;
    dy_bar/dt = exp(-y_dot * y_dot) * i + out * y_bar;
    di/dt = n * jacobian + sum(y_dot) * dt_bar;
    dn/dt = y * n - y_bar[1] * K + cos(i) * cos(i);
}

#[test]
fn a_constant_stays_what_it_is() {
    assert_eq!(K, 3.0);
}

ode! {
    /// A network with sizes known at run time.
    pub struct Heap {
        state { u: [n], x, m: [n, h] }
        params { w1: [h, n], b1: [h], w2: [n, h], k }
        dims { n, h }
    }
    let hidden = tanh(w1 @ u + b1);
    du/dt = w2 @ hidden - k * u ^ 3 + x;
    dx/dt = dot(hidden, b1) + u[0] * hidden[2] - m[1, 0];
    dm/dt = w2 - m * x + sin(m) @ w1 @ w2 - transpose(w1 + transpose(m));
}

ode! {
    /// Heat in a rod with fixed ends: slices of sizes known at run time.
    pub struct Rod {
        state { u: [n] }
        params { k }
        dims { n }
    }
    let inner = u[2..n] - 2 * u[1..n - 1] + u[..n - 2];
    du/dt = k * concat(0, inner, 0) + sin(t);
}

#[test]
fn dims() {
    let (n, h) = (5, 7);
    let mut seed = 0.77;
    let field: Heap = filled(Heap::zeros(n, h));
    let y = nalgebra::DVector::from_fn(n + 1 + n * h, |_, _| numbers(&mut seed));
    assert_eq!(field.state_names()[n + 2], "m[1, 0]");
    check(&field, &y);
}

#[test]
fn slices_of_dims() {
    let rod = Rod::new(9, 0.3).expect("sizes fit");
    let mut seed = 0.77;
    check(&rod, &nalgebra::DVector::from_fn(9, |_, _| numbers(&mut seed)));
}

#[test]
fn shapes_are_checked_when_the_model_is_made() {
    use nalgebra::{DMatrix, DVector};
    let make = |h: usize, n: usize| {
        Heap::new(DMatrix::zeros(7, 5), DVector::zeros(h), DMatrix::zeros(n, 7), 0.1)
    };
    let mut heap = make(7, 5).expect("shapes fit");
    let error = make(6, 5).expect_err("`b1` is too short");
    assert_eq!(error.to_string(), "`b1` has shape [6], but `b1: [h]` is [7]");
    assert_eq!(make(7, 4).expect_err("`w2` is too low").name, "w2");
    let error = VectorField::check(&heap, &DVector::zeros(3)).expect_err("the state is too short");
    assert_eq!((error.name, &error.expected[..], &error.found[..]), ("y", &[41][..], &[3][..]));
    heap.b1 = DVector::zeros(3);
    let error = VectorField::check(&heap, &DVector::zeros(41)).expect_err("`b1` is too short");
    assert_eq!(error.name, "b1");
    // `u[..n - 2]` needs three points
    assert!(Rod::new(3, 0.3).is_ok());
    assert_eq!(Rod::new(2, 0.3).expect_err("too few points").name, "u[2..n]");
}

#[test]
fn names_and_slices_follow_the_declaration() {
    let field: Network<2> = Network::zeros();
    assert_eq!(<Network<2> as Parameters<f64>>::names(), ["w1", "b1", "w2", "b2"]);
    assert_eq!(field.slices().map(<[f64]>::len).collect::<Vec<_>>(), [8, 2, 8, 4]);
    let state = MatrixState::<f64>::zeros().state_names();
    assert_eq!((&*state[1], &*state[9], &*state[14]), ("p[1, 0]", "q[0, 0]", "q[2, 1]"));
}

/// In `f32` the same code gives the `f64` value up to rounding.
#[test]
fn single_precision() {
    let wide = Lorenz { sigma: 10.0, rho: 28.0, beta: 8.0 / 3.0 };
    let narrow: Lorenz<f32> = Lorenz { sigma: 10.0, rho: 28.0, beta: 8.0 / 3.0 };
    let (mut dy, mut dy32) = ([0.0; 3].into(), [0.0_f32; 3].into());
    wide.eval(0.0, &[1.0, 2.0, 3.0].into(), &mut dy);
    narrow.eval(0.0, &[1.0, 2.0, 3.0].into(), &mut dy32);
    for (a, b) in dy.iter().zip(dy32.iter()) {
        assert!((a - f64::from(*b)).abs() <= 1e-5 * a.abs());
    }
}
