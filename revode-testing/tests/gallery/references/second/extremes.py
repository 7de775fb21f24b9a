from sympy import Integer, Rational, cos, exp, sin, sqrt

from .registry import registry, sigmoid
from .sensitive import lotka_volterra

PROBLEMS, problem = registry()


# In the root of the height, which falls in proportion to time, there is no singular point.
@problem("two tanks", [1, 0.5], [1, 0], (0, 4), 1)
def tanks(t, y, p, _):
    """Solved in closed form; these equations are not used."""
    return [0, 0]


@problem("two smooth tanks", [1, 0.5], [1, 0], (0, 4), 1, switches=lambda t, y, p: [y[0]], max_step=0.2)
def smooth_tanks(t, y, p, signs):
    (h, g), (a, b) = y, p
    outflow = a * h / sqrt(signs[0] * h + Integer(10) ** -6)
    return [-outflow, outflow - b * g]


@problem("evaporating drop", [0.5, 0.3], [1, 0], (0, 1.5), 1)
def drop(t, y, p, _):
    (radius, vapour), (k, wind) = y, p
    loss = k * radius / (radius**2 + Integer(10) ** -4)
    return [-loss, loss * radius**2 - wind * vapour]


@problem("haldane's chemostat", [1, 0.2, 0.5, 0.3, 2], [2, 0.02], (0, 30), 1)
def haldane(t, y, p, _):
    (s, b), (mu, ks, ki, dilution, feed) = y, p
    growth = mu * s / (ks + s + s**2 / ki) * b
    return [dilution * (feed - s) - 2 * growth, growth - dilution * b]


@problem(
    "consumed", [1, 0.4], [1, 0], (0, 3), 1, switches=lambda t, y, p: [p[0] - 10000 * y[0]], max_step=0.1
)
def consumed(t, y, p, signs):
    (s, product), (rate, decay) = y, p
    used = 10000 * s if signs[0] > 0 else rate
    return [-used, used - decay * product]


@problem("star", [1.5, 1], [1, 0], (0.001, 5), 1, switches=lambda t, y, p: [y[0] + Integer(10) ** -12], max_step=0.05)
def star(t, y, p, signs):
    (theta, phi), (n, k) = y, p
    # (Steps that are tried beyond the surface have a number there, too.)
    density = sqrt((theta + Integer(10) ** -12) ** 2) ** n
    return [-phi / t**2, k * t**2 * density if signs[0] > 0 else 0]


def growth(t, y, p, _):
    (x, z), (r, q) = y, p
    return [r * x, q * x - z]


problem("growth to e^20", [1, 0.5], [1, 0], (0, 20), 1)(growth)
problem("growth to e^60", [2, 0.5], [1e-20, 0], (0, 30), 1)(growth)


def seir(t, y, p, signs):
    (s, e, i), (beta, sigma, gamma, season) = y, p
    force = beta * (1 + season * signs[0] * sin(t / 10)) * s * i
    return [-force, force - sigma * e, sigma * e - gamma * i]


SEASON = dict(switches=lambda t, y, p: [sin(t / 10)], max_step=2)
problem("seasonal epidemic", [0.8, 0.5, 0.25, 0.3], [1 - 1e-10, 0, 1e-10], (0, 80), 2, **SEASON)(seir)
problem(
    "epidemic by days",
    [0.8, 0.5, 0.25, 0.3],
    [0.999, 0, 0.001],
    (0, 60),
    2,
    points=(10, 20, 30, 40, 50, 60),
    **SEASON,
)(seir)
problem("decay seen early", [-1, 1], [1, 0], (0, 50), "square", points=(0.1, 0.2, 50))(growth)
problem("predators at times", [1.5, 1, 1, 3], [1, 1], (0, 10), [1, -1], points=(1, 2.5, 2.6, 7, 10))(lotka_volterra)
problem("predators backward", [1.5, 1, 1, 3], [1, 1], (10, 0), 0)(lotka_volterra)


@problem("stiff backward", [300, 1], [0.3], (2, 0), 0)
def relaxation(t, y, p, _):
    return [p[0] * (y[0] - p[1] * cos(t))]


@problem("van der pol backward", [5], [1, 0], (0, -8), 0)
def van_der_pol(t, y, p, _):
    x, v = y
    return [v, p[0] * (1 - x**2) * v - x]


@problem("parachute", [0.01, 40], [100, 0], (0, 8), 0)
def fall(t, y, p, _):
    (height, speed), (drag, opened) = y, p
    return [-speed, Rational(981, 100) - drag * speed**2 * (1 + 50 * sigmoid(2 * (opened - height)))]


@problem("oscillator to 1000", [1, 0], [1, 0], (0, 1000), 0)
def oscillator(t, y, p, _):
    (x, v), (k, c) = y, p
    return [v, -k * x - c * v]
