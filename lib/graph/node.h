/* Nodes, the builder and the operation table: what the files of the graph layer share. */
#ifndef GM__NODE_H
#define GM__NODE_H
#include "graph/graph.h"
#include "base/size.h"

/* Numbers of operations: positions in the table. */
enum {
    GM__OP_INPUT,
    GM__OP_PARAM,
    GM__OP_CONST,
    GM__OP_ARRAY,
    GM__OP_NORMAL,
    GM__OP_UNIFORM,
    GM__OP_MAP1,                                /* as gm__map1 orders them */
    GM__OP_MAP2 = GM__OP_MAP1 + GM__MAP1_COUNT, /* as gm__map2 orders them */
    GM__OP_WHERE = GM__OP_MAP2 + GM__MAP2_COUNT,
    GM__OP_AXPB,
    GM__OP_LEAKY,
    GM__OP_POLYGAMMA,
    GM__OP_OVER_COUNT,
    GM__OP_WIDE,
    GM__OP_NARROW,
    GM__OP_SAME,
    GM__OP_STOP,
    GM__OP_MATMUL,
    GM__OP_SUM_ALL,
    GM__OP_SUM,
    GM__OP_SUM_WIDE,
    GM__OP_MAX,
    GM__OP_ARGMAX,
    GM__OP_SOFTMAX,
    GM__OP_LOG_SOFTMAX,
    GM__OP_LOGSUMEXP,
    GM__OP_CUMSUM,
    GM__OP_RESHAPE,
    GM__OP_BROADCAST,
    GM__OP_PERMUTE,
    GM__OP_SLICE,
    GM__OP_PAD,
    GM__OP_CONCAT,
    GM__OP_TAKE,
    GM__OP_PUT,
    GM__OP_GATHER,
    GM__OP_SCATTER,
    GM__OP_PICK,
    GM__OP_ONE_HOT,
    GM__OP_INDEX,
    GM__OP_SPLINE,
    GM__OP_SPLINE_GRAD,
    GM__OP_SECOND,
    GM__OP_SOLVE,
    GM__OP_COLUMNS,
    GM__OP_COUNT
};

/* Which entries of a weight (k, n) may be other than zero, as intervals: of rows for each column,
 * of columns for each row. One of the two pairs is exact; the other bounds (and is exact where its
 * flag says so). */
typedef struct gm__mask {
    int64_t k, n;
    int32_t *col_lo, *col_hi; /* n each */
    int32_t *row_lo, *row_hi; /* k each */
    int cols_exact, rows_exact;
} gm__mask;

/* What an operation knows besides its operands. Equal attributes mean equal bytes, data compared by
 * content. */
typedef struct gm__attr {
    double real[4];
    int64_t whole[10];
    const void *data;
    size_t data_size;
    const gm__mask *mask;
} gm__attr;

struct gm__op;
struct gm_node {
    gm_builder *builder;
    const struct gm__op *op;
    int32_t id;     /* position in the builder: operands have smaller ones */
    int32_t number; /* of the operation */
    int32_t type, ndim, nin;
    int64_t shape[8]; /* -k: k batches */
    gm_node **in;
    gm__attr attr;
};

struct gm_builder {
    gm__arena arena;
    gm_allocator allocator;
    gm__layout *layout;
    gm__purpose purpose;
    gm_node **nodes;
    int32_t count, capacity;
    gm_node **params; /* by number of the slot */
    int32_t param_capacity;
    gm_node **assigned; /* pairs: parameter, value */
    int32_t assigned_count, assigned_capacity;
    int32_t draws; /* random streams given out */
    gm_node *condition;
    const gm_cancel *cancel;     /* of the context; heeded at each node */
    int32_t walked, walked_slot; /* the newest answer of gm__builder_param */
    gm_status code;              /* the sticky failure */
    char text[512];
};

/* ---- Counts with the batch left open: factor * batch ^ power --------------------------------- */

typedef struct gm__count {
    int64_t factor;
    int32_t power;
} gm__count;
/* Of the dimensions [from, to); 1 if it does not fit. */
int gm__count_dims(const int64_t *shape, int from, int to, gm__count *count);
/* At a batch size; 1 if it does not fit. */
int gm__count_at(gm__count count, int64_t batch, int64_t *n);
static inline int64_t gm__dim_at(int64_t dim, int64_t batch)
{
    return dim >= 0 ? dim : -dim * batch;
}

/* ---- Failure --------------------------------------------------------------------------------- */

