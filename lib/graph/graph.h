/* The autodiff core, as the layers above use it. Building is genmod/extend.h; this is layout, plan
 * and run. */
#ifndef GM__GRAPH_H
#define GM__GRAPH_H
#include "genmod/extend.h"
#include "base/context.h"
#include "base/options.h"
#include "kernels/kernels.h"

/* ---- Autoregressive maps solved column by column --------------------------------------------- */

/* How column j of t is mapped, given a masked network's outputs for it (densities of flows say
 * what by: lib/density/flow_map.c). Angles have a map of their own. */
enum { GM__COLUMN_SHIFT, GM__COLUMN_AFFINE, GM__COLUMN_SPLINE };
typedef struct gm__columns {
    int32_t count;                    /* columns: variable j is column j */
    int32_t map;                      /* GM__COLUMN_ */
    int32_t bins;                     /* of splines, and of the angles' splines */
    int32_t act, residual, layers;    /* of the network, as gm_masked_net says */
    double most;                      /* of affine maps: the bound on the log scale */
    double bound, min_bin, min_slope; /* of splines */
    const unsigned char *circle;      /* (count) which are angles; NULL: none */
    /* (layers, count + 1): how many units of a hidden layer see fewer than so many columns */
    const int32_t *starts;
} gm__columns;
/* x (batch, count) of which z is the map by the network's outputs at x. params: weight and bias of
 * each linear layer in order, output last; its outputs stand column by column. given (batch,
 * units): what is added to the first hidden layer; or NULL. Each unit is computed once: the cost of
 * one pass. */
gm_node *gm__columns_solve(gm_builder *b, const gm__columns *c, gm_node *z, int32_t nparams,
                           gm_node *const *params, gm_node *given);

/* ---- Layout: where each parameter lies in the flat buffer ------------------------------------ */

typedef struct gm__slot {
    const char *name;
    int32_t ndim;
    int64_t shape[8];
    int64_t offset; /* in elements; a multiple of 16 */
    int64_t count;
    int32_t init; /* GM_INIT_ */
    double scale;
    int trained; /* 0: state */
    const int32_t *lo,
        *hi; /* masked weight: column j is zero outside rows [lo[j], hi[j]); or NULL */
} gm__slot;
/* Shared by all graphs of one model: the first that names a parameter defines it. */
typedef struct gm__layout {
    gm__arena arena;
    gm__slot *slots;
    int32_t count, capacity;
    int64_t size;    /* elements in all, padding (zero, stays zero) included */
    int64_t limit;   /* greatest size, 0 any: what a file can justify */
    int closed;      /* no new names: an unknown one is an error */
    int32_t *places; /* by hash of the name: number of a slot, -1 none; 2 * capacity of them */
} gm__layout;
void gm__layout_init(gm__layout *layout, const gm_allocator *allocator);
void gm__layout_clear(gm__layout *layout);
const gm__slot *gm__layout_find(const gm__layout *layout, const char *name);
/* A new slot of that name, which must be new; NULL when memory is short. The array moves when it
 * grows; the old one stays readable. */
gm__slot *gm__layout_add(gm__layout *layout, const char *name);

/* ---- Builder --------------------------------------------------------------------------------- */

/* What the graph is for; the answers of gm_builder_training and its like. */
typedef struct gm__purpose {
    const gm__values *values; /* options; may be NULL */
    int training, starting, phase;
    int64_t width;
    uint64_t seed;              /* of build-time structure */
    const gm_x_column *columns; /* (width) what begins at each column of x; NULL: all are real */
    const double *angle;        /* (levels + 1) of diffusion, from 0 on; or NULL */
    const double *mixing;       /* (levels + 1, 2): signal and sigma at each; with angle */
    int64_t levels;
    /* Of families whose rows come from one of several networks: which of them is asked for, from 1
     * on, and how many there are, filled by the family's order of conditionals. */
    int32_t member, members;
} gm__purpose;
gm_status gm__builder_create(gm_context *ctx, gm__layout *layout, const gm__purpose *purpose,
                             gm_builder **b);
void gm__builder_free(gm_builder *b);
/* The sticky failure, told to ctx; GM_OK if there is none. */
gm_status gm__builder_check(gm_context *ctx, const gm_builder *b);
gm__purpose *gm__builder_purpose(gm_builder *b);
/* Zeroed memory that lives as long as the builder; NULL (and sticky) when there is none. */
void *gm__builder_scratch(gm_builder *b, int64_t count, size_t size);
void gm__builder_set_condition(gm_builder *b, gm_node *condition);
/* The next random node is number n of its graph. */
void gm__builder_set_stream(gm_builder *b, int32_t n);
/* Nodes of parameters used so far, in order of the layout; NULL past the end. */
gm_node *gm__builder_param(gm_builder *b, int i, const gm__slot **slot);
/* Assignments asked for by gm_assign; 0 past the end. */
int gm__builder_assignment(gm_builder *b, int i, gm_node **param, gm_node **value);

/* ---- Plan ------------------------------------------------------------------------------------ */

/* A graph compiled for up to `capacity` rows and a precision: dead code and common subexpressions
 * removed, products with their epilogues, element-wise chains fused into strips, memory by
 * liveness. Immutable once made, but for its memory: one run at a time. It owns copies of all that
 * it needs: the builder may be freed. */
typedef struct gm__plan gm__plan;

/* An output goes to memory given at each run: out[i] of gm__run. One with a slot writes at that
 * slot's offset of run->grads in place of out[i] (gradients of parameters); out may end with the
 * last output that has none. */
typedef struct gm__output {
    gm_node *node;
    const gm__slot *slot; /* or NULL */
} gm__output;

gm_status gm__plan_create(gm_context *ctx, gm_builder *b, const gm__output *outputs, int count,
                          gm__real real, int64_t capacity, gm__plan **plan);
void gm__plan_free(gm__plan *plan);

typedef struct gm__run {
    int64_t batch; /* 1 to capacity */
    uint64_t seed, step;
    int64_t row0;              /* random values of row i are those of row number row0 + i */
    int64_t before;            /* and those of columns behind so many others like all of them */
    void *params;              /* the flat buffer; written only by assignments */
    void *grads;               /* for outputs with a slot: the same layout */
    int grads_zeroed;          /* what masks keep zero there is zero */
    const void *const *inputs; /* by the number that gm__plan_input gives */
    void *const *outputs;
} gm__run;
/* The number of an input by name, -1 if the plan does not use it. */
int gm__plan_input(const gm__plan *plan, const char *name);
/* Runs. Takes no memory and no lock, cannot fail but for GM_E_CANCELLED. Work is shared by
 * ctx->team. */
gm_status gm__plan_run(gm_context *ctx, gm__plan *plan, const gm__run *run);
/* Floating-point operations of one run of `batch` rows (products count 2mnk), and bytes of memory
 * held. */
double gm__plan_operations(const gm__plan *plan, int64_t batch);
size_t gm__plan_memory(const gm__plan *plan);

#endif
