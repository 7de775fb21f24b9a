from sympy import Integer, acos, cos, exp, log, pi, sin, sqrt

from .registry import registry, sigmoid, tanh

PROBLEMS, problem = registry()


def rounding(sharp):
    return max(1e-14, 1e-18 * sharp)


def friction(t, y, p, _):
    (x, v), (k, mu, sharp) = y, p
    return [v, -k * x - mu * tanh(sharp * v)]


for sharp, name in [(1e3, "1e3"), (1e6, "1e6")]:
    problem(f"steep friction {name}", [1, 0.1, sharp], [1, 0.5], (0, 5), 0, tolerance=rounding(sharp))(friction)


def valve(t, y, p, _):
    a, b, level, sharp = p
    return [-a - b * tanh(sharp * (y[0] - level))]


for sharp, name in [(1e3, "1e3"), (1e5, "1e5")]:
    problem(f"steep valve {name}", [1, 0.5, 1, sharp], [2], (0, 3), 0, tolerance=rounding(sharp))(valve)


def infusion(t, y, p, _):
    rate, cleared, on, off, sharp = p
    return [rate * (sigmoid(sharp * (t - on)) - sigmoid(sharp * (t - off))) - cleared * y[0]]


for sharp, name in [(1e3, "1e3"), (1e5, "1e5")]:
    problem(f"steep infusion {name}", [1, 0.3, 2.3, 4.7, sharp], [0.2], (0, 8), 0, tolerance=rounding(sharp), least=1e-4)(infusion)


def thrust(t, y, p, _):
    (x, v), (u, aim, sharp) = y, p
    return [v, -u * tanh(sharp * (x - aim))]


for sharp, name in [(1e3, "1e3"), (1e6, "1e6")]:
    problem(f"thrust {name}", [1, 0.5, sharp], [1, 0], (0, 5), 0, tolerance=rounding(sharp))(thrust)


@problem("hill 60", [2, 0.5], [0, 0], (0, 10), 1)
def hill(t, y, p, _):
    (x, z), (a, k) = y, p
    return [a / (1 + (z / k) ** 60) - x, x - z]


@problem("genes on or off", [1.2, 0.9, 1e4], [0.1, 0.2], (0, 6), 0, tolerance=1e-13)
def genes(t, y, p, _):
    (x, z), (a, b, sharp) = y, p
    return [a * sigmoid(sharp * (0.5 - z)) - x, b * sigmoid(sharp * (x - 0.5)) - z]


@problem("thermostat", [0.1, 3, 20, 1], [12, 1], (0, 30), 0)
def thermostat(t, y, p, _):
    (heat, on), (loss, power, aim, band) = y, p
    half = Integer(1) / 2
    return [
        -loss * (heat - 10) + power * on,
        50 * (half * (1 + tanh(100 * (aim - heat + band * (2 * on - 1)))) - on),
    ]


@problem("rectifier", [-20, 10, 1], [0], (0, 0.045), 0, second="Radau")
def rectifier(t, y, p, _):
    log_is, r, c = p
    u = 5 * sin(100 * pi * t) - y[0]
    return [(exp(log_is + 20 * u) - exp(log_is) - y[0] / (1000 * r)) * 100000 / c]


def dry(t, y, p, signs):
    (x, v), (k, mu) = y, p
    return [v, -k * x - mu * signs[0]]


for name in ["friction by division", "friction by a root"]:
    problem(name, [1, 0.1], [1, 0.5], (0, 5), 0, switches=lambda t, y, p: [y[1]], max_step=0.1)(dry)


@problem("tap by division", [0.5, 1, 1], [2], (0, 2.5), 0, switches=lambda t, y, p: [y[0] - p[2]], max_step=0.2)
def tap(t, y, p, signs):
    return [-p[0] - (p[1] if signs[0] > 0 else 0)]


# The phase as it grows, of which the loop sees the rest by 2 pi.
@problem(
    "phase-locked loop",
    [4, 1],
    [0],
    (0, 4),
    0,
    switches=lambda t, y, p: [y[0] - pi, y[0] - 3 * pi, y[0] - 5 * pi],
    max_step=0.1,
)
def loop(t, y, p, signs):
    turns = sum(sign > 0 for sign in signs)
    return [p[0] - p[1] * (y[0] - 2 * pi * turns)]


@problem("triangle wave", [0.3, 1, 2], [0.5], (0, 10), 0, max_step=0.05, least=1e-4)
def triangle(t, y, p, _):
    decay, amp, omega = p
    nearly = 1 - Integer(10) ** -12
    return [-decay * y[0] + amp * acos(nearly * cos(omega * t))]


@problem("hidden bilinear", [4, 2], [1, 0], (0, 10), 0)
def bilinear(t, y, p, _):
    (x, v), (k, asymmetry) = y, p
    return [v, -k * x - asymmetry * sqrt(x**2 + Integer(10) ** -14)]


def relu(x, sign):
    return x if sign > 0 else 0


@problem(
    "amplifier",
    [1, 1e4],
    [1, 0],
    (0, 10),
    0,
    switches=lambda t, y, p: [p[1] * y[0] - 1, p[1] * y[0] + 1],
    max_step=0.1,
)
def amplifier(t, y, p, signs):
    (x, v), (k, gain) = y, p
    clipped = 1 if signs[0] > 0 else gain * x if signs[1] > 0 else -1
    return [v, -k * clipped]


@problem(
    "backlash",
    [4, 0.3, 0.05],
    [1, 0],
    (0, 20),
    0,
    switches=lambda t, y, p: [y[0] - p[1], -y[0] - p[1]],
    max_step=0.1,
)
def backlash(t, y, p, signs):
    (x, v), (k, gap, c) = y, p
    return [v, -k * (relu(x - gap, signs[0]) - relu(-x - gap, signs[1])) - c * v]


@problem("hertz contact", [1, 1e4], [1, 0], (0, 6), 0, switches=lambda t, y, p: [-y[0]], max_step=0.02)
def hertz(t, y, p, signs):
    (x, v), (gravity, stiffness) = y, p
    return [v, -gravity + stiffness * (sqrt(sqrt(x**2)) ** 3 if signs[0] > 0 else 0)]


@problem(
    "hard floor",
    [1, 1e5, 20],
    [1, 0],
    (0, 4),
    0,
    switches=lambda t, y, p: [-p[1] * y[0] - p[2] * y[1] * sigmoid(-100000 * y[0])],
    max_step=0.02,
)
def hard_floor(t, y, p, signs):
    (x, v), (gravity, stiffness, damping) = y, p
    return [v, -gravity + relu(-stiffness * x - damping * v * sigmoid(-100000 * x), signs[0])]
