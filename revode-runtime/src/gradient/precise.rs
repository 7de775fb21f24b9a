//! The guarded gradient of a chaotic solution against one in higher precision.
//!
//! Over a horizon of 100 the gradient of Lorenz's equations grows to 1e39, and no two discretisations have it in
//! common. What can be asked for is the derivative of the discrete trajectory as it was: here its states
//! come from the forward pass, and the VJPs of all steps are taken in numbers of 128 bits, written out by hand.

use std::cell::Cell;

use dashu_float::{FBig, round::mode::HalfEven};
use nalgebra::Vector3;

use crate::methods::Rk4;
use crate::scheme::Work;
use crate::scheme::pair::PairScheme;
use crate::scheme::pair::anchored::{Anchored, AnchoredState};
use crate::time::{Observer, TimeLoop};
use crate::{FixedStep, Guarded, Parameters, Problem, SaveAt, SolveError, Solver, Step, Terminal};

crate::ode! {
    struct Lorenz {
        state  { x, y, z }
        params { sigma, rho, beta }
    }
    dx/dt = sigma * (y - x);
    dy/dt = x * (rho - z) - y;
    dz/dt = x * y - beta * z;
}

type Big = FBig<HalfEven, 2>;
type Big3 = [Big; 3];

fn big(x: f64) -> Big {
    Big::try_from(x).unwrap().with_precision(128).value()
}

fn big3(x: &Vector3<f64>) -> Big3 {
    [big(x[0]), big(x[1]), big(x[2])]
}

/// `x + a y`
fn add(x: &Big3, a: &Big, y: &Big3) -> Big3 {
    std::array::from_fn(|i| &x[i] + a * &y[i])
}

impl Lorenz<f64> {
    fn big(&self) -> Big3 {
        [big(self.sigma), big(self.rho), big(self.beta)]
    }
}

fn field([sigma, rho, beta]: &Big3, [x, y, z]: &Big3) -> Big3 {
    [sigma * (y - x), x * (rho - z) - y, x * y - beta * z]
}

/// The VJP of the field at a state: writes to the cotangent of the state, adds to that of the parameters.
fn field_vjp(
    [sigma, rho, beta]: &Big3,
    [x, y, z]: &Big3,
    [a, b, c]: &Big3,
    parameters_bar: &mut Big3,
) -> Big3 {
    parameters_bar[0] += (y - x) * a;
    parameters_bar[1] += x * b;
    parameters_bar[2] -= z * c;
    [(rho - z) * b + y * c - sigma * a, sigma * a - b + x * c, -(x * b) - beta * c]
}

/// The VJP of RK4's increment at `u`, for the cotangent `v` of the increment: adds to both cotangents.
fn increment_vjp(
    p: &Big3,
    h: &Big,
    u: &Big3,
    v: &Big3,
    u_bar: &mut Big3,
    parameters_bar: &mut Big3,
) {
    let (half, sixth, third) = (h / big(2.0), h / big(6.0), h / big(3.0));
    let zero = [big(0.0), big(0.0), big(0.0)];
    let y2 = add(u, &half, &field(p, u));
    let y3 = add(u, &half, &field(p, &y2));
    let y4 = add(u, h, &field(p, &y3));
    let weighted = |weight: &Big| add(&zero, weight, v);
    let y4_bar = field_vjp(p, &y4, &weighted(&sixth), parameters_bar);
    let y3_bar = field_vjp(p, &y3, &add(&weighted(&third), h, &y4_bar), parameters_bar);
    let y2_bar = field_vjp(p, &y2, &add(&weighted(&third), &half, &y3_bar), parameters_bar);
    let y1_bar = field_vjp(p, u, &add(&weighted(&sixth), &half, &y2_bar), parameters_bar);
    for bar in [y4_bar, y3_bar, y2_bar, y1_bar] {
        *u_bar = add(u_bar, &big(1.0), &bar);
    }
}

/// What a step's VJP needs.
struct Taken {
    step: Step<f64>,
    z: Vector3<f64>,
    y_end: Vector3<f64>,
    closed: bool,
}

