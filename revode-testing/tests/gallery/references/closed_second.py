"""Problems of the second gallery that have a formula."""

import mpmath as mp
from closed import derivatives

mp.mp.dps = 60


def decay(k, y0, end, loss=lambda y: y):
    return lambda: derivatives(lambda y0, k: loss(y0 * mp.exp(-k * end)), [y0, k])


def growth(x0, r, q, end):
    def loss(x0, y0, r, q):
        return y0 * mp.exp(-end) + q * x0 * (mp.exp(r * end) - mp.exp(-end)) / (r + 1)

    return lambda: derivatives(loss, [x0, 0, r, q])


def two_tanks(y0=1, g0=0, a=1, b=0.5, end=4):
    """The root of the height falls at the rate `a / 2` until it is 0."""

    def loss(y0, g0, a, b):
        # The outflow a (r0 - a t / 2), up to 2 r0 / a, weighted by exp(-b (end - t)).
        r0 = mp.sqrt(y0)
        last = 2 * r0 / a
        first = lambda t: mp.exp(-b * (end - t)) * (a * (r0 - a * t / 2) / b + a**2 / (2 * b**2))
        return g0 * mp.exp(-b * end) + first(last) - first(0)

    return derivatives(loss, [y0, g0, a, b])


def two_tanks_differences():
    """The same by quadrature."""

    def loss(y0, g0, a, b):
        r0 = mp.sqrt(y0)
        flow = lambda t: mp.exp(-b * (4 - t)) * a * (r0 - a * t / 2)
        return g0 * mp.exp(-4 * b) + mp.quad(flow, [0, 2 * r0 / a])

    loss, slopes = derivatives(loss, [1, 0, 1, 0.5])
    import numpy as np

    return np.longdouble(loss), [np.longdouble(x) for x in slopes]


def runaway(y0=0, k=1, end=0.9999):
    return derivatives(lambda y0, k: -mp.log(mp.exp(-y0) - k * mp.mpf(end)), [y0, k])


def logistic(r, capacity, y0, end):
    def loss(y0, r, k):
        grown = mp.exp(r * end)
        return y0 * grown * k / (k + y0 * (grown - 1))

    return lambda: derivatives(loss, [y0, r, capacity])


def oscillator():
    # At c = 0, by the formula for c > 0 as a function of complex numbers.
    def loss(x0, v0, k, c):
        w = mp.sqrt(k - c * c / 4)
        return mp.exp(-c * 500) * (x0 * mp.cos(1000 * w) + (v0 + c * x0 / 2) / w * mp.sin(1000 * w))

    return derivatives(loss, [1, 0, 1, 0])


CLOSED = {
    "two tanks": two_tanks,
    "thermal runaway": runaway,
    "decay to 1e-12": decay(1, 1, 28),
    "decay to 1e-40": decay(1, 1, 92),
    "decay to 1e-12, absolute": decay(1, 1, 28),
    "logarithm of 1e-12": decay(1, 1, 28, mp.log),
    "logarithm of 1e-25": decay(1, 1, 58, mp.log),
    "decay from 1e9": decay(0.5, 1e9, 6, lambda y: y**2),
    "growth to e^20": growth(1, 1, 0.5, 20),
    "growth to e^60": growth(1e-20, 2, 0.5, 30),
    "logistic in 1e-9": logistic(1, 1e-9, 1e-11, 6),
    "logistic in 1e-9, by size": logistic(1, 1e-9, 1e-11, 6),
    "nothing grows": logistic(1, 1, 0, 20),
    "growth from 1e-12": logistic(1, 1, 1e-12, 28),
    "oscillator to 1000": oscillator,
}
