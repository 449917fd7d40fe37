/* What a direct family has learned, and what it may ask of its model. */
#include "model/direct.h"
#include "base/size.h"

#include <math.h>
#include <string.h>

/* ---- Frame ----------------------------------------------------------------------------------- */

int64_t gm_frame_int(const gm_frame *f, const char *name)
{
    return f && name ? gm__value_int(f->values, name) : 0;
}

double gm_frame_real(const gm_frame *f, const char *name)
{
    return f && name ? gm__value_real(f->values, name) : 0;
}

const char *gm_frame_text(const gm_frame *f, const char *name)
{
    return f && name ? gm__value_text(f->values, name) : "";
}

int32_t gm_frame_ints(const gm_frame *f, const char *name, const int64_t **values)
{
    *values = NULL;
    return f && name ? (int32_t)gm__value_ints(f->values, name, values) : 0;
}

int32_t gm_frame_given(const gm_frame *f, const char *name)
{
    if (!f || !name || !gm__value_known(f->values, name))
        return 0;
    if (f->going_on)
        return f->said && gm__options_find(f->said, name);
    return gm__value_given(f->values, name);
}

uint64_t gm_frame_seed(const gm_frame *f)
{
    return (uint64_t)gm_frame_int(f, "seed");
}

int64_t gm_frame_width(const gm_frame *f)
{
    return f ? f->structure->width : 0;
}

int32_t gm_frame_x_column(const gm_frame *f, int64_t j, gm_x_column *column)
{
    if (!f || !column || j < 0 || j >= f->structure->width ||
        column->struct_size < sizeof column->struct_size)
        return 0;
    gm_x_column full = f->structure->x_columns[j];
    full.struct_size = column->struct_size;
    memcpy(column, &full, full.struct_size < sizeof full ? full.struct_size : sizeof full);
    return 1;
}

/* ---- Tensors --------------------------------------------------------------------------------- */

gm_status gm__tensors_create(gm_context *ctx, gm_tensors **t)
{
    *t = gm__alloc(&ctx->allocator, sizeof **t);
    if (!*t)
        return gm__no_memory(ctx);
    (*t)->allocator = ctx->allocator;
    return GM_OK;
}

void gm__tensors_free(gm_tensors *t)
{
    if (!t)
        return;
    gm_allocator a = t->allocator;
    for (int64_t i = 0; i < t->count; i++) {
        gm__free_text(&a, t->list[i].name);
        gm__free(&a, t->list[i].data, (size_t)t->list[i].count * sizeof(double));
    }
    gm__free(&a, t->list, (size_t)t->room * sizeof *t->list);
    gm__free(&a, t, sizeof *t);
}

static const gm__named *find(const gm_tensors *t, const char *name)
{
    for (int64_t i = 0; t && name && i < t->count; i++)
        if (strcmp(t->list[i].name, name) == 0)
            return &t->list[i];
    return NULL;
}

static gm_status make_room(gm_context *ctx, gm_tensors *t)
{
    if (t->count < t->room)
        return GM_OK;
    int64_t room = 2 * t->room + 8;
    gm__named *list = gm__resize(&t->allocator, t->list, (size_t)t->room * sizeof *list,
                                 (size_t)room * sizeof *list);
    if (!list)
        return gm__no_memory(ctx);
    t->list = list;
    t->room = room;
    return GM_OK;
}

static gm_status check_shape(gm_context *ctx, const char *name, int32_t ndim, const int64_t *shape,
                             int64_t *count)
{
    *count = 1;
    int fits = ndim >= 0 && ndim <= 8 && (ndim == 0 || shape);
    for (int32_t i = 0; fits && i < ndim; i++)
        fits = shape[i] >= 0 && !gm__mul64(*count, shape[i], count);
    if (!fits || *count > INT64_MAX / 16)
        return gm__fail(ctx, GM_E_RANGE, "gm_tensors_add: '%.*s' has a shape that cannot be", 60,
                        name);
    return GM_OK;
}

gm_status gm_tensors_add(gm_context *ctx, gm_tensors *t, const char *name, int32_t ndim,
                         const int64_t *shape, double **data)
{
    int64_t count;
    if (!t || !name || !name[0] || !data)
        return gm__fail(ctx, GM_E_ARG, "gm_tensors_add: t, name or data is missing");
    *data = NULL;
    if (find(t, name) || strcmp(name, "transform") == 0)
        return gm__fail(ctx, GM_E_ARG, "gm_tensors_add: there is an array '%.*s' already", 60,
                        name);
    GM_TRY(check_shape(ctx, name, ndim, shape, &count));
    GM_TRY(make_room(ctx, t));
    gm__named n = {.ndim = ndim, .count = count};
    for (int32_t i = 0; i < ndim; i++)
        n.shape[i] = shape[i];
    n.name = gm__copy_text(&t->allocator, name);
    gm_status code = n.name ? GM_OK : gm__no_memory(ctx);
    if (!code)
        code = gm__alloc_large(ctx, (size_t)count * sizeof *n.data, &n.data);
    if (code) {
        gm__free_text(&t->allocator, n.name);
        return code;
    }
    t->list[t->count++] = n;
    *data = n.data;
    return GM_OK;
}

const double *gm_tensors_get(const gm_tensors *t, const char *name, int32_t *ndim,
                             const int64_t **shape)
{
    static const double nothing[1] = {0}; /* of an array without elements */
    const gm__named *n = find(t, name);
    if (ndim)
        *ndim = n ? n->ndim : 0;
    if (shape)
        *shape = n ? n->shape : NULL;
    return n ? (n->data ? n->data : nothing) : NULL;
}

const char *gm__tensors_unsound(const gm_tensors *t)
{
    for (int64_t i = 0; i < t->count; i++)
        for (int64_t k = 0; k < t->list[i].count; k++)
            if (!isfinite(t->list[i].data[k]))
                return t->list[i].name;
    return NULL;
}

gm_status gm__direct_read(gm_context *ctx, const gm__tensor_file *f, const char *file,
                          const char *besides, gm_tensors **out)
{
    gm_tensors *t;
    GM_TRY(gm__tensors_create(ctx, &t));
    gm_status code = GM_OK;
    for (int64_t i = 0; i < f->count && !code; i++) {
        const gm__tensor *from = &f->tensors[i];
        double *data;
        if (strcmp(from->name, besides) == 0)
            continue;
        code = gm__check_cancel(ctx);
        if (!code && from->dtype != GM_F64)
            code = gm__fail(ctx, GM_E_FORMAT, "%s: the tensor '%.*s' is not of F64", file, 60,
                            from->name);
        if (!code)
            code = gm_tensors_add(ctx, t, from->name, from->ndim, from->shape, &data);
        if (!code && from->count)
            memcpy(data, from->data, (size_t)from->count * sizeof *data);
    }
    const char *unsound = code ? NULL : gm__tensors_unsound(t);
    if (unsound)
        code = gm__fail(ctx, GM_E_FORMAT, "%s: the tensor '%.*s' holds a number that is not finite",
                        file, 60, unsound);
    if (code)
        gm__tensors_free(t);
    *out = code ? NULL : t;
    return code;
}

/* ---- For the functions of a family ----------------------------------------------------------- */

gm_status gm_context_fail(gm_context *ctx, gm_status code, const char *text)
{
    return ctx && code ? gm__fail(ctx, code, "%s", text ? text : "") : code;
}

gm_status gm_context_cancelled(gm_context *ctx)
{
    return ctx ? gm__check_cancel(ctx) : GM_OK;
}
