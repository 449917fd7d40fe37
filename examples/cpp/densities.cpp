// What a fitted density is good for: columns given others, odd rows, judging, few bytes, kernels,
// draws from a posterior, and a ladder of families. Two normal columns of correlation 0.8, so that
// every answer is known by formula.
//
//     c++ -std=c++17 densities.cpp $(pkg-config --cflags --libs genmod) && ./a.out
#include <genmod/genmod.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>

using genmod::context;
using genmod::dataset;
using genmod::matrix;
using genmod::model;
using genmod::options;

static void check(bool right, const char *what)
{
    if (!right) {
        std::fprintf(stderr, "wrong: %s\n", what);
        std::exit(1);
    }
}

static bool near(double a, double b, double within) { return std::abs(a - b) <= within; }

static const double nothing = NAN, end = INFINITY;

static matrix<double> two_normals(std::int64_t n, std::uint32_t seed)
{
    matrix<double> x(n, 2);
    std::mt19937 bits(seed);
    for (std::int64_t i = 0; i < n; i++) {
        double radius = std::sqrt(-2 * std::log((bits() + 0.5) / 4294967296.0));
        double angle = 2 * M_PI * bits() / 4294967296.0;
        x[i][0] = radius * std::cos(angle);
        x[i][1] = 0.8 * x[i][0] + 0.6 * radius * std::sin(angle);
    }
    return x;
}

// What a single normal distribution learns of such rows: by the formulas of regression.
struct regression {
    double mean[2] = {0, 0}, deviation, slope, spread;

    explicit regression(const matrix<double> &x)
    {
        double xx = 0, xy = 0, yy = 0;
        for (std::int64_t i = 0; i < x.n; i++)
            for (int j = 0; j < 2; j++)
                mean[j] += x[i][j] / double(x.n);
        for (std::int64_t i = 0; i < x.n; i++) {
            double a = x[i][0] - mean[0], b = x[i][1] - mean[1];
            xx += a * a / double(x.n);
            xy += a * b / double(x.n);
            yy += b * b / double(x.n);
        }
        deviation = std::sqrt(xx);
        slope = xy / xx;
        spread = std::sqrt(yy - slope * xy);
    }
    double second(double first) const { return mean[1] + slope * (first - mean[0]); }
};

static double log_normal(double x, double mean, double deviation)
{
    double z = (x - mean) / deviation;
    return -z * z / 2 - std::log(deviation * std::sqrt(2 * M_PI));
}

// P(X <= mean + z deviations).
static double normal_cdf(double z) { return std::erfc(-z / std::sqrt(2.0)) / 2; }

