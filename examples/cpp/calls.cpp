// The other calls of genmod.hpp, each once with what must come of it: contexts and options, data
// from memory, sources and files, models in and out, trainers step by step, what failures throw.
//
//     c++ -std=c++17 calls.cpp $(pkg-config --cflags --libs genmod) && ./a.out
#include <genmod/genmod.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>

using namespace genmod;

static void check(bool right, const char *what)
{
    if (!right) {
        std::fprintf(stderr, "wrong: %s\n", what);
        std::exit(1);
    }
}

static bool same(const char *a, const char *b) { return std::string(a) == b; }
using reals = std::vector<double>;
using wholes = std::vector<std::int64_t>;

static byte_sink into(std::string &all)
{
    return [&all](const void *bytes, std::int64_t size) {
        all.append(static_cast<const char *>(bytes), std::size_t(size));
        return true;
    };
}
static byte_source out_of(const std::string &all)
{
    return bytes_at(all.data(), std::int64_t(all.size()));
}

static std::string scratch(const char *name)
{
    const char *folder = std::getenv("TMPDIR");
    return std::string(folder ? folder : "/tmp") + "/" + name;
}

template <class Call> static bool fails(gm_status code, Call call)
{
    try {
        call();
    } catch (const error &e) {
        return e.code() == code && e.what()[0];
    }
    return false;
}

static void contexts()
{
    cancel stop;
    gm_context_config c = context::config();
    c.cancel = stop.get();
    context ctx(c);
    ctx.set("kernels", "base");
    check(ctx.get_text("kernels") == "base", "a setting of a context");
    ctx.trim();
    matrix<double> x(20, 1);
    dataset rows = dataset::copy(ctx, x);
    stop.trip();
    check(stop.tripped() && fails(GM_E_CANCELLED, [&] {
              fit(ctx, "flow", rows, {ctx, {{"seed", 1}, {"steps", 1}}});
          }),
          "a tripped token");
    stop.reset();
    check(!stop.tripped() && pool(2).threads() == 2, "a token and a pool");

    options how(ctx, {{"hidden", {3, 4}}, {"flag", true}, {"word", std::string("b")}});
    how.set(ctx, {"real", 0.5});
    check(how.get_text(ctx, "hidden") == "3,4" && how.get_text(ctx, "flag") == "true" &&
              how.get_text(ctx, "word") == "b" && how.get_text(ctx, "real") == "0.5",
          "options as text");
    how.unset(ctx, "real");
    check(fails(GM_E_UNKNOWN, [&] { how.get_text(ctx, "real"); }), "an option that is gone");

    bool listed = false;
    for (const gm_family_info &f : families(ctx))
        listed = listed || same(f.name, "flow");
    check(listed && find_family(ctx, "kde").direct == 1 &&
              fails(GM_E_UNKNOWN, [&] { find_family(ctx, "flows"); }),
          "families");
    check(same(option_table(ctx, "adam")[0].name, "lr"), "a table of options");
    check(fails(GM_E_SHAPE, [&] { ctx.fail(GM_E_SHAPE, "so"); }), "a failure of a view");
}

static void arrays(context &ctx)
{
    matrix<float> x(2, 2);
    x.values = {1, 2, 3, 4};
    const float *there = x.values.data();
    void *managed = to_dlpack(ctx, std::move(x));
    dlpack_array back(ctx, managed);
    gm_array a = back;
    check(a.data == there && a.shape[1] == 2, "rows given away and taken back, in place");
    dataset rows = dataset::copy(ctx, a);
    check(rows.read(ctx).values == reals({1, 2, 3, 4}), "rows of a tensor");
}

static double centred(std::int64_t k) { return (double(k) - 1.3) / 0.7; } // on no decimal grid

static dataset mixed(context &ctx)
{
    matrix<double> cells(40, 3);
    for (std::int64_t i = 0; i < 40; i++) {
        cells[i][0] = centred(i % 7);
        cells[i][1] = double(i % 3);
        cells[i][2] = double(i * i % 11);
    }
    std::vector<gm_column> columns(3);
    columns[0].type = GM_COLUMN_REAL;
    columns[0].name = "length";
    columns[1].type = GM_COLUMN_CATEGORY;
    columns[1].name = "colour";
    columns[1].categories = 3;
    columns[2].type = GM_COLUMN_REAL;
    columns[2].name = "size";
    check(fails(GM_E_SHAPE, [&] { dataset::from_columns(ctx, columns, {}, cells); }),
          "categories without names");
    return dataset::from_columns(ctx, columns, {{}, {"red", "green", "blue"}, {}}, cells);
}

