//! One problem of the gallery: what is solved, what is right, and how the library does.

use std::fmt::Debug;
use std::ops::Range;

use revode::control::StepControl;
use revode::field::FieldJvp;
use revode::gradient::Strategy;
use revode::nalgebra::DVector;
use revode::prelude::*;
use revode::{Loss, MethodVjp};
use revode_testing::AnyField;
use revode_testing::compare::difference;

use crate::reference::Reference;

/// What makes the gradient of a problem go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Steps are as long as stability allows, and the linearisation with frozen steps has no feedback.
    Stability,
    /// The solution asks for no steps, its derivatives do.
    NoSteps,
    /// The field is continuous, its derivative is not.
    Kink,
    /// The field jumps where the solution says so.
    Jump,
    /// The state is below the usual absolute tolerance.
    Small,
    /// Little happens most of the time.
    Pulse,
    /// Smooth on paper, a kink or a jump beside any step; or a jump that `ode!` does not see.
    Steep,
    /// Small errors of the solution grow, and the gradient with them.
    Sensitive,
    /// Nothing: the answer must be right.
    Ordinary,
}

/// What has to come of a problem. A wrong answer is never right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expected {
    /// A right gradient.
    Answer,
    /// A right gradient or an error.
    AnswerOrError,
}

/// A loss of the end, or the sum of those of some times.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Of {
    Component(usize),
    Sum(&'static [f64]),
    Square,
    /// The logarithm of a component, as in the likelihood of a concentration.
    Log(usize),
}

impl Loss<f64, DVector<f64>> for Of {
    fn value(&self, _: usize, _: f64, y: &DVector<f64>) -> Result<f64, SolveError> {
        Ok(match *self {
            Self::Component(i) => y[i],
            Self::Sum(weights) => weights.iter().zip(y).map(|(w, y)| w * y).sum(),
            Self::Square => y.norm_squared(),
            Self::Log(i) => y[i].ln(),
        })
    }

    fn cotangent(&self, _: usize, _: f64, y: &DVector<f64>, y_bar: &mut DVector<f64>) {
        match *self {
            Self::Component(i) => y_bar[i] += 1.0,
            Self::Sum(weights) => y_bar.iter_mut().zip(weights).for_each(|(bar, w)| *bar += w),
            Self::Square => *y_bar += 2.0 * y,
            Self::Log(i) => y_bar[i] += y[i].recip(),
        }
    }
}

/// A problem.
#[derive(Debug)]
pub(crate) struct Entry {
    /// Its name in the file of references.
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) expected: Expected,
    pub(crate) problem: Problem<f64, AnyField>,
    pub(crate) loss: Of,
    /// The times of which the losses are added; none for that of the end.
    pub(crate) points: &'static [f64],
}

/// A problem of which the gradient may be refused.
pub(crate) fn entry<F, const N: usize>(
    name: &'static str,
    kind: Kind,
    field: F,
    y0: [f64; N],
    span: Range<f64>,
    loss: Of,
) -> Entry
where
    F: FieldVjp<f64, State = SVector<f64, N>> + FieldJvp<f64> + Debug + 'static,
    F::Tape: 'static,
{
    let due = matches!(kind, Kind::Ordinary | Kind::Jump);
    let expected = if due { Expected::Answer } else { Expected::AnswerOrError };
    let problem = Problem::new(AnyField::new(field), DVector::from_column_slice(&y0), span);
    Entry { name, kind, expected, problem, loss, points: &[] }
}

/// How a gradient comes by the states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    Auto,
    Guarded,
    Exact,
    Checkpointed,
}

impl Choice {
    pub(crate) const ALL: [Self; 4] = [Self::Auto, Self::Guarded, Self::Exact, Self::Checkpointed];
}

/// A gradient, as lists of numbers.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) loss: f64,
    pub(crate) dy0: Vec<f64>,
    pub(crate) dparams: Vec<f64>,
    pub(crate) stats: Stats,
    /// The library's own estimate of the gradient's relative error: `stats.gradient_error`, once there is one.
    pub(crate) estimate: Option<f64>,
}

impl Answer {
    /// How far the gradient is from that of the equation, relative to its largest component, of initial state and
    /// parameters together.
    pub(crate) fn error(&self, right: &Reference) -> f64 {
        let both = |dy0: &[f64], dparams: &[f64]| [dy0, dparams].concat();
        difference(&both(&self.dy0, &self.dparams), &both(&right.dy0, &right.dparams))
    }

    pub(crate) fn loss_error(&self, right: &Reference) -> f64 {
        difference(&[self.loss], &[right.loss])
    }
}

/// Beyond what any problem needs: an explicit method that takes more is lost.
const MAX_STEPS: u64 = 300_000;

impl Entry {
    /// The gradient with adaptive steps of Tsit5 at this relative tolerance.
    ///
    /// The absolute one is equal to it, but for small states it is the default one, which follows the state.
    pub(crate) fn gradient(&self, tolerance: f64, choice: Choice) -> Result<Answer, SolveError> {
        let solver = Solver::new(Tsit5).max_steps(MAX_STEPS);
        let solver = match self.kind {
            Kind::Small => solver.relative_tolerance(tolerance),
            _ => solver.tolerance(tolerance, tolerance),
        };
        match choice {
            Choice::Auto => self.differentiate(&solver),
            Choice::Guarded => self.differentiate(&solver.strategy(Guarded::default())),
            Choice::Exact => self.differentiate(&solver.strategy(Exact::default())),
            Choice::Checkpointed => self.differentiate(&solver.strategy(Checkpointed::slots(30))),
        }
    }

    /// The loss alone, with adaptive steps of Tsit5 at this tolerance.
    pub(crate) fn value(&self, rtol: f64, atol: f64) -> Result<f64, SolveError> {
        let solver = Solver::new(Tsit5).max_steps(MAX_STEPS).tolerance(rtol, atol);
        let path = solver.solve(&self.problem, self.save())?;
        path.t.iter().zip(&path.y).map(|(t, y)| self.loss.value(0, *t, y)).sum()
    }

    /// The accepted and rejected steps of a solve alone at this tolerance.
    pub(crate) fn plain_steps(&self, tolerance: f64) -> Option<u64> {
        let solver = Solver::new(Tsit5).max_steps(MAX_STEPS);
        let solver = match self.kind {
            Kind::Small => solver.relative_tolerance(tolerance),
            _ => solver.tolerance(tolerance, tolerance),
        };
        let stats = solver.solve(&self.problem, self.save()).ok()?.stats;
        Some(stats.accepted + stats.rejected)
    }

    fn save(&self) -> SaveAt {
        if self.points.is_empty() { SaveAt::end() } else { SaveAt::times(self.points) }
    }

    fn differentiate<M, C, G>(&self, solver: &Solver<M, C, G>) -> Result<Answer, SolveError>
    where
        M: MethodVjp<f64, AnyField> + Clone,
        C: StepControl<f64, AnyField, M>,
        G: Strategy,
    {
        let fit = solver.gradient(&self.problem, self.save(), &self.loss)?;
        Ok(Answer {
            loss: fit.loss,
            dy0: fit.y0.as_slice().to_vec(),
            dparams: fit.model.slices().flatten().copied().collect(),
            stats: fit.stats,
            estimate: fit.stats.gradient_error,
        })
    }
}
