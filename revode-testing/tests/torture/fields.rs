//! Random fields, drawn in units of 1 and taken to other units, in which the dynamics are the same.

use revode::Real;
use revode::nalgebra::{DMatrix, DVector};
use revode::prelude::*;

ode! {
    pub(crate) struct Linear {
        dims   { n }
        state  { u: [n] }
        params { a: [n, n], b: [n] }
    }
    du/dt = a @ u + b;
}

ode! {
    pub(crate) struct Network {
        dims   { n, m }
        state  { u: [n] }
        params { w1: [m, n], b1: [m], w2: [n, m], b2: [n], omega }
    }
    du/dt = w2 @ tanh(w1 @ u + b1 + sin(omega * t)) + b2;
}

ode! {
    /// Contracts and expands in turn, and blows up where an entry of `k` is negative.
    pub(crate) struct Swing {
        dims   { n }
        state  { u: [n] }
        params { a: [n, n], b: [n], k: [n], c, omega }
    }
    du/dt = (a @ u) * cos(omega * t) - c * u + b - k * u^3;
}

/// What a field is made of, in units of 1.
#[derive(Debug, Clone)]
pub(crate) struct Draw {
    pub(crate) n: usize,
    pub(crate) numbers: Vec<f64>,
    /// How fast the field contracts on average, and how large it is.
    pub(crate) contraction: f64,
    pub(crate) strength: f64,
    /// The components that start from exactly 0.
    pub(crate) zero: Vec<bool>,
}

/// Units, powers of two, so that taking a number to them is exact. A negative unit of time turns it around.
#[derive(Debug, Clone)]
pub(crate) struct Units {
    pub(crate) state: Vec<f64>,
    pub(crate) time: f64,
}

/// A problem in units, and its parameters' units in a field of their own.
pub(crate) struct Random<T: Real, F: VectorField<T>> {
    pub(crate) problem: Problem<T, F>,
    pub(crate) state_units: DVector<T>,
    pub(crate) field_units: F,
}

impl Draw {
    pub(crate) fn number(&self, i: usize) -> f64 {
        self.numbers[i % self.numbers.len()]
    }

    /// `strength · random − contraction`
    pub(crate) fn linear<T: Real>(&self, units: &Units) -> (Linear<T>, Linear<T>) {
        self.linear_of(units, |i, j| {
            let diagonal = if i == j { self.contraction } else { 0.0 };
            self.strength * self.number(i * self.n + j) - diagonal
        })
    }

    /// Oscillation, at rates up to the contraction's, that is damped or grows slowly.
    pub(crate) fn rotation<T: Real>(&self, units: &Units) -> (Linear<T>, Linear<T>) {
        self.linear_of(units, |i, j| {
            let turn = |i: usize, j: usize| self.contraction * self.number(i * self.n + j);
            turn(i, j) - turn(j, i) + if i == j { 0.1 * self.number(i) - 0.08 } else { 0.0 }
        })
    }

    fn linear_of<T: Real>(
        &self,
        units: &Units,
        a: impl Fn(usize, usize) -> f64,
    ) -> (Linear<T>, Linear<T>) {
        let n = self.n;
        let field = Linear { n, a: matrix(n, n, a), b: vector(n, |i| self.number(i + 40)) };
        (field, Linear { n, a: matrix(n, n, |i, j| units.rate(i, j)), b: units.of_field(n) })
    }

    pub(crate) fn network<T: Real>(&self, units: &Units) -> (Network<T>, Network<T>) {
        let (n, m) = (self.n, 7);
        let field = Network {
            n,
            m,
            w1: matrix(m, n, |i, j| self.number(i * n + j)),
            b1: vector(m, |i| self.number(i + 35)),
            w2: matrix(n, m, |i, j| self.strength * self.number(i * m + j + 17)),
            b2: vector(n, |i| self.number(i + 50)),
            omega: T::ONE,
        };
        let units = Network {
            n,
            m,
            w1: matrix(m, n, |_, j| 1.0 / units.state[j]),
            b1: vector(m, |_| 1.0),
            w2: matrix(n, m, |i, _| units.state[i] / units.time),
            b2: units.of_field(n),
            omega: T::from_f64(1.0 / units.time),
        };
        (field, units)
    }

    pub(crate) fn swing<T: Real>(&self, units: &Units) -> (Swing<T>, Swing<T>) {
        let (a, a_units) = self.linear(units);
        let field = Swing {
            n: self.n,
            a: a.a,
            b: a.b,
            // Negative for one in seven.
            k: vector(self.n, |i| self.strength * (self.number(i + 70) + 0.7)),
            c: T::from_f64(0.2 * self.contraction),
            omega: T::from_f64(10_f64.powf(self.number(79))),
        };
        let units = Swing {
            n: self.n,
            a: a_units.a,
            b: a_units.b,
            k: vector(self.n, |i| units.state[i].powi(-2) / units.time),
            c: T::from_f64(1.0 / units.time),
            omega: T::from_f64(1.0 / units.time),
        };
        (field, units)
    }

    /// The problem of a field and its units, up to a time in units of 1.
    pub(crate) fn problem<T: Real, F: VectorField<T, State = DVector<T>> + Parameters<T>>(
        &self,
        (mut field, field_units): (F, F),
        units: &Units,
        end: f64,
    ) -> Random<T, F> {
        for (field, units) in field.slices_mut().zip(field_units.slices()) {
            field.iter_mut().zip(units).for_each(|(x, unit)| *x *= *unit);
        }
        let start =
            |i: usize| if self.zero[i] { 0.0 } else { self.number(i + 60) * units.state[i] };
        let end = T::from_f64(end * units.time);
        Random {
            problem: Problem::new(field, vector(self.n, start), T::ZERO..end),
            state_units: vector(self.n, |i| units.state[i]),
            field_units,
        }
    }
}

impl Units {
    /// Of entry `(i, j)` of a Jacobian.
    fn rate(&self, i: usize, j: usize) -> f64 {
        self.state[i] / self.state[j] / self.time
    }

    fn of_field<T: Real>(&self, n: usize) -> DVector<T> {
        vector(n, |i| self.state[i] / self.time)
    }
}

impl<T: Real, F: FieldVjp<T, State = DVector<T>>> Random<T, F> {
    /// Half the squared norm of the state in units of 1.
    pub(crate) fn loss(&self) -> impl Loss<T, DVector<T>> {
        let (units, half) = (self.state_units.clone(), T::from_f64(0.5));
        let scaled = units.clone();
        let value = move |y: &DVector<T>| {
            y.iter().zip(scaled.iter()).map(|(y, unit)| half * (*y / *unit) * (*y / *unit)).sum()
        };
        Terminal::new(value, move |y: &DVector<T>| y.zip_map(&units, |y, unit| y / unit / unit))
    }

    /// A gradient in units of 1, in which its components compare.
    pub(crate) fn flat(&self, found: &Gradient<F, DVector<T>, T>) -> Vec<f64> {
        let numbers = found.y0.iter().chain(found.model.slices().flatten());
        let units = self.state_units.iter().chain(self.field_units.slices().flatten());
        numbers.zip(units).map(|(x, unit)| (*x * *unit).to_f64()).collect()
    }
}

fn vector<T: Real>(n: usize, number: impl Fn(usize) -> f64) -> DVector<T> {
    DVector::from_fn(n, |i, _| T::from_f64(number(i)))
}

fn matrix<T: Real>(n: usize, m: usize, number: impl Fn(usize, usize) -> f64) -> DMatrix<T> {
    DMatrix::from_fn(n, m, |i, j| T::from_f64(number(i, j)))
}
