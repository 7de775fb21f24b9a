"""Forward sensitivities of an ODE by two ways that share no code with revode.

The solution `y` and its derivatives `S = dy/d(y0, p)` are integrated together,

    y' = f(t, y, p),    S' = (df/dy) S + df/dp,

so that the steps are those that the *gradient* needs too. The first way is extrapolation of the midpoint rule
(Gragg, Bulirsch and Stoer; order 16) in 80-bit arithmetic, with located switches; the second is an integrator of scipy
in double precision, or finite differences of the first where the field has switches.
"""

import numpy as np
import sympy as sp
from scipy.integrate import solve_ivp

LONG = np.longdouble
# Substeps of the midpoint rule.
SEQUENCE = [2, 4, 6, 8, 10, 12, 14, 16]


class Field:
    """A problem's field, its derivatives and its switching functions as numerical functions."""

    def __init__(self, problem):
        self.problem = problem
        n, m = len(problem.y0), len(problem.p0)
        self.n, self.m = n, m
        t = sp.Symbol("t")
        y = list(sp.symbols(f"y0:{n}"))
        p = list(sp.symbols(f"p0:{m}"))
        self.symbols = [t, *y, *p]
        self.switches = self.compile([sp.sympify(g) for g in problem.switches(t, y, p)])
        self.gradients = self.compile(
            [sp.diff(g, x) for g in map(sp.sympify, problem.switches(t, y, p)) for x in [t, *y, *p]]
        )
        self.branches = {}
        self.build = lambda signs: problem.f(t, y, p, signs)
        self.variables = (y, p)

    def compile(self, expressions):
        return sp.lambdify(self.symbols, expressions, modules="numpy", cse=True)

    def branch(self, signs):
        """Field and derivatives where the switching functions have these signs."""
        if signs not in self.branches:
            y, p = self.variables
            f = [sp.sympify(e) for e in self.build(signs)]
            entries = [(i, j, sp.diff(e, x)) for i, e in enumerate(f) for j, x in enumerate(y + p)]
            entries = [entry for entry in entries if entry[2] != 0]
            places = ([i for i, _, _ in entries], [j for _, j, _ in entries])
            values = f + [entry[2] for entry in entries]
            self.branches[signs] = (self.compile(values), self.compile(f), places)
        return self.branches[signs]

    def augmented(self, signs, dtype):
        """The right-hand side of `(y, S)` as one matrix whose first column is `y`."""
        compiled, _, places = self.branch(signs)
        n, m = self.n, self.m

        def right_hand_side(t, u, p):
            values = compiled(t, *u[:, 0], *p)
            derivatives = np.zeros((n, n + m), dtype)
            derivatives[places] = values[n:]
            du = np.empty_like(u)
            du[:, 0] = values[:n]
            du[:, 1:] = derivatives[:, :n] @ u[:, 1:]
            du[:, 1 + n :] += derivatives[:, n:]
            return du

        return right_hand_side

    def plain(self, signs):
        """The right-hand side of `y` alone, as a matrix of one column."""
        compiled = self.branch(signs)[1]
        return lambda t, u, p: np.array(compiled(t, *u[:, 0], *p), u.dtype)[:, None]

    def signs(self, t, u, p):
        """Signs of the switching functions; where one is 0, which is at a start on a kink, that which it takes next."""
        values = self.switches(t, *u[:, 0], *p)
        signs = tuple(1 if g > 0 else -1 for g in values)
        if 0 not in values:
            return signs
        h = LONG(1e-6)
        ahead = u + h * self.plain(signs)(t, u[:, :1], p)
        return tuple(1 if g > 0 else -1 for g in self.switches(t + h, *ahead[:, 0], *p))


def extrapolate(f, t, u, p, h):
    """A step of order 16, its error estimate."""
    previous = None
    start = f(t, u, p)
    for k, substeps in enumerate(SEQUENCE):
        s = h / substeps
        before, now = u, u + s * start
        for i in range(1, substeps):
            before, now = now, before + 2 * s * f(t + i * s, now, p)
        smoothed = (before + now + s * f(t + h, now, p)) / 2
        row = [smoothed]
        for j in range(1, k + 1):
            ratio = LONG(SEQUENCE[k]) / LONG(SEQUENCE[k - j])
            row.append(row[-1] + (row[-1] - previous[j - 1]) / (ratio**2 - 1))
        previous = row
    return row[-1], np.abs(row[-1] - row[-2])


