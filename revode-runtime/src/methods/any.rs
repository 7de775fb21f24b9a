//! One type for several methods, chosen at run time.

/// Declares the type `AnyMethod`, one of the listed methods, which hands each call on to the one that is meant. So
/// strategies and the time loop are compiled once, and not once a method; a step takes a branch more.
///
/// Takes the list of [`for_each_method!`](crate::for_each_method), or two lists of methods. Those that are `fixed` take
/// fixed steps only: ask [`is_adaptive`] before. (For the crates of this workspace.)
#[doc(hidden)]
#[macro_export]
macro_rules! any_method {
    ($($name:ident $Method:ident $kind:ident;)*) => {
        $crate::any_method! { @split {} {} $($Method $kind;)* }
    };
    (fixed { $($Fixed:ident),* } adaptive { $($Adaptive:ident),* }) => {
        $crate::any_method! { @declare $($Fixed fixed;)* $($Adaptive adaptive;)* @ $($Adaptive)* }
    };
    (@split { $($Fixed:ident)* } { $($Adaptive:ident)* } $Method:ident fixed; $($rest:tt)*) => {
        $crate::any_method! { @split { $($Fixed)* $Method } { $($Adaptive)* } $($rest)* }
    };
    (@split { $($Fixed:ident)* } { $($Adaptive:ident)* } $Method:ident adaptive; $($rest:tt)*) => {
        $crate::any_method! { @split { $($Fixed)* } { $($Adaptive)* $Method } $($rest)* }
    };
    (@split { $($Fixed:ident)* } { $($Adaptive:ident)* }) => {
        $crate::any_method! { fixed { $($Fixed),* } adaptive { $($Adaptive),* } }
    };
    // What only adaptive methods have.
    (@embedded adaptive $value:expr) => { $value };
    (@embedded fixed $value:expr) => { unreachable!("a method without an embedded one takes fixed steps only") };
    (@declare $($M:ident $kind:ident;)* @ $($Adaptive:ident)*) => {
        mod any_method {
            use $crate::methods::{$($M),*};
            use $crate::{
                EmbeddedMethod, FieldVjp, Method, MethodVjp, Real, Stability, Step, StepFailure,
                VectorField,
            };

            /// One of the methods.
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub(crate) enum AnyMethod {
                $($M,)*
            }

            #[allow(dead_code)]
            impl AnyMethod {
                /// All of them.
                pub(crate) const ALL: &'static [Self] = &[$(Self::$M),*];
                /// Those with an embedded method.
                pub(crate) const ADAPTIVE: &'static [Self] = &[$(Self::$Adaptive),*];

                /// Whether it has an embedded method.
                pub(crate) fn is_adaptive(self) -> bool {
                    Self::ADAPTIVE.contains(&self)
                }
            }

            /// Scratch space of one of the methods.
            #[allow(clippy::large_enum_variant)]
            pub(crate) enum Any<$($M),*> {
                $($M($M),)*
            }

            impl<T: Real, F: VectorField<T>> Method<T, F> for AnyMethod {
                type Stages = Any<$(<$M as Method<T, F>>::Stages),*>;

                fn order(&self) -> u32 {
                    match self {
                        $(Self::$M => Method::<T, F>::order(&$M),)*
                    }
                }
                fn stability(&self) -> Option<&'static Stability> {
                    match self {
                        $(Self::$M => Method::<T, F>::stability(&$M),)*
                    }
                }
                fn stages(&self, field: &F, u: &F::State) -> Self::Stages {
                    match self {
                        $(Self::$M => Any::$M($M.stages(field, u)),)*
                    }
                }
                #[inline(never)]
                fn increment(
                    &self,
                    field: &F,
                    step: Step<T>,
                    u: &F::State,
                    stages: &mut Self::Stages,
                    psi: &mut F::State,
                ) -> Result<(), StepFailure> {
                    match stages {
                        $(Any::$M(stages) => $M.increment(field, step, u, stages, psi),)*
                    }
                }
                fn evaluations(&self, stages: &Self::Stages) -> u64 {
                    match stages {
                        $(Any::$M(stages) => Method::<T, F>::evaluations(&$M, stages),)*
                    }
                }
                fn restart(&self, stages: &mut Self::Stages) {
                    match stages {
                        $(Any::$M(stages) => Method::<T, F>::restart(&$M, stages),)*
                    }
                }
                fn proceed(&self, stages: &mut Self::Stages) {
                    match stages {
                        $(Any::$M(stages) => Method::<T, F>::proceed(&$M, stages),)*
                    }
                }
            }

            impl<T: Real, F: VectorField<T>> EmbeddedMethod<T, F> for AnyMethod {
                fn embedded_order(&self) -> u32 {
                    match self {
                        $(Self::$M => $crate::any_method!(
                            @embedded $kind EmbeddedMethod::<T, F>::embedded_order(&$M)
                        ),)*
                    }
                }
                #[inline(never)]
                #[allow(unused_variables)]
                fn increment_with_error(
                    &self,
                    field: &F,
                    step: Step<T>,
                    u: &F::State,
                    stages: &mut Self::Stages,
                    psi: &mut F::State,
                    error: &mut F::State,
                ) -> Result<(), StepFailure> {
                    match stages {
                        $(Any::$M(stages) => $crate::any_method!(
                            @embedded $kind $M.increment_with_error(field, step, u, stages, psi, error)
                        ),)*
                    }
                }
            }

            impl<T: Real, F: FieldVjp<T>> MethodVjp<T, F> for AnyMethod {
                type Taped = Any<$(<$M as MethodVjp<T, F>>::Taped),*>;

                fn taped(&self, field: &F, u: &F::State) -> Self::Taped {
                    match self {
                        $(Self::$M => Any::$M($M.taped(field, u)),)*
                    }
                }
                #[inline(never)]
                fn increment_taped(
                    &self,
                    field: &F,
                    step: Step<T>,
                    u: &F::State,
                    taped: &mut Self::Taped,
                    psi: &mut F::State,
                ) -> Result<(), StepFailure> {
                    match taped {
                        $(Any::$M(taped) => $M.increment_taped(field, step, u, taped, psi),)*
                    }
                }
                #[inline(never)]
                fn increment_vjp(
                    &self,
                    field: &F,
                    step: Step<T>,
                    taped: &mut Self::Taped,
                    psi_bar: &F::State,
                    u_bar: &mut F::State,
                    model_bar: &mut F,
                ) -> T {
                    match taped {
                        $(Any::$M(taped) => {
                            $M.increment_vjp(field, step, taped, psi_bar, u_bar, model_bar)
                        })*
                    }
                }
                fn estimate_order(&self) -> Option<u32> {
                    match self {
                        $(Self::$M => MethodVjp::<T, F>::estimate_order(&$M),)*
                    }
                }
                fn tape_embedded(&self, field: &F, step: Step<T>, u: &F::State, taped: &mut Self::Taped) {
                    match taped {
                        $(Any::$M(taped) => $M.tape_embedded(field, step, u, taped),)*
                    }
                }
                fn precede(&self, taped: &mut Self::Taped) {
                    match taped {
                        $(Any::$M(taped) => MethodVjp::<T, F>::precede(&$M, taped),)*
                    }
                }
                #[inline(never)]
                fn vjp_with_embedded(
                    &self,
                    field: &F,
                    step: Step<T>,
                    taped: &mut Self::Taped,
                    psi_bars: [&F::State; 2],
                    u_bars: [&mut F::State; 2],
                    model_bars: [&mut F; 2],
                ) -> T {
                    match taped {
                        $(Any::$M(taped) => {
                            $M.vjp_with_embedded(field, step, taped, psi_bars, u_bars, model_bars)
                        })*
                    }
                }
                fn start_derivative<'a>(&self, taped: &'a Self::Taped) -> Option<&'a F::State> {
                    match taped {
                        $(Any::$M(taped) => MethodVjp::<T, F>::start_derivative(&$M, taped),)*
                    }
                }
                fn taped_evaluations(&self, taped: &Self::Taped) -> u64 {
                    match taped {
                        $(Any::$M(taped) => MethodVjp::<T, F>::taped_evaluations(&$M, taped),)*
                    }
                }
                fn vjps(&self, taped: &Self::Taped) -> u64 {
                    match taped {
                        $(Any::$M(taped) => MethodVjp::<T, F>::vjps(&$M, taped),)*
                    }
                }
            }
        }
        use any_method::AnyMethod;
    };
}
