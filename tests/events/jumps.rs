//! Jumps of the field itself: `signum` and `heaviside`.

use revode::Action;
use revode::nalgebra::SVector;
use revode::prelude::*;
use revode_testing::compare::loss_and_flat;

use crate::closed_forms::check;
use crate::models::{Case, forced, infusion, slower, sum, until};

ode! {
    struct Slower { state { y, slow } params { k, level } }
    dy/dt = 1 - k * (slow + (1 - slow) * (1 + signum(y - level)) / 2);
    dslow/dt = 0 * slow;
}

ode! {
    struct Until { state { y, on } params { k, end } }
    dy/dt = -k * on * y * heaviside(end - t);
    don/dt = 0 * on;
}

ode! {
    struct Forced { state { x, v, sign } params { damping, force, switch } }
    dx/dt = v;
    dv/dt = -4 * pi^2 * x - 4 * pi * damping * v + force * sign * signum(switch - t);
    dsign/dt = 0 * sign;
}

ode! {
    struct Infusion { state { y, rate } params { k, start: [3], stop: [3], strength: [3] } }
    dy/dt = -k * y + rate + dot(strength, heaviside(t - start) - heaviside(t - stop));
    drate/dt = 0 * rate;
}

ode! {
    /// A spring with dry friction.
    struct Friction { state { x, v } params { k, friction } }
    dx/dt = v;
    dv/dt = -k * x - friction * signum(v);
}

ode! {
    /// An outer jump whose place jumps with an inner one.
    struct Nested { state { y } params { a, b } }
    dy/dt = 1 + a * heaviside(y - 1 - b * heaviside(t - 2));
}

ode! {
    /// An event whose function jumps over 0.
    struct Leaps { state { y } params { rise } }
    dy/dt = rise;
    event leaps = y - 3 * heaviside(1 - t), rising { y += 1; }
}

ode! {
    struct Sliding { state { x } params { k } }
    dx/dt = -k * signum(x);
}

ode! {
    /// A block that friction holds against a force.
    struct Block { state { v } params { force } }
    dv/dt = force - signum(v);
}

ode! {
    /// Falls from rest into a spring.
    struct Spring { state { x, v } params { g, k } }
    dx/dt = v;
    dv/dt = -g - k * x * heaviside(-x);
}

ode! {
    struct Later { state { x, y } params { rate } }
    dx/dt = 2 * t;
    dy/dt = rate * heaviside(x);
}

ode! {
    struct Window { state { y } params { start } }
    dy/dt = heaviside(t - start);
}

ode! {
    struct Lifted { state { y, z } params { first, second } }
    dy/dt = heaviside(y - 0.5);
    dz/dt = 0 * z;
    at (first) { y += 1; }
    at (second) { z += 1; }
}

ode! {
    /// Bounces in air that there is above the floor only.
    struct Airy { state { x, v } params { g, drag } }
    dx/dt = v;
    dv/dt = -g - drag * v * heaviside(x);
    event bounce = x, falling { v = -0.8 * v; }
}

/// The problem of a case with another field of the same numbers.
fn of<F, G>(case: Case<F>, field: G) -> Case<G>
where
    F: FieldVjp<f64>,
    G: FieldVjp<f64> + VectorField<f64, State = F::State>,
{
    let Problem { y0, t0, t1, .. } = case.problem;
    Case {
        name: case.name,
        problem: Problem::new(field, y0, t0..t1),
        closed_form: case.closed_form,
    }
}

#[test]
fn a_growth_slows_down_at_a_level() {
    check(&of(slower(), Slower { k: 0.5, level: 1.0 }), [1.0, 0.0]);
}

#[test]
fn a_decay_ends_at_a_time() {
    check(&of(until(), Until { k: 0.5, end: 2.0 }), [1.0, 0.0]);
}

#[test]
fn a_force_flips_at_a_time() {
    let field = Forced { damping: 0.05, force: 10.0, switch: 7.5 };
    check(&of(forced(), field), [1.0, 0.0, 0.0]);
}

fn infusions() -> Infusion {
    Infusion {
        k: 0.5,
        start: SVector::from([1.0, 5.0, 9.0]),
        stop: SVector::from([1.1, 5.1, 9.1]),
        strength: SVector::from([1.0, 1.0, 1.0]),
    }
}

