/* Moves: nothing is computed, elements change places. */
#include "graph/node.h"

#include <string.h>

/* ---- Reshape, broadcast, permute ------------------------------------------------------------- */

static void shape_reshape(gm_builder *b, gm_node *n)
{
    gm__count x, y;
    gm__shape_given(b, n);
    if (b->code)
        return;
    if (gm__count_dims(n->in[0]->shape, 0, n->in[0]->ndim, &x) ||
        gm__count_dims(n->shape, 0, n->ndim, &y) || x.factor != y.factor ||
        (x.power != y.power && x.factor))
        gm__wrong(b, GM_E_SHAPE,
                  "reshape: shapes %s and %s do not hold the same number of elements",
                  gm__show(n->in[0]).text, gm__show(n).text);
}

static void d_reshape(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    (void)dy2;
    if (gm__is(dy, GM__OP_BROADCAST) && gm__one(dy->in[0]))
        dx[0] = gm__broadcast_like(b, dy->in[0], y->in[0]);
    else
        dx[0] = gm__reshape_like(b, dy, y->in[0]);
}

static void shape_broadcast_to(gm_builder *b, gm_node *n)
{
    const gm_node *x = n->in[0];
    gm__shape_given(b, n);
    if (b->code)
        return;
    int fit = x->ndim <= n->ndim || gm__one(x);
    for (int i = 1; i <= x->ndim && i <= n->ndim; i++)
        fit &= x->shape[x->ndim - i] == 1 || x->shape[x->ndim - i] == n->shape[n->ndim - i];
    if (!fit)
        gm__wrong(b, GM_E_SHAPE, "broadcast: shape %s does not spread to %s", gm__show(x).text,
                  gm__show(n).text);
}

static void d_broadcast(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    (void)dy2;
    dx[0] = gm__unbroadcast(b, dy, y->in[0]);
}

gm_node *gm_permute(gm_builder *b, gm_node *x, const int32_t *axes)
{
    gm__attr a = {.whole = {0}};
    int seen = 0, still = 1;
    if (!b || !gm__good(b, "permute", 1, &x))
        return NULL;
    for (int i = 0; i < x->ndim; i++) {
        int k = axes[i] < 0 ? axes[i] + x->ndim : axes[i];
        if (k < 0 || k >= x->ndim || seen >> k & 1)
            return gm__wrong(b, GM_E_ARG,
                             "permute: the axes are no permutation of those of shape %s",
                             gm__show(x).text);
        seen |= 1 << k;
        still &= k == i;
        a.whole[i] = k;
    }
    return still ? x : gm__node1(b, GM__OP_PERMUTE, x, &a);
}

static void shape_permute(gm_builder *b, gm_node *n)
{
    gm__shape_of_first(b, n);
    for (int i = 0; i < n->ndim; i++)
        n->shape[i] = n->in[0]->shape[n->attr.whole[i]];
}

static int first_stays(const gm_node *n)
{
    return n->attr.whole[0] == 0;
}

static void d_permute(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    int32_t back[8];
    (void)dy2;
    for (int i = 0; i < y->ndim; i++)
        back[y->attr.whole[i]] = i;
    dx[0] = gm_permute(b, dy, back);
}

/* ---- Slice, pad, concat: whole[0] is the axis; batches are counted by negative numbers ------- */

static int not_first_axis(const gm_node *n)
{
    return n->attr.whole[0] > 0;
}

/* The piece of a concat that a slice asks for, if it is one. */
static gm_node *piece(gm_node *x, int axis, int64_t start, int64_t count)
{
    if (!gm__is(x, GM__OP_CONCAT) || x->attr.whole[0] != axis)
        return NULL;
    for (int i = 0; i < x->nin; i++) {
        int64_t d = x->in[i]->shape[axis];
        if (start == 0 && d == count)
            return x->in[i];
        start -= d;
    }
    return NULL;
}

gm_node *gm_slice(gm_builder *b, gm_node *x, int32_t axis, int64_t start, int64_t count)
{
    int i;
    if (!b || !gm__good(b, "slice", 1, &x) || (i = gm__axis(b, "slice", x, axis)) < 0)
        return NULL;
    if (start == 0 && count == x->shape[i])
        return x;
    gm_node *p = piece(x, i, start, count);
    if (p)
        return p;
    gm__attr a = {.whole = {i, start, count}};
    return gm__node1(b, GM__OP_SLICE, x, &a);
}

static void shape_slice(gm_builder *b, gm_node *n)
{
    gm__shape_of_first(b, n);
    int64_t *d = &n->shape[n->attr.whole[0]], start = n->attr.whole[1], count = n->attr.whole[2];
    int sign = *d < 0 ? -1 : 1;
    int64_t s = start, c = count, all = *d * sign;
    int fit = s != INT64_MIN && c != INT64_MIN;
    if (fit) {
        s *= sign;
        c *= sign;
        fit = s >= 0 && c >= 0 && s <= all && c <= all - s;
    }
    if (!fit)
        gm__wrong(b, GM_E_SHAPE, "slice: %lld from %lld does not lie within axis %d of shape %s",
                  (long long)count, (long long)start, (int)n->attr.whole[0],
                  gm__show(n->in[0]).text);
    *d = count;
}

