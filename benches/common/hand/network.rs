//! The 4-10-4 tanh network with the reversible pair over classical RK4, written by hand with plain
//! loops on arrays, column-major matrices, and the branch-free tanh of the runtime.

use revode::special::f64::tanh;

const N: usize = 4;
const H: usize = 10;
type V = [f64; N];
type Hidden = [f64; H];

/// Weights and biases: `f(y) = w2 tanh(w1 y + b1) + b2`; matrices by columns.
#[derive(Clone)]
pub struct Network {
    pub w1: [Hidden; N],
    pub b1: Hidden,
    pub w2: [V; H],
    pub b2: V,
}

impl Network {
    pub fn zeros() -> Self {
        Self { w1: [[0.0; H]; N], b1: [0.0; H], w2: [[0.0; N]; H], b2: [0.0; N] }
    }

    #[inline(always)]
    fn eval(&self, y: &V) -> (V, Hidden) {
        let mut hidden = self.b1;
        for (column, y) in self.w1.iter().zip(y) {
            for (hidden, w) in hidden.iter_mut().zip(column) {
                *hidden += w * y;
            }
        }
        for hidden in &mut hidden {
            *hidden = tanh(*hidden);
        }
        let mut dy = self.b2;
        for (column, hidden) in self.w2.iter().zip(&hidden) {
            for (dy, w) in dy.iter_mut().zip(column) {
                *dy += w * hidden;
            }
        }
        (dy, hidden)
    }

    #[inline(always)]
    fn vjp(&self, y: &V, hidden: &Hidden, dy_bar: &V, bar: &mut Self) -> V {
        let mut inner = [0.0; H];
        for j in 0..H {
            let mut sum = 0.0;
            for i in 0..N {
                bar.w2[j][i] += dy_bar[i] * hidden[j];
                sum += self.w2[j][i] * dy_bar[i];
            }
            inner[j] = sum * (1.0 - hidden[j] * hidden[j]);
        }
        for i in 0..N {
            bar.b2[i] += dy_bar[i];
        }
        let mut y_bar = [0.0; N];
        for j in 0..N {
            // Four partial sums, so that the reduction is not one chain of additions.
            let mut sums = [0.0; 4];
            for i in 0..H {
                bar.w1[j][i] += inner[i] * y[j];
                sums[i % 4] += self.w1[j][i] * inner[i];
            }
            y_bar[j] = (sums[0] + sums[1]) + (sums[2] + sums[3]);
        }
        for i in 0..H {
            bar.b1[i] += inner[i];
        }
        y_bar
    }
}

#[inline(always)]
fn axpy(y: &V, a: f64, x: &V) -> V {
    std::array::from_fn(|i| y[i] + a * x[i])
}

/// The increment, its stage states and their activations.
#[inline(always)]
fn increment(net: &Network, h: f64, u: &V) -> (V, [V; 4], [Hidden; 4]) {
    let half = 0.5 * h;
    let (outer, inner) = (h * (1.0 / 6.0), h * (1.0 / 3.0));
    let (k1, a1) = net.eval(u);
    let y2 = axpy(u, half, &k1);
    let (k2, a2) = net.eval(&y2);
    let y3 = axpy(u, half, &k2);
    let (k3, a3) = net.eval(&y3);
    let y4 = axpy(u, h, &k3);
    let (k4, a4) = net.eval(&y4);
    let psi =
        std::array::from_fn(|i| outer * k1[i] + inner * k2[i] + inner * k3[i] + outer * k4[i]);
    (psi, [*u, y2, y3, y4], [a1, a2, a3, a4])
}

#[inline(always)]
fn increment_vjp(
    net: &Network,
    h: f64,
    [y1, y2, y3, y4]: &[V; 4],
    [a1, a2, a3, a4]: &[Hidden; 4],
    v: &V,
    bar: &mut Network,
) -> V {
    let half = 0.5 * h;
    let (outer, inner) = (h * (1.0 / 6.0), h * (1.0 / 3.0));
    let k_bar = |b: f64, a: f64, g: &V| -> V { std::array::from_fn(|i| b * v[i] + a * g[i]) };
    let g4 = net.vjp(y4, a4, &v.map(|v| outer * v), bar);
    let g3 = net.vjp(y3, a3, &k_bar(inner, h, &g4), bar);
    let g2 = net.vjp(y2, a2, &k_bar(inner, half, &g3), bar);
    let g1 = net.vjp(y1, a1, &k_bar(outer, half, &g2), bar);
    std::array::from_fn(|i| g1[i] + g2[i] + g3[i] + g4[i])
}

/// The squared norm of the reversible solution at the end of `n` steps, and its gradient with
/// respect to start and parameters.
pub fn gradient(net: &Network, y0: V, h: f64, n: usize, lambda: f64) -> (f64, V, Network) {
    let mu = 1.0 - lambda;
    let (mut y, mut z) = (y0, y0);
    for _ in 0..n {
        let psi = increment(net, h, &z).0;
        y = std::array::from_fn(|i| lambda * y[i] + mu * z[i] + psi[i]);
        let psi = increment(net, -h, &y).0;
        z = std::array::from_fn(|i| z[i] - psi[i]);
    }
    let loss = y.iter().map(|y| y * y).sum();
    let (mut y_bar, mut z_bar) = (y.map(|y| 2.0 * y), [0.0; N]);
    let mut bar = Network::zeros();
    for _ in 0..n {
        let (psi, stages, hidden) = increment(net, -h, &y);
        z = std::array::from_fn(|i| z[i] + psi[i]);
        let u_bar = increment_vjp(net, -h, &stages, &hidden, &z_bar.map(|z_bar| -z_bar), &mut bar);
        let w: V = std::array::from_fn(|i| y_bar[i] + u_bar[i]);
        let (psi, stages, hidden) = increment(net, h, &z);
        y = std::array::from_fn(|i| (y[i] - psi[i] - mu * z[i]) / lambda);
        let u_bar = increment_vjp(net, h, &stages, &hidden, &w, &mut bar);
        z_bar = std::array::from_fn(|i| z_bar[i] + mu * w[i] + u_bar[i]);
        y_bar = w.map(|w| lambda * w);
    }
    (loss, std::array::from_fn(|i| y_bar[i] + z_bar[i]), bar)
}
