//! Solvers chosen at run time: by the name of the method, by step-size control and by strategy.

use std::fmt;

use revode::control::StepControl;
use revode::methods::METHODS;
use revode::{
    Auto, Checkpointed, Exact, FieldVjp, Gradient, Guarded, MethodVjp, Mse, Reversible, Solution,
    SolveError, Solver, StateStore, StoreAll,
};
use revode::{any_method, gradient};

use crate::training::Task;

/// A solver of which only the model is known at compile time; one virtual call a solve, and a branch a step.
pub trait Differentiate<F: FieldVjp<f64>> {
    /// The mean squared error of the task's model against its data, and its gradient; whose error is estimated, with
    /// adaptive steps, if it is to be `checked`.
    ///
    /// # Errors
    /// [`SolveError`].
    fn gradient(
        &self,
        task: &Task<F>,
        checked: bool,
    ) -> Result<Gradient<F, F::State, f64>, SolveError>;

    /// The solution at the task's times, as [`gradient`](Self::gradient) sees it.
    ///
    /// # Errors
    /// [`SolveError`].
    fn predict(&self, task: &Task<F>) -> Result<Solution<f64, F::State>, SolveError>;
}

impl<F, M, C, G> Differentiate<F> for Solver<M, C, G>
where
    F: FieldVjp<f64>,
    M: MethodVjp<f64, F>,
    C: StepControl<f64, F, M> + Clone,
    G: gradient::Strategy + Clone,
{
    fn gradient(
        &self,
        task: &Task<F>,
        checked: bool,
    ) -> Result<Gradient<F, F::State, f64>, SolveError> {
        let save = task.save();
        let solver = if checked { self.clone() } else { self.clone().unchecked() };
        solver.gradient(&task.problem, save, &Mse::new(&task.data))
    }

    fn predict(&self, task: &Task<F>) -> Result<Solution<f64, F::State>, SolveError> {
        self.forward(&task.problem, task.save())
    }
}

/// What a solver is made of, as said on a command line.
#[derive(Debug, Clone, PartialEq)]
pub struct SolverChoice {
    /// The name of a method in [`METHODS`].
    pub method: String,
    /// The size of fixed steps, in seconds; adaptive steps where there is none.
    pub step: Option<f64>,
    /// The relative tolerance of adaptive steps.
    pub rtol: f64,
    /// The absolute tolerance of adaptive steps.
    pub atol: f64,
    /// How gradients come by the states of the forward pass.
    pub strategy: Strategy,
}

/// A gradient strategy, and the scheme that it differentiates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Strategy {
    /// [`Auto`].
    Auto,
    /// [`Guarded`].
    Guarded,
    /// [`Exact`].
    Exact,
    /// [`Reversible`].
    Reversible {
        /// The coupling.
        lambda: f64,
    },
    /// [`Checkpointed`].
    Checkpointed {
        /// The number of stored states.
        slots: usize,
        /// The scheme whose states they are.
        scheme: Scheme,
    },
    /// [`StoreAll`].
    StoreAll {
        /// The scheme whose states are stored.
        scheme: Scheme,
    },
}

/// What a strategy that stores states goes along.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scheme {
    /// The method itself.
    Plain,
    /// The pair of [`Guarded`].
    Guarded,
    /// The pair of [`Reversible`].
    Reversible {
        /// The coupling.
        lambda: f64,
    },
}

impl Strategy {
    /// The name on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Guarded => "guarded",
            Self::Exact => "exact",
            Self::Reversible { .. } => "reversible",
            Self::Checkpointed { .. } => "checkpointed",
            Self::StoreAll { .. } => "store-all",
        }
    }

    /// The number of stored states of a checkpointed gradient.
    pub fn slots(&self) -> Option<usize> {
        match *self {
            Self::Checkpointed { slots, .. } => Some(slots),
            _ => None,
        }
    }

    /// The scheme that is differentiated; none where that is found out in each solve.
    pub fn scheme_name(&self) -> Option<&'static str> {
        match self {
            Self::Auto => None,
            Self::Exact => Some("exact pair"),
            Self::Guarded => Some(Scheme::Guarded.name()),
            Self::Reversible { lambda } => Some(Scheme::Reversible { lambda: *lambda }.name()),
            Self::Checkpointed { scheme, .. } | Self::StoreAll { scheme } => Some(scheme.name()),
        }
    }

    /// The coupling of the published pair.
    pub fn lambda(&self) -> Option<f64> {
        match *self {
            Self::Reversible { lambda }
            | Self::Checkpointed { scheme: Scheme::Reversible { lambda }, .. }
            | Self::StoreAll { scheme: Scheme::Reversible { lambda } } => Some(lambda),
            _ => None,
        }
    }
}

