//! Where a vector field is not smooth: its switching functions.

/// A switching function of a vector field: a number that depends continuously on time, state and parameters as long as
/// its own argument does, and changes sign where the field changes branches. Between two changes of sign the field is
/// as smooth as its formulas.
///
/// `signum(x)`, `heaviside(x)`, `abs(x)` and `relu(x)` have `x`, `min(a, b)` and `max(a, b)` have `a - b`, and `a / b` has `b` where that
/// depends on a state; of a vector each component is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// The function that changes branches, as equations name it.
    pub function: &'static str,
    /// What changes sign, as the model has it: `x - a`, or of the component of a vector `u[1]` or `(u - a)[1]`. For
    /// people to read; where it is not known, the name of the function.
    pub argument: String,
    /// What that means for the field.
    pub kind: SwitchKind,
}

/// What happens to a vector field where a switching function changes sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwitchKind {
    /// The function's derivative jumps, its value does not: a step across loses order, and its gradient too.
    Kink,
    /// A divisor is 0: the field has no value there, unless the dividend is 0 too. A step that is long enough passes over
    /// a pole without seeing it.
    Pole,
    /// The function's value jumps: where the place depends on what is differentiated, the gradient has a term that derivatives of
    /// the field do not show.
    Jump {
        /// Whether the switching function depends on a state or a parameter. If not, it depends on time alone and
        /// changes sign at times that nothing moves: the gradient has no such term.
        moves: bool,
    },
}
