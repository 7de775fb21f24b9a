//! All strategies along one discrete solution give equal bits, with and without events, timed changes and stops, for all
//! kinds of save points.

use revode::MethodVjp;
use revode::control::StepControl;
use revode::gradient::Strategy;
use revode::nalgebra::SVector;
use revode::prelude::*;
use revode_testing::compare::loss_and_flat;

use crate::AnyMethod;

ode! {
    /// Driven, damped, with a wall and kicks.
    struct Kicked {
        state  { x, v, kicks }
        params { k, c, wall, loss, kick, time: [3] }
    }
    dx/dt = v;
    dv/dt = -k * x - c * v + sin(t);
    dkicks/dt = 0;
    event hits = x - wall, rising { v = -loss * v; }
    event passes = x + 0.2 * v, either;
    at (time[i]) for i in 0..3 { v += kick; kicks += 1; }
}

ode! {
    /// The same without any.
    struct Smooth {
        state  { x, v, kicks }
        params { k, c, wall, loss, kick, time: [3] }
    }
    dx/dt = v;
    dv/dt = -k * x - c * v + sin(t);
    dkicks/dt = 0;
}

/// A nonlinear loss that depends on which point it is.
struct Powers;

impl Loss<f64, SVector<f64, 3>> for Powers {
    fn value(&self, index: usize, t: f64, y: &SVector<f64, 3>) -> Result<f64, SolveError> {
        let weight = 1.0 + 0.1 * (index % 7) as f64;
        Ok(weight * y.iter().map(|y| (y - 0.1 * t) * y * y).sum::<f64>())
    }
    fn cotangent(&self, index: usize, t: f64, y: &SVector<f64, 3>, y_bar: &mut SVector<f64, 3>) {
        let weight = 1.0 + 0.1 * (index % 7) as f64;
        for (y, y_bar) in y.iter().zip(y_bar) {
            *y_bar += weight * (3.0 * y * y - 0.2 * t * y);
        }
    }
}

/// The gradient, or the text of the error.
fn bits<F, C, G>(
    solver: Solver<AnyMethod, C>,
    strategy: G,
    problem: &Problem<f64, F>,
    save: &SaveAt,
) -> Result<Vec<u64>, String>
where
    F: FieldVjp<f64> + VectorField<f64, State = SVector<f64, 3>>,
    C: StepControl<f64, F, AnyMethod>,
    G: Strategy,
{
    let solver = solver.strategy(strategy).unchecked();
    let fit = solver.gradient(problem, save.clone(), &Powers).map_err(|error| error.to_string())?;
    let numbers = loss_and_flat(&fit).into_iter().chain([fit.t0, fit.t1]);
    Ok(numbers.map(f64::to_bits).collect())
}

fn agree<F, C>(solver: Solver<AnyMethod, C>, problem: &Problem<f64, F>, save: &SaveAt, what: &str)
where
    F: FieldVjp<f64> + VectorField<f64, State = SVector<f64, 3>>,
    C: StepControl<f64, F, AnyMethod> + Clone,
    Solver<AnyMethod, C>: Copy,
{
    let of = |found: Result<Vec<u64>, String>, by: &str| {
        found.unwrap_or_else(|error| panic!("{what} by {by}: {error}"))
    };
    let plain = of(bits(solver, StoreAll, problem, save), "StoreAll");
    for slots in [1, 3, 50] {
        let found = of(bits(solver, Checkpointed::slots(slots), problem, save), "Checkpointed");
        assert!(found == plain, "{what}, {slots} slots");
    }
    assert!(of(bits(solver, Auto::default(), problem, save), "Auto") == plain, "{what}, Auto");
    let guarded = Guarded::default();
    let found = of(bits(solver, guarded, problem, save), "Guarded");
    assert!(found == of(bits(solver, StoreAll.along(guarded), problem, save), "along"), "{what}");
    let found = of(bits(solver, Guarded::default().memory(400), problem, save), "Guarded, little");
    assert!(found == of(bits(solver, StoreAll.along(guarded), problem, save), "along"), "{what}");
    let exact = Exact::default();
    let found = of(bits(solver, exact, problem, save), "Exact");
    assert!(found == of(bits(solver, StoreAll.along(exact), problem, save), "along"), "{what}");
}

