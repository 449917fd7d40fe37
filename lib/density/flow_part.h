/* What the files of the flow share. Shapes: x, z (batch, d); log_det (batch) or a scalar, WIDE. */
#ifndef GM__FLOW_PART_H
#define GM__FLOW_PART_H
#include "density/flow.h"
#include "graph/graph.h"
#include "nn/masked.h"

/* Streams of the permutations that move reals and angles among each other. */
#define GM__FLOW_SECOND 100000

/* Positions in the ranges of the options. */
enum { REALNVP, NSF, NICE };                              /* coupling */
enum { COUPLING, AUTOREGRESSIVE, BACKWARDS, CONTINUOUS }; /* structure */
enum { LU, PERMUTATION, SWAP, UNMIXED };                  /* mixing */

/* FORWARD is from x to z. */
typedef enum gm__way { FORWARD, INVERSE } gm__way;

/* A flow being built. */
typedef struct gm__flow_graph {
    gm_builder *b;
    int64_t d, layers;
    int structure, coupling, mixing;
    /* (layers + 1, d): 1 where a column is an angle, before the mixing of layer i; NULL: none is */
    const unsigned char *circle;
} gm__flow_graph;

/* A parameter's or layer's name under layer i. */
typedef struct gm__flow_name {
    char text[64];
} gm__flow_name;
gm__flow_name gm__flow_layer_name(int64_t i, const char *part);

static inline gm_node *gm__flow_add(gm_builder *b, gm_node *sum, gm_node *term)
{
    return sum ? gm_add(b, sum, term) : term;
}

/* ---- Columns that are angles (flow_circle.c) ------------------------------------------------- */

/* Fills f->circle: how the angles move through the mixings. */
void gm__flow_find_circles(gm__flow_graph *f);
/* Columns of `count` from circle on that are (what = 1) or are not (0) angles: their number, and
 * where index is given, which. */
int64_t gm__flow_columns(const unsigned char *circle, int64_t count, int what, int32_t *index);
/* x (batch, count) with what a network sees of angles: columns, then cosines, then sines of the
 * angles. x itself where circle is NULL. */
gm_node *gm__flow_seen(gm_builder *b, const unsigned char *circle, gm_node *x);
/* Angles into [-pi, pi); the gradient passes. */
gm_node *gm__flow_wrap(gm_builder *b, gm_node *angle);
/* z's angles into [0, 2 pi), as the transform takes them. */
gm_node *gm__flow_unwrap(const gm__flow_graph *f, gm_node *x);

/* ---- The element-wise map (flow_map.c) ------------------------------------------------------- */

/* Raw parameters of `count` columns. */
int64_t gm__flow_raw(gm_builder *b, const unsigned char *circle, int64_t count);
/* Maps t (batch, w) by raw parameters (batch, gm__flow_raw), adding log |dt'/dt| to *log_det. */
gm_node *gm__flow_map(gm_builder *b, const unsigned char *circle, gm_node *t, gm_node *raw,
                      gm__way way, gm_node **log_det);
/* The map of real columns, with log |dt'/dt| of each (batch, w); NULL where all are 0. */
gm_node *gm__flow_map_reals(gm_builder *b, gm_node *t, gm_node *raw, gm__way way,
                            gm_node **log_slope);
/* The map of columns that nothing conditions: its parameters are learned directly. */
gm_node *gm__flow_map_alone(gm_builder *b, const char *name, const unsigned char *circle,
                            gm_node *t, gm__way way, gm_node **log_det);
gm_spline gm__flow_spline(gm_builder *b, gm__way way);

/* ---- Layers: from x towards z, or back ------------------------------------------------------- */

gm_node *gm__flow_couple(const gm__flow_graph *f, int64_t layer, gm_node *x, gm__way way,
                         gm_node **log_det);
gm_node *gm__flow_autoregress(const gm__flow_graph *f, int64_t layer, gm_node *x, gm__way way,
                              gm_node **log_det);
/* z of real columns x of an autoregressive layer, with log |dz/dx| of each, or NULL. */
gm_node *gm__flow_pass(const gm__flow_graph *f, int64_t layer, gm_node *x, gm_node **log_slope);
gm_node *gm__flow_mix(const gm__flow_graph *f, int64_t layer, gm_node *x, gm__way way,
                      gm_node **log_det);
/* Where the columns of a mixing that only moves them come from: index (count). */
void gm__flow_draw_permutation(gm_builder *b, int64_t number, int64_t count, int32_t *index);
/* A scale and shift of each column with a data-dependent start. */
gm_node *gm__flow_normalise(const gm__flow_graph *f, int64_t layer, gm_node *x, gm__way way,
                            gm_node **log_det);
/* A learned scale of each column at the end. */
gm_node *gm__flow_scale(const gm__flow_graph *f, gm_node *x, gm__way way, gm_node **log_det);
/* The log scales of both, (d): of the columns before layer i, and at the end. */
gm_node *gm__flow_log_scale(const gm__flow_graph *f, int64_t layer);

/* ---- The whole of a continuous flow (flow_ode.c) --------------------------------------------- */

gm_node *gm__flow_ode(const gm__flow_graph *f, gm_node *x, gm__way way, gm_node **log_det);

/* ---- The base (flow_base.c) ------------------------------------------------------------------ */

gm_node *gm__flow_log_base(const gm__flow_graph *f, gm_node *z); /* (batch), WIDE */
gm_node *gm__flow_draw_base(const gm__flow_graph *f);            /* (batch, d) */
/* Of z_j given the columns before it: log density, and the mass below and above. (batch, d), WIDE.
 * 0 where the base has none in closed form. */
int gm__flow_base_laws(const gm__flow_graph *f, gm_node *z, gm_node **logp, gm_node **below,
                       gm_node **above);

/* ---- Columns given those before them (flow_law.c) -------------------------------------------- */

gm__flow_graph gm__flow_begin(gm_builder *b);
extern const gm_conditionals gm__flow_conditionals;

#endif
