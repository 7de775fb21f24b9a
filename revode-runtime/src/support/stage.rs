//! Stages of a Runge–Kutta increment and the sums that make them.

use crate::{FieldVjp, Real, State, Step, VectorField};

/// The stage derivatives of an increment with `N` stages.
#[derive(Debug, Clone)]
pub struct Stages<S, const N: usize> {
    /// Stage derivatives `k_i = f(t + c_i h, y_i)`.
    pub k: [S; N],
    /// The stage state that is being evaluated.
    pub y: S,
    /// Whether `k[0]` already is that of the next increment.
    pub first_known: bool,
    /// Whether the stages that the increment does not need, but the interpolant does, are those of the last increment.
    pub further_known: bool,
    /// Field evaluations so far.
    pub evaluations: u64,
}

impl<S, const N: usize> Stages<S, N> {
    /// Scratch space for states like `u`.
    pub fn new<T: Real>(u: &S) -> Self
    where
        S: State<T>,
    {
        Self {
            k: std::array::from_fn(|_| u.zeros_like()),
            y: u.zeros_like(),
            first_known: false,
            further_known: false,
            evaluations: 0,
        }
    }

    /// Makes sure that `k[0]` is `f(t, u)` at the start of the step.
    #[inline(always)]
    pub fn first<T: Real, F: VectorField<T, State = S>>(
        &mut self,
        field: &F,
        step: Step<T>,
        u: &S,
    ) {
        if !std::mem::take(&mut self.first_known) {
            field.eval_on(step.sides, step.t, u, &mut self.k[0]);
            self.evaluations += 1;
        }
    }

    /// Makes the last stage derivative the first one of the next increment.
    #[inline(always)]
    pub fn last_becomes_first(&mut self) {
        self.k.swap(0, N - 1);
        self.first_known = true;
    }
}

/// The derivatives of the `N` stages that only an interpolant needs.
#[derive(Debug, Clone)]
pub struct ExtraStages<S, const N: usize> {
    /// Stage derivatives `k_i = f(t + c_i h, y_i)`.
    pub k: [S; N],
}

impl<S, const N: usize> ExtraStages<S, N> {
    /// Scratch space for states like `u`.
    pub fn new<T: Real>(u: &S) -> Self
    where
        S: State<T>,
    {
        Self { k: std::array::from_fn(|_| u.zeros_like()) }
    }
}

/// What the VJP of an increment with `N` stages needs.
#[derive(Debug, Clone)]
pub struct TapedStages<S, Tape, const N: usize> {
    /// Stage derivatives; after a VJP the cotangents of the stage states.
    pub k: [S; N],
    /// The cotangents of the stage states in a VJP of the embedded increment.
    pub embedded: [S; N],
    /// Stage states `y_i = u + h Σ a_ij k_j`.
    pub y: [S; N],
    /// What each evaluation left for its VJP.
    pub tape: [Tape; N],
    /// The cotangent of the stage derivative in work.
    pub k_bar: S,
    /// Whether the last stage is known from the step after this one.
    pub last_known: bool,
    /// Whether the stages that the increment does not need, but the interpolant does, are taped.
    pub further_known: bool,
    /// Field evaluations so far.
    pub evaluations: u64,
    /// Field VJPs so far.
    pub vjps: u64,
}

impl<S, Tape, const N: usize> TapedStages<S, Tape, N> {
    /// Scratch space for states like `u`.
    pub fn new<T: Real, F>(field: &F, u: &S) -> Self
    where
        S: State<T>,
        F: FieldVjp<T, Tape = Tape>,
    {
        Self {
            k: std::array::from_fn(|_| u.zeros_like()),
            embedded: std::array::from_fn(|_| u.zeros_like()),
            y: std::array::from_fn(|_| u.zeros_like()),
            tape: std::array::from_fn(|_| field.tape()),
            k_bar: u.zeros_like(),
            last_known: false,
            further_known: false,
            evaluations: 0,
            vjps: 0,
        }
    }

    /// Makes the first stage the last one of the increment before.
    #[inline(always)]
    pub fn first_becomes_last(&mut self) {
        self.y.swap(0, N - 1);
        self.tape.swap(0, N - 1);
        self.last_known = true;
    }
}

