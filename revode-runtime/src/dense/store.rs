//! The solution over a whole span, as it is kept after the solve.
//!
//! The interpolant of a step has the degree `d`, its derivative `d − 1`. That is kept as a Legendre series in
//! `x = 2θ − 1`, with `d` coefficients `c_m` for each component, and the state `u` at the start:
//!
//! ```text
//! y'(t + θh) = Σ c_m P_m(x)
//! y (t + θh) = u + h (θ c_0 + Σ_{m>0} c_m (P_{m+1}(x) − P_{m−1}(x)) / (2 (2m + 1)))
//! ```
//!
//! Powers of `θ` would cancel (`docs/interpolants.md`). These polynomials do not: all are at most 1, and the second
//! line meets the start to the last bit. The coefficients come from the derivative at the `d` nodes of Gauss, which is exact
//! for this degree: Abramowitz and Stegun, *Handbook of Mathematical Functions*, 25.4.29.

use crate::{Real, State, Step};

/// The interpolants of all steps.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dense<T, S> {
    degree: usize,
    /// Where each step starts.
    t: Vec<T>,
    /// For each step the state at its start and the coefficients, `degree + 1` states one after the other.
    series: Vec<T>,
    /// Where the last step has led to.
    end: (T, S),
}

impl<T: Real, S: State<T>> Dense<T, S> {
    /// Of no step yet, from `y0` at `t0`.
    pub(crate) fn new(degree: usize, t0: T, y0: &S) -> Self {
        Self { degree, t: Vec::new(), series: Vec::new(), end: (t0, y0.clone()) }
    }

    /// Keeps a step from one state to another; `slope` writes the derivative at `θ` to its argument.
    pub(crate) fn push(
        &mut self,
        gauss: &Gauss<T>,
        step: Step<T>,
        [u, y]: [&S; 2],
        mut slope: impl FnMut(T, &mut S),
    ) {
        let n = u.len();
        self.t.push(step.t);
        self.series.extend_from_slice(u.as_slice());
        let start = self.series.len();
        self.series.resize(start + self.degree * n, T::ZERO);
        let (end_t, dy) = &mut self.end;
        for (theta, weights) in gauss.nodes.iter().zip(gauss.weights.chunks_exact(self.degree)) {
            slope(*theta, dy);
            for (c, weight) in self.series[start..].chunks_exact_mut(n.max(1)).zip(weights) {
                for (c, dy) in c.iter_mut().zip(dy.as_slice()) {
                    *c += *weight * *dy;
                }
            }
        }
        *end_t = step.end;
        dy.assign(y);
    }

    /// The time at which the first step starts, and that at which the last one ends.
    pub(crate) fn span(&self) -> (T, T) {
        (*self.t.first().unwrap_or(&self.end.0), self.end.0)
    }

    /// The solution at `t`, which lies between.
    pub(crate) fn value(&self, t: T) -> S {
        let Some((step, h, theta)) = self.locate(t) else { return self.end.1.clone() };
        if theta == T::ONE && step + 1 == self.t.len() {
            return self.end.1.clone();
        }
        let half = T::from_f64(0.5) * h;
        let (u, weight) = (T::ONE, |m: usize, [before, _, after]: [T; 3]| match m {
            0 => h * theta,
            _ => half * (after - before) / T::from_f64((2 * m + 1) as f64),
        });
        self.sum(step, theta, u, weight)
    }

    /// The derivative at `t`, which lies between.
    pub(crate) fn slope(&self, t: T) -> S {
        let Some((step, _, theta)) = self.locate(t) else { return self.end.1.zeros_like() };
        self.sum(step, theta, T::ZERO, |_, [_, p, _]| p)
    }

    /// `factor u + Σ w_m c_m`, where the weight `w_m` is made of `P_{m−1}`, `P_m` and `P_{m+1}` at `θ`.
    fn sum(&self, step: usize, theta: T, factor: T, weight: impl Fn(usize, [T; 3]) -> T) -> S {
        let mut y = self.end.1.zeros_like();
        let n = y.len();
        let length = (self.degree + 1) * n;
        let (u, series) = self.series[step * length..][..length].split_at(n);
        let polynomials = legendre(theta + theta - T::ONE);
        for ((m, c), p) in series.chunks_exact(n.max(1)).enumerate().zip(polynomials) {
            let weight = weight(m, p);
            for (y, c) in y.as_mut_slice().iter_mut().zip(c) {
                *y += weight * *c;
            }
        }
        for (y, u) in y.as_mut_slice().iter_mut().zip(u) {
            *y += factor * *u;
        }
        y
    }

