/* Views of a caller's memory. */
#include "base/array.h"
#include "base/size.h"

size_t gm__dtype_size(int32_t dtype)
{
    switch (dtype) {
    case GM_F32:
    case GM_I32:
        return 4;
    case GM_F64:
    case GM_I64:
        return 8;
    case GM_U8:
        return 1;
    default:
        return 0;
    }
}

void gm_array_init(gm_array *array, int32_t dtype, void *data, int64_t n, int64_t d)
{
    if (array)
        *array = (gm_array){.struct_size = sizeof *array,
                            .dtype = dtype,
                            .ndim = 2,
                            .data = data,
                            .shape = {n, d},
                            .strides = {d, 1}};
}

gm_status gm__array_check(gm_context *ctx, const gm_array *array, const char *what, int64_t *count)
{
    int64_t n = 1;
    if (!array)
        return gm__fail(ctx, GM_E_ARG, "array '%s' is missing", what);
    if (array->struct_size < sizeof *array)
        return gm__fail(ctx, GM_E_ARG, "array '%s' has struct_size %u, must be %d", what,
                        array->struct_size, (int)sizeof *array);
    if (gm__dtype_size(array->dtype) == 0)
        return gm__fail(ctx, GM_E_ARG, "array '%s' has dtype %d, which there is not", what,
                        array->dtype);
    if (array->ndim < 0 || array->ndim > 8)
        return gm__fail(ctx, GM_E_SHAPE, "array '%s' has %d dimensions, must be 0 to 8", what,
                        array->ndim);
    for (int32_t i = 0; i < array->ndim; i++)
        if (gm__mul64(n, array->shape[i], &n))
            return gm__fail(ctx, GM_E_SHAPE, "array '%s' has size %lld in dimension %d", what,
                            (long long)array->shape[i], i);
    if (n && !array->data)
        return gm__fail(ctx, GM_E_ARG, "array '%s' has no data", what);
    if (count)
        *count = n;
    return GM_OK;
}
