/* Log densities between bounds. A question walks down the tree, nearer child first; a node whose
 * kernel values differ so little that the promise allows it counts as its bounds, and what nodes
 * leave of their share of the allowance passes on to the next (Lee and Gray 2006, "Faster Gaussian
 * summation", for the tokens; Gray and Moore 2003 for the bounds). */
#include "density/kde_part.h"
#include "base/size.h"

#include <math.h>

enum { DEPTH = 192, CHUNK = 64 };
#define NARROW 0x1p-24

typedef struct entry {
    int64_t node;
    int32_t depth;
    double low, high; /* of the kernel over the node */
    double a[2];      /* exponents there */
} entry;

typedef struct walk {
    gm__kde_query *s;
    double rtol, atol, asked; /* atol in units of the sum; and of the density */
    int narrow;               /* float where its error fits */
    int decide;               /* stop once the sum is above or below level */
    double log_level, level, margin;
    double low, gap, done, all, share; /* share: 1 / all */
    double noise;                      /* what float may have added or lost */
    int64_t count;                     /* of the stack */
    entry stack[DEPTH];
} walk;

/* ---- Nodes ---- */

/* e^-a a little too large and a little too small: within 6.5 %. */
static double above_exp(const gm__kde *k, double a)
{
    if (!(a < GM__KDE_POWERS - 68))
        a = GM__KDE_POWERS - 68;
    int i = (int)a;
    return k->powers[i] * k->powers[GM__KDE_POWERS + (int)((a - i) * 16)];
}

static double below_exp(const gm__kde *k, double a)
{
    if (!(a < GM__KDE_POWERS - 68))
        return 0;
    int i = (int)a;
    return k->powers[i] * k->powers[GM__KDE_POWERS + (int)((a - i) * 16) + 1];
}

/* Half the least and largest squared distance over a node, in bandwidths. */
static void gauss_bounds(const gm__kde_query *s, int64_t node, double a[2])
{
    const gm__kde *k = s->k;
    const double *low = k->box + node * 2 * k->d, *high = low + k->d;
    double near = 0, far = 0;
    for (int64_t j = 0; j < k->d; j++) {
        double l = (low[j] - s->q[j]) * k->inverse[j], r = (s->q[j] - high[j]) * k->inverse[j];
        double n = l > r ? l : r, f = l < r ? l : r;
        n = n > 0 ? n : 0;
        near += n * n;
        far += f * f;
    }
    if (k->range) {
        near /= k->range[2 * node + 1] * k->range[2 * node + 1];
        far /= k->range[2 * node] * k->range[2 * node];
    }
    a[0] = 0.5 * near;
    a[1] = 0.5 * far;
}

static void node_bounds(const gm__kde_query *s, int64_t node, double a[2], double m[2])
{
    if (!s->k->gauss) {
        gm__kde_node_bounds(s, node, a, m);
        return;
    }
    m[0] = m[1] = 1;
    gauss_bounds(s, node, a);
}

static entry make_entry(const gm__kde_query *s, int64_t node)
{
    double m[2], *a;
    entry e = {.node = node};
    a = e.a;
    if (!(s->k->mass[node] > 0))
        return e;
    node_bounds(s, node, a, m);
    a[0] -= s->shift;
    a[1] -= s->shift;
    if (a[0] == 0 && a[1] == 0) { /* kernels of the unit support */
        e.high = m[1];
        e.low = m[0];
    } else if (a[0] >= 0 && a[1] >= 0) {
        e.high = m[1] * above_exp(s->k, a[0]);
        e.low = m[0] > 0 ? m[0] * below_exp(s->k, a[1]) : 0;
    } else {
        e.high = m[1] > 0 ? m[1] * gm__kde_map(s->kernels, GM__EXP, a[0] > -700 ? -a[0] : 700) : 0;
        e.low = m[0] * gm__kde_map(s->kernels, GM__EXP, -a[1]) * (1 - 0x1p-40);
    }
    return e;
}

/* ---- Leaves ---- */

static gm__kernel_block block_of(const gm__kde *k, int64_t block)
{
    const double *x = gm__kde_block(k, block), *w = x + k->wide * k->stride;
    int64_t n = (k->fill[block] + 15) & ~(int64_t)15;
    return (gm__kernel_block){x,         w, k->adaptive ? w + k->stride : NULL,
                              k->stride, n, k->gauss ? k->d : k->wide};
}

