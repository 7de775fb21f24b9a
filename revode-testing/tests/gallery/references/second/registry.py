"""How a module registers its problems."""

from dataclasses import dataclass

import sympy as sp
from problems import Problem


@dataclass
class Second(Problem):
    # The times of which the losses are added; none for that of the end. A loss can also be ("log", component).
    points: tuple = ()
    # Of the first way; where a field is steep, rounding of its argument is more than 1e-14.
    tolerance: float = 1e-14
    # Numbers below this count as that large: what a pulse leaves far from it is rounding.
    least: float = 1e-30
    # Whether the second way has no absolute tolerance.
    relative: bool = False


def registry():
    """A list of problems, and a decorator that adds the function it decorates to it as a field."""
    found = []

    def problem(name, p0, y0, span, loss, **more):
        def register(f):
            found.append(Second(name, f, list(p0), list(y0), span, loss, **more))
            return f

        return register

    return found, problem


class tanh(sp.Function):
    """The hyperbolic tangent, with a derivative that rounds relative to its own size: not 1 - tanh(x)^2."""

    def fdiff(self, argindex=1):
        return 1 / sp.cosh(self.args[0]) ** 2

    def _numpycode(self, printer):
        name = printer._module_format(printer._module + ".tanh")
        return f"{name}({printer._print(self.args[0])})"


def sigmoid(x):
    return (1 + tanh(x / 2)) / 2


def ring(u, shift):
    """`u[i - shift]` at `i`, on a ring."""
    return [u[(i - shift) % len(u)] for i in range(len(u))]


def scattered(n, size, seed):
    """Numbers that look random, between -size and size."""
    values = [(i + 1.0) * 0.618_033_988_749_895 + seed for i in range(n)]
    return [size * (2.0 * (x - int(x)) - 1.0) for x in values]