    /// The step in which `t` lies, its size, and where in it; none where there is no step.
    fn locate(&self, t: T) -> Option<(usize, T, T)> {
        let (t0, t1) = self.span();
        let before = |a: T, b: T| if t1 < t0 { a > b } else { a < b };
        // The last step that starts at or before `t`: a time between two steps is the start of the second one.
        let step = self.t.partition_point(|start| !before(t, *start)).checked_sub(1)?;
        let start = self.t[step];
        let h = *self.t.get(step + 1).unwrap_or(&t1) - start;
        Some((step, h, if h == T::ZERO { T::ZERO } else { (t - start) / h }))
    }
}

/// The nodes of Gauss between 0 and 1, and the weights with which the values there make a Legendre series.
pub(crate) struct Gauss<T> {
    nodes: Vec<T>,
    /// For each node the weight in each coefficient.
    weights: Vec<T>,
}

impl<T: Real> Gauss<T> {
    /// `n` nodes, for polynomials of the degree `n − 1`.
    pub(crate) fn new(n: usize) -> Self {
        let (mut nodes, mut weights) = (Vec::with_capacity(n), Vec::with_capacity(n * n));
        for j in 0..n {
            let (x, slope) = node(n, j);
            let weight = 1.0 / ((1.0 - x * x) * slope * slope);
            nodes.push(T::from_f64(0.5 + 0.5 * x));
            let terms = legendre(x).take(n).enumerate();
            weights
                .extend(terms.map(|(m, [_, p, _])| T::from_f64((2 * m + 1) as f64 * weight * p)));
        }
        Self { nodes, weights }
    }
}

/// The zero number `j` of `P_n` and the derivative there, by Newton's method.
fn node(n: usize, j: usize) -> (f64, f64) {
    let angle = std::f64::consts::PI * (j as f64 + 0.75) / (n as f64 + 0.5);
    let (mut x, mut slope) = (Real::cos(angle), 1.0);
    // From this start three rounds are enough.
    for _ in 0..6 {
        let [before, p] = legendre(x).nth(n).map_or([0.0, 0.0], |[before, p, _]| [before, p]);
        slope = n as f64 * (before - x * p) / (1.0 - x * x);
        x -= p / slope;
    }
    (x, slope)
}

/// `P_{m−1}`, `P_m` and `P_{m+1}` at `x` for `m` = 0, 1, …
fn legendre<T: Real>(x: T) -> impl Iterator<Item = [T; 3]> {
    let (mut before, mut p) = (T::ZERO, T::ONE);
    (0..).map(move |m: u32| {
        let m = T::from_f64(f64::from(m));
        let after = ((m + m + T::ONE) * x * p - m * before) / (m + T::ONE);
        let terms = [before, p, after];
        (before, p) = (p, after);
        terms
    })
}

#[cfg(test)]
mod tests {
    use super::{Dense, Gauss};
    use crate::Step;
    use nalgebra::Vector1;

    /// `y = t^d` over steps of different sizes is met to rounding, with its derivative, for every degree.
    #[test]
    fn polynomials_come_back() {
        for degree in 1..=10_i32 {
            let gauss = Gauss::new(degree as usize);
            let y = |t: f64| Vector1::new(t.powi(degree));
            let slope = |t: f64| f64::from(degree) * t.powi(degree - 1);
            let mut dense = Dense::new(degree as usize, 0.5, &y(0.5));
            for (index, t, end) in [(0, 0.5, 0.8), (1, 0.8, 0.9), (2, 0.9, 1.5)] {
                let step = Step { h: end - t, end, ..Step::new(index, t, end - t) };
                dense.push(&gauss, step, [&y(t), &y(end)], |theta, dy| {
                    dy.x = slope(t + theta * (end - t));
                });
            }
            // The largest slope.
            let size = slope(1.5);
            for t in [0.5, 0.6, 0.79, 0.8, 0.81, 0.9, 1.2, 1.5] {
                let off = dense.value(t).x - y(t).x;
                assert!(off.abs() <= 1e-15 * size, "{degree} {t} {off:e}");
                let off = dense.slope(t).x - slope(t);
                // Coefficients are sums with weights up to `2 d`, of which there are `d`.
                let most = 4e-16 * f64::from(degree * degree) * size;
                assert!(off.abs() <= most, "{degree} {t} {off:e}");
            }
            for t in [0.5, 0.8, 0.9, 1.5] {
                assert_eq!(dense.value(t), y(t));
            }
        }
    }

    /// A time that is before the end of a step by less than the place in the step can tell.
    #[test]
    fn a_place_that_rounds_to_the_end_of_a_step_is_there() {
        let gauss = Gauss::new(1);
        let mut dense = Dense::new(1, -1.0, &Vector1::new(-1.0));
        for (index, t) in [(0, -1.0), (1, 0.0)] {
            let ends = [&Vector1::new(t), &Vector1::new(t + 1.0)];
            dense.push(&gauss, Step::new(index, t, 1.0), ends, |_, dy| dy.x = 1.0);
        }
        assert_eq!(dense.value(-1e-300).x, 0.0);
        assert_eq!(dense.value(1.0).x, 1.0);
    }
}
