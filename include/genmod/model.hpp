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
    void save(context &ctx, const char *path) const
    {
        ctx.check(gm_model_save(ctx.get(), p_, path));
    }
    std::string save(context &ctx) const /* into memory */
    {
        std::string bytes;
        gm_writer w = {sizeof w, &bytes, append};
        ctx.check(gm_model_write(ctx.get(), p_, &w));
        return bytes;
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
    matrix<double> log_prob_gradient(context &ctx, const gm_array &x, const options &how = {},
                                     const gm_array *cond = nullptr) const
    {
        matrix<double> grad(std::int64_t(rows_of(x)), columns());
        gm_array g = grad;
        ctx.check(gm_model_log_prob_gradient(ctx.get(), p_, &x, cond, how.get(), nullptr, &g));
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
    matrix<T> decode(context &ctx, const gm_array &z, const options &how = {},
                     const gm_array *cond = nullptr) const
    {
        matrix<T> x(std::int64_t(rows_of(z)), columns());
        gm_array a = x;
        ctx.check(gm_model_decode(ctx.get(), p_, &z, cond, how.get(), &a));
        return x;
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

private:
    static std::size_t rows_of(const gm_array &x)
    {
        return x.ndim > 0 && x.shape[0] > 0 ? std::size_t(x.shape[0]) : 0;
    }
    static std::int32_t append(void *user, const void *bytes, std::int64_t size)
    {
#ifndef GENMOD_NO_EXCEPTIONS
        try { /* nothing may unwind through the library */
#endif
            static_cast<std::string *>(user)->append(static_cast<const char *>(bytes),
                                                     std::size_t(size));
            return 0;
#ifndef GENMOD_NO_EXCEPTIONS
        } catch (...) {
            return -1;
        }
#endif
    }
};

} // namespace genmod
#endif
