//! Cotangents of values between the ends of a step, through the step.

use crate::{FieldVjp, InterpolantVjp, MethodVjp, Real, State, Step, StepFailure, support};

/// A cotangent of the state and that of the parameters.
pub type Bars<'a, S, F> = (&'a mut S, &'a mut F);

/// The VJP of a step of which values between its ends were read: [`MethodVjp::dense_output_vjp`] makes one.
pub trait DenseOutputVjp<T: Real, F: FieldVjp<T>> {
    /// Adds the cotangent `y_bar` of `y(t + theta h)` to those that the VJP of the step takes along.
    fn seed(&mut self, field: &F, step: Step<T>, theta: T, y_bar: &F::State);

    /// Takes the step with these ends again and turns the cotangent of its end, together with those of its values, into
    /// that of its start; adds to those of the parameters. Where the gradient's error is estimated the `embedded` ones go
    /// along through the embedded increment. Forgets the cotangents of the values.
    ///
    /// # Errors
    /// [`StepFailure`] where the increment has one.
    fn step_vjp(
        &mut self,
        field: &F,
        step: Step<T>,
        ends: [&F::State; 2],
        main: Bars<'_, F::State, F>,
        embedded: Option<Bars<'_, F::State, F>>,
    ) -> Result<(), StepFailure>;

    /// The field evaluations so far.
    fn evaluations(&self) -> u64;
    /// The field VJPs so far.
    fn vjps(&self) -> u64;
}

/// The VJP of a dense output.
pub type BoxedDenseOutputVjp<'a, T, F> = Box<dyn DenseOutputVjp<T, F> + 'a>;

/// The VJPs of a method's increment and embedded increment, with their scratch space.
struct Increment<'a, M, Taped, S> {
    method: &'a M,
    taped: Taped,
    /// The increment, its cotangent and that of the embedded one.
    psi: S,
    psi_bar: S,
    psi_hat: S,
}

impl<'a, M, Taped, S> Increment<'a, M, Taped, S> {
    fn new<T: Real, F: FieldVjp<T, State = S>>(method: &'a M, field: &F, u: &S) -> Self
    where
        M: MethodVjp<T, F, Taped = Taped>,
        S: State<T>,
    {
        let [psi, psi_bar, psi_hat] = [u, u, u].map(State::zeros_like);
        Self { method, taped: method.taped(field, u), psi, psi_bar, psi_hat }
    }

    /// Takes the increment again and keeps what its VJPs need.
    fn tape<T: Real, F: FieldVjp<T, State = S>>(
        &mut self,
        field: &F,
        step: Step<T>,
        u: &S,
        embedded: bool,
    ) -> Result<(), StepFailure>
    where
        M: MethodVjp<T, F, Taped = Taped>,
    {
        self.method.increment_taped(field, step, u, &mut self.taped, &mut self.psi)?;
        if embedded {
            self.method.tape_embedded(field, step, u, &mut self.taped);
        }
        Ok(())
    }
}

/// The VJP of the dense output that a method's interpolant is.
struct OfInterpolantVjp<'a, M, Taped, Extra, S> {
    increment: Increment<'a, M, Taped, S>,
    extra: Extra,
    /// The sum of the cotangents of the values, each of which starts from `u`.
    u_bar: S,
}

/// The VJP of the dense output of a method that `#[tableau]` declares.
#[inline(never)]
pub fn of_interpolant_vjp<'a, T, F, M>(
    method: &'a M,
    field: &'a F,
    u: &F::State,
) -> BoxedDenseOutputVjp<'a, T, F>
where
    T: Real,
    F: FieldVjp<T>,
    M: InterpolantVjp<T, F>,
{
    Box::new(OfInterpolantVjp {
        increment: Increment::new(method, field, u),
        extra: method.taped_extra(field, u),
        u_bar: u.zeros_like(),
    })
}

impl<T, F, M> DenseOutputVjp<T, F> for OfInterpolantVjp<'_, M, M::Taped, M::TapedExtra, F::State>
where
    T: Real,
    F: FieldVjp<T>,
    M: InterpolantVjp<T, F>,
{
    fn seed(&mut self, field: &F, step: Step<T>, theta: T, y_bar: &F::State) {
        self.increment.method.interpolate_vjp(field, step, theta, y_bar, &mut self.extra);
        support::add(&mut self.u_bar, [y_bar]);
    }

    fn step_vjp(
        &mut self,
        field: &F,
        step: Step<T>,
        [u, _]: [&F::State; 2],
        (bar, model): Bars<'_, F::State, F>,
        embedded: Option<Bars<'_, F::State, F>>,
    ) -> Result<(), StepFailure> {
        let Self { increment, extra, u_bar } = self;
        increment.tape(field, step, u, embedded.is_some())?;
        let Increment { method, taped, psi_bar, psi_hat, .. } = increment;
        method.tape_extra(field, step, u, (taped, extra));
        psi_bar.assign(bar);
        support::add(bar, [u_bar]);
        if let Some((hat, model_hat)) = embedded {
            psi_hat.assign(hat);
            support::add(hat, [u_bar]);
            let (psi_bars, models) = ([&*psi_bar, &*psi_hat], [model, model_hat]);
            let taped = (taped, extra);
            method.extended_vjp_with_embedded(field, step, taped, psi_bars, [bar, hat], models);
        } else {
            method.extended_vjp(field, step, (taped, extra), psi_bar, bar, model);
        }
        u_bar.fill(T::ZERO);
        Ok(())
    }

    fn evaluations(&self) -> u64 {
        self.increment.method.taped_evaluations(&self.increment.taped)
    }
    fn vjps(&self) -> u64 {
        self.increment.method.vjps(&self.increment.taped)
    }
}

