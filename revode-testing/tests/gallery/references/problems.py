"""The problems of the gallery: the same equations as in `../problems/*.rs`, written a second time.

`f(t, y, p, signs)` are the equations over sympy's symbols. Where a field has kinks or jumps, `switches` are the
functions whose sign says on which branch `f` is, and `signs` are those signs.
"""

from dataclasses import dataclass
from typing import Callable

from sympy import Matrix, cos, exp, sin, sqrt, tanh

PROBLEMS = []


@dataclass
class Problem:
    name: str
    f: Callable
    p0: list
    y0: list
    span: tuple
    # A component's number, the list of weights of a sum, or "square" for the squared norm.
    loss: object
    switches: Callable = lambda t, y, p: []
    # The scipy method of the second way.
    second: str = "DOP853"
    # The longest step with switches: shorter than the time between two of them.
    max_step: float = float("inf")


def problem(name, p0, y0, span, loss, **more):
    """Registers the decorated function as the field of a problem."""

    def register(f):
        PROBLEMS.append(Problem(name, f, list(p0), list(y0), span, loss, **more))
        return f

    return register


# At the limit of stability.


@problem("monod batch", [0.5, 0.01, 0.4], [10, 0.1], (0, 48), 1)
def monod(t, y, p, _):
    (s, b), (mu, ks, gain) = y, p
    growth = mu * s / (ks + s) * b
    return [-growth / gain, growth]


def relaxation(t, y, p, _):
    return [-p[0] * (y[0] - cos(t))]


for k, name in [(100, "1e2"), (1000, "1e3"), (10000, "1e4")]:
    problem(f"relaxation {name}", [k], [0], (0, 2), 0)(relaxation)


def logistic(t, y, p, _):
    return [p[0] * y[0] * (1 - y[0] / p[1])]


for r, end in [(10, 10), (100, 10), (1000, 5)]:
    problem(f"logistic {r}", [r, 2], [0.1], (0, end), 0)(logistic)


def van_der_pol(t, y, p, _):
    x, v = y
    return [v, ((1 - x**2) * v - x) / p[0]]


for eps, name, end in [(1e-3, "1e-3", 1), (1e-4, "1e-4", 1), (1e-5, "1e-5", 0.25), (1e-6, "1e-6", 0.005)]:
    problem(f"van der pol {name}", [eps], [2, 0], (0, end), 0)(van_der_pol)


@problem("robertson", [0.04, 3e7, 1e4], [1, 0, 0], (0, 0.4), 0)
def robertson(t, y, p, _):
    (a, b, c), (k1, k2, k3) = y, p
    return [-k1 * a + k3 * b * c, k1 * a - k3 * b * c - k2 * b**2, k2 * b**2]


def laplacian(u, left, right):
    """Second differences on the unit interval with values at its ends."""
    padded = [left, *u, right]
    return [(len(u) + 1) ** 2 * (padded[i] - 2 * padded[i + 1] + padded[i + 2]) for i in range(len(u))]


def heat(t, y, p, _):
    return [p[0] * d for d in laplacian(y, 0, 0)]


def bump(n):
    """`x (1 - x) (1 + x)` on the cells of the unit interval."""
    places = [(i + 1) / (n + 1) for i in range(n)]
    return [x * (1 - x) * (1 + x) for x in places]


for n in [10, 50]:
    problem(f"heat {n}", [1], bump(n), (0, 0.2), "square")(heat)


@problem("fisher", [0.5, 5], bump(20), (0, 2), "square")
def fisher(t, y, p, _):
    d, r = p
    return [d * a + r * u * (1 - u) for a, u in zip(laplacian(y, 0, 0), y)]


@problem("brusselator 1-d", [1, 3, 0.2], [1 + b for b in bump(10)] + [3] * 10, (0, 5), "square")
def brusselator(t, y, p, _):
    u, v = y[:10], y[10:]
    a, b, d = p
    du, dv = laplacian(u, 1, 1), laplacian(v, 3, 3)
    return [a + x**2 * z - (b + 1) * x + d * s for x, z, s in zip(u, v, du)] + [
        b * x - x**2 * z + d * s for x, z, s in zip(u, v, dv)
    ]


@problem("hires", [1.71, 0.43, 8.32, 280, 0.035], [1, 0, 0, 0, 0, 0, 0, 0.0057], (0, 20), 5)
def hires(t, y, p, _):
    a, b, c, d, e, f, g, h = y
    k1, k2, k3, plus, k5 = p
    dg = plus * f * h - 1.81 * g
    return [
        -k1 * a + k2 * b + k3 * c + 0.0007,
        k1 * a - 8.75 * b,
        -10.03 * c + k2 * d + k5 * e,
        k3 * b + k1 * c - 1.12 * d,
        -1.745 * e + k2 * f + k2 * g,
        -plus * f * h + 0.69 * d + k1 * e - k2 * f + 0.69 * g,
        dg,
        -dg,
    ]


@problem("oregonator", [77.27, 0.161, 8.375e-6], [1, 2, 3], (0, 4), 1)
def oregonator(t, y, p, _):
    (a, b, c), (s, w, q) = y, p
    return [s * (b + a * (1 - q * a - b)), (c - (1 + a) * b) / s, w * (a - c)]