/* Exponents and factors of a block's rows, without the radial kernel. */
static void parts_of(gm__kde_query *s, const gm__kernel_block *b)
{
    for (int64_t i = 0; i < b->n; i++) {
        s->a[i] = 0;
        s->m[i] = 1;
    }
    for (int64_t j = 0; j < s->k->d; j++)
        s->kernels->densities->term(b, &s->term[j], s->a, s->m);
}

/* Weight of rows so near the edge of a radial kernel's support that rounding decides on which side
 * they are, or, where the kernel is continuous, in the support: its values are off by so much. */
static double edge_of(const gm__kde_query *s, const gm__kernel_block *b)
{
    int32_t kernel = s->k->columns[0].kernel;
    double near = 0x1p-51 * (double)(s->k->d + 16), sum = 0;
    if (kernel == GM__KERNEL_EXPONENTIAL)
        return 0;
    for (int64_t i = 0; i < b->n; i++) {
        double t = 1 - s->a[i];
        if (kernel == GM__KERNEL_TOPHAT)
            sum += fabs(t) <= near ? b->w[i] : 0;
        else
            sum += t > -near ? b->w[i] * 8 * near : 0;
    }
    return sum;
}

static double wide_leaf(walk *w, int64_t block)
{
    gm__kde_query *s = w->s;
    gm__kernel_block b = block_of(s->k, block);
    const gm__densities *f = s->kernels->densities;
    if (s->k->gauss)
        return f->gauss(&b, s->q, s->k->inverse, s->shift);
    parts_of(s, &b);
    if (s->k->radial) {
        double edge = edge_of(s, &b);
        f->radial(s->k->columns[0].kernel, s->a, s->m, b.n);
        w->gap += 2 * edge;
        w->low -= edge;
    }
    return f->total(s->a, s->m, b.w, s->shift, b.n);
}

/* In float: each of the differences is off by 2^-24 (|v| + |y| + |u|) at most, |v| + |y| being
 * under the distance to the far side, so that an exponent a is off by 2^-24 (2 sqrt(a far) + (d / 2
 * + 4) a). Rows with exponents over near + 12 count with their weight. */
static double narrow_leaf(walk *w, int64_t block, const double a[2])
{
    gm__kde_query *s = w->s;
    const gm__kde *k = s->k;
    int64_t node = gm__kde_node(k, block), n = (k->fill[block] + 15) & ~(int64_t)15;
    const double *box = k->box + node * 2 * k->d;
    const float *x = k->narrow + block * (k->d + 1) * k->stride;
    double most = a[0] + 12 < a[1] ? a[0] + 12 : a[1], sum;
    double slope = (0.5 * (double)k->d + 4) * NARROW;
    double length = sqrt(a[1] * most) * 2 * NARROW + slope * most;
    for (int64_t j = 0; j < k->d; j++)
        s->narrow[j] = (float)((s->q[j] - 0.5 * (box[j] + box[k->d + j])) * k->inverse[j]);
    sum = s->kernels->densities->gauss_f32(s->narrow, x, x + k->d * k->stride, k->stride, n, k->d);
    double base = (8 + (double)k->stride / 16) * NARROW, off = sum * (base + length);
    if (most < a[1])
        off += k->mass[node] * above_exp(k, most) * (base + (slope + 4 * NARROW) * a[1]);
    off += k->mass[node] * 0x1p-124 + 0x1p-118;
    w->noise += 2 * off;
    return sum - off;
}

static void leaf(walk *w, const entry *e)
{
    const gm__kde *k = w->s->k;
    int64_t block = e->node - k->leaves;
    if (w->narrow && e->high > 1e-25 && e->a[1] < 1e4)
        w->low += narrow_leaf(w, block, e->a);
    else
        w->low += wide_leaf(w, block);
    w->done += k->mass[e->node];
}

/* ---- The walk ---- */

/* Whether the bounds so far decide; sums of the stack are made anew, so that nothing is lost. */
static int decided(const walk *w)
{
    const gm__kde *k = w->s->k;
    double open = 0;
    if (!w->decide)
        return 0;
    if (w->low * (1 - w->margin) > w->level)
        return 1;
    for (int64_t i = 0; i < w->count; i++)
        open += k->mass[w->stack[i].node] * w->stack[i].high;
    return (w->low + w->gap + w->noise + open) * (1 + w->margin) < w->level;
}

