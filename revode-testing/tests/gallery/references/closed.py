"""Solutions in closed form: the loss, and its gradient with respect to the initial state and then the parameters."""

import mpmath as mp

mp.mp.dps = 60


def derivatives(loss, at):
    """A loss given by a formula, differentiated numerically in 60 digits."""
    at = [mp.mpf(x) for x in at]
    unit = lambda i: tuple(int(i == j) for j in range(len(at)))
    slopes = [mp.diff(loss, tuple(at), unit(i), h=mp.mpf(10) ** -25) for i in range(len(at))]
    return to_text(loss(*at)), [to_text(x) for x in slopes]


def to_text(x):
    """Digits enough for 80-bit numbers, of which numpy reads strings only."""
    return mp.nstr(x, 25)


def relaxation(k):
    def loss(y0, k, t=2):
        steady = lambda t: (k**2 * mp.cos(t) + k * mp.sin(t)) / (k**2 + 1)
        return steady(t) + (y0 - steady(0)) * mp.exp(-k * t)

    return lambda: derivatives(loss, [0, k])


def logistic(r, capacity, y0, t):
    loss = lambda y0, r, k: k / (1 + (k / y0 - 1) * mp.exp(-r * t))
    return lambda: derivatives(loss, [y0, r, capacity])


def prothero_robinson():
    loss = lambda y0, rate, omega: mp.sin(2 * omega) + y0 * mp.exp(-2 * rate)
    return derivatives(loss, [0.5, 1000, 1])


def heat(n):
    """Sines diagonalise the second differences."""

    def solve():
        h = mp.mpf(1) / (n + 1)
        places = [float(i + 1) / (n + 1) for i in range(n)]
        u0 = mp.matrix([x * (1 - x) * (1 + x) for x in places])
        modes = mp.matrix(n, n)
        for i in range(n):
            for j in range(n):
                modes[i, j] = mp.sqrt(2 * h) * mp.sin(mp.pi * (i + 1) * (j + 1) * h)
        rates = [-4 / h**2 * mp.sin(mp.pi * (j + 1) * h / 2) ** 2 for j in range(n)]
        time = mp.mpf(0.2)
        a = modes.T * u0
        squares = [a[j] ** 2 * mp.exp(2 * rates[j] * time) for j in range(n)]
        slopes = modes * mp.matrix([2 * a[j] * mp.exp(2 * rates[j] * time) for j in range(n)])
        rate = sum(2 * rates[j] * time * squares[j] for j in range(n))
        return to_text(sum(squares)), [to_text(x) for x in [*slopes, rate]]

    return solve


def amplitude_0():
    # y = amp (cos 5t + 5 sin 5t - e^-t) / 26
    slope = (mp.cos(50) + 5 * mp.sin(50) - mp.exp(-10)) / 26
    return "0", [to_text(x) for x in [mp.exp(-10), 0, slope]]


def saturating_uptake():
    # Constant uptake until y = limit / rate, decay from then on.
    def loss(y0, limit, rate):
        switch = (y0 - limit / rate) / limit
        return limit / rate * mp.exp(-rate * (6 - switch))

    return derivatives(loss, [2, 0.5, 1])


def slower_below():
    loss = lambda y0, a, b, c: c - (a - b) * (3 - (y0 - c) / (a + b))
    return derivatives(loss, [2, 1, 0.5, 1])


CLOSED = {
    "relaxation 1e2": relaxation(100),
    "relaxation 1e3": relaxation(1000),
    "relaxation 1e4": relaxation(10000),
    "logistic 10": logistic(10, 2, 0.1, 10),
    "logistic 100": logistic(100, 2, 0.1, 10),
    "logistic 1000": logistic(1000, 2, 0.1, 5),
    "logistic at its equilibrium": logistic(1, 1, 1, 10),
    "prothero-robinson": prothero_robinson,
    "heat 10": heat(10),
    "heat 50": heat(50),
    "amplitude 0": amplitude_0,
    "constant field": lambda: derivatives(lambda y0, a: y0 + 10 * a, [1, 0.7]),
    "polynomial field": lambda: derivatives(
        lambda y0, a, b, c: y0 + 10 * a + 50 * b + mp.mpf(1000) / 3 * c, [1, 1, -0.5, 0.1]
    ),
    "saturating uptake": saturating_uptake,
    "slower below": slower_below,
    "growth from 1e-8": lambda: derivatives(lambda y0, rate: y0 * mp.exp(10 * rate), [1e-8, 1]),
    "decay": lambda: derivatives(lambda y0, rate: y0 * mp.exp(5 * rate), [2, -0.7]),
}
