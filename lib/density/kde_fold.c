/* Reflected kernels in one and two columns, asked of the estimate on the whole line: a row's images
 * at the query are the row itself at the query's images, which the grid, the moments and the tree's
 * plain kernels answer. The query's own place is asked under half of the promise; what is left of
 * it in its units is shared by the others, most of which lie so far away that this settles them. */
#include "density/kde_part.h"
#include "base/size.h"

#include <math.h>

enum { MOST_IMAGES = 64, CHUNK = 512 };

/* Images of a query in column j: 1 where it has no walls. */
static int64_t images_of(const gm__kde *k, int64_t j)
{
    return k->columns[j].kind == GM__KDE_REFLECT ? gm__kde_images(k, j) : 1;
}

static int64_t all_images(const gm__kde *k)
{
    int64_t count = 1, walls = 0;
    if (k->d > 2 || k->radial || k->root)
        return 0;
    for (int64_t j = 0; j < k->d; j++) {
        int32_t kind = k->columns[j].kind;
        if (kind != GM__KDE_REAL && kind != GM__KDE_REFLECT)
            return 0;
        walls += kind == GM__KDE_REFLECT;
        count *= images_of(k, j);
    }
    return walls && count <= MOST_IMAGES ? count : 0;
}

gm_status gm__kde_fold_create(gm_context *ctx, gm__kde *k)
{
    gm__kde_column columns[2];
    gm__kde_config c = {.n = k->count,
                        .d = k->d,
                        .stride = k->d,
                        .x = k->x,
                        .weights = k->even ? NULL : k->weight,
                        .factors = k->factor,
                        .columns = columns,
                        .plain = k->plain};
    if (k->plain || all_images(k) == 0)
        return GM_OK;
    for (int64_t j = 0; j < k->d; j++)
        columns[j] =
            (gm__kde_column){GM__KDE_REAL, k->columns[j].kernel, k->columns[j].bandwidth, 0, 0};
    return gm__kde_create(ctx, &c, &k->flat);
}

int gm__kde_folds(const gm__kde *k, const gm__kde_promise *promise)
{
    return k->flat && (promise->rtol > 0 || promise->atol > 0);
}

/* ---- Asking ---- */

typedef struct folded {
    const gm__kde *k;
    const gm__kernels *kernels;
    int64_t n, images, each[2]; /* of all columns, of one */
    double rtol, atol;
    double *y;               /* (CHUNK, d) places */
    double *low, *high;      /* (CHUNK) logarithms so far */
    double *one, *two, *gap; /* (CHUNK) of an image; what it may be off by, in its units */
    unsigned char *outside;
} folded;

/* Where image number i of q lies in column j; 0 is q itself. */
static double place(const gm__kde *k, int64_t j, int64_t i, double q)
{
    const gm__kde_column *c = &k->columns[j];
    double width = c->high - c->low;
    int64_t period = (i / 2 + 1) / 2 * (i / 2 % 2 ? 1 : -1);
    if (c->kind != GM__KDE_REFLECT)
        return q;
    double shift = width < INFINITY ? 2 * (double)period * width : 0;
    return i % 2 ? 2 * (c->low > -INFINITY ? c->low : c->high) - q + shift : q + shift;
}

static void set_places(folded *f, const double *q, int64_t stride, int64_t image)
{
    const gm__kde *k = f->k;
    for (int64_t i = 0; i < f->n; i++)
        for (int64_t j = 0, left = image; j < k->d; j++) {
            const gm__kde_column *c = &k->columns[j];
            double v = q[i * stride + j];
            if (c->kind == GM__KDE_REFLECT && (v < c->low || v > c->high)) {
                f->outside[i] = 1;
                v = c->low > -INFINITY ? c->low : c->high;
            }
            f->y[i * k->d + j] = place(k, j, left % f->each[j], v);
            left /= f->each[j];
        }
}

/* log(e^to + e^more) into to, moved by `off` roundings. */
static void add_logs(folded *f, double *to, double *more, double off)
{
    double *e = f->gap;
    for (int64_t i = 0; i < f->n; i++) {
        double least = to[i] < more[i] ? to[i] : more[i];
        to[i] = to[i] < more[i] ? more[i] : to[i];
        e[i] = least > -INFINITY ? least - to[i] : -INFINITY;
    }
    f->kernels->maps->map1[GM__F64][GM__EXP](e, e, f->n);
    f->kernels->maps->map1[GM__F64][GM__LOG1P](e, e, f->n);
    for (int64_t i = 0; i < f->n; i++)
        if (to[i] > -INFINITY)
            to[i] += e[i] + off * 0x1p-51 * (fabs(to[i]) + 1);
}