/* Takes the node as its bounds where the allowance permits. */
static int pruned(walk *w, const entry *e)
{
    double mass = w->s->k->mass[e->node], spread = mass * (e->high - e->low);
    double low = w->low > 0 ? w->low : 0;
    if (w->gap + spread > 2 * (w->rtol * low + w->atol) * ((w->done + mass) / w->all) && spread > 0)
        return 0;
    w->low += mass * e->low;
    w->gap += spread;
    w->done += mass;
    return 1;
}

/* Takes the node as what its moments say, where their rounding fits the allowance. */
static int summed(walk *w, const entry *e)
{
    const gm__kde *k = w->s->k;
    double mass = k->mass[e->node], sum, error, low = w->low > 0 ? w->low : 0;
    if (!k->moments || w->s->shift != 0 || !gm__kde_moments_sum(w->s, e->node, &sum, &error))
        return 0;
    if (w->gap + 2 * error > 2 * (w->rtol * (low + sum) + w->atol) * ((w->done + mass) / w->all))
        return 0;
    w->low += sum - error;
    w->gap += 2 * error;
    w->done += mass;
    return 1;
}

static int nearer(const entry *a, const entry *b)
{
    return a->high > b->high || (a->high == b->high && a->low >= b->low);
}

static void run_from(walk *w, int64_t node)
{
    const gm__kde *k = w->s->k;
    w->count = 1;
    w->stack[0] = make_entry(w->s, node);
    while (w->count > 0) {
        entry e = w->stack[--w->count];
        if (pruned(w, &e) || summed(w, &e))
            continue;
        if (e.node >= k->leaves) {
            leaf(w, &e);
            if (w->decide && decided(w))
                return;
            continue;
        }
        entry left = make_entry(w->s, 2 * e.node), right = make_entry(w->s, 2 * e.node + 1);
        int first = nearer(&left, &right);
        w->stack[w->count++] = first ? right : left;
        w->stack[w->count++] = first ? left : right;
    }
}

static entry of_sixteen(const gm__sixteen *b, int i, int64_t node, int32_t depth)
{
    return (entry){node + i, depth, b->low[i], b->high[i], {b->near[i], b->far[i]}};
}

static void open_leaf(walk *w, const entry *e)
{
    if (!pruned(w, e))
        leaf(w, e);
}

/* The same walk, 16 boxes at a time; of leaves only the nearest comes out of turn. */
static void run_fans(walk *w)
{
    const gm__kde *k = w->s->k;
    gm__sixteen b;
    w->stack[0] = (entry){.node = 1, .high = 1};
    for (w->count = 1; w->count > 0;) {
        entry e = w->stack[--w->count];
        if (pruned(w, &e))
            continue;
        int32_t step = e.depth ? 4 : k->top, depth = e.depth + step, n = 1 << step;
        int64_t group = e.node - ((int64_t)1 << e.depth), base = e.node << step;
        int32_t at = e.depth ? (e.depth - k->top) / 4 + 1 : 0;
        w->s->kernels->densities->boxes(k->fan + k->fan_at[at] + group * 32 * k->d, w->s->q,
                                        k->inverse, k->d, &b);
        if (depth < k->depth) {
            int64_t bottom = w->count;
            for (int i = 0; i < n; i++) {
                int64_t to = w->count++;
                for (; to > bottom && w->stack[to - 1].a[0] < b.near[i]; to--)
                    w->stack[to] = w->stack[to - 1];
                w->stack[to] = of_sixteen(&b, i, base, depth);
            }
            continue;
        }
        int first = 0;
        for (int i = 1; i < n; i++)
            first = b.near[i] < b.near[first] ? i : first;
        for (int i = -1; i < n; i++) {
            entry c = of_sixteen(&b, i < 0 ? first : i, base, depth);
            if (i != first)
                open_leaf(w, &c);
        }
    }
}

