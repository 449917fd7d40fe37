/* genmod/dataset.hpp: arrays and data. Part of genmod/genmod.hpp. */
#ifndef GENMOD_DATASET_HPP
#define GENMOD_DATASET_HPP

#include "genmod/base.hpp"

namespace genmod {

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

/* An array over a DLPack tensor's memory; the tensor is released with it. */
class dlpack_array : public handle<void, gm_array_release_dlpack> {
public:
    dlpack_array(context &ctx, void *managed) : handle(managed)
    {
        if (!ctx.check(gm_array_from_dlpack(ctx.get(), managed, &array_)))
            array_ = view(static_cast<double *>(nullptr), 0, 0);
    }
    operator gm_array() const { return array_; }

private:
    gm_array array_ = {};
};

/* Gives rows away as a DLManagedTensorVersioned, whose deleter frees them. Null after a failure. */
template <class T> void *to_dlpack(context &ctx, matrix<T> &&rows)
{
    std::unique_ptr<matrix<T>> kept(new matrix<T>(std::move(rows)));
    gm_array a = *kept;
    void *managed = nullptr;
    auto drop = [](void *user) { delete static_cast<matrix<T> *>(user); };
    if (ctx.check(gm_array_to_dlpack(ctx.get(), &a, drop, kept.get(), &managed)))
        kept.release();
    return managed;
}

namespace detail {
/* The shape of a row that a C function tells. */
template <class Call> std::vector<std::int64_t> shape(context &ctx, Call call)
{
    std::int32_t ndim = 0;
    std::int64_t sizes[8] = {};
    if (!ctx.check(call(&ndim, sizes)))
        return {};
    return std::vector<std::int64_t>(sizes, sizes + ndim);
}
} // namespace detail

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
    static dataset from_npy(context &ctx, const char *path)
    {
        return made(ctx, gm_dataset_from_npy, path);
    }
    static dataset from_idx(context &ctx, const char *path)
    {
        return made(ctx, gm_dataset_from_idx, path);
    }
    /* format: "csv", "tsv", "npy" or "idx"; name stands for a path in errors. */
    static dataset from_bytes(context &ctx, const byte_source &from, const char *format,
                              const options &how = {}, const char *name = nullptr)
    {
        detail::reader r(from);
        gm_dataset *p = nullptr;
        r.check(ctx, gm_dataset_from_reader(ctx.get(), &r.hook, format, name, how.get(), &p));
        return dataset(p);
    }
    /* read(first, count, out) fills count rows of doubles; false where it cannot. */
    using row_source = std::function<bool(std::int64_t, std::int64_t, double *)>;
    static dataset from_source(context &ctx, std::int64_t rows, std::int64_t columns,
                               const row_source &read)
    {
        source_relay r(read);
        gm_source source = {sizeof source, &r, rows, columns, source_relay::call};
        gm_dataset *p = nullptr;
        r.check(ctx, gm_dataset_from_source(ctx.get(), &source, &p));
        return dataset(p);
    }
    /* Columns as described (struct_size is filled in), the names of their categories (none: no
     * column has any), cells with categories by number, the shape of a row (none: a list). */
    static dataset from_columns(context &ctx, std::vector<gm_column> columns,
                                const std::vector<std::vector<const char *>> &categories,
                                const matrix<double> &cells,
                                const std::vector<std::int64_t> &shape = {})
    {
        std::vector<const char *const *> names(columns.size(), nullptr);
        for (std::size_t j = 0; j < columns.size(); j++) {
            columns[j].struct_size = sizeof columns[j];
            if (j < categories.size() && !categories[j].empty())
                names[j] = categories[j].data();
            if (columns[j].categories > std::int64_t(names[j] ? categories[j].size() : 0))
                return refused(ctx, "from_columns: a category needs a name");
        }
        if (std::int64_t(columns.size()) != cells.d)
            return refused(ctx, "from_columns: cells have another number of columns");
        return made(ctx, gm_dataset_from_columns, columns.data(), names.data(), cells.d,
                    cells.values.data(), cells.n, std::int32_t(shape.size()), shape.data());
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

    std::vector<std::int64_t> row_shape(context &ctx) const
    {
        return detail::shape(ctx, [&](std::int32_t *ndim, std::int64_t *sizes) {
            return gm_dataset_row_shape(ctx.get(), p_, ndim, sizes);
        });
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
    void write(context &ctx, const byte_sink &to, const char *format) const
    {
        detail::writer w(to);
        w.check(ctx, gm_dataset_write(ctx.get(), p_, &w.hook, format));
    }

private:
    struct source_relay : detail::carrier {
        const row_source *read;
        explicit source_relay(const row_source &f) : read(&f) {}
        static std::int32_t call(void *user, std::int64_t first, std::int64_t count, double *out)
        {
            source_relay *r = static_cast<source_relay *>(user);
            return r->run(std::int32_t(-1), [&] { return (*r->read)(first, count, out) ? 0 : -1; });
        }
    };
    static dataset refused(context &ctx, const char *why)
    {
        ctx.fail(GM_E_SHAPE, why);
        return dataset();
    }
    template <class F, class... A> static dataset made(context &ctx, F make, A... arguments)
    {
        gm_dataset *p = nullptr;
        ctx.check(make(ctx.get(), arguments..., &p));
        return dataset(p);
    }
};

} // namespace genmod
#endif