static gm_status ask_chunk(gm_context *ctx, folded *f, const double *q, int64_t stride)
{
    const gm__kde *k = f->k;
    gm__kde_promise promise = {0.5 * f->rtol, 0};
    double others = (double)(f->images - 1);
    for (int64_t i = 0; i < f->n; i++) {
        f->outside[i] = 0;
        f->gap[i] = 0.5 * f->atol;
    }
    for (int64_t image = 0; image < f->images; image++) {
        set_places(f, q, stride, image);
        double *low = image ? f->one : f->low, *high = image ? f->two : f->high;
        for (int64_t i = 0; i < f->n && image; i++)
            f->gap[i] = f->low[i] < 600 ? f->low[i] : 600;
        if (image == 1) /* what the first one leaves; kept behind */
            f->kernels->maps->map1[GM__F64][GM__EXP](f->gap + CHUNK, f->gap, f->n);
        for (int64_t i = 0; i < f->n && image; i++)
            f->gap[i] = 0.5 * (f->rtol * f->gap[CHUNK + i] * (1 - 0x1p-40) + f->atol) / others;
        GM_TRY(gm__kde_log_density_within(ctx, k->flat, f->y, f->n, k->d, &promise, f->gap, low,
                                          high));
        if (image) {
            add_logs(f, f->low, low, -1);
            add_logs(f, f->high, high, 1);
        }
    }
    return GM_OK;
}

static void take_chunk(folded *f, double *value, double *lower, double *upper)
{
    double *e = f->one;
    for (int64_t i = 0; i < f->n; i++) {
        if (f->outside[i])
            f->low[i] = f->high[i] = -INFINITY;
        e[i] = f->high[i] > -INFINITY ? f->low[i] - f->high[i] : 0;
    }
    f->kernels->maps->map1[GM__F64][GM__EXP](e, e, f->n);
    for (int64_t i = 0; i < f->n; i++)
        e[i] = 0.5 * (1 + e[i]);
    f->kernels->maps->map1[GM__F64][GM__LOG](e, e, f->n);
    for (int64_t i = 0; i < f->n; i++) {
        if (value)
            value[i] = f->high[i] > -INFINITY ? f->high[i] + e[i] : -INFINITY;
        if (lower)
            lower[i] = f->low[i];
        if (upper)
            upper[i] = f->high[i];
    }
}

gm_status gm__kde_fold_ask(gm_context *ctx, const gm__kde *k, const double *q, int64_t m,
                           int64_t stride, const gm__kde_promise *promise, double *value,
                           double *lower, double *upper)
{
    int64_t size = CHUNK * (k->d + 6);
    double *room = gm__alloc_array(&ctx->allocator, size + CHUNK, sizeof *room);
    gm_status code = room ? GM_OK : gm__no_memory(ctx);
    folded f = {.k = k,
                .kernels = ctx->kernels,
                .images = all_images(k),
                .rtol = promise->rtol,
                .atol = promise->atol};
    for (int64_t j = 0; j < k->d; j++)
        f.each[j] = images_of(k, j);
    if (!code) {
        f.low = room;
        f.high = f.low + CHUNK;
        f.one = f.high + CHUNK;
        f.two = f.one + CHUNK;
        f.gap = f.two + CHUNK; /* twice */
        f.y = f.gap + 2 * CHUNK;
        f.outside = (unsigned char *)(void *)(room + size);
    }
    for (int64_t first = 0; first < m && !code; first += CHUNK) {
        f.n = m - first < CHUNK ? m - first : CHUNK;
        code = ask_chunk(ctx, &f, q + first * stride, stride);
        if (!code)
            take_chunk(&f, value ? value + first : NULL, lower ? lower + first : NULL,
                       upper ? upper + first : NULL);
    }
    gm__free(&ctx->allocator, room, (size_t)(size + CHUNK) * sizeof *room);
    return code;
}