#[test]
fn infusions_act_on_a_state_at_rest() {
    check(&of(infusion(), infusions()), [1.0, 1.0]);
}

/// Nothing in the solution shows the pulses, but each of their jumps has different signs at the ends of the step over it.
#[test]
fn pulses_are_found_at_every_tolerance() {
    let case = of(infusion(), infusions());
    let (value, _) = case.expected();
    for tolerance in [1e-2, 1e-3, 1e-4, 1e-6, 1e-8, 1e-10] {
        let solver = Solver::new(Tsit5).relative_tolerance(tolerance);
        let solution = solver.solve(&case.problem, SaveAt::end()).unwrap();
        assert_eq!(solution.events.len(), 6, "{tolerance:e}");
        assert!(solution.events.iter().all(|x| x.event.action == Action::Switch));
        let off = (solution.y[0][0] - value).abs() / value;
        assert!(off < 10.0 * tolerance, "{tolerance:e}: {off:e}");
        let fit = solver.gradient(&case.problem, SaveAt::end(), &sum([1.0, 1.0])).unwrap();
        let (_, slopes) = case.expected();
        for (i, slope) in slopes.iter().enumerate().take(12) {
            let found = loss_and_flat(&fit)[i + 1];
            let off = (found - slope).abs();
            assert!(off < 30.0 * tolerance, "{tolerance:e}, {i}: {found} {slope}");
        }
    }
}

#[test]
fn friction_takes_2_f_of_the_amplitude_each_half_period_until_it_sticks() {
    let field = Friction { k: 4.0, friction: 0.1 };
    let problem = Problem::new(field, [1.0, 0.0], 0.0..10.0);
    // Half a period is π/2; the amplitudes are 1 − 0.05 n.
    let solver = Solver::new(Vern7).tolerance(1e-11, 1e-11);
    let solution = solver.solve(&problem, SaveAt::end()).unwrap();
    let times = solution.event_times("signum(v)");
    assert_eq!(times.len(), 6);
    for (n, occurrence) in (1..).zip(&solution.events) {
        let (t, x) = (occurrence.t, occurrence.before[0].abs());
        assert!((t - f64::from(n) * std::f64::consts::FRAC_PI_2).abs() < 1e-9, "{n}: {t}");
        assert!((x - (1.0 - 0.05 * f64::from(n))).abs() < 1e-9, "{n}: {x}");
    }
    // Where friction holds the spring, the field takes the solution back to v = 0 from either side.
    let sticks = Problem::new(Friction { k: 4.0, friction: 1.0 }, [1.0, 0.0], 0.0..10.0);
    let error = Solver::new(Tsit5).solve(&sticks, SaveAt::end()).unwrap_err();
    let SolveError::Chattering { event, t } = &error else { panic!("{error}") };
    assert!(event == "signum(v)" && (t - std::f64::consts::PI).abs() < 1e-4, "{error}");
}

#[test]
fn what_slides_along_a_jump_is_an_error_that_names_it() {
    let problem = Problem::new(Sliding { k: 1.0 }, [0.5], 0.0..2.0);
    for solver in
        [Solver::new(Tsit5).relative_tolerance(1e-6), Solver::new(Tsit5).relative_tolerance(1e-3)]
    {
        let error = solver.solve(&problem, SaveAt::end()).unwrap_err();
        let SolveError::Chattering { event, t } = &error else { panic!("{error}") };
        assert!(event == "signum(x)" && (t - 0.5).abs() < 1e-12, "{error}");
    }
}

