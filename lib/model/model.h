/* Models and families as the library sees them. */
#ifndef GM__MODEL_H
#define GM__MODEL_H
#include "genmod/model.h"
#include "genmod/train.h"
#include "base/tensors.h"
#include "data/transform.h"
#include "graph/graph.h"
#include "train/trainer.h"

/* ---- Families ---------------------------------------------------------------------------------
 */

/* Built-in families, ended by NULL; the layer of the families defines it. */
extern const gm_family *const gm__builtin_families[];
/* By name, built-in or registered; GM_E_UNKNOWN with the names that there are. */
gm_status gm__family_find(gm_context *ctx, const char *name, const gm_family **family);
int32_t gm__family_capabilities(const gm_family *family);
int32_t gm__family_kind(const gm_family *family); /* of log_prob on real columns */
/* The family names that can do it, for texts: "flow, vae". */
/* The names of those that have the flags. */
const char *gm__families_with(gm_context *ctx, int32_t flags, char *buffer, int64_t size);
const char *gm__families_that(gm_context *ctx, int32_t capability, char *buffer, int64_t size);
/* The tables of a call ("log_prob", "sample", "encode", "decode", "reconstruct") on a model of the
 * family (NULL: of any); returns how many (at most 3), 0 for no such call. */
int gm__call_tables(const char *call, const gm_family *family, const gm_option_row *tables[3]);

/* Options tables of what is done with models, by their owner's name, ended by a row of zeros; the
 * layer of the uses defines it. */
typedef struct gm__use {
    const char *owner;
    const gm_option_row *options;
} gm__use;
extern const gm__use gm__uses[];

/* ---- Structure: a model without its weights -------------------------------------------------- */

/* Counted, immutable once made; shared by a trainer and the models that come of it. */
typedef struct gm__structure {
    gm_allocator allocator;
    int32_t owners; /* atomic */
    const gm_family *family;
    gm__values *values; /* of the family, the fit and the transforms */
    gm__schema *schema; /* features, in the order of the model's rows, then conditions */
    gm__schema *rows;   /* the features alone: of rows that calls make */
    int64_t columns, conditions;
    int64_t given; /* numbers that the conditions become for a network */
    gm__transform *transform;
    gm__layout layout; /* closed */
    gm__real real;
    int64_t reals, indices; /* outputs of the transform */
    int discrete;           /* the family takes discrete columns as they are */
    int64_t width;          /* columns that the family sees */
    gm_x_column *x_columns; /* (width) what begins at each; NULL where all are real */
    int lawful;             /* it has laws of columns given others, if its family has */
    int64_t code;           /* columns of z; of direct families the model's state says: gm__code */
    int32_t kind;           /* of log_prob, for these columns */
    int64_t steps;          /* of a sequence; 0: none */
    int64_t levels;         /* of diffusion; 0: none */
    double *angle, *mixing; /* (levels + 1), (levels + 1, 2): as gm__purpose says; one block */
} gm__structure;

/* Takes schema and transform over (also on failure); retains values. limit: elements that
 * parameters may have in all, 0 any. */
gm_status gm__structure_create(gm_context *ctx, const gm_family *family, gm__values *values,
                               gm__schema *schema, gm__transform *transform, int64_t limit,
                               gm__structure **s);
gm__structure *gm__structure_retain(const gm__structure *s);
void gm__structure_release(gm__structure *s);
/* The tables whose values a structure holds, for gm__values_create; returns how many (at most 8).
 */
int gm__structure_tables(const gm_family *family, const gm_option_row *tables[8]);

/* ---- Front: discrete columns as real ones ---------------------------------------------------- */

/* Columns that index output i of the transform takes in the family's x: one-hot for families that
 * take discrete columns as they are. */
int64_t gm__front_width(const gm__structure *s, int64_t i);
typedef enum gm__front_mode { GM__FRONT_DRAW, GM__FRONT_MIDDLE } gm__front_mode;
/* x (batch, width) from the inputs "x" and "index.<i>". *log_density (batch, WIDE; NULL where there
 * are no discrete columns, or the family takes them as they are) is what log p of x lacks to be (a
 * bound on) the log probability of the row. *reals is the node of "x", NULL if there is none. */
gm_node *gm__front(gm_builder *b, const gm__structure *s, gm__front_mode mode,
                   gm_node **log_density, gm_node **reals);
/* Codes of n rows of x (n, width) back to the transform's outputs. */
void gm__front_back(const gm__structure *s, const double *x, int64_t n, double *reals,
                    int32_t *index);

/* ---- Noise levels of a diffusion --------------------------------------------------------------
 */

