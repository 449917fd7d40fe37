/* genmod/genmod.hpp: the C++17 view of libgenmod. Header only, nothing to link beside the library.
 *
 * Handles are objects that free what they own; they move, and a model also copies (it is counted).
 * get() gives the C handle, so that every C function is at hand where this file has no name for it.
 * Calls take the context first, as in C: one context for each thread, models shared by all.
 *
 * A call that fails throws genmod::error with the code and the library's text. With
 * GENMOD_NO_EXCEPTIONS defined (or under -fno-exceptions) nothing is thrown: the context keeps the
 * first failure (ok(), status(), message(), clear()), and the call returns an empty object. Calls
 * on empty objects fail too, so a whole sequence may be checked once, at its end. Then a failure
 * of memory in the standard containers ends the program, as it does everywhere in such a build. */
#ifndef GENMOD_GENMOD_HPP
#define GENMOD_GENMOD_HPP

#include "genmod/genmod.h"

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#if !defined(GENMOD_NO_EXCEPTIONS) && defined(__GNUC__) && !defined(__EXCEPTIONS)
#define GENMOD_NO_EXCEPTIONS
#endif
#ifndef GENMOD_NO_EXCEPTIONS
#include <exception>
#include <stdexcept>
#endif

namespace genmod {

/* ---- Handles --------------------------------------------------------------------------------- */

/* Owns one C handle. */
template <class T, void (*Free)(T *)> class handle {
public:
    handle() = default;
    explicit handle(T *p) noexcept : p_(p) {}
    handle(handle &&other) noexcept : p_(std::exchange(other.p_, nullptr)) {}
    handle &operator=(handle &&other) noexcept
    {
        std::swap(p_, other.p_);
        return *this;
    }
    handle(const handle &) = delete;
    handle &operator=(const handle &) = delete;
    ~handle() { Free(p_); }

    T *get() const noexcept { return p_; }
    T *release() noexcept { return std::exchange(p_, nullptr); }
    explicit operator bool() const noexcept { return p_ != nullptr; }

protected:
    T *p_ = nullptr;
};

#ifndef GENMOD_NO_EXCEPTIONS
class error : public std::runtime_error {
public:
    error(gm_status code, const std::string &text) : std::runtime_error(text), code_(code) {}
    gm_status code() const noexcept { return code_; }

private:
    gm_status code_;
};
#endif

/* Worker threads that contexts share; 0 is one a processor. */
class pool : public handle<gm_pool, gm_pool_free> {
public:
    explicit pool(std::int32_t threads) : handle(gm_pool_create(nullptr, threads)) {}
    std::int32_t threads() const noexcept { return gm_pool_threads(p_); }
};

/* Any thread may trip it; the calls in its contexts then fail with GM_E_CANCELLED. */
class cancel : public handle<gm_cancel, gm_cancel_free> {
public:
    cancel() : handle(gm_cancel_create(nullptr)) {}
    void trip() noexcept { gm_cancel_trip(p_); }
    void reset() noexcept { gm_cancel_reset(p_); }
    bool tripped() const noexcept { return gm_cancel_tripped(p_) != 0; }
};

class context : public handle<gm_context, gm_context_free> {
public:
    context() { create(nullptr); }
    explicit context(const pool &workers)
    {
        gm_context_config c = config();
        c.pool = workers.get();
        create(&c);
    }
    /* Everything: allocator, log, executor, cancel token. Begin with context::config(). */
    explicit context(const gm_context_config &c) { create(&c); }

    static gm_context_config config()
    {
        gm_context_config c = {};
        c.struct_size = sizeof c;
        return c;
    }

    void set(const char *name, std::int64_t value) { check(gm_context_set_int(p_, name, value)); }
    void set(const char *name, const char *value) { check(gm_context_set_text(p_, name, value)); }
    std::string get_text(const char *name)
    {
        return text([&](char *b, std::int64_t n, std::int64_t *all) {
            return gm_context_get(p_, name, b, n, all);
        });
    }
    void trim() { check(gm_context_trim(p_)); }

    /* Throws what the status says, or keeps the first failure. True where there was none. */
    bool check(gm_status code)
    {
        if (code == GM_OK)
            return true;
        std::string why = last_text(code);
#ifndef GENMOD_NO_EXCEPTIONS
        throw error(code, why);
#else
        if (status_ == GM_OK) {
            status_ = code;
            message_ = std::move(why);
        }
        return false;
#endif
    }

#ifdef GENMOD_NO_EXCEPTIONS
    bool ok() const noexcept { return status_ == GM_OK; }
    gm_status status() const noexcept { return status_; }
    const std::string &message() const noexcept { return message_; }
    void clear()
    {
        status_ = GM_OK;
        message_.clear();
    }
#endif