static void d_slice(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    int axis = (int)y->attr.whole[0];
    int64_t start = y->attr.whole[1], count = y->attr.whole[2];
    (void)dy2;
    dx[0] = gm_pad(b, dy, axis, start, y->in[0]->shape[axis] - start - count);
}

gm_node *gm_pad(gm_builder *b, gm_node *x, int32_t axis, int64_t before, int64_t after)
{
    int i;
    if (!b || !gm__good(b, "pad", 1, &x) || (i = gm__axis(b, "pad", x, axis)) < 0)
        return NULL;
    gm__attr a = {.whole = {i, before, after}};
    return before == 0 && after == 0 ? x : gm__node1(b, GM__OP_PAD, x, &a);
}

static void shape_pad(gm_builder *b, gm_node *n)
{
    gm__shape_of_first(b, n);
    int64_t *d = &n->shape[n->attr.whole[0]], before = n->attr.whole[1], after = n->attr.whole[2];
    int sign = *d < 0 || (*d == 0 && (before < 0 || after < 0)) ? -1 : 1;
    int fit = sign > 0 ? before >= 0 && after >= 0
                       : before <= 0 && after <= 0 && before > -INT64_MAX && after > -INT64_MAX;
    if (!fit || __builtin_add_overflow(*d, before, d) || __builtin_add_overflow(*d, after, d))
        gm__wrong(b, GM_E_SHAPE, "pad: %lld before and %lld after do not suit axis %d of shape %s",
                  (long long)before, (long long)after, (int)n->attr.whole[0],
                  gm__show(n->in[0]).text);
}

static void d_pad(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    int axis = (int)y->attr.whole[0];
    (void)dy2;
    dx[0] = gm_slice(b, dy, axis, y->attr.whole[1], y->in[0]->shape[axis]);
}

#define MOST 32 /* operands of one concat; more are joined in turn */

gm_node *gm_concat(gm_builder *b, int32_t count, gm_node *const *x, int32_t axis)
{
    gm_node *in[MOST];
    int n = 0, i;
    if (!b || !gm__good(b, "concat", count, x))
        return NULL;
    if (count < 1)
        return gm__wrong(b, GM_E_ARG, "concat: needs at least one operand");
    if ((i = gm__axis(b, "concat", x[0], axis)) < 0)
        return NULL;
    gm__attr a = {.whole = {i}};
    for (int k = 0; k < count; k++) {
        in[n++] = x[k];
        if (n == MOST && k + 1 < count) {
            in[0] = gm__node(b, GM__OP_CONCAT, n, in, &a);
            n = 1;
        }
    }
    return n == 1 ? in[0] : gm__node(b, GM__OP_CONCAT, n, in, &a);
}

static void shape_concat(gm_builder *b, gm_node *n)
{
    int axis = (int)n->attr.whole[0];
    gm__shape_of_first(b, n);
    for (int k = 1; k < n->nin; k++) {
        const gm_node *y = n->in[k];
        int fit = y->ndim == n->ndim && y->type == n->type;
        for (int i = 0; fit && i < n->ndim; i++)
            fit = i == axis ? y->shape[i] == 0 || n->shape[i] == 0 ||
                                  (y->shape[i] < 0) == (n->shape[i] < 0)
                            : y->shape[i] == n->shape[i];
        if (!fit || __builtin_add_overflow(n->shape[axis], y->shape[axis], &n->shape[axis])) {
            gm__wrong(b, GM_E_SHAPE,
                      "concat: shapes %s and %s do not fit: all but axis %d must be equal",
                      gm__show(n->in[0]).text, gm__show(y).text, axis);
            return;
        }
    }
}

static void d_concat(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    int axis = (int)y->attr.whole[0];
    int64_t at = 0;
    (void)dy2;
    for (int i = 0; i < y->nin; i++) {
        int64_t d = y->in[i]->shape[axis];
        dx[i] = gm_slice(b, dy, axis, at, d);
        at += d;
    }
}

/* ---- Columns by number ----------------------------------------------------------------------- */

/* x as rows of columns known by number: at least two dimensions, the last one fixed. */
static gm_node *columns(gm_builder *b, const char *what, gm_node *x)
{
    if (x->ndim == 0 || x->shape[x->ndim - 1] < 0 || x->shape[x->ndim - 1] > INT32_MAX)
        return gm__wrong(b, GM_E_SHAPE, "%s: shape %s has no fixed last axis", what,
                         gm__show(x).text);
    int64_t shape[2] = {1, x->shape[0]};
    return x->ndim == 1 ? gm_reshape(b, x, 2, shape) : x;
}

