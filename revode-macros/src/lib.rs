//! The proc macros of `revode`: `#[tableau]`, `#[rosenbrock]` and `ode!`. All work is done in `revode-codegen`.

use proc_macro::TokenStream;

/// Declares an explicit Runge–Kutta method and proves what is claimed of it.
///
/// ```text
/// /// Bogacki–Shampine 3(2).
/// #[tableau(
///     order = 3, embedded = 2,
///     c = [0, 1/2, 3/4, 1],
///     a = [[], [1/2], [0, 3/4], [2/9, 1/3, 4/9]],
///     b = [2/9, 1/3, 4/9, 0],
///     b_embedded = [7/24, 1/4, 1/3, 1/8],
/// )]
/// pub struct Bosh3;
/// ```
///
/// | argument | meaning |
/// |---|---|
/// | `order` | the order of the method, exactly: neither more nor less, at most 10 |
/// | `a` | the rows of the matrix, row `i` with the `i - 1` entries before the diagonal |
/// | `b` | the weights |
/// | `c` | the nodes; left out, they are the sums of the rows |
/// | `embedded`, `b_embedded` | the order of the embedded method, exactly, and its weights (not their differences from `b`) |
/// | `digits` | for coefficients published with rounded decimals: how many significant digits are right, 6 to 40 |
/// | `interpolant`, `b_interpolant` | the order of an interpolant, exactly, and for each stage the coefficients of `θ`, `θ²`, … in its weight; `[]` is 0 |
/// | `a_interpolant`, `c_interpolant` | rows and nodes of stages that only the interpolant needs |
/// | `smoothness` | how many derivatives of the interpolant are continuous from step to step: 0 or 1 |
/// | `digits_interpolant` | `digits` for the interpolant alone |
///
/// A coefficient is an expression over integers, decimals, `sqrt(…)`, `+ - * /` and parentheses.
/// Decimals are exact: `0.1` is 1/10.
///
/// # What is proved
/// Row sums, and the order conditions `Φ(τ) = 1/γ(τ)` of all rooted trees `τ` up to the order
/// (Butcher 2016, section 31; Hairer, Nørsett and Wanner I, section II.2). With rational
/// coefficients they hold exactly; otherwise to `d` digits, where `d` is `digits`, or 40 for
/// coefficients with roots: `|Φ(τ) − 1/γ(τ)| ≤ n 10^-d |Φ|(τ)`, where `n` is the number of vertices
/// and `|Φ|` is `Φ` with absolute values of all coefficients. That is what `n` factors, each wrong
/// by `10^-d` of itself, can do to the sum. A claim that is not met is a compile error.
///
/// An interpolant `u + h Σ b_i(θ) k_i` fulfils the order conditions for all `θ`, as identities of polynomials, and
/// ends where the step does. Without one a method has cubic Hermite, of order 3 or its own; see
/// `docs/interpolants.md`.
///
/// Found out rather than claimed, and carried by the type as constants of the trait `Tableau`:
/// whether the last stage is the next step's first, and the symmetry order, to which
/// `Phi_{-h} ∘ Phi_h` is the identity. It is looked for up to order 8, or two more than the order
/// of the method.
///
/// # What is generated
/// `Method`, `EmbeddedMethod` (with `b_embedded` only), `Interpolant`, `MethodVjp`, `InterpolantVjp` and `Tableau`, for every scalar
/// and field; and `Debug`, `Clone`, `Copy` and `Default`, unless the struct derives traits itself.
/// Zero coefficients are gone, and so are stages that the increment does not need.
#[proc_macro_attribute]
pub fn tableau(arguments: TokenStream, item: TokenStream) -> TokenStream {
    revode_codegen::tableau::expand(arguments.into(), item.into()).into()
}