    /* A text that a C function copies out by (buffer, size, length). */
    template <class Call> std::string text(Call call)
    {
        std::int64_t length = 0;
        if (!check(call(nullptr, std::int64_t(0), &length)))
            return {};
        std::string all(std::size_t(length) + 1, '\0');
        if (!check(call(&all[0], length + 1, &length)))
            return {};
        all.resize(std::size_t(length));
        return all;
    }

private:
    void create(const gm_context_config *c) { check(gm_context_create(c, &p_)); }

    std::string last_text(gm_status code) const
    {
        gm_status kept = GM_OK;
        std::int64_t length = p_ ? gm_context_error(p_, nullptr, 0, &kept) : 0;
        if (length <= 0 || kept != code)
            return gm_status_text(code);
        std::string all(std::size_t(length) + 1, '\0');
        gm_context_error(p_, &all[0], length + 1, nullptr);
        all.resize(std::size_t(length));
        return all;
    }

#ifdef GENMOD_NO_EXCEPTIONS
    gm_status status_ = GM_OK;
    std::string message_;
#endif
};

/* ---- Options --------------------------------------------------------------------------------- */

/* One name with its value: {"bins", 8}, {"coupling", "nsf"}, {"hidden", {64, 64}}. */
class setting {
public:
    template <class T, std::enable_if_t<std::is_arithmetic<T>::value, int> = 0>
    setting(const char *name, T value)
        : name_(name), kind_(std::is_same<T, bool>::value       ? truth
                             : std::is_floating_point<T>::value ? real
                                                                : whole),
          whole_(kind_ == real ? 0 : std::int64_t(value)), real_(double(value))
    {
    }
    setting(const char *name, const char *value) : name_(name), kind_(words), text_(value) {}
    setting(const char *name, std::string value)
        : name_(name), kind_(words), text_(std::move(value)) {}
    setting(const char *name, std::vector<std::int64_t> values)
        : name_(name), kind_(list), values_(std::move(values)) {}
    setting(const char *name, std::initializer_list<std::int64_t> values)
        : name_(name), kind_(list), values_(values) {}

    gm_status put(gm_context *ctx, gm_options *bag) const
    {
        switch (kind_) {
        case whole: return gm_options_set_int(ctx, bag, name_.c_str(), whole_);
        case real: return gm_options_set_real(ctx, bag, name_.c_str(), real_);
        case truth: return gm_options_set_text(ctx, bag, name_.c_str(), whole_ ? "true" : "false");
        case list:
            return gm_options_set_ints(ctx, bag, name_.c_str(), values_.data(),
                                       std::int64_t(values_.size()));
        default: return gm_options_set_text(ctx, bag, name_.c_str(), text_.c_str());
        }
    }

private:
    enum kinds { whole, real, truth, words, list };
    std::string name_;
    kinds kind_;
    std::int64_t whole_ = 0;
    double real_ = 0;
    std::string text_;
    std::vector<std::int64_t> values_;
};

class options : public handle<gm_options, gm_options_free> {
public:
    options() = default; /* none: the defaults */
    options(context &ctx, std::initializer_list<setting> settings)
    {
        if (!ctx.check(gm_options_create(ctx.get(), &p_)))
            return;
        for (const setting &s : settings)
            set(ctx, s);
    }
    void set(context &ctx, const setting &s) { ctx.check(s.put(ctx.get(), p_)); }
    void unset(context &ctx, const char *name) { ctx.check(gm_options_unset(ctx.get(), p_, name)); }
    std::string get_text(context &ctx, const char *name) const
    {
        return ctx.text([&](char *b, std::int64_t n, std::int64_t *all) {
            return gm_options_get(ctx.get(), p_, name, b, n, all);
        });
    }
};

namespace detail {
/* The rows that a C function gives one by one until it answers GM_E_RANGE. */
template <class Row, class Call> std::vector<Row> rows(context &ctx, Call at)
{
    std::vector<Row> all;
    for (std::int32_t i = 0;; i++) {
        Row row = {};
        row.struct_size = sizeof row;
        gm_status code = at(i, &row);
        if (code == GM_E_RANGE || !ctx.check(code))
            return all;
        all.push_back(row);
    }
}
} // namespace detail

/* A table of options: of a family, an optimizer, "context", "fit", "csv" or a call. */
inline std::vector<gm_option_info> option_table(context &ctx, const char *owner)
{
    return detail::rows<gm_option_info>(ctx, [&](std::int32_t i, gm_option_info *row) {
        return gm_option_at(ctx.get(), owner, i, row);
    });
}

inline std::vector<gm_family_info> families(context &ctx)
{
    return detail::rows<gm_family_info>(
        ctx, [&](std::int32_t i, gm_family_info *row) { return gm_family_at(ctx.get(), i, row); });
}

/* ---- Arrays ---------------------------------------------------------------------------------- */

template <class T> struct dtype_of;
template <> struct dtype_of<float> : std::integral_constant<std::int32_t, GM_F32> {
};
template <> struct dtype_of<double> : std::integral_constant<std::int32_t, GM_F64> {
};
template <> struct dtype_of<std::uint8_t> : std::integral_constant<std::int32_t, GM_U8> {
};
template <> struct dtype_of<std::int32_t> : std::integral_constant<std::int32_t, GM_I32> {
};
template <> struct dtype_of<std::int64_t> : std::integral_constant<std::int32_t, GM_I64> {
};

/* A view of the caller's memory, rows (n, d). */
template <class T> gm_array view(T *data, std::int64_t n, std::int64_t d)
{
    gm_array a;
    gm_array_init(&a, dtype_of<T>::value, data, n, d);
    return a;
}
template <class T> gm_array view(const T *data, std::int64_t n, std::int64_t d)
{
    gm_array a = view(const_cast<T *>(data), n, d);
    a.flags |= GM_ARRAY_READ_ONLY;
    return a;
}

/* Rows that own their memory. */
template <class T> struct matrix {
    std::int64_t n = 0, d = 0;
    std::vector<T> values;

    matrix() = default;
    matrix(std::int64_t rows, std::int64_t columns)
        : n(rows), d(columns),
          values(rows > 0 && columns > 0 ? std::size_t(rows) * std::size_t(columns) : 0)
    {
    }
    T *operator[](std::int64_t i) { return values.data() + i * d; }
    const T *operator[](std::int64_t i) const { return values.data() + i * d; }
    operator gm_array() { return view(values.data(), n, d); }
    operator gm_array() const { return view(values.data(), n, d); }
};

/* ---- Data ------------------------------------------------------------------------------------ */

class dataset : public handle<gm_dataset, gm_dataset_free> {
public:
    using handle::handle;

