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
    errors(moons())
    check(len(genmod._borrowed) == 0, "an array is still borrowed")


if __name__ == "__main__":
    main()
