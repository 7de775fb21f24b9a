//! Problems with events whose solutions are known in closed form.

use revode::nalgebra::SVector;
use revode::prelude::*;

ode! {
    /// A ball that bounces.
    pub(crate) struct Ball {
        state  { height, speed }
        params { gravity, restitution }
    }
    dheight/dt = speed;
    dspeed/dt = -gravity;
    event bounce = height, falling { speed = -restitution * speed; }
}

ode! {
    /// Decays until a time that is fitted.
    pub(crate) struct Until {
        state  { y, on }
        params { k, end }
    }
    dy/dt = -k * on * y;
    don/dt = 0;
    at (end) { on = 0; }
}

ode! {
    /// A damped oscillator whose force changes its sign at a time that is fitted.
    pub(crate) struct Forced {
        state  { x, v, sign }
        params { damping, force, switch }
    }
    dx/dt = v;
    dv/dt = -4 * pi^2 * x - 4 * pi * damping * v + force * sign;
    dsign/dt = 0;
    at (switch) { sign = -sign; }
}

ode! {
    /// Grows at the rate 1 up to a level, and at the rate 1 − k beyond it.
    pub(crate) struct Slower {
        state  { y, slow }
        params { k, level }
    }
    dy/dt = 1 - k * slow;
    dslow/dt = 0;
    event passes = y - level, rising { slow = 1; }
}

ode! {
    /// One compartment, first-order absorption, repeated doses after a lag.
    pub(crate) struct Oral {
        state  { depot, central }
        params { ka, ke, lag, time: [4], amount: [4] }
    }
    ddepot/dt = -ka * depot;
    dcentral/dt = ka * depot - ke * central;
    at (time[i] + lag) for i in 0..4 { depot += amount[i]; }
}

ode! {
    /// Three infusions, each with a start and an end.
    pub(crate) struct Infusion {
        state  { y, rate }
        params { k, start: [3], stop: [3], strength: [3] }
    }
    dy/dt = -k * y + rate;
    drate/dt = 0;
    at (start[i]) for i in 0..3 { rate += strength[i]; }
    at (stop[i]) for i in 0..3 { rate -= strength[i]; }
}

/// A problem, the time at which its first component is asked for, and that in closed form, by the numbers of its initial
/// state, then of its parameters, then the end of the time span.
pub(crate) struct Case<F: VectorField<f64>> {
    pub(crate) name: &'static str,
    pub(crate) problem: Problem<f64, F>,
    pub(crate) closed_form: fn(&[f64]) -> f64,
}

impl<F: FieldVjp<f64>> Case<F> {
    /// The numbers that the closed form depends on.
    pub(crate) fn numbers(&self) -> Vec<f64> {
        let Problem { field, y0, t1, .. } = &self.problem;
        let numbers = y0.as_slice().iter().chain(field.slices().flatten());
        numbers.copied().chain([*t1]).collect()
    }

    /// The closed form and its derivatives, by central differences of order 6 (Fornberg, *Generation of Finite Difference
    /// Formulas on Arbitrarily Spaced Grids*, Math. Comp. 51 (1988), table 1): off by the seventh derivative times
    /// `1e-24 / 140`, 1e-12 for an oscillation of 15 periods, and by the rounding of the value over 1e-4, 1e-12 of it.
    pub(crate) fn expected(&self) -> (f64, Vec<f64>) {
        let numbers = self.numbers();
        let f = |i: usize, by: f64| {
            let mut moved = numbers.clone();
            moved[i] += by;
            (self.closed_form)(&moved)
        };
        let h = 1e-4;
        let slope = |i: usize| {
            let pair = |n: f64| f(i, n * h) - f(i, -n * h);
            (0.75 * pair(1.0) - 0.15 * pair(2.0) + pair(3.0) / 60.0) / h
        };
        ((self.closed_form)(&numbers), (0..numbers.len()).map(slope).collect())
    }
}

/// The times of the first five bounces, from `height` at rest.
pub(crate) fn bounces(height: f64, gravity: f64, restitution: f64) -> [f64; 5] {
    let first = (2.0 * height / gravity).sqrt();
    let mut times = [first; 5];
    for k in 1..5 {
        times[k] = times[k - 1] + 2.0 * restitution.powi(k as i32) * first;
    }
    times
}

pub(crate) fn ball() -> Case<Ball> {
    let field = Ball { gravity: 9.81, restitution: 0.8 };
    Case {
        name: "ball",
        problem: Problem::new(field, [10.0, 0.0], 0.0..8.0),
        closed_form: |x| {
            let [height, speed, gravity, restitution, end] = x.try_into().unwrap();
            let impact = (speed * speed + 2.0 * gravity * height).sqrt();
            let (mut t, mut up) = ((speed + impact) / gravity, restitution * impact);
            // The flight at 8 is the one after the fourth bounce, whatever the small changes.
            for _ in 0..3 {
                t += 2.0 * up / gravity;
                up *= restitution;
            }
            let s = end - t;
            up * s - 0.5 * gravity * s * s
        },
    }
}