static void columns_given_others(context &ctx, const model &m, const regression &r)
{
    options none, seed(ctx, {{"seed", 1}}), mean(ctx, {{"how", "mean"}});
    double there = r.second(1.5);
    matrix<double> x(2, 2);
    x.values = {1.5, 1.0, -1.0, 0.25};
    gm_array rows = x;
    const genmod::mask first = {1, 0};
    genmod::others given{&rows, first};

    // The law of the second column given the first: density, distribution function, quantiles.
    auto logp = genmod::log_prob_given(ctx, m, x, first);
    check(near(logp[0], log_normal(1, there, r.spread), 1e-6), "log p given a column");
    double z = (1 - there) / r.spread, z2 = (0.25 - r.second(-1)) / r.spread;
    auto tails = genmod::cdf(ctx, m, 1, {1.0, 0.25}, given);
    check(near(tails.below[0], normal_cdf(z), 1e-7) && near(tails.above[1], normal_cdf(-z2), 1e-7),
          "the distribution given a column");
    auto middle = genmod::quantile(ctx, m, 1, {0.5, normal_cdf(z2)}, given);
    check(near(middle[0], there, 1e-6) && near(middle[1], 0.25, 1e-6), "quantiles given a column");
    check(near(genmod::quantile(ctx, m, 0, {0.5})[0], r.mean[0], 1e-6), "a median");
    std::printf("given 1.5 the second column is %.3f +- %.3f\n", middle[0], r.spread);

    // The same law by a handle, for many questions.
    genmod::conditional law(ctx, m);
    check(law.any_order() && law.order().size() == 2, "the order of the columns");
    law.set(ctx, x, first, 1);
    check(law.log_prob(ctx, 0, {1.0}) == std::vector<double>{logp[0]}, "a law's density");
    check(law.cdf(ctx, 1, {0.25}).above[0] == tails.above[1], "a law's distribution");
    check(law.quantile(ctx, 0, {0.5})[0] == middle[0], "a law's quantile");
    law.set(ctx, x, {0, 0}, 0); // column by column: the first, then the second given its values
    check(near(law.quantile(ctx, 0, {0.5})[0], r.mean[0], 1e-6), "a law of nothing known");
    law.next(ctx, {1.5, -1.0}, 1);
    check(near(law.quantile(ctx, 0, {0.5})[0], there, 1e-6), "a law of a column that was walked");

    // Cells filled in, rows with a column given, and the probability of a box.
    matrix<double> holes = x;
    holes.values[1] = nothing;
    auto filled = genmod::impute(ctx, m, holes, mean);
    check(near(filled[0][1], there, 1e-6) && filled[1][1] == 0.25, "a mean filled in");
    gm_column named = {};
    named.type = GM_COLUMN_REAL;
    dataset table = dataset::from_columns(ctx, {named, named}, {}, holes);
    check(genmod::impute(ctx, m, table, mean).read(ctx).values == filled.values, "a filled table");
    matrix<double> row(1, 2);
    row.values = {1.5, nothing};
    double sum = 0;
    auto drawn = genmod::sample_given(ctx, m, 2000, row, seed);
    for (std::int64_t i = 0; i < drawn.n; i++) {
        check(drawn[i][0] == 1.5, "what is given stays");
        sum += drawn[i][1];
    }
    check(near(sum / 2000, there, 0.1), "draws given a column");
    matrix<double> low(1, 2), high(1, 2);
    low.values = {r.mean[0] - r.deviation, -end};
    high.values = {r.mean[0] + r.deviation, end};
    auto box = genmod::range_prob(ctx, m, low, high, seed);
    check(near(box.p[0], 0.6826894921, 1e-7) && box.error[0] == 0, "a deviation about the mean");
}

static void judging(context &ctx, const model &m, const dataset &train, const dataset &test)
{
    options seed(ctx, {{"seed", 1}});
    model apart = genmod::fit(ctx, "mixture", train,
                              {ctx, {{"seed", 1}, {"components", 1}, {"covariance", "diagonal"}}});
    std::vector<double> logp;
    gm_comparison told = genmod::compare(ctx, m, apart, test, seed, &logp);
    check(logp == m.log_prob(ctx, test), "log p of rows that are compared");
    // What the columns say of each other: -log(1 - 0.8^2) / 2.
    check(near(told.difference, 0.511, 4 * told.error), "the worth of a correlation");
    std::printf("a correlation of 0.8 is worth %.3f +- %.3f nats a row\n", told.difference,
                told.error);

    std::vector<double> distance;
    matrix<double> pit;
    gm_calibration found = genmod::calibrate(ctx, m, test, seed, &distance, &pit);
    check(found.columns == 2 && distance[found.worst_column] == found.worst_distance &&
              found.worst_chance > 0.01 && pit.n == test.rows(),
          "a model of the right kind is calibrated");
    gm_self_checked self = genmod::self_check(ctx, m, seed);
    check(near(self.integral, 1, 5 * self.integral_error + 1e-6), "a density's integral");
}

