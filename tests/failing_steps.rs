//! Steps that a method cannot take: rejected under adaptive steps, an error with fixed ones, in every scheme.

use std::cell::Cell;

use revode::nalgebra::SVector;
use revode::prelude::*;
use revode::{EmbeddedMethod, Method, MethodVjp, Step, StepFailure};

ode! {
    struct Oscillator {
        state  { q, p }
        params { omega }
    }
    dq/dt = p;
    dp/dt = -omega^2 * q;
}

/// Bosh3, but for steps that are too long, forward or back.
#[derive(Debug, Clone, Copy)]
struct Short {
    forward: f64,
    back: f64,
}

type V = SVector<f64, 2>;

thread_local! {
    /// Whether all steps fail from now on.
    static BROKEN: Cell<bool> = const { Cell::new(false) };
}

impl Short {
    fn check(self, step: Step<f64>) -> Result<(), StepFailure> {
        let longest = if step.h > 0.0 { self.forward } else { self.back };
        if step.h.abs() <= longest && !BROKEN.get() {
            Ok(())
        } else {
            Err(StepFailure { reason: "Newton's iteration did not converge" })
        }
    }
}

impl Method<f64, Oscillator> for Short {
    type Stages = <Bosh3 as Method<f64, Oscillator>>::Stages;

    fn order(&self) -> u32 {
        3
    }
    fn stages(&self, field: &Oscillator, u: &V) -> Self::Stages {
        Method::<f64, Oscillator>::stages(&Bosh3, field, u)
    }
    fn increment(
        &self,
        field: &Oscillator,
        step: Step<f64>,
        u: &V,
        stages: &mut Self::Stages,
        psi: &mut V,
    ) -> Result<(), StepFailure> {
        self.check(step)?;
        Bosh3.increment(field, step, u, stages, psi)
    }
    fn evaluations(&self, stages: &Self::Stages) -> u64 {
        Method::<f64, Oscillator>::evaluations(&Bosh3, stages)
    }
}

impl EmbeddedMethod<f64, Oscillator> for Short {
    fn embedded_order(&self) -> u32 {
        2
    }
    fn increment_with_error(
        &self,
        field: &Oscillator,
        step: Step<f64>,
        u: &V,
        stages: &mut Self::Stages,
        psi: &mut V,
        error: &mut V,
    ) -> Result<(), StepFailure> {
        self.check(step)?;
        Bosh3.increment_with_error(field, step, u, stages, psi, error)
    }
}

impl MethodVjp<f64, Oscillator> for Short {
    type Taped = <Bosh3 as MethodVjp<f64, Oscillator>>::Taped;

    fn taped(&self, field: &Oscillator, u: &V) -> Self::Taped {
        Bosh3.taped(field, u)
    }
    fn increment_taped(
        &self,
        field: &Oscillator,
        step: Step<f64>,
        u: &V,
        taped: &mut Self::Taped,
        psi: &mut V,
    ) -> Result<(), StepFailure> {
        self.check(step)?;
        Bosh3.increment_taped(field, step, u, taped, psi)
    }
    fn increment_vjp(
        &self,
        field: &Oscillator,
        step: Step<f64>,
        taped: &mut Self::Taped,
        psi_bar: &V,
        u_bar: &mut V,
        model_bar: &mut Oscillator,
    ) -> f64 {
        Bosh3.increment_vjp(field, step, taped, psi_bar, u_bar, model_bar)
    }
    fn taped_evaluations(&self, taped: &Self::Taped) -> u64 {
        MethodVjp::<f64, Oscillator>::taped_evaluations(&Bosh3, taped)
    }
    fn vjps(&self, taped: &Self::Taped) -> u64 {
        MethodVjp::<f64, Oscillator>::vjps(&Bosh3, taped)
    }
}

const LONGEST: f64 = 0.01;

fn problem() -> Problem<f64, Oscillator> {
    Problem::new(Oscillator { omega: 2.0 }, [1.0, 0.0], 0.0..1.0)
}