/* Fills levels, angle and mixing by the family's table; nothing where it has none. */
gm_status gm__levels_create(gm_context *ctx, gm__structure *s);
void gm__levels_clear(gm__structure *s);
/* One number through the library's own maps. */
double gm__map_one(gm_context *ctx, gm__map1 which, double x);

/* ---- Model ----------------------------------------------------------------------------------- */

struct gm_model {
    gm_allocator allocator;
    int32_t owners;
    gm__structure *structure;
    void *params;
    gm_tensors *tensors; /* of a direct family, and what it made of them; else NULL */
    void *state;
    char *record; /* JSON object of the fit */
};
/* Retains the structure, copies the weights and the text. */
gm_status gm__model_create(gm_context *ctx, gm__structure *s, const void *params,
                           const char *record, gm_model **model);
/* Adds a member ("name":value) to the record of a model that nobody else has yet. */
gm_status gm__model_note(gm_context *ctx, gm_model *model, const char *member);
int64_t gm__code(const gm_model *model); /* columns of z */
/* Whether an option of the fit is no matter of the model's: neither saved, nor told, nor compared.
 */
int gm__option_is_private(const char *name);
void gm__model_options_json(const gm_model *model, gm__buffer *out);

/* ---- Programs: a model's graphs, compiled, kept by the context ------------------------------- */

typedef enum gm__task {
    GM__LOG_PROB,
    GM__GRADIENT,
    GM__ENCODE,
    GM__DECODE,
    GM__SAMPLE,
    GM__SAMPLE_MEAN, /* of families with draw: what decode makes of a code drawn */
    /* of a diffusion: */
    GM__VELOCITY,   /* inputs "noised" (batch, width) and the scalars "level", "signal", "sigma" */
    GM__DIVERGENCE, /* and "probe" (batch, width): the velocity, and (batch, WIDE) probe . J probe
                     */
    GM__ROW_DRAW,   /* the front's x, and its log density */
    GM__ROW_MIDDLE,
    GM__LOSS, /* no program: training's own */
    GM__LAWS  /* of families with conditionals: model/laws.h */
} gm__task;
typedef struct gm__program {
    gm__plan *plan;
    void *params; /* in the program's precision; the model's own where that is the same */
    gm__real real;
    int64_t capacity;
    int x, z, temperature, condition; /* numbers of inputs, -1 unused */
    int row, step;                    /* of a sequence */
    struct gm__walk *walk;            /* model/walk.h: made when first asked for, */
    int walked;                       /* which it was */
} gm__program;
/* The program for up to `rows` rows at a time (its capacity may be more or less: run in pieces of
 * capacity). Valid until a few more programs were got in the context. */
gm_status gm__program_get(gm_context *ctx, const gm_model *model, gm__task task, gm__real real,
                          int64_t rows, gm__program **program);
/* Builds one task's graph: its outputs (at most 2) into out. */
int gm__task_build(gm_builder *b, const gm__structure *s, gm__task task, gm_node *out[2]);
int gm__noised_build(gm_builder *b, const gm__structure *s, gm__task task, gm_node *out[2]);
/* (batch): what training minimises. */
gm_node *gm__loss_build(gm_builder *b, const gm__structure *s);
gm_status gm__structure_builder(gm_context *ctx, gm__structure *s, const gm__purpose *how,
                                gm_builder **b);
/* Input number of "index.<i>". */
int gm__plan_index_input(const gm__plan *plan, int64_t i);

/* ---- Rows in and out ------------------------------------------------------------------------- */

typedef struct gm__given gm__given; /* model/condition.h */

/* Where the rows of a call come from. */
typedef struct gm__rows {
    const char *call;         /* for texts */
    const gm__schema *schema; /* whose first columns these are; NULL for codes */
    const gm_array *array;    /* or */
    const gm_dataset *data;
    gm_dataset *ordered; /* counted: data in the model's order */
    gm__match *match;
    int64_t count, columns;
    gm__given *given; /* what goes with them; NULL: nothing */
} gm__rows;
/* Of `columns` columns: rows of the schema's, codes where it is NULL. */
gm_status gm__rows_of_array(gm_context *ctx, const char *call, const gm_array *array,
                            const gm__schema *schema, int64_t columns, gm__rows *rows);
gm_status gm__rows_of_data(gm_context *ctx, const char *call, const gm_model *model,
                           const gm_dataset *data, gm__rows *rows);
/* The same of data whose cells may be missing: for gm__rows_read_any. */
gm_status gm__gaps_of_data(gm_context *ctx, const char *call, const gm_model *model,
                           const gm_dataset *data, gm__rows *rows);
