/* genmod/model.hpp: fitted models. Part of genmod/genmod.hpp. */
#ifndef GENMOD_MODEL_HPP
#define GENMOD_MODEL_HPP

#include "genmod/dataset.hpp"

namespace genmod {

/* ---- Models ---------------------------------------------------------------------------------- */

/* Log densities in nats, and the standard error of each (0 where exact). */
struct density {
    std::vector<double> logp, error;
};

/* Log densities in nats, and between what each surely lies. */
struct bounds {
    std::vector<double> logp, lower, upper;
};

/* Numbers that belong to a model. */
struct numbers {
    const double *first = nullptr;
    std::int64_t count = 0;

    const double *begin() const { return first; }
    const double *end() const { return first + count; }
};

class model : public handle<gm_model, gm_model_free> {
public:
    using handle::handle;
    model() = default;
    model(model &&) = default;
    model &operator=(model &&) = default;
    model(const model &other) : handle(gm_model_retain(other.p_)) {}
    model &operator=(const model &other) { return *this = model(other); }

    static model load(context &ctx, const char *path)
    {
        model m;
        ctx.check(gm_model_load(ctx.get(), path, &m.p_));
        return m;
    }
    static model load(context &ctx, const void *bytes, std::int64_t size)
    {
        model m;
        ctx.check(gm_model_load_memory(ctx.get(), bytes, size, &m.p_));
        return m;
    }
    static model load(context &ctx, const byte_source &from, const char *name = nullptr)
    {
        model m;
        detail::reader r(from);
        r.check(ctx, gm_model_read(ctx.get(), &r.hook, name, &m.p_));
        return m;
    }
    void save(context &ctx, const char *path) const
    {
        ctx.check(gm_model_save(ctx.get(), p_, path));
    }
    std::string save(context &ctx) const /* into memory */
    {
        return detail::written(
            ctx, [&](const gm_writer *w) { return gm_model_write(ctx.get(), p_, w); });
    }
    void save(context &ctx, const byte_sink &to) const
    {
        detail::writer w(to);
        w.check(ctx, gm_model_write(ctx.get(), p_, &w.hook));
    }

    const char *family() const { return gm_model_family(p_); }
    bool can(std::int32_t what) const { return (gm_model_capabilities(p_) & what) == what; }
    std::int32_t log_prob_kind() const { return gm_model_log_prob_kind(p_); }
    std::int64_t columns() const { return gm_model_column_count(p_); }
    std::int64_t conditions() const { return gm_model_condition_count(p_); }
    std::int64_t codes() const { return gm_model_code_count(p_); }
    std::int64_t parameters() const { return gm_model_parameter_count(p_); }
    std::string describe(context &ctx) const
    {
        return ctx.text([&](char *b, std::int64_t n, std::int64_t *all) {
            return gm_model_describe(ctx.get(), p_, b, n, all);
        });
    }
    /* The i-th feature, then the conditions. Texts belong to the model. */
    gm_column column(context &ctx, std::int64_t i) const
    {
        gm_column c = {};
        c.struct_size = sizeof c;
        ctx.check(gm_model_column(ctx.get(), p_, i, &c));
        return c;
    }
    const char *category(std::int64_t column, std::int64_t k) const
    {
        return gm_model_category(p_, column, k);
    }
    numbers column_values(std::int64_t column) const
    {
        numbers all;
        all.first = gm_model_column_values(p_, column, &all.count);
        return all;
    }
    std::vector<std::int64_t> row_shape(context &ctx) const
    {
        return detail::shape(ctx, [&](std::int32_t *ndim, std::int64_t *sizes) {
            return gm_model_row_shape(ctx.get(), p_, ndim, sizes);
        });
    }
    /* Names and values of the options that it was built and fitted with; they belong to it. */
    std::vector<std::pair<const char *, const char *>> options_used(context &ctx) const
    {
        std::vector<std::pair<const char *, const char *>> all;
        const char *name = nullptr, *value = nullptr;
        gm_status code;
        while (!(code = gm_model_option_at(ctx.get(), p_, std::int32_t(all.size()), &name, &value)))
            all.emplace_back(name, value);
        if (code != GM_E_RANGE)
            ctx.check(code);
        return all;
    }

