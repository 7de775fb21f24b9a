//! What does an event cost? Counts steps and field evaluations with and without events: the table of `docs/events.md`.
//!
//! `cargo run --release --example event_cost`

use revode::prelude::*;

/// An oscillator with some events. All have the same states and equations.
macro_rules! oscillator {
    ($Name:ident: $($events:tt)*) => {
        ode! {
            struct $Name {
                state  { x, v, count }
                params { w, time: [10] }
            }
            dx/dt = v;
            dv/dt = -w^2 * x;
            dcount/dt = 0;
            $($events)*
        }
    };
}
oscillator!(Free:);
oscillator!(Watched: event never = x - 2;);
oscillator!(Noted: event crosses = x;);
oscillator!(Counted: event crosses = x { count += 1; });
oscillator!(Timed: at (time[i]) for i in 0..10 { count += 1; });

fn main() -> Result<(), SolveError> {
    let x = Terminal::new(|y: &SVector<f64, 3>| y[0], |_| SVector::from([1.0, 0.0, 0.0]));
    let time = SVector::from_fn(|i, _| std::f64::consts::PI * (i as f64 + 0.5));
    for tolerance in [1e-4, 1e-8] {
        let solver = Solver::new(Tsit5).tolerance(tolerance, tolerance).unchecked();
        println!(
            "\n{tolerance:e}  events  legs  steps  tries  evaluations  more  gradient  VJPs  bytes  record"
        );
        let (mut free, mut without) = (None, 0);
        macro_rules! rows {
            ($($Name:ident)*) => {$(
                let problem = Problem::new($Name { w: 1.0, time }, [1.0, 0.0, 0.0], 0.0..31.0);
                let Solution { events, stats, .. } = solver.solve(&problem, SaveAt::end())?;
                let Stats { accepted, taken_again, legs, evaluations, .. } = stats;
                let (name, events) = (stringify!($Name), events.len());
                if events == 0 {
                    // Watching takes the derivatives at the ends of steps.
                    let watching = evaluations - *free.get_or_insert(evaluations);
                    assert!(watching == 0 || watching == accepted + 1);
                    without = evaluations;
                }
                let more = (evaluations - without) as f64 / events.max(1) as f64;
                let fit = solver.strategy(StoreAll).gradient(&problem, SaveAt::end(), &x)?;
                let Stats { evaluations: all, vjps, bytes_kept, record_bytes, .. } = fit.stats;
                print!("{name:8} {events:3} {legs:3} {accepted:6} {taken_again:6} {evaluations:10} ");
                println!("{more:10.1} {all:7} {vjps:7} {bytes_kept:6} {record_bytes:6}");
            )*};
        }
        rows!(Free Timed Watched Noted Counted);
    }
    Ok(())
}