void gm__rows_clear(gm__rows *rows);
/* Rows [first, first + count) into out (count, columns); GM_E_DATA for a value that is not finite.
 */
gm_status gm__rows_read(gm_context *ctx, const gm__rows *rows, int64_t first, int64_t count,
                        double *out);
/* As gm__rows_read, whatever the values. */
void gm__rows_read_any(const gm__rows *rows, int64_t first, int64_t count, double *out);
/* GM_E_DATA for row number `row`, whose cells x have no support: which column, and why. */
gm_status gm__rows_outside(gm_context *ctx, const gm__rows *rows, const gm__transform *t,
                           int64_t row, const double *x);
/* Rows [first, first + count) of an array that was checked, into out (count, columns). */
void gm__array_get(const gm_array *array, int64_t first, int64_t count, double *out);
/* Doubles (n, d) into rows [first, ...) of an array that was checked by gm__rows_of_array. */
void gm__array_put(gm_array *array, int64_t first, int64_t n, int64_t d, const double *from);

/* An output must be rows (rows, columns) of GM_F32 or GM_F64 that may be written; schema as above.
 */
gm_status gm__check_output(gm_context *ctx, const char *call, const gm_array *out, int64_t rows,
                           const gm__schema *schema, int64_t columns);
/* Cells (rows, columns) of zeros; the token is heeded while there is much to clear. NULL where
 * there are none. GM_E_RANGE for more than can be counted, GM_E_MEMORY; both say how many. */
gm_status gm__answer_cells(gm_context *ctx, const char *call, int64_t rows, int64_t columns,
                           double **cells);

/* Answers for an array that was checked. Where they come in several pieces of `capacity` rows they
 * wait until all are there: a call that fails leaves its arrays as they were. */
typedef struct gm__answer {
    gm_allocator allocator;
    gm_array *to;
    double *cells; /* (rows, columns) in waiting; NULL: each piece is given out at once */
} gm__answer;
gm_status gm__answer_begin(gm_context *ctx, const char *call, gm_array *to, int64_t capacity,
                           gm__answer *answer);
void gm__answer_put(gm__answer *answer, int64_t first, int64_t n, const double *from);
/* Gives out what waits, unless code says that something failed. Returns code; once for each begin,
 * also one that failed. */
gm_status gm__answer_end(gm__answer *answer, gm_status code);

/* Options of a call, checked: names of the call's table act, names of building and fitting must
 * agree with the model. */
gm_status gm__call_values(gm_context *ctx, const gm_model *model, const char *call,
                          const gm_options *opts, gm__values **values);
gm_status gm__call_seed(gm_context *ctx, const gm__values *values, const char *call,
                        uint64_t *seed);
gm__real gm__call_real(const gm_model *model, const gm__values *values);
gm_status gm__call_check(gm_context *ctx, const gm_model *model, const char *call,
                         int32_t capability);

/* Averages over draws of log weights, row by row: their mean if `bound`, else the log of the mean
 * of their exponentials; and of gradients (n, width) alike. */
typedef struct gm__weights {
    gm_allocator allocator;
    int bound;
    int64_t n, width, draws;
    struct gm__average *average;
    double *gradient;
} gm__weights;
/* n and width as a piece of rows has them. Nothing is left to clear after a failure. */
gm_status gm__weights_begin(gm_context *ctx, int bound, int64_t n, int64_t width, gm__weights *w);
/* error (n): what each weight is off by, alike in all draws, or NULL; what is by chance shows in
 * the weights' own spread. gradient is not read where width is 0. */
void gm__weights_add(gm_context *ctx, gm__weights *w, const double *log_weight, const double *error,
                     const double *gradient);
/* error may be NULL; it is NaN for a single draw, 0 where logp is minus infinity. */
void gm__weights_end(gm_context *ctx, const gm__weights *w, double *logp, double *error,
                     double *gradient);
void gm__weights_clear(gm__weights *w);

/* log p of rows, used by several calls. What is not asked for is NULL. */
typedef struct gm__scores {
    double *logp, *error;  /* (n); logp always */
    double *lower, *upper; /* (n): of exact models */
    gm_array *grad;        /* (n, columns) */
} gm__scores;
gm_status gm__log_prob(gm_context *ctx, const gm_model *model, const gm__rows *rows,
                       const gm__values *values, const gm__scores *scores);
/* gm_model_sample, or where data is not NULL gm_model_sample_rows, below another call. */
gm_status gm__sample(gm_context *ctx, const gm_model *model, int64_t n, const gm_array *cond,
                     const gm_options *opts, gm_array *x, gm_dataset **data);

#endif
