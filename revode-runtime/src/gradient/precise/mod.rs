//! Gradients of the reversible pair against ones in higher precision.
//!
//! What can be asked of a gradient, whatever the equation, is that it is the derivative of the discrete trajectory as
//! it was: for a chaotic solution, whose gradient over a horizon of 100 grows to 1e39, no two discretisations have one
//! in common. Here the states come from the forward pass, and the VJPs of all steps are taken in numbers of 128 bits,
//! by code that shares nothing with the library's way back.

mod big;
mod fields;
mod reference;
mod trajectory;

use std::cell::{Cell, RefCell};

use super::passes::differentiate;
use super::{Accuracy, Ask, Purpose, Strategy};
use crate::control::{StepControl, StepSettings};
use crate::methods::{Bosh3, Rk4, Tsit5};
use crate::scheme::pair::PairScheme;
use crate::stop::Stop;
use crate::{
    Adaptive, Exact, FieldVjp, FixedStep, Guarded, Leg, MethodVjp, Pid, Problem, SaveAt, State,
    Stats, Tableau, Terminal,
};
use big::{Big, BigField, big, f64_of};
use fields::{Driven, Lorenz};
use trajectory::{Closes, Trajectory};

/// What a gradient may be off by, relative to its largest component.
///
/// The states are those of the forward pass to the last bit, so that only the VJPs round: by some units in the last
/// place of the cotangents each, which add up like a random walk. What goes into the difference of the cotangents may
/// grow 100-fold before the gap is closed (`growth.rs`). That makes up to 1e-16 · 100 · √n, or 1e-13 to 3e-13 for 100 to
/// 1,000 steps; 3e-13 was measured at most, 1e-14 in the middle. With a wrong VJP of a closing, or `y` differentiated
/// where the mean is read, gradients are off by 1e-7 and more.
const ALLOWED: f64 = 1e-12;

/// How a gradient compares with that in 128 bits.
#[derive(Debug, Clone, Copy)]
struct Compared {
    /// What it is off by.
    off: f64,
    /// How often the gap was made smaller by moving `z`.
    to_y: usize,
    /// How often by moving both `y` and `z`.
    to_mean: usize,
    /// How often the strategy revised its scheme.
    revisions: u32,
    stats: Stats,
}

impl Compared {
    /// Compares the gradients of `Σ |r|²`, `r` being the read-outs: with respect to the start and to the parameters,
    /// each relative to its largest component.
    fn new<F, M, C, G, A>(
        problem: &Problem<f64, F>,
        method: &M,
        control: &C,
        strategy: &G,
        save: &SaveAt,
    ) -> Self
    where
        F: FieldVjp<f64> + BigField,
        M: MethodVjp<f64, F> + Tableau,
        C: StepControl<f64, F, M>,
        G: Strategy<Scheme<f64, F, M> = PairScheme<M, A>>,
        A: Closes<F::State>,
    {
        let loss = Terminal::new(squared::<F::State>, doubled::<F::State>);
        let plan = save.plan(problem.t0, problem.t1, false).unwrap();
        let settings = StepSettings { max_steps: 1_000_000, ..StepSettings::default() };
        let ask = Ask {
            method,
            control,
            problem,
            plan,
            settings,
            accuracy: Accuracy::Unchecked,
            estimates: false,
            tried: Cell::new(0),
            refinement: RefCell::default(),
        };
        let mut scheme = strategy.scheme(method, problem, control.tolerance()).unwrap();
        // As `Strategy::gradient` does, so that the last scheme is known.
        let mut revisions = 0;
        let found = loop {
            let tolerance = control.tolerance();
            let keeper =
                |leg: Leg<'_, f64, F>| strategy.keeper::<f64, F, M>(&scheme, leg, tolerance);
            match differentiate(&ask, &scheme, keeper, &loss) {
                Ok(found) => break found,
                Err(Stop::Finding(finding))
                    if strategy.revise::<f64, F, M>(&mut scheme, &finding) =>
                {
                    revisions += 1;
                }
                Err(stop) => panic!("{stop:?}"),
            }
        };
        let mut trajectory = Trajectory::new(&scheme, &loss);
        let leg = ask.journey().unwrap();
        let (leg, course) = leg.leg(0);
        ask.time_loop(&scheme, Purpose::Gradient).run(leg, &course, &mut trajectory).unwrap();
        assert_eq!(found.loss, trajectory.value, "another trajectory");
        let p: Vec<f64> = problem.field.slices().flatten().copied().collect();
        let (y0, model) = trajectory.gradient::<F>(&p);

        let in_model = off(found.model.slices().flatten(), &model);
        let off = off(found.y0.as_slice(), &y0).max(in_model);
        let closings = trajectory.taken.iter().map(|taken| taken.closing);
        let closings: Vec<_> = closings.filter(|closing| closing.left < 1.0).collect();
        let to_mean = closings.iter().filter(|closing| closing.to_mean).count();
        let to_y = closings.len() - to_mean;
        Self { off, to_y, to_mean, revisions, stats: found.stats }
    }
}

fn squared<S: State<f64>>(y: &S) -> f64 {
    y.as_slice().iter().map(|y| y * y).sum()
}