#[test]
fn a_jump_within_a_jump_moves_with_it() {
    // To 1 at t = 1, then at the rate 1.5: 2.5 at t = 2, where the threshold goes from 1 to 4; back to the rate 1: 4 at
    // t = 3.5, and 4.75 at t = 4.
    let problem = Problem::new(Nested { a: 0.5, b: 3.0 }, [0.0], 0.0..4.0);
    let solver = Solver::new(Tsit5).tolerance(1e-9, 1e-9);
    for found in [
        solver.gradient(&problem, SaveAt::end(), &sum([1.0])).unwrap(),
        solver.strategy(Guarded::default()).gradient(&problem, SaveAt::end(), &sum([1.0])).unwrap(),
        solver.strategy(Exact::default()).gradient(&problem, SaveAt::end(), &sum([1.0])).unwrap(),
    ] {
        assert!((found.loss - 4.75).abs() < 1e-9, "{}", found.loss);
        // It is 1 + b at t = 0.5 + b − 1.5 y0, and 1 + b + 1.5 (4 − t) at the end.
        assert!((found.model.b + 0.5).abs() < 1e-8, "{}", found.model.b);
        assert!((found.y0[0] - 2.25).abs() < 1e-8, "{}", found.y0[0]);
    }
}

#[test]
fn all_strategies_agree_through_jumps() {
    let problem = Problem::new(Friction { k: 4.0, friction: 0.1 }, [1.0, 0.3], 0.0..6.0);
    for save in [SaveAt::end(), SaveAt::every(0.3), SaveAt::steps(), SaveAt::dense()] {
        let solver = Solver::new(Tsit5).tolerance(1e-7, 1e-7).unchecked();
        let loss = sum([1.0, -0.5]);
        let plain = solver.strategy(StoreAll).gradient(&problem, save.clone(), &loss).unwrap();
        let checked =
            solver.strategy(Checkpointed::slots(3)).gradient(&problem, save.clone(), &loss);
        assert_eq!(loss_and_flat(&checked.unwrap()), loss_and_flat(&plain));
        let guarded = solver.strategy(Guarded::default()).gradient(&problem, save.clone(), &loss);
        let stored = solver.strategy(StoreAll.along(Guarded::default()));
        let stored = stored.gradient(&problem, save.clone(), &loss).unwrap();
        assert_eq!(loss_and_flat(&guarded.unwrap()), loss_and_flat(&stored));
        let exact = solver.strategy(Exact::default()).gradient(&problem, save.clone(), &loss);
        let stored = solver.strategy(StoreAll.along(Exact::default()));
        let stored = stored.gradient(&problem, save.clone(), &loss).unwrap();
        assert_eq!(loss_and_flat(&exact.unwrap()), loss_and_flat(&stored));
    }
}

#[test]
fn an_event_whose_function_jumps_has_no_gradient() {
    let problem = Problem::new(Leaps { rise: 0.5 }, [0.0], 0.0..2.0);
    let solver = Solver::new(Tsit5).tolerance(1e-9, 1e-9);
    let solution = solver.solve(&problem, SaveAt::end()).unwrap();
    assert!((solution.event_times("leaps")[0] - 1.0).abs() < 1e-12);
    assert!((solution.y[0][0] - 2.0).abs() < 1e-9);
    // However long the span is.
    let long = Problem::new(Leaps { rise: 0.5 }, [0.0], 0.0..6000.0);
    let error = solver.gradient(&long, SaveAt::end(), &sum([1.0])).unwrap_err();
    assert!(matches!(&error, SolveError::EventNotSmooth { event, .. } if event == "leaps"));
    let error = solver.gradient(&problem, SaveAt::end(), &sum([1.0])).unwrap_err();
    assert!(matches!(&error, SolveError::EventNotSmooth { event, .. } if event == "leaps"));
    assert!(error.to_string().contains("`leaps` jumps over 0 at t = "), "{error}");
}

