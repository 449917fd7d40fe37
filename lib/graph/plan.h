/* A compiled graph: values, steps and row programs, and the passes that make them.
 *
 * A value is what a node computes. A step computes values: a WHOLE step runs one operation (a
 * matrix product with its epilogue, a sum over rows), a ROWS step runs a row program: a list of
 * cells, each one operation, over strips of rows that stay in cache. All values of a program have
 * the same number of rows (their first axis); what only the program reads lives in strip buffers
 * and never in memory.
 *
 *     nodes --simplify--> items --fuse--> steps --place--> memory --lower--> cells, operands,
 * products
 *
 * Batch sizes are symbols until a run: gm__plan_resolve turns shapes into numbers when the batch
 * changes. */
#ifndef GM__PLAN_H
#define GM__PLAN_H
#include "graph/node.h"

enum { GM__IN_STRIP = -1, GM__IN_POOL, GM__IN_CONST, GM__IN_PARAMS, GM__IN_GRADS, GM__IN_INPUT };

typedef struct gm__value {
    int32_t type, ndim, size; /* size: bytes an element */
    gm__real real;
    int64_t shape[8];                /* with symbols */
    gm__count total, per_row, shift; /* shift: elements from the root's start */
    int32_t root;                    /* whose memory it shares; itself */
    int32_t place; /* of a root: GM__IN_; inputs follow from GM__IN_INPUT, outputs after them */
    size_t at;     /* bytes from the start of the place */
    int64_t dim[8], rows, w, n; /* now: rows * w == n */
    size_t from;                /* shift in bytes, now */
    int32_t pitch_of;           /* of columns of a matrix: in whose rows they lie; -1 none */
    int64_t pitch;              /* elements from row to row, now */
} gm__value;

/* ---- Row programs ---------------------------------------------------------------------------- */

typedef struct gm__operand {
    int32_t value;   /* whose pointer; -1: a strip buffer */
    int32_t by_rows; /* advances with the rows */
    size_t at;       /* of a buffer: where in the scratch */
} gm__operand;

typedef struct gm__cell {
    gm__strip_fn *fn;
    int32_t op, nx, ny;
    int32_t once;  /* its operand is shared by all rows: run for the first strip only */
    int32_t lone;  /* bit i: operand i is one value for all */
    gm__real real; /* of the operands' arithmetic */
    const gm__value **xv, *yv[2];
    int32_t *x, y[2]; /* operands of the program */
    const gm__attr *attr;
} gm__cell;

typedef struct gm__program {
    gm__cell *cells;
    gm__operand *operands;
    int32_t ncells, noperands, nextents;
    gm__value *extents; /* of what is spread into buffers */
    int64_t first_axis; /* rows, with symbols */
    int64_t strip;      /* rows of a strip */
    size_t row_bytes;   /* of all buffers */
    size_t scratch;     /* bytes for buffers and pointers */
} gm__program;

/* What a cell is told of the strip. */
typedef struct gm__strip {
    const struct gm__kernels *kernels;
    const gm__run *run;
    int64_t row0, rows;
    int64_t batch;
} gm__strip;

/* ---- Steps ----------------------------------------------------------------------------------- */

typedef struct gm__step {
    gm__whole_fn *run;
    int32_t op, nx, ny;
    int32_t parts; /* now */
    int32_t *x, y; /* values */
    const gm__attr *attr;
    gm__program *program;           /* of a ROWS step */
    gm__product *product;           /* template: sizes now, pointers at each run */
    int32_t bias, pre, slope, gate; /* values, -1 none */
    int32_t like;      /* of a product: the value with its own shape, whatever follows it */
    double operations; /* now */
} gm__step;

struct gm__plan {
    gm__arena arena;
    gm_allocator allocator;
    gm__real real;
    int64_t capacity, batch; /* batch: that sizes are resolved for; 0 none */
    const struct gm__kernels *kernels;
    int32_t cblas; /* products by CBLAS */
    int32_t parts; /* for which there is scratch */
    gm__value *values;
    int32_t nvalues, nsteps, ninputs, noutputs, nassigned;
    gm__step *steps;
    const char **input_names;
    void **ptr;  /* by value, for the run */
    char **base; /* by place */
    char *memory, *constants, *scratch;
    size_t memory_size, constants_size, scratch_part;
};

