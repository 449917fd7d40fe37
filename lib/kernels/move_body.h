/* Transposes by tiles in registers, and scattered sums: one instruction set. */
#include "kernels/move_tile.h"

/* One element at a time: edges, and sizes without a tile. */
static void ISA(turn_plain)(char *y, const char *x, int64_t i0, int64_t i1, int64_t j0, int64_t j1,
                            int64_t rows, int64_t stride, size_t size)
{
    for (int64_t j = j0; j < j1; j++)
        for (int64_t i = i0; i < i1; i++)
            memcpy(y + (size_t)(j * rows + i) * size, x + (size_t)(i * stride + j) * size, size);
}

/* A band of columns [j0, j1), the whole of it tiles, over rows [0, i1). */
static void ISA(turn_band4)(float *y, const float *x, int64_t i1, int64_t j0, int64_t j1,
                            int64_t rows, int64_t stride)
{
    for (int64_t i = 0; i < i1; i += VF)
        for (int64_t j = j0; j < j1; j += TILE_F) {
            vf t[TILE_F];
            ISA(tile_load_f)(t, x + i * stride + j, stride);
            GM_UNROLL
            for (int c = 0; c < TILE_F; c++)
                vf_store(y + (j + c) * rows + i, t[c]);
        }
}

static void ISA(turn_band8)(double *y, const double *x, int64_t i1, int64_t j0, int64_t j1,
                            int64_t rows, int64_t stride)
{
    for (int64_t i = 0; i < i1; i += VD)
        for (int64_t j = j0; j < j1; j += TILE_D) {
            vd t[TILE_D];
            ISA(tile_load_d)(t, x + i * stride + j, stride);
            GM_UNROLL
            for (int c = 0; c < TILE_D; c++)
                vd_store(y + (j + c) * rows + i, t[c]);
        }
}

/* y (cols, rows) from x (rows, cols), rows of x `stride` elements apart: bands of 128 bytes of each
 * row, so that what is read of a row is whole lines and what is written stays in the cache. */
static void ISA(turn)(char *y, const char *x, int64_t rows, int64_t cols, int64_t stride,
                      size_t size)
{
    int64_t lanes = size == 4 ? VF : VD, tile = size == 4 ? TILE_F : TILE_D;
    int64_t i1 = rows / lanes * lanes, j1 = cols / tile * tile;
    if ((size != 4 && size != 8) || stride < 0)
        i1 = j1 = 0;
    int64_t wide = 128 / (int64_t)size > 0 ? 128 / (int64_t)size : 1;
    for (int64_t j = 0; j < j1; j += wide) {
        int64_t end = j + wide < j1 ? j + wide : j1;
        if (size == 4)
            ISA(turn_band4)((float *)(void *)y, (const float *)(const void *)x, i1, j, end, rows,
                            stride);
        else
            ISA(turn_band8)((double *)(void *)y, (const double *)(const void *)x, i1, j, end, rows,
                            stride);
    }
    ISA(turn_plain)(y, x, i1, rows, 0, j1, rows, stride, size);
    ISA(turn_plain)(y, x, 0, rows, j1, cols, rows, stride, size);
}

static void ISA(transpose)(void *y, const void *x, int64_t rows, int64_t cols, size_t size)
{
    ISA(turn)(y, x, rows, cols, cols, size);
}

static void ISA(copy)(void *y, const void *x, int ndim, const int64_t *shape,
                      const int64_t *strides, size_t size)
{
    copy_strided(y, x, ndim, shape, strides, size, ISA(turn));
}

static void ISA(scatter_add_f32)(void *y, const void *x, const int32_t *index, int64_t n,
                                 int64_t count, int64_t cols, int64_t c0, int64_t c1)
{
    for (int64_t i = 0; i < n; i++) {
        if (index[i] < 0 || index[i] >= count)
            continue;
        float *to = (float *)y + index[i] * cols;
        const float *from = (const float *)x + i * cols;
        int64_t c = c0;
        for (; c + VF <= c1; c += VF)
            vf_store(to + c, vf_load(to + c) + vf_load(from + c));
        for (; c < c1; c++)
            to[c] += from[c];
    }
}

static void ISA(scatter_add_f64)(void *y, const void *x, const int32_t *index, int64_t n,
                                 int64_t count, int64_t cols, int64_t c0, int64_t c1)
{
    for (int64_t i = 0; i < n; i++) {
        if (index[i] < 0 || index[i] >= count)
            continue;
        double *to = (double *)y + index[i] * cols;
        const double *from = (const double *)x + i * cols;
        int64_t c = c0;
        for (; c + VD <= c1; c += VD)
            vd_store(to + c, vd_load(to + c) + vd_load(from + c));
        for (; c < c1; c++)
            to[c] += from[c];
    }
}

extern const gm__moves ISA(gm__moves);
const gm__moves ISA(gm__moves) = {
    ISA(copy), ISA(transpose), gather_rows, {ISA(scatter_add_f32), ISA(scatter_add_f64)}};

#undef TILE_F
#undef TILE_D
