//! Parameters of fields by hand.

/// Implements `Parameters` for a field by hand whose parameters are numbers: `parameters!(Field: diffusion, rate)` over
/// `f64`, or with generics and the scalar `parameters!([T: Real] T, Field<T>: rate)`.
#[macro_export]
macro_rules! parameters {
    ($Field:ident: $($name:ident),+) => {
        $crate::parameters!([] f64, $Field: $($name),+);
    };
    ([$($generics:tt)*] $T:ty, $Field:ty: $($name:ident),+) => {
        impl<$($generics)*> ::revode::Parameters<$T> for $Field {
            fn names() -> &'static [&'static str] {
                &[$(stringify!($name)),+]
            }
            fn slices(&self) -> impl Iterator<Item = &[$T]> {
                [$(::std::slice::from_ref(&self.$name)),+].into_iter()
            }
            fn slices_mut(&mut self) -> impl Iterator<Item = &mut [$T]> {
                [$(::std::slice::from_mut(&mut self.$name)),+].into_iter()
            }
        }
    };
}
