/* The loop over elements: whole vectors, then what is left through padded copies; many bins
 * without a tile. Part of spline_lanes.h. */

/* Up to VN elements in buffers of our own; in the padding x, dy and dl are 0 and the parameters
 * too. */
#define gm__end BNAME(gm__end)
typedef struct gm__end {
    R x[VN], dy[VN], dl[VN], p[VN * (3 * BIN_ROOM - 1)];
} gm__end;

VINLINE void BNAME(fill_end)(gm__end *e, const R *x, const R *p, const R *dy, const R *dl,
                             int64_t n, int64_t cols)
{
    for (int64_t i = 0; i < VN; i++) {
        e->x[i] = i < n ? x[i] : 0;
        e->dy[i] = dy && i < n ? dy[i] : 0;
        e->dl[i] = dl && i < n ? dl[i] : 0;
    }
    memcpy(e->p, p, (size_t)(n * cols) * sizeof(R));
    memset(e->p + n * cols, 0, (size_t)((VN - n) * cols) * sizeof(R));
}

#if BIN_ROOM == MOST_BINS
/* Any number of bins, n <= VN elements, straight from memory. */
static void BNAME(run_wide)(const gm__form *f, R *y, R *log_slope, const R *x, const R *p,
                            int64_t n)
{
    R xs[VN] = {0}, ys[VN], ls[VN];
    V to, log;
    gm__rows rows = {NULL, p, n, 3 * f->bins - 1};
    memcpy(xs, x, (size_t)n * sizeof(R));
    BNAME(run_rows)(f, &rows, v_load(xs), &to, &log);
    v_store(ys, to);
    v_store(ls, log);
    memcpy(y, ys, (size_t)n * sizeof(R));
    if (log_slope)
        memcpy(log_slope, ls, (size_t)n * sizeof(R));
}

static void BNAME(grad_wide)(const gm__form *f, R *dx, R *dp, const R *x, const R *p, const R *dy,
                             const R *dl, int64_t n)
{
    R xs[VN] = {0}, gys[VN] = {0}, gls[VN] = {0}, dxs[VN];
    V to;
    gm__rows rows = {NULL, p, n, 3 * f->bins - 1};
    memcpy(xs, x, (size_t)n * sizeof(R));
    if (dy)
        memcpy(gys, dy, (size_t)n * sizeof(R));
    if (dl)
        memcpy(gls, dl, (size_t)n * sizeof(R));
    BNAME(grad_rows)(f, &rows, v_load(xs), v_load(gys), v_load(gls), &to, dp);
    v_store(dxs, to);
    if (dx)
        memcpy(dx, dxs, (size_t)n * sizeof(R));
}
#endif

static void BNAME(run_all)(const gm__form *f, R *y, R *log_slope, const R *x, const R *p, int64_t n)
{
    const int64_t cols = 3 * BINS(f) - 1;
    for (int64_t i = 0; i < n; i += VN) {
        int64_t m = n - i < VN ? n - i : VN;
        R unused[VN], *log = log_slope ? log_slope + i : unused;
#if BIN_ROOM == MOST_BINS
        if (f->bins > MOST_BINS) {
            BNAME(run_wide)(f, y + i, log_slope ? log : NULL, x + i, p + i * cols, m);
            continue;
        }
#endif
        if (m == VN) {
            BNAME(run_tile)(f, y + i, log, x + i, p + i * cols);
            continue;
        }
        gm__end e;
        BNAME(fill_end)(&e, x + i, p + i * cols, NULL, NULL, m, cols);
        BNAME(run_tile)(f, e.dy, e.dl, e.x, e.p);
        memcpy(y + i, e.dy, (size_t)m * sizeof(R));
        memcpy(log, e.dl, (size_t)m * sizeof(R));
    }
}

static void BNAME(grad_all)(const gm__form *f, R *dx, R *dp, const R *x, const R *p, const R *dy,
                            const R *dl, int64_t n)
{
    const int64_t cols = 3 * BINS(f) - 1;
    static const R zeros[VN];
    for (int64_t i = 0; i < n; i += VN) {
        int64_t m = n - i < VN ? n - i : VN;
        const R *gy = dy ? dy + i : zeros, *gl = dl ? dl + i : zeros;
        R unused[VN], *to = dx ? dx + i : unused, *to_p = dp ? dp + i * cols : NULL;
#if BIN_ROOM == MOST_BINS
        if (f->bins > MOST_BINS) {
            BNAME(grad_wide)(f, to, to_p, x + i, p + i * cols, gy, gl, m);
            continue;
        }
#endif
        if (m == VN) {
            BNAME(grad_tile)(f, to, to_p, x + i, p + i * cols, gy, gl);
            continue;
        }
        gm__end e;
        BNAME(fill_end)(&e, x + i, p + i * cols, gy, gl, m, cols);
        BNAME(grad_tile)(f, e.x, dp ? e.p : NULL, e.x, e.p, e.dy, e.dl);
        memcpy(to, e.x, (size_t)m * sizeof(R));
        if (dp)
            memcpy(to_p, e.p, (size_t)(m * cols) * sizeof(R));
    }
}

#undef gm__end