def flame(t, y, p, _):
    return [p[0] * y[0] ** 2 - p[1] * y[0] ** 3]


problem("flame", [1, 1], [1e-3], (0, 2000), 0)(flame)
problem("flame front", [1, 1], [0.01], (0, 104), 0)(flame)


@problem("michaelis-menten", [10000, 1, 10, 0.1], [1, 0], (0, 0.8), 0)
def michaelis_menten(t, y, p, _):
    (s, c), (on, off, turnover, enzyme) = y, p
    binding = on * (enzyme - c) * s
    return [-binding + off * c, binding - (off + turnover) * c]


@problem("hodgkin-huxley", [120, 36, 0.3, 10], [-65, 0.05, 0.6, 0.32], (0, 8), 0)
def hodgkin_huxley(t, y, p, _):
    (v, m, h, n), (gna, gk, gl, current) = y, p
    am = 0.1 * (v + 40) / (1 - exp(-(v + 40) / 10))
    bm = 4 * exp(-(v + 65) / 18)
    ah = 0.07 * exp(-(v + 65) / 20)
    bh = 1 / (1 + exp(-(v + 35) / 10))
    an = 0.01 * (v + 55) / (1 - exp(-(v + 55) / 10))
    bn = 0.125 * exp(-(v + 65) / 80)
    return [
        current - gna * m**3 * h * (v - 50) - gk * n**4 * (v + 77) - gl * (v + 54.4),
        am * (1 - m) - bm * m,
        ah * (1 - h) - bh * h,
        an * (1 - n) - bn * n,
    ]


@problem("prothero-robinson", [1000, 1], [0.5], (0, 2), 0)
def prothero_robinson(t, y, p, _):
    rate, omega = p
    return [-rate * (y[0] - sin(omega * t)) + omega * cos(omega * t)]


# No steps asked for.


@problem("amplitude 0", [1, 0], [0], (0, 10), 0)
def driven(t, y, p, _):
    return [-p[0] * y[0] + p[1] * cos(5 * t)]


@problem("damped oscillator at rest", [4, 0.2, 0], [0, 0], (0, 20), 0)
def damped(t, y, p, _):
    (x, v), (k, c, amp) = y, p
    return [v, -k * x - c * v + amp * cos(3 * t)]


@problem("oscillator at rest", [4, 0], [0, 0], (0, 20), 0)
def undamped(t, y, p, _):
    (x, v), (k, amp) = y, p
    return [v, -k * x + amp * cos(t)]


problem("logistic at its equilibrium", [1, 1], [1], (0, 10), 0)(logistic)


# Columns one after the other: 4 by 3, 4, 2 by 4.
WEIGHTS = [0.5, -0.3, 0.8, 0.2, -0.6, 0.4, 0.1, 0.9, 1.1, -0.7, 0.3, 0.6]


@problem("last layer 0", WEIGHTS + [0.1, -0.2, 0.3, 0] + [0] * 8, [1, 0.5], (0, 10), "square")
def network(t, y, p, _):
    w1 = Matrix(3, 4, p[:12]).T
    w2 = Matrix(4, 2, p[16:]).T
    inner = w1 * Matrix([*y, sin(4 * t)]) + Matrix(p[12:16])
    return list(w2 * inner.applyfunc(tanh))


@problem("constant field", [0.7], [1], (0, 10), 0)
def constant(t, y, p, _):
    return [p[0]]


@problem("polynomial field", [1, -0.5, 0.1], [1], (0, 10), 0)
def polynomial(t, y, p, _):
    return [p[0] + p[1] * t + p[2] * t**2]


def lotka_volterra(t, y, p, _):
    (x, z), (alpha, beta, delta, gamma) = y, p
    return [alpha * x - beta * x * z, delta * x * z - gamma * z]


problem("lotka-volterra at its equilibrium", [1.5, 1, 1, 3], [3, 1.5], (0, 10), 0)(lotka_volterra)


def driven_van_der_pol(t, y, p, _):
    (x, v), (mu, amp, omega) = y, p
    return [v, mu * (1 - x**2) * v - x + amp * cos(omega * t)]


problem("van der pol at rest", [1, 0, 1.2], [0, 0], (0, 5), 0)(driven_van_der_pol)


# Kinks.


@problem("tracker", [0.2, 0.02], [0.4], (0, 300), 0, switches=lambda t, y, p: [0.4 + 0.02 * sin(t) - y[0]], max_step=0.1)
def tracker(t, y, p, signs):
    up, down = p
    gap = 0.4 + 0.02 * sin(t) - y[0]
    return [up * gap] if signs[0] > 0 else [down * gap]


@problem("bilinear oscillator", [4, 2], [1, 0], (0, 10), 0, switches=lambda t, y, p: [y[0]], max_step=0.2)
def bilinear(t, y, p, signs):
    (x, v), (k, asymmetry) = y, p
    return [v, -k * x - asymmetry * signs[0] * x]


