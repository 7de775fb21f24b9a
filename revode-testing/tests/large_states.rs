//! States of constant size that are too large for the stack are refused with advice; none overflows it.

use revode::control::StepControl;
use revode::gradient::Strategy;
use revode::nalgebra::SVector;
use revode::prelude::*;
use revode::{EmbeddedMethod, MethodVjp};
use revode_testing::loss::component;

/// `dy/dt = −k y` in `N` components.
#[derive(Debug, Clone)]
struct Decay<const N: usize> {
    k: f64,
}

impl<const N: usize> VectorField<f64> for Decay<N> {
    type State = SVector<f64, N>;

    fn eval(&self, _: f64, y: &SVector<f64, N>, dy: &mut SVector<f64, N>) {
        for (dy, y) in dy.iter_mut().zip(y) {
            *dy = -self.k * y;
        }
    }
}

revode_testing::parameters!([const N: usize] f64, Decay<N>: k);

impl<const N: usize> FieldVjp<f64> for Decay<N> {
    type Tape = ();

    fn tape(&self) {}

    fn vjp(
        &self,
        _: f64,
        y: &SVector<f64, N>,
        (): &mut (),
        dy_bar: &SVector<f64, N>,
        y_bar: &mut SVector<f64, N>,
        model_bar: &mut Self,
    ) -> f64 {
        for i in 0..N {
            model_bar.k -= y[i] * dy_bar[i];
            y_bar[i] = -self.k * dy_bar[i];
        }
        0.0
    }
}

ode! {
    /// The same with a size that is known at run time.
    struct DecayOnHeap {
        dims   { n }
        state  { y: [n] }
        params { k }
    }
    dy/dt = -k * y;
}

/// Whether it was answered: rightly, or else refused with advice.
fn answered(result: Result<[f64; 2], SolveError>, exact: [f64; 2]) -> bool {
    match result {
        Ok(found) => {
            let errors = [found[0] - exact[0], found[1] - exact[1]];
            assert!(errors.iter().all(|error| error.abs() < 1e-4), "{found:?} {exact:?}");
            true
        }
        Err(error) => {
            let text = error.to_string();
            assert!(matches!(error, SolveError::InvalidArgument { argument: "y0", .. }), "{text}");
            assert!(text.contains("`dims") && text.contains("constant"), "{text}");
            false
        }
    }
}

#[inline(never)]
fn solve<const N: usize, M, C>(solver: &Solver<M, C>) -> bool
where
    M: MethodVjp<f64, Decay<N>>,
    C: StepControl<f64, Decay<N>, M>,
{
    let problem = Problem::new(Decay { k: 0.7 }, SVector::<f64, N>::repeat(1.0), 0.0..1.0);
    let found = solver.solve(&problem, SaveAt::end()).map(|path| [path.y[0][0], path.t[0]]);
    answered(found, [(-0.7_f64).exp(), 1.0])
}

/// Values between the ends of steps, and a gradient through them.
#[inline(never)]
fn read<const N: usize, M, C>(solver: &Solver<M, C>) -> bool
where
    M: MethodVjp<f64, Decay<N>>,
    C: StepControl<f64, Decay<N>, M>,
{
    let problem = Problem::new(Decay { k: 0.7 }, SVector::<f64, N>::repeat(1.0), 0.0..1.0);
    let found = solver.solve(&problem, SaveAt::dense());
    let found = found.and_then(|path| Ok([path.evaluate(0.5)?[0], path.evaluate(1.0)?[0]]));
    let solved = answered(found, [(-0.35_f64).exp(), (-0.7_f64).exp()]);
    let save = SaveAt::times([0.56]).interpolated();
    let fit = solver.gradient(&problem, save, &component(0));
    let exact = (-0.7 * 0.56_f64).exp();
    let found = fit.map(|fit| [fit.y0[0], fit.model.k]);
    answered(found, [exact, -0.56 * exact]) && solved
}

