/* Strided copies and gathers: bytes in order, no arithmetic, the same for every instruction set. */
#ifndef GM__MOVE_COPY_H
#define GM__MOVE_COPY_H

#include <stdint.h>
#include <stddef.h>
#include <string.h>

#define GM_MOVE_DIMS 8

typedef void gm__turn_fn(char *y, const char *x, int64_t rows, int64_t cols, int64_t stride,
                         size_t size);

/* A shape with its strides, without sides of 1 and with neighbours joined where one step of the
 * outer is the whole run of the inner. */
typedef struct gm__walk {
    int ndim;
    int64_t shape[GM_MOVE_DIMS], strides[GM_MOVE_DIMS];
} gm__walk;

/* 0 if the shape holds nothing. */
static int walk_from(gm__walk *w, int ndim, const int64_t *shape, const int64_t *strides)
{
    w->ndim = 0;
    for (int i = 0; i < ndim; i++) {
        int last = w->ndim - 1;
        if (shape[i] == 0)
            return 0;
        if (shape[i] == 1)
            continue;
        if (last >= 0 && w->strides[last] == shape[i] * strides[i]) {
            w->shape[last] *= shape[i];
            w->strides[last] = strides[i];
            continue;
        }
        w->shape[w->ndim] = shape[i];
        w->strides[w->ndim++] = strides[i];
    }
    return 1;
}

#define COPY_RUN(type)                                                                             \
    do {                                                                                           \
        type *to = (type *)(void *)y;                                                              \
        const type *from = (const type *)(const void *)x;                                          \
        for (int64_t i = 0; i < n; i++)                                                            \
            to[i] = from[i * stride];                                                              \
    } while (0)

/* n elements `stride` apart to a run without gaps. */
static void copy_run(char *y, const char *x, int64_t n, int64_t stride, size_t size)
{
    if (stride == 1)
        memcpy(y, x, (size_t)n * size);
    else if (size == 4)
        COPY_RUN(uint32_t);
    else if (size == 8)
        COPY_RUN(uint64_t);
    else if (size == 1)
        COPY_RUN(uint8_t);
    else
        for (int64_t i = 0; i < n; i++)
            memcpy(y + (size_t)i * size, x + i * stride * (int64_t)size, size);
}
#undef COPY_RUN

/* Runs along the last side, or blocks over the last two where those are a transpose; an odometer
 * over the others. */
static void copy_strided(char *y, const char *x, int ndim, const int64_t *shape,
                         const int64_t *strides, size_t size, gm__turn_fn *turn)
{
    gm__walk w;
    if (!walk_from(&w, ndim, shape, strides))
        return;
    if (w.ndim == 0) {
        memcpy(y, x, size);
        return;
    }
    int64_t at[GM_MOVE_DIMS] = {0};
    int last = w.ndim - 1;
    int turned = last > 0 && w.strides[last - 1] == 1;
    int inner = turned ? last - 1 : last;
    int64_t block = turned ? w.shape[last - 1] * w.shape[last] : w.shape[last];
    for (;;) {
        if (turned)
            turn(y, x, w.shape[last], w.shape[last - 1], w.strides[last], size);
        else
            copy_run(y, x, w.shape[last], w.strides[last], size);
        y += (size_t)block * size;
        int i = inner - 1;
        for (; i >= 0 && at[i] == w.shape[i] - 1; i--) {
            x -= at[i] * w.strides[i] * (int64_t)size;
            at[i] = 0;
        }
        if (i < 0)
            return;
        at[i]++;
        x += w.strides[i] * (int64_t)size;
    }
}

static void gather_rows(void *y, const void *x, const int32_t *index, int64_t n, int64_t count,
                        int64_t cols, size_t size)
{
    size_t row = (size_t)cols * size;
    if (row == 0)
        return;
    char *to = y;
    for (int64_t i = 0; i < n; i++, to += row) {
        if (index[i] >= 0 && index[i] < count)
            memcpy(to, (const char *)x + (size_t)index[i] * row, row);
        else
            memset(to, 0, row);
    }
}

#endif