static void run(walk *w)
{
    const gm__kde *k = w->s->k;
    w->low = w->gap = w->done = w->noise = 0;
    w->all = k->mass[1];
    w->share = 1 / w->all;
    if (w->narrow && k->fan && !w->decide)
        run_fans(w);
    else
        run_from(w, 1);
    w->gap += w->noise;
    w->noise = 0;
    w->low -= w->all * 0x1p-1020; /* what exponentials were cut at */
    w->gap += w->all * 0x1p-1020;
    w->gap += w->low < 0 ? w->low : 0;
    w->low = w->low < 0 ? 0 : w->low;
}

/* ---- Far away ---- */

static void least_of_leaf(gm__kde_query *s, int64_t block, double *best)
{
    gm__kernel_block b = block_of(s->k, block);
    parts_of(s, &b);
    if (s->k->radial)
        s->kernels->densities->radial(s->k->columns[0].kernel, s->a, s->m, b.n);
    for (int64_t i = 0; i < b.n; i++)
        if (b.w[i] > 0 && s->m[i] > 0 && s->a[i] < *best)
            *best = s->a[i];
}

static void least_from(walk *w, int64_t node, double *best)
{
    const gm__kde *k = w->s->k;
    double at[DEPTH], a[2], m[2];
    w->stack[0].node = node;
    at[0] = 0;
    for (w->count = 1; w->count > 0;) {
        int64_t now = w->stack[--w->count].node;
        if (!(k->mass[now] > 0) || (at[w->count] >= *best))
            continue;
        if (now >= k->leaves) {
            least_of_leaf(w->s, now - k->leaves, best);
            continue;
        }
        double l[2], r[2];
        gm__kde_node_bounds(w->s, 2 * now, a, m);
        l[0] = m[1] > 0 ? a[0] : INFINITY;
        gm__kde_node_bounds(w->s, 2 * now + 1, a, m);
        r[0] = m[1] > 0 ? a[0] : INFINITY;
        int first = l[0] < r[0];
        at[w->count] = first ? r[0] : l[0];
        w->stack[w->count++].node = 2 * now + first;
        at[w->count] = first ? l[0] : r[0];
        w->stack[w->count++].node = 2 * now + !first;
    }
}

/* The least exponent of any row in whose support the query lies; infinite where there is none. */
static double least(walk *w)
{
    double best = INFINITY;
    least_from(w, 1, &best);
    return best;
}

/* ---- Answers ---- */

/* Exponents up to 745 + |shift| are right to (d + 10) roundings, sums to one an addition. */
static double margin_of(const gm__kde *k, double shift)
{
    double roundings = (double)(k->d + 10) * (745 + 2 * fabs(shift)) + 64;
    roundings += (double)k->leaves * 2 + (double)k->stride;
    double margin = k->epsilon + roundings * 0x1p-52;
    if (k->root) /* coordinates: a product with a triangle; 64 covers moderate matrices */
        margin += 64 * (double)(k->d * k->d) * (40 + fabs(shift)) * 0x1p-52;
    return margin < 0.5 ? margin : 0.5;
}

typedef struct asking {
    const gm__kde *k;
    const gm__kernels *kernels;
    gm_cancel *cancel;
    const double *q;
    int64_t m, stride;
    int32_t parts;
    double rtol, atol;
    const double *atols;  /* (m), or NULL: atol */
    const double *levels; /* (m) log densities */
    double *value, *lower, *upper;
    int8_t *answer;
    double log_total; /* of the weights; not negative, the largest weight being 1 */
    char *room;
    size_t each; /* bytes a part */
} asking;

/* Sums (3, n) low, high and middle as log densities: their logarithms less the constant and the
 * shift of each, and the bounds moved out by what that rounds. */
static void answer_logs(const asking *a, int64_t first, int64_t n, double *sums,
                        const double *shift)
{
    const gm__kde *k = a->k;
    double *to[3] = {a->lower, a->upper, a->value};
    a->kernels->maps->map1[GM__F64][GM__LOG](sums, sums, 3 * CHUNK);
    for (int c = 0; c < 3; c++)
        for (int64_t i = 0; to[c] && i < n; i++) {
            double l = sums[c * CHUNK + i], base = k->log_norm + a->log_total;
            double off = 0x1p-50 * (fabs(l) + fabs(shift[i]) + fabs(k->log_norm) + a->log_total);
            double y = l - shift[i] - base;
            off = c == 0 ? -off : c == 1 ? off : 0;
            to[c][first + i] = fabs(y) < INFINITY ? y + off : y;
        }
}