#[inline(never)]
fn gradient<const N: usize, M, C, G>(solver: &Solver<M, C, G>) -> bool
where
    M: MethodVjp<f64, Decay<N>>,
    C: StepControl<f64, Decay<N>, M>,
    G: Strategy,
{
    let problem = Problem::new(Decay { k: 0.7 }, SVector::<f64, N>::repeat(1.0), 0.0..1.0);
    let fit = solver.gradient(&problem, SaveAt::end(), &component(0));
    answered(fit.map(|fit| [fit.y0[0], fit.model.k]), [(-0.7_f64).exp(), -(-0.7_f64).exp()])
}

/// Runs on a stack of so many MiB.
fn on_stack<R: Send + 'static>(mebibytes: usize, run: impl FnOnce() -> R + Send + 'static) -> R {
    let thread = std::thread::Builder::new().stack_size(mebibytes << 20).spawn(run);
    thread.unwrap().join().unwrap()
}

/// Which of a solve and its gradients are answered, in order: the stores, then the reversals.
fn run<const N: usize>(mebibytes: usize) -> Vec<bool> {
    let fixed = Solver::new(Rk4).fixed_step(0.1);
    macro_rules! runs {
        ($($strategy:expr),*) => {
            vec![$(on_stack(mebibytes, move || gradient::<N, _, _, _>(&fixed.strategy($strategy)))),*]
        };
    }
    let mut answered = vec![on_stack(mebibytes, move || solve::<N, _, _>(&fixed))];
    answered.extend(runs!(
        Auto::default(),
        StoreAll,
        Checkpointed::slots(3),
        Reversible::default(),
        Exact::default(),
        Guarded::default()
    ));
    answered
}

fn run_adaptive<const N: usize, M>(method: M) -> Vec<bool>
where
    M: EmbeddedMethod<f64, Decay<N>> + MethodVjp<f64, Decay<N>> + Copy + Send + 'static,
{
    let adaptive = Solver::new(method).tolerance(1e-6, 1e-6);
    vec![
        on_stack(2, move || solve::<N, _, _>(&adaptive)),
        on_stack(2, move || gradient::<N, _, _, _>(&adaptive)),
        on_stack(2, move || gradient::<N, _, _, _>(&adaptive.strategy(Guarded::default()))),
    ]
}

#[test]
fn no_state_overflows_the_stack() {
    assert_eq!(run::<400>(2), [true; 7]);
    assert_eq!(run_adaptive::<400, _>(Dopri8), [true; 3]);
    // Some of them: which depends on the optimisation.
    for answered in [run::<1100>(2), run::<3000>(2), run::<9000>(2)] {
        println!("{answered:?}");
    }
    let fixed = Solver::new(Rk4).fixed_step(0.1);
    let adaptive = Solver::new(Dopri8).tolerance(1e-6, 1e-6);
    assert!(on_stack(2, move || read::<400, _, _>(&fixed)));
    assert!(on_stack(2, move || read::<400, _, _>(&adaptive)));
    println!("{}", on_stack(2, move || read::<1100, _, _>(&fixed)));
    println!("{}", on_stack(2, move || read::<3000, _, _>(&fixed)));
    println!("{}", on_stack(2, move || read::<1100, _, _>(&adaptive)));
    println!("{:?}", run_adaptive::<1100, _>(Dopri8));
    for mebibytes in [2, 8] {
        assert_eq!(run::<20_000>(mebibytes), [false; 7]);
    }
    assert_eq!(run_adaptive::<20_000, _>(Dopri8), [false; 3]);
}

#[test]
fn states_on_the_heap_have_no_limit() {
    let answered = on_stack(2, || {
        let mut field = DecayOnHeap::zeros(20_000);
        field.k = 0.7;
        let problem = Problem::new(field, vec![1.0; 20_000], 0.0..1.0);
        let solver = Solver::new(Rk4).fixed_step(0.1).strategy(Guarded::default());
        let fit = solver.gradient(&problem, SaveAt::end(), &component(0));
        answered(fit.map(|fit| [fit.y0[0], fit.model.k]), [(-0.7_f64).exp(), -(-0.7_f64).exp()])
    });
    assert!(answered);
}
