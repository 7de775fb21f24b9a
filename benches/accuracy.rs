//! Errors of what guarded and exact pairs read, beside those of the method itself: adaptive steps, at ten times of
//! the way, relative to the solution.
//!
//! ```text
//! cargo bench --bench accuracy
//! ```
//!
//! It measures `RESOLVED` in `revode-runtime/src/scheme/pair/gap.rs`: where pairs of odd order close their gap to the
//! mean of `y` and `z`.

use revode::methods::{Bosh3, Dopri5, Tsit5, Vern7, Vern8};
use revode::nalgebra::SVector;
use revode::prelude::*;
use revode::{EmbeddedMethod, MethodVjp, Tableau};
use revode_testing::compare::largest;
use revode_testing::dynamics::{
    Brusselator, FitzHughNagumo, Growth, Kepler, Lorenz, LotkaVolterra, VanDerPol,
};

ode! {
    /// Field and Noyes's model of the Belousov–Zhabotinsky reaction.
    struct Oregonator {
        state  { x, y, z }
        params { s, q, w }
    }
    dx/dt = s * (x + y - q * x^2 - x * y);
    dy/dt = (z - y - x * y) / s;
    dz/dt = w * (x - z);
}

ode! {
    /// A reaction network with the structure of Robertson's, mildly stiff.
    struct Reaction {
        state  { a, b, c }
        params { k }
    }
    da/dt = -0.04 * k * a + 10 * b * c;
    db/dt = 0.04 * k * a - 10 * b * c - 30 * b^2;
    dc/dt = 30 * b^2;
}

ode! {
    /// Contracts fast along `x + y`, slowly along `x − y`, which no component shows by itself.
    struct Mixed {
        state  { x, y }
        params { fast, slow }
    }
    let a = fast * (x + y - cos(t));
    let b = slow * (x - y);
    dx/dt = -a - b;
    dy/dt = -a + b;
}

const TIMES: usize = 10;
const TOLERANCES: [f64; 3] = [1e-3, 1e-5, 1e-8];

/// The largest error at the save points, relative to the component or to 1e-3, whichever is larger.
fn error<const N: usize>(path: &[SVector<f64, N>], reference: &[SVector<f64, N>]) -> f64 {
    assert_eq!(path.len(), reference.len());
    let relative = |(y, exact): (&SVector<f64, N>, &SVector<f64, N>)| {
        largest(y.iter().zip(exact.iter()).map(|(y, e)| (y - e).abs() / e.abs().max(1e-3)))
    };
    largest(path.iter().zip(reference).map(relative))
}

fn measure<M, F, const N: usize>(
    name: &str,
    method: M,
    problem: &Problem<f64, F>,
    reference: &[SVector<f64, N>],
) where
    M: MethodVjp<f64, F> + EmbeddedMethod<f64, F> + Tableau + Copy,
    F: FieldVjp<f64, State = SVector<f64, N>>,
{
    for tolerance in TOLERANCES {
        let solver = Solver::new(method).tolerance(tolerance, 0.01 * tolerance);
        let plain = solver.solve(problem, times(problem)).unwrap();
        let guarded = solver.strategy(Guarded::default()).forward(problem, times(problem)).unwrap();
        let exact = solver.strategy(Exact::default()).forward(problem, times(problem)).unwrap();
        let [plain, guarded, exact] = [plain, guarded, exact].map(|path| error(&path.y, reference));
        println!(
            "{name:18} {:8} {tolerance:7.0e} {plain:9.1e} {guarded:9.1e} {exact:9.1e} {:10.2} {:10.2}",
            M::NAME,
            guarded / plain,
            exact / plain
        );
    }
}

fn times<F: VectorField<f64>>(problem: &Problem<f64, F>) -> SaveAt {
    let at = |i: usize| problem.t0 + (problem.t1 - problem.t0) * i as f64 / TIMES as f64;
    SaveAt::times((0..=TIMES).map(at).collect::<Vec<_>>()).landed()
}

fn all<F, const N: usize>(name: &str, field: F, y0: [f64; N], end: f64)
where
    F: FieldVjp<f64, State = SVector<f64, N>>,
{
    let problem = Problem::new(field, y0, 0.0..end);
    let fine = Solver::new(Vern8).tolerance(1e-13, 1e-15);
    let reference = fine.solve(&problem, times(&problem)).unwrap().y;
    measure(name, Bosh3, &problem, &reference);
    measure(name, Tsit5, &problem, &reference);
    measure(name, Dopri5, &problem, &reference);
    measure(name, Vern7, &problem, &reference);
}

fn main() {
    // Cargo passes `--bench`; the tests pass `--list` and expect none.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    println!(
        "{:18} {:8} {:>7} {:>9} {:>9} {:>9} {:>10} {:>10}",
        "problem", "method", "", "plain", "guarded", "exact", "g / plain", "e / plain"
    );
    let lotka = LotkaVolterra { alpha: 1.5, beta: 1.0, delta: 1.0, gamma: 3.0 };
    all("Lotka–Volterra", lotka, [1.0, 1.0], 10.0);
    all("Kepler", Kepler { mass: 1.0 }, [0.4, 0.0, 0.0, 2.0], 20.0);
    all("Lorenz", Lorenz { sigma: 10.0, rho: 28.0, beta: 8.0 / 3.0 }, [1.0, 1.0, 1.0], 3.0);
    all("FitzHugh–Nagumo", FitzHughNagumo { a: 0.2, b: 0.2, c: 3.0 }, [-1.0, 1.0], 20.0);
    all("Brusselator", Brusselator { a: 1.0, b: 3.0 }, [1.5, 3.0], 20.0);
    all("van der Pol 5", VanDerPol { mu: 5.0 }, [2.0, 0.0], 20.0);
    all("van der Pol 50", VanDerPol { mu: 50.0 }, [2.0, 0.0], 60.0);
    all("Oregonator", Oregonator { s: 77.27, q: 8.375e-6, w: 0.161 }, [1.0, 2.0, 3.0], 5.0);
    all("reaction", Reaction { k: 1.0 }, [1.0, 0.0, 0.0], 40.0);
    all("two rates 6", Mixed { fast: 6.0, slow: 0.5 }, [1.5, 0.7], 4.0);
    all("two rates 100", Mixed { fast: 100.0, slow: 0.5 }, [1.5, 0.7], 4.0);
    all("decay", Growth { rate: -1.0 }, [1.0], 30.0);
}
