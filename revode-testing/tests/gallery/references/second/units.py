from sympy import Integer, sqrt

from .registry import registry

PROBLEMS, problem = registry()


def logistic(t, y, p, _):
    return [p[0] * y[0] * (1 - y[0] / p[1])]


def twice(name, *args, **more):
    """With an absolute tolerance, and without one."""

    def register(f):
        for each in [name, f"{name}, by size"]:
            problem(each, *args, **more)(f)
        return f

    return register


twice("logistic in 1e-9", [1, 1e-9], [1e-11], (0, 6), 0)(logistic)
problem("growth from 1e-12", [1, 1], [1e-12], (0, 28), 0)(logistic)


@problem("predators in 1e-9", [1.5, 1e9, 1e9, 3], [1e-9, 1e-9], (0, 10), 0)
def lotka_volterra(t, y, p, _):
    (x, z), (alpha, beta, delta, gamma) = y, p
    return [alpha * x - beta * x * z, delta * x * z - gamma * z]


@twice("enzyme in mol/l", [1e8, 1, 10, 1e-8], [1e-6, 0, 0], (0, 20), 2)
def enzyme(t, y, p, _):
    (s, c, product), (on, off, turnover, enzyme) = y, p
    binding = on * (enzyme - c) * s - off * c
    return [-binding, binding - turnover * c, turnover * c]


@twice("target-mediated", [0.1, 0.5, 0.01, 1e-6, 0.2], [10, 2e-6, 0], (0, 40), 2)
def target(t, y, p, _):
    (drug, free, bound), (cleared, on, off, made, internal) = y, p
    binding = on * drug * free - off * bound
    return [-cleared * drug - binding, made - free / 2 - binding, binding - internal * bound]


@twice("virus", [1e-6, 1, 50, 5], [1e6, 0, 1e-3], (0, 3), 2)
def virus(t, y, p, _):
    (healthy, infected, virus), (beta, delta, made, cleared) = y, p
    infection = beta * healthy * virus
    return [-infection, infection - delta * infected, made * infected - cleared * virus]


def decay(t, y, p, _):
    return [-p[0] * y[0]]


problem("decay to 1e-12", [1], [1], (0, 28), 0, relative=True)(decay)
problem("decay to 1e-40", [1], [1], (0, 92), 0, relative=True)(decay)
problem("decay to 1e-12, absolute", [1], [1], (0, 28), 0, relative=True)(decay)
problem("logarithm of 1e-12", [1], [1], (0, 28), ("log", 0), relative=True)(decay)
problem("logarithm of 1e-25", [1], [1], (0, 58), ("log", 0), relative=True)(decay)


@problem("logarithm of a compartment", [1, 0.8, 0.1], [1, 0], (0, 30), ("log", 1))
def compartments(t, y, p, _):
    (a, b), (k, out, back) = y, p
    return [-k * a + back * b, k * a - out * b]


@twice("epidemic in a billion", [0.5, 0.3, 0.1], [999999999, 0, 1], (0, 60), 2)
def billion(t, y, p, _):
    (s, e, i), (beta, sigma, gamma) = y, p
    infection = beta * s * i / 10**9
    return [-infection, infection - sigma * e, sigma * e - gamma * i]


@problem("chain of thousandths", [0.5, 0.7, 0.9, 0.3], [1, 0, 1e-9, 0], (0, 10), 3)
def chain(t, y, p, _):
    (a, b, c, d), (k1, k2, k3, k4) = y, p
    return [
        -k1 * a,
        k1 * a / 1000 - k2 * b,
        k2 * b / 1000 - k3 * c + 1000 * c * b,
        k3 * c / 1000 - k4 * d,
    ]


@problem("planet in metres", [1.989e30], [1.496e11, 0, 0, 29780], (0, 3e7), [1, 1, 0, 0])
def planet(t, y, p, _):
    x, z, u, v = y
    pull = -Integer(6674) / Integer(10) ** 14 * p[0] / sqrt(x**2 + z**2) ** 3
    return [u, v, pull * x, pull * z]


problem("decay from 1e9", [0.5], [1e9], (0, 6), "square")(decay)
