from sympy import Rational, cos, cosh, exp, sqrt, tanh

from .extremes import van_der_pol
from .registry import registry

PROBLEMS, problem = registry()


def robertson(t, y, p, _):
    (a, b, c), (k1, k2, k3) = y, p
    return [-k1 * a + k3 * b * c, k1 * a - k3 * b * c - k2 * b**2, k2 * b**2]


RATES = [0.04, 3e7, 1e4]
for name in ["robertson to 1e-4", "robertson to 1e-4, by size"]:
    problem(name, RATES, [1, 0, 0], (0, 1e-4), 2)(robertson)


@problem("acid", [1e5, 10, 0.5], [1e-3, 1e-2, 0], (0, 5), 0)
def acid(t, y, p, _):
    (h, a, ha), (on, off, eaten) = y, p
    binding = on * h * a - off * ha
    return [-binding - eaten * h, -binding, binding]


@problem("cascade", [1, 0.99, 0.01, 1], [0, 0], (0, 20), 1)
def cascade(t, y, p, _):
    (x, z), (v1, v2, k, w) = y, p
    return [
        v1 * (1 - x) / (k + 1 - x) - v2 * x / (k + x),
        w * x * (1 - z) / (k + 1 - z) - Rational(2, 5) * z / (k + z),
    ]


@problem("transit compartments", [2, 0.1, 0.3], [1, 0, 0, 0, 0], (0, 10), 4)
def transit(t, y, p, _):
    a, blood, (k, cleared, most) = y[:4], y[4], p
    before = [0, *a[:3]]
    return [k * (b - x) for b, x in zip(before, a)] + [
        k * a[3] - most * blood / (Rational(1, 10) + blood) - cleared * blood
    ]


@problem("morris-lecar", [90, 4.4, 8, 2, 0.04], [-40, 0.1], (0, 60), 0)
def morris_lecar(t, y, p, _):
    (v, n), (current, gca, gk, gl, phi) = y, p
    m = (1 + tanh((v + Rational(12, 10)) / 18)) / 2
    ninf = (1 + tanh((v - 2) / 30)) / 2
    return [
        (current - gca * m * (v - 120) - gk * n * (v + 84) - gl * (v + 60)) / 20,
        phi * (ninf - n) * cosh((v - 2) / 60),
    ]


@problem("bursting", [2, 0.005, 4], [-1, 0, 2], (0, 50), 0)
def bursting(t, y, p, _):
    (x, y_, z), (current, r, s) = y, p
    return [y_ - x**3 + 3 * x**2 - z + current, 1 - 5 * x**2 - y_, r * (s * (x + Rational(8, 5)) - z)]


@problem("theta neuron", [1e-3], [-1], (0, 90), 0)
def theta(t, y, p, _):
    return [1 - cos(y[0]) + (1 + cos(y[0])) * p[0]]


@problem("selkov", [0.08, 0.6], [1, 1], (0, 15), 0)
def selkov(t, y, p, _):
    (x, z), (a, b) = y, p
    return [-x + a * z + x**2 * z, b - a * z - x**2 * z]


@problem("repressilator", [50, 5, 0.05], [1, 2, 3, 1, 1.5, 0.5], (0, 8), "square")
def repressilator(t, y, p, _):
    m, protein, (alpha, beta, leak) = y[:3], y[3:], p
    return [alpha / (1 + protein[i - 1] ** 4) + leak - m[i] for i in range(3)] + [
        beta * (m[i] - protein[i]) for i in range(3)
    ]


@problem("tunnel diode", [0.3, 0.2, 0.5], [0, 0], (0, 3), 0)
def diode(t, y, p, _):
    (v, i), (e, r, inductance) = y, p
    powers = [Rational(x) for x in ["17.76", "-103.79", "229.62", "-226.31", "83.72"]]
    return [1000 * (i - sum(c * v ** (n + 1) for n, c in enumerate(powers))), (e - r * i - v) / inductance]


@problem("stirred tank", [1, 2.09, 8750], [0.9, 340], (0, 4), 1)
def reactor(t, y, p, _):
    (c, temperature), (feed, cooling, energy) = y, p
    rate = Rational(72) * 10**9 * exp(-energy / temperature) * c
    return [
        feed * (1 - c) - rate,
        feed * (350 - temperature) + Rational("209.2") * rate + cooling * (300 - temperature),
    ]


for mu, end in [(10, 30), (100, 100)]:
    problem(f"van der pol {mu}", [mu], [2, 0], (0, end), 0)(van_der_pol)
