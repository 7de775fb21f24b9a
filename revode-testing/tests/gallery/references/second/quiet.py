from sympy import Integer, Matrix, cos, exp, pi, sin

from .fields import laplacian
from .registry import registry, sigmoid

PROBLEMS, problem = registry()


def gauss(t, y, p, _):
    decay, amp, centre, width = p
    return [-decay * y[0] + amp * exp(-(((t - centre) / width) ** 2))]


problem("pulse at 90", [0.05, 1, 90, 0.5], [0], (0, 100), 0, max_step=0.2)(gauss)
problem("sharp pulse at 90", [0.05, 20, 90, 0.02], [0], (0, 100), 0, max_step=0.1, least=1e-4)(gauss)
problem("pulse of amplitude 0", [0.5, 0, 7, 0.1], [0], (0, 10), 0, max_step=0.05)(gauss)


def stimulus(t, y, p, _):
    decay, amp, on, off = p
    return [-decay * y[0] + amp * (sigmoid(50 * (t - on)) - sigmoid(50 * (t - off)))]


problem("late stimulus", [0.1, 1, 90, 90.5], [0], (0, 100), 0, max_step=0.2, least=1e-4)(stimulus)
problem("stimulus of amplitude 0", [0.1, 0, 31, 31.5], [0], (0, 40), 0, max_step=0.2, least=1e-4)(stimulus)


@problem("nerve at rest until 80", [1, 80, 0.08], [-1.199_408_035_244_035, -0.624_260_044_055_044], (0, 85), 0, max_step=0.5, least=1e-4)
def nerve(t, y, p, _):
    (v, w), (amp, on, eps) = y, p
    pulse = sigmoid(20 * (t - on)) - sigmoid(20 * (t - on - 1))
    return [v - v**3 / 3 - w + amp * pulse, eps * (v + Integer(7) / 10 - Integer(8) / 10 * w)]


@problem("five doses", [1, 1.5, 0.3, 8], [0, 0], (0, 110), 1, max_step=0.5)
def doses(t, y, p, _):
    (gut, blood), (dose, absorbed, cleared, hour) = y, p
    pulse = exp(400 * (cos(pi * (t - hour) / 12) - 1))
    return [dose * pulse - absorbed * gut, absorbed * gut - cleared * blood]


@problem("rain on tips", [0.5, 200, 0.99], [0.3], (0, 40), 0, switches=lambda t, y, p: [cos(t) - p[2]], max_step=0.05)
def comb(t, y, p, signs):
    decay, amp, tip = p
    return [-decay * y[0] + (amp * (cos(t) - tip) if signs[0] > 0 else 0)]


@problem(
    "tent",
    [0.1, 5, 31.4, 0.2],
    [0],
    (0, 40),
    0,
    switches=lambda t, y, p: [t - p[2] + p[3], t - p[2], p[2] + p[3] - t],
    max_step=0.05,
)
def tent(t, y, p, signs):
    decay, amp, centre, width = p
    inside = signs[0] > 0 and signs[2] > 0
    return [-decay * y[0] + (amp * (1 - signs[1] * (t - centre) / width) if inside else 0)]


@problem("fuse", [0.1, 0.2, 1], [1, 0], (0, 30), 1, max_step=0.05)
def fuse(t, y, p, _):
    (x, z), (k, level, rate) = y, p
    return [-k * x, rate * exp(-((100 * (x - level)) ** 2))]


INNER = [-0.5, -0.3, -0.8, -0.2, 0.1, -0.4, 0.1, -0.9, 1.0, 1.1, 0.9, 1.2]
OUTER = [0.5, -0.4, 0.3, 0.2, -0.6, 0.7, 0.1, 0.4]


def hidden(t, y, p):
    return list(Matrix(3, 4, p[:12]).T * Matrix([*y, t]) + Matrix(p[12:16]))


@problem(
    "dead until late", [*INNER, -18, -19, -17, -20, *OUTER], [0.5, 0.3], (0, 20), "square", switches=hidden, max_step=0.5
)
def dead(t, y, p, signs):
    units = [h if s > 0 else 0 for h, s in zip(hidden(t, y, p), signs)]
    return list(Matrix(4, 2, p[16:]).T * Matrix(units))


@problem("nothing grows", [1, 1], [0], (0, 20), 0)
def logistic(t, y, p, _):
    return [p[0] * y[0] * (1 - y[0] / p[1])]


@problem("on a saddle", [1.5, 1, 0], [0, 0], (0, 8), 0)
def saddle(t, y, p, _):
    (x, z), (a, b, push) = y, p
    return [a * x + x * z + push, -b * z + x**2]


@problem("stiff at rest", [1000, 2, 0], [2], (0, 3), 0)
def relaxation(t, y, p, _):
    k, aim, slope = p
    return [-k * (y[0] - aim) + slope * cos(t)]


@problem("fast beside slow", [200, 1, 0.5], [0, 0, 1, 0], (0, 10), 2)
def fast(t, y, p, _):
    (x, v, z, w), (fast, slow, coupling) = y, p
    return [v, -(fast**2) * x, w, -(slow**2) * z + coupling * fast * x]


@problem("quartic", [0.1, 0.3, 0.5], [1, 0], (0, 10), 1)
def quartic(t, y, p, _):
    a, b, c = p
    return [a * t**3 - b * t, c * y[0]]


PLACES = [(i + 1) / 11 for i in range(10)]


@problem("no diffusion", [0, 0], [x * (1 - x) * (1 + x) for x in PLACES], (0, 2), "square")
def still(t, y, p, _):
    d, k = p
    return [d * 121 * a - k * u**2 for a, u in zip(laplacian(y, 0, 0), y)]


@problem("burst of amplitude 0", [4, 0.1, 0], [0, 0], (0, 12), 0, max_step=0.02)
def burst(t, y, p, _):
    (x, v), (k, c, amp) = y, p
    return [v, -k * x - c * v + amp * sin(40 * t) * exp(-50 * (t - 7) ** 2)]