static void odd_rows(context &ctx, const dataset &train)
{
    options how(ctx, {{"seed", 1}, {"components", 1}});
    model m = genmod::fit_anomaly(ctx, "mixture", train, how);
    matrix<double> x(2, 2);
    x.values = {0, 0, 2, -2}; // each value of the second row is usual, the pair is not
    dataset rows = dataset::borrow(ctx, x);
    auto odd = genmod::anomaly(ctx, m, rows);
    check(odd.p_value[0] > 0.5 && odd.p_value[1] < 0.01 && odd.score[1] > odd.score[0], "oddness");
    check(genmod::anomaly(ctx, m, rows, {}, &rows).p_value == std::vector<double>({1, 2 / 3.0}),
          "p-values by other rows");
    auto blame = genmod::blame(ctx, m, rows, options(ctx, {{"seed", 1}}));
    check(blame[0][0] < 0.1 && blame[1][0] > 5 && blame[1][1] > 5, "which cells are to blame");
    std::printf("(2, -2): p-value %.3f, %.1f nats to blame on each column\n", odd.p_value[1],
                blame[1][0]);
}

static void few_bytes(context &ctx, const model &m, const dataset &rows)
{
    std::string archive = genmod::compress(ctx, m, rows), again;
    gm_compression told;
    genmod::compress(
        ctx, m, rows,
        [&](const void *bytes, std::int64_t size) {
            again.append(static_cast<const char *>(bytes), std::size_t(size));
            return true;
        },
        {}, &told);
    check(again == archive && told.bytes == std::int64_t(archive.size()), "an archive in pieces");
    auto x = rows.read(ctx).values;
    check(genmod::decompress(ctx, m, archive).read(ctx).values == x, "decompress(compress(x))");
    auto from = genmod::bytes_at(archive.data(), std::int64_t(archive.size()));
    check(genmod::decompress(ctx, m, from).read(ctx).values == x, "an archive from a source");
    std::string text = "1.5,2\n-0.25,1\n0.75,0.5\n1,1\n";
    std::string kept = genmod::compress_text(ctx, m, text);
    check(genmod::decompress_text(ctx, m, kept) == text, "a text, to the byte");
    std::printf("%lld bytes of rows in %zu\n", (long long)(x.size() * 8), archive.size());
}

static void kernels(context &ctx)
{
    // Kernels of width 1 on two heaps of two rows.
    matrix<double> x(4, 1), at(2, 1);
    x.values = {-5.1, -4.9, 4.9, 5.1};
    at.values = {-4, 6};
    dataset rows = dataset::borrow(ctx, x), asked = dataset::borrow(ctx, at);
    model m = genmod::fit(ctx, "kde", rows,
                          {ctx, {{"seed", 1}, {"bandwidth", "1"}, {"valid", 0}}});
    auto b = m.log_prob_bounds(ctx, at), of_rows = m.log_prob_bounds(ctx, asked);
    double p = (std::exp(log_normal(1.1, 0, 1)) + std::exp(log_normal(0.9, 0, 1))) / 4;
    check(near(b.logp[0], std::log(p), 1e-6) && b.lower[0] <= b.logp[0] &&
              b.upper[0] >= b.logp[0] && of_rows.logp == b.logp,
          "a kernel's sum, and its bounds");
    double level = std::log(p);
    const std::vector<std::int8_t> up = {1, 1}, down = {-1, -1};
    check(genmod::kde_above(ctx, m, at, level - 0.1) == up &&
              genmod::kde_above(ctx, m, asked, level + 0.1) == down,
          "thresholds");
    auto top = genmod::kde_modes(ctx, m, at);
    check(top.modes == 2 && top.mode == std::vector<std::int64_t>({0, 1}) &&
              near(top.places[0][0], -5, 1e-3) && near(top.places[1][0], 5, 1e-3),
          "two heaps have two modes");
    check(genmod::kde_modes(ctx, m, asked).places.read(ctx).values == top.places.values,
          "modes of a table");
    model more = genmod::kde_add(ctx, m, asked), less = genmod::kde_forget(ctx, more, {5, 4});
    check(genmod::kde_rows(more) == 6 && genmod::kde_rows(less) == 4 &&
              less.log_prob(ctx, at) == m.log_prob(ctx, at),
          "rows that come and go");
}

