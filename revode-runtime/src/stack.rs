//! States of constant size lie on the stack, and so does all that a solve works with: what would not fit is refused
//! before the first step.
//!
//! Whether it fits is known when the solve is compiled, so that nothing is compiled of one that does not. The weights
//! below were measured on RK4 and Dopri8 with every strategy, as the smallest stack on which they run: copies that the
//! compiler makes of a value, more of them without optimisation. States on the heap (`dims`) are always accepted.

use crate::control::StepControl;
use crate::gradient::{Gradient, Strategy};
use crate::scheme::{Scheme, VjpWork, Work};
use crate::{FieldVjp, MethodVjp, Real, SolveError, State, VectorField};

/// The most bytes that a solve may take: a thread's stack has 2 MiB unless the program sets another size.
const MAX_BYTES: usize = 2_000_000;

/// Sizes in bytes, and the number of copies of each.
type Weighted<const N: usize> = [(usize, usize); N];

/// Whether a sum of sizes fits on the stack, with the numbers of copies in optimised and in other builds.
const fn fits<const N: usize>(optimised: &Weighted<N>, unoptimised: &Weighted<N>) -> bool {
    let weighted = if cfg!(debug_assertions) { unoptimised } else { optimised };
    let (mut bytes, mut i) = (0_usize, 0);
    while i < N {
        let (size, copies) = weighted[i];
        bytes = bytes.saturating_add(size.saturating_mul(copies));
        i += 1;
    }
    bytes <= MAX_BYTES
}

/// Whether a solve along the scheme `S` fits on the stack.
pub(crate) const fn solve_fits<T, F, S, C>() -> bool
where
    T: Real,
    F: VectorField<T>,
    S: Scheme<T, F>,
    C: StepControl<T, F, S::Method>,
{
    let (work, memory) = (size_of::<Work<T, F, S>>(), size_of::<C::Memory>());
    let (state, y) = (size_of::<S::State>(), size_of::<F::State>());
    fits(
        &[(work, 1), (memory, 4), (state, 4), (y, 3)],
        &[(work, 8), (memory, 8), (state, 8), (y, 20)],
    )
}

/// Whether a gradient by the strategy `G` fits on the stack.
pub(crate) const fn gradient_fits<T: Real, F, M, C, G>() -> bool
where
    F: FieldVjp<T>,
    M: MethodVjp<T, F>,
    C: StepControl<T, F, M>,
    G: Strategy,
{
    let work = size_of::<Work<T, F, G::Scheme<T, F, M>>>() + size_of::<VjpWork<T, F, M>>();
    let keeper = size_of::<G::Keeper<T, F, M>>();
    let memory = size_of::<C::Memory>();
    let state = size_of::<<G::Scheme<T, F, M> as Scheme<T, F>>::State>();
    let result = size_of::<Gradient<F, F::State, T>>();
    fits(
        &[(work, 1), (keeper, 4), (memory, 4), (state, 7), (result, 14)],
        &[(work, 5), (keeper, 8), (memory, 8), (state, 8), (result, 25)],
    )
}

/// The error of a solve that does not fit.
#[cold]
pub(crate) fn too_large<T: Real, S: State<T>>(y0: &S, what: &str) -> SolveError {
    let (components, bytes) = (y0.len(), size_of::<S>());
    let problem = format!(
        "a state of {components} components and its parameters, whose size is constant ({bytes} bytes a state), \
         take more of the stack than {what} may: declare the sizes in `dims {{ … }}`, which puts states and \
         parameters on the heap"
    );
    SolveError::argument("y0", problem)
}
