//! The state of an equation: a vector of scalars on the stack or on the heap.

use std::fmt::Debug;

use nalgebra::{DMatrix, DVector, SMatrix, SVector};

use crate::Real;

mod sealed {
    pub trait Sealed {}
    impl<T, const N: usize> Sealed for nalgebra::SVector<T, N> {}
    impl<T> Sealed for nalgebra::DVector<T> {}
}

/// A square matrix, column-major.
pub trait Square<T>: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// The entries, column by column.
    fn as_slice(&self) -> &[T];
    /// The entries, to write to.
    fn as_mut_slice(&mut self) -> &mut [T];
}

impl<T: Real, const N: usize> Square<T> for SMatrix<T, N, N> {
    fn as_slice(&self) -> &[T] {
        self.as_slice()
    }
    fn as_mut_slice(&mut self) -> &mut [T] {
        self.as_mut_slice()
    }
}

impl<T: Real> Square<T> for DMatrix<T> {
    fn as_slice(&self) -> &[T] {
        self.as_slice()
    }
    fn as_mut_slice(&mut self) -> &mut [T] {
        self.as_mut_slice()
    }
}

/// A vector of `T`: [`SVector<T, N>`](SVector), on the stack, or [`DVector<T>`](DVector), on the
/// heap.
///
/// Sealed. Arithmetic on states is done on their slices.
pub trait State<T: Real>:
    sealed::Sealed + Clone + Debug + PartialEq + Send + Sync + 'static
{
    /// A square matrix with as many rows as the state has components, column-major.
    type Square: Square<T>;
    /// A state of the same length in double precision.
    type Double: State<f64>;

    /// A state of the same length, all components zero.
    fn zeros_like(&self) -> Self;
    /// The components.
    fn as_slice(&self) -> &[T];
    /// The components, to write to.
    fn as_mut_slice(&mut self) -> &mut [T];
    /// A square matrix of zeros for a state of this length.
    fn square(&self) -> Self::Square;
    /// The components in double precision, exactly.
    fn to_double(&self) -> Self::Double;

    /// The number of components.
    #[inline(always)]
    fn len(&self) -> usize {
        self.as_slice().len()
    }
    /// The memory that it takes, on the heap too, in bytes.
    fn bytes(&self) -> usize;
    /// Whether there is no component.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Takes the components of `other`, a state of the same length, without allocating.
    #[inline(always)]
    fn assign(&mut self, other: &Self) {
        self.as_mut_slice().copy_from_slice(other.as_slice());
    }
    /// Sets every component to `value`.
    #[inline(always)]
    fn fill(&mut self, value: T) {
        self.as_mut_slice().fill(value);
    }
}

impl<T: Real, const N: usize> State<T> for SVector<T, N> {
    type Square = SMatrix<T, N, N>;
    type Double = SVector<f64, N>;

    #[inline(always)]
    fn zeros_like(&self) -> Self {
        Self::repeat(T::ZERO)
    }
    #[inline(always)]
    fn as_slice(&self) -> &[T] {
        &self.data.0[0]
    }
    #[inline(always)]
    fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.data.0[0]
    }
    fn square(&self) -> Self::Square {
        SMatrix::repeat(T::ZERO)
    }
    fn to_double(&self) -> Self::Double {
        self.map(Real::to_f64)
    }
    fn bytes(&self) -> usize {
        size_of::<Self>()
    }
}

impl<T: Real> State<T> for DVector<T> {
    type Square = DMatrix<T>;
    type Double = DVector<f64>;

    fn zeros_like(&self) -> Self {
        Self::repeat(self.nrows(), T::ZERO)
    }
    #[inline(always)]
    fn as_slice(&self) -> &[T] {
        self.data.as_slice()
    }
    #[inline(always)]
    fn as_mut_slice(&mut self) -> &mut [T] {
        self.data.as_mut_slice()
    }
    fn square(&self) -> Self::Square {
        DMatrix::repeat(self.nrows(), self.nrows(), T::ZERO)
    }
    fn to_double(&self) -> Self::Double {
        self.map(Real::to_f64)
    }
    fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(self.as_slice())
    }
}
