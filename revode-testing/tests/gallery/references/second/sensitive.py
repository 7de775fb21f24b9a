from sympy import cos, exp, sin, sqrt

from .registry import registry

PROBLEMS, problem = registry()


def lorenz(t, y, p, _):
    (x, y_, z), (sigma, rho, beta) = y, p
    return [sigma * (y_ - x), x * (rho - z) - y_, x * y_ - beta * z]


for end in [12, 20]:
    problem(f"lorenz to {end}", [10, 28, 8 / 3], [1, 1, 1], (0, end), 0)(lorenz)


@problem("duffing's chaos", [0.3, 0.5, 1.2], [1, 0], (0, 60), 0)
def duffing(t, y, p, _):
    (x, v), (damping, amp, omega) = y, p
    return [v, x - x**3 - damping * v + amp * cos(omega * t)]


def pendulum(t, y, p, _):
    return [y[1], -p[0] * sin(y[0])]


problem("near the separatrix", [1], [0, 1.99999], (0, 12), 0)(pendulum)
problem("on the separatrix", [1], [0, 2], (0, 8), 0)(pendulum)


@problem("arenstorf orbit", [0.012277471], [0.994, 0, 0, -2.0015851063790825], (0, 17), [1, 1, 0, 0])
def arenstorf(t, y, p, _):
    (x, z, u, v), mu = y, p[0]
    rest = 1 - mu
    d1 = sqrt((x + mu) ** 2 + z**2) ** 3
    d2 = sqrt((x - rest) ** 2 + z**2) ** 3
    return [
        u,
        v,
        x + 2 * v - rest * (x + mu) / d1 - mu * (x - rest) / d2,
        z - 2 * u - rest * z / d1 - mu * z / d2,
    ]


@problem("thermal runaway", [1], [0], (0, 0.9999), 0)
def runaway(t, y, p, _):
    return [p[0] * exp(y[0])]


@problem("allee threshold", [1, 0.2, 1], [0.200002], (0, 14), 0)
def allee(t, y, p, _):
    n, (r, least, capacity) = y[0], p
    return [r * n * (n / least - 1) * (1 - n / capacity)]


@problem("excitable threshold", [0.08, 0.7, 0.8], [-0.63, -0.6243], (0, 10), 0)
def excitable(t, y, p, _):
    (v, w), (eps, a, b) = y, p
    return [v - v**3 / 3 - w, eps * (v + a - b * w)]


@problem("recurrent epidemic", [0.05, 100, 20], [0.99, 1e-4], (0, 7), 0)
def recurrent(t, y, p, _):
    (s, i), (birth, beta, gamma) = y, p
    return [birth * (1 - s) - beta * s * i, beta * s * i - (gamma + birth) * i]


@problem("predators with deep troughs", [1.5, 1, 1, 3], [12, 8], (0, 12), 0)
def lotka_volterra(t, y, p, _):
    (x, z), (alpha, beta, delta, gamma) = y, p
    return [alpha * x - beta * x * z, delta * x * z - gamma * z]


@problem("toggle switch", [3, 3], [0.5, 0.50001], (0, 14), 0)
def toggle(t, y, p, _):
    (u, v), (a, b) = y, p
    return [a / (1 + v**4) - u, b / (1 + u**4) - v]


@problem("double pendulum to 8", [9.81, 1], [2, 2.5, 0, 0], (0, 8), 0)
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


STARS = [1, -1, 0.1, 0, 0.2, 1.3, 0, 0.1, -0.1, 0.3, -0.4, 0.1]


@problem("three bodies", [1], STARS, (0, 4), 0)
def three_bodies(t, y, p, _):
    x, z, u, v = y[:3], y[3:6], y[6:9], y[9:]
    xa = [x[1] - x[0], x[2] - x[1], x[0] - x[2]]
    ya = [z[1] - z[0], z[2] - z[1], z[0] - z[2]]
    d = [sqrt(a**2 + b**2) ** 3 for a, b in zip(xa, ya)]
    fx = [a / b for a, b in zip(xa, d)]
    fy = [a / b for a, b in zip(ya, d)]
    pull = lambda f: [p[0] * (f[i] - f[i - 1]) for i in range(3)]
    return [*u, *v, *pull(fx), *pull(fy)]


@problem("kepler 0.9", [1], [0.1, 0, 0, 4.358898943540674], (0, 20), [1, 0.5, 0, 0.25])
def kepler(t, y, p, _):
    x, y_, u, v = y
    pull = -p[0] / sqrt(x**2 + y_**2) ** 3
    return [u, v, pull * x, pull * y_]
