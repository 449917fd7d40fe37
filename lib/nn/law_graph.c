/* From what a network gives to the parameters of scalar laws: column by column, side by side. */
#include "nn/law.h"
#include "nn/likelihood.h"

/* How many parameters a column of a kind has. */
static int64_t numbers_of(const gm__observed *o, int kind, const gm_x_column *c)
{
    switch (kind) {
    case REALS:
    case LEVELS:
        return 2;
    case CATEGORIES:
        return c->width;
    case TABLES:
        return gm__level_count(c);
    case MIXTURES:
    case LOGISTICS:
        return 3 * o->components;
    default:
        return 1;
    }
}

int64_t gm__likelihood_places(gm_builder *b, const gm_likelihood *l, gm__law_place *places)
{
    gm__observed o;
    int64_t at = 0, step = 1;
    if (!b || !gm__observe(b, l, &o))
        return 0;
    for (int kind = 0; kind < KINDS; kind++)
        for (int64_t i = 0; i < o.count[kind]; i += step) {
            int64_t j = o.start[kind] + i;
            const gm_x_column *c = &o.column[j];
            int64_t numbers = numbers_of(&o, kind, c);
            step = kind == CATEGORIES ? c->width : 1;
            places[o.at[j]] =
                (gm__law_place){.kind = c->kind,
                                .at = at,
                                .components = kind >= MIXTURES                       ? o.components
                                              : kind == CATEGORIES || kind == TABLES ? numbers
                                                                                     : 1,
                                .table = kind == TABLES,
                                .low = c->low,
                                .high = c->high,
                                .step = c->step};
            at += numbers;
        }
    return at;
}

/* Parts (batch, columns, k) side by side: each column's first, then its second ... */
static gm_node *side_by_side(gm_builder *b, int32_t count, gm_node **parts, int64_t columns,
                             int64_t k)
{
    int64_t one[4] = {GM_BATCH, columns, 1, k}, flat[2] = {GM_BATCH, columns * count * k};
    for (int32_t i = 0; i < count; i++)
        parts[i] = gm_reshape(b, parts[i], 4, one);
    return gm_reshape(b, gm_concat(b, count, parts, 2), 2, flat);
}

static gm_node *of_kind(gm_builder *b, const gm__observed *o, gm_node *raw, int kind)
{
    int64_t n = o->count[kind];
    gm_node *parts[3];
    if (kind >= MIXTURES) {
        gm__mixture(b, o, kind, raw, parts);
        if (kind == LOGISTICS)
            parts[2] = gm_scale(b, parts[2], GM__LOGISTIC);
        return side_by_side(b, 3, parts, n, o->components);
    }
    if (kind > LEVELS) { /* as raw has them */
        int64_t numbers = 0;
        for (int64_t i = 0; i < n; i++)
            numbers += kind == TABLES ? gm__level_count(&o->column[o->start[kind] + i]) : 1;
        return gm_slice(b, raw, -1, o->first[kind], numbers);
    }
    parts[0] = gm_slice(b, raw, -1, o->first[kind], n);
    parts[1] = gm_add(b, gm_scale(b, parts[0], 0), gm__deviation(b, o, raw, kind));
    if (kind == LEVELS)
        parts[1] = gm_scale(b, parts[1], GM__LOGISTIC);
    return side_by_side(b, 2, parts, n, 1);
}

gm_node *gm__likelihood_laws(gm_builder *b, const gm_likelihood *l, gm_node *raw)
{
    gm__observed o;
    gm_node *parts[KINDS];
    int32_t count = 0;
    if (!b || !raw || !gm__observe(b, l, &o))
        return NULL;
    if (gm_node_ndim(raw) != 2 || gm_node_dim(raw, -1) != o.raw) {
        gm_builder_fail(b, GM_E_SHAPE, "likelihood: raw must be (batch, gm_likelihood_width)");
        return NULL;
    }
    for (int kind = 0; kind < KINDS; kind++)
        if (o.count[kind])
            parts[count++] = of_kind(b, &o, raw, kind);
    return count == 1 ? parts[0] : gm_concat(b, count, parts, -1);
}
