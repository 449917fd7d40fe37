/* genmod/density.hpp: what densities are good for. Part of genmod/genmod.hpp. */
#ifndef GENMOD_DENSITY_HPP
#define GENMOD_DENSITY_HPP

#include "genmod/anomaly.h"
#include "genmod/compress.h"
#include "genmod/conditional.h"
#include "genmod/eval.h"
#include "genmod/model.hpp"

namespace genmod
{

/* ---- Columns given others -------------------------------------------------------------------- */

/* Rows x (n, d) with what is NaN filled in: gm_model_impute. */
inline matrix<double> impute(context &ctx, const model &m, const gm_array &x,
                             const options &how = {}, const gm_array *cond = nullptr)
{
    matrix<double> y(x.ndim > 0 ? x.shape[0] : 0, m.columns());
    gm_array a = y;
    ctx.check(gm_model_impute(ctx.get(), m.get(), &x, cond, how.get(), &a));
    return y;
}
/* n rows drawn with columns given, NaN where there is none: gm_model_sample_given. */
inline matrix<double> sample_given(context &ctx, const model &m, std::int64_t n,
                                   const gm_array &given, const options &how,
                                   const gm_array *cond = nullptr)
{
    matrix<double> x(n, m.columns());
    gm_array a = x;
    ctx.check(gm_model_sample_given(ctx.get(), m.get(), n, &given, cond, how.get(), &a));
    return x;
}

/* ---- Judging --------------------------------------------------------------------------------- */

inline gm_comparison compare(context &ctx, const model &a, const model &b, const dataset &rows,
                             const options &how)
{
    gm_comparison told = {};
    told.struct_size = sizeof told;
    ctx.check(
        gm_compare(ctx.get(), a.get(), b.get(), rows.get(), how.get(), &told, nullptr, nullptr));
    return told;
}

/* -log p of each row, and its p-value by the rows that gm_fit_anomaly laid aside. */
struct oddness {
    std::vector<double> score, p_value;
};
inline oddness anomaly(context &ctx, const model &m, const dataset &rows, const options &how = {})
{
    oddness all{std::vector<double>(rows.rows()), std::vector<double>(rows.rows())};
    ctx.check(gm_model_anomaly(ctx.get(), m.get(), rows.get(), nullptr, how.get(), all.score.data(),
                               all.p_value.data()));
    return all;
}

/* ---- Compression ----------------------------------------------------------------------------- */

inline std::string compress(context &ctx, const model &m, const dataset &rows,
                            const options &how = {})
{
    std::int64_t size = 0;
    ctx.check(
        gm_compress_memory(ctx.get(), m.get(), rows.get(), how.get(), nullptr, 0, &size, nullptr));
    std::string bytes(std::size_t(size), 0);
    if (size > 0)
        ctx.check(gm_compress_memory(ctx.get(), m.get(), rows.get(), how.get(), &bytes[0], size,
                                     &size, nullptr));
    return bytes;
}
inline dataset decompress(context &ctx, const model &m, const std::string &bytes,
                          const options &how = {})
{
    gm_dataset *rows = nullptr;
    ctx.check(gm_decompress_memory(ctx.get(), m.get(), bytes.data(), std::int64_t(bytes.size()),
                                   how.get(), &rows));
    return dataset(rows);
}

} // namespace genmod
#endif
