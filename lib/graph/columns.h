/* What the operation "columns" knows of its network, read from its attributes. */
#ifndef GM__GRAPH_COLUMNS_H
#define GM__GRAPH_COLUMNS_H
#include "graph/node.h"

/* attr.real: most, bound, min_bin, min_slope. attr.whole: count, map, bins, act, residual, layers,
 * linear layers, 1 if there is a `given`. attr.data: circle (count), starts (layers, count + 1).
 * Operands: z, weight and bias of each linear layer, given. */
typedef struct gm__solved {
    int64_t count, bins, layers, linears;
    int map, act, residual, given;
    double most, bound, min_bin, min_slope;
    const int32_t *circle, *starts;
} gm__solved;

static inline gm__solved gm__solved_of(const gm__attr *a)
{
    const int32_t *data = a->data;
    return (gm__solved){a->whole[0],
                        a->whole[2],
                        a->whole[5],
                        a->whole[6],
                        (int)a->whole[1],
                        (int)a->whole[3],
                        (int)a->whole[4],
                        (int)a->whole[7],
                        a->real[0],
                        a->real[1],
                        a->real[2],
                        a->real[3],
                        data,
                        data + a->whole[0]};
}

/* Parameters of column j. */
static inline int64_t gm__solved_raw(const gm__solved *s, int64_t j)
{
    if (s->circle[j])
        return 3 * s->bins;
    return s->map == GM__COLUMN_SPLINE ? 3 * s->bins - 1 : s->map == GM__COLUMN_AFFINE ? 2 : 1;
}
/* Columns of the network's input. */
static inline int64_t gm__solved_seen(const gm__solved *s, int64_t j)
{
    return s->circle[j] ? 2 : 1;
}
/* The units of linear layer l (not the output): those that see fewer than v columns. */
static inline int64_t gm__solved_units(const gm__solved *s, int64_t l, int64_t v)
{
    return s->starts[(s->residual ? 0 : l) * (s->count + 1) + v];
}

#endif