/* What atol and level are in units of the sum, at the query's shift. */
static void set_units(const asking *a, walk *w)
{
    const gm__kde *k = w->s->k;
    double unit = k->log_norm + a->log_total + w->s->shift;
    w->atol =
        w->asked > 0 ? w->asked * gm__kde_map(a->kernels, GM__EXP, unit < 700 ? unit : 700) : 0;
    if (w->decide) {
        unit += w->log_level;
        w->level = gm__kde_map(a->kernels, GM__EXP, unit < 709 ? unit : 709);
    }
}

static void walk_once(const asking *a, walk *w, double shift)
{
    w->s->shift = shift;
    w->margin = margin_of(a->k, shift);
    set_units(a, w);
    w->margin += w->decide ? 0x1p-48 * (fabs(w->log_level) + fabs(shift) + 64) : 0;
    run(w);
}

static int promised(const walk *w)
{
    return w->gap <= 2 * (w->rtol * w->low + w->atol);
}

/* Bounds of the sum into w->low and w->gap. */
static void bound(const asking *a, walk *w, const double *y)
{
    gm__kde_query *s = w->s;
    double ends[2];
    gm__kde_query_set(s, y);
    w->low = w->gap = 0;
    s->shift = 0;
    w->margin = margin_of(a->k, 0);
    if (s->outside)
        return;
    if ((a->k->grid && gm__kde_grid_ask(a->k, a->kernels, y, ends)) ||
        (a->k->series && gm__kde_series_ask(a->k, a->kernels, y[0], ends))) {
        set_units(a, w);
        w->low = ends[0];
        w->gap = ends[1] - ends[0];
        w->margin += w->decide ? 0x1p-48 * (fabs(w->log_level) + 64) : 0;
        if (w->decide ? w->low * (1 - w->margin) > w->level ||
                            (w->low + w->gap) * (1 + w->margin) < w->level
                      : promised(w))
            return;
    }
    w->narrow = a->k->narrow && a->rtol >= NARROW * (12 + 30 * (0.5 * (double)a->k->d + 6));
    walk_once(a, w, 0);
    if (w->narrow && (w->decide ? !decided(w) : !promised(w))) {
        w->narrow = 0;
        walk_once(a, w, 0);
    }
    w->narrow = 0;
    if (w->low > 1e-280 || (w->atol > 0 && promised(w)) || (w->decide && decided(w)))
        return;
    double shift = (w->low + w->gap > 0) ? least(w) : INFINITY;
    if (shift > 0x1p300) /* at a wall of a beta column, or nearly as far */
        shift = INFINITY;
    if (shift < INFINITY && shift > 0)
        walk_once(a, w, shift);
    else if (!(shift < INFINITY) && !a->k->radial)
        w->low = w->gap = 0;
}

static void ask_rows(const asking *a, walk *w, int64_t first, int64_t n, double *y)
{
    double sums[3 * CHUNK] = {0}, shift[CHUNK];
    for (int64_t i = 0; i < n; i++) {
        if (gm_cancel_tripped(a->cancel)) /* the caller fails: nothing of this is read */
            return;
        gm__kde_place(a->k, a->q + (first + i) * a->stride, y);
        w->asked = a->atols ? a->atols[first + i] : a->atol;
        if (w->decide) /* infinite levels are as good as these */
            w->log_level = a->levels[first + i] < -1e5  ? -1e5
                           : a->levels[first + i] > 1e5 ? 1e5
                                                        : a->levels[first + i];
        bound(a, w, y);
        double low = w->low * (1 - w->margin), high = (w->low + w->gap) * (1 + w->margin);
        if (a->answer) {
            a->answer[first + i] = low > w->level ? 1 : high <= w->level ? -1 : 0;
            continue;
        }
        sums[i] = low;
        sums[CHUNK + i] = high;
        sums[2 * CHUNK + i] = 0.5 * (low + high);
        shift[i] = w->s->shift;
    }
    if (!a->answer)
        answer_logs(a, first, n, sums, shift);
}