/// The VJP of cubic Hermite.
struct CubicHermiteVjp<'a, M, Taped, Tape, S> {
    increment: Increment<'a, M, Taped, S>,
    tape: Tape,
    /// The cotangents of the states at both ends and of the derivatives there, from the values.
    states: [S; 2],
    slopes: [S; 2],
    /// Scratch space.
    scratch: S,
    evaluations: u64,
    vjps: u64,
}

/// The VJP of the dense output of a method that says nothing of values between the ends of its steps.
#[inline(never)]
pub(crate) fn cubic_hermite_vjp<'a, T, F, M>(
    method: &'a M,
    field: &'a F,
    u: &F::State,
) -> BoxedDenseOutputVjp<'a, T, F>
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F>,
{
    let pair = || [u.zeros_like(), u.zeros_like()];
    Box::new(CubicHermiteVjp {
        increment: Increment::new(method, field, u),
        tape: field.tape(),
        states: pair(),
        slopes: pair(),
        scratch: u.zeros_like(),
        evaluations: 0,
        vjps: 0,
    })
}

impl<T, F, M> DenseOutputVjp<T, F> for CubicHermiteVjp<'_, M, M::Taped, F::Tape, F::State>
where
    T: Real,
    F: FieldVjp<T>,
    M: MethodVjp<T, F>,
{
    fn seed(&mut self, _: &F, step: Step<T>, theta: T, y_bar: &F::State) {
        // `y = (1 − s) u + s y1 + h b (rest f0 − θ f1)`, as in `CubicHermite`.
        let rest = T::ONE - theta;
        let between = theta * rest;
        let s = theta + between * (theta - rest);
        let ([u, y1], [f0, f1]) = (&mut self.states, &mut self.slopes);
        support::add_scaled(u, T::ONE - s, y_bar);
        support::add_scaled(y1, s, y_bar);
        support::add_scaled(f0, step.h * between * rest, y_bar);
        support::add_scaled(f1, -(step.h * between * theta), y_bar);
    }

    fn step_vjp(
        &mut self,
        field: &F,
        step: Step<T>,
        [u, y]: [&F::State; 2],
        (bar, model): Bars<'_, F::State, F>,
        mut embedded: Option<Bars<'_, F::State, F>>,
    ) -> Result<(), StepFailure> {
        let Self { increment, tape, states, slopes, scratch, evaluations, vjps } = self;
        increment.tape(field, step, u, embedded.is_some())?;
        let Increment { method, taped, psi, psi_bar, psi_hat } = increment;
        // What the derivatives at the ends mean for the states there, and for the parameters.
        let ends = [(step.t, u), (step.end, y)];
        for ((t, y), (bar, slope)) in ends.into_iter().zip(states.iter_mut().zip(&*slopes)) {
            field.eval_taped_on(step.sides, t, y, psi, tape);
            field.vjp_on(step.sides, t, y, tape, slope, scratch, model);
            support::add(bar, [scratch]);
            if let Some((_, model_hat)) = &mut embedded {
                field.vjp_on(step.sides, t, y, tape, slope, scratch, model_hat);
            }
            *evaluations += 1;
            *vjps += 1 + u64::from(embedded.is_some());
        }
        let [start, end] = states;
        support::add(bar, [end]);
        psi_bar.assign(bar);
        support::add(bar, [start]);
        if let Some((hat, model_hat)) = embedded {
            support::add(hat, [end]);
            psi_hat.assign(hat);
            support::add(hat, [start]);
            let (psi_bars, models) = ([&*psi_bar, &*psi_hat], [model, model_hat]);
            method.vjp_with_embedded(field, step, taped, psi_bars, [bar, hat], models);
        } else {
            method.increment_vjp(field, step, taped, psi_bar, bar, model);
        }
        [start, end].into_iter().chain(slopes).for_each(|bar| bar.fill(T::ZERO));
        Ok(())
    }

    fn evaluations(&self) -> u64 {
        self.evaluations + self.increment.method.taped_evaluations(&self.increment.taped)
    }
    fn vjps(&self) -> u64 {
        self.vjps + self.increment.method.vjps(&self.increment.taped)
    }
}
