"""Writes `../references.json`: the loss and its gradient for each problem of the gallery, with their accuracy.

    python3 -m venv venv && venv/bin/pip install numpy scipy sympy
    venv/bin/python revode-testing/tests/gallery/references/make.py [part of a name | --new]

It takes some minutes. `accuracy` is the larger of the difference of the two ways relative to the gradient's largest
component, and 1e-15; values are those of the first way, and the second's error is most of the difference.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from closed import CLOSED
from integrate import Field, by_differences, by_scipy, first_way
from problems import PROBLEMS

FILE = Path(__file__).parent.parent / "references.json"


def loss_and_gradient(loss, u):
    """The loss of the end, and its derivatives with respect to the initial state and the parameters."""
    y, s = u[:, 0], u[:, 1:]
    if loss == "square":
        return y @ y, 2 * y @ s
    weights = np.zeros(len(y)) if isinstance(loss, int) else np.array(loss, float)
    if isinstance(loss, int):
        weights[loss] = 1
    return weights @ y, weights @ s


def reference(problem):
    start = time.time()
    field = Field(problem)
    y0, p, span = problem.y0, problem.p0, problem.span
    u, scale, steps = first_way(field, y0, p, span, max_step=problem.max_step)
    loss, gradient = loss_and_gradient(problem.loss, u)
    if problem.name in CLOSED:
        second, name = CLOSED[problem.name](), "closed form"
        second = [np.array(x, np.longdouble) for x in second]
    elif problem.max_step < np.inf:
        second = by_differences(field, y0, p, span, problem.max_step)
        second, name = loss_and_gradient(problem.loss, second), "differences"
    else:
        second = by_scipy(field, [float(x) for x in y0], [float(x) for x in p], span, scale, problem.second)
        second, name = loss_and_gradient(problem.loss, second), f"scipy {problem.second}"
    size = np.abs(gradient).max()
    apart = float(np.abs(gradient - second[1]).max() / size)
    apart_loss = float(abs(loss - second[0]) / max(abs(loss), np.float64(1e-300)))
    n = len(y0)
    print(f"{problem.name:35} {steps:7} steps {apart:9.1e} {apart_loss:9.1e}  {name}  {time.time() - start:.1f} s", flush=True)
    numbers = lambda values: [float(x) for x in values]
    return {
        "y0": numbers(y0),
        "params": numbers(p),
        "span": numbers(span),
        "loss": float(loss),
        "dy0": numbers(gradient[:n]),
        "dparams": numbers(gradient[n:]),
        "accuracy": float(f"{max(apart, 1e-15):.1e}"),
        "second_way": name,
    }


def main():
    """All problems, those with this part in their name, or with `--new` those that the file lacks."""
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    # Rejected steps of explicit methods overflow.
    np.seterr(all="ignore")
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    names = [problem.name for problem in PROBLEMS]
    assert len(set(names)) == len(names)
    for problem in PROBLEMS:
        if problem.name not in known if part == "--new" else part in problem.name:
            known[problem.name] = reference(problem)
            # One problem a line; written each time, so that nothing is lost.
            lines = [f" {json.dumps(name)}: {json.dumps(known[name])}" for name in names if name in known]
            FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