/// At a jump the solution starts on the side to which the field takes it, with the first derivative that tells.
#[test]
fn a_solution_that_starts_at_a_jump_is_on_the_side_that_it_goes_to() {
    let solver = Solver::new(Vern7).tolerance(1e-11, 1e-11);
    let (g, k) = (9.81, 25.0);
    let problem = Problem::new(Spring { g, k }, [0.0, 0.0], 0.0..1.0);
    let x = solver.solve(&problem, SaveAt::end()).unwrap().y[0][0];
    assert!((x + g / k * (1.0 - 5.0_f64.cos())).abs() < 1e-9, "{x}");
    for (span, y) in [(0.0..1.0, 1.0), (0.0..-1.0, -1.0)] {
        let problem = Problem::new(Later { rate: 1.0 }, [0.0, 0.0], span);
        let end = solver.solve(&problem, SaveAt::end()).unwrap().y[0];
        assert!((end[1] - y).abs() < 1e-12, "{end}");
    }
    for (end, y) in [(101.0, 1.0), (99.0, 0.0)] {
        let problem = Problem::new(Window { start: 100.0_f32 }, [0.0_f32], 100.0..end);
        let found = Solver::new(Tsit5).solve(&problem, SaveAt::end()).unwrap().y[0][0];
        assert!((found - y).abs() < 1e-5, "{end}: {found}");
    }
    // Where both sides lead back it stays there, which no step can follow.
    for force in [0.5, -0.5, 0.0] {
        let problem = Problem::new(Block { force }, [0.0], 0.0..1.0);
        let error = Solver::new(Tsit5).solve(&problem, SaveAt::end()).unwrap_err();
        let expected = SolveError::Chattering { event: "signum(v)".into(), t: 0.0 };
        assert_eq!(error, expected);
    }
    let problem = Problem::new(Block { force: 1.5 }, [0.0], 0.0..1.0);
    let v = solver.solve(&problem, SaveAt::end()).unwrap().y[0][0];
    assert!((v - 0.5).abs() < 1e-12, "{v}");
}

#[test]
fn a_change_over_a_jump_and_another_at_the_same_time() {
    let problem = Problem::new(Lifted { first: 1.0, second: 1.0 }, [0.0, 0.0], 0.0..2.0);
    let solver = Solver::new(Tsit5).tolerance(1e-9, 1e-9);
    for fit in [
        solver.gradient(&problem, SaveAt::end(), &sum([1.0, 0.0])).unwrap(),
        solver
            .strategy(Exact::default())
            .gradient(&problem, SaveAt::end(), &sum([1.0, 0.0]))
            .unwrap(),
    ] {
        assert!((fit.loss - 2.0).abs() < 1e-9, "{}", fit.loss);
        assert!((fit.model.first + 1.0).abs() < 1e-9, "{}", fit.model.first);
        assert!(fit.model.second.abs() < 1e-9, "{}", fit.model.second);
    }
}

/// The ball turns round where the air begins: it is in the air all the time.
#[test]
fn a_bounce_at_the_place_of_a_jump() {
    ode! {
        struct AirEverywhere { state { x, v } params { g, drag } }
        dx/dt = v;
        dv/dt = -g - drag * v;
        event bounce = x, falling { v = -0.8 * v; }
    }
    let solver = Solver::new(Vern7).tolerance(1e-11, 1e-11);
    let reference = Problem::new(AirEverywhere { g: 9.81, drag: 0.3 }, [1.0, 0.0], 0.0..2.0);
    let reference = solver.solve(&reference, SaveAt::end()).unwrap();
    let problem = Problem::new(Airy { g: 9.81, drag: 0.3 }, [1.0, 0.0], 0.0..2.0);
    let found = solver.solve(&problem, SaveAt::end()).unwrap();
    assert!((found.y[0] - reference.y[0]).amax() < 1e-9, "{} {}", found.y[0], reference.y[0]);
    assert_eq!(found.event_times("bounce").len(), reference.event_times("bounce").len());
}

#[test]
fn the_way_through_jumps_can_be_solved_back() {
    let field = Forced { damping: 0.05, force: 10.0, switch: 1.3 };
    let there = Problem::new(field.clone(), [1.5, 0.0, 1.0], 0.0..2.0);
    let solver = Solver::new(Vern7).tolerance(1e-12, 1e-12);
    let end = solver.solve(&there, SaveAt::end()).unwrap().y[0];
    let back = Problem::new(field, end, 2.0..0.0);
    let start = solver.solve(&back, SaveAt::end()).unwrap();
    assert_eq!(start.events.len(), 1);
    assert!((start.y[0] - there.y0).amax() < 1e-9, "{}", start.y[0]);
    // Fixed steps have their order through jumps: those that end there are shorter.
    let off = |h: f64| {
        let found = Solver::new(Rk4).fixed_step(h).solve(&there, SaveAt::end()).unwrap();
        (found.y[0] - end).amax()
    };
    let order = (off(0.02) / off(0.01)).log2();
    assert!((order - 4.0).abs() < 0.2, "{order}");
}

