//! The VJP of a Rosenbrock step: exact for the discrete step, from one factorisation.
//!
//! With `U_i = W⁻ᵀ K_bar_i`, from the last stage to the first (`docs/stiff.md`):
//!
//! ```text
//! K_bar_i = m_i psi_bar + Σ_{j>i} (a_ji Y_bar_j + (c_ji/h) U_j),      Y_bar_i = (∂f/∂y)(t_i, Y_i)ᵀ U_i
//! u_bar  += Y_bar_i + ∂/∂u ⟨U_i, J K_i + γ_i h ∂f/∂t⟩
//! ```
//!
//! and with respect to parameters and time likewise. The last term is the [`JacobianVjp`]: no second derivative is formed.

use super::Rosenbrock;
use super::stages::{RosenbrockStages, is_at_start, stage_time};
use crate::dense::{Bars, BoxedDenseOutputVjp, DenseOutputVjp};
use crate::slices::update;
use crate::{JacobianVjp, Real, State, Step, StepFailure, support};

/// What an increment of the Rosenbrock method `R` leaves for its VJP, and scratch space.
#[derive(Debug)]
pub struct RosenbrockTaped<T: Real, F: JacobianVjp<T>, R> {
    stages: RosenbrockStages<T, F::State, R>,
    /// Of each stage.
    tapes: Vec<F::Tape>,
    /// The cotangents of the `K_i`, which become the `U_i`, and those of the states of the stages.
    k_bar: Vec<F::State>,
    y_bar: Vec<F::State>,
    /// The cotangents of the `K_i` that come from values between the ends of the step.
    of_values: Option<Vec<F::State>>,
    /// Scratch space.
    bar: F::State,
    vjps: u64,
}

impl<T: Real, F: JacobianVjp<T>, R: Rosenbrock> RosenbrockTaped<T, F, R> {
    /// For states like `u`.
    pub fn new(field: &F, u: &F::State) -> Self {
        let zeros = || (0..R::STAGES).map(|_| u.zeros_like()).collect();
        Self {
            stages: RosenbrockStages::new(u),
            tapes: (0..R::STAGES).map(|_| field.tape()).collect(),
            k_bar: zeros(),
            y_bar: zeros(),
            of_values: None,
            bar: u.zeros_like(),
            vjps: 0,
        }
    }

    /// The increment, to the bits of [`RosenbrockStages::increment`], with what its VJP needs.
    ///
    /// # Errors
    /// [`StepFailure`] where that has one.
    pub fn increment(
        &mut self,
        field: &F,
        step: Step<T>,
        u: &F::State,
        psi: &mut F::State,
    ) -> Result<(), StepFailure> {
        let Self { stages, tapes, .. } = self;
        stages.increment_by(field, step, u, psi, |i, t, y, f| {
            field.eval_taped_on(step.sides, t, y, f, &mut tapes[i]);
        })
    }

    /// The VJP of the increment with the weights `m_i`, less those of the error where it is that of the `embedded` method. Adds to
    /// the cotangents and returns that of time at constant step size.
    pub fn vjp(
        &mut self,
        field: &F,
        step: Step<T>,
        embedded: bool,
        psi_bar: &F::State,
        (u_bar, model_bar): Bars<'_, F::State, F>,
    ) -> T {
        let Self { stages, tapes, k_bar, y_bar, of_values, bar, vjps } = self;
        let (k, y) = (stages.increments(), stages.states());
        let mut t_bar = T::ZERO;
        for i in (0..R::STAGES).rev() {
            let error = R::ERROR.filter(|_| embedded).map_or(0.0, |error| error[i]);
            let weight = T::from_f64(R::M[i] - error);
            let (u_i, later) = k_bar[i..].split_first_mut().unwrap_or_else(|| unreachable!());
            match of_values {
                Some(of_values) => u_i.assign(&of_values[i]),
                None => u_i.fill(T::ZERO),
            }
            support::add_scaled(u_i, weight, psi_bar);
            for (j, u_j) in (i + 1..).zip(later) {
                if R::A[j][i] != 0.0 {
                    support::add_scaled(u_i, T::from_f64(R::A[j][i]), &y_bar[j]);
                }
                if R::C[j][i] != 0.0 {
                    support::add_scaled(u_i, T::from_f64(R::C[j][i]) / step.h, u_j);
                }
            }
            stages.solve_transposed(u_i);
            let tape = &mut tapes[if is_at_start::<R>(i) { 0 } else { i }];
            let t = stage_time::<T, R>(step, i);
            let y_bar = &mut y_bar[i];
            t_bar += field.vjp_on(step.sides, t, &y[i], tape, u_i, y_bar, model_bar);
            let t_dot =
                if F::AUTONOMOUS { T::ZERO } else { T::from_f64(R::TIME_FACTORS[i]) * step.h };
            t_bar +=
                field.jacobian_vjp(step.sides, step.t, &y[0], t_dot, &k[i], u_i, bar, model_bar);
            update(u_bar.as_mut_slice(), [y_bar.as_slice(), bar.as_slice()], |u, [y, j]| {
                u + (y + j)
            });
            *vjps += 1;
        }
        t_bar
    }