static void ask(void *arg, int32_t part)
{
    const asking *a = arg;
    char *room = a->room + (size_t)part * a->each;
    double *y = (double *)(void *)room;
    walk w = {.rtol = a->rtol, .decide = a->answer != NULL};
    gm__kde_query s;
    room += ((size_t)a->k->d * sizeof *y + 63) & ~(size_t)63;
    gm__kde_query_init(&s, a->k, a->kernels, room);
    w.s = &s;
    int64_t share = a->m / a->parts, more = a->m % a->parts;
    int64_t first = share * part + (part < more ? part : more), end = first + share + (part < more);
    for (int64_t i = first; i < end && !gm_cancel_tripped(a->cancel); i += CHUNK)
        ask_rows(a, &w, i, end - i < CHUNK ? end - i : CHUNK, y);
}

static gm_status check(gm_context *ctx, const asking *a)
{
    if (a->m < 0 || (a->m > 0 && !a->q) || a->stride < a->k->d)
        return gm__fail(ctx, GM_E_ARG, "kde: queries must be given with their row stride");
    if (!(a->rtol >= 0 && a->rtol < 1 && a->atol >= 0 && a->atol < INFINITY))
        return gm__fail(ctx, GM_E_RANGE, "kde: rtol must be 0 to under 1, atol not negative");
    for (int64_t i = 0; i < a->m; i++)
        for (int64_t j = 0; j < a->k->d; j++)
            if (!(fabs(a->q[i * a->stride + j]) <= 0x1p1000))
                return gm__fail(ctx, GM_E_DATA,
                                "kde: query %lld, column %lld: %g is no finite "
                                "number under 2^1000",
                                (long long)i, (long long)j, a->q[i * a->stride + j]);
    return GM_OK;
}

static gm_status ask_all(gm_context *ctx, asking *a)
{
    size_t size, d = ((size_t)a->k->d * sizeof(double) + 63) & ~(size_t)63, all;
    GM_TRY(check(ctx, a));
    GM_TRY(gm__kde_query_size(ctx, a->k, &size));
    a->parts = ctx->team.parts < a->m ? ctx->team.parts : (int32_t)(a->m > 1 ? a->m : 1);
    a->each = size + d;
    if (gm__mul_size(a->each, (size_t)a->parts, &all))
        return gm__no_memory(ctx);
    a->room = gm__alloc(&ctx->allocator, all);
    if (!a->room)
        return gm__no_memory(ctx);
    a->cancel = ctx->cancel;
    a->log_total = gm__kde_map(a->kernels, GM__LOG, a->k->total);
    gm__team_run(&ctx->team, a->parts, ask, a);
    gm__free(&ctx->allocator, a->room, all);
    return gm__check_cancel(ctx);
}

gm_status gm__kde_log_density(gm_context *ctx, const gm__kde *kde, const double *q, int64_t m,
                              int64_t stride, const gm__kde_promise *promise, double *value,
                              double *lower, double *upper)
{
    asking a = {.k = kde,
                .kernels = ctx->kernels,
                .q = q,
                .m = m,
                .stride = stride,
                .rtol = promise->rtol,
                .atol = promise->atol,
                .value = value,
                .lower = lower,
                .upper = upper};
    if (!gm__kde_folds(kde, promise))
        return ask_all(ctx, &a);
    GM_TRY(check(ctx, &a));
    return gm__kde_fold_ask(ctx, kde, q, m, stride, promise, value, lower, upper);
}

gm_status gm__kde_log_density_within(gm_context *ctx, const gm__kde *k, const double *q, int64_t m,
                                     int64_t stride, const gm__kde_promise *promise,
                                     const double *atol, double *lower, double *upper)
{
    asking a = {.k = k,
                .kernels = ctx->kernels,
                .q = q,
                .m = m,
                .stride = stride,
                .rtol = promise->rtol,
                .atols = atol,
                .lower = lower,
                .upper = upper};
    return ask_all(ctx, &a);
}

gm_status gm__kde_above(gm_context *ctx, const gm__kde *kde, const double *q, int64_t m,
                        int64_t stride, const double *log_level, int8_t *answer)
{
    asking a = {.k = kde,
                .kernels = ctx->kernels,
                .q = q,
                .m = m,
                .stride = stride,
                .rtol = 1e-4,
                .levels = log_level,
                .answer = answer};
    return ask_all(ctx, &a);
}
