//! Cotangents of values between the ends of a step, through the step.

use crate::{FieldVjp, InterpolantVjp, MethodVjp, Real, State, Step, StepFailure, support};

/// A cotangent of the state and that of the parameters.
pub type Bars<'a, S, F> = (&'a mut S, &'a mut F);

/// The VJP of an increment with values between its ends: [`MethodVjp::dense_output_vjp`] makes one.
///
/// A value is the state `u` that the increment starts from and a sum of the stage derivatives. What its cotangent means for
/// the stage derivatives goes along with the VJP of the increment; what it means for `u` is itself, which the caller adds.
pub trait DenseOutputVjp<T: Real, F: FieldVjp<T>> {
    /// Adds the cotangent `y_bar` of `y(t + theta h)` to those that the VJP of the increment takes along.
    fn seed(&mut self, field: &F, step: Step<T>, theta: T, y_bar: &F::State);

    /// Takes the increment of `step` from `u` again, keeps what its VJP needs, that of the embedded increment too where
    /// the gradient's error is `estimated`, and returns it.
    ///
    /// # Errors
    /// [`StepFailure`] where the increment has one.
    fn tape(
        &mut self,
        field: &F,
        step: Step<T>,
        u: &F::State,
        estimated: bool,
    ) -> Result<&F::State, StepFailure>;

    /// Adds what the cotangent of the increment that was [taped](Self::tape) means for `u` and the parameters, together
    /// with those of its values, which it forgets. Where the gradient's error is estimated the `embedded` ones go along
    /// through the embedded increment. The cotangents of both increments are scratch space afterwards; the second
    /// one has no meaning where there are no `embedded` ones. Returns the cotangent of
    /// time at constant `h` and `theta`, that of the embedded increment left out.
    fn increment_vjp(
        &mut self,
        field: &F,
        step: Step<T>,
        u: &F::State,
        psi_bars: [&mut F::State; 2],
        main: Bars<'_, F::State, F>,
        embedded: Option<Bars<'_, F::State, F>>,
    ) -> T;

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
    /// The increment.
    psi: S,
}