/// Declares a Rosenbrock method, for stiff equations, and proves what is claimed of it.
///
/// ```text
/// /// Rodas3.
/// #[rosenbrock(
///     order = 3, embedded = 2, stability = L,
///     gamma = 1/2,
///     a = [[], [0], [2, 0], [2, 0, 1]],
///     c = [[], [4], [1, -1], [1, -1, -8/3]],
///     m = [2, 0, 1, 1],
///     m_embedded = [2, 0, 1, 0],
/// )]
/// pub struct Rodas3;
/// ```
///
/// | argument | meaning |
/// |---|---|
/// | `order` | the order of the method, exactly |
/// | `stability` | `L` or `A`, exactly |
/// | `gamma` | the diagonal `γ` |
/// | `a`, `c`, `m` | the coefficients in the form in which a step takes no product with the Jacobian, strictly lower triangles |
/// | `alpha`, `gamma_ij`, `b` | or in the form in which conditions are stated; `gamma_ij` without its diagonal |
/// | `embedded`, `m_embedded` or `b_embedded` | the order of the embedded method, exactly, and its weights |
/// | `interpolant`, `h` | the order of the interpolant, exactly, and the rows of `θ (1 − θ) Σ_r θ^r Σ_i h_ri K_i`, by which it leaves the chord |
/// | `digits` | for coefficients published with rounded decimals: how many significant digits are right, 6 to 40 |
///
/// # What is proved
/// The order conditions `Φ(τ) = 1/γ(τ)` of all rooted trees `τ` up to the order, in which a vertex with one child has
/// `β = α + Γ` and all others `α` (Hairer and Wanner II, section IV.7, theorem 7.4), as exactly as those of `#[tableau]`;
/// those of an interpolant for all `θ`. Stability: of the stability function `P(z)/(1 − γz)^s` the pole is
/// in the right half plane and `|P(iy)|² ≤ |1 − iγy|^{2s}` for all `y`, by counting sign changes, so that `|R| ≤ 1` in the left half plane;
/// and `R(∞) = 0` for `L`.
///
/// # What is generated
/// `Rosenbrock` with the coefficients, `Method`, and `EmbeddedMethod` where there is an embedded method, for every scalar and
/// every field with a `FieldJacobian`; and `MethodVjp`, for those with a `JacobianVjp`.
#[proc_macro_attribute]
pub fn rosenbrock(arguments: TokenStream, item: TokenStream) -> TokenStream {
    revode_codegen::tableau::expand_rosenbrock(arguments.into(), item.into()).into()
}