#[derive(Default)]
struct Trajectory {
    taken: Vec<Taken>,
    z: Vector3<f64>,
}

type State = AnchoredState<Vector3<f64>>;
type Pairs = PairScheme<Rk4, Anchored>;

impl Observer<f64, Lorenz<f64>, Pairs> for Trajectory {
    fn saved(&mut self, _: usize, _: u64, _: f64, _: &State) -> Result<(), SolveError> {
        Ok(())
    }
    fn before(
        &mut self,
        _: Step<f64>,
        state: &State,
        _: &Work<f64, Lorenz<f64>, Pairs>,
    ) -> Result<(), SolveError> {
        self.z = state.pair.z;
        Ok(())
    }
    fn after(&mut self, step: Step<f64>, state: &State) -> Result<(), SolveError> {
        let reached = state.anchor.as_ref().map_or(&state.pair, |anchor| &anchor.pair);
        let (z, y_end) = (self.z, reached.y);
        self.taken.push(Taken { step, z, y_end, closed: state.anchor.is_some() });
        Ok(())
    }
}

/// The gradient of `|y|²` at the end: with respect to the start, then to the parameters.
fn precise(problem: &Problem<f64, Lorenz<f64>>, h: f64) -> Vec<f64> {
    let scheme = PairScheme { method: Rk4, arithmetic: Anchored { max_segment: u64::MAX } };
    let plan = SaveAt::end().plan(problem.t0, problem.t1).unwrap();
    let mut trajectory = Trajectory::default();
    let control = FixedStep { h };
    let time_loop =
        TimeLoop { scheme: &scheme, control: &control, max_steps: 1_000_000, tried: &Cell::new(0) };
    let end = time_loop.run(problem, &plan, &mut trajectory).unwrap().state;
    let p = problem.field.big();
    let zero = || [big(0.0), big(0.0), big(0.0)];
    let (mut y_bar, mut z_bar, mut p_bar) =
        (add(&zero(), &big(2.0), &big3(&end.pair.y)), zero(), zero());
    for Taken { step, z, y_end, closed } in trajectory.taken.iter().rev() {
        if *closed {
            y_bar = add(&y_bar, &big(1.0), &z_bar);
            z_bar = zero();
        }
        // z' = z − Psi_{−h}(t + h, y'), then y' = y + Psi_h(t, z)
        let opposite = add(&zero(), &big(-1.0), &z_bar);
        increment_vjp(&p, &big(-step.h), &big3(y_end), &opposite, &mut y_bar, &mut p_bar);
        increment_vjp(&p, &big(step.h), &big3(z), &y_bar, &mut z_bar, &mut p_bar);
    }
    let y0_bar = add(&y_bar, &big(1.0), &z_bar);
    y0_bar.iter().chain(&p_bar).map(|x| x.to_f64().value()).collect()
}

#[test]
fn of_a_chaotic_solution() {
    for end in [1.0, 10.0, 100.0] {
        let field = Lorenz { sigma: 10.0, rho: 28.0, beta: 8.0 / 3.0 };
        let problem = Problem::new(field, [1.0, 1.0, 1.0], 0.0..end);
        let h = 0.01;
        let expected = precise(&problem, h);
        let largest = expected.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        let loss = Terminal::new(|y: &Vector3<f64>| y.norm_squared(), |y: &Vector3<f64>| 2.0 * y);
        let solver = Solver::new(Rk4).fixed_step(h).strategy(Guarded::default());
        let found = solver.gradient(&problem, SaveAt::end(), &loss).unwrap();
        let found = found.y0.iter().chain(found.model.slices().flatten());
        let off = found.zip(&expected).map(|(a, b)| (a - b).abs() / largest).fold(0.0, f64::max);
        println!("T = {end}: gradient up to {largest:.1e}, off by {off:.1e}");
        // Rounding of 10,000 steps: 1e-13 was measured.
        assert!(off <= 1e-11, "T = {end}: {off:e}");
    }
}
