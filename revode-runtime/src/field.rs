//! Vector fields `f(t, y)` and their derivatives.
//!
//! `ode!` implements all of these traits; by hand, [`VectorField`] is enough to solve, and
//! [`Parameters`] and [`FieldVjp`] are what gradients need.

use crate::slices::largest;
use crate::{Event, Real, Sides, State, Switch};

/// The right-hand side of `dy/dt = f(t, y)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a vector field over `{T}`",
    note = "declare it with `ode!`, or implement `VectorField<{T}>` by hand"
)]
pub trait VectorField<T: Real> {
    /// What `y` and `dy` are.
    type State: State<T>;

    /// Whether the field jumps at places that it knows: its events that are [`Action::Switch`](crate::Action::Switch). A
    /// solve then ends a step at each, and evaluates the field by [`eval_on`](Self::eval_on) on the side on which the
    /// solution is.
    ///
    /// A field by hand that says so lists all its jumps as events, [`Sides::MOST`] at the most, and implements
    /// [`eval_on`](Self::eval_on), and for gradients [`FieldVjp::eval_taped_on`] and [`FieldVjp::vjp_on`]; where the place of
    /// a jump moves with another jump, [`trigger_on`](Self::trigger_on).
    const JUMPS: bool = false;

    /// Writes `f(t, y)` to `dy`. Equal inputs give equal bits.
    fn eval(&self, t: T, y: &Self::State, dy: &mut Self::State);

    /// [`eval`](Self::eval) on the given sides of the field's jumps, wherever `t` and `y` are.
    #[inline(always)]
    fn eval_on(&self, sides: Sides, t: T, y: &Self::State, dy: &mut Self::State) {
        let _ = sides;
        self.eval(t, y, dy);
    }

    /// Checks that `y` and the parameters fit each other, before the first step. Only sizes known
    /// at run time can be wrong.
    ///
    /// # Errors
    /// [`ShapeError`] names what has the wrong shape.
    fn check(&self, y: &Self::State) -> Result<(), ShapeError> {
        let _ = y;
        Ok(())
    }

    /// The number of switching functions: how many numbers change sign where the field changes branches and is not
    /// smooth ([`Switch`]). `ode!` knows those of its equations; a field by hand has none unless it says so, and is
    /// taken for smooth.
    ///
    /// It depends on the sizes of the model only, not on the values of its parameters.
    fn switch_count(&self) -> usize {
        0
    }

    /// Writes the values of the switching functions at `(t, y)` to `values`, of which there are
    /// [`switch_count`](Self::switch_count). Each is as large as what it is the value of: only where it changes sign
    /// matters, and 0 is the place itself. Equal inputs give equal bits. Fields that `ode!` generates allocate
    /// nothing here unless they have `dims`.
    ///
    /// # Panics
    /// Possibly, if there are fewer `values`.
    fn switches(&self, t: T, y: &Self::State, values: &mut [T]) {
        let _ = (t, y, values);
    }

    /// What the switching function is whose value [`switches`](Self::switches) writes to `values[i]`, for messages
    /// and decisions; not for inner loops, for it allocates.
    ///
    /// # Panics
    /// If `i` is not below [`switch_count`](Self::switch_count).
    fn switch(&self, i: usize) -> Switch {
        panic!("there is no switching function {i}")
    }

    /// The number of [events](Event). It depends on the sizes of the model only, not on the values of its parameters.
    fn event_count(&self) -> usize {
        0
    }

    /// What event `i` is.
    ///
    /// # Panics
    /// If `i` is not below [`event_count`](Self::event_count).
    fn event(&self, i: usize) -> Event {
        panic!("there is no event {i}")
    }

    /// The function of time and state that reaches 0 where event `i` happens; `t` less the event's time where that is
    /// [`Trigger::Time`](crate::Trigger::Time). Equal inputs give equal bits.
    ///
    /// # Panics
    /// If `i` is not below [`event_count`](Self::event_count).
    fn trigger(&self, i: usize, t: T, y: &Self::State) -> T {
        let _ = (t, y);
        panic!("there is no event {i}")
    }

    /// [`trigger`](Self::trigger) of an event that is a jump, on the given sides of the other jumps: its place can move with
    /// them.
    fn trigger_on(&self, sides: Sides, i: usize, t: T, y: &Self::State) -> T {
        let _ = sides;
        self.trigger(i, t, y)
    }

    /// Changes the state `y` to what it is after event `i` at `t`. Called for those that are
    /// [`Action::Reset`](crate::Action::Reset).
    fn reset(&self, i: usize, t: T, y: &mut Self::State) {
        let _ = (i, t, y);
    }
}

