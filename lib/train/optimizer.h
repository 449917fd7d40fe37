/* Optimizers: a rule, its settings, and how one update of a flat buffer is made. */
#ifndef GM__OPTIMIZER_H
#define GM__OPTIMIZER_H
#include "genmod/train.h"
#include "base/options.h"
#include "graph/graph.h"
#include "kernels/kernels.h"

struct gm_optimizer {
    gm_allocator allocator;
    int32_t owners; /* atomic */
    int rule;
    gm__values *values;
    /* State of gm_optimizer_step; a trainer keeps its own. */
    int32_t dtype;
    int64_t n, t;
    void *m, *v;
};

/* gm_optimizer_create within a call that has entered the context already. */
gm_status gm__optimizer_create(gm_context *ctx, const char *name, const gm_options *opts,
                               gm_optimizer **optimizer);
/* The options table of a rule; NULL for no such name. */
const gm_option_row *gm__optimizer_options(const char *name);
gm_optimizer *gm__optimizer_retain(const gm_optimizer *o);
/* Which moments a rule keeps. */
int gm__optimizer_has_m(const gm_optimizer *o);
int gm__optimizer_has_v(const gm_optimizer *o);
double gm__optimizer_rate(const gm_optimizer *o); /* "lr" */

/* Fills in the coefficients of update number t (from 1), its learning rate multiplied by rate; the
 * buffers are the caller's. */
void gm__optimizer_prepare(const gm_optimizer *o, int64_t t, double rate, gm__update *u);
/* Elements [i0, i1), shared by the team. */
void gm__optimizer_update(gm_context *ctx, const gm_optimizer *o, const gm__update *u, int64_t i0,
                          int64_t i1);
/* Whether a parameter is zero above a staircase (gm_matmul_masked: column j outside rows [0,
 * hi[j]), hi rising), large enough to care; and as update, of what is not zero in it: nothing is
 * lost, zeros stay zeros under every rule. */
int gm__slot_is_stairs(const gm__slot *slot);
void gm__optimizer_update_stairs(gm_context *ctx, const gm_optimizer *o, const gm__update *u,
                                 const gm__slot *slot);

#endif