/// The position at the end, `cos(ω)`: with respect to the start `cos(ω)`, `sin(ω)/ω`, to the parameter `−sin(ω)`.
fn loss() -> impl Loss<f64, V> {
    Terminal::new(|y: &V| y[0], |_: &V| [1.0, 0.0].into())
}

#[test]
fn fixed_steps_that_fail_are_an_error_that_says_where() {
    let solver = Solver::new(Short { forward: LONGEST, back: 1.0 }).fixed_step(0.02);
    let error = solver.solve(&problem(), SaveAt::end()).unwrap_err();
    let reason = "Newton's iteration did not converge";
    assert_eq!(error, SolveError::StepFailed { t: 0.0, h: 0.02, reason });
    for part in ["2.000e-2", "t = 0", reason, "adaptive"] {
        assert!(error.to_string().contains(part), "{error}");
    }
}

/// Where each strategy's first increment fails, and where the second one of a pair does.
#[test]
fn adaptive_steps_that_fail_are_rejected_and_taken_again() {
    let exact = [2_f64.cos(), 0.5 * 2_f64.sin(), -2_f64.sin()];
    let check = |method: Short, is_of_pairs: bool| {
        // So loose that no step is rejected for its error.
        let solver = Solver::new(method).tolerance(1e-2, 1e-2);
        let free = Solver::new(Short { forward: 1.0, back: 1.0 }).tolerance(1e-2, 1e-2);
        macro_rules! strategies {
            ($($strategy:expr),*) => {$(
                let unlimited = free.strategy($strategy).gradient(&problem(), SaveAt::end(), &loss());
                assert_eq!(unlimited.unwrap().stats.rejected, 0);
                let found = solver.strategy($strategy);
                let found = found.gradient(&problem(), SaveAt::end(), &loss()).unwrap();
                assert!(found.stats.rejected > 0 && found.stats.accepted >= 100, "{}", found.stats);
                let gradient = [found.y0[0], found.y0[1], found.model.omega];
                // At most 0.01 a step at order 3: its own error is below 1e-6.
                for (found, exact) in gradient.iter().zip(exact) {
                    assert!((found - exact).abs() < 1e-5, "{found} {exact}");
                }
            )*};
        }
        strategies!(Guarded::default(), Exact::default(), StoreAll.along(Guarded::default()));
        if !is_of_pairs {
            strategies!(StoreAll, Checkpointed::slots(3));
        }
    };
    check(Short { forward: LONGEST, back: 1.0 }, false);
    check(Short { forward: 1.0, back: LONGEST }, true);
}

/// A step size that falls to nothing is an error that says so, not an endless loop.
#[test]
fn a_method_that_always_fails_ends_in_an_underflow() {
    let solver = Solver::new(Short { forward: 0.0, back: 0.0 }).tolerance(1e-6, 1e-6);
    let error = solver.solve(&problem(), SaveAt::end()).unwrap_err();
    assert!(matches!(error, SolveError::StepSizeUnderflow { t: 0.0, .. }), "{error:?}");
}

/// A step that was taken forward and fails on the way back has not been repeated: the error says which it was.
#[test]
fn a_step_that_fails_on_the_way_back_only_is_no_gradient() {
    let breaking = Terminal::new(
        |y: &V| y[0],
        |_: &V| {
            BROKEN.set(true);
            [1.0, 0.0].into()
        },
    );
    let solver = Solver::new(Short { forward: 1.0, back: 1.0 }).fixed_step(0.02);
    macro_rules! strategies {
        ($($strategy:expr => $step:expr;)*) => {$(
            BROKEN.set(false);
            let found = solver.strategy($strategy).gradient(&problem(), SaveAt::end(), &breaking);
            let Err(SolveError::NotRepeated { step, t }) = found else { panic!("{found:?}") };
            assert_eq!((step, t), (u64::from($step), 0.02 * f64::from($step)));
        )*};
    }
    strategies! {
        StoreAll => 49_u32;
        Guarded::default() => 49_u32;
        Exact::default() => 49_u32;
        Reversible::coupling(1.0) => 49_u32;
        // The start alone is stored: it is the first step that is taken again first.
        Checkpointed::slots(1) => 0_u32;
        Checkpointed::slots(1).along(Guarded::default()) => 0_u32;
    }
}
