//! Losses, gradients and final states against an independent program in 80-bit arithmetic.
//!
//! The relative differences allowed are those that two other f64 implementations have reached
//! (`tests/reference/README.md`), relative to the largest component of each answer; they are round-off
//! amplified by the reversal.

use revode::MethodVjp;
use revode::nalgebra::{DMatrix, SMatrix, SVector};
use revode::prelude::*;
use revode_testing::compare::difference;
use revode_testing::dynamics::{Lorenz, LotkaVolterra};
use revode_testing::loss::squared_length;
use serde_json::Value;

ode! {
    /// `f = w2 tanh(w1 [t, y] + b1) + b2`.
    struct TimeNetwork {
        state  { y: [2] }
        params { w1: [10, 3], b1: [10], w2: [2, 10], b2: [2] }
    }
    dy/dt = w2 @ tanh(w1 @ concat(t, y) + b1) + b2;
}

ode! {
    /// `f = w2 tanh(w1 y + b1) + b2`.
    struct ScalarNetwork {
        state  { y: [1] }
        params { w1: [10, 1], b1: [10], w2: [1, 10], b2: [1] }
    }
    dy/dt = w2 @ tanh(w1 @ y + b1) + b2;
}

/// A file of reference values.
struct Reference(Value);

impl Reference {
    fn read(name: &str) -> Self {
        let path = format!("{}/tests/reference/{name}.json", env!("CARGO_MANIFEST_DIR"));
        Self(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
    }

    fn numbers(value: &Value) -> Vec<f64> {
        let number = |value: &Value| match value {
            Value::String(digits) => digits.parse().unwrap(),
            other => other.as_f64().unwrap(),
        };
        value.as_array().map_or_else(|| vec![number(value)], |all| all.iter().map(number).collect())
    }

    fn list(&self, key: &str) -> Vec<f64> {
        Self::numbers(&self.0[key])
    }

    fn number(&self, key: &str) -> f64 {
        self.list(key)[0]
    }

    fn state<const N: usize>(&self, key: &str) -> SVector<f64, N> {
        SVector::from_column_slice(&self.list(key))
    }

    /// Solves and differentiates `field` as the file says; compares with its answer.
    fn check<F, M, const N: usize>(
        &self,
        method: M,
        field: F,
        loss: &impl Loss<f64, F::State>,
        save: SaveAt,
        allowed: f64,
    ) where
        F: FieldVjp<f64, State = SVector<f64, N>> + Layout,
        M: MethodVjp<f64, F> + Clone,
    {
        let (t0, h, n) = (self.number("t0"), self.number("h"), self.number("n_steps"));
        let problem = Problem::new(field, self.state("y0"), t0..t0 + n * h);
        let strategy = Reversible::coupling(self.number("lambda"));
        let solver = Solver::new(method).fixed_step(h).strategy(strategy);
        let found = solver.gradient(&problem, save, loss).unwrap();
        let end = solver.forward(&problem, SaveAt::end()).unwrap().y[0];
        assert_eq!(found.stats.accepted, n as u64);

        let compare = |what: &str, found: &[f64]| {
            let expected = Self::numbers(&self.0["answer"][what]);
            let difference = difference(found, &expected);
            assert!(difference <= allowed, "{what}: {found:?} {expected:?} {difference:e}");
        };
        compare("loss", &[found.loss]);
        compare("yT", end.as_slice());
        compare("grad_y0", found.y0.as_slice());
        compare("grad_params", &found.model.row_major());
    }

    /// The networks' weights, in the order of the file.
    fn weights(&self) -> impl FnMut(usize, usize) -> DMatrix<f64> {
        let mut rest = self.list("params").into_iter();
        move |rows, columns| {
            DMatrix::from_row_iterator(rows, columns, rest.by_ref().take(rows * columns))
        }
    }
}

/// The parameters in the order of the files: matrices by rows.
trait Layout {
    fn row_major(&self) -> Vec<f64>;
}

impl Layout for TimeNetwork {
    fn row_major(&self) -> Vec<f64> {
        let Self { w1, b1, w2, b2 } = self;
        [w1.transpose().as_slice(), b1.as_slice(), w2.transpose().as_slice(), b2.as_slice()]
            .concat()
    }
}

impl Layout for ScalarNetwork {
    fn row_major(&self) -> Vec<f64> {
        self.slices().collect::<Vec<_>>().concat()
    }
}

impl Layout for Lorenz {
    fn row_major(&self) -> Vec<f64> {
        vec![self.sigma, self.rho, self.beta]
    }
}

impl Layout for LotkaVolterra {
    fn row_major(&self) -> Vec<f64> {
        vec![self.alpha, self.beta, self.delta, self.gamma]
    }
}

fn fixed<const R: usize, const C: usize>(matrix: &DMatrix<f64>) -> SMatrix<f64, R, C> {
    SMatrix::from_column_slice(matrix.as_slice())
}

fn white_dwarf<M: MethodVjp<f64, TimeNetwork> + Clone>(method: M, file: &str) {
    let reference = Reference::read(file);
    let mut weight = reference.weights();
    let network = TimeNetwork {
        w1: fixed(&weight(10, 3)),
        b1: fixed(&weight(10, 1)),
        w2: fixed(&weight(2, 10)),
        b2: fixed(&weight(2, 1)),
    };
    let data: Vec<_> =
        reference.list("data").chunks(2).map(SVector::<f64, 2>::from_column_slice).collect();
    let save = SaveAt::steps().without_start();
    reference.check(method, network, &Mse::new(&data), save, 1e-13);
}

#[test]
fn white_dwarf_euler() {
    white_dwarf(Euler, "white_dwarf_euler");
}

#[test]
fn white_dwarf_rk4() {
    white_dwarf(Rk4, "white_dwarf_rk4");
}

#[test]
fn complexity_midpoint() {
    let reference = Reference::read("complexity_midpoint_n100");
    let mut weight = reference.weights();
    let network = ScalarNetwork {
        w1: fixed(&weight(10, 1)),
        b1: fixed(&weight(10, 1)),
        w2: fixed(&weight(1, 10)),
        b2: fixed(&weight(1, 1)),
    };
    reference.check(Midpoint, network, &squared_length(), SaveAt::end(), 1e-13);
}

#[test]
fn lorenz_rk4() {
    let reference = Reference::read("lorenz_rk4_T0.5");
    let field = Lorenz { sigma: 10.0, rho: 28.0, beta: 8.0 / 3.0 };
    reference.check(Rk4, field, &squared_length(), SaveAt::end(), 4e-12);
}

#[test]
fn lotka_volterra_tsit5() {
    let reference = Reference::read("lotka_volterra_tsit5_T2");
    let field = LotkaVolterra { alpha: 1.5, beta: 1.0, delta: 1.0, gamma: 3.0 };
    reference.check(Tsit5, field, &squared_length(), SaveAt::end(), 1e-14);
}
