//! The trajectory of a forward pass, and its gradient in numbers of 128 bits.

use super::big::{Big, BigField, Increment, add, big, bigs, f64_of, zeros};
use crate::scheme::pair::anchored::{Anchored, AnchoredState};
use crate::scheme::pair::halved::{Halved, HalvedState};
use crate::scheme::pair::{Arithmetic, PairScheme};
use crate::scheme::{Scheme, Work};
use crate::time::{Observer, Place};
use crate::{FieldVjp, Loss, MethodVjp, SolveError, State, Step, Tableau};

/// What was done to the gap after a step: `left` of it was left, 1 where nothing was done, 0 at an anchor.
#[derive(Debug, Clone, Copy)]
pub(super) struct Closing {
    pub(super) left: f64,
    /// Whether both `y` and `z` were moved, to their mean; otherwise `z` alone.
    pub(super) to_mean: bool,
}

impl Closing {
    /// The linear map: `y ← y + a (z − y)`, `z ← z − a (z − y)` with `a = (1 − left)/2`, or `z ← y + left (z − y)`.
    fn apply(self, y: &mut [Big], z: &mut [Big]) {
        let left = big(self.left);
        let part = big(0.5) * (big(1.0) - &left);
        for (y, z) in y.iter_mut().zip(z) {
            let gap = &*z - &*y;
            if self.to_mean {
                *y += &part * &gap;
                *z -= &part * &gap;
            } else {
                *z = &*y + &left * gap;
            }
        }
    }

    /// The transposed map, on cotangents.
    fn vjp(self, y_bar: &mut [Big], z_bar: &mut [Big]) {
        let left = big(self.left);
        let part = big(0.5) * (big(1.0) - &left);
        let rest = big(1.0) - &part;
        for (y_bar, z_bar) in y_bar.iter_mut().zip(z_bar) {
            let (y, z) = (y_bar.clone(), z_bar.clone());
            (*y_bar, *z_bar) = if self.to_mean {
                (&rest * &y + &part * &z, &part * &y + &rest * &z)
            } else {
                (y + (big(1.0) - &left) * &z, &left * z)
            };
        }
    }
}

/// An arithmetic whose closings can be read from the state after a step.
pub(super) trait Closes<S: State<f64>>: Arithmetic<f64, S> {
    fn closing(&self, state: &Self::State) -> Closing;

    /// The quantum of each component.
    fn quanta<'a>(&'a self, state: &'a Self::State) -> &'a [f64];
}

impl<S: State<f64>> Closes<S> for Anchored {
    fn closing(&self, state: &AnchoredState<S>) -> Closing {
        let left = if state.anchor.is_some() { 0.0 } else { 1.0 };
        let to_mean = <Self as Arithmetic<f64, S>>::reads_mean(self, state);
        Closing { left, to_mean }
    }
    fn quanta<'a>(&'a self, state: &'a AnchoredState<S>) -> &'a [f64] {
        state.grid.quantum().as_slice()
    }
}

impl<S: State<f64>> Closes<S> for Halved {
    fn closing(&self, state: &HalvedState<S, S::Double>) -> Closing {
        Closing { left: 0.5_f64.powi(state.halvings as i32), to_mean: state.to_mean }
    }
    fn quanta<'a>(&'a self, state: &'a HalvedState<S, S::Double>) -> &'a [f64] {
        state.quanta.each.as_slice()
    }
}

/// A step that was taken, from `(y, z)` to the solution `proposed`, and by what was done to the gap to `(y_end,
/// z_end)`.
pub(super) struct Taken {
    step: Step<f64>,
    y: Vec<f64>,
    z: Vec<f64>,
    proposed: Vec<f64>,
    pub(super) closing: Closing,
    y_end: Vec<f64>,
    z_end: Vec<f64>,
    /// The larger quantum of each component, before and after.
    quanta: Vec<f64>,
}

/// A save point.
struct Saved {
    steps: usize,
    y: Vec<f64>,
    z: Vec<f64>,
    reads_mean: bool,
}

/// Records a forward pass with the loss `Σ |r|²` of the read-outs `r`.
pub(super) struct Trajectory<'a, M, A, L> {
    scheme: &'a PairScheme<M, A>,
    loss: &'a L,
    pub(super) value: f64,
    pub(super) taken: Vec<Taken>,
    saved: Vec<Saved>,
}

impl<'a, M: Tableau, A, L> Trajectory<'a, M, A, L> {
    pub(super) fn new(scheme: &'a PairScheme<M, A>, loss: &'a L) -> Self {
        Self { scheme, loss, value: 0.0, taken: Vec::new(), saved: Vec::new() }
    }

