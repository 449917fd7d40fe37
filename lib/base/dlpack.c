/* Exchange of arrays with DLPack, version 1.
 *
 * The structures follow the public specification (dmlc.github.io/dlpack): the layout is its ABI,
 * the names are ours. */
#include "base/array.h"
#include "base/size.h"

#include <string.h>

typedef struct pack_tensor {
    void *data;
    int32_t device_type, device_id;
    int32_t ndim;
    uint8_t code, bits; /* of the element's type */
    uint16_t lanes;
    int64_t *shape;
    int64_t *strides; /* in elements; NULL: row-major */
    uint64_t byte_offset;
} pack_tensor;

typedef struct pack {
    uint32_t major, minor;
    void *owner;
    void (*deleter)(struct pack *self);
    uint64_t flags;
    pack_tensor tensor;
} pack;

enum { MAJOR = 1, CPU = 1, READ_ONLY = 1 };
enum { CODE_INT = 0, CODE_UINT = 1, CODE_FLOAT = 2 };

static const struct {
    int32_t dtype;
    uint8_t code, bits;
} types[] = {{GM_F32, CODE_FLOAT, 32},
             {GM_F64, CODE_FLOAT, 64},
             {GM_U8, CODE_UINT, 8},
             {GM_I32, CODE_INT, 32},
             {GM_I64, CODE_INT, 64}};
enum { TYPES = sizeof types / sizeof types[0] };

/* ---- In ---- */

static int32_t find_dtype(const pack_tensor *t)
{
    for (int i = 0; i < TYPES && t->lanes == 1; i++)
        if (types[i].code == t->code && types[i].bits == t->bits)
            return types[i].dtype;
    return 0;
}

static gm_status check_pack(gm_context *ctx, const pack *p)
{
    const pack_tensor *t = &p->tensor;
    if (p->major != MAJOR)
        return gm__fail(ctx, GM_E_UNSUPPORTED, "the DLPack tensor is of version %u, must be 1",
                        p->major);
    if (t->device_type != CPU)
        return gm__fail(ctx, GM_E_UNSUPPORTED,
                        "the DLPack tensor lies on device %d, must be 1 (CPU)", t->device_type);
    if (!find_dtype(t))
        return gm__fail(
            ctx, GM_E_UNSUPPORTED,
            "the DLPack tensor holds type %u of %u bits and %u lanes; there are float32, "
            "float64, uint8, int32 and int64",
            t->code, t->bits, t->lanes);
    if (t->ndim < 0 || t->ndim > 8)
        return gm__fail(ctx, GM_E_SHAPE, "the DLPack tensor has %d dimensions, must be 0 to 8",
                        t->ndim);
    if (t->ndim && !t->shape)
        return gm__fail(ctx, GM_E_ARG, "the DLPack tensor has no shape");
    return GM_OK;
}

static gm_status from_pack(gm_context *ctx, const pack *p, gm_array *array)
{
    gm_array a = {.struct_size = sizeof a};
    GM_TRY(check_pack(ctx, p));
    const pack_tensor *t = &p->tensor;
    a.dtype = find_dtype(t);
    a.ndim = t->ndim;
    a.flags = p->flags & READ_ONLY ? GM_ARRAY_READ_ONLY : 0;
    a.data = t->data ? (char *)t->data + t->byte_offset : NULL;
    if (a.ndim)
        memcpy(a.shape, t->shape, (size_t)a.ndim * sizeof *a.shape);
    GM_TRY(gm__array_check(ctx, &a, "dlpack", NULL));
    int64_t stride = 1;
    for (int32_t i = a.ndim - 1; i >= 0; i--) {
        a.strides[i] = t->strides ? t->strides[i] : stride;
        if (gm__mul64(stride, a.shape[i], &stride) || stride == 0)
            stride = 1; /* there are no elements */
    }
    *array = a;
    return GM_OK;
}

gm_status gm_array_from_dlpack(gm_context *ctx, void *managed, gm_array *array)
{
    gm__entry entry;
    GM_TRY(gm__enter(ctx, &entry));
    gm_status code = managed && array ? from_pack(ctx, managed, array)
                                      : gm__fail(ctx, GM_E_ARG, "no DLPack tensor or no array");
    return gm__leave(ctx, &entry, code);
}

void gm_array_release_dlpack(void *managed)
{
    pack *p = managed;
    if (p && p->deleter)
        p->deleter(p);
}

/* ---- Out ---- */

/* What we hand out, with what the tensor points to. */
typedef struct lent {
    pack pack;
    int64_t shape[8], strides[8];
    gm_allocator allocator;
    void (*release)(void *user);
    void *user;
} lent;

static void delete_lent(pack *self)
{
    lent *l = self->owner;
    gm_allocator a = l->allocator;
    void (*release)(void *user) = l->release;
    void *user = l->user;
    gm__free(&a, l, sizeof *l);
    if (release)
        release(user);
}

static gm_status to_pack(gm_context *ctx, const gm_array *array, void (*release)(void *user),
                         void *user, void **managed)
{
    GM_TRY(gm__array_check(ctx, array, "array", NULL));
    lent *l = gm__alloc(&ctx->allocator, sizeof *l);
    if (!l)
        return gm__no_memory(ctx);
    l->allocator = ctx->allocator;
    l->release = release;
    l->user = user;
    memcpy(l->shape, array->shape, sizeof l->shape);
    memcpy(l->strides, array->strides, sizeof l->strides);
    l->pack = (pack){.major = MAJOR, .owner = l, .deleter = delete_lent};
    l->pack.flags = array->flags & GM_ARRAY_READ_ONLY ? READ_ONLY : 0;
    l->pack.tensor = (pack_tensor){.data = array->data,
                                   .device_type = CPU,
                                   .ndim = array->ndim,
                                   .lanes = 1,
                                   .shape = l->shape,
                                   .strides = l->strides};
    for (int i = 0; i < TYPES; i++)
        if (types[i].dtype == array->dtype) {
            l->pack.tensor.code = types[i].code;
            l->pack.tensor.bits = types[i].bits;
        }
    *managed = &l->pack;
    return GM_OK;
}

gm_status gm_array_to_dlpack(gm_context *ctx, const gm_array *array, void (*release)(void *user),
                             void *user, void **managed)
{
    gm__entry entry;
    if (managed)
        *managed = NULL;
    GM_TRY(gm__enter(ctx, &entry));
    gm_status code = managed ? to_pack(ctx, array, release, user, managed)
                             : gm__fail(ctx, GM_E_ARG, "no place for the DLPack tensor");
    return gm__leave(ctx, &entry, code);
}