/// What the VJP of an interpolant needs beyond that of the increment: `E` extra stages, of which and of the method's it
/// uses `N`.
#[derive(Debug, Clone)]
pub struct TapedExtra<S, Tape, const E: usize, const N: usize> {
    /// Stage derivatives; after a VJP the cotangents of the stage states.
    pub k: [S; E],
    /// The cotangents of the stage states in a VJP of the embedded increment.
    pub embedded: [S; E],
    /// Stage states `y_i = u + h Σ a_ij k_j`.
    pub y: [S; E],
    /// What each evaluation left for its VJP.
    pub tape: [Tape; E],
    /// The cotangents of the stage derivatives from values between the ends of the step, the method's stages first.
    pub seeds: [S; N],
}

impl<S, Tape, const E: usize, const N: usize> TapedExtra<S, Tape, E, N> {
    /// Scratch space for states like `u`.
    pub fn new<T: Real, F>(field: &F, u: &S) -> Self
    where
        S: State<T>,
        F: FieldVjp<T, Tape = Tape>,
    {
        Self {
            k: std::array::from_fn(|_| u.zeros_like()),
            embedded: std::array::from_fn(|_| u.zeros_like()),
            y: std::array::from_fn(|_| u.zeros_like()),
            tape: std::array::from_fn(|_| field.tape()),
            seeds: std::array::from_fn(|_| u.zeros_like()),
        }
    }

    /// Forgets the cotangents.
    #[inline(always)]
    pub fn clear<T: Real>(&mut self)
    where
        S: State<T>,
    {
        for seed in &mut self.seeds {
            seed.as_mut_slice().fill(T::ZERO);
        }
    }
}

/// `y = u + Σ c_j k_j`: the state of a stage.
#[inline(always)]
pub fn stage<T: Real, S: State<T>, const M: usize>(y: &mut S, u: &S, terms: [(T, &S); M]) {
    let n = y.len();
    let (y, u) = (&mut y.as_mut_slice()[..n], &u.as_slice()[..n]);
    let terms = slices(terms, n);
    for i in 0..n {
        y[i] = u[i] + sum_at(&terms, i);
    }
}

/// `x = Σ c_j k_j`: an increment, an error, or a cotangent.
#[inline(always)]
pub fn combine<T: Real, S: State<T>, const M: usize>(x: &mut S, terms: [(T, &S); M]) {
    let n = x.len();
    let x = &mut x.as_mut_slice()[..n];
    let terms = slices(terms, n);
    for i in 0..n {
        x[i] = sum_at(&terms, i);
    }
}

/// `x += c k`: a cotangent that comes from several values.
#[inline(always)]
pub fn add_scaled<T: Real, S: State<T>>(x: &mut S, c: T, k: &S) {
    let n = x.len();
    let (x, k) = (&mut x.as_mut_slice()[..n], &k.as_slice()[..n]);
    for i in 0..n {
        x[i] += c * k[i];
    }
}

/// `x += Σ k_j`: a cotangent that comes from several places.
#[inline(always)]
pub fn add<T: Real, S: State<T>, const M: usize>(x: &mut S, terms: [&S; M]) {
    let n = x.len();
    let x = &mut x.as_mut_slice()[..n];
    for term in terms {
        let term = &term.as_slice()[..n];
        for i in 0..n {
            x[i] += term[i];
        }
    }
}

/// The first `n` components of each term.
///
/// Not by `map`: for six terms and more it is a call, which puts them into memory (`cargo bench --bench step`).
#[inline(always)]
fn slices<T: Real, S: State<T>, const M: usize>(terms: [(T, &S); M], n: usize) -> [(T, &[T]); M] {
    let mut slices = [(T::ZERO, [].as_slice()); M];
    for (slice, (c, k)) in slices.iter_mut().zip(terms) {
        *slice = (c, &k.as_slice()[..n]);
    }
    slices
}

/// `Σ c_j k_j[i]`, from left to right.
#[inline(always)]
fn sum_at<T: Real, const M: usize>(terms: &[(T, &[T]); M], i: usize) -> T {
    let mut sum = T::ZERO;
    for (j, (c, k)) in terms.iter().enumerate() {
        sum = if j == 0 { *c * k[i] } else { sum + *c * k[i] };
    }
    sum
}
