#!/usr/bin/env python3
"""Kernel density: this library and scikit-learn on the same files, with the same promise, in turn.

    kde_sklearn.py [--bench PATH] [--out DIR] [--rtol 1e-4] [--reps 3] [--only d1,d2]

Writes kde<d>_x.npy and kde<d>_q.npy (eight normal clusters, a fixed seed) into DIR, times
scikit-learn's fit and score_samples in one thread, and `bench --only kde --data DIR --threads 1`,
whose figure is dataset, gm_fit and gm_model_log_prob_f64 together. One line for each size and for
1, 0.3 and 3 times the bandwidth n^(-1/(d+4)): seconds of either, the ratio, and the error of the
densities against direct sums on the first queries.
"""
import argparse
import os
import re
import subprocess
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
from scipy.special import logsumexp
from sklearn.neighbors import KernelDensity

SIZES = ((1, 100000, 100000), (2, 100000, 20000), (3, 100000, 10000), (5, 50000, 5000), (10, 20000, 2000))
TIMES = ((1, ""), (0.3, "-narrow"), (3, "-wide"))


def write(out):
    rng = np.random.default_rng(7)
    data = {}
    for d, n, m in SIZES:
        c = rng.normal(size=(8, d)) * 3
        x = c[rng.integers(8, size=n)] + rng.normal(size=(n, d))
        q = c[rng.integers(8, size=m)] + rng.normal(size=(m, d))
        np.save(f"{out}/kde{d}_x.npy", x)
        np.save(f"{out}/kde{d}_q.npy", q)
        data[d] = (x, q)
    return data


def ours(a, name):
    line = subprocess.run([a.bench, "--only", name, "--data", a.out, "--threads", "1", "--reps", str(a.reps)],
                          capture_output=True, text=True, check=True).stdout
    for l in line.splitlines():
        f = l.split()
        if f and f[0] == name:
            return float(re.search(r"least\s+([\d.]+) ms", l).group(1)) / 1e3, f[-1]
    raise SystemExit(f"no line {name} in: {line}")


def theirs(a, x, q, h):
    t = time.perf_counter()
    s = KernelDensity(bandwidth=h, rtol=a.rtol).fit(x).score_samples(q)
    t = time.perf_counter() - t
    n, d = x.shape
    k = q[:100]
    ref = np.array([logsumexp(-0.5 * ((x - v) ** 2).sum(1) / h / h) for v in k])
    ref = ref - np.log(n) - d * np.log(h) - 0.5 * d * np.log(2 * np.pi)
    return t, np.max(np.abs(np.expm1(s[:100] - ref)))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--bench", default="build/bench")
    p.add_argument("--out", default="kde-data")
    p.add_argument("--rtol", type=float, default=1e-4)
    p.add_argument("--reps", type=int, default=3)
    p.add_argument("--only", default="")
    a = p.parse_args()
    os.makedirs(a.out, exist_ok=True)
    data = write(a.out)
    for times, suffix in TIMES:
        for d, n, m in SIZES:
            if a.only and f"d{d}{suffix}" not in a.only.split(","):
                continue
            x, q = data[d]
            own, error = ours(a, f"kde-d{d}-n{n}-q{m}{suffix}")
            seconds, wrong = theirs(a, x, q, times * n ** (-1.0 / (d + 4)))
            print(f"kde-d{d}{suffix:8s} scikit-learn {seconds:8.2f} s err {wrong:.1e}   ours {own * 1e3:9.2f} ms"
                  f" err {error}   {seconds / own:8.1f} times", flush=True)


main()