/* Makes the builder sticky; returns NULL. The text gets "graph: " in front. */
gm_node *gm__wrong(gm_builder *b, gm_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
gm_node *gm__graph_memory(gm_builder *b);
typedef struct gm__shape_text {
    char text[160];
} gm__shape_text;
gm__shape_text gm__show(const gm_node *x); /* "(batch, 5)" */

/* ---- Nodes ----------------------------------------------------------------------------------- */

/* Adds a node: checks the operands, copies attributes, applies the shape rule. NULL after a
 * failure. */
gm_node *gm__node(gm_builder *b, int op, int nin, gm_node *const *in, const gm__attr *attr);
gm_node *gm__node1(gm_builder *b, int op, gm_node *x, const gm__attr *attr);
gm_node *gm__node2(gm_builder *b, int op, gm_node *x, gm_node *y, const gm__attr *attr);
/* Non-zero when nodes may be added: no failure yet and each operand is there and this builder's. */
int gm__good(gm_builder *b, const char *what, int n, gm_node *const *x);
/* The axis counted from the front, or -1 and a failure. */
int gm__axis(gm_builder *b, const char *what, const gm_node *x, int32_t axis);
static inline int gm__is(const gm_node *x, int op)
{
    return x && x->number == op;
}
int gm__same_shape(const gm_node *x, const gm_node *y);
/* One element, whatever the batch. */
int gm__one(const gm_node *x);
gm_node *gm__const_like(gm_builder *b, double value, const gm_node *x); /* a scalar of x's type */
gm_node *gm__fill_like(gm_builder *b, double value, const gm_node *x);  /* broadcast to x's shape */
gm_node *gm__reshape_like(gm_builder *b, gm_node *x, const gm_node *like);
gm_node *gm__broadcast_like(gm_builder *b, gm_node *x, const gm_node *like);
/* d summed to the shape of x, from which it was broadcast. */
gm_node *gm__unbroadcast(gm_builder *b, gm_node *d, const gm_node *x);
gm_node *gm__same(gm_builder *b, gm_node *x); /* another node of the same value; gradient passes */
gm_node *gm__map1_node(gm_builder *b, int map, gm_node *x);
gm_node *gm__put(gm_builder *b, gm_node *x, int64_t count, const int32_t *index, int64_t width);
gm_node *gm__second(gm_builder *b, gm_node *x);
gm_node *gm__sum_last(gm_builder *b, gm_node *x); /* keeps the axis */
/* The spline written out in simple operations: what second derivatives rest on. */
gm_node *gm__spline_plain(gm_builder *b, const gm__attr *s, gm_node *x, gm_node *p,
                          gm_node **log_slope);
/* The same as gm__columns_solve, column by column in simple operations. */
gm_node *gm__columns_plain(gm_builder *b, const gm__attr *a, int32_t nin, gm_node *const *in);
const gm__mask *gm__mask_make(gm_builder *b, int64_t k, int64_t n, const int32_t *lo,
                              const int32_t *hi);

/* ---- The table of operations ----------------------------------------------------------------- */

struct gm__cell;
struct gm__strip;
struct gm__step;
struct gm__exec;
/* Rows of the result from the same rows of the operands (plan.h). */
typedef void gm__strip_fn(const struct gm__cell *c, const struct gm__strip *s, void *const *y,
                          void *const *x);
/* The part-th of `parts` shares of a whole result. */
typedef void gm__whole_fn(const struct gm__step *s, const struct gm__exec *e, int part, int parts);

enum {
    GM__BROADCASTS = 1, /* operands broadcast to the result's shape */
    GM__DRAWS = 2,      /* random: never merged */
    GM__VIEWS = 4,      /* shares the memory of its operand where possible */
    GM__TABLE = 8,      /* operand 0 is read as a whole by every row */
    GM__TWO = 16,       /* has a second result: node SECOND */
    GM__NO_GRADIENT = 32
};

typedef struct gm__op {
    const char *name;
    int32_t arity; /* -1: any number */
    int32_t flags;
    /* Sets type, ndim and shape from operands and attributes, or fails. */
    void (*shape)(gm_builder *b, gm_node *n);
    gm__strip_fn *strip;
    int (*by_rows)(const gm_node *n); /* the strip form applies; NULL: always, where there is one */
    gm__whole_fn *whole;
    /* dx[i] from the adjoints dy and, of a second result, dy2 (either may be NULL, not both); dx[i]
     * may stay NULL: none. */
    void (*gradient)(gm_builder *b, gm_node *n, gm_node *dy, gm_node *dy2, gm_node **dx);
} gm__op;

/* The row of an operation, or NULL past the end. */
const gm__op *gm__op_at(int op);
/* The rows by kind, each starting at the number named. */
extern const gm__op gm__ops_leaf[];    /* INPUT */
extern const gm__op gm__ops_map1[];    /* MAP1 */
extern const gm__op gm__ops_map2[];    /* MAP2 */
extern const gm__op gm__ops_other[];   /* WHERE .. STOP */
extern const gm__op gm__ops_product[]; /* MATMUL */
extern const gm__op gm__ops_reduce[];  /* SUM_ALL .. CUMSUM */
extern const gm__op gm__ops_move[];    /* RESHAPE .. PUT */
extern const gm__op gm__ops_index[];   /* GATHER .. INDEX */
extern const gm__op gm__ops_special[]; /* SPLINE .. SOLVE */
extern const gm__op gm__ops_columns[]; /* COLUMNS */

/* What the rows run (strip_*.c, whole.c). */
gm__strip_fn gm__strip_argmax, gm__strip_axpb, gm__strip_concat, gm__strip_convert, gm__strip_copy,
    gm__strip_cumsum, gm__strip_draw, gm__strip_expand, gm__strip_gather, gm__strip_index,
    gm__strip_leaky, gm__strip_map1, gm__strip_map2, gm__strip_max, gm__strip_one_hot,
    gm__strip_over_count, gm__strip_pad, gm__strip_permute, gm__strip_pick, gm__strip_polygamma,
    gm__strip_put, gm__strip_slice, gm__strip_softmax, gm__strip_spline, gm__strip_spline_grad,
    gm__strip_sum, gm__strip_solve, gm__strip_sum_wide, gm__strip_take, gm__strip_where;
gm__whole_fn gm__whole_columns, gm__whole_concat, gm__whole_matmul, gm__whole_pad,
    gm__whole_permute, gm__whole_scatter, gm__whole_slice, gm__whole_sum, gm__whole_sum_all;

/* Shape rules that several kinds share. */
void gm__shape_of_first(gm_builder *b, gm_node *n);
void gm__shape_given(gm_builder *b,
                     gm_node *n); /* whole[0..8): shape, whole[8]: ndim, whole[9]: type or 0 */
void gm__shape_broadcast(gm_builder *b, gm_node *n);

#endif
