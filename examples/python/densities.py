"""What a fitted density is good for: columns given others, odd rows, judging, few bytes, kernels,
draws from a posterior, and a ladder of families. Where there is a formula, it is held against it.

    GENMOD_LIBRARY=build/libgenmod.so.0 python3 examples/python/densities.py
"""
import inspect
import math
import os
import sys
import tempfile

import numpy as np

import genmod


def check(right, what):
    if not right:
        sys.exit(f"wrong: {what}")


def close(a, b, rtol=1e-6):
    return np.allclose(a, b, rtol=rtol, atol=1e-9)


def two_normals(n, seed):
    """Columns of correlation 0.8."""
    return np.random.default_rng(seed).normal(size=(n, 2)) @ [[1, 0.8], [0, 0.6]]


def normal_cdf(z):
    return math.erfc(-z / math.sqrt(2)) / 2


def given_others(x):
    """One component is one normal distribution: by the formulas of regression."""
    model = genmod.mixture(x, components=1, seed=1, valid=0)
    mean, cov = x.mean(0), np.cov(x.T, bias=True)
    slope = cov[0, 1] / cov[0, 0]
    there = mean[1] + slope * (1.5 - mean[0])
    spread = np.sqrt(cov[1, 1] - slope * cov[0, 1])
    filled = model.impute([[1.5, np.nan], [0.25, 0.5]], how="mean")
    check(close(filled, [[1.5, there], [0.25, 0.5]]), "a mean given a column")
    drawn = model.sample_given(4000, [1.5, np.nan], seed=1)
    check((drawn[:, 0] == 1.5).all(), "what is given stays")
    check(abs(drawn[:, 1].mean() - there) < 0.05, "draws given a column")
    row, z = [[1.5, 1.0]], (1 - there) / spread
    logp = -z * z / 2 - np.log(spread * np.sqrt(2 * np.pi))
    check(close(model.log_prob_given(row, [1, 0]), logp), "log p given a column")
    below, above = model.cdf(1, 1.0, row, [1, 0])
    check(close([below[0], above[0]], [normal_cdf(z), normal_cdf(-z)]), "a law's distribution")
    check(close(model.quantile(1, [0.5, normal_cdf(z)], np.repeat(row, 2, 0), [1, 0]), [there, 1]),
          "quantiles given a column")
    check(close(model.quantile(0, 0.5), mean[0]), "a median")
    p, error = model.range_prob([[mean[0], -np.inf]], [[np.inf, np.inf]], seed=1)
    check(abs(p[0] - 0.5) < 1e-9 and error[0] == 0, "half of the rows lie above the mean")
    archive = model.compress(x)
    check(np.array_equal(model.decompress(archive), x), "decompress(compress(x)) is x")
    text = b"1.5,2\n-0.25,1\n0.75,0.5\n1,1\n"
    archive_of_text = model.compress_text(text, csv={"header": "no"})
    check(model.decompress_text(archive_of_text) == text, "a text, to the byte")
    print(f"{x.nbytes} bytes of rows in {len(archive)}; given 1.5, {there:.3f} +- {spread:.3f}")
    return model


def judging(model, train, test):
    apart = genmod.mixture(train, components=1, covariance="diagonal", seed=1, valid=0)
    z = (test - train.mean(0)) / train.std(0)
    logp = -(z ** 2).sum(1) / 2 - np.log(2 * np.pi * train.std(0).prod())
    check(close(apart.log_prob(test), logp), "a normal's density")
    told = genmod.compare(model, apart, test, seed=1)
    check(close(told.logp_b, logp) and close(told.logp_a, model.log_prob(test)), "rows compared")
    check(abs(told.difference - 0.511) < 4 * told.error, "the worth of a correlation")
    print(f"a correlation of 0.8 is worth {told.difference:.3f} +- {told.error:.3f} nats a row")
    found = model.calibrate(test, seed=1)
    check(found.distance[found.worst_column] == found.worst_distance and found.worst_chance > 0.01
          and abs(found.pit.mean() - 0.5) < 0.05 and len(found.level) == 5, "calibration")
    found = model.self_check(seed=1)
    check(abs(found.integral - 1) < 5 * found.integral_error + 1e-6, "a density's integral")


def odd_rows(train):
    model = genmod.fit_anomaly("mixture", train, components=1, seed=1)
    rows = np.array([[0.0, 0], [2, -2]])  # each value of the second row is usual, the pair is not
    score, p_value = model.anomaly(rows)
    check(score[1] > score[0] and p_value[0] > 0.5 and p_value[1] < 0.01, "oddness")
    check(close(model.anomaly(rows, rows)[1], [1, 2 / 3]), "p-values by other rows")
    blame = model.blame(rows, seed=1)
    check((blame[0] < 0.1).all() and (blame[1] > 5).all(), "which cells are to blame")
    print(f"(2, -2): p-value {p_value[1]:.3f}, {blame[1, 0]:.1f} nats to blame on each column")