static void datasets(context &ctx)
{
    dataset d = mixed(ctx);
    check(d.rows() == 40 && same(d.column(ctx, 2).name, "size") && same(d.category(1, 2), "blue") &&
              d.row_shape(ctx) == wholes({3}) && d.find_column("colour") == 1,
          "a dataset of columns");
    std::string csv, npy;
    d.write(ctx, into(csv), "csv");
    d.write(ctx, into(npy), "npy");
    check(csv.substr(0, 18) == "length,colour,size" &&
              dataset::from_bytes(ctx, out_of(npy), "npy").read(ctx).values == d.read(ctx).values,
          "a dataset through a sink and a source");
    check(dataset::from_bytes(ctx, out_of(csv), "csv", {ctx, {{"header", "yes"}}}).columns() == 3,
          "options of a source");
    check(d.take(ctx, {2, 0}).select(ctx, {2}).read(ctx).values == reals({4, 0}), "views");
    dataset turned = d.with_type(ctx, 2, GM_COLUMN_CIRCULAR, 24).with_role(ctx, 0, GM_ROLE_LABEL);
    check(turned.column(ctx, 2).period == 24 && turned.column(ctx, 0).role == GM_ROLE_LABEL,
          "types and roles");
    check(d.read(ctx, 3, 1).values == reals({d.read(ctx)[3][0], 0, 9}), "some rows");

    dataset counted = dataset::from_source(ctx, 5, 2, [](std::int64_t first, std::int64_t n,
                                                         double *out) {
        for (std::int64_t i = 0; i < 2 * n; i++)
            out[i] = double(2 * first + i);
        return true;
    });
    check(counted.read(ctx, 4, 1).values == reals({8, 9}), "a source of rows");
    try {
        dataset::from_source(ctx, 1, 1,
                             [](std::int64_t, std::int64_t, double *) -> bool { throw 3; });
        check(false, "an exception was lost");
    } catch (int thrown) {
        check(thrown == 3, "what the source threw");
    }
    check(fails(GM_E_IO, [&] {
              d.write(ctx, [](const void *, std::int64_t) { return false; }, "csv");
          }),
          "a sink that is full");

    std::string path = scratch("genmod-calls.npy");
    counted.save(ctx, path.c_str());
    check(dataset::from_npy(ctx, path.c_str()).read(ctx).values == counted.read(ctx).values &&
              dataset::from_file(ctx, path.c_str()).rows() == 5,
          "a file of an array");
    std::remove(path.c_str());
    path += ".idx";
    counted.save(ctx, path.c_str());
    check(dataset::from_idx(ctx, path.c_str()).rows() == 5, "a file of pictures");
    std::remove(path.c_str());
}

static void models(context &ctx)
{
    dataset d = mixed(ctx), real = d.select(ctx, {0, 2});
    options how(ctx, {{"seed", 1}, {"steps", 2}, {"hidden", {8}}, {"valid", 0}, {"code", 1}}),
        seed(ctx, {{"seed", 1}});
    model m = fit(ctx, "vae", d, how), copy = m;
    std::string bytes;
    copy.save(ctx, into(bytes));
    check(bytes == m.save(ctx), "a model through a sink");
    model loaded = model::load(ctx, out_of(bytes));
    check(same(loaded.family(), "vae") && loaded.columns() == 3 && loaded.codes() == 1 &&
              loaded.conditions() == 0 && loaded.parameters() > 10 &&
              loaded.log_prob_kind() == 2 && loaded.row_shape(ctx) == wholes({3}),
          "a model from a source");
    check(same(m.column(ctx, 0).name, "length") && same(m.category(1, 1), "green"), "its columns");
    std::string steps;
    for (const auto &used : m.options_used(ctx))
        if (same(used.first, "steps"))
            steps = used.second;
    check(steps == "2" && m.describe(ctx).find("\"vae\"") != std::string::npos, "its options");

    matrix<double> x = d.read(ctx), z = m.encode(ctx, x);
    check(m.encode(ctx, d).values == z.values && z.n == 40 && z.d == 1, "codes");
    check(m.decode_rows(ctx, z).read(ctx).values == m.decode(ctx, z).values, "rows of codes");
    check(m.reconstruct(ctx, d).read(ctx).values == m.reconstruct(ctx, x).values &&
              m.reconstruct(ctx, x).values == m.decode(ctx, z).values,
          "there and back");
    std::vector<double> logp;
    matrix<float> drawn = m.sample<float>(ctx, 4, seed);
    check(m.sample_rows(ctx, 4, seed).rows() == 4 && drawn.values.size() == 12, "rows drawn");
    auto told = m.log_prob_error(ctx, d, {ctx, {{"seed", 1}, {"draws", 3}}});
    check(told.error[0] > 0 && m.log_prob_error(ctx, x, {ctx, {{"seed", 1}, {"draws", 3}}}).logp ==
                                   told.logp,
          "log p with its error");

    // Of values that come again a model keeps the list; a density given a column has conditions.
    model bins = fit(ctx, "copula", real, {ctx, {{"seed", 1}, {"repeated", "bins"}, {"valid", 0}}});
    reals values;
    for (double v : bins.column_values(0))
        values.push_back(v);
    check(values.size() == 7 && values[1] == centred(1), "values that come again");
    dataset given = real.with_role(ctx, 0, GM_ROLE_CONDITION);
    model c = fit(ctx, "flow", given, {ctx, {{"seed", 1}, {"steps", 2}, {"valid", 0}}});
    matrix<double> cond = c.conditions_of(ctx, given), y = real.select(ctx, {1}).read(ctx);
    gm_array told_of = cond;
    check(c.conditions() == 1 && cond[1][0] == centred(1) &&
              c.log_prob(ctx, y, {}, &told_of) == c.log_prob(ctx, given) &&
              c.sample(ctx, 40, seed, &told_of, &logp).n == 40 && logp.size() == 40,
          "conditions");
    check(c.log_prob_gradient(ctx, y, {}, &told_of, &logp).n == 40 &&
              logp == c.log_prob(ctx, given),
          "log p beside its gradient");
    check(fails(GM_E_SHAPE,
                [&] {
                    conditional law(ctx, bins);
                    law.set(ctx, real.read(ctx), {0, 0}, 0);
                    law.next(ctx, {1}, 1);
                }),
          "values of fewer rows than were set");
    check(fails(GM_E_SHAPE, [&] { log_prob_given(ctx, bins, real.read(ctx), mask{1}); }),
          "a mask that is short");
}

