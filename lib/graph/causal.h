/* A network's outputs place by place: where output j rests only on columns of x that come before
 * it, each value of the graph is computed once, as soon as all that it rests on is there. */
#ifndef GM__CAUSAL_H
#define GM__CAUSAL_H
#include "graph/graph.h"

typedef struct gm__causal gm__causal;

/* Of the graph from x (batch, .) and the input "condition" to out (batch, .). Column j of x becomes
 * known at place of_x[j], output j is wanted at place of_out[j], before that column. *c is NULL
 * where the graph is another: of masked products, biases, activations and moves of columns. The
 * nodes must outlive it. */
gm_status gm__causal_create(gm_context *ctx, const gm_node *out, const gm_node *x,
                            const int32_t *of_x, const int32_t *of_out, gm__real real,
                            gm__causal **c);
void gm__causal_free(gm__causal *c);
/* Bytes that a row takes. */
size_t gm__causal_row(const gm__causal *c);
/* Starts with n rows; condition (n, .), NULL where there is none. */
gm_status gm__causal_begin(gm_context *ctx, gm__causal *c, int64_t n, const void *condition);
/* Column j of x in rows [first, first + count), `step` elements from one to the next. */
void gm__causal_put(gm__causal *c, int64_t j, int64_t first, int64_t count, const void *from,
                    int64_t step);
/* What can be known at `place`, after all places before it. The bits are those of the graph,
 * whoever computes. Where columns of x change, the places behind them are to be computed again. */
void gm__causal_advance(gm_context *ctx, gm__causal *c, const void *params, int32_t place);
/* Output j of such rows. */
void gm__causal_get(const gm__causal *c, int64_t j, int64_t first, int64_t count, void *to,
                    int64_t step);

#endif
