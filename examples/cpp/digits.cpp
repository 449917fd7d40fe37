// Learns the handwritten digits of examples/data/digits.csv, scores digits that it has not seen,
// and draws a few of its own.
//
//     c++ -std=c++17 digits.cpp $(pkg-config --cflags --libs genmod) && ./a.out [digits.csv]
#include <genmod/genmod.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <thread>

static void check(bool right, const char *what)
{
    if (!right) {
        std::fprintf(stderr, "wrong: %s\n", what);
        std::exit(1);
    }
}

static double mean(const std::vector<double> &x)
{
    double sum = 0;
    for (double v : x)
        sum += v;
    return sum / double(x.size());
}

static void draw(const genmod::matrix<float> &digits)
{
    const char *ink = " .:-=+*#%@"; // a flow knows no edge: a drawn pixel may pass 0 or 16
    for (int y = 0; y < 8; y++) {
        for (std::int64_t i = 0; i < digits.n; i++) {
            for (int x = 0; x < 8; x++)
                std::putchar(ink[int(std::clamp(digits[i][8 * y + x], 0.0f, 16.0f) * 9 / 16)]);
            std::fputs("   ", stdout);
        }
        std::putchar('\n');
    }
}

static void run(const char *path)
{
    genmod::pool workers(2);
    genmod::context ctx(workers);
    ctx.set("threads", 2);

    // A label is kept beside the rows; the pixels are whole numbers and are found to be.
    genmod::dataset all = genmod::dataset::from_csv(ctx, path);
    all = all.with_role(ctx, all.find_column("label"), GM_ROLE_LABEL);
    auto parts = all.split(ctx, 0.1, 1);
    const genmod::dataset &train = parts.first, &test = parts.second;
    check(all.columns() == 65 && train.rows() + test.rows() == all.rows(), "the split");

    genmod::options how(
        ctx,
        {{"seed", 7}, {"steps", 150}, {"coupling", "realnvp"}, {"hidden", {64}}, {"valid", 0}});
    genmod::optimizer adam(ctx, "adam", {ctx, {{"lr", 0.003}}});
    genmod::fit_extras extras;
    int reports = 0;
    extras.rule = &adam;
    extras.progress = [&](const gm_progress &) { return ++reports > 0; };
    genmod::model flow = genmod::fit(ctx, "flow", train, how, extras);
    check(reports > 0 && flow.columns() == 64 && flow.can(GM_CAN_SAMPLE | GM_CAN_LOG_PROB),
          "the fit");

    // Rows of whole numbers have a probability, of which a flow gives a bound: it draws.
    genmod::options call(ctx, {{"seed", 1}});
    std::vector<double> logp = flow.log_prob(ctx, test, call);
    double held_out = mean(logp), even = -64 * std::log(17.0);
    std::printf("held out: %.1f nats a digit (all pixels even: %.1f)\n", held_out, even);
    check(held_out > even + 30, "the mean log probability of held-out digits");

    genmod::matrix<float> drawn = flow.sample<float>(ctx, 8, call);
    for (float v : drawn.values)
        check(v == std::floor(v), "a drawn pixel is no whole number");
    draw(drawn);

    // The same bits on another thread, by a copy that went through a file.
    std::string file = flow.save(ctx);
    std::vector<double> again;
    std::thread other([&] {
        genmod::context mine;
        genmod::model loaded = genmod::model::load(mine, file.data(), std::int64_t(file.size()));
        again = loaded.log_prob(mine, test, genmod::options(mine, {{"seed", 1}}));
    });
    other.join();
    check(again == logp, "scores of the loaded model");
    genmod::matrix<float> codes = flow.encode<float>(ctx, drawn);
    check(flow.decode<float>(ctx, codes).values == drawn.values, "decode(encode(x)) is x");

    // Few bytes, a column given another, and which of two models is better.
    genmod::model ties = genmod::fit(ctx, "copula", train, genmod::options(ctx, {{"seed", 7}}));
    std::string archive = genmod::compress(ctx, ties, test);
    check(genmod::decompress(ctx, ties, archive).rows() == test.rows(), "the rows of an archive");
    std::printf("%lld digits in %zu bytes\n", (long long)test.rows(), archive.size());
    genmod::matrix<double> half = ties.sample<double>(ctx, 1, call);
    for (std::size_t j = 32; j < 64; j++)
        half.values[j] = NAN;
    genmod::matrix<double> whole = genmod::sample_given(ctx, ties, 3, half, call);
    check(whole.values[0] == half.values[0] && whole.values[64 + 40] >= 0, "halves of digits");
    check(std::isfinite(genmod::compare(ctx, flow, ties, test, call).difference), "a comparison");

    try {
        genmod::fit(ctx, "flow", train, {ctx, {{"seed", 7}, {"bins", 1}}});
        check(false, "a wrong option was taken");
    } catch (const genmod::error &e) {
        check(e.code() == GM_E_RANGE, "the code of a wrong option");
        std::printf("as it should be refused: %s\n", e.what());
    }
}

int main(int argc, char **argv)
{
    try {
        run(argc > 1 ? argv[1] : "examples/data/digits.csv");
    } catch (const std::exception &e) {
        std::fprintf(stderr, "%s\n", e.what());
        return 1;
    }
    return 0;
}