    /// The gradient with respect to the start, then to the parameters `p`.
    ///
    /// Takes the steps in numbers of 128 bits on the way, and panics where one does not lead to where it was recorded
    /// to lead: then what was recorded would not be what is differentiated.
    pub(super) fn gradient<F: BigField>(&self, p: &[f64]) -> (Vec<Big>, Vec<Big>) {
        let p = bigs(p);
        let n = self.saved[0].y.len();
        let (mut y_bar, mut z_bar, mut p_bar) = (zeros(n), zeros(n), zeros(p.len()));
        let mut saved = self.saved.iter().rev().peekable();
        for steps in (0..=self.taken.len()).rev() {
            while let Some(saved) = saved.next_if(|saved| saved.steps == steps) {
                saved.add_cotangent(&mut y_bar, &mut z_bar);
            }
            let Some(last) = steps.checked_sub(1) else { break };
            // z' = z − Psi_{−h}(t + h, y'), after y' = y + Psi_h(t, z)
            let Taken { step, z, proposed, closing, .. } = &self.taken[last];
            let first = Increment::new::<F, M>(&p, step.t, step.h, &bigs(z));
            let second = Increment::new::<F, M>(&p, step.end, -step.h, &bigs(proposed));
            self.taken[last].check(&first.psi, &second.psi);
            closing.vjp(&mut y_bar, &mut z_bar);
            let opposite: Vec<Big> = z_bar.iter().map(|z_bar| -z_bar).collect();
            second.vjp::<F, M>(&p, &opposite, &mut y_bar, &mut p_bar);
            first.vjp::<F, M>(&p, &y_bar, &mut z_bar, &mut p_bar);
        }
        add(&mut y_bar, &big(1.0), &z_bar);
        (y_bar, p_bar)
    }
}

impl Taken {
    /// Checks that the step led to where it was recorded to lead, up to the roundings to the grid, seeds and roundings
    /// of the increments.
    fn check(&self, first: &[Big], second: &[Big]) {
        let Self { step, y, z, proposed, closing, y_end, z_end, quanta } = self;
        let (mut y_new, mut z_new) = (bigs(y), bigs(z));
        add(&mut y_new, &big(1.0), first);
        add(&mut z_new, &big(-1.0), second);
        let near = |found: &[f64], expected: &[Big], what: &str| {
            for i in 0..found.len() {
                let off = f64_of(&(big(found[i]) - &expected[i])).abs();
                // A seed is 8 quanta.
                let allowed = 16.0 * quanta[i] + 64.0 * f64::EPSILON * largest(&[y, z, proposed]);
                assert!(
                    off <= allowed,
                    "{what}[{i}] of {step:?}, {closing:?}: {off:e}, {allowed:e}"
                );
            }
        };
        near(proposed, &y_new, "y'");
        let mut y_new = bigs(proposed);
        closing.apply(&mut y_new, &mut z_new);
        near(y_end, &y_new, "y");
        near(z_end, &z_new, "z");
    }
}

fn largest(states: &[&Vec<f64>]) -> f64 {
    states.iter().flat_map(|x| x.iter()).fold(0.0, |largest, x| x.abs().max(largest))
}

impl Saved {
    /// Adds `2 r` to the cotangent of the read-out `r`: `y`, or the mean of `y` and `z`, half to each.
    fn add_cotangent(&self, y_bar: &mut [Big], z_bar: &mut [Big]) {
        let (y, z) = (bigs(&self.y), bigs(&self.z));
        if self.reads_mean {
            for bar in [y_bar, z_bar] {
                add(bar, &big(0.5), &y);
                add(bar, &big(0.5), &z);
            }
        } else {
            add(y_bar, &big(2.0), &y);
        }
    }
}

impl<F, M, A, L> Observer<f64, F, PairScheme<M, A>> for Trajectory<'_, M, A, L>
where
    F: FieldVjp<f64>,
    M: MethodVjp<f64, F> + Tableau,
    A: Closes<F::State>,
    L: Loss<f64, F::State>,
{
    fn saved(
        &mut self,
        index: usize,
        steps: u64,
        t: f64,
        state: &A::State,
    ) -> Result<(), SolveError> {
        let PairScheme { arithmetic, .. } = self.scheme;
        let (y, z) = (arithmetic.y(state), arithmetic.z(state));
        let reads_mean = M::ORDER % 2 == 1 && arithmetic.reads_mean(state);
        let mut mean = y.clone();
        let read_out = Scheme::<f64, F>::read_out(self.scheme, state, &mut mean);
        self.value += self.loss.value(index, t, read_out)?;
        let (y, z) = (y.as_slice().to_vec(), z.as_slice().to_vec());
        self.saved.push(Saved { steps: steps as usize, y, z, reads_mean });
        Ok(())
    }

    fn passed(
        &mut self,
        _: usize,
        _: Step<f64>,
        _: (f64, Place<f64>),
        _: &F::State,
    ) -> Result<(), SolveError> {
        unreachable!("the plan of this test lands on its points")
    }

    fn before(
        &mut self,
        step: Step<f64>,
        state: &A::State,
        work: &Work<f64, F, PairScheme<M, A>>,
    ) -> Result<(), SolveError> {
        let PairScheme { arithmetic, .. } = self.scheme;
        let of = |x: &F::State| x.as_slice().to_vec();
        self.taken.push(Taken {
            step,
            y: of(arithmetic.y(state)),
            z: of(arithmetic.z(state)),
            proposed: of(arithmetic.proposed(&work.next)),
            closing: Closing { left: 1.0, to_mean: false },
            y_end: Vec::new(),
            z_end: Vec::new(),
            quanta: arithmetic.quanta(state).to_vec(),
        });
        Ok(())
    }

    fn after(&mut self, _: Step<f64>, state: &A::State) -> Result<(), SolveError> {
        let PairScheme { arithmetic, .. } = self.scheme;
        let Some(taken) = self.taken.last_mut() else { return Ok(()) };
        taken.closing = arithmetic.closing(state);
        taken.y_end = arithmetic.y(state).as_slice().to_vec();
        taken.z_end = arithmetic.z(state).as_slice().to_vec();
        for (quantum, after) in taken.quanta.iter_mut().zip(arithmetic.quanta(state)) {
            *quantum = quantum.max(*after);
        }
        Ok(())
    }
}
