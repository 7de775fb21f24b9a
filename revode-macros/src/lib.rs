//! The proc macros of `revode`: `#[tableau]` and `ode!`. All work is done in `revode-codegen`.

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
/// Found out rather than claimed, and carried by the type as constants of the trait `Tableau`:
/// whether the last stage is the next step's first, and the symmetry order, to which
/// `Phi_{-h} ∘ Phi_h` is the identity. It is looked for up to order 8, or two more than the order
/// of the method.
///
/// # What is generated
/// `Method`, `EmbeddedMethod` (with `b_embedded` only), `MethodVjp` and `Tableau`, for every scalar
/// and field; and `Debug`, `Clone`, `Copy` and `Default`, unless the struct derives traits itself.
/// Zero coefficients are gone, and so are stages that the increment does not need.
#[proc_macro_attribute]
pub fn tableau(arguments: TokenStream, item: TokenStream) -> TokenStream {
    revode_codegen::tableau::expand(arguments.into(), item.into()).into()
}

/// Declares a vector field by its equations.
#[proc_macro]
pub fn ode(input: TokenStream) -> TokenStream {
    revode_codegen::field::expand(input.into()).into()
}