impl Scheme {
    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain method",
            Self::Guarded => "guarded pair",
            Self::Reversible { .. } => "published pair",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        if let Some(slots) = self.slots() {
            write!(f, " with {slots} slots")?;
        }
        if let Self::Checkpointed { scheme, .. } | Self::StoreAll { scheme } = self {
            write!(f, " along the {}", scheme.name())?;
        }
        self.lambda().map_or(Ok(()), |lambda| write!(f, ", λ = {lambda}"))
    }
}

/// A choice that is none.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ChoiceError {
    /// No method has that name.
    #[error("there is no method `{name}`; `revode methods` lists them all")]
    UnknownMethod {
        /// The name.
        name: String,
    },
    /// Adaptive steps with a method that does not estimate its error.
    #[error(
        "`{name}` has no error estimate, which adaptive steps need: give the size of fixed steps, \
         `--step`, or choose one of {}",
        adaptive_methods()
    )]
    NoErrorEstimate {
        /// The name of the method.
        name: &'static str,
    },
}

revode::for_each_method!(any_method);

impl SolverChoice {
    /// The solver, for models of the type `F`.
    ///
    /// # Errors
    /// [`ChoiceError`].
    pub fn solver<F>(&self) -> Result<Box<dyn Differentiate<F>>, ChoiceError>
    where
        F: FieldVjp<f64> + 'static,
    {
        let unknown = || ChoiceError::UnknownMethod { name: self.method.clone() };
        let info = METHODS.iter().find(|info| info.name == self.method).ok_or_else(unknown)?;
        let is_it = |method: &&AnyMethod| format!("{method:?}") == info.type_name;
        let method = AnyMethod::ALL.iter().find(is_it).ok_or_else(unknown)?;
        let solver = Solver::new(*method);
        match self.step {
            Some(step) => Ok(with_strategy(solver.fixed_step(step), self.strategy)),
            None if method.is_adaptive() => {
                Ok(with_strategy(solver.tolerance(self.rtol, self.atol), self.strategy))
            }
            None => Err(ChoiceError::NoErrorEstimate { name: info.name }),
        }
    }
}

fn with_strategy<F, C>(
    solver: Solver<AnyMethod, C>,
    strategy: Strategy,
) -> Box<dyn Differentiate<F>>
where
    F: FieldVjp<f64> + 'static,
    C: StepControl<f64, F, AnyMethod> + Clone + 'static,
{
    match strategy {
        Strategy::Auto => Box::new(solver.strategy(Auto::default())),
        Strategy::Guarded => Box::new(solver.strategy(Guarded::default())),
        Strategy::Exact => Box::new(solver.strategy(Exact::default())),
        Strategy::Reversible { lambda } => Box::new(solver.strategy(Reversible::coupling(lambda))),
        Strategy::Checkpointed { slots, scheme } => {
            storing(solver, Checkpointed::slots(slots), scheme)
        }
        Strategy::StoreAll { scheme } => storing(solver, StoreAll, scheme),
    }
}

/// A solver with a strategy that stores states of any scheme.
fn storing<F, C, G>(
    solver: Solver<AnyMethod, C>,
    store: G,
    scheme: Scheme,
) -> Box<dyn Differentiate<F>>
where
    F: FieldVjp<f64> + 'static,
    C: StepControl<f64, F, AnyMethod> + Clone + 'static,
    G: StateStore + Clone + 'static,
{
    match scheme {
        Scheme::Plain => Box::new(solver.strategy(store)),
        Scheme::Guarded => Box::new(solver.strategy(store.along(Guarded::default()))),
        Scheme::Reversible { lambda } => {
            Box::new(solver.strategy(store.along(Reversible::coupling(lambda))))
        }
    }
}

/// The names of the methods with an error estimate.
fn adaptive_methods() -> String {
    let names = METHODS.iter().filter(|method| method.embedded_order.is_some());
    names.map(|method| method.name).collect::<Vec<_>>().join(", ")
}