    /// The field where the increment starts.
    pub fn start_derivative(&self) -> &F::State {
        self.stages.start_derivative()
    }

    /// The field evaluations and the field VJPs so far.
    pub fn counts(&self) -> (u64, u64) {
        (self.stages.evaluations(), self.vjps)
    }
}

/// The VJP of an increment with values between its ends.
struct OfRosenbrockVjp<T: Real, F: JacobianVjp<T>, R> {
    taped: RosenbrockTaped<T, F, R>,
    psi: F::State,
    /// The cotangent of the increment that comes from the values.
    psi_bar: F::State,
}

/// The VJP of the dense output of the method `R`.
pub fn of_rosenbrock_vjp<'a, R, T, F>(field: &'a F, u: &F::State) -> BoxedDenseOutputVjp<'a, T, F>
where
    R: Rosenbrock + 'a,
    T: Real,
    F: JacobianVjp<T>,
{
    let mut taped = RosenbrockTaped::<T, F, R>::new(field, u);
    taped.of_values = Some((0..R::STAGES).map(|_| u.zeros_like()).collect());
    Box::new(OfRosenbrockVjp { taped, psi: u.zeros_like(), psi_bar: u.zeros_like() })
}

impl<T: Real, F: JacobianVjp<T>, R: Rosenbrock> DenseOutputVjp<T, F> for OfRosenbrockVjp<T, F, R> {
    fn seed(&mut self, _: &F, _: Step<T>, theta: T, y_bar: &F::State) {
        support::add_scaled(&mut self.psi_bar, theta, y_bar);
        let mut weight = theta * (T::ONE - theta);
        for row in R::H {
            for (bar, h) in self.taped.of_values.iter_mut().flatten().zip(*row) {
                support::add_scaled(bar, weight * T::from_f64(*h), y_bar);
            }
            weight *= theta;
        }
    }

    fn tape(
        &mut self,
        field: &F,
        step: Step<T>,
        u: &F::State,
        _: bool,
    ) -> Result<&F::State, StepFailure> {
        self.taped.increment(field, step, u, &mut self.psi)?;
        Ok(&self.psi)
    }

    fn increment_vjp(
        &mut self,
        field: &F,
        step: Step<T>,
        _: &F::State,
        [psi_bar, psi_hat]: [&mut F::State; 2],
        main: Bars<'_, F::State, F>,
        embedded: Option<Bars<'_, F::State, F>>,
    ) -> T {
        let Self { taped, psi_bar: of_values, .. } = self;
        support::add(psi_bar, [&*of_values]);
        let t_bar = taped.vjp(field, step, false, psi_bar, main);
        if let Some(embedded) = embedded {
            support::add(psi_hat, [&*of_values]);
            taped.vjp(field, step, true, psi_hat, embedded);
        }
        for bar in taped.of_values.iter_mut().flatten().chain([of_values]) {
            bar.fill(T::ZERO);
        }
        t_bar
    }

    fn evaluations(&self) -> u64 {
        self.taped.counts().0
    }
    fn vjps(&self) -> u64 {
        self.taped.counts().1
    }
}
