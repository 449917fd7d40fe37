/* The operation "columns" written out in simple operations, column by column: what its gradient
 * rests on; a test holds it against the operation. Its nodes grow with the columns. */
#include "graph/columns.h"

typedef struct solving {
    gm_builder *b;
    gm__solved s;
    gm_node *const *in;
    gm_node *seen;      /* (batch, .) what the network sees of the columns found; NULL: none yet */
    gm_node *state[32]; /* by linear layer: its values so far, as the next reads them */
} solving;

static gm_node *append(gm_builder *b, gm_node *all, gm_node *more)
{
    gm_node *both[2] = {all, more};
    return all && more ? gm_concat(b, 2, both, -1) : more ? more : all;
}

/* Units [from, to) of linear layer l, given what it reads. */
static gm_node *units(solving *v, int64_t l, gm_node *x, int64_t from, int64_t to)
{
    gm_builder *b = v->b;
    gm_node *w = v->in[1 + 2 * l], *bias = gm_slice(b, v->in[2 + 2 * l], 0, from, to - from);
    if (!x) {
        int64_t shape[2] = {v->in[0]->shape[0], to - from};
        return gm_broadcast(b, bias, 2, shape);
    }
    w = gm_slice(b, gm_slice(b, w, 0, 0, gm_node_dim(x, -1)), 1, from, to - from);
    return gm_add(b, gm_matmul(b, x, w, 0, 0), bias);
}

static gm_node *act(solving *v, gm_node *x)
{
    if (v->s.act == GM__ACT_NONE)
        return x;
    return v->s.act == GM__ACT_LEAKY ? gm_leaky_relu(v->b, x, 0.01)
                                     : gm__map1_node(v->b, v->s.act, x);
}

/* The hidden units that see exactly the columns below j. */
static void hidden(solving *v, int64_t j)
{
    gm_node *before = NULL; /* of a residual block: what its end adds to */
    for (int64_t l = 0; l + 1 < v->s.linears; l++) {
        int64_t from = gm__solved_units(&v->s, l, j), to = gm__solved_units(&v->s, l, j + 1);
        if (from == to)
            continue;
        gm_node *x = units(v, l, l ? v->state[l - 1] : v->seen, from, to);
        if (l == 0 && v->s.given)
            x = gm_add(v->b, x, gm_slice(v->b, v->in[1 + 2 * v->s.linears], 1, from, to - from));
        if (!v->s.residual || l == 0 || l % 2 == 1)
            x = act(v, x);
        else
            x = gm_add(v->b, before, x);
        if (v->s.residual && l % 2 == 0) {
            before = x;
            if (l + 2 < v->s.linears)
                x = act(v, x);
        }
        v->state[l] = append(v->b, v->state[l], x);
    }
}

static gm_node *wrapped(gm_builder *b, gm_node *x)
{
    const double two_pi = 6.28318530717958647693;
    gm_node *turns = gm_floor(b, gm_shift(b, gm_scale(b, x, 1 / two_pi), 0.5));
    return gm_sub(b, x, gm_scale(b, turns, two_pi));
}

/* Column z (batch, 1) mapped back by its parameters. */
static gm_node *mapped(solving *v, int64_t j, gm_node *z, gm_node *raw)
{
    gm_builder *b = v->b;
    gm_node *unused;
    gm_spline s = {sizeof s, (int32_t)v->s.bins, v->s.bound, v->s.min_bin, v->s.min_slope, 1};
    if (v->s.circle[j]) {
        s.bound = 3.14159265358979323846;
        gm_node *phase = gm_slice(b, raw, 1, 0, 1);
        raw = gm_slice(b, raw, 1, 1, 3 * v->s.bins - 1);
        return wrapped(b, gm_add(b, gm_rq_spline(b, &s, wrapped(b, z), raw, &unused), phase));
    }
    if (v->s.map == GM__COLUMN_SPLINE)
        return gm_rq_spline(b, &s, z, raw, &unused);
    if (v->s.map == GM__COLUMN_SHIFT)
        return gm_add(b, z, raw);
    double most = v->s.most;
    gm_node *scale = gm_slice(b, raw, 1, 1, 1);
    scale = gm_scale(b, gm_tanh(b, most == 1 ? scale : gm_scale(b, scale, 1 / most)), most);
    return gm_add(b, gm_mul(b, z, gm_exp(b, scale)), gm_slice(b, raw, 1, 0, 1));
}

gm_node *gm__columns_plain(gm_builder *b, const gm__attr *a, int32_t nin, gm_node *const *in)
{
    solving v = {.b = b, .s = gm__solved_of(a), .in = in};
    gm_node *all = NULL;
    int64_t out = 0, last = v.s.linears - 1;
    if (!gm__good(b, "columns", nin, in))
        return NULL;
    for (int64_t j = 0; j < v.s.count && !b->code; j++) {
        int64_t n = gm__solved_raw(&v.s, j);
        hidden(&v, j);
        gm_node *raw = units(&v, last, v.state[last - 1], out, out + n);
        gm_node *x = mapped(&v, j, gm_slice(b, in[0], 1, j, 1), raw);
        out += n;
        all = append(b, all, x);
        v.seen = append(b, v.seen, v.s.circle[j] ? append(b, gm_cos(b, x), gm_sin(b, x)) : x);
    }
    return all;
}