/* y without the first axis that columns gave a lone row x. */
static gm_node *uncolumns(gm_builder *b, gm_node *y, const gm_node *x)
{
    return y && x->ndim == 1 ? gm_reshape(b, y, 1, y->shape + 1) : y;
}

static int indices_fit(gm_builder *b, const char *what, int64_t count, const int32_t *index,
                       int64_t width)
{
    for (int64_t j = 0; j < count; j++)
        if (index[j] < 0 || index[j] >= width) {
            gm__wrong(b, GM_E_RANGE, "%s: column %d of %lld", what, index[j], (long long)width);
            return 0;
        }
    return 1;
}

gm_node *gm_take(gm_builder *b, gm_node *x, int64_t count, const int32_t *index)
{
    gm_node *rows;
    if (!b || !gm__good(b, "take", 1, &x) || !(rows = columns(b, "take", x)))
        return NULL;
    if (count < 0 || count > INT32_MAX ||
        !indices_fit(b, "take", count, index, x->shape[x->ndim - 1]))
        return gm__wrong(b, GM_E_RANGE, "take: %lld columns", (long long)count);
    int still = count == x->shape[x->ndim - 1];
    for (int64_t j = 0; still && j < count; j++)
        still = index[j] == j;
    gm__attr a = {.whole = {count}, .data = index, .data_size = sizeof *index * (size_t)count};
    return still ? x : uncolumns(b, gm__node1(b, GM__OP_TAKE, rows, &a), x);
}

static void shape_take(gm_builder *b, gm_node *n)
{
    gm__shape_of_first(b, n);
    n->shape[n->ndim - 1] = n->attr.whole[0];
}

gm_node *gm__put(gm_builder *b, gm_node *x, int64_t count, const int32_t *index, int64_t width)
{
    gm_node *rows;
    if (!gm__good(b, "put", 1, &x) || !(rows = columns(b, "put", x)))
        return NULL;
    if (count != x->shape[x->ndim - 1] || width > INT32_MAX ||
        !indices_fit(b, "put", count, index, width))
        return gm__wrong(b, GM_E_RANGE, "put: %lld columns into %lld", (long long)count,
                         (long long)width);
    gm__attr a = {.whole = {width}, .data = index, .data_size = sizeof *index * (size_t)count};
    return uncolumns(b, gm__node1(b, GM__OP_PUT, rows, &a), x);
}

static void shape_put(gm_builder *b, gm_node *n)
{
    gm__shape_of_first(b, n);
    n->shape[n->ndim - 1] = n->attr.whole[0];
    if (n->type == GM_INDEX_NODE)
        gm__wrong(b, GM_E_ARG, "put: an INDEX node has no arithmetic");
}

/* The inverse of a permutation of the n columns, or NULL if index is none (or memory is short). */
static int32_t *inverse(gm_builder *b, int64_t n, const int32_t *index)
{
    int32_t *back = gm__arena_array(&b->arena, n + 1, sizeof *back);
    for (int64_t j = 0; back && j < n; j++)
        back[j] = -1;
    for (int64_t j = 0; back && j < n; j++) {
        if (back[index[j]] >= 0)
            return NULL;
        back[index[j]] = (int32_t)j;
    }
    return back;
}

static void d_take(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    int64_t width = y->in[0]->shape[y->ndim - 1], count = y->attr.whole[0];
    int32_t *back = count == width ? inverse(b, count, y->attr.data) : NULL;
    (void)dy2;
    dx[0] = back ? gm_take(b, dy, count, back) : gm__put(b, dy, count, y->attr.data, width);
}

static void d_put(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    (void)dy2;
    dx[0] = gm_take(b, dy, y->in[0]->shape[y->ndim - 1], y->attr.data);
}

const gm__op gm__ops_move[] = {
    {"reshape", 1, GM__VIEWS, shape_reshape, gm__strip_copy, NULL, NULL, d_reshape},
    {"broadcast", 1, GM__BROADCASTS, shape_broadcast_to, gm__strip_expand, NULL, NULL, d_broadcast},
    {"permute", 1, 0, shape_permute, gm__strip_permute, first_stays, gm__whole_permute, d_permute},
    {"slice", 1, GM__VIEWS, shape_slice, gm__strip_slice, not_first_axis, gm__whole_slice, d_slice},
    {"pad", 1, 0, shape_pad, gm__strip_pad, not_first_axis, gm__whole_pad, d_pad},
    {"concat", -1, 0, shape_concat, gm__strip_concat, not_first_axis, gm__whole_concat, d_concat},
    {"take", 1, 0, shape_take, gm__strip_take, NULL, NULL, d_take},
    {"put", 1, 0, shape_put, gm__strip_put, NULL, NULL, d_put},
};
