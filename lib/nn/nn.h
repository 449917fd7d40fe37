/* Layers are functions that add nodes (genmod/extend.h); here is what else a parameter store needs.
 */
#ifndef GM__NN_H
#define GM__NN_H
#include "graph/graph.h"

/* Fills the flat buffer with the starting values that the layout states: a function of the seed,
 * the parameter's place and its shape, drawn in float64 and rounded for float32. Padding and masked
 * entries are zero. */
gm_status gm__params_init(gm_context *ctx, const gm__layout *layout, gm__real real, uint64_t seed,
                          void *params);

/* The activations that families offer, as the range of their option "activation", and the one that
 * is chosen. */
#define GM__ACTIVATIONS "relu|tanh|silu|gelu|leaky_relu"
int32_t gm__opt_activation(gm_builder *b);

/* (width of raw): for each parameter the column of x that it is of. */
void gm__likelihood_owners(gm_builder *b, const gm_likelihood *l, int32_t *column);
/* As gm_likelihood_log_prob, of the columns where asked (batch or 1, width) is 1 and not 0; all
 * columns of a category alike. Deviations must come from raw where there are several rows of it. */
gm_node *gm__likelihood_log_prob_of(gm_builder *b, const gm_likelihood *l, gm_node *raw, gm_node *x,
                                    gm_node *asked);
/* As gm_likelihood_draw, noise times temperature (a scalar node): a category's or a bit's odds to
 * the power of its inverse. NULL: gm_likelihood_draw itself. */
gm_node *gm__likelihood_draw(gm_builder *b, const gm_likelihood *l, gm_node *raw,
                             gm_node *temperature);

/* Of each column of x, at its first (width of x): how many random nodes a draw adds before the one
 * that it is drawn by, and how many columns stand before it there. */
void gm__likelihood_noise(gm_builder *b, const gm_likelihood *l, int32_t *node, int32_t *before);

/* As gm_nn_masked_linear, its weights and bias starting at zero. */
gm_node *gm__nn_masked_linear_zero(gm_builder *b, const char *name, gm_node *x, int64_t out,
                                   const int32_t *lo, const int32_t *hi);

/* A network whose outputs see only the columns of places before their own: MADE (Germain et al.
 * 2015), with residual blocks as Nash and Durkan 2019 have them. Hidden units are sorted by degree,
 * so that what is known to be zero is not multiplied. */
typedef struct gm__made {
    const char *name;
    int64_t given;         /* columns of the input that come first and that all outputs see */
    int64_t places;        /* of the others, and */
    const int32_t *ends;   /* (places) how many of them places 0 to p have */
    int32_t count;         /* hidden layers, */
    const int64_t *hidden; /* (count) units of each, */
    int32_t act;           /* their activation, */
    int residual;          /* and whether those after the first are residual blocks */
    double dropout;
    int direct; /* outputs are also linear in what they may see */
    int zero;   /* outputs start at zero */
    int64_t outputs;
    const int32_t *place; /* (outputs) whose place each has; fastest in rising order */
} gm__made;
/* x (batch, given + ends[places - 1]): (batch, outputs). */
gm_node *gm__nn_made(gm_builder *b, const gm__made *m, gm_node *x);

#endif