    std::vector<double> log_prob(context &ctx, const gm_array &x, const options &how = {},
                                 const gm_array *cond = nullptr) const
    {
        return log_prob_error(ctx, x, how, cond).logp;
    }
    density log_prob_error(context &ctx, const gm_array &x, const options &how = {},
                           const gm_array *cond = nullptr) const
    {
        density all{std::vector<double>(rows_of(x)), std::vector<double>(rows_of(x))};
        ctx.check(gm_model_log_prob(ctx.get(), p_, &x, cond, how.get(), all.logp.data(),
                                    all.error.data()));
        return all;
    }
    std::vector<double> log_prob(context &ctx, const dataset &rows, const options &how = {},
                                 const gm_array *cond = nullptr) const
    {
        return log_prob_error(ctx, rows, how, cond).logp;
    }
    density log_prob_error(context &ctx, const dataset &rows, const options &how = {},
                           const gm_array *cond = nullptr) const
    {
        density all{std::vector<double>(rows.rows()), std::vector<double>(rows.rows())};
        ctx.check(gm_model_log_prob_rows(ctx.get(), p_, rows.get(), cond, how.get(),
                                         all.logp.data(), all.error.data()));
        return all;
    }
    bounds log_prob_bounds(context &ctx, const gm_array &x, const options &how = {},
                           const gm_array *cond = nullptr) const
    {
        bounds all = room(rows_of(x));
        ctx.check(gm_model_log_prob_bounds(ctx.get(), p_, &x, cond, how.get(), all.logp.data(),
                                           all.lower.data(), all.upper.data()));
        return all;
    }
    bounds log_prob_bounds(context &ctx, const dataset &rows, const options &how = {},
                           const gm_array *cond = nullptr) const
    {
        bounds all = room(std::size_t(rows.rows()));
        ctx.check(gm_model_log_prob_bounds_rows(ctx.get(), p_, rows.get(), cond, how.get(),
                                                all.logp.data(), all.lower.data(),
                                                all.upper.data()));
        return all;
    }
    matrix<double> log_prob_gradient(context &ctx, const gm_array &x, const options &how = {},
                                     const gm_array *cond = nullptr,
                                     std::vector<double> *logp = nullptr) const
    {
        matrix<double> grad(std::int64_t(rows_of(x)), columns());
        gm_array g = grad;
        if (logp)
            logp->resize(rows_of(x));
        ctx.check(gm_model_log_prob_gradient(ctx.get(), p_, &x, cond, how.get(),
                                             logp ? logp->data() : nullptr, &g));
        return grad;
    }

    /* The conditions of a dataset's rows, as the calls take them. */
    matrix<double> conditions_of(context &ctx, const dataset &rows) const
    {
        matrix<double> c(gm_dataset_row_count(rows.get()), conditions());
        gm_array a = c;
        ctx.check(gm_model_conditions(ctx.get(), p_, rows.get(), &a));
        return c;
    }

    /* The seed is among the options. */
    template <class T = double>
    matrix<T> sample(context &ctx, std::int64_t n, const options &how,
                     const gm_array *cond = nullptr, std::vector<double> *logp = nullptr) const
    {
        matrix<T> x(n, columns());
        gm_array a = x;
        if (logp)
            logp->resize(n > 0 ? std::size_t(n) : 0);
        ctx.check(
            gm_model_sample(ctx.get(), p_, n, cond, how.get(), &a, logp ? logp->data() : nullptr));
        return x;
    }
    dataset sample_rows(context &ctx, std::int64_t n, const options &how,
                        const gm_array *cond = nullptr) const
    {
        gm_dataset *rows = nullptr;
        ctx.check(gm_model_sample_rows(ctx.get(), p_, n, cond, how.get(), &rows));
        return dataset(rows);
    }

    /* Codes, rows of codes, and rows that went both ways; of a dataset also a dataset. */
    template <class T = double>
    matrix<T> encode(context &ctx, const gm_array &x, const options &how = {},
                     const gm_array *cond = nullptr) const
    {
        matrix<T> z(std::int64_t(rows_of(x)), codes());
        gm_array a = z;
        ctx.check(gm_model_encode(ctx.get(), p_, &x, cond, how.get(), &a));
        return z;
    }
    template <class T = double>
    matrix<T> encode(context &ctx, const dataset &rows, const options &how = {},
                     const gm_array *cond = nullptr) const
    {
        matrix<T> z(rows.rows(), codes());
        gm_array a = z;
        ctx.check(gm_model_encode_rows(ctx.get(), p_, rows.get(), cond, how.get(), &a));
        return z;
    }
    template <class T = double>
    matrix<T> decode(context &ctx, const gm_array &z, const options &how = {},
                     const gm_array *cond = nullptr) const
    {
        matrix<T> x(std::int64_t(rows_of(z)), columns());
        gm_array a = x;
        ctx.check(gm_model_decode(ctx.get(), p_, &z, cond, how.get(), &a));
        return x;
    }
    dataset decode_rows(context &ctx, const gm_array &z, const options &how = {},
                        const gm_array *cond = nullptr) const
    {
        gm_dataset *rows = nullptr;
        ctx.check(gm_model_decode_rows(ctx.get(), p_, &z, cond, how.get(), &rows));
        return dataset(rows);
    }
    template <class T = double>
    matrix<T> reconstruct(context &ctx, const gm_array &x, const options &how = {},
                          const gm_array *cond = nullptr) const
    {
        matrix<T> y(std::int64_t(rows_of(x)), columns());
        gm_array a = y;
        ctx.check(gm_model_reconstruct(ctx.get(), p_, &x, cond, how.get(), &a));
        return y;
    }
    dataset reconstruct(context &ctx, const dataset &rows, const options &how = {},
                        const gm_array *cond = nullptr) const
    {
        gm_dataset *y = nullptr;
        ctx.check(gm_model_reconstruct_rows(ctx.get(), p_, rows.get(), cond, how.get(), &y));
        return dataset(y);
    }

private:
    static std::size_t rows_of(const gm_array &x)
    {
        return x.ndim > 0 && x.shape[0] > 0 ? std::size_t(x.shape[0]) : 0;
    }
    static bounds room(std::size_t n)
    {
        return {std::vector<double>(n), std::vector<double>(n), std::vector<double>(n)};
    }
};

} // namespace genmod
#endif
