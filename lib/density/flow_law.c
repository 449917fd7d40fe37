/* One column of a flow given those before it. Autoregressive layers that all take the columns in
 * one order (mixing=none) are, together, a monotone map of each column by what is before it: its
 * distribution is that of z_j read at the place that x_j is mapped to. */
#include "density/flow_part.h"

/* 1 where the options allow it. */
static int has_laws(const gm__flow_graph *f)
{
    int ordered = f->mixing == UNMIXED || (f->layers == 1 && f->mixing == SWAP);
    return f->structure == AUTOREGRESSIVE && ordered && !f->circle &&
           gm__flow_base_laws(f, NULL, NULL, NULL, NULL);
}

static int32_t order(gm_builder *b, int32_t *columns)
{
    gm__flow_graph f = gm__flow_begin(b);
    for (int64_t j = 0; j < f.d; j++)
        columns[j] = (int32_t)j;
    return has_laws(&f) ? 0 : -1;
}

static gm_node *sum(gm_builder *b, gm_node *all, gm_node *more)
{
    return more ? gm__flow_add(b, all, gm_wide(b, more)) : all;
}

static void at(gm_builder *b, gm_node *x, gm_node **logp, gm_node **below, gm_node **above)
{
    gm__flow_graph f = gm__flow_begin(b);
    gm_node *log_slope = NULL, *layer, *unused = NULL;
    for (int64_t i = 0; i < f.layers; i++) {
        if (gm_opt_int(b, "start")) {
            x = gm__flow_normalise(&f, i, x, FORWARD, &unused);
            log_slope = sum(b, log_slope, gm_neg(b, gm__flow_log_scale(&f, i)));
        }
        x = gm__flow_pass(&f, i, x, &layer);
        log_slope = sum(b, log_slope, layer);
    }
    if (f.coupling == NICE) {
        x = gm__flow_scale(&f, x, FORWARD, &unused);
        log_slope = sum(b, log_slope, gm_neg(b, gm__flow_log_scale(&f, f.layers)));
    }
    gm__flow_base_laws(&f, x, logp, below, above);
    *logp = gm_add(b, *logp, log_slope);
}

const gm_conditionals gm__flow_conditionals = {
    .struct_size = sizeof(gm_conditionals), .order = order, .at = at};
