//! The forward and the one backward pass of a gradient.

use super::accuracy::{Watch, estimate, exceeds, larger};
use super::between::Between;
use super::ends::{of_end, of_start};
use super::events::EventsVjp;
use super::flow::Flow;
use super::forward::{self, Points, Traversed, Way};
use super::{Ask, Gradient, Loss};
use crate::control::StepControl;
use crate::field::find_parameter;
use crate::save::SavePlan;
use crate::scheme::pair::{Arithmetic, PairAdjoint, PairScheme};
use crate::scheme::{Adjoint, Cotangent, SchemeVjp, VjpWork};
use crate::stats::StrategyStats;
use crate::stop::Stop;
use crate::time::StepRecord;
use crate::{
    Action, BoxedDenseOutputVjp, FieldVjp, Leg, MethodVjp, Problem, Real, Sides, SolveError, State,
    Step, support,
};

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

    /// The memory that is kept at the end of the leg, in bytes.
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
    /// The leg that was solved.
    pub(crate) leg: Leg<'a, T, F>,
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
        let (scheme, field) = (self.scheme, self.leg.field);
        if let Some(between) = self.between
            && let Some(done) = between.step_back::<S, _>(step, |read| {
                scheme.read_step_vjp(field, step, before, state, adjoint, work, read)
            })
        {
            return done;
        }
        scheme.step_vjp(field, step, before, state, adjoint, work)
    }
}

impl<T: Real, F: FieldVjp<T>, M, A> Pass<'_, T, F, PairScheme<M, A>>
where
    M: MethodVjp<T, F>,
    A: Arithmetic<T, F::State>,
{
    /// [`PairScheme::step_back`], with the cotangents of the values that were read from the step.
    #[inline(always)]
    pub(super) fn step_back(
        &self,
        step: Step<T>,
        z: Option<&F::State>,
        state: &mut A::State,
        adjoint: &mut PairAdjoint<F::State, F>,
        work: &mut VjpWork<T, F, M>,
    ) -> Result<(), Stop> {
        let (scheme, field) = (self.scheme, self.leg.field);
        if let Some(between) = self.between
            && let Some(done) = between.step_back::<PairScheme<M, A>, _>(step, |read| {
                scheme.read_step_back(field, step, z, state, adjoint, work, read)
            })
        {
            return done;
        }
        scheme.step_back(field, step, z, state, adjoint, work)
    }
}

