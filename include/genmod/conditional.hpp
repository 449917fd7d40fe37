/* genmod/conditional.hpp: columns given others. Part of genmod/genmod.hpp. */
#ifndef GENMOD_CONDITIONAL_HPP
#define GENMOD_CONDITIONAL_HPP

#include "genmod/model.hpp"

namespace genmod {

/* ---- The law of one column ------------------------------------------------------------------- */

/* Which columns are known: not 0. One for each column of a model. */
using mask = std::vector<std::uint8_t>;

/* Probabilities of being at most a value, and of being greater. */
struct tails {
    std::vector<double> below, above;
};

namespace detail {
inline bool covers(context &ctx, const mask &known, std::int64_t columns)
{
    return std::int64_t(known.size()) == columns ||
           ctx.fail(GM_E_SHAPE, "known has " + std::to_string(known.size()) +
                                    " values, the model has " + std::to_string(columns) +
                                    " columns: one for each is needed");
}
} // namespace detail

/* Rows are numbered from `first` as they were set; count is that of the values. */
class conditional : public handle<gm_conditional, gm_conditional_free> {
public:
    conditional(context &ctx, const model &m, const options &how = {}) : columns_(m.columns())
    {
        ctx.check(gm_conditional_create(ctx.get(), m.get(), how.get(), &p_));
    }
    bool any_order() const { return gm_conditional_order(p_, nullptr) == 1; }
    std::vector<std::int64_t> order() const
    {
        std::vector<std::int64_t> all(p_ ? std::size_t(columns_) : 0);
        gm_conditional_order(p_, all.data());
        return all;
    }
    void set(context &ctx, const gm_array &x, const mask &known, std::int64_t column,
             const gm_array *cond = nullptr)
    {
        rows_ = x.ndim > 0 ? x.shape[0] : 0;
        if (detail::covers(ctx, known, columns_))
            ctx.check(gm_conditional_set(ctx.get(), p_, &x, cond, known.data(), column));
    }
    /* The column asked for becomes known, at a value for each row that was set; on to another. */
    void next(context &ctx, const std::vector<double> &value, std::int64_t column)
    {
        if (std::int64_t(value.size()) != rows_)
            ctx.fail(GM_E_SHAPE, "next: " + std::to_string(value.size()) + " values for " +
                                     std::to_string(rows_) + " rows: one for each is needed");
        else
            ctx.check(gm_conditional_next(ctx.get(), p_, value.data(), column));
    }
    std::vector<double> log_prob(context &ctx, std::int64_t first,
                                 const std::vector<double> &value) const
    {
        std::vector<double> logp(value.size());
        ctx.check(gm_conditional_log_prob(ctx.get(), p_, first, std::int64_t(value.size()),
                                          value.data(), logp.data()));
        return logp;
    }
    tails cdf(context &ctx, std::int64_t first, const std::vector<double> &value) const
    {
        tails p{std::vector<double>(value.size()), std::vector<double>(value.size())};
        ctx.check(gm_conditional_cdf(ctx.get(), p_, first, std::int64_t(value.size()), value.data(),
                                     p.below.data(), p.above.data()));
        return p;
    }
    std::vector<double> quantile(context &ctx, std::int64_t first,
                                 const std::vector<double> &u) const
    {
        std::vector<double> value(u.size());
        ctx.check(gm_conditional_quantile(ctx.get(), p_, first, std::int64_t(u.size()), u.data(),
                                          value.data()));
        return value;
    }

private:
    std::int64_t columns_ = 0, rows_ = 0;
};

/* ---- Missing cells, and rows with columns given ---------------------------------------------- */

/* Rows x (n, d) with what is NaN filled in: gm_model_impute. */
inline matrix<double> impute(context &ctx, const model &m, const gm_array &x,
                             const options &how = {}, const gm_array *cond = nullptr)
{
    matrix<double> y(x.ndim > 0 ? x.shape[0] : 0, m.columns());
    gm_array a = y;
    ctx.check(gm_model_impute(ctx.get(), m.get(), &x, cond, how.get(), &a));
    return y;
}
inline dataset impute(context &ctx, const model &m, const dataset &rows, const options &how = {},
                      const gm_array *cond = nullptr)
{
    gm_dataset *y = nullptr;
    ctx.check(gm_model_impute_rows(ctx.get(), m.get(), rows.get(), cond, how.get(), &y));
    return dataset(y);
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

/* ---- Densities and probabilities of some columns --------------------------------------------- */

/* log p of the columns that are not known, given those that are. */
inline std::vector<double> log_prob_given(context &ctx, const model &m, const gm_array &x,
                                          const mask &known, const options &how = {},
                                          const gm_array *cond = nullptr)
{
    std::vector<double> logp(x.ndim > 0 && x.shape[0] > 0 ? std::size_t(x.shape[0]) : 0);
    if (detail::covers(ctx, known, m.columns()))
        ctx.check(gm_model_log_prob_given(ctx.get(), m.get(), &x, known.data(), cond, how.get(),
                                          logp.data()));
    return logp;
}

/* Probabilities with their standard errors. */
struct probabilities {
    std::vector<double> p, error;
};
inline probabilities range_prob(context &ctx, const model &m, const gm_array &lower,
                                const gm_array &upper, const options &how,
                                const gm_array *cond = nullptr)
{
    std::size_t n = lower.ndim > 0 && lower.shape[0] > 0 ? std::size_t(lower.shape[0]) : 0;
    probabilities all{std::vector<double>(n), std::vector<double>(n)};
    ctx.check(gm_model_range_prob(ctx.get(), m.get(), &lower, &upper, cond, how.get(),
                                  all.p.data(), all.error.data()));
    return all;
}

/* What the law of a column is told of other columns: rows x of which some are known; none: it is
 * the law of the column alone. */
struct others {
    const gm_array *x = nullptr;
    mask known;
    const gm_array *cond = nullptr;
};
inline tails cdf(context &ctx, const model &m, std::int64_t column,
                 const std::vector<double> &value, const others &given = {},
                 const options &how = {})
{
    tails p{std::vector<double>(value.size()), std::vector<double>(value.size())};
    if (!given.x || detail::covers(ctx, given.known, m.columns()))
        ctx.check(gm_model_cdf(ctx.get(), m.get(), column, std::int64_t(value.size()), given.x,
                               given.known.data(), given.cond, how.get(), value.data(),
                               p.below.data(), p.above.data()));
    return p;
}
inline std::vector<double> quantile(context &ctx, const model &m, std::int64_t column,
                                    const std::vector<double> &u, const others &given = {},
                                    const options &how = {})
{
    std::vector<double> value(u.size());
    if (!given.x || detail::covers(ctx, given.known, m.columns()))
        ctx.check(gm_model_quantile(ctx.get(), m.get(), column, std::int64_t(u.size()), given.x,
                                    given.known.data(), given.cond, how.get(), u.data(),
                                    value.data()));
    return value;
}

} // namespace genmod
#endif
