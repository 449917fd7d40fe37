#!/usr/bin/env python3
"""The improved Sheather-Jones bandwidth by Botev's published algorithm, with SciPy's transform and
root finder, for the rows of test_kde_fit.c: prints the value that the test holds."""
import numpy as np
from scipy.fft import dct
from scipy.optimize import brentq


def rows(n):
    i = np.arange(n)
    t = (i + 0.5) / n
    z = np.log(t / (1 - t))
    return np.where(i % 2 == 0, -2 + 0.5 * z, 1 + 0.3 * z)


def bandwidth(x, bins=4096):
    low, high = x.min() - np.ptp(x) / 10, x.max() + np.ptp(x) / 10
    width, unique = high - low, len(np.unique(x))
    counts = np.histogram(x, bins=bins, range=(low, high))[0] / len(x)
    a2 = (dct(counts, type=2)[1:] / 2) ** 2
    k2 = np.arange(1, bins, dtype=float) ** 2

    def fixed(t):
        f = 2 * np.pi ** 14 * np.sum(k2 ** 7 * a2 * np.exp(-k2 * np.pi ** 2 * t))
        for s in range(6, 1, -1):
            k0 = np.prod(np.arange(1, 2 * s, 2)) / np.sqrt(2 * np.pi)
            c = (1 + 0.5 ** (s + 0.5)) / 3
            time = (2 * c * k0 / unique / f) ** (2 / (3 + 2 * s))
            f = 2 * np.pi ** (2 * s) * np.sum(k2 ** s * a2 * np.exp(-k2 * np.pi ** 2 * time))
        return t - (2 * unique * np.sqrt(np.pi) * f) ** (-0.4)

    return np.sqrt(brentq(fixed, 1e-8, 0.1, xtol=1e-16)) * width


print(repr(bandwidth(rows(500))), repr(bandwidth(rows(4000))))