/// Differentiates the solve along `scheme`, whose states come back by what `keeper` makes for each leg.
pub(super) fn differentiate<T: Real, F, M, C, S, K>(
    ask: &Ask<'_, T, F, M, C>,
    scheme: &S,
    keeper: impl Fn(Leg<'_, T, F>) -> Result<K, SolveError>,
    loss: &dyn Loss<T, F::State>,
) -> Result<Gradient<F, F::State, T>, Stop>
where
    F: FieldVjp<T>,
    M: MethodVjp<T, F>,
    S: SchemeVjp<T, F, Method = M>,
    C: StepControl<T, F, M>,
    K: Keeper<T, F, S>,
{
    let Way { legs, loss: value, save_times, mut stats } =
        forward::solve(ask, scheme, keeper, loss)?;
    let Problem { field, y0, t0, t1, .. } = ask.problem;
    let reads = legs.iter().any(|leg| !leg.read.is_empty());
    let allowed = ask.allowed_error();
    let mut back = Back {
        scheme,
        loss,
        plan: &ask.plan,
        work: VjpWork::new(scheme.method(), field, y0),
        output: reads.then(|| scheme.method().dense_output_vjp(field, y0)),
        watch: Watch::new(allowed.unwrap_or(0.0)),
        flow: allowed
            .filter(|_| !scheme.method().is_for_stiff())
            .map(|_| Box::new(Flow::new(field, y0))),
        events: EventsVjp::new(field, y0),
        evaluations: 0,
        strategy: StrategyStats::None,
        records: Vec::with_capacity(legs.len()),
    };
    let sides = legs.first().map_or(Sides::default(), |leg| leg.record.sides());
    let t1_bar = legs.last().map_or(T::ZERO, |leg| of_end(ask.problem, loss, scheme, leg));
    let mut adjoint = Adjoint::zero(y0.zeros_like(), field, allowed.is_some());
    for leg in legs.into_iter().rev() {
        adjoint = back.over(ask.problem, leg, adjoint)?;
    }
    let Back { work, output, watch, flow, events, .. } = back;
    let Back { evaluations, strategy, mut records, .. } = back;
    records.reverse();
    stats.strategy = strategy;
    let steps = records.iter().map(StepRecord::len).sum();
    stats.evaluations += scheme.method().taped_evaluations(&work.taped) + evaluations;
    stats.evaluations += flow.as_ref().map_or(0, |flow| flow.evaluations) + events.evaluations;
    stats.vjps = scheme.method().vjps(&work.taped);
    if let Some(output) = output {
        stats.evaluations += output.evaluations();
        stats.vjps += output.vjps();
    }
    stats.refinements = ask.refinement.borrow().rounds;
    let Adjoint { main: Cotangent { state: y0, model }, embedded } = adjoint;
    let t0_bar = of_start(ask.problem, loss, (sides, ask.plan.start), &y0);
    // The derivatives at both ends of the span.
    stats.evaluations += 2;
    let mut found =
        Gradient { loss: value, y0, model, t0: t0_bar, t1: t1_bar, save_times, error: None, stats };

    if let (Some(t), Some(allowed)) = (watch.grown::<T>(), allowed) {
        // Steps may have been too long for stability: shorter ones show whether it is the equation that grows.
        let inaccurate = ask.refine(&records, &found, (t, false), (f64::INFINITY, allowed));
        if ask.refinement.borrow().promises {
            return Err(inaccurate.into());
        }
    }
    check_finite(&found, &watch)?;
    if let (Some(embedded), Some(allowed)) = (embedded, allowed) {
        let (error, relative) = estimate((&found.y0, &found.model), *embedded);
        let order = scheme.method().estimate_order().unwrap_or(1);
        let relative = ask.refinement.borrow().calibrated(&found, relative, order);
        let (lost, amplification) =
            flow.as_ref().map_or((0.0, 0.0), |flow| (flow.lost(*t1 - *t0), flow.amplification()));
        let missed = exceeds(lost, relative);
        let relative = larger(relative, lost);
        if exceeds(relative, allowed) || ask.is_to_be_confirmed(amplification, (steps, allowed)) {
            let t = if missed { flow.map(|flow| flow.worst) } else { watch.t };
            let place = (t.unwrap_or((*t0).to_f64()), missed);
            return Err(ask.refine(&records, &found, place, (relative, allowed)).into());
        }
        found.error = Some(error);
        found.stats.gradient_error = Some(relative);
    }
    Ok(found)
}

/// The way back: what it goes along, and what it works with.
struct Back<'a, T: Real, F: FieldVjp<T>, S: SchemeVjp<T, F>> {
    scheme: &'a S,
    loss: &'a dyn Loss<T, F::State>,
    plan: &'a SavePlan<T>,
    work: VjpWork<T, F, S::Method>,
    /// The dense output, where save points lie between the ends of steps.
    output: Option<BoxedDenseOutputVjp<'a, T, F>>,
    watch: Watch,
    flow: Option<Box<Flow<T, F::State>>>,
    events: EventsVjp<F, F::State>,
    /// The evaluations of the keepers, and what they report.
    evaluations: u64,
    strategy: StrategyStats,
    /// The steps of the legs, the last one first.
    records: Vec<StepRecord<T>>,
}