pub(crate) fn until() -> Case<Until> {
    Case {
        name: "until",
        problem: Problem::new(Until { k: 0.5, end: 2.0 }, [1.0, 1.0], 0.0..5.0),
        closed_form: |x| {
            let [y, on, k, end, _] = x.try_into().unwrap();
            y * f64::exp(-k * on * end)
        },
    }
}

pub(crate) fn forced() -> Case<Forced> {
    let field = Forced { damping: 0.05, force: 10.0, switch: 7.5 };
    Case {
        name: "forced",
        problem: Problem::new(field, [1.5, 0.0, 1.0], 0.0..15.0),
        closed_form: |x| {
            let [x, v, sign, damping, force, switch, end] = x.try_into().unwrap();
            let w = 2.0 * std::f64::consts::PI;
            let free = |x: f64, v: f64, t: f64| {
                let (a, b) = (damping * w, w * (1.0 - damping * damping).sqrt());
                let (sin, cos) = (b * t).sin_cos();
                let decay = f64::exp(-a * t);
                let x1 = decay * (x * cos + (v + a * x) / b * sin);
                let v1 = decay * (v * cos - (a * v + w * w * x) / b * sin);
                (x1, v1)
            };
            let at_rest = force * sign / (w * w);
            let (x1, v1) = free(x - at_rest, v, switch);
            free(x1 + 2.0 * at_rest, v1, end - switch).0 - at_rest
        },
    }
}

pub(crate) fn slower() -> Case<Slower> {
    Case {
        name: "slower",
        problem: Problem::new(Slower { k: 0.5, level: 1.0 }, [0.0, 0.0], 0.0..3.0),
        closed_form: |x| {
            let [y, slow, k, level, end] = x.try_into().unwrap();
            let passes = (level - y) / (1.0 - k * slow);
            level + (1.0 - k) * (end - passes)
        },
    }
}

pub(crate) fn oral() -> Case<Oral> {
    let field = Oral {
        ka: 1.3,
        ke: 0.2,
        lag: 0.25,
        time: SVector::from([0.5, 6.0, 12.0, 18.0]),
        amount: SVector::from([100.0, 80.0, 120.0, 60.0]),
    };
    Case {
        name: "oral",
        problem: Problem::new(field, [10.0, 3.0], 0.0..24.0),
        // The concentration in the depot would be 0: the sum of both is asked for, see `sum`.
        closed_form: |x| {
            let (y0, rest) = x.split_at(2);
            let [ka, ke, lag] = rest[..3].try_into().unwrap();
            let (time, amount, end) = (&rest[3..7], &rest[7..11], rest[11]);
            // Bateman's function, and the depot.
            let dose = |t: f64, depot: f64| {
                let left = depot * f64::exp(-ka * t);
                let central = depot * ka / (ka - ke) * (f64::exp(-ke * t) - f64::exp(-ka * t));
                left + central
            };
            let doses = time.iter().zip(amount).map(|(t, amount)| dose(end - t - lag, *amount));
            dose(end, y0[0]) + y0[1] * f64::exp(-ke * end) + doses.sum::<f64>()
        },
    }
}

pub(crate) fn infusion() -> Case<Infusion> {
    let field = Infusion {
        k: 0.5,
        start: SVector::from([1.0, 5.0, 9.0]),
        stop: SVector::from([1.1, 5.1, 9.1]),
        strength: SVector::from([1.0, 1.0, 1.0]),
    };
    Case {
        name: "infusion",
        problem: Problem::new(field, [0.0, 0.0], 0.0..12.0),
        closed_form: |x| {
            let [y, rate, k] = x[..3].try_into().unwrap();
            let (start, stop, strength, end) = (&x[3..6], &x[6..9], &x[9..12], x[12]);
            let step = |since: f64| (1.0 - f64::exp(-k * since)) / k;
            let doses = (0..3).map(|i| strength[i] * (step(end - start[i]) - step(end - stop[i])));
            // (The rate at the end is not 0 where that at the start is not: the sum is asked for.)
            y * f64::exp(-k * end) + rate * step(end) + rate + doses.sum::<f64>()
        },
    }
}

/// What is asked for at the end: the sum of the components, each times its weight.
#[derive(Clone, Copy)]
pub(crate) struct Sum<const N: usize>(SVector<f64, N>);

pub(crate) fn sum<const N: usize>(weights: [f64; N]) -> Sum<N> {
    Sum(SVector::from(weights))
}

impl<const N: usize> Loss<f64, SVector<f64, N>> for Sum<N> {
    fn value(&self, _: usize, _: f64, y: &SVector<f64, N>) -> Result<f64, SolveError> {
        Ok(self.0.dot(y))
    }
    fn cotangent(&self, _: usize, _: f64, _: &SVector<f64, N>, y_bar: &mut SVector<f64, N>) {
        *y_bar += self.0;
    }
}