def first_way(field, y0, p, span, sensitivities=True, tolerance=1e-14, max_step=np.inf, least=1e-30):
    """`(y, S)` at the end, the largest sizes on the way, the steps taken. `least` is the size, or that of each column,
    below which a number counts as that large."""
    n, m = field.n, field.m
    columns = 1 + n + m if sensitivities else 1
    u = np.zeros((n, columns), LONG)
    u[:, 0] = y0
    if sensitivities:
        u[:, 1 : 1 + n] = np.eye(n, dtype=LONG)
    make = (lambda s: field.augmented(s, LONG)) if sensitivities else field.plain
    p = [LONG(x) for x in p]
    t, end = LONG(span[0]), LONG(span[1])
    h = min((end - t) / 100, LONG(max_step))
    signs = field.signs(t, u, p)
    f, steps = make(signs), 0
    # (What starts at 0 counts as it will after a thousandth of the span: less is lost in rounding.)
    scale = np.maximum(np.maximum(np.abs(u), least), np.abs(f(t, u, p)) * (end - t) / 1000)
    while t < end:
        steps += 1
        h = min(h, end - t, LONG(max_step))
        new, error = extrapolate(f, t, u, p, h)
        with np.errstate(over="ignore", invalid="ignore"):
            reference = np.maximum(scale, np.abs(new))
            reference = with_floor(reference, 1e-2)
            off = float((error / (LONG(tolerance) * reference)).max())
        factor = 0.2 if not np.isfinite(off) else min(4.0, max(0.2, 0.8 * max(off, 1e-9) ** (-1 / 15)))
        if not off <= 1:
            h *= factor
            continue
        ahead = field.signs(t + h, new, p)
        if ahead != signs:
            length, new, which = locate(field, f, t, u, p, h, signs, ahead)
            t, u = t + length, new
            after = tuple(-s if i == which else s for i, s in enumerate(signs))
            g = make(after)
            if sensitivities:
                u = jump(field, f, g, t, u, p, which)
            f, signs = g, after
            h = min(h, (end - LONG(span[0])) / 1000)
        else:
            t, u = t + h, new
            h *= factor
        scale = np.maximum(scale, np.abs(u))
    return u, scale, steps


def with_floor(sizes, floor):
    """Of the derivatives with respect to one number, small ones need not be as accurate as the largest; small
    components of the state must be."""
    derivatives = sizes[:, 1:]
    if derivatives.size:
        derivatives = np.maximum(derivatives, floor * derivatives.max(axis=0, keepdims=True))
    return np.hstack([sizes[:, :1], derivatives])


def locate(field, f, t, u, p, h, signs, ahead):
    """The part of a step up to the first switch, by bisection and then Newton's method."""
    n = field.n
    crossing = [i for i, (a, b) in enumerate(zip(signs, ahead)) if a != b]
    found = []
    for which in crossing:
        low, high = LONG(0), h
        for _ in range(12):
            middle = (low + high) / 2
            state = extrapolate(f, t, u, p, middle)[0]
            same = field.signs(t + middle, state, p)[which] == signs[which]
            low, high = (middle, high) if same else (low, middle)
        x = (low + high) / 2
        for _ in range(6):
            state = extrapolate(f, t, u, p, x)[0]
            g = field.switches(t + x, *state[:, 0], *p)[which]
            slopes = field.gradients(t + x, *state[:, 0], *p)[which * (1 + n + field.m) :]
            rate = slopes[0] + sum(a * b for a, b in zip(slopes[1 : 1 + n], f(t + x, state, p)[:, 0]))
            x -= g / rate
        found.append((x, which))
    x, which = min(found)
    return x, extrapolate(f, t, u, p, x)[0], which


def jump(field, before, after, t, u, p, which):
    """What a switch does to the sensitivities: nothing where the field is continuous."""
    n, m = field.n, field.m
    slopes = np.array(
        field.gradients(t, *u[:, 0], *p)[which * (1 + n + m) : (which + 1) * (1 + n + m)], LONG
    )
    left, right = before(t, u, p)[:, 0], after(t, u, p)[:, 0]
    rate = slopes[0] + slopes[1 : 1 + n] @ left
    time = slopes[1 : 1 + n] @ u[:, 1:]
    time[n:] += slopes[1 + n :]
    u = u.copy()
    u[:, 1:] += np.outer(right - left, time / rate)
    return u


def by_scipy(field, y0, p, span, scale, method):
    """The same by an integrator of scipy, in double precision."""
    n, m = field.n, field.m
    f = field.augmented((), float)
    u = np.zeros((n, 1 + n + m))
    u[:, 0] = y0
    u[:, 1 : 1 + n] = np.eye(n)
    shape = u.shape
    size = with_floor(scale.astype(float), 1e-4)
    # (States that grow start far below their largest size.)
    size[:, 0] *= 1e-6
    done = solve_ivp(
        lambda t, u: f(t, u.reshape(shape), p).ravel(),
        span,
        u.ravel(),
        method=method,
        rtol=1e-12 if method != "DOP853" else 3e-14,
        atol=(3e-14 * size).ravel(),
        t_eval=[span[1]],
    )
    assert done.success, done.message
    return done.y[:, -1].reshape(shape)


def by_differences(field, y0, p, span, max_step):
    """The same by central differences of solves without sensitivities, extrapolated once."""
    n, m = field.n, field.m
    start = [LONG(x) for x in [*y0, *p]]
    end = lambda x: first_way(field, x[:n], x[n:], span, False, max_step=max_step)[0][:, 0]
    u = np.zeros((n, 1 + n + m), LONG)
    u[:, 0] = end(start)
    for j in range(n + m):
        h = LONG(1e-4) * max(abs(start[j]), LONG(0.1))

        def slope(h):
            moved = [[x + s * h if i == j else x for i, x in enumerate(start)] for s in (1, -1)]
            return (end(moved[0]) - end(moved[1])) / (2 * h)

        u[:, 1 + j] = (4 * slope(h / 2) - slope(h)) / 3
    return u