impl<T, F, S> Back<'_, T, F, S>
where
    T: Real,
    F: FieldVjp<T>,
    S: SchemeVjp<T, F>,
{
    /// Takes the cotangents of the state after a leg, and after the events at its end, to those of the state at its
    /// start.
    fn over<K: Keeper<T, F, S>>(
        &mut self,
        problem: &Problem<T, F>,
        leg: Traversed<T, F, S, K>,
        mut after: Adjoint<F::State, F>,
    ) -> Result<Adjoint<F::State, F>, Stop> {
        let Traversed { y0, t0, t1, mut state, events, record, mut points, mut read, mut keeper } =
            leg;
        let sides = record.sides();
        let Self { scheme, loss, plan, work, output, watch, flow, .. } = self;
        let Problem { field, y0: first, .. } = problem;
        let between = output.as_mut().map(|output| Between::new(&mut **output, first));
        let between = between.as_ref();
        let leg = Leg { field, y0: y0.as_ref().unwrap_or(first), t0, t1, sides, kept: 0 };
        let mut at_end = T::ZERO;
        if let Some(last) = events.last().filter(|last| last.event.action == Action::End)
            && let Some(index) = points.next_at(record.len())
        {
            // What is saved there moves with the event.
            let t1 = plan.time(index, t1);
            for Cotangent { state, .. } in after.each() {
                loss.cotangent(index, t1, &last.before, state);
            }
            at_end = loss.time_cotangent(index, t1, &last.before);
        }
        let step = (t1 - t0).abs() / T::from_f64(record.len().max(1) as f64);
        let occurred = (scheme.solution(&state), step, &events[..]);
        self.events.back(field, sides, occurred, (*loss, at_end), &mut after)?;
        let mut adjoint = after.map(|after| {
            let mut bar = scheme.zero_bar(&after);
            if after.as_slice().iter().any(|bar| *bar != T::ZERO) {
                scheme.add_to_bar(&state, &mut bar, |_, bar| support::add(bar, [&after]));
            }
            bar
        });
        let pass = Pass { scheme: *scheme, leg, record: &record, between };
        let add_cotangent =
            |points: &mut Points, (steps, t), state: &_, adjoint: &mut Adjoint<_, _>| {
                let mut added = false;
                while let Some(index) = points.next_at(steps) {
                    let t = plan.time(index, t);
                    for Cotangent { state: bar, .. } in adjoint.each() {
                        scheme.add_to_bar(state, bar, |y, bar| loss.cotangent(index, t, y, bar));
                    }
                    added = true;
                    if points.are_at_each_step() {
                        break;
                    }
                }
                added
            };
        add_cotangent(&mut points, (record.len(), t1), &state, &mut adjoint);
        watch.begin(record.len());
        watch.look(*scheme, (record.len(), t1), &adjoint);
        if let Some(flow) = flow {
            flow.sides = sides;
            flow.start((*scheme, field), t1, &state, &adjoint.main.state);
        }
        work.last = None;
        for step in record.rev() {
            let read_there = between
                .map_or(0, |x| read.seed::<F, S>(field, step, *loss, x, flow.as_deref_mut()));
            points.skip(read_there);
            let read_there = between.filter(|_| read_there > 0);
            if let Some(between) = read_there {
                between.add_to(*scheme, true, &state, &mut adjoint);
            }
            keeper.step_back(&pass, step, &mut state, &mut adjoint, work)?;
            scheme.check_vjp(step, &state, &mut adjoint.main.state)?;
            if let Some(between) = read_there {
                between.add_to(*scheme, false, &state, &mut adjoint);
            }
            if let Some(flow) = flow {
                flow.step((*scheme, field), step, work, &state, &adjoint.main.state);
            }
            let added = add_cotangent(&mut points, (step.index, step.t), &state, &mut adjoint);
            if let Some(flow) = flow.as_mut().filter(|_| added) {
                flow.add(*scheme, &state, &adjoint.main.state);
            }
            watch.look(*scheme, (step.index, step.t), &adjoint);
        }
        self.evaluations += keeper.evaluations(scheme);
        self.strategy = keeper.report().and(self.strategy);
        self.records.push(record);
        Ok(adjoint.map(|bar| scheme.start_vjp(bar)))
    }
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