fn doubled<S: State<f64>>(y: &S) -> S {
    let mut doubled = y.clone();
    doubled.as_mut_slice().iter_mut().for_each(|y| *y *= 2.0);
    doubled
}

/// The largest difference, relative to the largest component.
fn off<'a>(found: impl IntoIterator<Item = &'a f64>, expected: &[Big]) -> f64 {
    let largest = expected.iter().map(|x| f64_of(x).abs()).fold(0.0, f64::max);
    let off = |(found, x): (&f64, &Big)| f64_of(&(big(*found) - x)).abs();
    found.into_iter().zip(expected).map(off).fold(0.0, f64::max) / largest
}

/// Compares the gradients of a terminal loss and of one with save points every 0.5, of which each is to have so many
/// closings of either kind at least.
fn check<F, M, C, G, A>(
    problem: &Problem<f64, F>,
    method: &M,
    control: &C,
    strategy: &G,
    [to_y, to_mean]: [usize; 2],
) -> [Compared; 2]
where
    F: FieldVjp<f64> + BigField,
    M: MethodVjp<f64, F> + Tableau,
    C: StepControl<f64, F, M> + std::fmt::Debug,
    G: Strategy<Scheme<f64, F, M> = PairScheme<M, A>> + std::fmt::Debug,
    A: Closes<F::State>,
{
    [SaveAt::end(), SaveAt::every(0.5)].map(|save| {
        let found = Compared::new(problem, method, control, strategy, &save);
        let Compared { off, to_y: y, to_mean: mean, revisions, stats } = found;
        let steps = stats.accepted;
        println!(
            "{} {strategy:?}: off by {off:.1e}, {steps} steps, {y} to y, {mean} to the mean, {revisions} revisions",
            M::NAME
        );
        assert!(off <= ALLOWED, "{}, {control:?}, {strategy:?}, {save:?}: {found:?}", M::NAME);
        assert!(y >= to_y && mean >= to_mean, "{found:?}");
        found
    })
}

fn lorenz(end: f64) -> Problem<f64, Lorenz<f64>> {
    let field = Lorenz { sigma: 10.0, rho: 28.0, beta: 8.0 / 3.0 };
    Problem::new(field, [1.0, 1.0, 1.0], 0.0..end)
}

fn driven(y0: [f64; 2], end: f64) -> Problem<f64, Driven<f64>> {
    let field = Driven { mu: 5.0, amplitude: 1.2, omega: 1.7 };
    Problem::new(field, y0, 0.3..end)
}

const START: [f64; 2] = [1.5, -0.5];

fn adaptive(tolerance: f64) -> Adaptive {
    Adaptive { rtol: tolerance, atol: Some(tolerance), controller: Pid::default() }
}

#[test]
fn guarded_of_a_chaotic_solution() {
    for end in [1.0, 10.0, 100.0] {
        let (control, strategy) = (FixedStep { h: 0.01 }, Guarded::default());
        let found = Compared::new(&lorenz(end), &Rk4, &control, &strategy, &SaveAt::end());
        println!("T = {end}: off by {:.1e}", found.off);
        assert!(found.off <= ALLOWED, "T = {end}: {found:?}");
    }
}

#[test]
fn guarded_of_a_driven_solution() {
    let (problem, control) = (driven(START, 10.0), adaptive(1e-5));
    check(&problem, &Bosh3, &control, &Guarded::default(), [50, 50]);
    check(&problem, &Tsit5, &control, &Guarded::default(), [50, 5]);
    // With anchors that are computed again.
    check(&problem, &Bosh3, &control, &Guarded::default().memory(2_000), [50, 50]);
}

#[test]
fn guarded_back_in_time() {
    check(&driven([0.5, -0.5], -8.0), &Bosh3, &adaptive(1e-5), &Guarded::default(), [5, 5]);
}

#[test]
fn guarded_with_steps_that_cannot_be_inverted() {
    // A component that starts far below its size outgrows its grid.
    let problem = driven([1.5, 1e-12], 5.0);
    for found in check(&problem, &Bosh3, &adaptive(1e-5), &Guarded::default(), [5, 5]) {
        assert!(
            matches!(found.stats.strategy, crate::StrategyStats::Guarded { stored_steps: 1.., .. }),
            "{found:?}"
        );
    }
}

#[test]
fn exact_of_a_driven_solution() {
    let (problem, fixed) = (driven(START, 10.0), FixedStep { h: 0.02 });
    check(&problem, &Rk4, &fixed, &Exact::default(), [50, 0]);
    check(&problem, &Bosh3, &adaptive(1e-5), &Exact::default(), [50, 50]);
    check(&problem, &Tsit5, &adaptive(1e-5), &Exact::default(), [40, 5]);
}

#[test]
fn exact_with_halvings_of_a_rate() {
    let (problem, control) = (lorenz(5.0), FixedStep { h: 0.01 });
    check(&problem, &Rk4, &control, &Exact::default().rate(14.0), [50, 0]);
    check(&problem, &Bosh3, &control, &Exact::default().rate(14.0), [0, 50]);
}

#[test]
fn exact_of_a_revised_scheme() {
    let control = FixedStep { h: 0.01 };
    let [terminal, _] = check(&lorenz(10.0), &Rk4, &control, &Exact::default(), [50, 0]);
    assert!(terminal.revisions > 0, "{terminal:?}");
}
