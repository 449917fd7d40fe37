/* VN elements from their raw parameters, and gradients back to them, for BINS bins. With up to
 * BIN_ROOM bins the raw parameters are a tile in lanes; beyond, each column is collected when it
 * is wanted and its exponential computed again: the same bits, slower. */

/* Rows of raw parameters: a tile (tile[j]: column j; numerators take the place of raw widths and
 * heights) or, where tile is NULL, memory with `count` rows of `cols`. */
#define gm__rows BNAME(gm__rows)
typedef struct gm__rows {
    V *tile;
    const R *p;
    int64_t count, cols;
} gm__rows;

VINLINE void BNAME(load)(V *tile, const R *p, int cols)
{
    BIN_LOOP
    for (int j = 0; j + TILE <= cols; j += TILE)
        v_tile_load(tile + j, p + j, cols);
    if (cols % TILE)
        v_tile_load(tile + cols - TILE, p + cols - TILE, cols);
}

/* The tile is spoiled. The last, overlapping, tile goes first, from a copy. */
VINLINE void BNAME(store)(R *p, V *tile, int cols)
{
    if (cols % TILE) {
        V end[TILE];
        GM_UNROLL
        for (int j = 0; j < TILE; j++)
            end[j] = tile[cols - TILE + j];
        v_tile_store(p + cols - TILE, cols, end);
    }
    BIN_LOOP
    for (int j = 0; j + TILE <= cols; j += TILE)
        v_tile_store(p + j, cols, tile + j);
}

VINLINE V BNAME(raw)(const gm__rows *rows, int j)
{
    if (rows->tile)
        return rows->tile[j];
    R lanes[VN];
    for (int64_t i = 0; i < VN; i++)
        lanes[i] = rows->p[(i < rows->count ? i : rows->count - 1) * rows->cols + j];
    return v_load(lanes);
}

/* Numerator j of the softmax that starts at column `start`. */
VINLINE V BNAME(numerator)(const gm__rows *rows, int start, int j, V top)
{
    return rows->tile ? rows->tile[start + j] : B_EXP(BNAME(raw)(rows, start + j) - top);
}

VINLINE gm__axis BNAME(axis)(const gm__form *f, const gm__rows *rows, int start)
{
    const int K = BINS(f);
    gm__axis a;
    a.top = BNAME(raw)(rows, start);
    BIN_LOOP
    for (int j = 1; j < K; j++)
        a.top = v_max(a.top, BNAME(raw)(rows, start + j));
    V sum = v_set(0);
    BIN_LOOP
    for (int j = 0; j < K; j++) {
        V e = B_EXP(BNAME(raw)(rows, start + j) - a.top);
        if (rows->tile)
            rows->tile[start + j] = e;
        sum += e;
    }
    a.share = v_set(1) / sum;
    a.scale = v_set(f->spread) * a.share;
    return a;
}

/* The last bin whose left knot is at or under `at`. */
VINLINE gm__spot BNAME(find)(const gm__form *f, const gm__rows *rows, V at)
{
    const int K = BINS(f);
    gm__spot p;
    p.wide = BNAME(axis)(f, rows, 0);
    p.high = BNAME(axis)(f, rows, K);
    V wide = v_set(0), high = v_set(0), scale = f->inverse ? p.high.scale : p.wide.scale;
    p.bin = p.wide.before = p.high.before = v_set(0);
    p.wide.e = BNAME(numerator)(rows, 0, 0, p.wide.top);
    p.high.e = BNAME(numerator)(rows, K, 0, p.high.top);
    p.raw0 = p.raw1 = BNAME(raw)(rows, 2 * K);
    V e_wide = p.wide.e, e_high = p.high.e;
    BIN_LOOP
    for (int j = 1; j < K; j++) {
        wide += e_wide;
        high += e_high;
        V knot = v_set(f->unit * (R)j - f->bound) + scale * (f->inverse ? high : wide);
        MASK in = m_ge(at, knot);
        e_wide = BNAME(numerator)(rows, 0, j, p.wide.top);
        e_high = BNAME(numerator)(rows, K, j, p.high.top);
        p.bin = m_pick(in, v_set((R)j), p.bin);
        p.wide.before = m_pick(in, wide, p.wide.before);
        p.wide.e = m_pick(in, e_wide, p.wide.e);
        p.high.before = m_pick(in, high, p.high.before);
        p.high.e = m_pick(in, e_high, p.high.e);
        p.raw0 = m_pick(in, BNAME(raw)(rows, 2 * K + j - 1), p.raw0);
        if (j < K - 1)
            p.raw1 = m_pick(in, BNAME(raw)(rows, 2 * K + j), p.raw1);
    }
    p.first = m_ge(v_set(0), p.bin);
    p.last = m_ge(p.bin, v_set((R)(K - 1)));
    return p;
}

VINLINE MASK BNAME(inside)(const gm__form *f, V x)
{
    return m_ge(v_set(f->bound), v_abs(x));
}

