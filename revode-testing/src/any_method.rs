//! One type for all methods of a test, so that each strategy is compiled once and not once a method.

/// Declares `AnyMethod`, one of the listed methods of `revode::methods`, and hands each call on to the one that is
/// meant. The adaptive ones have an embedded method.
#[macro_export]
macro_rules! any_method {
    (fixed { $($Fixed:ident),* } adaptive { $($Adaptive:ident),* }) => {
        mod any_method {
            use revode::prelude::*;
            use revode::{EmbeddedMethod, Method, MethodVjp, Real, Step, StepFailure};

            /// One of the methods.
            #[derive(Debug, Clone, Copy)]
            pub(crate) enum AnyMethod {
                $($Fixed,)*
                $($Adaptive,)*
            }

            impl AnyMethod {
                pub(crate) const FIXED: &'static [Self] = &[$(Self::$Fixed,)* $(Self::$Adaptive),*];
                pub(crate) const ADAPTIVE: &'static [Self] = &[$(Self::$Adaptive),*];
            }

            /// Scratch space of one of the methods.
            #[allow(clippy::large_enum_variant)]
            pub(crate) enum Any<$($Fixed,)* $($Adaptive),*> {
                $($Fixed($Fixed),)*
                $($Adaptive($Adaptive),)*
            }

            impl<T: Real, F: VectorField<T>> Method<T, F> for AnyMethod {
                type Stages = Any<
                    $(<$Fixed as Method<T, F>>::Stages,)*
                    $(<$Adaptive as Method<T, F>>::Stages),*
                >;

                fn order(&self) -> u32 {
                    match self {
                        $(Self::$Fixed => Method::<T, F>::order(&$Fixed),)*
                        $(Self::$Adaptive => Method::<T, F>::order(&$Adaptive),)*
                    }
                }
                fn stages(&self, field: &F, u: &F::State) -> Self::Stages {
                    match self {
                        $(Self::$Fixed => Any::$Fixed($Fixed.stages(field, u)),)*
                        $(Self::$Adaptive => Any::$Adaptive($Adaptive.stages(field, u)),)*
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
                        $(Any::$Fixed(stages) => $Fixed.increment(field, step, u, stages, psi),)*
                        $(Any::$Adaptive(stages) => $Adaptive.increment(field, step, u, stages, psi),)*
                    }
                }
                fn evaluations(&self, stages: &Self::Stages) -> u64 {
                    match stages {
                        $(Any::$Fixed(stages) => Method::<T, F>::evaluations(&$Fixed, stages),)*
                        $(Any::$Adaptive(stages) => Method::<T, F>::evaluations(&$Adaptive, stages),)*
                    }
                }
                fn restart(&self, stages: &mut Self::Stages) {
                    match stages {
                        $(Any::$Fixed(stages) => Method::<T, F>::restart(&$Fixed, stages),)*
                        $(Any::$Adaptive(stages) => Method::<T, F>::restart(&$Adaptive, stages),)*
                    }
                }
                fn proceed(&self, stages: &mut Self::Stages) {
                    match stages {
                        $(Any::$Fixed(stages) => Method::<T, F>::proceed(&$Fixed, stages),)*
                        $(Any::$Adaptive(stages) => Method::<T, F>::proceed(&$Adaptive, stages),)*
                    }
                }
            }

            impl<T: Real, F: VectorField<T>> EmbeddedMethod<T, F> for AnyMethod {
                fn embedded_order(&self) -> u32 {
                    match self {
                        $(Self::$Fixed => unreachable!("only fixed steps of {self:?} are tested"),)*
                        $(Self::$Adaptive => EmbeddedMethod::<T, F>::embedded_order(&$Adaptive),)*
                    }
                }
                #[inline(never)]
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
                        $(Any::$Fixed(_) => unreachable!("only fixed steps of {self:?} are tested"),)*
                        $(Any::$Adaptive(stages) => {
                            $Adaptive.increment_with_error(field, step, u, stages, psi, error)
                        })*
                    }
                }
            }

            impl<T: Real, F: FieldVjp<T>> MethodVjp<T, F> for AnyMethod {
                type Taped = Any<
                    $(<$Fixed as MethodVjp<T, F>>::Taped,)*
                    $(<$Adaptive as MethodVjp<T, F>>::Taped),*
                >;

                fn taped(&self, field: &F, u: &F::State) -> Self::Taped {
                    match self {
                        $(Self::$Fixed => Any::$Fixed($Fixed.taped(field, u)),)*
                        $(Self::$Adaptive => Any::$Adaptive($Adaptive.taped(field, u)),)*
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
                        $(Any::$Fixed(taped) => $Fixed.increment_taped(field, step, u, taped, psi),)*
                        $(Any::$Adaptive(taped) => {
                            $Adaptive.increment_taped(field, step, u, taped, psi)
                        })*
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
                        $(Any::$Fixed(taped) => {
                            $Fixed.increment_vjp(field, step, taped, psi_bar, u_bar, model_bar)
                        })*
                        $(Any::$Adaptive(taped) => {
                            $Adaptive.increment_vjp(field, step, taped, psi_bar, u_bar, model_bar)
                        })*
                    }
                }
                fn taped_evaluations(&self, taped: &Self::Taped) -> u64 {
                    match taped {
                        $(Any::$Fixed(taped) => {
                            MethodVjp::<T, F>::taped_evaluations(&$Fixed, taped)
                        })*
                        $(Any::$Adaptive(taped) => {
                            MethodVjp::<T, F>::taped_evaluations(&$Adaptive, taped)
                        })*
                    }
                }
                fn vjps(&self, taped: &Self::Taped) -> u64 {
                    match taped {
                        $(Any::$Fixed(taped) => MethodVjp::<T, F>::vjps(&$Fixed, taped),)*
                        $(Any::$Adaptive(taped) => MethodVjp::<T, F>::vjps(&$Adaptive, taped),)*
                    }
                }
            }
        }
        use any_method::AnyMethod;
    };
}
