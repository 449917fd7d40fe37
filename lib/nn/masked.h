/* Masked networks, as flows invert them. */
#ifndef GM__MASKED_H
#define GM__MASKED_H
#include "nn/nn.h"

#define GM__MASKED_LAYERS 15

typedef struct gm__masked_name {
    char text[192];
} gm__masked_name;

/* x (batch, columns) of which z is the map by the outputs of gm_nn_masked(b, name, seen(x), net) at
 * x. columns says the map (what it says of the network is ignored); the network sees `width`
 * columns. */
gm_node *gm__masked_solve(gm_builder *b, const char *name, const gm_masked_net *net,
                          const gm__columns *columns, int64_t width, gm_node *z);

#endif