@problem("saturating uptake", [0.5, 1], [2], (0, 6), 0, switches=lambda t, y, p: [p[1] * y[0] - p[0]], max_step=0.2)
def uptake(t, y, p, signs):
    limit, rate = p
    return [-limit if signs[0] > 0 else -rate * y[0]]


@problem("rectified drive", [0.3, 1], [0.5], (0, 20), 0, switches=lambda t, y, p: [sin(t)], max_step=0.2)
def rectified(t, y, p, signs):
    decay, amp = p
    return [-decay * y[0] + (amp * sin(t) if signs[0] > 0 else 0)]


@problem("elastic floor", [1, 100], [1, 0], (0, 5), 0, switches=lambda t, y, p: [-y[0]], max_step=0.05)
def floor(t, y, p, signs):
    (x, v), (gravity, stiffness) = y, p
    return [v, -gravity + (-stiffness * x if signs[0] > 0 else 0)]


# Jumps.


@problem("slower below", [1, 0.5, 1], [2], (0, 3), 0, switches=lambda t, y, p: [y[0] - p[2]], max_step=0.2)
def slower(t, y, p, signs):
    return [-p[0] - p[1] * signs[0]]


@problem("dry friction", [1, 0.1], [1, 0.5], (0, 5), 0, switches=lambda t, y, p: [y[1]], max_step=0.1)
def friction(t, y, p, signs):
    (x, v), (k, mu) = y, p
    return [v, -k * x - mu * signs[0]]


@problem("square wave", [0.3, 1], [0.5], (0, 10), 0, switches=lambda t, y, p: [sin(t)], max_step=0.2)
def square_wave(t, y, p, signs):
    decay, amp = p
    return [-decay * y[0] + amp * signs[0]]


# Small beside an absolute tolerance.


def sir(t, y, p, _):
    (s, i), (beta, gamma) = y, p
    return [-beta * s * i, beta * s * i - gamma * i]


problem("sir from 1e-8", [0.5, 0.1], [1 - 1e-8, 1e-8], (0, 30), 1)(sir)


def growth(t, y, p, _):
    return [p[0] * y[0]]


problem("growth from 1e-8", [1], [1e-8], (0, 10), 0)(growth)


# Pulses.


@problem("gaussian pulse", [0.05, 1, 20, 2], [0], (0, 40), 0)
def pulse(t, y, p, _):
    decay, amp, centre, width = p
    return [-decay * y[0] + amp * exp(-(((t - centre) / width) ** 2))]


@problem("infusion", [0.5, 0.2, 3, 10], [0, 0], (0, 30), 1)
def infusion(t, y, p, _):
    (gut, blood), (absorbed, cleared, dose, centre) = y, p
    return [dose * exp(-((t - centre) ** 2)) - absorbed * gut, absorbed * gut - cleared * blood]


# Ordinary ones.

problem("lotka-volterra", [1.5, 1, 1, 3], [1, 1], (0, 10), 0)(lotka_volterra)


@problem("fitzhugh-nagumo", [0.2, 0.2, 3], [-1, 1], (0, 20), 0)
def fitzhugh_nagumo(t, y, p, _):
    (v, w), (a, b, c) = y, p
    return [c * (v - v**3 / 3 + w), -(v - a + b * w) / c]


@problem("lorenz", [10, 28, 2.5], [1, 1, 1], (0, 2), 0)
def lorenz(t, y, p, _):
    (x, y_, z), (sigma, rho, beta) = y, p
    return [sigma * (y_ - x), x * (rho - z) - y_, x * y_ - beta * z]


@problem("kepler", [1], [0.7, 0, 0, 1.36], (0, 6.25), [1, 0.5, 0, 0.25])
def kepler(t, y, p, _):
    x, y_, u, v = y
    pull = -p[0] / sqrt(x**2 + y_**2) ** 3
    return [u, v, pull * x, pull * y_]


@problem("pendulum", [9.81], [1, 0], (0, 10), 0)
def pendulum(t, y, p, _):
    return [y[1], -p[0] * sin(y[0])]


@problem("coupled oscillators", [1, 2, 0.5], [1, 0, 0, 0.5], (0, 10), "square")
def coupled(t, y, p, _):
    (x, z, u, v), (a, b, c) = y, p
    return [u, v, -a * x - c * (x - z), -b * z - c * (z - x)]


@problem("double pendulum", [9.81, 1], [1, 0.5, 0, 0], (0, 2), [1, 0.5, 0, 0])
def double_pendulum(t, y, p, _):
    (a, b, u, v), (g, m) = y, p
    s, c = sin(a - b), cos(a - b)
    d = 1 + m * s**2
    return [
        u,
        v,
        (m * g * sin(b) * c - m * s * (c * u**2 + v**2) - (1 + m) * g * sin(a)) / d,
        ((1 + m) * (u**2 * s - g * sin(b) + g * sin(a) * c) + m * v**2 * s * c) / d,
    ]


problem("decay", [-0.7], [2], (0, 5), 0)(growth)
problem("sir", [0.5, 0.1], [0.99, 0.01], (0, 30), 1)(sir)
problem("driven van der pol", [1, 0.5, 1.2], [2, 0], (0, 10), 0)(driven_van_der_pol)
