//! The forward and the one backward pass of a gradient.

use super::accuracy::{Watch, estimate, exceeds, larger};
use super::between::{Between, Read};
use super::flow::Flow;
use super::{Ask, Gradient, Loss, Purpose};
use crate::control::StepControl;
use crate::field::find_parameter;
use crate::save::SavePlan;
use crate::scheme::{Adjoint, Cotangent, Scheme, SchemeVjp, VjpWork, Work};
use crate::stats::StrategyStats;
use crate::stop::Stop;
use crate::time::{End, Observer, StepRecord};
use crate::{FieldVjp, MethodVjp, Problem, Real, SolveError, State, Step};

/// What a strategy keeps of the forward pass, and how it comes by the states on the way back.
pub trait Keeper<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>> {
    /// A step was accepted in the forward pass; `state` is the one at its start.
    ///
    /// # Errors
    /// [`SolveError`] where the way back is lost.
    #[inline(always)]
    fn before(&mut self, scheme: &S, step: Step<T>, state: &S::State) -> Result<(), SolveError> {
        let _ = (scheme, step, state);
        Ok(())
    }

    /// The step has led to `state`.
    #[inline(always)]
    fn after(&mut self, scheme: &S, step: Step<T>, state: &S::State) {
        let _ = (scheme, step, state);
    }

    /// Takes `state` and its cotangents from the end of `step` to its start, and adds to those of the parameters.
    /// Called for each step of the record, the last one first.
    ///
    /// # Errors
    /// [`Stop`] where the way back is lost.
    fn step_back(
        &mut self,
        pass: &Pass<'_, T, F, S>,
        step: Step<T>,
        state: &mut S::State,
        adjoint: &mut Adjoint<S::Bar, F>,
        work: &mut VjpWork<T, F, S::Method>,
    ) -> Result<(), Stop>;

    /// The memory that is kept at the end of the forward pass, in bytes.
    fn bytes(&self) -> usize;

    /// The field evaluations that were made to come by states again.
    fn evaluations(&self, scheme: &S) -> u64 {
        let _ = scheme;
        0
    }

    /// The strategy's own part of the statistics, at the end of the backward pass.
    fn report(&self) -> StrategyStats;
}

/// What a backward pass goes along.
#[derive(Debug)]
pub struct Pass<'a, T: Real, F: FieldVjp<T>, S> {
    /// What was advanced.
    pub(crate) scheme: &'a S,
    /// The problem that was solved.
    pub(crate) problem: &'a Problem<T, F>,
    /// The accepted steps.
    pub(crate) record: &'a StepRecord<T>,
    /// What takes back the steps in which save points lie, where there are any.
    between: Option<&'a Between<'a, T, F>>,
}

impl<T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>> Pass<'_, T, F, S> {
    /// [`SchemeVjp::step_vjp`], with the cotangents of the values that were read from the step.
    #[inline(always)]
    pub(super) fn step_vjp(
        &self,
        step: Step<T>,
        before: &S::State,
        state: &mut S::State,
        adjoint: &mut Adjoint<S::Bar, F>,
        work: &mut VjpWork<T, F, S::Method>,
    ) -> Result<(), Stop> {
        let (scheme, field) = (self.scheme, &self.problem.field);
        if let Some(between) = self.between
            && let Some(done) = between.step_back(step, |output| {
                scheme.read_step_vjp(field, step, [before, state], adjoint, output)
            })
        {
            return done;
        }
        scheme.step_vjp(field, step, before, state, adjoint, work)
    }
}

