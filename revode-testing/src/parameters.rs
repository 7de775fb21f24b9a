//! Parameters of fields by hand.

/// Implements `Parameters<f64>` for a field by hand whose one parameter is a number: `one_parameter!(Field, rate)`.
#[macro_export]
macro_rules! one_parameter {
    ($Field:ident, $name:ident) => {
        impl ::revode::Parameters<f64> for $Field {
            fn names() -> &'static [&'static str] {
                &[stringify!($name)]
            }
            fn slices(&self) -> impl Iterator<Item = &[f64]> {
                ::std::iter::once(::std::slice::from_ref(&self.$name))
            }
            fn slices_mut(&mut self) -> impl Iterator<Item = &mut [f64]> {
                ::std::iter::once(::std::slice::from_mut(&mut self.$name))
            }
        }
    };
}
