"""Writes `../second.json`, the references of the second gallery, as `make.py` writes those of the first.

    venv/bin/python revode-testing/tests/gallery/references/make_second.py [part of a name | --new]

Problems backward in time are solved forward with the field's other sign; losses at several times are added.
"""

import json
import sys
import time
from multiprocessing import Pool
from pathlib import Path

import numpy as np
from closed_second import CLOSED
from integrate import LONG, Field, first_way, with_floor
from scipy.integrate import solve_ivp
from second import PROBLEMS

FILE = Path(__file__).parent.parent / "second.json"
# Of problems with more numbers than this, the second way differentiates by some of them.
MANY, SOME = 24, 8


def loss_and_gradient(loss, u):
    y, s = u[:, 0], u[:, 1:]
    if loss == "square":
        return y @ y, 2 * y @ s
    if isinstance(loss, tuple):
        return np.log(y[loss[1]]), s[loss[1]] / y[loss[1]]
    weights = np.zeros(len(y), u.dtype) if isinstance(loss, int) else np.array(loss, u.dtype)
    if isinstance(loss, int):
        weights[loss] = 1
    return weights @ y, weights @ s


def least_columns(problem):
    """What a parameter changes by less than this, when it changes by its own size, is rounding."""
    y0, p, least = problem.y0, problem.p0, problem.least
    size = max(abs(x) for x in y0)
    columns = [least] * (1 + len(y0)) + [max(least, 1e-10 * size / abs(x)) if x else least for x in p]
    return np.array(columns, LONG)


class Mirrored:
    """The problem whose time runs forward from 0."""

    def __init__(self, problem):
        self.__dict__.update(problem.__dict__)
        t0, t1 = problem.span
        self.span = (0, t0 - t1)
        self.f = lambda t, y, p, signs: [-e for e in problem.f(t0 - t, y, p, signs)]
        self.switches = lambda t, y, p: problem.switches(t0 - t, y, p)


def by_scipy(field, problem, end, scale):
    n, m = field.n, field.m
    f = field.augmented((), float)
    u = np.zeros((n, 1 + n + m))
    u[:, 0] = problem.y0
    u[:, 1 : 1 + n] = np.eye(n)
    shape = u.shape
    size = with_floor(scale.astype(float), 1e-4)
    size[:, 0] *= 1e-6
    p = [float(x) for x in problem.p0]
    rtol = 3e-14 if problem.second == "DOP853" else 1e-12
    done = solve_ivp(
        lambda t, u: f(t, u.reshape(shape), p).ravel(),
        (float(problem.span[0]), float(end)),
        u.ravel(),
        method=problem.second,
        rtol=rtol,
        atol=np.maximum(3e-14 * size, 1e-60).ravel(),
        t_eval=[float(end)],
        max_step=problem.max_step,
    )
    assert done.success, done.message
    return done.y[:, -1].reshape(shape)


def by_differences(field, problem, some):
    """The loss, and its derivatives by some of the numbers, by central differences that are extrapolated once."""
    n = field.n
    start = [LONG(x) for x in [*problem.y0, *problem.p0]]
    least = min([abs(x) for x in start[:n] if x != 0], default=LONG(1))

    def loss(x):
        ends = [
            first_way(field, x[:n], x[n:], (problem.span[0], end), False, max_step=problem.max_step)[0]
            for end in problem.points or [problem.span[1]]
        ]
        return sum(loss_and_gradient(problem.loss, u)[0] for u in ends)

    def slope(j, h):
        up, down = ([x + s * h if i == j else x for i, x in enumerate(start)] for s in (1, -1))
        return (loss(up) - loss(down)) / (2 * h)

    sizes = [LONG(1e-4) * abs(x) if x != 0 else LONG(1e-4) * (least if i < n else 1) for i, x in enumerate(start)]
    return loss(start), [(4 * slope(j, sizes[j] / 2) - slope(j, sizes[j])) / 3 for j in some]


def reference(given):
    np.seterr(all="ignore")
    start = time.time()
    y0, p = given.y0, given.p0
    n, numbers = len(y0), len(y0) + len(p)
    some = list(range(numbers))
    if given.name in CLOSED:
        loss, gradient = CLOSED[given.name]()
        loss, gradient = LONG(loss), np.array(gradient, LONG)
    problem = Mirrored(given) if given.span[1] < given.span[0] else given
    if given.name == "two tanks":
        second, name, steps = two_tanks_by_quadrature(), "quadrature", 0
    else:
        field = Field(problem)
        parts, steps = [], 0
        for end in problem.points or [problem.span[1]]:
            span, least = (problem.span[0], end), least_columns(problem)
            u, scale, taken = first_way(
                field, y0, p, span, tolerance=problem.tolerance, max_step=problem.max_step, least=least
            )
            parts.append(loss_and_gradient(problem.loss, u))
            steps += taken
        found = sum(part[0] for part in parts), sum(part[1] for part in parts)
        if given.name in CLOSED and problem.relative:
            # (The first way follows a solution to a part of the size that it has had.)
            u = by_scipy(field, problem, problem.span[1], np.zeros_like(scale))
            second, name = loss_and_gradient(problem.loss, u), "closed form"
        elif given.name in CLOSED:
            second, name = found, "closed form"
        else:
            (loss, gradient) = found
            if problem.switches(0, list(y0), list(p)):
                if numbers > MANY:
                    some = list(range(0, numbers, numbers // SOME))
                second, name = by_differences(field, problem, some), "differences"
            else:
                ends = problem.points or [problem.span[1]]
                ends = [by_scipy(field, problem, end, scale) for end in ends]
                parts = [loss_and_gradient(problem.loss, u) for u in ends]
                second = sum(part[0] for part in parts), sum(part[1] for part in parts)
                name = f"scipy {problem.second}"
    size = np.abs(gradient).max()
    apart = float(np.abs(gradient[some] - np.array(second[1], LONG)).max() / size)
    apart_loss = float(abs(loss - second[0]) / max(abs(loss), np.float64(1e-300)))
    print(
        f"{given.name:32} {steps:7} steps {apart:9.1e} {apart_loss:9.1e}  {name}  {time.time() - start:.1f} s  "
        f"{float(loss):.6g} {[float(f'{float(x):.3g}') for x in gradient[:8]]}",
        flush=True,
    )
    floats = lambda values: [float(x) for x in values]
    return {
        "y0": floats(y0),
        "params": floats(p),
        "span": floats(given.span),
        "loss": float(loss),
        "dy0": floats(gradient[:n]),
        "dparams": floats(gradient[n:]),
        "accuracy": float(f"{max(apart, 1e-15):.1e}"),
        "second_way": name,
    }


def two_tanks_by_quadrature():
    """The second tank is a convolution of the first one's outflow, by the trapezoidal rule and Richardson."""
    from closed_second import two_tanks_differences

    return two_tanks_differences()


def attempt(index):
    try:
        return index, reference(PROBLEMS[index])
    except Exception as error:  # noqa: BLE001 (a problem that fails must not stop the others)
        print(f"{PROBLEMS[index].name}: {error!r}", flush=True)
        return index, None


def main():
    """All problems, those with this part in their name, or with `--new` those that the file lacks."""
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    names = [problem.name for problem in PROBLEMS]
    assert len(set(names)) == len(names)
    todo = [i for i, name in enumerate(names) if (name not in known if part == "--new" else part in name)]
    with Pool(2) as pool:
        for index, found in pool.imap_unordered(attempt, todo):
            if found:
                known[names[index]] = found
            lines = [f" {json.dumps(name)}: {json.dumps(known[name])}" for name in names if name in known]
            FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