/// Differentiates the solve along `scheme`, whose states come back by `keeper`.
pub(super) fn differentiate<T, F, M, C, S>(
    ask: &Ask<'_, T, F, M, C>,
    scheme: &S,
    keeper: impl Keeper<T, F, S>,
    loss: &impl Loss<T, F::State>,
) -> Result<Gradient<F, F::State, T>, Stop>
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F>,
    S: SchemeVjp<T, F, Method = M>,
    C: StepControl<T, F, M>,
{
    let Ask { problem, plan, .. } = ask;
    let points = Points::new(plan);
    let mean = problem.y0.zeros_like();
    let read = Read::new();
    let mut forward = Forward { scheme, loss, keeper, value: T::ZERO, points, read, mean };
    let End { mut state, record, mut stats, .. } =
        ask.time_loop(scheme, Purpose::Gradient).run(problem, plan, &mut forward)?;
    let Forward { mut keeper, value, mut points, mut read, .. } = forward;
    loss.finish(points.len)?;
    stats.bytes_kept = record.bytes()
        + points.bytes()
        + keeper.bytes()
        + scheme.state_bytes(&state)
        + read.bytes();

    let Problem { field, y0, t0, t1 } = problem;
    let mut output = (!read.is_empty()).then(|| scheme.method().dense_output_vjp(field, y0));
    let between = output.as_mut().map(|output| Between::new(&mut **output, y0));
    let pass = Pass { scheme, problem, record: &record, between: between.as_ref() };
    let mut work = VjpWork::new(scheme.method(), field, y0);
    let allowed = ask.allowed_error();
    let mut adjoint = Adjoint::zero(scheme, field, y0, allowed.is_some());
    let mut watch = Watch::new(allowed.unwrap_or(0.0), record.len());
    let add_cotangent =
        |points: &mut Points, (steps, t), state: &_, adjoint: &mut Adjoint<_, _>| {
            let Some(index) = points.next_at(steps) else { return false };
            for Cotangent { state: bar, .. } in adjoint.each() {
                scheme.add_to_bar(state, bar, |y, bar| loss.cotangent(index, t, y, bar));
            }
            true
        };
    add_cotangent(&mut points, (record.len(), *t1), &state, &mut adjoint);
    watch.look(scheme, (record.len(), *t1), &adjoint);
    let mut flow = allowed.map(|_| Flow::new(field, y0));
    if let Some(flow) = &mut flow {
        flow.start((scheme, field), *t1, &state, &adjoint.main.state);
    }
    for step in record.rev() {
        let read_there = between.as_ref().map_or(0, |x| read.seed(field, step, loss, x));
        points.len -= read_there;
        keeper.step_back(&pass, step, &mut state, &mut adjoint, &mut work)?;
        scheme.check_vjp(step, &state, &mut adjoint.main.state)?;
        if let Some(flow) = flow.as_mut().filter(|_| read_there == 0) {
            flow.step((scheme, field), step, &work, &state, &adjoint.main.state);
        }
        let added = add_cotangent(&mut points, (step.index, step.t), &state, &mut adjoint);
        match &mut flow {
            // Within a step that values were read from, the loss has added to the cotangent.
            Some(flow) if read_there > 0 => {
                flow.start((scheme, field), step.t, &state, &adjoint.main.state);
            }
            Some(flow) if added => flow.add(scheme, &state, &adjoint.main.state),
            _ => {}
        }
        watch.look(scheme, (step.index, step.t), &adjoint);
    }
    stats.evaluations +=
        scheme.method().taped_evaluations(&work.taped) + keeper.evaluations(scheme);
    stats.evaluations += flow.as_ref().map_or(0, |flow| flow.evaluations);
    stats.vjps = scheme.method().vjps(&work.taped);
    if let Some((evaluations, vjps)) = between.as_ref().map(Between::counts) {
        stats.evaluations += evaluations;
        stats.vjps += vjps;
    }
    stats.strategy = keeper.report();
    stats.refinements = ask.refinement.borrow().rounds;
    let Adjoint { main: Cotangent { state, model }, embedded } = adjoint;
    let y0 = scheme.start_vjp(state);
    let mut found = Gradient { loss: value, y0, model, error: None, stats };
    if let (Some(t), Some(allowed)) = (watch.grown::<T>(), allowed) {
        // Steps may have been too long for stability: shorter ones show whether it is the equation that grows.
        let inaccurate = ask.refine(&pass, &found, (t, false), (f64::INFINITY, allowed));
        if ask.refinement.borrow().promises {
            return Err(inaccurate.into());
        }
    }
    check_finite(&found, &watch)?;
    if let (Some(embedded), Some(allowed)) = (embedded, allowed) {
        let Cotangent { state, model } = *embedded;
        let embedded = Cotangent { state: scheme.start_vjp(state), model };
        let (error, relative) = estimate((&found.y0, &found.model), embedded);
        let order = scheme.method().estimate_order().unwrap_or(1);
        let relative = ask.refinement.borrow().calibrated(&found, relative, order);
        let (lost, amplification) =
            flow.as_ref().map_or((0.0, 0.0), |flow| (flow.lost(*t1 - *t0), flow.amplification()));
        let missed = exceeds(lost, relative);
        let relative = larger(relative, lost);
        if exceeds(relative, allowed)
            || ask.is_to_be_confirmed(amplification, (record.len(), allowed))
        {
            let t = if missed { flow.map(|flow| flow.worst) } else { watch.t };
            let place = (t.unwrap_or((*t0).to_f64()), missed);
            return Err(ask.refine(&pass, &found, place, (relative, allowed)).into());
        }
        found.error = Some(error);
        found.stats.gradient_error = Some(relative);
    }
    Ok(found)
}