    static dataset from_file(context &ctx, const char *path, const options &how = {})
    {
        return made(ctx, gm_dataset_from_file, path, how.get());
    }
    static dataset from_csv(context &ctx, const char *path, const options &how = {})
    {
        return made(ctx, gm_dataset_from_csv, path, how.get());
    }
    /* A copy of the array's rows. */
    static dataset copy(context &ctx, const gm_array &rows)
    {
        return made(ctx, gm_dataset_from_array, &rows);
    }
    /* The rows in place: the memory must outlive the dataset and what is made from it. */
    static dataset borrow(context &ctx, const gm_array &rows)
    {
        return made(ctx, gm_dataset_borrow_array, &rows, nullptr, nullptr);
    }

    std::int64_t rows() const noexcept { return gm_dataset_row_count(p_); }
    std::int64_t columns() const noexcept { return gm_dataset_column_count(p_); }
    std::int64_t find_column(const char *name) const { return gm_dataset_find_column(p_, name); }
    const char *category(std::int64_t column, std::int64_t k) const
    {
        return gm_dataset_category(p_, column, k);
    }
    gm_column column(context &ctx, std::int64_t i) const
    {
        gm_column c = {};
        c.struct_size = sizeof c;
        ctx.check(gm_dataset_column(ctx.get(), p_, i, &c));
        return c;
    }

    dataset select(context &ctx, const std::vector<std::int64_t> &which) const
    {
        return made(ctx, gm_dataset_select, p_, which.data(), std::int64_t(which.size()));
    }
    dataset take(context &ctx, const std::vector<std::int64_t> &which) const
    {
        return made(ctx, gm_dataset_take, p_, which.data(), std::int64_t(which.size()));
    }
    dataset with_type(context &ctx, std::int64_t column, std::int32_t type, double period = 0) const
    {
        return made(ctx, gm_dataset_with_type, p_, column, type, period);
    }
    dataset with_role(context &ctx, std::int64_t column, std::int32_t role) const
    {
        return made(ctx, gm_dataset_with_role, p_, column, role);
    }
    /* {the rest, the fraction that the seed draws} */
    std::pair<dataset, dataset> split(context &ctx, double fraction, std::uint64_t seed) const
    {
        std::pair<dataset, dataset> parts;
        ctx.check(
            gm_dataset_split(ctx.get(), p_, fraction, seed, &parts.first.p_, &parts.second.p_));
        return parts;
    }

