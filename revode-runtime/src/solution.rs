//! A solution at its save points.

use crate::control::StepControl;
use crate::save::SavePlan;
use crate::scheme::Scheme;
use crate::stop::Stop;
use crate::time::{Observer, TimeLoop};
use crate::{Problem, Real, SolveError, State, Stats, VectorField};

/// A solution at its save points.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution<T, S> {
    /// The times.
    pub t: Vec<T>,
    /// The states, one for each time.
    pub y: Vec<S>,
    /// What it cost.
    pub stats: Stats,
}

/// Runs the time loop and saves the solution along the way.
pub(crate) fn save_solution<T, F, S, C>(
    time_loop: &TimeLoop<'_, S, C>,
    problem: &Problem<T, F>,
    plan: &SavePlan<T>,
) -> Result<Solution<T, F::State>, Stop>
where
    T: Real,
    F: VectorField<T>,
    S: Scheme<T, F>,
    C: StepControl<T, F, S::Method>,
{
    let points = plan.len().unwrap_or(0);
    let (t, y) = (Vec::with_capacity(points), Vec::with_capacity(points));
    let mut saver = Saver { scheme: time_loop.scheme, t, y, mean: problem.y0.zeros_like() };
    let stats = time_loop.run(problem, plan, &mut saver)?.stats;
    Ok(Solution { t: saver.t, y: saver.y, stats })
}

/// Saves the solution at the save points.
struct Saver<'a, T, Y, S> {
    scheme: &'a S,
    t: Vec<T>,
    y: Vec<Y>,
    mean: Y,
}

impl<T, F, S> Observer<T, F, S> for Saver<'_, T, F::State, S>
where
    T: Real,
    F: VectorField<T>,
    S: Scheme<T, F>,
{
    fn saved(&mut self, _: usize, _: u64, t: T, state: &S::State) -> Result<(), SolveError> {
        self.t.push(t);
        self.y.push(Scheme::<T, F>::read_out(self.scheme, state, &mut self.mean).clone());
        Ok(())
    }
}
