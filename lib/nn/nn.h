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

#endif