    matrix<double> read(context &ctx, std::int64_t first, std::int64_t count) const
    {
        matrix<double> x(count, columns());
        ctx.check(gm_dataset_read_f64(ctx.get(), p_, first, count, x.values.data(), 0));
        return x;
    }
    matrix<double> read(context &ctx) const { return read(ctx, 0, rows()); }
    void save(context &ctx, const char *path) const
    {
        ctx.check(gm_dataset_save(ctx.get(), p_, path));
    }

private:
    template <class F, class... A> static dataset made(context &ctx, F make, A... arguments)
    {
        gm_dataset *p = nullptr;
        ctx.check(make(ctx.get(), arguments..., &p));
        return dataset(p);
    }
};

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

/* ---- Training -------------------------------------------------------------------------------- */

class optimizer : public handle<gm_optimizer, gm_optimizer_free> {
public:
    optimizer() = default; /* none: adam */
    optimizer(context &ctx, const char *name, const options &how = {})
    {
        ctx.check(gm_optimizer_create(ctx.get(), name, how.get(), &p_));
    }
    const char *name() const { return gm_optimizer_name(p_); }
};

/* Told now and then how a fit stands; false stops it. */
using progress_function = std::function<bool(const gm_progress &)>;

namespace detail {
/* Carries the caller's function through C, and what it threw back out. */
struct relay {
    const progress_function *tell;
#ifndef GENMOD_NO_EXCEPTIONS
    std::exception_ptr thrown;
#endif
    static std::int32_t call(void *user, const gm_progress *p)
    {
        relay *r = static_cast<relay *>(user);
#ifndef GENMOD_NO_EXCEPTIONS
        try {
            return (*r->tell)(*p) ? 0 : 1;
        } catch (...) {
            r->thrown = std::current_exception();
            return 1;
        }
#else
        return (*r->tell)(*p) ? 0 : 1;
#endif
    }
    bool check(context &ctx, gm_status code)
    {
#ifndef GENMOD_NO_EXCEPTIONS
        if (thrown)
            std::rethrow_exception(std::exchange(thrown, nullptr));
#endif
        return ctx.check(code);
    }
};
} // namespace detail

/* What to fit beside the training rows; every member may stay empty. */
struct fit_extras {
    const dataset *valid = nullptr;
    const optimizer *rule = nullptr;
    progress_function progress;
};

class trainer : public handle<gm_trainer, gm_trainer_free> {
public:
    trainer(context &ctx, const char *family, const dataset &rows, const options &how,
            const fit_extras &extras = {})
        : tell_(new progress_function(extras.progress)), relay_(new detail::relay{})
    {
        gm_fit_config c = config(rows, how, extras);
        ctx.check(gm_trainer_create(ctx.get(), family, &c, &p_));
    }
    static trainer resume(context &ctx, const char *family, const dataset &rows, const options &how,
                          const char *checkpoint, const fit_extras &extras = {})
    {
        trainer t(extras);
        gm_fit_config c = t.config(rows, how, extras);
        ctx.check(gm_trainer_resume(ctx.get(), family, &c, checkpoint, &t.p_));
        return t;
    }

    /* n more steps; 0: to the end. */
    void step(context &ctx, std::int64_t n = 0)
    {
        relay_->check(ctx, gm_trainer_step(ctx.get(), p_, n));
    }
    gm_progress progress(context &ctx) const
    {
        gm_progress at = {};
        at.struct_size = sizeof at;
        ctx.check(gm_trainer_progress(ctx.get(), p_, &at));
        return at;
    }
    double evaluate(context &ctx, const dataset &rows, double *error = nullptr)
    {
        double mean = std::numeric_limits<double>::quiet_NaN();
        ctx.check(gm_trainer_evaluate(ctx.get(), p_, rows.get(), &mean, error));
        return mean;
    }
    model get_model(context &ctx)
    {
        gm_model *m = nullptr;
        ctx.check(gm_trainer_model(ctx.get(), p_, &m));
        return model(m);
    }
    void checkpoint(context &ctx, const char *path) const
    {
        ctx.check(gm_trainer_checkpoint(ctx.get(), p_, path));
    }

private:
    explicit trainer(const fit_extras &extras)
        : tell_(new progress_function(extras.progress)), relay_(new detail::relay{})
    {
    }
    gm_fit_config config(const dataset &rows, const options &how, const fit_extras &extras)
    {
        gm_fit_config c = {};
        c.struct_size = sizeof c;
        c.train = rows.get();
        c.valid = extras.valid ? extras.valid->get() : nullptr;
        c.options = how.get();
        c.optimizer = extras.rule ? extras.rule->get() : nullptr;
        relay_->tell = tell_.get();
        if (*tell_) {
            c.progress = detail::relay::call;
            c.progress_user = relay_.get();
        }
        return c;
    }
    /* At addresses of their own: the library keeps a pointer, the trainer may move. */
    std::unique_ptr<progress_function> tell_;
    std::unique_ptr<detail::relay> relay_;
};

/* Fits a family to rows, from the first step to the model. */
inline model fit(context &ctx, const char *family, const dataset &rows, const options &how,
                 const fit_extras &extras = {})
{
    trainer t(ctx, family, rows, how, extras);
    t.step(ctx);
    return t.get_model(ctx);
}

} // namespace genmod
#endif