static void posterior(context &ctx, const model &m, const regression &r)
{
    // A fitted density as prior, one measurement of the second column as likelihood: what comes of
    // it is normal. All chains start where they like, and agree.
    genmod::density_function prior(ctx, m);
    double at[2] = {0.5, -0.5}, grad[2];
    matrix<double> x(1, 2);
    x.values = {0.5, -0.5};
    check(prior.dim() == 2 && near(prior(at, grad), m.log_prob(ctx, x)[0], 1e-9), "a prior");
    check(m.log_prob_gradient(ctx, x).values == std::vector<double>({grad[0], grad[1]}),
          "its gradient");
    options how(ctx, {{"seed", 1}, {"warmup", 300}});
    const double measured = 2, noise = 0.5;
    auto density = [&](const double *p, double *g) {
        double logp = prior(p, g), z = (p[1] - measured) / noise;
        if (g)
            g[1] -= z / noise;
        return logp - z * z / 2;
    };
    auto run = genmod::nuts(ctx, 2, density, 4, 500, how);
    auto second = genmod::summarise(ctx, run, 1);
    double variance = r.slope * r.slope * r.deviation * r.deviation + r.spread * r.spread;
    double mean = (r.mean[1] / variance + measured / (noise * noise)) /
                  (1 / variance + 1 / (noise * noise));
    check(second.rhat < 1.02 && second.ess_bulk > 400 && run.told.divergences == 0 &&
              near(second.mean, mean, 5 * second.mean_error),
          "the posterior mean");
    check(near(run.logp[0], density(run.at(0, 0), nullptr), 1e-9) && run.step_size[3] > 0 &&
              run.metric[3][1] > 0,
          "what a run tells");
    std::printf("posterior of a measurement of 2: %.3f, by formula %.3f; R-hat %.4f\n", second.mean,
                mean, second.rhat);

    auto of_prior = genmod::nuts(ctx, prior.target(), 1, 10, how, {0, 0});
    check(m.log_prob(ctx, of_prior)[9] == of_prior.logp[9], "draws from the prior itself");
    try {
        genmod::nuts(ctx, 1, [](const double *, double *) -> double { throw 7; }, 1, 1, how);
        check(false, "an exception was lost");
    } catch (int thrown) {
        check(thrown == 7, "what the density threw");
    }
}

static void ladder(context &ctx, const dataset &train, const dataset &test)
{
    options how(ctx, {{"seed", 1}, {"seconds", 1}, {"rungs", "gaussian,copula"}});
    int heard = 0;
    auto hear = [&](const gm_auto_row &) { return ++heard > 0; };
    auto found = genmod::fit_auto(ctx, train, how, hear, {}, &test);
    check(heard == 2 && found.report.count() == 2, "two families were tried");
    gm_auto_row row = found.report.row(ctx, 0), other = found.report.row(ctx, 1);
    check(std::string(row.rung) == "gaussian" && row.chosen == 1 && row.mean > other.mean &&
              row.rows == train.rows() &&
              found.best.family() == std::string(row.family),
          "normal rows are one normal distribution");
    std::printf("the best is %s: %.3f nats a row\n", row.rung, row.mean);
}

int main()
{
    try {
        context ctx;
        matrix<double> x = two_normals(2000, 1), y = two_normals(500, 2);
        dataset train = dataset::borrow(ctx, x), test = dataset::copy(ctx, y);
        options how(ctx, {{"seed", 1}, {"components", 1}, {"valid", 0}});
        model m = genmod::fit(ctx, "mixture", train, how);
        regression r(x);
        columns_given_others(ctx, m, r);
        judging(ctx, m, train, test);
        odd_rows(ctx, train);
        few_bytes(ctx, m, test);
        kernels(ctx);
        posterior(ctx, m, r);
        ladder(ctx, train, test);
    } catch (const std::exception &e) {
        std::fprintf(stderr, "%s\n", e.what());
        return 1;
    }
    return 0;
}