/// A parameter or state whose run-time size is not the declared one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` has shape {found:?}, but `{declared}` is {expected:?}")]
pub struct ShapeError {
    /// The parameter, or `y` for the state.
    pub name: &'static str,
    /// Its declaration, as written.
    pub declared: &'static str,
    /// The shape that the declaration asks for.
    pub expected: Vec<usize>,
    /// The shape that it has.
    pub found: Vec<usize>,
}

/// What a model is made of: flat slices, one for each declared parameter, in the order of
/// declaration; a matrix is one slice, column-major.
///
/// A gradient with respect to a model has the model's type, so an optimiser zips the slices of both.
#[diagnostic::on_unimplemented(
    message = "the parameters of `{Self}` cannot be reached as slices",
    note = "`ode!` implements `Parameters`; by hand, list the slices of your parameters"
)]
pub trait Parameters<T: Real>: Clone {
    /// The names of the parameters, one for each slice.
    fn names() -> &'static [&'static str];
    /// The parameters.
    fn slices(&self) -> impl Iterator<Item = &[T]>;
    /// The parameters, to write to.
    fn slices_mut(&mut self) -> impl Iterator<Item = &mut [T]>;

    /// A model of the same shape with all parameters zero: where a gradient starts.
    #[must_use]
    fn zeros_like(&self) -> Self {
        let mut zeros = self.clone();
        zeros.slices_mut().for_each(|slice| slice.fill(T::ZERO));
        zeros
    }
}

/// The first parameter of which `is` holds, as an error message names it, and its value.
///
/// A pointer to a function, so that it is compiled once a model and not once a solver.
pub(crate) fn find_parameter<T: Real, P: Parameters<T>>(
    model: &P,
    is: fn(T) -> bool,
) -> Option<(String, T)> {
    model.slices().enumerate().find_map(|(number, slice)| {
        let i = slice.iter().position(|x| is(*x))?;
        let name = P::names().get(number).copied().unwrap_or("a parameter without name");
        let entry = if slice.len() > 1 { format!("entry {i} of ") } else { String::new() };
        Some((format!("{entry}`{name}`"), slice[i]))
    })
}

/// The largest absolute value of a parameter; NaN is passed over.
pub(crate) fn largest_parameter<T: Real>(model: &impl Parameters<T>) -> f64 {
    model.slices().map(largest).fold(0.0, f64::max)
}

/// The vector–Jacobian product of a field with respect to state, parameters and time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no vector–Jacobian product over `{T}`",
    note = "declare the field with `ode!`, or implement `FieldVjp<{T}>` and test it with `check_vjp`"
)]
pub trait FieldVjp<T: Real>: VectorField<T> + Parameters<T> {
    /// What an evaluation leaves for its VJP, so that nothing expensive is computed twice
    /// (activations, products of matrices), and the VJP's scratch space. `()` where there is none.
    type Tape;

    /// An empty tape of the right size.
    fn tape(&self) -> Self::Tape;

    /// [`VectorField::eval`], to the same bits, that also fills the tape.
    #[inline(always)]
    fn eval_taped(&self, t: T, y: &Self::State, dy: &mut Self::State, tape: &mut Self::Tape) {
        let _ = tape;
        self.eval(t, y, dy);
    }

    /// Writes `(∂f/∂y)ᵀ dy_bar` to `y_bar`, *adds* `(∂f/∂θ)ᵀ dy_bar` to `model_bar` and returns
    /// `(∂f/∂t)ᵀ dy_bar`. `tape` is what [`eval_taped`](Self::eval_taped) left at the same `t, y`; it serves several
    /// VJPs, so what they need of it must stay.
    fn vjp(
        &self,
        t: T,
        y: &Self::State,
        tape: &mut Self::Tape,
        dy_bar: &Self::State,
        y_bar: &mut Self::State,
        model_bar: &mut Self,
    ) -> T;

    /// The VJP of [`trigger`](VectorField::trigger): writes `(∂g/∂y)ᵀ bar` to `y_bar`, *adds* `(∂g/∂θ)ᵀ bar` to
    /// `model_bar` and returns `(∂g/∂t) bar`. `None` for a field by hand that does not implement it, whose gradient is
    /// then an error where an event happens.
    fn trigger_vjp(
        &self,
        i: usize,
        t: T,
        y: &Self::State,
        bar: T,
        y_bar: &mut Self::State,
        model_bar: &mut Self,
    ) -> Option<T> {
        let _ = (i, t, y, bar, y_bar, model_bar);
        None
    }