/// What the sides of starts must not depend on: the order of the jumps, the length of the span, how many derivatives are 0.
#[test]
fn sides_of_starts_in_corners() {
    ode! {
        struct Helped { state { v } params { push } }
        dv/dt = -signum(v) + push * signum(t - 1);
    }
    let solver = Solver::new(Tsit5).tolerance(1e-9, 1e-9);
    let problem = Problem::new(Helped { push: 1.5 }, [0.0], 2.0..3.0);
    let v = solver.solve(&problem, SaveAt::end()).unwrap().y[0][0];
    assert!((v - 0.5).abs() < 1e-9, "{v}");
    ode! {
        struct Circle { state { x, v, z } params { w } }
        dx/dt = w * v;
        dv/dt = -w * x;
        dz/dt = signum(x);
    }
    let problem = Problem::new(Circle { w: 2.0 * std::f64::consts::PI }, [0.0, 1.0, 0.0], 0.0..1e6);
    let mut stepper = solver.stepper(&problem).unwrap();
    while stepper.t() < 0.4 {
        stepper.step().unwrap();
    }
    assert!((stepper.y()[2] - stepper.t()).abs() < 1e-9);
    ode! {
        struct Chain { state { a, b, c, d, e, y } params { rate } }
        da/dt = rate;
        db/dt = a;
        dc/dt = b;
        dd/dt = c;
        de/dt = d;
        dy/dt = heaviside(e);
    }
    let problem = Problem::new(Chain { rate: 1.0 }, [0.0; 6], 0.0..1.0);
    let fit = solver.gradient(&problem, SaveAt::end(), &sum([0.0, 0.0, 0.0, 0.0, 0.0, 1.0]));
    assert!((fit.unwrap().loss - 1.0).abs() < 1e-12);
    // Backward on the other side of the place.
    let problem = Problem::new(Later { rate: 1.0 }, [1.0, 0.0], 1.0..0.0);
    assert!((solver.solve(&problem, SaveAt::end()).unwrap().y[0][1] + 1.0).abs() < 1e-9);
}

/// A block comes to rest: an event at the place of the jump ends the sliding.
#[test]
fn an_event_at_the_place_of_a_jump_can_end_the_sliding() {
    ode! {
        struct Rests { state { x, v, moves } params { k, friction } }
        dx/dt = v;
        dv/dt = moves * (-k * x - friction * signum(v));
        dmoves/dt = 0 * moves;
        event rest = v, falling { moves = 0; v = 0; }
    }
    let problem = Problem::new(Rests { k: 1.0, friction: 0.5 }, [-0.8, 0.0, 1.0], 0.0..10.0);
    let solver = Solver::new(Tsit5).tolerance(1e-10, 1e-10);
    for fit in [
        solver.gradient(&problem, SaveAt::end(), &sum([1.0, 0.0, 0.0])).unwrap(),
        solver
            .strategy(Guarded::default())
            .gradient(&problem, SaveAt::end(), &sum([1.0, 0.0, 0.0]))
            .unwrap(),
    ] {
        // Half an oscillation about −f/k, to −2 f/k − x0, where it rests.
        assert!((fit.loss + 0.2).abs() < 1e-8, "{}", fit.loss);
        assert!((fit.y0[0] + 1.0).abs() < 1e-7, "{}", fit.y0);
        assert!((fit.model.friction + 2.0).abs() < 1e-7, "{:?}", fit.model);
        assert!((fit.model.k - 1.0).abs() < 1e-7, "{:?}", fit.model);
    }
}

/// A jump that is touched and not crossed changes nothing.
#[test]
fn a_jump_that_is_touched_is_no_end() {
    ode! {
        struct Touched { state { y } params { rate } }
        dy/dt = rate + heaviside((t - 1)^2);
    }
    let problem = Problem::new(Touched { rate: 1.0 }, [0.0], 0.0..2.0);
    for solution in [
        Solver::new(Rk4).fixed_step(0.25).solve(&problem, SaveAt::end()).unwrap(),
        Solver::new(Tsit5).solve(&problem, SaveAt::times([1.0, 2.0]).landed()).unwrap(),
    ] {
        let y = solution.y.last().unwrap()[0];
        assert!((y - 4.0).abs() < 1e-9, "{y}");
    }
}
