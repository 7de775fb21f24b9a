//! Lorenz 1963 with the reversible pair over classical RK4, written by hand on arrays: the limit
//! that the generated code is compared with.

type V = [f64; 3];

#[inline(always)]
fn field(p: &V, y: V) -> V {
    [p[0] * (y[1] - y[0]), y[0] * (p[1] - y[2]) - y[1], y[0] * y[1] - p[2] * y[2]]
}

#[inline(always)]
fn field_vjp(p: &V, [x, y, z]: V, [a, b, c]: V, p_bar: &mut V) -> V {
    p_bar[0] += a * (y - x);
    p_bar[1] += b * x;
    p_bar[2] -= c * z;
    [b * (p[1] - z) + c * y - p[0] * a, p[0] * a - b + c * x, -(b * x + p[2] * c)]
}

#[inline(always)]
fn axpy(y: V, a: f64, x: V) -> V {
    [y[0] + a * x[0], y[1] + a * x[1], y[2] + a * x[2]]
}

#[inline(always)]
fn zip(x: V, y: V, f: impl Fn(f64, f64) -> f64) -> V {
    [f(x[0], y[0]), f(x[1], y[1]), f(x[2], y[2])]
}

/// The increment and its stage states.
#[inline(always)]
fn increment(p: &V, h: f64, u: V) -> (V, [V; 4]) {
    let half = 0.5 * h;
    let (outer, inner) = (h * (1.0 / 6.0), h * (1.0 / 3.0));
    let k1 = field(p, u);
    let y2 = axpy(u, half, k1);
    let k2 = field(p, y2);
    let y3 = axpy(u, half, k2);
    let k3 = field(p, y3);
    let y4 = axpy(u, h, k3);
    let k4 = field(p, y4);
    let psi =
        std::array::from_fn(|i| outer * k1[i] + inner * k2[i] + inner * k3[i] + outer * k4[i]);
    (psi, [u, y2, y3, y4])
}

#[inline(always)]
fn increment_vjp(p: &V, h: f64, [y1, y2, y3, y4]: [V; 4], v: V, p_bar: &mut V) -> V {
    let half = 0.5 * h;
    let (outer, inner) = (h * (1.0 / 6.0), h * (1.0 / 3.0));
    let g4 = field_vjp(p, y4, v.map(|v| outer * v), p_bar);
    let g3 = field_vjp(p, y3, zip(v, g4, |v, g| inner * v + h * g), p_bar);
    let g2 = field_vjp(p, y2, zip(v, g3, |v, g| inner * v + half * g), p_bar);
    let g1 = field_vjp(p, y1, zip(v, g2, |v, g| outer * v + half * g), p_bar);
    std::array::from_fn(|i| g1[i] + g2[i] + g3[i] + g4[i])
}

/// The solution at the end of `n` plain steps of size `h`.
pub fn forward(p: &V, mut y: V, h: f64, n: usize) -> V {
    for _ in 0..n {
        y = zip(y, increment(p, h, y).0, |y, psi| y + psi);
    }
    y
}

/// The squared norm of the reversible solution at the end of `n` steps, and its gradient with
/// respect to start and parameters.
pub fn gradient(p: &V, y0: V, h: f64, n: usize, lambda: f64) -> (f64, V, V) {
    let mu = 1.0 - lambda;
    let (mut y, mut z) = (y0, y0);
    for _ in 0..n {
        let psi = increment(p, h, z).0;
        y = std::array::from_fn(|i| lambda * y[i] + mu * z[i] + psi[i]);
        z = zip(z, increment(p, -h, y).0, |z, psi| z - psi);
    }
    let loss = y.iter().map(|y| y * y).sum();
    let (mut y_bar, mut z_bar, mut p_bar) = (y.map(|y| 2.0 * y), [0.0; 3], [0.0; 3]);
    for _ in 0..n {
        let (psi, stages) = increment(p, -h, y);
        z = zip(z, psi, |z, psi| z + psi);
        let u_bar = increment_vjp(p, -h, stages, z_bar.map(|z_bar| -z_bar), &mut p_bar);
        let w = zip(y_bar, u_bar, |y_bar, u_bar| y_bar + u_bar);
        let (psi, stages) = increment(p, h, z);
        y = std::array::from_fn(|i| (y[i] - psi[i] - mu * z[i]) / lambda);
        let u_bar = increment_vjp(p, h, stages, w, &mut p_bar);
        z_bar = std::array::from_fn(|i| z_bar[i] + mu * w[i] + u_bar[i]);
        y_bar = w.map(|w| lambda * w);
    }
    (loss, zip(y_bar, z_bar, |y_bar, z_bar| y_bar + z_bar), p_bar)
}
