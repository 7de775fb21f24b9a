import math

from sympy import Integer, Matrix, cos, exp

from .registry import registry, ring, scattered, sigmoid, tanh

PROBLEMS, problem = registry()


def laplacian(u, left, right):
    """Second differences, without the square of the cells' number, with values beyond both ends."""
    padded = [left, *u, right]
    return [padded[i] - 2 * padded[i + 1] + padded[i + 2] for i in range(len(u))]


STEP = [1] * 10 + [0] * 20


@problem("upwind", [1, 0], STEP, (0, 0.5), 24)
def upwind(t, u, p, _):
    speed, inflow = p
    return [speed * 30 * (a - b) for a, b in zip([inflow, *u], u)]


@problem("central", [1, 1], STEP, (0, 0.5), 20)
def central(t, u, p, _):
    speed, inflow = p
    before, after = [inflow, *u[:29]], [*u[1:], u[29]]
    return [speed * 15 * (a - b) for a, b in zip(before, after)]


@problem(
    "burgers",
    [1, 0],
    [0.3 + math.sin(i * math.tau / 16) for i in range(16)],
    (0, 0.5),
    9,
    switches=lambda t, u, p: list(u),
    max_step=0.05,
)
def burgers(t, u, p, signs):
    scale, nu = p
    right = [x**2 / 2 if s > 0 else 0 for x, s in zip(u, signs)]
    left = [0 if s > 0 else x**2 / 2 for x, s in zip(u, signs)]
    flux = [a + b for a, b in zip(right, ring(left, -1))]
    last, after = ring(u, 1), ring(u, -1)
    return [
        scale * 16 * (a - b) + nu * 256 * (c - 2 * d + e)
        for a, b, c, d, e in zip(ring(flux, 1), flux, last, u, after)
    ]


@problem("porous medium", [0.1, 0], [1 if 8 <= i < 13 else 0 for i in range(21)], (0, 1), 4)
def porous(t, u, p, _):
    d, decay = p
    return [d * 200 * a - decay * x for a, x in zip(laplacian([x**2 for x in u], 0, 0), u)]


def spot(i):
    return 0.5 if 6 <= i < 9 else 0.25 if 22 <= i < 25 else 1 if i < 16 else 0


@problem("gray-scott", [0.04, 0.06, 0.1], [spot(i) for i in range(32)], (0, 40), "square")
def gray_scott(t, y, p, _):
    u, v, (feed, kill, d) = y[:16], y[16:], p
    diffusion = lambda u: laplacian(u, u[15], u[0])
    return [2 * d * a - x * z**2 + feed * (1 - x) for a, x, z in zip(diffusion(u), u, v)] + [
        d * a + x * z**2 - (feed + kill) * z for a, x, z in zip(diffusion(v), u, v)
    ]


@problem("melting", [0.1, 1, 20], [-1] * 16, (0, 1), 5)
def melting(t, u, p, _):
    d, heater, latent = p
    return [d * 256 * a / (1 + latent * exp(-((20 * x) ** 2))) for a, x in zip(laplacian(u, heater, u[15]), u)]


@problem("string", [1, 0], [0.2 * i if i < 5 else 0 for i in range(40)], (0, 4), 12, least=1e-4)
def wave(t, y, p, _):
    u, v, (c, damping) = y[:20], y[20:], p
    return [*v, *[c * 441 * a - damping * b for a, b in zip(laplacian(u, 0, 0), v)]]


@problem("lattice", [1, 0.25], [3 if i == 8 else 0 for i in range(16)], (0, 20), 5)
def lattice(t, y, p, _):
    x, v, (k, alpha) = y[:8], y[8:], p
    s = [a - b for a, b in zip([*x, 0], [0, *x])]
    f = [k * a + alpha * a**2 for a in s]
    return [*v, *[f[i + 1] - f[i] for i in range(8)]]


def network(p, inner, width):
    """Matrices by columns, and what is left of the parameters."""
    w1 = Matrix(inner, width, p[: inner * width]).T
    return w1, p[inner * width :]


def before_relu(t, y, p):
    w1, rest = network(p, 2, 40)
    return list(w1 * Matrix(y) + Matrix(rest[:40]))


RELU = scattered(80, 1, 0.1) + scattered(40, 1, 0.37) + scattered(80, 0.5, 0.77)


@problem("relu network of 40", RELU, [1, -0.5], (0, 10), "square", switches=before_relu, max_step=0.1)
def relu_network(t, y, p, signs):
    units = [h if s > 0 else 0 for h, s in zip(before_relu(t, y, p), signs)]
    out = Matrix(40, 2, p[120:]).T * Matrix(units)
    return [a - Integer(3) / 10 * b for a, b in zip(out, y)]


LARGE = scattered(12, 100, 0.2) + scattered(6, 30, 0.5) + scattered(12, 1, 0.9)


@problem("large weights", LARGE, [1, -0.5], (0, 5), 0)
def large(t, y, p, _):
    w1, rest = network(p, 2, 6)
    inner = w1 * Matrix(y) + Matrix(rest[:6])
    return list(Matrix(6, 2, rest[6:]).T * inner.applyfunc(tanh))


@problem("driven by a last layer 0", scattered(12, 3, 0.3) + [0] * 8, [1, 0.5], (0, 10), "square")
def driven(t, y, p, _):
    w1, rest = network(p, 3, 4)
    inner = w1 * Matrix([*y, 5 * cos(20 * t)])
    return list(Matrix(4, 2, rest).T * inner.applyfunc(sigmoid))