    /// The VJP of [`reset`](VectorField::reset) of the state `y`: writes `(∂R/∂y)ᵀ after_bar` to `y_bar`, *adds*
    /// `(∂R/∂θ)ᵀ after_bar` to `model_bar` and returns `(∂R/∂t)ᵀ after_bar`. `None` as in
    /// [`trigger_vjp`](Self::trigger_vjp).
    fn reset_vjp(
        &self,
        i: usize,
        t: T,
        y: &Self::State,
        after_bar: &Self::State,
        y_bar: &mut Self::State,
        model_bar: &mut Self,
    ) -> Option<T> {
        let _ = (i, t, y, after_bar, y_bar, model_bar);
        None
    }

    /// [`eval_taped`](Self::eval_taped) on the given sides of the field's jumps.
    #[inline(always)]
    fn eval_taped_on(
        &self,
        sides: Sides,
        t: T,
        y: &Self::State,
        dy: &mut Self::State,
        tape: &mut Self::Tape,
    ) {
        let _ = sides;
        self.eval_taped(t, y, dy, tape);
    }

    /// [`vjp`](Self::vjp) on the given sides of the field's jumps.
    #[inline(always)]
    fn vjp_on(
        &self,
        sides: Sides,
        t: T,
        y: &Self::State,
        tape: &mut Self::Tape,
        dy_bar: &Self::State,
        y_bar: &mut Self::State,
        model_bar: &mut Self,
    ) -> T {
        let _ = sides;
        self.vjp(t, y, tape, dy_bar, y_bar, model_bar)
    }

    /// Value and VJP in one, every shared subexpression computed once.
    #[inline]
    fn eval_vjp(
        &self,
        t: T,
        y: &Self::State,
        dy_bar: &Self::State,
        dy: &mut Self::State,
        y_bar: &mut Self::State,
        model_bar: &mut Self,
    ) -> T {
        let mut tape = self.tape();
        self.eval_taped(t, y, dy, &mut tape);
        self.vjp(t, y, &mut tape, dy_bar, y_bar, model_bar)
    }
}

/// The Jacobian–vector product of a field with respect to state, parameters and time.
pub trait FieldJvp<T: Real>: VectorField<T> + Parameters<T> {
    /// Writes `(∂f/∂t) t_dot + (∂f/∂y) y_dot + (∂f/∂θ) model_dot` to `dy_dot`.
    fn jvp(
        &self,
        t: T,
        y: &Self::State,
        t_dot: T,
        y_dot: &Self::State,
        model_dot: &Self,
        dy_dot: &mut Self::State,
    );
}

/// The Jacobian `∂f/∂y` of a field, and its derivative with respect to time: what linearly implicit methods take.
#[diagnostic::on_unimplemented(
    message = "the field `{Self}` has no Jacobian over `{T}`",
    label = "a method for stiff equations needs one",
    note = "`ode!` generates it; a field by hand implements `FieldJacobian<{T}>`"
)]
pub trait FieldJacobian<T: Real>: VectorField<T> {
    /// Whether the field does not depend on time, so that its derivative with respect to time is not asked for.
    const AUTONOMOUS: bool = false;

    /// Writes `∂f/∂t` to `f_t`, on the given sides of the field's jumps.
    fn time_derivative(&self, sides: Sides, t: T, y: &Self::State, f_t: &mut Self::State);

    /// Writes `∂f_i/∂y_j` to row `i` and column `j` of `jacobian`, on the given sides of the field's jumps.
    fn jacobian(
        &self,
        sides: Sides,
        t: T,
        y: &Self::State,
        jacobian: &mut <Self::State as State<T>>::Square,
    );
}

/// The vector–Jacobian product of the Jacobian–vector product: what the gradient of a linearly implicit step takes.
#[diagnostic::on_unimplemented(
    message = "the Jacobian of the field `{Self}` has no vector–Jacobian product over `{T}`",
    label = "the gradient through a Rosenbrock step needs one",
    note = "`ode!` generates it; a field by hand implements `JacobianVjp<{T}>`"
)]
pub trait JacobianVjp<T: Real>: FieldVjp<T> + FieldJacobian<T> {
    /// Of `dy_barᵀ ((∂f/∂t) t_dot + (∂f/∂y) y_dot)`: writes the derivative with respect to `y` to `y_bar`, *adds* that with respect
    /// to the parameters to `model_bar` and returns that with respect to `t`, on the given sides of the field's jumps. Tangents
    /// and cotangents are constants.
    fn jacobian_vjp(
        &self,
        sides: Sides,
        t: T,
        y: &Self::State,
        t_dot: T,
        y_dot: &Self::State,
        dy_bar: &Self::State,
        y_bar: &mut Self::State,
        model_bar: &mut Self,
    ) -> T;
}