impl<'a, M, Taped, S> Increment<'a, M, Taped, S> {
    fn new<T: Real, F: FieldVjp<T, State = S>>(method: &'a M, field: &F, u: &S) -> Self
    where
        M: MethodVjp<T, F, Taped = Taped>,
        S: State<T>,
    {
        Self { method, taped: method.taped(field, u), psi: u.zeros_like() }
    }

    /// Takes the increment again and keeps what its VJPs need.
    fn tape<T: Real, F: FieldVjp<T, State = S>>(
        &mut self,
        field: &F,
        step: Step<T>,
        u: &S,
        estimated: bool,
    ) -> Result<(), StepFailure>
    where
        M: MethodVjp<T, F, Taped = Taped>,
    {
        self.method.increment_taped(field, step, u, &mut self.taped, &mut self.psi)?;
        if estimated {
            self.method.tape_embedded(field, step, u, &mut self.taped);
        }
        Ok(())
    }
}

/// The VJP of the dense output that a method's interpolant is.
struct OfInterpolantVjp<'a, M, Taped, Extra, S> {
    increment: Increment<'a, M, Taped, S>,
    extra: Extra,
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
    }

    fn tape(
        &mut self,
        field: &F,
        step: Step<T>,
        u: &F::State,
        estimated: bool,
    ) -> Result<&F::State, StepFailure> {
        let Self { increment, extra } = self;
        increment.tape(field, step, u, estimated)?;
        increment.method.tape_extra(field, step, u, (&mut increment.taped, extra));
        Ok(&increment.psi)
    }

    fn increment_vjp(
        &mut self,
        field: &F,
        step: Step<T>,
        _: &F::State,
        [psi_bar, psi_hat]: [&mut F::State; 2],
        (bar, model): Bars<'_, F::State, F>,
        embedded: Option<Bars<'_, F::State, F>>,
    ) -> T {
        let Self { increment: Increment { method, taped, .. }, extra } = self;
        if let Some((hat, model_hat)) = embedded {
            let (psi_bars, models) = ([&*psi_bar, &*psi_hat], [model, model_hat]);
            let taped = (taped, extra);
            method.extended_vjp_with_embedded(field, step, taped, psi_bars, [bar, hat], models)
        } else {
            method.extended_vjp(field, step, (taped, extra), psi_bar, bar, model)
        }
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
    /// The cotangents of the increment and of the derivatives at both ends, from the values.
    psi_bar: S,
    slopes: [S; 2],
    /// Scratch space.
    end: S,
    f: S,
    bar: S,
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
    Box::new(CubicHermiteVjp {
        increment: Increment::new(method, field, u),
        tape: field.tape(),
        psi_bar: u.zeros_like(),
        slopes: [u.zeros_like(), u.zeros_like()],
        end: u.zeros_like(),
        f: u.zeros_like(),
        bar: u.zeros_like(),
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
        // `y = u + s psi + h b (rest f0 − θ f1)`, as in `CubicHermite`.
        let rest = T::ONE - theta;
        let between = theta * rest;
        let s = theta + between * (theta - rest);
        let [f0, f1] = &mut self.slopes;
        support::add_scaled(&mut self.psi_bar, s, y_bar);
        support::add_scaled(f0, step.h * between * rest, y_bar);
        support::add_scaled(f1, -(step.h * between * theta), y_bar);
    }

    fn tape(
        &mut self,
        field: &F,
        step: Step<T>,
        u: &F::State,
        estimated: bool,
    ) -> Result<&F::State, StepFailure> {
        self.increment.tape(field, step, u, estimated)?;
        Ok(&self.increment.psi)
    }

    fn increment_vjp(
        &mut self,
        field: &F,
        step: Step<T>,
        u: &F::State,
        [psi_bar, psi_hat]: [&mut F::State; 2],
        (u_bar, model): Bars<'_, F::State, F>,
        mut embedded: Option<Bars<'_, F::State, F>>,
    ) -> T {
        let Self { increment, tape, psi_bar: of_values, slopes, end, f, bar, .. } = self;
        let Increment { method, taped, psi } = increment;
        support::stage(end, u, [(T::ONE, psi)]);
        support::add(psi_bar, [of_values]);
        if embedded.is_some() {
            support::add(psi_hat, [of_values]);
        }
        // What the derivatives at the ends mean for the states there, and for the parameters. The end is `u + psi`.
        let states = [(step.t, u, false), (step.end, end, true)];
        let mut t_bar = T::ZERO;
        for ((t, y, at_end), slope) in states.into_iter().zip(&*slopes) {
            field.eval_taped_on(step.sides, t, y, f, tape);
            t_bar += field.vjp_on(step.sides, t, y, tape, slope, bar, model);
            support::add(u_bar, [bar]);
            if at_end {
                support::add(psi_bar, [bar]);
            }
            if let Some((hat, model_hat)) = &mut embedded {
                field.vjp_on(step.sides, t, y, tape, slope, bar, model_hat);
                support::add(&mut **hat, [&*bar]);
                if at_end {
                    support::add(psi_hat, [&*bar]);
                }
            }
            self.evaluations += 1;
            self.vjps += 1 + u64::from(embedded.is_some());
        }
        t_bar += if let Some((hat, model_hat)) = embedded {
            let (psi_bars, models) = ([&*psi_bar, &*psi_hat], [model, model_hat]);
            method.vjp_with_embedded(field, step, taped, psi_bars, [u_bar, hat], models)
        } else {
            method.increment_vjp(field, step, taped, psi_bar, u_bar, model)
        };
        let [start, end] = slopes;
        for bar in [of_values, start, end] {
            bar.fill(T::ZERO);
        }
        t_bar
    }

    fn evaluations(&self) -> u64 {
        self.evaluations + self.increment.method.taped_evaluations(&self.increment.taped)
    }
    fn vjps(&self) -> u64 {
        self.vjps + self.increment.method.vjps(&self.increment.taped)
    }
}
