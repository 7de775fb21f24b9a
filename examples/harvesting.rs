//! What is the best threshold? Fish are caught from when they are many until they are few, and eaten by others all the
//! time; the gradient of the catch with respect to both levels.
//!
//! `cargo run --release --example harvesting`

use revode::prelude::*;

ode! {
    /// Predator and prey; while `open` is 1 prey is caught. It opens above a level and closes below a lower one: with one
    /// level alone, prey that grows only while nothing is caught would open and close without end.
    struct Fishery {
        state  { prey, predator, open, total }
        params { growth, eating, feeding, dying, effort, many, few }
    }
    let catch = effort * open * prey;
    dprey/dt = growth * prey - eating * prey * predator - catch;
    dpredator/dt = feeding * prey * predator - dying * predator;
    dopen/dt = 0;
    dtotal/dt = catch;
    event opens = prey - many, rising { open = 1; }
    event closes = prey - few, falling { open = 0; }
}

fn main() -> Result<(), SolveError> {
    let problem = |many: f64, few: f64| {
        let field =
            Fishery { growth: 1.5, eating: 1.0, feeding: 1.0, dying: 3.0, effort: 0.4, many, few };
        Problem::new(field, [1.0, 1.0, 0.0, 0.0], 0.0..12.0)
    };
    let solver = Solver::new(Vern7).tolerance(1e-12, 1e-12);
    let solve = |many, few| solver.solve(&problem(many, few), SaveAt::end());
    for occurrence in &solve(3.3, 2.5)?.events {
        let [prey, predator, _, total] = occurrence.after.into();
        let name = occurrence.event.name;
        println!(
            "{:6.3} {name:6}: prey {prey:.2}, predators {predator:.2}, caught {total:.3}",
            occurrence.t
        );
    }

    let total = Terminal::new(|y: &SVector<f64, 4>| y[3], |_| SVector::from([0.0, 0.0, 0.0, 1.0]));
    let fit = solver.gradient(&problem(3.3, 2.5), SaveAt::end(), &total)?;
    // Central differences of solves with h = 1e-4: off by h² f'''/6, 2e-9 here (nine times that with 3e-4), and by what
    // values are off over h, 1e-11 / 1e-4.
    let h = 1e-4;
    let slope = |dx: f64, dy: f64| -> Result<f64, SolveError> {
        let [up, down] = [h, -h].map(|h| solve(3.3 + h * dx, 2.5 + h * dy));
        Ok((up?.y[0][3] - down?.y[0][3]) / (2.0 * h))
    };
    println!("caught {:.9}", fit.loss);
    for (name, by, slope) in
        [("many", fit.model.many, slope(1.0, 0.0)?), ("few", fit.model.few, slope(0.0, 1.0)?)]
    {
        println!("d(caught)/d({name}) {by:.9}, by differences {slope:.9}");
        assert!((by - slope).abs() < 1e-6);
    }
    Ok(())
}
