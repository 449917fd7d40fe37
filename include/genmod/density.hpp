/* genmod/density.hpp: what densities are good for. Part of genmod/genmod.hpp. */
#ifndef GENMOD_DENSITY_HPP
#define GENMOD_DENSITY_HPP

#include "genmod/conditional.hpp"

namespace genmod {

/* ---- Judging --------------------------------------------------------------------------------- */

/* logp_a and logp_b (may be null): log density of each row by each model. */
inline gm_comparison compare(context &ctx, const model &a, const model &b, const dataset &rows,
                             const options &how, std::vector<double> *logp_a = nullptr,
                             std::vector<double> *logp_b = nullptr)
{
    gm_comparison told = {};
    told.struct_size = sizeof told;
    for (std::vector<double> *logp : {logp_a, logp_b})
        if (logp)
            logp->resize(std::size_t(rows.rows()));
    ctx.check(gm_compare(ctx.get(), a.get(), b.get(), rows.get(), how.get(), &told,
                         logp_a ? logp_a->data() : nullptr, logp_b ? logp_b->data() : nullptr));
    return told;
}

/* distance and pit (may be null) stay empty where the model knows no column given others. */
inline gm_calibration calibrate(context &ctx, const model &m, const dataset &rows,
                                const options &how, std::vector<double> *distance = nullptr,
                                matrix<double> *pit = nullptr)
{
    gm_calibration told = {};
    told.struct_size = sizeof told;
    if (distance)
        distance->resize(std::size_t(m.columns()));
    if (pit)
        *pit = matrix<double>(rows.rows(), m.columns());
    ctx.check(gm_calibrate(ctx.get(), m.get(), rows.get(), how.get(), &told,
                           distance ? distance->data() : nullptr,
                           pit ? pit->values.data() : nullptr));
    if (told.columns == 0 && distance)
        distance->clear();
    if (told.columns == 0 && pit)
        *pit = matrix<double>();
    return told;
}

inline gm_self_checked self_check(context &ctx, const model &m, const options &how,
                                  const gm_array *cond = nullptr)
{
    gm_self_checked told = {};
    told.struct_size = sizeof told;
    ctx.check(gm_self_check(ctx.get(), m.get(), cond, how.get(), &told));
    return told;
}

/* ---- Anomalies ------------------------------------------------------------------------------- */

inline model fit_anomaly(context &ctx, const char *family, const dataset &rows, const options &how)
{
    gm_model *m = nullptr;
    ctx.check(gm_fit_anomaly(ctx.get(), family, rows.get(), how.get(), &m));
    return model(m);
}

/* -log p of each row, and its p-value by the calibration rows: those that gm_fit_anomaly laid
 * aside, unless others are given. */
struct oddness {
    std::vector<double> score, p_value;
};
inline oddness anomaly(context &ctx, const model &m, const dataset &rows, const options &how = {},
                       const dataset *calibration = nullptr)
{
    oddness all{std::vector<double>(std::size_t(rows.rows())),
                std::vector<double>(std::size_t(rows.rows()))};
    ctx.check(gm_model_anomaly(ctx.get(), m.get(), rows.get(),
                               calibration ? calibration->get() : nullptr, how.get(),
                               all.score.data(), all.p_value.data()));
    return all;
}
/* By how many nats each cell is to blame: gm_model_blame. */
inline matrix<double> blame(context &ctx, const model &m, const dataset &rows, const options &how)
{
    matrix<double> all(rows.rows(), m.columns());
    ctx.check(gm_model_blame(ctx.get(), m.get(), rows.get(), how.get(), all.values.data()));
    return all;
}

/* ---- Compression ----------------------------------------------------------------------------- */

/* What became of the rows, where it is asked: *told. */
inline void compress(context &ctx, const model &m, const dataset &rows, const byte_sink &to,
                     const options &how = {}, gm_compression *told = nullptr)
{
    detail::writer w(to);
    gm_compression kept = {};
    kept.struct_size = sizeof kept;
    w.check(ctx, gm_compress(ctx.get(), m.get(), rows.get(), how.get(), &w.hook, &kept));
    if (told)
        *told = kept;
}
inline std::string compress(context &ctx, const model &m, const dataset &rows,
                            const options &how = {})
{
    return detail::written(ctx, [&](const gm_writer *w) {
        return gm_compress(ctx.get(), m.get(), rows.get(), how.get(), w, nullptr);
    });
}
inline dataset decompress(context &ctx, const model &m, const std::string &bytes,
                          const options &how = {})
{
    gm_dataset *rows = nullptr;
    ctx.check(gm_decompress_memory(ctx.get(), m.get(), bytes.data(), std::int64_t(bytes.size()),
                                   how.get(), &rows));
    return dataset(rows);
}
inline dataset decompress(context &ctx, const model &m, const byte_source &from,
                          const options &how = {}, const char *name = nullptr)
{
    detail::reader r(from);
    gm_dataset *rows = nullptr;
    r.check(ctx, gm_decompress(ctx.get(), m.get(), &r.hook, name, how.get(), &rows));
    return dataset(rows);
}
/* The text of a CSV file, to the byte. */
inline std::string compress_text(context &ctx, const model &m, const std::string &text,
                                 const options &csv = {}, const options &how = {})
{
    return detail::written(ctx, [&](const gm_writer *w) {
        return gm_compress_text(ctx.get(), m.get(), text.data(), std::int64_t(text.size()),
                                csv.get(), how.get(), w, nullptr);
    });
}
inline std::string decompress_text(context &ctx, const model &m, const std::string &bytes,
                                   const options &how = {})
{
    byte_source from = bytes_at(bytes.data(), std::int64_t(bytes.size()));
    detail::reader r(from);
    return detail::written(ctx, [&](const gm_writer *w) {
        return gm_decompress_text(ctx.get(), m.get(), &r.hook, nullptr, how.get(), w);
    });
}

/* ---- Kernel density estimates ---------------------------------------------------------------- */

/* 1 where log p of a row is above the level, -1 where below, 0 where it is the level. */
inline std::vector<std::int8_t> kde_above(context &ctx, const model &m, const gm_array &x,
                                          double log_level)
{
    std::vector<std::int8_t> above(x.ndim > 0 && x.shape[0] > 0 ? std::size_t(x.shape[0]) : 0);
    ctx.check(gm_kde_above(ctx.get(), m.get(), &x, log_level, above.data()));
    return above;
}
inline std::vector<std::int8_t> kde_above(context &ctx, const model &m, const dataset &rows,
                                          double log_level)
{
    std::vector<std::int8_t> above(std::size_t(rows.rows()));
    ctx.check(gm_kde_above_rows(ctx.get(), m.get(), rows.get(), log_level, above.data()));
    return above;
}

/* Where each row's climb ends, the number of that mode, and how many modes there are. */
template <class Rows> struct climbed {
    Rows places;
    std::vector<std::int64_t> mode;
    std::int64_t modes = 0;
};
/* tolerance and steps: 0 is the default. */
inline climbed<matrix<double>> kde_modes(context &ctx, const model &m, const gm_array &x,
                                         double tolerance = 0, std::int64_t steps = 0)
{
    climbed<matrix<double>> all;
    all.places = matrix<double>(x.ndim > 0 ? x.shape[0] : 0, m.columns());
    all.mode.resize(x.ndim > 0 && x.shape[0] > 0 ? std::size_t(x.shape[0]) : 0);
    gm_array a = all.places;
    ctx.check(gm_kde_modes(ctx.get(), m.get(), &x, tolerance, steps, &a, all.mode.data(),
                           &all.modes));
    return all;
}
inline climbed<dataset> kde_modes(context &ctx, const model &m, const dataset &rows,
                                  double tolerance = 0, std::int64_t steps = 0)
{
    climbed<dataset> all;
    all.mode.resize(std::size_t(rows.rows()));
    gm_dataset *places = nullptr;
    ctx.check(gm_kde_modes_rows(ctx.get(), m.get(), rows.get(), tolerance, steps, &places,
                                all.mode.data(), &all.modes));
    all.places = dataset(places);
    return all;
}

inline std::int64_t kde_rows(const model &m) { return gm_kde_row_count(m.get()); }
/* New models: with rows more, and without the rows of these numbers. */
inline model kde_add(context &ctx, const model &m, const dataset &rows)
{
    gm_model *grown = nullptr;
    ctx.check(gm_kde_add(ctx.get(), m.get(), rows.get(), &grown));
    return model(grown);
}
inline model kde_forget(context &ctx, const model &m, const std::vector<std::int64_t> &rows)
{
    gm_model *shrunk = nullptr;
    ctx.check(gm_kde_forget(ctx.get(), m.get(), rows.data(), std::int64_t(rows.size()), &shrunk));
    return model(shrunk);
}

} // namespace genmod
#endif
