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

} // namespace genmod
#endif
