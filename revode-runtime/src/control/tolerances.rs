//! Tolerances: one for all components of the state, or one for each.

use crate::SolveError;
use crate::error::Readable;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f64 {}
    impl Sealed for [f64] {}
    impl<const N: usize> Sealed for [f64; N] {}
    impl Sealed for Vec<f64> {}
    impl<X: Sealed + ?Sized> Sealed for &X {}
}

/// A tolerance: one number for all components of the state, or an array, a vector or a slice with one for each, in the
/// order of the components.
///
/// What it is is known at compile time, so that one number for all takes no time for the choice.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a tolerance",
    note = "a tolerance is one `f64` for all components of the state, `1e-6` say, or one for each: `[f64; N]`, \
            `Vec<f64>` or `&[f64]`"
)]
pub trait Tolerances: sealed::Sealed {
    /// That of this component.
    #[doc(hidden)]
    fn of(&self, component: usize) -> f64;

    /// All that there are.
    #[doc(hidden)]
    fn values(&self) -> &[f64];

    /// How many there are; `None` where one holds for all components.
    #[doc(hidden)]
    fn count(&self) -> Option<usize>;
}

impl Tolerances for f64 {
    #[inline(always)]
    fn of(&self, _: usize) -> f64 {
        *self
    }
    fn values(&self) -> &[f64] {
        std::slice::from_ref(self)
    }
    fn count(&self) -> Option<usize> {
        None
    }
}

/// One for each component, in what indexes as a slice.
macro_rules! each {
    ($(($($generics:tt)*) $Type:ty;)*) => {$(
        impl<$($generics)*> Tolerances for $Type {
            #[inline(always)]
            fn of(&self, component: usize) -> f64 {
                self[component]
            }
            fn values(&self) -> &[f64] {
                self
            }
            fn count(&self) -> Option<usize> {
                Some(self.len())
            }
        }
    )*};
}
each! {
    () [f64];
    (const N: usize) [f64; N];
    () Vec<f64>;
}

impl<X: Tolerances + ?Sized> Tolerances for &X {
    #[inline(always)]
    fn of(&self, component: usize) -> f64 {
        (**self).of(component)
    }
    fn values(&self) -> &[f64] {
        (**self).values()
    }
    fn count(&self) -> Option<usize> {
        (**self).count()
    }
}

/// The relative and the absolute tolerance of each component.
#[derive(Debug)]
pub(super) struct Allowed<'a, R, A> {
    pub(super) rtol: &'a R,
    /// `None` where it follows the sizes of the components.
    pub(super) atol: Option<&'a A>,
}

impl<R, A> Clone for Allowed<'_, R, A> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}
impl<R, A> Copy for Allowed<'_, R, A> {}

impl<R: Tolerances, A: Tolerances> Allowed<'_, R, A> {
    /// Checks the tolerances of a state of `n` components.
    ///
    /// # Errors
    /// [`SolveError::InvalidArgument`] says which tolerance is wrong, and of which component.
    pub(super) fn check(self, n: usize) -> Result<(), SolveError> {
        check_values("relative", self.rtol, n)?;
        if let Some(atol) = self.atol {
            check_values("absolute", atol, n)?;
        }
        let zero = |i| self.rtol.of(i) == 0.0 && self.atol.is_none_or(|atol| atol.of(i) == 0.0);
        let Some(zero) = (0..n).find(|i| zero(*i)) else { return Ok(()) };
        let one =
            self.rtol.count().is_none() && self.atol.is_none_or(|atol| atol.count().is_none());
        let of = if one { String::new() } else { format!(" of component {zero}") };
        let problem = if self.atol.is_some() {
            format!("the relative and the absolute tolerance{of} are both 0: one must be positive")
        } else {
            format!(
                "the relative tolerance{of} is 0, and there is no absolute one: it must be positive"
            )
        };
        Err(SolveError::argument("tolerance", problem))
    }

    /// The loosest tolerances.
    pub(super) fn loosest(self) -> Tolerance {
        let loosest = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
        let (rtol, atol) = (self.rtol.values(), self.atol.map_or(&[][..], Tolerances::values));
        Tolerance { rtol: loosest(rtol), atol: loosest(atol) }
    }
}

fn check_values(name: &str, tolerances: &impl Tolerances, n: usize) -> Result<(), SolveError> {
    let count = tolerances.count();
    if let Some(count) = count
        && count != n
    {
        let (s, are) = if count == 1 { ("", "is") } else { ("s", "are") };
        let problem = format!(
            "there {are} {count} {name} tolerance{s} for a state of {n} components: give as many as it has, in \
             their order, or one number for all"
        );
        return Err(SolveError::argument("tolerance", problem));
    }
    let wrong = |value: &f64| !(*value >= 0.0 && value.is_finite());
    let Some(i) = tolerances.values().iter().position(wrong) else { return Ok(()) };
    let value = Readable(tolerances.of(i));
    let of = count.map_or_else(String::new, |_| format!(" of component {i}"));
    let problem = format!("the {name} tolerance {value}{of} is not a finite number from 0 on");
    Err(SolveError::argument("tolerance", problem))
}

/// The tolerance of step-size control: an error of about `atol + rtol · |y|` a step. Where components have their own,
/// the loosest of each: no more is known of what depends on all of them, as a gradient may.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerance {
    /// Relative tolerance a step.
    pub rtol: f64,
    /// Absolute tolerance a step, in the units of the state; 0 where it follows the sizes of the components.
    pub atol: f64,
}

impl Tolerance {
    /// The larger one of the relative tolerance and of the absolute one, relative to a state of this `size`, or to 1
    /// where that is less: a state may start from 0.
    pub(crate) fn relative_to(self, size: f64) -> f64 {
        self.rtol.max(self.atol / size.max(1.0))
    }

    /// The relative tolerance, or the absolute one where that is 0.
    pub(crate) fn relative(self) -> f64 {
        if self.rtol > 0.0 { self.rtol } else { self.atol }
    }
}