macro_rules! model {
    ($Model:ident) => {
        $Model {
            k: 4.0,
            c: 0.3,
            wall: 0.1,
            loss: 0.6,
            kick: 0.4,
            time: SVector::from([0.0, 1.3, 4.0]),
        }
    };
}

#[test]
fn all_strategies_agree_at_all_points_with_and_without_events() {
    let saves = [
        ("end", SaveAt::end()),
        ("every", SaveAt::every(0.25).landed()),
        ("times", SaveAt::times([0.0, 0.1, 1.3, 2.0, 5.9]).landed()),
        ("every, read", SaveAt::every(0.07).interpolated()),
        ("times, read", SaveAt::times([0.0, 0.1, 0.101, 1.3, 2.0, 5.9]).interpolated()),
        ("steps", SaveAt::steps()),
        ("dense", SaveAt::dense()),
    ];
    let y0 = [0.5, 0.0, 0.0];
    let mut cases = 0;
    for (name, save) in &saves {
        for stops in [vec![], vec![0.6, 4.0, 9.0]] {
            let what = |kind: &str| format!("{name}, {kind}, {} stops", stops.len());
            let problem = Problem::new(model!(Kicked), y0, 0.0..6.0).stops(stops.clone());
            let adaptive = Solver::new(AnyMethod::Tsit5).tolerance(1e-7, 1e-7);
            agree(adaptive, &problem, save, &what("events, adaptive"));
            let fixed = Solver::new(AnyMethod::Tsit5).fixed_step(0.05);
            agree(fixed, &problem, save, &what("events, fixed"));
            let smooth = Problem::new(model!(Smooth), y0, 0.0..6.0).stops(stops.clone());
            agree(adaptive, &smooth, save, &what("smooth, adaptive"));
            agree(fixed, &smooth, save, &what("smooth, fixed"));
            cases += 4;
        }
    }
    assert_eq!(cases, 56);
}

/// With events the discrete loss is a smooth function of what moves them: against central differences.
#[test]
fn gradients_are_those_of_central_differences() {
    let solver = Solver::new(AnyMethod::Vern7).tolerance(1e-12, 1e-12).strategy(StoreAll);
    // (No kick is at a save point, which sees the state before it, however little before.)
    let field = Kicked { time: SVector::from([0.0, 1.3, 4.1]), ..model!(Kicked) };
    let problem = Problem::new(field, [0.5, 0.0, 0.0], 0.0..6.0);
    against_differences(&solver, &problem, &SaveAt::every(0.5).landed());
    let solver = Solver::new(Vern8).tolerance(1e-12, 1e-12).strategy(StoreAll);
    against_differences(&solver, &problem, &SaveAt::every(0.37));
}

fn against_differences<M, C, G>(
    solver: &Solver<M, C, G>,
    problem: &Problem<f64, Kicked>,
    save: &SaveAt,
) where
    M: MethodVjp<f64, Kicked>,
    C: StepControl<f64, Kicked, M>,
    G: Strategy,
{
    let fit = solver.gradient(problem, save.clone(), &Powers).unwrap();
    let events = solver.solve(problem, save.clone()).unwrap().events;
    assert!(events.iter().filter(|x| x.event.name == "hits").count() >= 2, "{}", events.len());
    let loss = |problem: &Problem<f64, Kicked>| {
        let path = solver.solve(problem, save.clone()).unwrap();
        let points = path.t.iter().zip(&path.y).enumerate();
        points.map(|(i, (t, y))| Powers.value(i, *t, y).unwrap()).sum::<f64>()
    };
    let found = loss_and_flat(&fit);
    // The first kick is at the start of the span, where it cannot come earlier.
    let count = found.len() - 1;
    for i in (0..count).filter(|i| *i != 8) {
        let moved = |by: f64| {
            let mut problem = problem.clone();
            let Problem { y0, field, .. } = &mut problem;
            *y0.iter_mut().chain(field.slices_mut().flatten()).nth(i).unwrap() += by;
            loss(&problem)
        };
        let h = 1e-4;
        let slope =
            (8.0 * (moved(h) - moved(-h)) - (moved(2.0 * h) - moved(-2.0 * h))) / (12.0 * h);
        let off = (found[i + 1] - slope).abs() / (1.0 + slope.abs());
        assert!(off < 1e-7, "number {i}: {} and {slope}", found[i + 1]);
    }
}
