/* Masked networks: outputs that see only the columns before their own.
 *
 * Germain et al. 2015, section 3: a unit of degree m sees inputs of the first m places and units of
 * degrees up to m; an output of place p (from 0) sees units of degrees up to p. Degrees are spread
 * evenly and rise with the number of the unit, so that every mask is a staircase: of column j of a
 * weight rows [0, hi[j]) are not zero. */
#include "nn/nn.h"

typedef struct gm__made_name {
    char text[192];
} gm__made_name;

static gm__made_name part(const gm__made *m, int i, const char *text)
{
    gm__made_name n;
    if (i < 0)
        gm__format(n.text, sizeof n.text, "%s.%s", m->name, text);
    else
        gm__format(n.text, sizeof n.text, "%s.%d%s", m->name, i, text);
    return n;
}

/* The degree of unit i of n. Without given columns there is nothing that a unit of degree 0 could
 * see, and what sees all places serves no output. */
static int64_t degree(const gm__made *m, int64_t i, int64_t n)
{
    int64_t least = m->given ? 0 : 1, range = m->places - least;
    if (range < 1)
        return least;
    return least + i * range / n;
}

/* Input columns that a degree sees. */
static int32_t inputs_seen(const gm__made *m, int64_t degree)
{
    return (int32_t)(m->given + (degree ? m->ends[degree - 1] : 0));
}

/* Units of a layer of n that a degree sees. */
static int32_t units_seen(const gm__made *m, int64_t n, int64_t seen)
{
    int64_t low = 0, high = n;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (degree(m, middle, n) <= seen)
            low = middle + 1;
        else
            high = middle;
    }
    return (int32_t)low;
}

/* lo (zeros) and hi of n columns; NULL after a failure. */
static int32_t *bounds(gm_builder *b, int64_t n)
{
    return gm__builder_scratch(b, 2 * n, sizeof(int32_t));
}

/* From the layer before, of `before` units (0: the input), to one of n. */
static gm_node *layer(gm_builder *b, const gm__made *m, const char *name, gm_node *x,
                      int64_t before, int64_t n, int zero)
{
    int32_t *lo = bounds(b, n);
    for (int64_t j = 0; lo && j < n; j++)
        lo[n + j] =
            before ? units_seen(m, before, degree(m, j, n)) : inputs_seen(m, degree(m, j, n));
    if (!lo)
        return NULL;
    return zero ? gm__nn_masked_linear_zero(b, name, x, n, lo, lo + n)
                : gm_nn_masked_linear(b, name, x, n, lo, lo + n);
}

/* h + W2 act(W1 act(h)), pre-activation (He et al. 2016); W2 starts at zero. */
static gm_node *block(gm_builder *b, const gm__made *m, int i, gm_node *x, int64_t n)
{
    gm_node *h = gm_activation(b, m->act, x);
    h = gm_activation(b, m->act, layer(b, m, part(m, i, ".0").text, h, n, n, 0));
    h = gm_nn_dropout(b, h, m->dropout);
    return gm_add(b, x, layer(b, m, part(m, i, ".1").text, h, n, n, 1));
}

static gm_node *hidden_layers(gm_builder *b, const gm__made *m, gm_node *x, int64_t *units)
{
    *units = 0;
    for (int32_t i = 0; i < m->count; i++) {
        int64_t n = m->hidden[i];
        if (m->residual && i > 0 && n == *units) {
            x = block(b, m, i, x, n);
            continue;
        }
        if (m->residual && i > 0)
            x = gm_activation(b, m->act, x);
        x = layer(b, m, part(m, i, "").text, x, *units, n, 0);
        if (!m->residual)
            x = gm_nn_dropout(b, gm_activation(b, m->act, x), m->dropout);
        *units = n;
    }
    return m->residual && m->count ? gm_activation(b, m->act, x) : x;
}

gm_node *gm__nn_made(gm_builder *b, const gm__made *m, gm_node *x)
{
    int64_t units, n = m->outputs;
    int32_t *lo = bounds(b, n), *direct = bounds(b, n);
    gm_node *h = hidden_layers(b, m, x, &units);
    for (int64_t j = 0; lo && direct && j < n; j++) {
        direct[n + j] = inputs_seen(m, m->place[j]);
        lo[n + j] = units ? units_seen(m, units, m->place[j]) : direct[n + j];
    }
    if (!lo || !direct)
        return NULL;
    const char *out = "out";
    gm_node *y = m->zero ? gm__nn_masked_linear_zero(b, part(m, -1, out).text, h, n, lo, lo + n)
                         : gm_nn_masked_linear(b, part(m, -1, out).text, h, n, lo, lo + n);
    if (!m->direct || !units)
        return y;
    int64_t shape[2] = {gm_node_dim(x, -1), n};
    gm_node *w = gm_param(b, part(m, -1, "direct").text, 2, shape, GM_INIT_ZEROS, 0);
    return gm_add(b, y, gm_matmul_masked(b, x, w, direct, direct + n));
}
