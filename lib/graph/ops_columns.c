/* Solving an autoregressive map: x of which z is the map by a masked network's outputs at x.
 *
 * Column j of x needs the outputs for column j, which see only columns below j: so the columns are
 * found in order, and every hidden unit is computed once, as soon as all that it sees is there. One
 * operation, of the cost of one pass through the network, whatever the number of columns. */
#include "graph/columns.h"

#include <string.h>

static const int32_t *pack(gm_builder *b, const gm__columns *c, size_t *size)
{
    int64_t n = c->count, starts = c->layers * (n + 1);
    int32_t *data = gm__arena_array(&b->arena, n + starts + 1, sizeof *data);
    if (!data)
        return NULL;
    for (int64_t j = 0; j < n; j++)
        data[j] = c->circle && c->circle[j];
    memcpy(data + n, c->starts, (size_t)starts * sizeof *data);
    *size = (size_t)(n + starts) * sizeof *data;
    return data;
}

gm_node *gm__columns_solve(gm_builder *b, const gm__columns *c, gm_node *z, int32_t nparams,
                           gm_node *const *params, gm_node *given)
{
    gm_node *in[64];
    if (!b || b->code)
        return NULL;
    if (nparams > 62 || nparams < 2)
        return gm__wrong(b, GM_E_RANGE, "columns: %d parameters, must be 2 to 62", nparams);
    in[0] = z;
    memcpy(in + 1, params, sizeof *in * (size_t)nparams);
    in[nparams + 1] = given;
    gm__attr a = {.real = {c->most, c->bound, c->min_bin, c->min_slope},
                  .whole = {c->count, c->map, c->bins, c->act, c->residual != 0, c->layers,
                            nparams / 2, given != NULL}};
    a.data = pack(b, c, &a.data_size);
    return a.data ? gm__node(b, GM__OP_COLUMNS, nparams + 1 + (given != NULL), in, &a)
                  : gm__graph_memory(b);
}

static void shape_columns(gm_builder *b, gm_node *n)
{
    gm__solved s = gm__solved_of(&n->attr);
    int fit = n->in[0]->ndim == 2 && n->in[0]->shape[1] == s.count;
    gm__shape_of_first(b, n);
    for (int32_t k = 0; k < n->nin; k++)
        fit &= n->in[k]->type == GM_REAL_NODE;
    if (!fit)
        gm__wrong(b, GM_E_SHAPE, "columns: shape %s does not fit: (batch, %lld) of REAL",
                  gm__show(n->in[0]).text, (long long)s.count);
}

/* Through the map written out, whose operands are hidden behind nodes of their own, so that only
 * what is written here is differentiated. */
static void d_columns(gm_builder *b, gm_node *y, gm_node *dy, gm_node *dy2, gm_node **dx)
{
    gm_node *in[64];
    (void)dy2;
    for (int i = 0; i < y->nin; i++)
        in[i] = gm__same(b, y->in[i]);
    gm_node *x = gm__columns_plain(b, &y->attr, y->nin, in);
    if (x)
        gm_gradient(b, gm_sum_all(b, gm_mul(b, x, dy)), y->nin, in, dx);
}

const gm__op gm__ops_columns[] = {
    {"columns", -1, 0, shape_columns, NULL, NULL, gm__whole_columns, d_columns},
};