def kernels(x):
    model = genmod.kde(x, bandwidth=0.5, valid=0, seed=1)
    away = (x[:5, None] - x[None]) / 0.5
    density = np.log((np.exp(-(away ** 2).sum(2) / 2) / (2 * np.pi * 0.5 ** 2)).mean(1))
    logp, lower, upper = model.log_prob_bounds(x[:5])
    check(close(logp, density, 1e-5) and close(model.log_prob(x[:5]), logp), "a kernel's sum")
    check((lower <= logp).all() and (logp <= upper).all(), "bounds")
    check((model.above(x[:5], density.mean()) == np.sign(density - density.mean())).all(),
          "thresholds")
    heaps = genmod.kde([[-5.1], [-4.9], [4.9], [5.1]], bandwidth=1, valid=0, seed=1)
    places, mode = heaps.modes([[-4.0], [6]])
    check(close(places, [[-5], [5]], 1e-3) and list(mode) == [0, 1], "two heaps have two modes")
    more = heaps.add([[0.0], [1]])
    check(more.row_count == 6 and more.forget([5, 4]).row_count == 4, "rows that come and go")
    check(close(more.forget([4, 5]).log_prob([[1.0]]), heaps.log_prob([[1.0]])), "what is left")
    names = list(inspect.signature(genmod.kde).parameters)
    check("transform" in names and "lr" not in names, "keywords of kde")


def posterior(model, x):
    """A fitted density as prior, one measurement of the second column as likelihood."""
    prior = genmod.Density(model)
    logp, grad = prior(x[0])
    there = model.log_prob_gradient(x[:1])
    check(close(logp, there[0]) and close(grad, there[1][0]), "a density as a function")
    measured, noise = 2, 0.5

    def density(p):
        logp, grad = prior(p)
        z = (p[1] - measured) / noise
        return logp - z * z / 2, grad - [0, z / noise]

    run = genmod.nuts(density, 200, chains=2, dim=2, seed=1, warmup=200)
    _, second = genmod.summarise(run.draws)
    weights = 1 / x[:, 1].var(), 1 / noise ** 2
    mean = np.average([x[:, 1].mean(), measured], weights=weights)
    check(second.rhat < 1.05 and abs(second.mean - mean) < 5 * second.mean_error
          and run.divergences == 0, "the posterior mean")
    check(close(run.logp[1, 3], density(run.draws[1, 3])[0]) and (run.metric > 0).all()
          and (run.step_size > 0).all(), "what a run tells")
    print(f"posterior mean of a measurement of 2: {second.mean:.3f}, by formula {mean:.3f}")
    run = genmod.nuts(prior, 10, chains=1, start=[[0, 0]], seed=1, warmup=50)
    check(close(run.logp[0], model.log_prob(run.draws[0])), "draws from the prior itself")
    try:
        genmod.nuts(lambda p: p[7], 1, dim=1, seed=1)
        check(False, "an exception was lost")
    except IndexError:
        pass


def ladder(train, test):
    heard = []
    model, tried = genmod.fit_auto(train, seed=1, seconds=1, rungs="gaussian,copula", valid_rows=test,
                                   tried=lambda row: heard.append(row.rung))
    check(heard == ["gaussian", "copula"] and [row.rung for row in tried] == heard, "the ladder")
    check(tried[0].rows == len(train), "all rows but those to choose by were learned")
    check(tried[0].chosen and model.family == tried[0].family and tried[0].mean > tried[1].mean,
          "normal rows are one normal distribution")
    print(f"the best is {tried[0].rung}: {tried[0].mean:.3f} nats a row")


def tables():
    """Columns of a file, codes, and fits that go on; what the module says of itself."""
    genmod.settings(threads=1)
    check(genmod.options("adam")[0].name == "lr" and "flow" in genmod.families(), "tables")
    rows = np.random.default_rng(0).integers(0, 24, size=(60, 2)).astype(float)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "hours.csv")
        genmod.Dataset(rows).save(path)
        data = genmod.Dataset(path, header="yes")
    check(np.array_equal(data.array(), rows) and data.columns[1].name == b"x2", "a file's rows")
    hours = data.with_type("x2", genmod.CIRCULAR, 24)
    check(hours.columns[1].period == 24, "an angle")
    given = data.with_role("x1", genmod.CONDITION)
    flow = genmod.flow(given, seed=1, steps=2, valid_rows=given)
    check(close(flow.log_prob(given, seed=1), flow.log_prob(rows[:, 1:], rows[:, :1], seed=1)),
          "conditions")
    again = genmod.flow(given, seed=1, steps=1, init=flow)
    check(again.describe()["family"] == "flow", "a fit that goes on")
    vae = genmod.vae(data, seed=1, steps=2, code=1, hidden=[4])
    check(vae.encode(rows).shape == (60, 1), "codes")
    check(np.array_equal(vae.reconstruct(rows), vae.decode(vae.encode(rows))), "there and back")
    logp, error = vae.log_prob_error(rows, seed=1, draws=3)
    check(np.isfinite(logp).all() and (error > 0).all(), "log p with its error")


def main():
    train, test = two_normals(1500, 1), two_normals(500, 2)
    model = given_others(train)
    judging(model, train, test)
    odd_rows(train)
    kernels(train[:300])
    posterior(model, train)
    ladder(train, test)
    tables()


if __name__ == "__main__":
    main()