typedef struct gm__exec {
    const gm__plan *plan;
    const struct gm__kernels *kernels;
    const gm__run *run;
    void *const *ptr;
} gm__exec;

/* Makes sizes for a batch; 1 if one does not fit. */
int gm__plan_resolve(gm__plan *plan, int64_t batch);
gm__whole_fn gm__whole_program, gm__whole_copy;
/* Scratch of a product at its sizes now, for any number of rows up to these. */
size_t gm__product_scratch(const gm__plan *plan, const gm__step *step);
void gm__product_resolve(gm__plan *plan, gm__step *s);
double gm__product_operations(const gm__product *p);
/* Of a step of columns: bytes of scratch for each part, and operations now. */
size_t gm__columns_scratch(const gm__plan *plan, const gm__step *step);
double gm__columns_operations(const gm__plan *plan, const gm__step *s);
double gm__product_share_of(const gm__plan *plan, const gm__step *s, int64_t batch);

/* ---- Compilation ----------------------------------------------------------------------------- */

enum { GM__LEAF, GM__VIEW, GM__ROWS, GM__WHOLE, GM__ABSORBED };

/* What follows a product in its step: items, -1 none. */
typedef struct gm__epilogue {
    int32_t old, bias, pre, act, slope, gate;
    int factor; /* the gate is one */
    int32_t result;
} gm__epilogue;

/* A node that is left after simplification. Item i makes value i. */
typedef struct gm__item {
    const gm_node *node;
    int32_t *in; /* items */
    int32_t op, nin;
    int32_t uses;   /* by live items, outputs and assignments */
    int32_t kind;   /* GM__LEAF .. */
    int32_t step;   /* after which it is there (a view: what it views); -1: from the start */
    int32_t head;   /* of an absorbed item: the product */
    int32_t second; /* of an operation with two results: the item of the second, -1 none */
    gm__epilogue *epilogue; /* of a product */
} gm__item;

/* A step being made: its items, in order. A product's other items are what follows it. */
typedef struct gm__draft {
    int32_t kind;               /* GM__ROWS or GM__WHOLE */
    int32_t first, last, count; /* chain of items by `next` */
    int64_t rows;               /* first axis of a ROWS step */
    int32_t from, to;           /* a copy step: values; else -1 */
} gm__draft;

typedef struct gm__compiler {
    gm_context *ctx;
    gm_builder *b;
    gm__plan *plan;
    gm__arena arena; /* for the compilation only */
    gm_status code;  /* why a pass stopped, if not for want of memory */
    const gm__output *outputs;
    int32_t noutputs, nassigned;
    int32_t *item_of; /* by id of node; -1 dead */
    gm__item *items;
    int32_t nitems;
    int32_t *next; /* by item: the next of its step */
    gm__draft *drafts;
    int32_t ndrafts;
    int32_t *last_use; /* by value that is a root: the last step that reads it */
} gm__compiler;

static inline int gm__stopped(gm__compiler *c)
{
    return (c->code = gm__check_cancel(c->ctx)) != GM_OK;
}
/* Each returns 1 when memory is short or the cancel token was tripped, as code then says. */
int gm__simplify(gm__compiler *c);    /* live nodes, merged where equal: items */
int gm__plan_values(gm__compiler *c); /* a value for each item, views onto their roots */
int gm__fuse(gm__compiler *c);        /* items into drafts of steps */
int gm__place(gm__compiler *c);       /* outputs, then memory by liveness */
int gm__lower(gm__compiler *c);       /* drafts into steps */

static inline int32_t gm__root(const gm__plan *p, int32_t value)
{
    return p->values[value].root;
}
/* Rows of an item as its program counts them. */
static inline int64_t gm__first_axis(const gm_node *n)
{
    return n->ndim ? n->shape[0] : 1;
}
/* Operand k of item i is read row by row with the result, not as a whole. */
int gm__by_rows(const gm__compiler *c, int32_t i, int32_t k);
/* Finds what can follow product i in its step, and marks it absorbed. */
int gm__match_epilogue(gm__compiler *c, int32_t i, const int32_t *user);

#endif
