/* Columns of a flow that are angles: where they stand in each layer, and what networks see. */
#include "density/flow_part.h"

#include <string.h>

static const double two_pi = 6.28318530717958647693;

/* Where column j of the result of layer i's mixing comes from. */
static void moved(gm__flow_graph *f, int64_t i, const unsigned char *before, int32_t *index,
                  int32_t *sorted)
{
    int64_t d = f->d;
    for (int64_t j = 0; j < d; j++)
        index[j] = (int32_t)j;
    if (f->structure == CONTINUOUS || f->mixing == UNMIXED)
        return;
    if (f->mixing == SWAP) {
        for (int64_t j = 0; f->structure != COUPLING && i > 0 && j < d; j++)
            index[j] = (int32_t)(d - 1 - j);
        return;
    }
    gm__flow_draw_permutation(f->b, f->mixing == LU ? i + GM__FLOW_SECOND : i, d, index);
    if (f->mixing == PERMUTATION)
        return;
    int64_t reals = gm__flow_columns(before, d, 0, sorted);
    gm__flow_columns(before, d, 1, sorted + reals);
    for (int64_t j = 0; j < d; j++)
        index[j] = sorted[index[j]];
}

void gm__flow_find_circles(gm__flow_graph *f)
{
    gm_x_column column = {.struct_size = sizeof column};
    int any = 0;
    for (int64_t j = 0; j < f->d; j++)
        any |= gm_builder_x_column(f->b, j, &column) == GM_X_CIRCULAR;
    if (!any)
        return;
    unsigned char *circle = gm__builder_scratch(f->b, (f->layers + 1) * f->d, 1);
    int32_t *index = gm__builder_scratch(f->b, 2 * f->d, sizeof *index);
    if (!circle || !index)
        return;
    for (int64_t j = 0; j < f->d; j++)
        circle[j] = gm_builder_x_column(f->b, j, &column) == GM_X_CIRCULAR;
    for (int64_t i = 0; i < f->layers; i++) {
        const unsigned char *before = circle + i * f->d;
        moved(f, i, before, index, index + f->d);
        for (int64_t j = 0; j < f->d; j++)
            circle[(i + 1) * f->d + j] = before[index[j]];
    }
    f->circle = circle;
}

int64_t gm__flow_columns(const unsigned char *circle, int64_t count, int what, int32_t *index)
{
    int64_t n = 0;
    for (int64_t j = 0; j < count; j++)
        if (circle[j] == what) {
            if (index)
                index[n] = (int32_t)j;
            n++;
        }
    return n;
}

gm_node *gm__flow_seen(gm_builder *b, const unsigned char *circle, gm_node *x)
{
    int64_t w = gm_node_dim(x, -1), angles = circle ? gm__flow_columns(circle, w, 1, NULL) : 0;
    int32_t *index = gm__builder_scratch(b, w, sizeof *index);
    if (!index || angles == 0)
        return x;
    gm__flow_columns(circle, w, 1, index);
    gm_node *angle = gm_take(b, x, angles, index), *parts[3];
    int32_t count = 0;
    if (angles < w) {
        gm__flow_columns(circle, w, 0, index);
        parts[count++] = gm_take(b, x, w - angles, index);
    }
    parts[count++] = gm_cos(b, angle);
    parts[count++] = gm_sin(b, angle);
    return gm_concat(b, count, parts, -1);
}

/* x - 2 pi floor(x / (2 pi) + shift). */
static gm_node *into_turn(gm_builder *b, gm_node *x, double shift)
{
    gm_node *turns = gm_floor(b, gm_shift(b, gm_scale(b, x, 1 / two_pi), shift));
    return gm_sub(b, x, gm_scale(b, turns, two_pi));
}

gm_node *gm__flow_wrap(gm_builder *b, gm_node *angle)
{
    return into_turn(b, angle, 0.5);
}

gm_node *gm__flow_unwrap(const gm__flow_graph *f, gm_node *x)
{
    if (!f->circle)
        return x;
    int64_t shape = f->d;
    double *is = gm__builder_scratch(f->b, f->d, sizeof *is);
    for (int64_t j = 0; is && j < f->d; j++)
        is[j] = f->circle[j];
    return is ? gm_where(f->b, gm_const_array(f->b, 1, &shape, is), into_turn(f->b, x, 0), x)
              : NULL;
}
