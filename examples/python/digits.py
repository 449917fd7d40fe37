"""Learns the handwritten digits of examples/data/digits.csv, scores digits that it has not seen,
and draws a few of its own. Then two moons, to show arrays that go in and out without a copy.

    GENMOD_LIBRARY=build/libgenmod.so.0 python3 examples/python/digits.py [digits.csv]
"""
import inspect
import os
import sys
import tempfile
import threading

import numpy as np

import genmod


def check(right, what):
    if not right:
        sys.exit(f"wrong: {what}")


def digits(path):
    data = genmod.Dataset(path).with_role("label", genmod.LABEL)
    train, test = data.split(0.1, seed=1)
    check(len(train) + len(test) == len(data) == 1797, "the split")

    reports = []
    model = genmod.flow(train, seed=7, steps=150, coupling="realnvp", hidden=[64], valid=0,
                        lr=0.003, progress=lambda at: reports.append(at.step))
    check(reports and model.describe()["family"] == "flow", "the fit")
    scores = model.log_prob(test, seed=1)
    even = -64 * np.log(17)
    print(f"held out: {scores.mean():.1f} nats a digit (all pixels even: {even:.1f})")
    check(scores.mean() > even + 30, "the mean log probability of held-out digits")

    drawn = model.sample(8, seed=1, dtype=np.float32)
    check((drawn == np.floor(drawn)).all(), "a drawn pixel is no whole number")
    ink = np.array(list(" .:-=+*#%@"))
    shades = ink[(drawn.clip(0, 16) * 9 / 16).astype(int)].reshape(8, 8, 8)
    for line in shades.transpose(1, 0, 2):
        print("   ".join("".join(row) for row in line))
    check(np.array_equal(model.decode(model.encode(drawn)), drawn), "decode(encode(x)) is x")


def one_piece():
    """Families without an optimizer: a Gaussian kernel and a single normal, by their formulas."""
    x = np.random.default_rng(0).normal(size=(300, 2)) * (1, 3)
    model = genmod.kde(x, bandwidth=0.5, valid=0, seed=1)
    away = (x[:5, None] - x[None]) / 0.5
    kernels = np.exp(-(away ** 2).sum(2) / 2) / (2 * np.pi * 0.5 ** 2)
    check(np.allclose(model.log_prob(x[:5]), np.log(kernels.mean(1)), rtol=1e-5), "a kernel's sum")
    model = genmod.mixture(x, components=1, covariance="diagonal", seed=1, valid=0)
    z = (x[:5] - x.mean(0)) / x.std(0)
    normal = -(z ** 2).sum(1) / 2 - np.log(2 * np.pi * x.std(0).prod())
    check(np.allclose(model.log_prob(x[:5]), normal, rtol=1e-9), "a normal's density")
    logp, lower, upper = model.log_prob_bounds(x[:5])
    check((lower <= logp).all() and (logp <= upper).all(), "bounds")
    names = [p for p in inspect.signature(genmod.kde).parameters]
    check("transform" in names and "lr" not in names, "keywords of kde")


def given_others():
    """Two normal columns of correlation 0.8, in one component: by the formulas of regression."""
    x = np.random.default_rng(1).normal(size=(2000, 2)) @ [[1, 0.8], [0, 0.6]]
    model = genmod.mixture(x, components=1, seed=1, valid=0)
    mean, cov = x.mean(0), np.cov(x.T, bias=True)
    slope = cov[0, 1] / cov[0, 0]
    there = mean[1] + slope * (1.5 - mean[0])
    spread = np.sqrt(cov[1, 1] - slope * cov[0, 1])
    filled = model.impute([[1.5, np.nan], [0.25, 0.5]], how="mean")
    check(np.allclose(filled, [[1.5, there], [0.25, 0.5]], rtol=1e-6), "a mean given a column")
    drawn = model.sample_given(4000, [1.5, np.nan], seed=1)
    check((drawn[:, 0] == 1.5).all(), "what is given stays")
    check(abs(drawn[:, 1].mean() - there) < 0.05, "draws given a column")
    row = [[1.5, 1.0]]
    normal = -((1 - there) / spread) ** 2 / 2 - np.log(spread * np.sqrt(2 * np.pi))
    check(np.allclose(model.log_prob_given(row, [1, 0]), normal, rtol=1e-6), "log p given a column")
    p, error = model.range_prob([[mean[0], -np.inf]], [[np.inf, np.inf]], seed=1)
    check(abs(p[0] - 0.5) < 1e-9 and error[0] == 0, "half of the rows lie above the mean")
    archive = model.compress(x)
    check(np.array_equal(model.decompress(archive), x), "decompress(compress(x)) is x")
    print(f"{x.nbytes} bytes of rows in {len(archive)}")


def moons():
    random = np.random.default_rng(0)
    angle = random.uniform(0, np.pi, 2000)
    side = random.integers(0, 2, 2000)
    x = np.stack([np.cos(angle) * (1 - 2 * side) + side,
                  np.sin(angle) * (1 - 2 * side) + side / 2], 1)
    x += 0.1 * random.normal(size=x.shape)
    model = genmod.flow(x[200:], seed=7, steps=400, hidden=(32, 32), lr=0.005)
    scores = model.log_prob(x[:200])
    print(f"two moons: {scores.mean():.3f} nats a row held out")
    check(scores.mean() > -1.2, "the mean log density of held-out moons")

    # Any strides, either float: read and written in place.
    flipped = np.asfortranarray(x[:200, ::-1])[:, ::-1]
    check(flipped.base is not None and np.array_equal(model.log_prob(flipped), scores), "strides")
    wide = np.full((10, 4), 7.5)
    model.sample(10, seed=3, out=wide[:, 1:3])
    check((wide[:, [0, 3]] == 7.5).all(), "what lies beside an output")
    check(np.array_equal(wide[:, 1:3], model.sample(10, seed=3)), "an output in place")

    # The gradient, against differences.
    _, grad = model.log_prob_gradient(x[:5], precision="f64")
    step = 1e-6 * np.eye(2)
    for j in range(2):
        there = model.log_prob(x[:5] + step[j], precision="f64")
        back = model.log_prob(x[:5] - step[j], precision="f64")
        check(np.allclose((there - back) / 2e-6, grad[:, j], rtol=1e-3, atol=1e-4), "the gradient")

    # One model, many threads; saved and loaded, the same bits.
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "moons.model")
        model.save(path)
        loaded = genmod.load(path)
    results = [None] * 4

    def ask(i):
        results[i] = loaded.log_prob(x[:200])

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check(all(np.array_equal(r, scores) for r in results), "scores of the loaded model")
    return x


def errors(x):
    keywords = inspect.signature(genmod.flow).parameters
    check(keywords["bins"].default == "8" and "lr" in keywords, "keywords from the tables")
    for wrong in ({"bins": 1}, {"bin": 8}, {"coupling": "maf"}):
        try:
            genmod.flow(x, seed=7, **wrong)
            check(False, f"{wrong} was taken")
        except genmod.Error as e:
            print(f"as it should be refused: {e.name}: {e}")

    def stop(report):
        raise KeyError("raised in a callback")

    try:
        genmod.flow(x, seed=7, progress=stop)
        check(False, "an exception was lost")
    except KeyError:
        pass


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    digits(sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "../data/digits.csv"))
    one_piece()
    given_others()
    errors(moons())
    check(len(genmod._borrowed) == 0, "an array is still borrowed")


if __name__ == "__main__":
    main()
