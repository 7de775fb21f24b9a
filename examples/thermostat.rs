//! How do I model a switch with hysteresis? Heating is switched off above one temperature and on below another one; how
//! does the time of a switch depend on the insulation?
//!
//! `cargo run --release --example thermostat`

use revode::Occurrence;
use revode::prelude::*;

ode! {
    /// A room, in °C and hours. Whether it is heated is a state that only events change.
    struct Room {
        state  { temperature, heating }
        params { loss, power, outside, low, high }
    }
    dtemperature/dt = power * heating - loss * (temperature - outside);
    dheating/dt = 0;
    event off = temperature - high, rising { heating = 0; }
    event on = temperature - low, falling { heating = 1; }
}

/// The time at which the heating goes on for the second time, as a loss.
struct SecondOn;
type Y = SVector<f64, 2>;

impl Loss<f64, Y> for SecondOn {
    fn value(&self, _: usize, _: f64, _: &Y) -> Result<f64, SolveError> {
        Ok(0.0)
    }
    fn cotangent(&self, _: usize, _: f64, _: &Y, _: &mut Y) {}
    fn event(&self, x: &Occurrence<f64, Y>) -> f64 {
        x.t * self.event_cotangent(x, &mut Y::zeros())
    }
    fn event_cotangent(&self, x: &Occurrence<f64, Y>, _: &mut Y) -> f64 {
        if x.event.name == "on" && x.nth == 1 { 1.0 } else { 0.0 }
    }
}

fn main() -> Result<(), SolveError> {
    let room = Room { loss: 0.25, power: 8.0, outside: 5.0, low: 19.0, high: 21.0 };
    let Room { loss, power, outside, low, high } = room;
    let problem = Problem::new(room, [low, 1.0], 0.0..5.0);
    let solver = Solver::new(Tsit5).tolerance(1e-10, 1e-10);
    let solution = solver.solve(&problem, SaveAt::end())?;
    for switch in &solution.events {
        println!("{:.3} h: {:3} at {:.2} °C", switch.t, switch.event.name, switch.before[0]);
    }
    // Heated, the room approaches `outside + power / loss` at the rate `loss`; unheated, `outside`.
    let above = outside + power / loss;
    let warming = f64::ln((above - low) / (above - high)) / loss;
    let cooling = f64::ln((high - outside) / (low - outside)) / loss;
    let period = solution.events[2].t - solution.events[0].t;
    println!("period {period:.10} h, in closed form {:.10}", warming + cooling);
    assert!((period - warming - cooling).abs() < 1e-8);
    let fit = solver.gradient(&problem, SaveAt::end(), &SecondOn)?;
    let by_above = (1.0 / (above - low) - 1.0 / (above - high)) / loss;
    let by_loss = -2.0 * (by_above * power / loss + warming + cooling) / loss;
    println!("d(second on)/d(loss) {:.9}, in closed form {by_loss:.9}", fit.model.loss);
    assert!((fit.model.loss - by_loss).abs() < 1e-7);
    Ok(())
}