VINLINE void BNAME(run_rows)(const gm__form *f, const gm__rows *rows, V x, V *y, V *log_slope)
{
    MASK in = BNAME(inside)(f, x);
    V at = m_pick(in, x, v_set(0)), zero = v_set(0);
    gm__spot p = BNAME(find)(f, rows, at);
    gm__curve c;
    RNAME(curve_at)(f, &p, at, &c);
    V to = f->inverse ? c.x0 + c.w * c.xi : c.y0 + c.h * (c.a * c.r);
    *y = m_pick(in, to, x);
    V v = c.s * c.r, log = B_LOG(v * v * c.A);
    *log_slope = m_pick(in, f->inverse ? zero - log : log, zero);
}

/* The adjoint of a raw slope column, and with it the pieces of dp. */
VINLINE void BNAME(put)(const gm__rows *rows, R *dp, int j, V g)
{
    if (rows->tile) {
        rows->tile[j] = g;
        return;
    }
    R lanes[VN];
    v_store(lanes, g);
    for (int64_t i = 0; i < rows->count; i++)
        dp[i * rows->cols + j] = lanes[i];
}

/* Through corner and side to the numerators (share of bin j pulled by `before` left of the bin, by
 * `side` in it), through the softmax to the raw parameters. */
VINLINE void BNAME(pull_axis)(const gm__form *f, const gm__rows *rows, R *dp, int start,
                              const gm__axis *a, V bin, V before, V side)
{
    const int K = BINS(f);
    V zero = v_set(0), mean = (before * a->before + side * a->e) * a->share;
    BIN_LOOP
    for (int j = 0; j < K; j++) {
        V pull = m_pick(m_ge(bin, v_set((R)j)), side, zero);
        pull = m_pick(m_ge(bin, v_set((R)(j + 1))), before, pull);
        V e = BNAME(numerator)(rows, start, j, a->top);
        BNAME(put)(rows, dp, start + j, e * a->scale * (pull - mean));
    }
}

VINLINE void BNAME(pull_slopes)(const gm__form *f, const gm__rows *rows, R *dp, V bin, V raw0,
                                V raw1)
{
    const int K = BINS(f);
    V zero = v_set(0);
    BIN_LOOP
    for (int j = 0; j < K - 1; j++) { /* the knot between bins j and j + 1 */
        V g = m_pick(m_ge(bin, v_set((R)j)), raw1, zero);
        g = m_pick(m_ge(bin, v_set((R)(j + 1))), raw0, g);
        g = m_pick(m_ge(bin, v_set((R)(j + 2))), zero, g);
        BNAME(put)(rows, dp, 2 * K + j, g);
    }
}

/* dp may be NULL without a tile. */
VINLINE void BNAME(grad_rows)(const gm__form *f, const gm__rows *rows, V x, V gy, V gl, V *dx,
                              R *dp)
{
    MASK in = BNAME(inside)(f, x);
    V at = m_pick(in, x, v_set(0));
    gm__spot p = BNAME(find)(f, rows, at);
    gm__curve c;
    RNAME(curve_at)(f, &p, at, &c);
    gm__pull g;
    RNAME(pull_back)(f, &c, m_pick(in, gy, v_set(0)), m_pick(in, gl, v_set(0)), &g);
    *dx = m_pick(in, g.x, gy);
    if (!dp)
        return;
    BNAME(pull_axis)(f, rows, dp, 0, &p.wide, p.bin, g.x0, g.w);
    BNAME(pull_axis)(f, rows, dp, BINS(f), &p.high, p.bin, g.y0, g.h);
    BNAME(pull_slopes)(f, rows, dp, p.bin, g.raw0, g.raw1);
}

/* VN whole elements. */
static void BNAME(run_tile)(const gm__form *f, R *y, R *log_slope, const R *x, const R *p)
{
    V tile[3 * BIN_ROOM], to, log;
    BNAME(load)(tile, p, 3 * BINS(f) - 1);
    gm__rows rows = {tile, p, VN, 3 * BINS(f) - 1};
    BNAME(run_rows)(f, &rows, v_load(x), &to, &log);
    v_store(y, to);
    v_store(log_slope, log);
}

static void BNAME(grad_tile)(const gm__form *f, R *dx, R *dp, const R *x, const R *p, const R *dy,
                             const R *dl)
{
    V tile[3 * BIN_ROOM], to;
    BNAME(load)(tile, p, 3 * BINS(f) - 1);
    gm__rows rows = {tile, p, VN, 3 * BINS(f) - 1};
    BNAME(grad_rows)(f, &rows, v_load(x), v_load(dy), v_load(dl), &to, dp);
    v_store(dx, to);
    if (dp)
        BNAME(store)(dp, tile, 3 * BINS(f) - 1);
}

#include "kernels/spline_loop.h"

#undef gm__rows