/// Declares a vector field `dy/dt = f(t, y)` by its equations, and differentiates it.
///
/// ```text
/// ode! {
///     /// A network with one hidden layer next to known decay.
///     pub struct Hybrid<const H: usize> {
///         state  { u: [3] }
///         params { decay: [3], w1: [H, 4], b1: [H], w2: [3, H] }
///         const  { period = 24 }
///     }
///     let hidden = tanh(w1 @ concat(u, sin(t / period)) + b1);
///     du/dt = w2 @ hidden - decay * u;
/// }
/// ```
///
/// # Sections
/// | section | declares |
/// |---|---|
/// | `state` | the states, each with one equation: scalars `x`, vectors `u: [3]`, matrices `m: [2, 3]` |
/// | `params` | the parameters, which become public fields of the struct |
/// | `const` | numbers, as expressions over numbers and earlier constants |
/// | `dims` | sizes known at run time; the model then lives on the heap |
///
/// A size is an integer, a const parameter of the struct, or one of `dims` (of these also sums and
/// multiples). On the stack, stable Rust allows no sums: all states together must have a literal
/// length, or be one vector whose length is a const parameter.
///
/// # Expressions
/// From the tightest: calls and indices, `^` (to the right), unary `-`, then `* / @`, then `+ -`.
/// All but `@` work elementwise; a scalar is broadcast. `t` is the time.
///
/// * `a @ b` is the product of matrices and vectors; a vector is a row on the left and a column on
///   the right, so that `u @ v` is the dot product.
/// * `u[0]`, `m[0, 1]`, `u[1..3]`, `u[..n - 1]`; the first index is 0.
/// * `x ^ n` with an integer up to 64 is repeated multiplication, `x ^ (1/2)` is `sqrt(x)`, any other
///   power is `pow`.
/// * `concat(a, …)`, `dot(a, b)`, `sum(a)`, `norm2(a)`, and `transpose(w)` of a matrix.
/// * `sin cos tan asin acos atan atan2 sinh cosh tanh exp expm1 ln log1p log2 log10 sqrt cbrt pow
///   hypot abs min max signum heaviside sigmoid softplus relu gelu silu erf`. `ln` is the natural logarithm;
///   `atan2(y, x)` is the angle of the point (x, y); `heaviside(x)` is 0 below 0, 1/2 at 0 and 1 above it.
/// * `pi` and `e` are the constants, unless the model declares the name: then they are what it
///   declares, everywhere in it.
///
/// `let name = …;` names a value; it may be used below. Equal expressions are computed once. `input`
/// sections and `if` are not supported yet.
///
/// # Events and changes at a time
/// ```text
/// event hit = y;                                    // is noted, from either side
/// event low = central - 0.1, falling;               // also `rising`, or `either`
/// event done = x - 5, terminal;                     // ends the solve
/// event bounce = x, falling { v = -e * v; }         // changes the state
/// event spike = v[i] - threshold for i in 0..N { v[i] = reset; count += 1; }
/// at (lag) { depot += dose; }                       // at a time
/// at (time[i] + lag) for i in 0..3 { depot += amount[i]; }
/// ```
///
/// An `event` happens where its function, a number, reaches 0; the function depends on a state or on `t`. The time
/// of an `at` depends on parameters only. With `for i in a..b` there is one for each `i`, which stands in indices
/// only: `time` and `amount` are vector parameters. `a` and `b` are sizes. The function of each `i` is computed on its
/// own: one that reads a component of `w @ v` takes the whole product for each `i`.
///
/// The block between the braces has `let`s of its own and assignments `=`, `+=`, `-=`, `*=`, `/=` to states or to
/// components of them, `u[0]`, `u[i]`, `m[i, 0]`. They are made one after the other, as in Rust: each sees what those
/// before it have changed. The `let`s outside of the block are what they were before the event. Parameters are constant
/// along a solve: what only events change is a state with `dk/dt = 0`. Events change no bit of the equations.
///
/// # Jumps
/// ```text
/// let open = heaviside(pressure - limit);           // 0 or 1
/// dv/dt = -k * x - mu * signum(v);                  // dry friction
/// ```
///
/// Where the argument of `signum` or `heaviside` changes sign, the field jumps. Each argument that depends on a state or
/// on `t` is an event after those that are declared, one for each component of a vector, with the call as its name,
/// `heaviside(pressure - limit)`, and the action `Switch`; arguments that are the same up to their sign are one. The
/// equations are compiled with the sides of these places given, `VectorField::eval_on`, so that no stage of a step that
/// ends at a jump looks across it. `eval` takes the sides from `t` and `y`: at the place itself `signum` is 0, and a NaN
/// is on no side, as 0 is. A model with more than 64 such components, or with an argument whose length is not a literal, is
/// compiled without; its jumps are still switching functions.
///
/// # What is generated
/// The struct, over a scalar `T` that is `f64` unless said otherwise, with `Debug`, `Clone` and
/// `PartialEq`; `VectorField`, `Parameters`, `FieldVjp`, `FieldJvp`, `FieldJacobian` and `JacobianVjp`; the
/// functions `zeros` (all parameters zero) and `state_names`, and with `dims` also `new`, which takes
/// the sizes that no parameter shows and then the parameters, and checks their shapes. States are
/// stored in the order of declaration, matrices by columns. Events are `VectorField::event_count`, `event`,
/// `trigger` and `reset`, and `FieldVjp::trigger_vjp` and `reset_vjp`; those of one `for` come one after the other.
///
/// The derivative of `abs`, `min`, `max` and `relu` at their kinks is that of one side; that of
/// `norm2`, `sqrt`, `cbrt`, `hypot` and `atan2` at 0 is not finite. Where the argument of `abs`, `relu`, `signum` or `heaviside`,
/// or the difference of those of `min` or `max`, changes sign, the field is not smooth: these are its switching
/// functions, `VectorField::switches`. The cut of `atan2` is none. A field on the stack allocates nothing; one on the heap has
/// the scratch space of `eval_taped` and `vjp` in its tape, while `eval`, `jvp` and `jacobian`
/// allocate theirs. With `dims`, products of two large matrices depend on the machine in their last
/// bits; all else gives the same bits everywhere.
///
/// # Errors
/// Unknown names, shapes that do not fit, states without an equation or with two, and the like are
/// compile errors at their tokens, all of a block in one run. An index into a vector whose length is
/// a const parameter is checked when the length is known, which `cargo build` does and `cargo check`
/// does not; with `dims` it is checked by `new` and before a solve.
#[proc_macro]
pub fn ode(input: TokenStream) -> TokenStream {
    revode_codegen::field::expand(input.into()).into()
}
