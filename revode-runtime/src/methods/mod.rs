//! The Runge–Kutta methods that come with the crate, one declared tableau a file.
//!
//! All of them are in one list, [`for_each_method!`](crate::for_each_method): tests, benches and
//! the command instantiate every method from it, and [`METHODS`] is made from it.

mod any;

use crate::{ContinuousExtension, Proof, Stability, Tableau};

/// Calls a macro with the list of all methods.
///
/// The macro receives, for each method, its name on a command line (also its module), its type, and
/// `adaptive` where it has an embedded error estimate or `fixed` where it has none:
///
/// ```
/// use revode_runtime as revode;
///
/// macro_rules! orders {
///     ($($name:ident $Method:ident $kind:ident;)*) => {
///         [$((stringify!($name), <revode::methods::$Method as revode::Tableau>::ORDER)),*]
///     };
/// }
/// assert!(revode::for_each_method!(orders).contains(&("rk4", 4)));
/// ```
///
/// Arguments after the macro's name are handed on in front of the list, in brackets:
/// `for_each_method!(dispatch, name, job)` calls `dispatch!([name, job] euler Euler fixed; …)`. So a
/// method named at run time becomes a type in one `match`:
///
/// ```
/// use revode_runtime as revode;
///
/// fn stages<M: revode::Tableau>(_: M) -> usize {
///     M::STAGES
/// }
/// macro_rules! dispatch {
///     ([$wanted:expr] $($name:ident $Method:ident $kind:ident;)*) => {
///         match $wanted {
///             $(stringify!($name) => Some(stages(revode::methods::$Method)),)*
///             _ => None,
///         }
///     };
/// }
/// assert_eq!(revode::for_each_method!(dispatch, "bosh3"), Some(4));
/// assert_eq!(revode::for_each_method!(dispatch, "no such method"), None);
/// ```
///
/// To add a method, write its file and add its line here.
#[macro_export]
macro_rules! for_each_method {
    ($callback:ident) => {
        $crate::for_each_method! { @list $callback }
    };
    ($callback:ident, $($argument:tt)*) => {
        $crate::for_each_method! { @list $callback [$($argument)*] }
    };
    (@list $callback:ident $($arguments:tt)?) => {
        $callback! {
            $($arguments)?
            euler Euler fixed;
            midpoint Midpoint fixed;
            heun Heun fixed;
            ralston2 Ralston2 fixed;
            ralston3 Ralston3 fixed;
            kutta3 Kutta3 fixed;
            ssprk33 Ssprk33 fixed;
            bosh3 Bosh3 adaptive;
            rk4 Rk4 fixed;
            three_eighths ThreeEighths fixed;
            fehlberg45 Fehlberg45 adaptive;
            cash_karp CashKarp adaptive;
            dopri5 Dopri5 adaptive;
            tsit5 Tsit5 adaptive;
            vern6 Vern6 adaptive;
            vern7 Vern7 adaptive;
            vern8 Vern8 adaptive;
            dopri8 Dopri8 adaptive;
            ees25 Ees25 fixed;
            ees27 Ees27 fixed;
        }
    };
}

macro_rules! declare {
    ($($name:ident $Method:ident $kind:ident;)*) => {
        $(
            mod $name;
            pub use $name::$Method;
        )*

        /// Every method that comes with the crate.
        pub const METHODS: &[MethodInfo] = &[$(MethodInfo::of::<$Method>(stringify!($name))),*];
    };
}

for_each_method!(declare);

/// Calls a macro with the list of all Rosenbrock methods: for each its module and its type. To add one, write its file and add
/// its line here.
#[macro_export]
macro_rules! for_each_rosenbrock_method {
    ($callback:ident) => {
        $callback! {
            rodas3 Rodas3;
            rodas4 Rodas4;
            rodas5p Rodas5P;
            ros3p Ros3P;
        }
    };
}

macro_rules! declare_rosenbrock {
    ($($name:ident $Method:ident;)*) => {$(
        mod $name;
        pub use $name::$Method;
    )*};
}

for_each_rosenbrock_method!(declare_rosenbrock);

/// What is known of a method: its [`Tableau`] as a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MethodInfo {
    /// The method's name on a command line, such as `bosh3`.
    pub name: &'static str,
    /// The name of its type, such as `Bosh3`.
    pub type_name: &'static str,
    /// The order of accuracy.
    pub order: u32,
    /// The order of the embedded method.
    pub embedded_order: Option<u32>,
    /// The order to which `Phi_{-h} ∘ Phi_h` is the identity.
    pub symmetry_order: u32,
    /// The number of stages.
    pub stages: usize,
    /// Whether the last stage is the first one of the next step.
    pub fsal: bool,
    /// How far a step is stable.
    pub stability: Stability,
    /// The proof's arithmetic.
    pub proof: Proof,
    /// The interpolant.
    pub interpolant: ContinuousExtension,
    /// The strictly lower triangle of the matrix `a`, row by row.
    pub a: &'static [&'static [f64]],
    /// The weights.
    pub b: &'static [f64],
    /// The embedded weights.
    pub b_embedded: Option<&'static [f64]>,
    /// The nodes.
    pub c: &'static [f64],
}

impl MethodInfo {
    /// What is known of the method `M`, under the name that a command line has for it.
    pub const fn of<M: Tableau>(name: &'static str) -> Self {
        Self {
            name,
            type_name: M::NAME,
            order: M::ORDER,
            embedded_order: M::EMBEDDED_ORDER,
            symmetry_order: M::SYMMETRY_ORDER,
            stages: M::STAGES,
            fsal: M::FSAL,
            stability: M::STABILITY,
            proof: M::PROOF,
            interpolant: M::INTERPOLANT,
            a: M::A,
            b: M::B,
            b_embedded: M::B_EMBEDDED,
            c: M::C,
        }
    }
}
