//! How do I give doses? Recovers absorption, elimination and lag of a drug, taken four times, from its concentration.
//!
//! `cargo run --release --example repeated_doses`

use revode::prelude::*;

ode! {
    /// One compartment with first-order absorption: a dose reaches the depot after a lag.
    struct Oral {
        state  { depot, central }
        params { absorption, elimination, lag, time: [4], dose: [4] }
    }
    ddepot/dt = -absorption * depot;
    dcentral/dt = absorption * depot - elimination * central;
    at (time[i] + lag) for i in 0..4 { depot += dose[i]; }
}

const TIME: [f64; 4] = [0.0, 6.0, 12.0, 18.0];
const DOSE: [f64; 4] = [1.0, 0.8, 0.8, 0.8];

/// What is measured at `t`: the sum of Bateman's functions, one a dose. (The depot is not: its datum is NaN.)
fn bateman(t: f64, [ka, ke, lag]: [f64; 3]) -> SVector<f64, 2> {
    let dose = |(time, dose): (f64, f64)| {
        let since = f64::max(0.0, t - time - lag);
        dose * ka / (ka - ke) * (f64::exp(-ke * since) - f64::exp(-ka * since))
    };
    SVector::from([f64::NAN, TIME.into_iter().zip(DOSE).map(dose).sum()])
}

fn main() -> Result<(), SolveError> {
    let truth = [1.3, 0.2, 0.25];
    let data: Vec<_> = (1..=24).map(|t| bateman(f64::from(t), truth)).collect();
    let mse = Mse::new(&data).skip_nan();
    let save = SaveAt::every(1.0).without_start();
    let solver = Solver::new(Tsit5).tolerance(1e-9, 1e-9);
    // The logarithms of the three are fitted: so they stay positive.
    let mut x = SVector::from([0.8, 0.3, 0.15]).map(f64::ln);
    let mut last: Option<(SVector<f64, 3>, SVector<f64, 3>)> = None;
    for iteration in 0..=45 {
        let parameters = x.map(f64::exp);
        let [absorption, elimination, lag] = parameters.into();
        let field = Oral { absorption, elimination, lag, time: TIME.into(), dose: DOSE.into() };
        let problem = Problem::new(field, [0.0, 0.0], 0.0..24.0);
        let Gradient { loss, model, .. } = solver.gradient(&problem, save.clone(), &mse)?;
        if iteration % 5 == 0 {
            println!("{iteration:3}: loss {loss:.1e}, {absorption:.7} {elimination:.7} {lag:.7}");
        }
        // Gradient descent with the rate of Barzilai and Borwein, IMA J. Numer. Anal. 8 (1988).
        let slope = SVector::from([model.absorption, model.elimination, model.lag]);
        let slope = parameters.component_mul(&slope);
        let rate = last.map_or(1.0, |(x0, slope0)| {
            (x - x0).dot(&(slope - slope0)) / (slope - slope0).norm_squared()
        });
        last = Some((x, slope));
        x -= rate * slope;
    }
    assert!((x.map(f64::exp) - SVector::from(truth)).norm() < 1e-5);
    Ok(())
}