static void training(context &ctx)
{
    matrix<double> x(50, 1);
    for (std::int64_t i = 0; i < 50; i++)
        x[i][0] = std::sin(double(i));
    dataset rows = dataset::borrow(ctx, x);
    auto parts = rows.split(ctx, 0.2, 1);
    options how(ctx, {{"seed", 1}, {"steps", 6}, {"layers", 1}, {"hidden", {4}}});
    optimizer rule(ctx, "sgd", {ctx, {{"lr", 0.5}, {"momentum", 0}}});
    double param[2] = {1, 2}, grad[2] = {1, -1};
    rule.step(ctx, 2, param, grad);
    check(same(rule.name(), "sgd") && param[0] == 0.5 && param[1] == 2.5, "a step of descent");

    fit_extras extras;
    extras.valid = &parts.second;
    trainer whole(ctx, "flow", parts.first, how, extras);
    whole.step(ctx, 3);
    std::string kept, path = scratch("genmod-calls.checkpoint");
    whole.checkpoint(ctx, into(kept));
    whole.checkpoint(ctx, path.c_str());
    trainer again = trainer::resume(ctx, "flow", parts.first, how, out_of(kept), extras);
    trainer third = trainer::resume(ctx, "flow", parts.first, how, path.c_str(), extras);
    std::remove(path.c_str());
    whole.step(ctx);
    again.step(ctx);
    third.step(ctx);
    check(whole.progress(ctx).done == 1 && again.progress(ctx).step == 6, "how a fit stands");
    double loss = whole.evaluate(ctx, parts.second), error = 0;
    check(again.evaluate(ctx, parts.second, &error) == loss && error > 0 &&
              third.evaluate(ctx, parts.second) == loss,
          "a fit that was resumed");
    model m = whole.get_model(ctx);
    extras.init = &m;
    model on = fit(ctx, "flow", parts.first, {ctx, {{"seed", 1}, {"steps", 1}}}, extras);
    check(on.parameters() == m.parameters(), "a fit that goes on");

    try {
        extras.progress = [](const gm_progress &) -> bool { throw 5; };
        fit(ctx, "flow", parts.first, how, extras);
        check(false, "an exception was lost");
    } catch (int thrown) {
        check(thrown == 5, "what the progress function threw");
    }
    check(fails(GM_E_CANCELLED, [&] {
              fit_auto(ctx, rows, {ctx, {{"seed", 1}, {"rungs", "flow"}, {"seconds", 0.2}}}, {},
                       [](const gm_progress &) { return false; });
          }),
          "a ladder that was stopped");
    check(fails(GM_E_SHAPE, [&] {
              nuts(ctx, 1, [](const double *, double *) { return 0.0; }, 2, 2,
                   {ctx, {{"seed", 1}}}, {0.5});
          }),
          "starts that are too few");

    // Chains side by side ask the density from several threads; what the first throws comes out.
    pool two(2);
    context wide(two);
    wide.set("threads", 2);
    auto normal = [](const double *at, double *slope) {
        if (slope)
            *slope = -*at;
        return -*at * *at / 2;
    };
    options once(wide, {{"seed", 1}, {"warmup", 50}}),
        together(wide, {{"seed", 1}, {"warmup", 50}, {"parallel", true}});
    check(nuts(wide, 1, normal, 2, 20, once).values ==
              nuts(wide, 1, normal, 2, 20, together).values,
          "chains side by side");
    try {
        nuts(wide, 1, [](const double *, double *) -> double { throw 9; }, 2, 20, together);
        check(false, "an exception of another thread was lost");
    } catch (int thrown) {
        check(thrown == 9, "what the density threw in another thread");
    }
}

int main()
{
    try {
        context ctx;
        contexts();
        arrays(ctx);
        datasets(ctx);
        models(ctx);
        training(ctx);
        std::printf("%s: all calls answered\n", gm_version());
    } catch (const std::exception &e) {
        std::fprintf(stderr, "%s\n", e.what());
        return 1;
    }
    return 0;
}
