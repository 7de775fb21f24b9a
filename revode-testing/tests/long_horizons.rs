//! Guarded and exact gradients over horizons of 1, 10 and 100 are those of stored states to the last
//! bit; what they keep belongs to the horizon and not to the number of steps.
//!
//! `cargo test --release -p revode-testing --test long_horizons -- --nocapture --test-threads 1` prints the table of
//! `docs/guarded.md` and `docs/exact.md`.

use revode::control::StepControl;
use revode::prelude::*;
use revode_testing::compare::{difference, flat};
use revode_testing::dynamics::{
    Brusselator, Decay, DoublePendulum, FitzHughNagumo, Kepler, Lorenz, LotkaVolterra, VanDerPol,
};
use revode_testing::for_each_dynamics;
use revode_testing::loss::squared_length;

revode::any_method! {
    fixed { Rk4 }
    adaptive { Tsit5 }
}

/// What was found with one step-size control: the anchors and the bits a component that were kept, the plain
/// method's gradient, and how far the guarded and the exact one are from it.
struct Found {
    anchors: u64,
    bits: f64,
    plain: Vec<f64>,
    guarded_off: f64,
    exact_off: f64,
}

impl Found {
    /// The pairs are other discretisations of the same order than the plain method: they differ from it by a
    /// multiple of its own error, which a `finer` discretisation shows.
    fn check(&self, finer: &Self, name: &str, steps: &str) {
        let own = difference(&self.plain, &finer.plain);
        let [guarded, exact] = [self.guarded_off, self.exact_off].map(|off| off / own);
        println!(
            "{name:15} {steps:9} plain off by {own:.0e}, the others from it by {guarded:.1} and {exact:.1} times that"
        );
        assert!(guarded <= TIMES, "{name}, {steps}: guarded {guarded}");
        // The decay comes below the one grid that the exact reversal has.
        assert!(exact <= TIMES || name == "decay", "{name}, {steps}: exact {exact}");
    }
}

/// The largest multiple: 143 was measured once (van der Pol, μ = 10, T = 10, where the longest step meets
/// a rate of 30), 82 in another stiff phase, below 60 for the others.
const TIMES: f64 = 200.0;

fn compare<F, C>(
    name: &str,
    steps: &str,
    solver: &Solver<AnyMethod, C>,
    problem: &Problem<f64, F>,
) -> Found
where
    F: FieldVjp<f64>,
    C: StepControl<f64, F, AnyMethod> + Copy,
{
    // Gradients of the discrete solution: that of the equation is out of reach over 100 units of Lorenz's time.
    let (solver, loss) = (solver.unchecked(), squared_length());
    let save = SaveAt::end;
    let guarded = solver.strategy(Guarded::default()).gradient(problem, save(), &loss).unwrap();
    let stored = solver
        .strategy(StoreAll.along(Guarded::default()))
        .gradient(problem, save(), &loss)
        .unwrap();
    assert_eq!(flat(&guarded), flat(&stored), "{name}, {steps}: guarded");
    let integers = Exact::default();
    let exact = solver.strategy(integers).gradient(problem, save(), &loss).unwrap();
    let stored =
        solver.strategy(StoreAll.along(integers)).gradient(problem, save(), &loss).unwrap();
    assert_eq!(flat(&exact), flat(&stored), "{name}, {steps}: exact");
    let plain = solver.strategy(StoreAll).gradient(problem, save(), &loss).unwrap();
    let (guarded_off, exact_off) =
        (difference(&flat(&guarded), &flat(&plain)), difference(&flat(&exact), &flat(&plain)));
    println!(
        "{name:15} T = {:3} {steps:9} {:6} steps {:5} anchors {:6} bytes, plain {:7.0e} | {:6.0} bits, \
         plain {:7.0e}",
        problem.t1,
        guarded.stats.accepted,
        guarded.stats.strategy.anchors(),
        guarded.stats.bytes_kept,
        guarded_off,
        exact.stats.strategy.bits(),
        exact_off,
    );
    let (anchors, bits) = (guarded.stats.strategy.anchors(), exact.stats.strategy.bits());
    Found { anchors, bits, plain: flat(&plain), guarded_off, exact_off }
}

macro_rules! tests {
    ($($name:ident: $field:expr, $y0:expr, $h:expr;)*) => {
        $(#[test]
        fn $name() {
            let name = stringify!($name);
            for end in [1.0, 10.0, 100.0] {
                let problem = Problem::new($field, $y0, 0.0..end);
                let [coarse, middle, fine] = [1.0, 4.0, 16.0].map(|finer| {
                    let steps = format!("RK4 h/{finer}");
                    compare(name, &steps, &Solver::new(AnyMethod::Rk4).fixed_step($h / finer), &problem)
                });
                compare(name, "Tsit5 h", &Solver::new(AnyMethod::Tsit5).fixed_step($h), &problem);
                let [loose, tight] = [1e-6, 1e-9].map(|tolerance| {
                    let solver = Solver::new(AnyMethod::Tsit5).tolerance(tolerance, tolerance);
                    compare(name, &format!("{tolerance:e}"), &solver, &problem)
                });
                coarse.check(&fine, name, "RK4 h");
                middle.check(&fine, name, "RK4 h/4");
                loose.check(&tight, name, "1e-6");
                // 16 times as many steps: no more anchors or bits, but for chance.
                assert!(fine.anchors <= 2 * coarse.anchors + 10, "{} {}", fine.anchors, coarse.anchors);
                // (Measured: up to twice as many for the decay, which ends in the rounding of its grid.)
                assert!(fine.bits <= 2.5 * coarse.bits + 100.0, "{} {}", fine.bits, coarse.bits);
            }
        })*
    };
}

for_each_dynamics!(tests);

/// Damped at a given rate, the buffer takes `κ T / ln 2` bits a component at any step size.
#[test]
fn bits_of_a_rate() {
    let field = Lorenz { sigma: 10.0, rho: 28.0, beta: 8.0 / 3.0 };
    let problem = Problem::new(field, [1.0, 1.0, 1.0], 0.0..100.0);
    for h in [0.01, 0.0025, 0.000_625] {
        let solver = Solver::new(Rk4).fixed_step(h).strategy(Exact::default().rate(25.0));
        let stats = solver.gradient(&problem, SaveAt::end(), &squared_length()).unwrap().stats;
        println!("Lorenz, κ = 25, T = 100, h = {h}: {stats}");
        assert!((stats.strategy.bits() / 3607.0 - 1.0).abs() <= 0.05, "{stats}");
    }
}

/// Ten million steps there and back: `Exact` itself compares the start to the last bit and that the buffer
/// is empty, and fails otherwise.
#[test]
fn ten_million_steps() {
    let steps = 10_000_000_u32;
    let problem = Problem::new(VanDerPol { mu: 1.0 }, [2.0, 0.0], 0.0..1000.0);
    let solver = Solver::new(Midpoint).fixed_step(1000.0 / f64::from(steps)).max_steps(20_000_000);
    let exact = solver.strategy(Exact::default());
    let stats = exact.gradient(&problem, SaveAt::end(), &squared_length()).unwrap().stats;
    println!("van der Pol, T = 1000: {stats}");
    assert_eq!(stats.accepted, u64::from(steps));
}