/// An error where the loss or a component of its gradient is infinite or NaN: the states are finite, but
/// cotangents can grow beyond the numbers of their precision.
fn check_finite<T: Real, F: FieldVjp<T>>(
    found: &Gradient<F, F::State, T>,
    watch: &Watch,
) -> Result<(), SolveError> {
    let (t, grown) = (watch.not_finite, watch.grown::<T>().is_some());
    let error = |of: String, value: T| {
        Err(SolveError::GradientNotFinite { of, value: value.to_f64(), t, grown })
    };
    if !found.loss.is_finite() {
        return error("the loss".into(), found.loss);
    }
    let y0 = found.y0.as_slice();
    if let Some(i) = y0.iter().position(|y| !y.is_finite()) {
        return error(
            format!("the gradient with respect to component {i} of the initial state"),
            y0[i],
        );
    }
    match find_parameter(&found.model, |x| !x.is_finite()) {
        Some((name, value)) => error(format!("the gradient with respect to {name}"), value),
        None => Ok(()),
    }
}

/// The forward pass: evaluates the loss, lets the keeper keep.
struct Forward<'a, T, Y, S, L, K> {
    scheme: &'a S,
    loss: &'a L,
    keeper: K,
    value: T,
    points: Points,
    read: Read<T, Y>,
    /// Scratch space for a read-out.
    mean: Y,
}

impl<T, F, S, L, K> Observer<T, F, S> for Forward<'_, T, F::State, S, L, K>
where
    T: Real,
    F: FieldVjp<T>,
    S: SchemeVjp<T, F>,
    L: Loss<T, F::State>,
    K: Keeper<T, F, S>,
{
    const RECORDS: bool = true;

    fn saved(
        &mut self,
        index: usize,
        steps: u64,
        t: T,
        state: &S::State,
    ) -> Result<(), SolveError> {
        self.points.push(steps);
        let y = Scheme::<T, F>::read_out(self.scheme, state, &mut self.mean);
        self.value += self.loss.value(index, t, y)?;
        Ok(())
    }

    fn passed(
        &mut self,
        index: usize,
        step: Step<T>,
        at: (T, T),
        y: &F::State,
    ) -> Result<(), SolveError> {
        let (t, _) = at;
        if t == step.end {
            self.points.push(step.index + 1);
        } else {
            self.points.push(INSIDE);
            self.read.push(index, step, at, y);
        }
        self.value += self.loss.value(index, t, y)?;
        Ok(())
    }

    #[inline(always)]
    fn before(
        &mut self,
        step: Step<T>,
        state: &S::State,
        _: &Work<T, F, S>,
    ) -> Result<(), SolveError> {
        self.keeper.before(self.scheme, step, state)
    }

    #[inline(always)]
    fn after(&mut self, step: Step<T>, state: &S::State) -> Result<(), SolveError> {
        self.keeper.after(self.scheme, step, state);
        Ok(())
    }
}

/// In the place of a number of steps: the point lies between the ends of one.
const INSIDE: u64 = u64::MAX;

/// After how many steps each save point was passed: a list, or nothing where every step has one.
#[derive(Debug)]
struct Points {
    list: Option<Vec<u64>>,
    /// The number of points that were passed forward and not yet backward.
    len: usize,
}

impl Points {
    fn new<T>(plan: &SavePlan<T>) -> Self {
        Self { list: plan.len().map(Vec::with_capacity), len: 0 }
    }

    fn push(&mut self, steps: u64) {
        if let Some(list) = &mut self.list {
            list.push(steps);
        }
        self.len += 1;
    }

    /// The save point that lies `steps` steps after the start, if there is one; asked for from the
    /// end to the start.
    #[inline]
    fn next_at(&mut self, steps: u64) -> Option<usize> {
        let last = self.len.checked_sub(1)?;
        if self.list.as_ref().is_some_and(|list| list[last] != steps) {
            return None;
        }
        self.len = last;
        Some(last)
    }

    fn bytes(&self) -> usize {
        self.list.as_ref().map_or(0, |list| size_of_val(list.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::Points;
    use crate::SaveAt;

    #[test]
    fn save_points_come_back_in_reverse() {
        let lists: [(SaveAt, &[u64]); 3] = [
            (SaveAt::steps(), &[0, 1, 2, 3, 4]),
            (SaveAt::steps().without_start(), &[1, 2, 3, 4]),
            (SaveAt::every(0.5), &[0, 2, 4]),
        ];
        for (save, steps) in lists {
            let mut points = Points::new(&save.plan(0.0, 1.0).unwrap());
            for steps in steps {
                points.push(*steps);
            }
            let back: Vec<_> = (0..=4).rev().filter_map(|steps| points.next_at(steps)).collect();
            assert_eq!(back, (0..steps.len()).rev().collect::<Vec<_>>());
        }
    }
}
