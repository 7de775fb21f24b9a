//! The step of a Rosenbrock method.

use std::marker::PhantomData;

use super::Rosenbrock;
use crate::lu::Lu;
use crate::slices::update;
use crate::{FieldJacobian, Real, Square, State, Step, StepFailure};

/// The scratch space of a Rosenbrock method: its increments `K_i`, and what belongs to the start of a step.
#[derive(Debug)]
pub struct RosenbrockStages<T: Real, S: State<T>, R> {
    k: Vec<S>,
    /// The field at the start of the step, its derivative with respect to time there, and its Jacobian.
    f: S,
    f_t: S,
    jacobian: S::Square,
    /// Whether these are known: the step starts where the last one did.
    known: bool,
    lu: Lu<S::Square>,
    /// The states of the stages.
    y: Vec<S>,
    evaluations: u64,
    method: PhantomData<(T, R)>,
}

/// `out += Σ_i weights_i k_i`; weights that are 0 are left out.
#[inline(always)]
pub(super) fn add_combination<T: Real, S: State<T>>(out: &mut S, weights: &[f64], k: &[S]) {
    for (weight, k) in weights.iter().zip(k).filter(|(weight, _)| **weight != 0.0) {
        let weight = T::from_f64(*weight);
        update(out.as_mut_slice(), [k.as_slice()], |out, [k]| out + weight * k);
    }
}

/// Whether the field of a stage is that at the start of the step.
pub(super) fn is_at_start<R: Rosenbrock>(stage: usize) -> bool {
    R::A[stage].iter().all(|a| *a == 0.0)
}

/// The time of a stage.
pub(super) fn stage_time<T: Real, R: Rosenbrock>(step: Step<T>, stage: usize) -> T {
    let node = R::NODES[stage];
    if node == 1.0 {
        step.end
    } else if (0.0..1.0).contains(&node) {
        step.stage_time(T::from_f64(node))
    } else {
        step.t + step.h * T::from_f64(node)
    }
}

impl<T: Real, S: State<T>, R: Rosenbrock> RosenbrockStages<T, S, R> {
    /// For states like `u`.
    pub fn new(u: &S) -> Self {
        let zeros = || u.zeros_like();
        Self {
            k: (0..R::STAGES).map(|_| zeros()).collect(),
            y: (0..R::STAGES).map(|_| zeros()).collect(),
            f: zeros(),
            f_t: zeros(),
            jacobian: u.square(),
            known: false,
            lu: Lu::new(u.square(), u.len()),
            evaluations: 0,
            method: PhantomData,
        }
    }

    /// The field evaluations so far, those of Jacobians and derivatives with respect to time left out.
    pub fn evaluations(&self) -> u64 {
        self.evaluations
    }

    /// The next increment starts where the last one did.
    pub fn restart(&mut self) {
        self.known = true;
    }

    /// The `K_i` of the last increment.
    pub(super) fn increments(&self) -> &[S] {
        &self.k
    }

    /// The states of its stages, that of the first one being its start.
    pub(super) fn states(&self) -> &[S] {
        &self.y
    }

    /// The field where it starts.
    pub(super) fn start_derivative(&self) -> &S {
        &self.f
    }

    /// Replaces `b` by `W⁻ᵀ b`.
    pub(super) fn solve_transposed(&self, b: &mut S) {
        self.lu.solve_transposed(b.as_mut_slice());
    }

    /// Writes `Σ m_i K_i` to `psi`.
    ///
    /// # Errors
    /// [`StepFailure`] where `W` is singular or not finite.
    #[inline]
    pub fn increment<F: FieldJacobian<T, State = S>>(
        &mut self,
        field: &F,
        step: Step<T>,
        u: &S,
        psi: &mut S,
    ) -> Result<(), StepFailure> {
        self.increment_by(field, step, u, psi, |_, t, y, f| field.eval_on(step.sides, t, y, f))
    }

    /// [`increment`](Self::increment), with the field evaluated by `eval` for the stage of its first argument.
    #[inline(always)]
    pub(super) fn increment_by<F: FieldJacobian<T, State = S>>(
        &mut self,
        field: &F,
        step: Step<T>,
        u: &S,
        psi: &mut S,
        mut eval: impl FnMut(usize, T, &S, &mut S),
    ) -> Result<(), StepFailure> {
        let Self { k, f, f_t, jacobian, known, lu, y, evaluations, .. } = self;
        if !std::mem::take(known) {
            eval(0, step.t, u, f);
            field.jacobian(step.sides, step.t, u, jacobian);
            if !F::AUTONOMOUS {
                field.time_derivative(step.sides, step.t, u, f_t);
            }
            *evaluations += 1;
        }
        let (n, diagonal) = (u.len(), T::ONE / (step.h * T::from_f64(R::GAMMA)));
        let is_regular = lu.factor(|w: &mut [T]| {
            for (w, j) in w.iter_mut().zip(jacobian.as_slice()) {
                *w = -*j;
            }
            for w in w.iter_mut().step_by(n + 1) {
                *w += diagonal;
            }
        });
        if !is_regular {
            let reason = "the matrix `I/(hγ) − J` of a Rosenbrock step is singular or not finite";
            return Err(StepFailure { reason });
        }
        for i in 0..R::STAGES {
            let (before, rest) = k.split_at_mut(i);
            let k_i = &mut rest[0];
            y[i].assign(u);
            if is_at_start::<R>(i) {
                k_i.assign(f);
            } else {
                add_combination(&mut y[i], R::A[i], before);
                eval(i, stage_time::<T, R>(step, i), &y[i], k_i);
                *evaluations += 1;
            }
            for (c, k) in R::C[i].iter().zip(before).filter(|(c, _)| **c != 0.0) {
                let c = T::from_f64(*c) / step.h;
                update(k_i.as_mut_slice(), [k.as_slice()], |k_i, [k]| k_i + c * k);
            }
            if !F::AUTONOMOUS && R::TIME_FACTORS[i] != 0.0 {
                let gamma = T::from_f64(R::TIME_FACTORS[i]) * step.h;
                update(k_i.as_mut_slice(), [f_t.as_slice()], |k_i, [f_t]| k_i + gamma * f_t);
            }
            lu.solve(k_i.as_mut_slice());
        }
        psi.fill(T::ZERO);
        add_combination(psi, R::M, k);
        Ok(())
    }

    /// Writes the difference of the last increment from the embedded one to `error`.
    #[inline]
    pub fn error(&self, error: &mut S) {
        error.fill(T::ZERO);
        add_combination(error, R::ERROR.unwrap_or_default(), &self.k);
    }
}
