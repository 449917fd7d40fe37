/* genmod/base.hpp: owners of handles, errors, contexts and options. Part of genmod/genmod.hpp. */
#ifndef GENMOD_BASE_HPP
#define GENMOD_BASE_HPP

#include "genmod/genmod.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
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
    bool check(gm_status code) { return code == GM_OK || fail(code, last_text(code)); }
    /* As check, with a text of the caller's own. Never true. */
    bool fail(gm_status code, std::string why)
    {
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

/* ---- The caller's functions, within C -------------------------------------------------------- */

/* Gives up to size bytes into buffer and says how many: 0 at the end, negative where it fails. */
using byte_source = std::function<std::int64_t(void *buffer, std::int64_t size)>;
/* Takes bytes; false where it cannot. */
using byte_sink = std::function<bool(const void *bytes, std::int64_t size)>;

/* Bytes in memory, which must live as long, as a source. */
inline byte_source bytes_at(const void *bytes, std::int64_t size)
{
    return [p = static_cast<const char *>(bytes), size](void *buffer, std::int64_t room) mutable {
        std::int64_t n = std::min(size, room);
        if (n > 0)
            std::memcpy(buffer, p, std::size_t(n));
        p += n;
        size -= n;
        return n;
    };
}

namespace detail {
/* Runs a function of the caller's below C, on any thread. Nothing may unwind through the library,
 * so the first thing that one throws is kept, and thrown again by check. */
class carrier {
public:
    carrier() = default;
    carrier(const carrier &) = delete;
    carrier &operator=(const carrier &) = delete;

    template <class Result, class Function> Result run(Result failed, Function f) noexcept
    {
#ifndef GENMOD_NO_EXCEPTIONS
        try {
            return f();
        } catch (...) {
            if (!caught_.test_and_set())
                thrown_ = std::current_exception();
            return failed;
        }
#else
        (void)failed;
        return f();
#endif
    }
    bool check(context &ctx, gm_status code)
    {
#ifndef GENMOD_NO_EXCEPTIONS
        if (thrown_) {
            caught_.clear();
            std::rethrow_exception(std::exchange(thrown_, nullptr));
        }
#endif
        return ctx.check(code);
    }

#ifndef GENMOD_NO_EXCEPTIONS
private:
    std::atomic_flag caught_ = ATOMIC_FLAG_INIT;
    std::exception_ptr thrown_;
#endif
};

/* The C forms of a source and of a sink, as long as these live. */
class reader : public carrier {
public:
    gm_reader hook;
    explicit reader(const byte_source &from) : hook{sizeof hook, this, read, nullptr}, from_(&from)
    {
    }

private:
    static std::int64_t read(void *user, void *buffer, std::int64_t size)
    {
        reader *r = static_cast<reader *>(user);
        return r->run(std::int64_t(-1), [&] { return (*r->from_)(buffer, size); });
    }
    const byte_source *from_;
};
class writer : public carrier {
public:
    gm_writer hook;
    explicit writer(const byte_sink &to) : hook{sizeof hook, this, write}, to_(&to) {}

private:
    static std::int32_t write(void *user, const void *bytes, std::int64_t size)
    {
        writer *w = static_cast<writer *>(user);
        return w->run(std::int32_t(-1), [&] { return (*w->to_)(bytes, size) ? 0 : -1; });
    }
    const byte_sink *to_;
};

/* All that a C function writes. */
template <class Call> std::string written(context &ctx, Call call)
{
    std::string all;
    byte_sink append = [&](const void *bytes, std::int64_t size) {
        all.append(static_cast<const char *>(bytes), std::size_t(size));
        return true;
    };
    writer w(append);
    w.check(ctx, call(&w.hook));
    return all;
}

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
inline gm_family_info find_family(context &ctx, const char *name)
{
    gm_family_info info = {};
    info.struct_size = sizeof info;
    ctx.check(gm_family_find(ctx.get(), name, &info));
    return info;
}

} // namespace genmod
#endif
